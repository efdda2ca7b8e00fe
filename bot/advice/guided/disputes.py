"""Disputes step by step: what to do now, by when, evidence, a letter, what can follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.advice.figures import wording
from bot.advice.guided.case import Ask, Case, Takes
from bot.advice.guided.days import is_possible, long_day, short_day, span
from bot.advice.guided.paper import Paper
from bot.advice.guided.standing import UNKNOWN, Standing, day_of, procedure_of, standing_of, walk
from bot.advice.reply import PHONE_SIZE, Button, Reply, ReplyKind, label
from bot.advice.richtext import RichText, join
from bot.advice.understand import Profile
from bot.translation import country_name, guidance, translator
from bot.translation import mark as _
from knowledge.disputes import FIELD, Body, Deadline, Letter, Question, Situation
from knowledge.eligibility import Verdict, eligibility
from knowledge.facts import Facts
from knowledge.models import Source

OTHER = "other"
"""A service that is not listed."""

MOST_SERVICES, MOST_BODIES = 9, 6
RIGHT_TO_LEFT = ("ar",)

WITHOUT_SERVICE = {
    "bank-card": _("Card payment (bank)"),
    "bank-transfer": _("Bank transfer"),
    "cash": _("Cash or mobile money"),
    OTHER: _("Another platform"),
}
SINCE_ASKED = {
    "opened": _("On which day was the case opened? Tap, or write a date."),
    "notice": _("On which day did the notice come? Tap, or write a date."),
    "decided": _("On which day was it decided? Tap, or write a date."),
    "returned": _("On which day did the goods come back to you? Tap, or write a date."),
    "received": _("On which day did the goods reach you? Tap, or write a date."),
    "sold": _("On which day was the sale? Tap, or write a date."),
    "paid": _("On which day did you pay? Tap, or write a date."),
    "charged": _("On which day was it charged? Tap, or write a date."),
}
SINCE_SAID = {
    "opened": _("{time} from the day the case was opened."),
    "notice": _("{time} from the day of the notice."),
    "decided": _("{time} from the day of the decision."),
    "returned": _("{time} from the day the goods came back."),
    "received": _("{time} from the day the goods arrived."),
    "sold": _("{time} from the day of the sale."),
    "paid": _("{time} from the day of payment."),
    "charged": _("{time} from the day of the charge."),
}
TERMS = {
    "respond": _("Time to answer"),
    "inspect": _("Time to report the return"),
    "appeal": _("Time to appeal"),
    "claim": _("Time to make your claim"),
}
LETTERS_TO = {
    "buyer": _("Message to the buyer"),
    "platform": _("Message to the platform"),
    "bank": _("Message to the bank"),
    "supplier": _("Message to the supplier"),
    "carrier": _("Message to the carrier"),
    "complainant": _("Message to the one who complained"),
}
BLANKS = {
    "order": (_("Order number"), _("What is the order number?")),
    "item": (_("Goods"), _("Which goods are meant? A few words are enough.")),
    "amount": (_("Amount"), _("Which amount is it about? Write it with its currency.")),
    "tracking": (_("Tracking number"), _("What is the tracking number?")),
    "date": (_("Date"), _("Which date shall stand in the letter?")),
    "other_party": (_("Name of the other side"), _("What is the name of the other side, as the letter shall say it?")),
    "shop": (_("Your shop's name"), _("What is the name of your shop or firm?")),
    "reference": (_("Case number"), _("What is the case or reference number?")),
}


@dataclass
class Disputes:
    """Leads through the decision guides of the fact tables. Knows nothing of where cases are kept."""

    facts: Facts

    # Questions

    def ask(self, case: Case, profile: Profile, language: str, today: date) -> Ask | None:
        """The question the case stands at; None when all are answered."""
        t, g = translator(language), guidance(language)
        situation = self.facts.situation(case.answer("situation"))
        if situation is None:
            kinds = [(g(each.title), each.id) for each in self.facts.disputes]
            return Ask(
                "situation", t(_("What has happened? Tap, or tell me in your own words.")), kinds, Takes.SITUATION
            )
        if case.answer("service") is None:
            text = t(_("Where did the sale or payment go through? Tap, or type the name."))
            return Ask("service", text, self._services(situation, profile, language), Takes.SERVICE)
        found = walk(situation, case)
        if isinstance(found, Question):
            return Ask(f"?{found.id}", g(found.ask), [(g(each.label), each.id) for each in found.options])
        procedure = procedure_of(self.facts, situation, case.answer("service"))
        rule = procedure.deadline(found.deadline) if procedure else None
        if found.deadline is None or case.answer("until" if rule is None else "since"):
            return None
        if rule is None:
            text = t(_("Which last day does the notice give you? Write the date, or tap."))
            return Ask("until", text, [(t(_("It gives none")), UNKNOWN)], Takes.COMING_DAY)
        ago = [today - timedelta(days=n) for n in range(5)]
        names = [t(_("Today")), t(_("Yesterday")), *(short_day(day, language) for day in ago[2:])]
        days = [(name, day.isoformat()) for name, day in zip(names, ago, strict=True)]
        return Ask("since", t(SINCE_ASKED[rule.since]), [*days, (t(_("I do not know")), UNKNOWN)], Takes.DAY)

    def _services(self, situation: Situation, profile: Profile, language: str) -> list[tuple[str, str]]:
        """Those with a procedure, the ones that are open to the seller first."""

        def is_shut(service: str) -> bool:
            platform = self.facts.platform(service)
            shut = platform and profile.country and eligibility(platform, profile.country).verdict is Verdict.NO
            return bool(shut)

        known = sorted((each.service for each in situation.procedures), key=is_shut)
        return [(self.service_name(id, language), id) for id in (*known[:MOST_SERVICES], OTHER)]

    def service_name(self, id: str | None, language: str) -> str:
        """The name of a service, or of a way to pay that is none."""
        service = self.facts.platform(id or "") or self.facts.provider(id or "")
        if service is not None:
            return wording.service_name(service, language)
        return translator(language)(WITHOUT_SERVICE.get(id or OTHER, WITHOUT_SERVICE[OTHER]))

    def title(self, case: Case, language: str) -> str:
        """What the case is about, in a line."""
        situation = self.facts.situation(case.answer("situation"))
        name = guidance(language)(situation.title) if situation else translator(language)(_("A dispute"))
        service = case.answer("service")
        return f"{name} ({self.service_name(service, language)})" if service else name

    def opening(self, situation: Situation, service: str | None, language: str, today: date) -> Reply:
        """What is said at once to somebody who reports such trouble: the first thing to do and the time there is."""
        t, g = translator(language), guidance(language)
        procedure = procedure_of(self.facts, situation, service)
        name = f"{g(situation.title)} ({self.service_name(service, language)})" if service else g(situation.title)
        blocks, sources = [RichText.bold(name), RichText.plain(g(situation.aim))], []
        if procedure is not None:
            blocks.append(RichText.plain(t(_("First:")) + " " + g(procedure.first)))
            rules = {_rule(each, language): each.term for each in reversed(procedure.deadlines)}  # each rule once
            lines = [f"{t(TERMS[term])}: {rule}" for rule, term in [*reversed(rules.items())][:2]]
            blocks.append(RichText.plain("\n".join(lines)))
            sources = [situation.source_of(procedure)]
        else:
            blocks.append(RichText.plain(t(_("Watch out:")) + " " + g(situation.watch_out[0])))
        blocks.append(join(wording.source_lines(sources, language, today, most=1), "\n"))
        blocks.append(RichText.plain(t(_("A few short questions lead you to the date, the proof and a letter."))))
        return Reply(join(blocks), ReplyKind.ANSWER, "disputes", language, tuple(sources), 1.0)

    # Pages

    def page(
        self, case: Case, page: str, arguments: Sequence[str], profile: Profile, language: str, today: date
    ) -> Reply | None:
        """One page of an answered case; None when there is no such page."""
        standing = standing_of(self.facts, case)
        if standing is None:
            return None
        if page == "body":
            body = self.facts.recourse.body(arguments[0]) if arguments else None
            return self._body(case, body, language, today) if body else None
        if page == "letter":
            letter = standing.situation.letter(arguments[0] if arguments else standing.outcome.letter)
            return self._letter(case, standing, letter or standing.situation.letters[0], language)
        pages = {"now": self._now, "steps": self._steps, "list": self._list, "next": self._next}
        make = pages.get(page)
        return make(case, standing, profile, language, today) if make else None

    def _now(self, case: Case, standing: Standing, profile: Profile, language: str, today: date) -> Reply:
        t = translator(language)
        sources = self._sources(standing)
        head = join((RichText.bold(self.title(case, language)), *self._time(case, standing, language, today)))
        tail = join(wording.source_lines(sources, language, today, most=1), "\n")
        steps = self._all_steps(standing, language)
        shown = len(steps)
        while shown > 2 and len(join((head, _numbered(steps[:shown]), tail))) > PHONE_SIZE:
            shown -= 1
        lead = RichText.bold(t(_("Do this now:")) + "\n")
        ticked = sum(tick in case.marks for tick, _label in self._ticks(standing, language))
        count = f"{ticked}/{len(self._ticks(standing, language))}"
        buttons = [case.button(t(_("All steps")), "steps")] if shown < len(steps) else []
        buttons.append(case.button(t(_("Proof to collect ({count})")).format(count=count), "list"))
        if standing.outcome.letter:
            buttons.append(case.button(t(_("Letter to copy")), "letter"))
        buttons.append(case.button(t(_("What can follow")), "next"))
        if standing.end is not None and not standing.is_gone(today):
            buttons.append(case.button(t(_("Remind me")), "remind"))
        if standing.rule or standing.outcome.deadline:
            buttons.append(case.button(t(_("Another date")), "redo", "until" if standing.rule is None else "since"))
        buttons.append(case.button(t(_("Who can help, save, close")), "more"))
        text = join((head, lead + _numbered(steps[:shown]), tail))
        return Reply(
            text,
            ReplyKind.ANSWER,
            "disputes",
            language,
            sources,
            1.0,
            tuple(buttons),
            subject=f"dispute-{standing.situation.id}",
        )

    def subject(self, case: Case) -> str:
        """What outcomes of the case are counted under."""
        return f"dispute:{case.answer('situation')}:{case.answer('service') or OTHER}"

    def evidence(self, case: Case) -> list[str]:
        """The ids of the evidence that can be ticked off."""
        standing = standing_of(self.facts, case)
        return [id for id, _name in self._ticks(standing, "en")] if standing else []

    def blank_question(self, blank: str, language: str) -> str | None:
        """The question for what a blank of a letter is to hold; None when there is no such blank."""
        return translator(language)(BLANKS[blank][1]) if blank in BLANKS else None

    def _sources(self, standing: Standing) -> tuple[Source, ...]:
        facts = [standing.procedure] if standing.procedure else []
        found = [standing.situation.source_of(fact) for fact in (*facts, standing.outcome)]
        return tuple({source.url: source for source in found}.values())

    def _all_steps(self, standing: Standing, language: str) -> list[str]:
        g, procedure = guidance(language), standing.procedure
        steps = [procedure.first] if procedure else []
        steps += standing.outcome.do
        steps += procedure.steps if procedure else ()
        return [g(step) for step in steps]

    def _time(self, case: Case, standing: Standing, language: str, today: date) -> list[RichText]:
        """The last day, how it was counted, and what happens then; or that no limit is known."""
        t, g, rule = translator(language), guidance(language), standing.rule
        lines = []
        if standing.procedure is None:
            name = self.service_name(case.answer("service"), language)
            lines.append(t(_("I have no checked procedure of {service} for this. These steps hold everywhere.")).format(
                service=name))  # fmt: skip
        if standing.end is not None:
            left = (standing.end - today).days
            when = long_day(standing.end, language)
            if left < 0:
                head = RichText.bold(t(_("The time ended on {day}.")).format(day=when))
                lines.append(t(_("Try all the same, today: say why you are late, and ask for a review.")))
                if standing.procedure and standing.procedure.appeal:
                    lines.append(t(_("Still possible:")) + " " + g(standing.procedure.appeal))
            else:
                head = RichText.bold(t(_("By {day}")).format(day=when))
                lines.append(_days_left(left, language))
            if rule is not None and case.answer("until") is None:
                lines.append(_rule(rule, language))
            return [head + RichText.plain("\n" + "\n".join(lines))]
        if rule is not None:
            lines.append(_rule(rule, language))
            lines.append(t(_("You do not know the day, so act today.")))
        elif standing.outcome.deadline is not None:
            lines.append(
                t(_("I know no fixed limit here. The date in the notice counts; without one, answer within 2 days."))
            )
        return [RichText.plain("\n".join(lines))] if lines else []

    def _steps(self, case: Case, standing: Standing, profile: Profile, language: str, today: date) -> Reply:
        steps = _numbered(self._all_steps(standing, language))
        text = join((RichText.bold(self.title(case, language)), steps))
        return self._page(case, text, [], language, self._sources(standing))

    def _ticks(self, standing: Standing, language: str) -> list[tuple[str, str]]:
        g, extra = guidance(language), standing.procedure.evidence if standing.procedure else ()
        return [(tick.id, g(tick.label)) for tick in (*standing.situation.evidence, *extra)]

    def _list(self, case: Case, standing: Standing, profile: Profile, language: str, today: date) -> Reply:
        t = translator(language)
        ticks = self._ticks(standing, language)
        lines = [f"{'☑' if id in case.marks else '☐'} {name}" for id, name in ticks]
        done = sum(id in case.marks for id, _name in ticks)
        title = t(_("Proof to collect: {done} of {all}")).format(done=done, all=len(ticks))
        text = join(
            (RichText.bold(title), RichText.plain("\n".join(lines)), RichText.plain(t(_("Tap what you have."))))
        )
        buttons = [
            case.button(label(f"{'☑' if id in case.marks else '☐'} {name}"), "tick", id, int(id not in case.marks))
            for id, name in ticks
        ]
        return self._page(case, text, buttons, language)

    def _letter(self, case: Case, standing: Standing, letter: Letter, language: str) -> Reply:
        """The draft in English, which services and buyers abroad read, and what it says in the seller's language."""
        t, g = translator(language), guidance(language)
        needed = list(dict.fromkeys(FIELD.findall(letter.body)))
        blocks = [
            RichText.bold(t(LETTERS_TO[letter.to])),
            RichText.plain(t(_("Tap the text to copy it. Fill what stands in brackets."))),
            RichText.code(_filled(letter.body, case, "en")),
        ]
        if language != "en":
            blocks += [RichText.bold(t(_("What it says:"))), RichText.plain(_filled(g(letter.body), case, language))]
        empty = [blank for blank in needed if not case.blanks.get(blank)]
        buttons = [
            case.button(t(BLANKS[blank][0]) + (" ✎" if blank in empty else " ✓"), "fill", letter.id, blank)
            for blank in needed
        ]
        others = [each for each in standing.situation.letters if each.id != letter.id]
        name = t(_("Another letter"))
        for number, other in enumerate(others, 1):
            buttons.append(case.button(f"{name} {number}: {t(LETTERS_TO[other.to])}", "letter", other.id))
        return self._page(case, join(blocks), buttons, language)

    def _next(self, case: Case, standing: Standing, profile: Profile, language: str, today: date) -> Reply:
        t, g, procedure = translator(language), guidance(language), standing.procedure
        blocks, sources = [], []
        if procedure is not None:
            blocks.append((t(_("Who decides")), g(procedure.decided_by)))
            blocks.append((t(_("How it ends")), g(procedure.ends)))
            if procedure.appeal:
                appeal = procedure.deadline("appeal")
                blocks.append((t(_("Appeal")), g(procedure.appeal) + (f" {_rule(appeal, language)}" if appeal else "")))
            if procedure.cost:
                blocks.append((t(_("What it costs")), g(procedure.cost)))
            sources.append(standing.situation.source_of(procedure))
        blocks.append((t(_("Watch out")), "\n".join(f"• {g(each)}" for each in standing.situation.watch_out)))
        bodies = self._bodies(case, standing, profile)
        lead = t(_("Outside the platform, if all that fails:")) if bodies else ""
        text = join(
            [RichText.bold(f"{head}: ") + RichText.plain(body) for head, body in blocks]
            + [RichText.plain(lead), join(wording.source_lines(sources, language, today, most=1), "\n")]
        )
        buttons = [case.button(label(g(body.name)), "body", body.id) for body in bodies]
        return self._page(case, text, buttons, language, tuple(sources))

    def _bodies(self, case: Case, standing: Standing, profile: Profile) -> list[Body]:
        """Who can be turned to: those of the seller's or buyers' country first, then those for everybody."""
        found = [self.facts.recourse.body(id) for id in standing.situation.recourse]
        service = case.answer("service")
        fitting = [body for body in found if body and body.fits(profile.country, profile.market, service)]
        return sorted(fitting, key=lambda body: "*" in body.sellers and "*" in body.buyers)[:MOST_BODIES]

    def _body(self, case: Case, body: Body, language: str, today: date) -> Reply:
        t, g = translator(language), guidance(language)
        source = self.facts.recourse.source_of(body)
        text = join(
            (
                RichText.bold(g(body.name)),
                RichText.plain(g(body.who)),
                _numbered([g(each) for each in body.how]),
                RichText.plain(t(_("What it costs")) + ": " + g(body.cost)),
                join(wording.source_lines([source], language, today), "\n"),
            )
        )
        return self._page(case, text, [case.button(t(_("What can follow")), "next")], language, (source,))

    def _page(
        self, case: Case, text: RichText, buttons: list[Button], language: str, sources: tuple[Source, ...] = ()
    ) -> Reply:
        back = case.button(translator(language)(_("Back to the steps")), "now")
        return Reply(text, ReplyKind.ANSWER, "disputes", language, sources, 1.0, (*buttons, back))

    # What leaves the chat

    def paper(self, case: Case, profile: Profile, language: str, today: date) -> Paper | None:
        """The case on a page; None while questions are open."""
        standing = standing_of(self.facts, case)
        if standing is None:
            return None
        t, g = translator(language), guidance(language)
        about = [t(_("Date: {day}")).format(day=long_day(today, language))]
        if profile.country:
            about.append(t(_("Seller's country: {country}")).format(country=country_name(profile.country, language)))
        if profile.product:
            about.append(t(_("Goods: {goods}")).format(goods=profile.product))
        given = {blank: text for blank, text in case.blanks.items() if blank in BLANKS and text}
        about += [f"{t(BLANKS[blank][0])}: {_isolated(text, language)}" for blank, text in given.items()]
        about += [f"{g(question.ask)} {g(option.label)}" for question, option in standing.ways]
        since = day_of(case, "since")
        time = [f"{_rule(standing.rule, language)} ({long_day(since, language)})"] if standing.rule and since else []
        if standing.end is not None:
            last = _("The time ended on {day}.") if standing.is_gone(today) else _("By {day}")
            time.append(t(last).format(day=long_day(standing.end, language)))
        ticks = self._ticks(standing, language)
        proof = [f"{'[x]' if id in case.marks else '[  ]'} {name}" for id, name in ticks]
        sources = [f"{each.title}, {each.publisher}, {each.url}" for each in self._sources(standing)]
        sections = (
            (t(_("The case")), tuple(about)),
            (t(_("Deadline")), tuple(time)),
            (t(_("Steps")), tuple(self._all_steps(standing, language))),
            (t(_("Proof")), tuple(proof)),
            (t(_("Sources")), tuple(sources)),
        )
        foot = t(_("Made with Tradewind from checked documents. It is no legal advice."))
        return Paper(self.title(case, language), sections, foot, language in RIGHT_TO_LEFT)


