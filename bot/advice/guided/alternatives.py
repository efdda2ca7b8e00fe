"""Other ways to sell, for those who are shut out of a platform: which there are for a seller, and each in short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.advice.compose import institutions
from bot.advice.figures import wording
from bot.advice.figures.goods import Goods
from bot.advice.reply import OTHER_WAYS, Button, Reply, ReplyKind, label
from bot.advice.richtext import RichText, join
from bot.advice.understand import Profile
from bot.translation import country_name, guidance, translator
from bot.translation import mark as _
from knowledge.eligibility import Verdict, eligibility
from knowledge.facts import Facts
from knowledge.payouts import options
from knowledge.routes import Route

PREFIX = "w"
MOST_SHOWN, MOST_PLATFORMS = 8, 6


@dataclass
class Alternatives:
    """Shows the routes of the fact tables that are realistic for a seller's country and goods."""

    facts: Facts
    goods: Goods

    def routes(self, profile: Profile, language: str) -> list[Route]:
        """The ways that are open, the best fitting first."""
        category = self.goods.find(profile.product, language) if profile.product else None
        open_ = [route for route in self.facts.routes.routes if route.fits(profile.country, category)]
        open_ = [route for route in open_ if route.shows != "platforms" or self._platforms(route, profile.country)]
        return sorted(open_, key=lambda route: -route.suits(profile.country, category))

    def list(self, profile: Profile, language: str) -> Reply:
        """All ways for this seller, as buttons."""
        t, g = translator(language), guidance(language)
        found = self.routes(profile, language)[:MOST_SHOWN]
        country = country_name(profile.country, language) if profile.country else None
        head = (
            t(_("Other ways to sell from {country}:")).format(country=country)
            if country
            else t(_("Other ways to sell:"))
        )
        lines = "\n".join(f"{number}. {g(route.title)}: {g(route.best_for)}" for number, route in enumerate(found, 1))
        text = join((RichText.bold(head), RichText.plain(lines)))
        buttons = tuple(
            Button(label(f"{number}. {g(route.title)}"), f"{PREFIX}:{route.id}")
            for number, route in enumerate(found, 1)
        )
        sources = tuple({s.url: s for s in map(self.facts.routes.source_of, found)}.values())
        return Reply(text, ReplyKind.ANSWER, "alternatives", language, sources, 1.0, buttons)

    def show(self, id: str, profile: Profile, language: str, today: date) -> Reply | None:
        """One way: what it is, who did it, the first steps, the risks with their guards; None when it is gone."""
        route = self.facts.routes.route(id)
        if route is None:
            return None
        t, g, routes = translator(language), guidance(language), self.facts.routes
        sources = tuple({s.url: s for s in map(routes.source_of, (route, *route.examples))}.values())
        steps = "\n".join(f"{number}. {g(step)}" for number, step in enumerate(route.steps, 1))
        risks = "\n".join(f"• {g(each.risk)} → {g(each.guard)}" for each in route.risks)
        example = route.examples[0]
        text = join(
            (
                RichText.bold(g(route.title)) + RichText.plain("\n" + g(route.what)),
                self._here(route, profile, language),
                RichText.bold(t(_("First steps")) + "\n") + RichText.plain(steps),
                RichText.bold(t(_("Risks, and how to guard against them")) + "\n") + RichText.plain(risks),
                RichText.bold(t(_("Who did it:")) + " ") + RichText.plain(g(example.text)),
                join(wording.source_lines(sources, language, today, most=2), "\n"),
            )
        )
        titles = {id: t(_("Read more")) for id in route.documents[:1]}
        buttons = [Button(title, f"d:{id}") for id, title in titles.items()]
        buttons.append(Button(t(_("All other ways")), OTHER_WAYS))
        return Reply(
            text, ReplyKind.ANSWER, "alternatives", language, sources, 1.0, tuple(buttons), subject=f"route-{id}"[:48]
        )

    def _here(self, route: Route, profile: Profile, language: str) -> RichText:
        """What the tables know of this way in the seller's country."""
        t, country = translator(language), profile.country
        if country is None or route.shows is None:
            return RichText()
        name = country_name(country, language)
        if route.shows == "bodies":
            return institutions(self.facts, country, language)
        if route.shows == "platforms":
            listed, text = self._platforms(route, country), _("Open to sellers in {country}: {names}.")
        else:
            listed, text = self._payments(country, language), _("Payment services that work in {country}: {names}.")
        if not listed:
            return RichText()
        return RichText.plain(t(text).format(country=name, names=wording.commas(listed[:MOST_PLATFORMS], language)))

    def _platforms(self, route: Route, country: str | None) -> Sequence[str]:
        found = [platform for id in route.platforms if (platform := self.facts.platform(id))]
        if country is None:
            return [platform.name for platform in found]
        surely = (Verdict.YES, Verdict.LIMITED)
        return [
            platform.name
            for platform in found
            if any(eligibility(platform, country, store).verdict in surely for store in platform.stores or (None,))
        ]

    def _payments(self, country: str, language: str) -> Sequence[str]:
        return [wording.service_name(each.provider, language) for each in options(self.facts, country)]
