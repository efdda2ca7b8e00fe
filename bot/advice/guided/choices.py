"""Choosing a platform step by step: a few questions, three ranked options, and a plan for the first month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import get_args

from bot.advice.figures import wording
from bot.advice.figures.desk import NEARBY
from bot.advice.figures.draft import Draft, Wish
from bot.advice.figures.goods import Goods
from bot.advice.guided.case import Ask, Case, Takes
from bot.advice.guided.disputes import RIGHT_TO_LEFT
from bot.advice.guided.paper import Paper
from bot.advice.reply import OTHER_WAYS, Button, Reply, ReplyKind, label
from bot.advice.richtext import RichText, join
from bot.advice.understand import Profile
from bot.translation import country_name, guidance, plurals, translator
from bot.translation import mark as _
from knowledge.choosing import Candidate, Criterion, Owned, PlanStep
from knowledge.facts import Facts
from knowledge.ranking import Ranked, Seller, best_of, rank

SHOWN = 3
MARKETS = ("US", "EU", "GB", "AE", "CA", "ZA")
ANY, NOTHING = "-", "none"
"""A market that is not decided; a seller who has none of what is asked."""

QUESTIONS = ("country", "product", "market", "units", "have")
UNITS = (5, 20, 100, 500)
OWNED: dict[Owned, str] = {
    "company": _("Registered company"),
    "card": _("Bank card"),
    "bank": _("Bank account"),
    "mobile-money": _("Mobile money"),
    "english": _("I write some English"),
}
CRITERIA = {
    Criterion.OPEN: _("Open to your country"),
    Criterion.PAYOUT: _("You can be paid"),
    Criterion.REACH: _("Reaches your buyers"),
    Criterion.GOODS: _("Fits your goods"),
    Criterion.COST: _("Low fees"),
    Criterion.NEEDS: _("Papers you have"),
    Criterion.VOLUME: _("Fits your quantity"),
    Criterion.LANGUAGE: _("Language"),
}
MODELS = {
    "marketplace": _("marketplace"),
    "own-shop": _("own shop"),
    "wholesale": _("wholesale"),
    "social": _("selling by posts and chat"),
}
DONE, SKIPPED = "did:", "skip:"
"""Before a step's id among the marks of a plan."""


