"""The guided ways together: what begins one, the question it stands at, its pages, and answers that were typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from bot.advice.cues import has, tried_for
from bot.advice.figures.goods import Goods
from bot.advice.guided.alternatives import Alternatives
from bot.advice.guided.case import Ask, Case, CaseKind, Takes
from bot.advice.guided.choices import NOTHING, Choices
from bot.advice.guided.days import read_day
from bot.advice.guided.disputes import OTHER, Disputes, check_day
from bot.advice.guided.paper import Paper
from bot.advice.guided.standing import procedure_of
from bot.advice.reply import BEGINS, Begin, Button, Reply, ReplyKind
from bot.advice.richtext import RichText, join
from bot.advice.understand import MAX_QUESTION, Profile, Question, is_product
from bot.translation import guidance, translator
from bot.translation import mark as _
from knowledge.disputes import Situation
from knowledge.facts import Facts
from knowledge.gazetteer import Gazetteer
from knowledge.lexicon import folded
from knowledge.normalise import QUESTION_MARKS, fold, western_digits, words

SHORT_ANSWER = 5
"""Words of a typed answer at most; what is longer is read as a question of its own."""

MOST_UNITS = 100_000
NONE_AT_ALL, ALL = folded("none"), folded("all")
SMALL_TALK = folded("small_talk")
"""What is no name of a platform."""


@dataclass(frozen=True)
class Fault:
    """Why a typed answer cannot be taken, as a sentence."""

    text: str


@dataclass
class Guides:
    """One for a generation of the fact tables; thread-safe."""

    facts: Facts
    gazetteer: Gazetteer
    disputes: Disputes = field(init=False)
    choices: Choices = field(init=False)
    alternatives: Alternatives = field(init=False)

    def __post_init__(self) -> None:
        goods = Goods(self.facts)
        self.disputes = Disputes(self.facts)
        self.choices = Choices(self.facts, goods)
        self.alternatives = Alternatives(self.facts, goods)

    # Beginning

    def reports(self, text: str, language: str) -> list[Situation]:
        """The situations that `text` in `language` (ISO 639-1) reports as the person's own, the one it says most about
        first."""
        folded, tried = fold(text[:MAX_QUESTION]), tried_for(language)
        found = [(situation.reported_in(folded, tried), situation) for situation in self.facts.disputes]
        return [situation for length, situation in sorted(found, key=lambda each: -each[0]) if length]

    def reported(self, text: str, language: str) -> str | None:
        """The id of the situation that `text` reports as the person's own, if any."""
        return next((situation.id for situation in self.reports(text, language)), None)

    def begin(self, question: Question, profile: Profile, today: date) -> Reply | None:
        """The reply that begins a guided way, when `question` asks for one; its `begins` says which."""
        reports = self.reports(question.original, question.language)
        if reports:
            situation, others = reports[0], reports[1:2]
            service = self._service(question, situation) or next(iter(_services(question)), None)
            opening = self.disputes.opening(situation, service, question.language, today)
            also = tuple(self._start(each, question, guidance(question.language)(each.title)) for each in others)
            answers = (("situation", situation.id), *((("service", service),) if service else ()))
            opening = replace(opening, buttons=also)
            return self._beginning(opening, Begin(CaseKind.DISPUTE, answers), profile, question.language, today)
        folded, is_open = fold(question.original), not question.asked.platforms
        if has("alternatives", folded, question.language):
            country = next(iter(question.entities.countries), profile.country)
            seller = Profile(question.language, country, profile.product or question.original, profile.market)
            return self.alternatives.list(seller, question.language)
        if is_open and has("choosing", folded, question.language) and not re.search(r"\d", folded):
            return self._beginning_of_choice(question, profile, today)
        return None

    def offered(self, reply: Reply, question: Question) -> Reply:
        """`reply` with a button for the guide of the situation that its document is about, if there is one."""
        about = reply.judged_as
        situation = next((each for each in self.facts.disputes if about in each.documents), None)
        if reply.kind is not ReplyKind.ANSWER or situation is None:
            return reply
        button = self._start(situation, question, translator(question.language)(_("Step by step, with your dates")))
        return replace(reply, buttons=(button, *reply.buttons[:3]))

    def _start(self, situation: Situation, question: Question, name: str) -> Button:
        """A button that begins the guide of `situation`, for the service that `question` names."""
        service = self._service(question, situation)
        action = (BEGINS, CaseKind.DISPUTE.value, situation.id, *((service,) if service else ()))
        return Button(name, ":".join(action))

    def _service(self, question: Question, situation: Situation) -> str | None:
        """The first service that `question` names and that has a procedure for `situation`."""
        return next((id for id in _services(question) if procedure_of(self.facts, situation, id)), None)

    def begun_by(self, action: str, profile: Profile) -> Begin | None:
        """What a button begins; None when it names what is gone."""
        kind, *given = action.split(":")[1:]
        if kind == CaseKind.CHOICE:
            return Begin(kind, self.choices.known(profile))
        names = dict(zip(("situation", "service"), given, strict=False))
        if kind != CaseKind.DISPUTE or (given and self.facts.situation(given[0]) is None):
            return None
        return Begin(kind, tuple(names.items()))

    def _beginning_of_choice(self, question: Question, profile: Profile, today: date) -> Reply:
        goods = self.choices.goods.named(question.original, question.language)
        known = dict(self.choices.known(profile))
        for name, named in (("country", question.asked.countries), ("market", question.asked.markets)):
            if named:
                known[name] = named[0]
        if goods is not None:
            known["product"] = goods[1]
        answers = tuple((name, known[name]) for name in ("country", "product", "market") if name in known)
        text = translator(question.language)(
            _("I rank platforms for you by what is known of them. At most five short questions:")
        )
        opening = Reply(RichText.plain(text), ReplyKind.ASK_BACK, "choosing", question.language, confidence=1.0)
        return self._beginning(opening, Begin(CaseKind.CHOICE, answers), profile, question.language, today)

    def _beginning(self, opening: Reply, begin: Begin, profile: Profile, language: str, today: date) -> Reply:
        """`opening` with the choices of the first question, for those who read it without a case."""
        ask = self.ask(Case(0, CaseKind(begin.kind), begin.answers), profile, language, today)
        buttons = tuple(Button(name, "") for name, _value in ask.choices) if ask else ()
        buttons = (*opening.buttons, *buttons)
        begin = replace(begin, question=ask.text if ask else "")
        return Reply(
            opening.text, opening.kind, opening.intent, language, opening.citations, 1.0, buttons, begins=begin
        )

    # A case

    def _of(self, case: Case) -> Disputes | Choices:
        return self.disputes if case.kind is CaseKind.DISPUTE else self.choices

    def ask(self, case: Case, profile: Profile, language: str, today: date) -> Ask | None:
        """The question the case stands at; None when all are answered."""
        return self._of(case).ask(case, profile, language, today)

    def title(self, case: Case, language: str) -> str:
        """What the case is about, in a line."""
        return self._of(case).title(case, language)

    def step_title(self, case: Case, language: str) -> str:
        """What somebody is asked about later: the step of the plan they are at, or the case itself."""
        step = self.choices.step(case) if case.kind is CaseKind.CHOICE else None
        return guidance(language)(step.title) if step else self.title(case, language)

    def subject(self, case: Case) -> str:
        """What outcomes of the case are counted under."""
        return self._of(case).subject(case)

    def subject_title(self, subject: str, language: str) -> str:
        """`subject` in words, for those who see the counts."""
        kind, _colon, rest = subject.partition(":")
        if kind == "plan":
            steps = self.facts.choosing.plan if self.facts.choosing else ()
            return next((guidance(language)(step.title) for step in steps if step.id == rest), rest)
        situation, _colon, service = rest.partition(":")
        answers = (("situation", situation), *((("service", service),) if service else ()))
        return self.disputes.title(Case(0, CaseKind.DISPUTE, answers), language)

    def paper(self, case: Case, profile: Profile, language: str, today: date) -> Paper | None:
        """The case on a page; None while questions are open."""
        return self._of(case).paper(case, profile, language, today)

    def page(
        self, case: Case, page: str, arguments: Sequence[str], profile: Profile, language: str, today: date
    ) -> Reply | None:
        """A page of an answered case; None when there is none of that name."""
        return self._of(case).page(case, page, arguments, profile, language, today)

    def question(self, case: Case, ask: Ask, language: str, chosen: str = "") -> Reply:
        """`ask` as a reply; `chosen` are the values that are ticked so far, where several may be."""
        t = translator(language)
        if ask.takes is Takes.MANY:
            buttons = _toggles(case, ask, chosen, t(_("Done")))
        else:
            buttons = [case.choice(name, value) for name, value in ask.choices]
        if len(case.answers) > 0:
            buttons.append(case.button(t(_("← Back")), f"b{case.version}"))
        buttons.append(case.button(t(_("Go on later")), "later"))
        text = join((RichText.plain(ask.lead), RichText.plain(ask.text)))
        return Reply(text, ReplyKind.ASK_BACK, "guided", language, confidence=1.0, buttons=tuple(buttons))

    # Typed answers

    def read(self, ask: Ask, text: str, language: str, today: date) -> str | Fault | None:
        """The value that a typed `text` gives as an answer to `ask`; None when it is something else."""
        folded = " ".join(words(fold(text)))
        if not folded and ask.takes is not Takes.NUMBER:
            return None
        if text.rstrip().endswith(QUESTION_MARKS):
            return None
        if ask.takes in (Takes.DAY, Takes.COMING_DAY):
            return self._day(ask, text, folded, language, today)
        if ask.takes is Takes.NUMBER:
            return _units(text) if len(text.split()) <= SHORT_ANSWER else None
        if ask.takes is Takes.MANY:
            return _several(ask, folded)
        if ask.takes is Takes.PRODUCT:
            return " ".join(text.split()) if is_product(text) else None
        chosen = match_label(folded, ask.choices)
        if chosen is not None:
            return chosen
        if ask.takes is Takes.SITUATION:
            return self.reported(text, language)
        return self._named(ask, text, folded, language) if len(folded.split()) <= SHORT_ANSWER else None

    def _day(self, ask: Ask, text: str, folded: str, language: str, today: date) -> str | Fault | None:
        chosen = match_label(folded, ask.choices, by_number=False)
        if chosen is not None:
            return chosen
        day = read_day(text, language, today, coming=ask.takes is Takes.COMING_DAY)
        if day is None:
            return None
        wrong = check_day(day, ask.takes, language, today)
        return Fault(wrong) if wrong else day.isoformat()

    def _named(self, ask: Ask, text: str, folded: str, language: str) -> str | None:
        if ask.takes is Takes.COUNTRY:
            return self.gazetteer.country(text)
        if ask.takes is Takes.MARKET:
            return next(iter(self.gazetteer.markets(text)), None)
        if ask.takes is Takes.SERVICE:
            named = self.gazetteer.find(text, language)
            service = next(iter((*named.platforms, *named.payments)), None)
            is_name = len(folded.split()) <= 2 and folded not in SMALL_TALK
            return service or (OTHER if is_name else None)
        return None