def _rule(rule: Deadline, language: str) -> str:
    """How long there is, from when, and what happens then: "3 days from the day of the notice."."""
    t = translator(language)
    time = span(language, hours=rule.length) if rule.unit == "hours" else span(language, days=rule.length)
    if rule.unit == "business-days":
        time = t(_("{days} (Monday to Friday only)")).format(days=time)
    said = t(SINCE_SAID[rule.since]).format(time=time)
    if rule.then is None:
        return said
    missed = t(_("If you miss it:"))
    return f"{said} {missed} {guidance(language)(rule.then)}"


def _days_left(left: int, language: str) -> str:
    if left == 0:
        return translator(language)(_("That is today: act now."))
    return translator(language)(_("Time left: {time}.")).format(time=span(language, days=left))


def _numbered(steps: Sequence[str]) -> RichText:
    return RichText.plain("\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1)))


def _filled(body: str, case: Case, language: str) -> str:
    t = translator(language)

    def fill(match: re.Match[str]) -> str:
        given = case.blanks.get(match[1])
        return _isolated(given, language) if given else f"[{t(BLANKS[match[1]][0])}]"

    return FIELD.sub(fill, body)


def _isolated(text: str, language: str) -> str:
    """`text` as somebody wrote it, kept together among words that run from right to left: order numbers would turn."""
    return f"\u2068{text}\u2069" if language in RIGHT_TO_LEFT else text


def check_day(day: date, takes: Takes, language: str, today: date) -> str | None:
    """What is wrong with a day that was given, as a sentence; None when it can be."""
    t = translator(language)
    if takes is Takes.DAY and day > today:
        return t(_("{day} is still to come. On which day did it happen?")).format(day=long_day(day, language))
    if takes is Takes.DAY and not is_possible(day, today):
        return t(_("{day} is more than two years ago. Please check the year.")).format(day=long_day(day, language))
    if takes is Takes.COMING_DAY and abs((day - today).days) > 2 * 365:
        return t(_("{day} is too far away. Please check the year.")).format(day=long_day(day, language))
    return None