@dataclass
class Choices:
    """Leads to a platform and through the first month. Knows nothing of where cases are kept."""

    facts: Facts
    goods: Goods

    # Questions

    def known(self, profile: Profile) -> tuple[tuple[str, str], ...]:
        """The answers that the profile holds already."""
        found = {"country": profile.country, "product": profile.product, "market": profile.market}
        return tuple((name, value) for name, value in found.items() if value)

    def ask(self, case: Case, profile: Profile, language: str, today: date) -> Ask | None:
        """The first of the five questions without an answer; None when all are answered."""
        t = translator(language)
        wanted = next((name for name in QUESTIONS if case.answer(name) is None), None)
        if wanted == "country":
            near = [(country_name(iso, language), iso) for iso in NEARBY.get(language, NEARBY["en"])]
            text = t(_("Which country do you sell from? Tap, or write its name."))
            return Ask(wanted, text, near, Takes.COUNTRY)
        if wanted == "product":
            text = t(_("What do you sell? Two or three words are enough, such as: leather bags."))
            return Ask(wanted, text, [], Takes.PRODUCT)
        if wanted == "market":
            markets = [(country_name(iso, language), iso) for iso in MARKETS]
            text = t(_("Where are the buyers you want? Tap, or write a country."))
            return Ask(wanted, text, [*markets, (t(_("I do not know yet")), ANY)], Takes.MARKET)
        if wanted == "units":
            amounts = [(t(_("up to {count}")).format(count=UNITS[0]), str(UNITS[0]))]
            amounts += [(t(_("about {count}")).format(count=count), str(count)) for count in UNITS[1:-1]]
            amounts.append((t(_("{count} or more")).format(count=UNITS[-1]), str(UNITS[-1])))
            text = t(_("How many pieces can you deliver in a month? Tap, or write a number."))
            return Ask(wanted, text, amounts, Takes.NUMBER)
        if wanted == "have":
            text = t(_("What do you have already? Tap all that fit, then Done."))
            return Ask(wanted, text, [(t(name), key) for key, name in OWNED.items()], Takes.MANY)
        return None

    def title(self, case: Case, language: str) -> str:
        """What the case is about, in a line."""
        name = translator(language)(_("Choose a platform"))
        product = case.answer("product")
        return f"{name} ({product})" if product else name

    def seller(self, case: Case, language: str) -> Seller | None:
        """Who asks, as the score needs it; None while questions are open."""
        country, product, market, units, have = (case.answer(name) for name in QUESTIONS)
        if country is None or product is None or market is None or units is None or have is None:
            return None
        owned = frozenset(each for each in get_args(Owned) if each in have.split("+"))
        return Seller(country, None if market == ANY else market, self.goods.find(product, language), int(units), owned)

    # Pages

    def page(
        self, case: Case, page: str, arguments: Sequence[str], profile: Profile, language: str, today: date
    ) -> Reply | None:
        """One page of an answered case; None when there is no such page."""
        seller = self.seller(case, language)
        if seller is None:
            return None
        if page in ("now", "plan", "whole") and not self.steps(case):  # no platform is chosen, or it is gone
            page = "top"
        if page == "now":
            page = "plan"
        if page == "plan":
            return self._plan(case, language)
        if page == "whole":
            return self._whole(case, language)
        ranked = rank(self.facts, seller, today)
        if page == "top":
            return self._top(case, seller, ranked, language)
        if page == "why":
            return self._why(case, ranked, language, today)
        if page == "one" and arguments:
            found = next((each for each in ranked if each.platform.id == arguments[0]), None)
            return self._one(case, seller, found, language, today) if found else None
        return None

    def _top(self, case: Case, seller: Seller, ranked: list[Ranked], language: str) -> Reply:
        t, g = translator(language), guidance(language)
        best = best_of(ranked, SHOWN)
        buttons = [
            case.button(f"{number}. {each.platform.name}", "one", each.platform.id)
            for number, each in enumerate(best, 1)
        ]
        if not best:
            text = t(_("I know no platform that fits this for sure. There are other ways to sell."))
            return self._reply(case, RichText.plain(text), [Button(t(_("Other ways to sell")), OTHER_WAYS)], language)
        market = country_name(seller.market, language) if seller.market else t(_("abroad"))
        head = t(_("For {goods} from {country} to {market}, in this order:")).format(
            goods=case.answer("product"), country=country_name(seller.country, language), market=market
        )
        blocks = [RichText.bold(head)]
        for number, each in enumerate(best, 1):
            lines = [g(each.candidate.why), self._cost(each, language)]
            lines.append(t(_("Main risk:")) + " " + g(each.candidate.risk))
            name = f"{number}. {each.platform.name} ({t(MODELS[each.candidate.model])})\n"
            blocks.append(RichText.bold(name) + RichText.plain("\n".join(line for line in lines if line)))
        blocks.append(RichText.plain(t(_("Tap one for what you need, how you are paid and the first step."))))
        buttons += [case.button(t(_("Why this order")), "why"), Button(t(_("Other ways to sell")), OTHER_WAYS)]
        sources = tuple({source.url: source for each in best for source in each.sources}.values())
        return Reply(
            join(blocks), ReplyKind.ANSWER, "choosing", language, sources, 1.0, (*buttons, self._more(case, language)),
            subject="choosing",
        )  # fmt: skip

    def _more(self, case: Case, language: str) -> Button:
        return case.button(translator(language)(_("Who can help, save, close")), "more")

    def _cost(self, ranked: Ranked, language: str) -> str:
        """What a typical sale costs, in a line."""
        t, breakdown = translator(language), ranked.breakdown
        if ranked.candidate.model == "wholesale":
            return t(_("Traders pay less than shoppers: work out your wholesale price first."))
        if breakdown is None:
            return t(_("Fees: not known to me."))
        gross = wording.money(breakdown.gross, breakdown.currency, language)
        fees = wording.span(breakdown.fees_low, breakdown.fees_high, breakdown.currency, language)
        if breakdown.is_at_most:
            return t(_("Of a sale of {gross} it takes at least {fees}; not all fees are known.")).format(
                gross=gross, fees=wording.money(breakdown.fees_low, breakdown.currency, language)
            )
        return t(_("Of a sale of {gross} it takes {fees}.")).format(gross=gross, fees=fees)

    def _one(self, case: Case, seller: Seller, ranked: Ranked, language: str, today: date) -> Reply:
        t, g = translator(language), guidance(language)
        candidate, platform = ranked.candidate, ranked.platform
        needs = ranked.eligibility.sellers.needs if ranked.eligibility.sellers else ()
        lines = [(t(_("Why")), g(candidate.why)), (t(_("Cost")), self._cost(ranked, language))]
        lines.append((t(_("To start you need")), wording.needs(needs, language) if needs else t(_("not known to me"))))
        if ranked.missing:
            lines.append((t(_("What you may lack")), wording.needs(ranked.missing, language)))
        lines.append((t(_("You are paid by")), self._paid(ranked, language)))
        lines.append((t(_("Main risk")), g(candidate.risk)))
        lines.append((t(_("When not")), g(candidate.not_when)))
        lines.append((t(_("First step")), g(candidate.first_step)))
        sources = (*ranked.sources, self.facts.choosing.source_of(candidate)) if self.facts.choosing else ranked.sources
        body = join([RichText.bold(f"{head}: ") + RichText.plain(text) for head, text in lines], "\n")
        text = join(
            (RichText.bold(platform.name), body, join(wording.source_lines(sources, language, today, most=2), "\n"))
        )
        typical = self.facts.choosing.typical_sale if self.facts.choosing else None
        draft = Draft(Wish.KEEP, target=ranked.store.id, seller=seller.country, buyer=seller.market)
        if typical is not None:
            draft = draft.but(price=typical.price, currency=typical.currency)
        buttons = [
            case.button(
                label(t(_("Plan the first month with {platform}")).format(platform=platform.name)), "go", platform.id
            ),
            Button(t(_("Fees line by line")), draft.code),
        ]
        if candidate.document:
            buttons.append(Button(t(_("Read more")), f"d:{candidate.document}"))
        buttons.append(case.button(t(_("Back to the list")), "top"))
        return Reply(
            text,
            ReplyKind.ANSWER,
            "choosing",
            language,
            sources,
            1.0,
            tuple(buttons),
            subject=f"choosing-{platform.id}",
        )

    def _paid(self, ranked: Ranked, language: str) -> str:
        if ranked.store.processing == "gateway":
            return translator(language)(_("a payment service of your own in the shop"))
        ways = [wording.payout_way(payout, self.facts, language) for payout in ranked.payouts[:3]]
        return wording.semicolons(ways, language) if ways else translator(language)(_("not known to me"))

    def _why(self, case: Case, ranked: list[Ranked], language: str, today: date) -> Reply:
        """The score, criterion by criterion, with the pages it rests on."""
        t, choosing = translator(language), self.facts.choosing
        assert choosing is not None, "nothing is ranked without it"
        best, blocks = best_of(ranked, SHOWN), [RichText.bold(t(_("Why this order: points out of 100")))]
        for each in best:
            lines = [
                f"{t(CRITERIA[criterion])}: {_points(points)}/{choosing.weights[criterion]}"
                for criterion, points in each.points.items()
            ]
            blocks.append(
                RichText.bold(f"{each.platform.name}: {_points(each.score)}\n") + RichText.plain("; ".join(lines))
            )
        if following := [each for each in ranked if each not in best][:3]:
            named = wording.commas([f"{each.platform.name} {_points(each.score)}" for each in following], language)
            blocks.append(RichText.plain(t(_("Next: {platforms}.")).format(platforms=named)))
        sources = tuple({source.url: source for each in best for source in each.sources}.values())
        blocks.append(join(wording.source_lines(sources, language, today, most=4), "\n"))
        buttons = (case.button(t(_("Back to the list")), "top"),)
        return Reply(join(blocks), ReplyKind.ANSWER, "choosing", language, sources, 1.0, buttons, subject="choosing")

    # The plan

    def candidate(self, platform: str | None) -> Candidate | None:
        """The platform among those that can be advised."""
        candidates = self.facts.choosing.candidates if self.facts.choosing else ()
        return next((each for each in candidates if each.platform == platform), None)

    def steps(self, case: Case) -> list[PlanStep]:
        """The steps of the plan for the platform that was chosen."""
        candidate = self.candidate(case.answer("plan"))
        plan = self.facts.choosing.plan if self.facts.choosing else ()
        return [step for step in plan if candidate and candidate.model in step.models]

    def step(self, case: Case) -> PlanStep | None:
        """The step that is next."""
        settled = {mark.partition(":")[2] for mark in case.marks}
        return next((step for step in self.steps(case) if step.id not in settled), None)

    def subject(self, case: Case) -> str:
        """What outcomes of the case are counted under."""
        step = self.step(case)
        return f"plan:{step.id}" if step else f"plan:{case.answer('plan') or ANY}"

    def _plan(self, case: Case, language: str) -> Reply:
        """The next step, one at a time."""
        t, g, steps, step = translator(language), guidance(language), self.steps(case), self.step(case)
        platform = self.facts.platform(case.answer("plan") or "")
        assert platform is not None, "a plan has steps only for a platform of the tables"
        assert self.facts.choosing is not None, "the steps stand there"
        if step is None:
            ngettext = plurals(language)
            text = ngettext(
                "The one step is settled. Well done. Ask me anything that comes up.",
                "All {count} steps are settled. Well done. Ask me anything that comes up.",
                len(steps),
            ).format(count=len(steps))
            buttons = [case.button(t(_("The whole plan")), "whole"), case.button(t(_("Back to the list")), "top")]
            return self._reply(case, RichText.plain(text), buttons, language)
        head = t(_("{platform}, week {week}, step {number} of {count}")).format(
            platform=platform.name, week=step.week, number=steps.index(step) + 1, count=len(steps)
        )
        lines = [(t(_("Cost")), g(step.cost)), (t(_("Risk")), g(step.risk)), (t(_("When not")), g(step.not_when))]
        source = self.facts.choosing.source_of(step)
        page = join(
            (
                RichText.bold(f"{head}\n{g(step.title)}"),
                RichText.plain(g(step.do)),
                join([RichText.bold(f"{name}: ") + RichText.plain(each) for name, each in lines], "\n"),
                RichText.plain(t(_("Source:")) + " ") + RichText.link(source.title, source.url),
            )
        )
        buttons = [
            case.button(t(_("Done")), "did", step.id),
            case.button(t(_("Skip this step")), "skip", step.id),
            case.button(t(_("Ask me later if it helped")), "ask"),
        ]
        if step.document:
            buttons.append(Button(t(_("Read more")), f"d:{step.document}"))
        buttons.append(case.button(t(_("The whole plan")), "whole"))
        return Reply(
            page, ReplyKind.ANSWER, "choosing", language, (source,), 1.0, (*buttons, self._more(case, language)),
            subject=f"plan-{step.id}",
        )  # fmt: skip

    def _whole(self, case: Case, language: str) -> Reply:
        t, g = translator(language), guidance(language)
        text = join((RichText.bold(t(_("The whole plan"))), RichText.plain("\n".join(self._listed(case, g, t)))))
        return self._reply(case, text, [case.button(t(_("The next step")), "plan")], language)

    def _listed(self, case: Case, g: Callable[[str], str], t: Callable[[str], str]) -> list[str]:
        def box(step: PlanStep) -> str:
            return "☑" if DONE + step.id in case.marks else "–" if SKIPPED + step.id in case.marks else "☐"

        week = t(_("week {week}"))
        return [f"{box(step)} {g(step.title)} ({week.format(week=step.week)})" for step in self.steps(case)]

    def _reply(self, case: Case, text: RichText, buttons: list[Button], language: str) -> Reply:
        return Reply(
            text, ReplyKind.ANSWER, "choosing", language, confidence=1.0, buttons=(*buttons, self._more(case, language))
        )

    # What leaves the chat

    def paper(self, case: Case, profile: Profile, language: str, today: date) -> Paper | None:
        """The choice and the plan on a page; None while questions are open."""
        seller = self.seller(case, language)
        if seller is None:
            return None
        t, g = translator(language), guidance(language)
        best = best_of(rank(self.facts, seller, today), SHOWN)
        chosen = self.facts.platform(case.answer("plan") or "")
        about = [
            t(_("Date: {day}")).format(day=wording.day(today, language)),
            t(_("Goods: {goods}")).format(goods=case.answer("product")),
            t(_("Seller's country: {country}")).format(country=country_name(seller.country, language)),
        ]
        if seller.market:
            about.append(t(_("Buyers in: {country}")).format(country=country_name(seller.market, language)))
        about.append(t(_("Pieces a month: {count}")).format(count=seller.units))
        options = [
            f"{each.platform.name}: {g(each.candidate.why)} {self._cost(each, language)} "
            f"{t(_('Main risk:'))} {g(each.candidate.risk)}"
            for each in best
        ]
        plan = [f"{step}. {text}" for step, text in enumerate(self._listed(case, g, t), 1)]
        sources = [f"{source.title}, {source.publisher}, {source.url}" for each in best for source in each.sources[:1]]
        sections = (
            (t(_("The seller")), tuple(about)),
            (t(_("Platforms that fit, best first")), tuple(options)),
            (t(_("Plan for the first month")) + (f": {chosen.name}" if chosen else ""), tuple(plan)),
            (t(_("Sources")), tuple(dict.fromkeys(sources))),
        )
        foot = t(_("Made with Tradewind from checked documents. Fees change: check them before you decide."))
        return Paper(self.title(case, language), sections, foot, language in RIGHT_TO_LEFT)


def _points(points: Decimal) -> str:
    return str(int(points.quantize(Decimal(1))))