def _services(question: Question) -> tuple[str, ...]:
    return (*question.asked.platforms, *question.asked.payments)


def _units(text: str) -> str | None:
    """Pieces a month: "20", "1.000", "2k"."""
    found = re.search(r"(\d+)\s?(k\b)?", re.sub(r"(?<=\d)[.,\s](?=\d{3}\b)", "", western_digits(text)), re.IGNORECASE)
    if found is None:
        return None
    return str(min(max(int(found[1]) * (1000 if found[2] else 1), 1), MOST_UNITS))


def match_label(
    folded: str, choices: Sequence[tuple[str, str]], *, by_number: bool = True, by_words: bool = True
) -> str | None:
    """The value of the one choice that `folded` names: by its number, its whole text, its first words, or some of its
    words."""
    if by_number and folded.isdecimal():
        return choices[int(folded) - 1][1] if 1 <= int(folded) <= len(choices) else None
    names = [(" ".join(words(fold(name))), value) for name, value in choices]
    exact = [value for name, value in names if name == folded]
    begun = [value for name, value in names if f"{name} ".startswith(f"{folded} ")]
    within = [value for name, value in names if by_words and set(folded.split()) <= set(name.split())]
    return next((found[0] for found in (exact, begun, within) if len(found) == 1), None)


def _several(ask: Ask, folded: str) -> str | None:
    if folded in NONE_AT_ALL:
        return NOTHING
    if folded in ALL:
        return "+".join(value for _name, value in ask.choices)
    given = set(folded.split())
    found = [value for name, value in ask.choices if any(w in given for w in words(fold(name)) if len(w) > 3)]
    return "+".join(found) if found and len(given) <= 3 * SHORT_ANSWER else None


def _toggles(case: Case, ask: Ask, chosen: str, done: str) -> list[Button]:
    """One button a choice that turns it on or off, and one that ends."""
    on = [value for value in chosen.split("+") if value]
    buttons = []
    for name, value in ask.choices:
        is_on = value in on
        after = [each for each in on if each != value] if is_on else [*on, value]
        box = "☑" if is_on else "☐"
        buttons.append(case.button(f"{box} {name}", f"t{case.version}", "+".join(after)))
    return [*buttons, case.choice(done, chosen or NOTHING)]
