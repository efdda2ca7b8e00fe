"""May I sell there from my country? Yes, no or not known; why, what is needed, how one is paid, and what else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from bot.advice.figures import wording
from bot.advice.figures.draft import Draft, Field, Wish
from bot.advice.figures.guides import guides
from bot.advice.reply import OTHER_WAYS, UNKNOWN_DATE, Button, Figure, Reply, ReplyKind
from bot.advice.richtext import RichText, join
from bot.translation import country_name, translator
from knowledge.eligibility import Eligibility, Verdict, Why, eligibility
from knowledge.facts import Facts, Platform, Store
from knowledge.models import Document, Topic

MOST_ALTERNATIVES = 4
KINDS_ALIKE = {"marketplace": ("marketplace", "own-store"), "own-store": ("own-store", "marketplace")}
FOREIGN_TRADE = ("etsy", "amazon", "ebay", "novica", "walmart", "shopify", "ecwid", "woocommerce", "anka")
"""Platforms that carry goods to buyers abroad; as alternatives they come first."""


def answer(
    facts: Facts,
    draft: Draft,
    platform: Platform,
    store: Store | None,
    documents: Iterable[Document],
    language: str,
    today: date,
) -> Reply:
    """The verdict as a reply; `documents` are looked through for guides to alternatives."""
    _ = translator(language)
    assert draft.seller is not None, "the desk asks for the country first"
    found = eligibility(platform, draft.seller, store)
    name = store.name if store and store.sellers else platform.name
    blocks = [RichText.bold(_headline(found, name, language))]
    if found.verdict in (Verdict.YES, Verdict.LIMITED):
        blocks.append(_start(facts, found, language))
    elif found.verdict is Verdict.UNKNOWN and platform.website:
        look = _("Look it up on the platform's own page before you spend money:") + " "
        blocks.append(RichText.plain(look) + RichText.link(platform.name, platform.website))
    others = alternatives(facts, draft.seller, platform) if found.verdict in (Verdict.NO, Verdict.UNKNOWN) else []
    if others:
        names = wording.listing([other.name for other in others], language)
        blocks.append(RichText.plain(_("Open to sellers in your country: {platforms}.").format(platforms=names)))
    sources = [found.source] if found.source else []
    blocks.append(join(wording.source_lines(sources, language, today, official=platform), "\n"))
    return Reply(
        join(blocks),
        ReplyKind.ANSWER,
        "eligibility",
        language,
        citations=tuple(sources),
        confidence=0.5 if found.verdict is Verdict.UNKNOWN else 1.0,
        buttons=tuple(_steps(facts, draft, found, others, documents, language)),
        figures=(
            Figure(
                "eligibility",
                as_of=found.sellers.as_of if found.sellers else UNKNOWN_DATE,
                verdict=found.verdict.value,
            ),
        ),
        draft=draft.settled().code,
        subject=f"eligibility-{platform.id}",
    )


def _headline(found: Eligibility, name: str, language: str) -> str:
    _ = translator(language)
    country = country_name(found.country, language)
    texts = {
        Why.LISTED: _("Yes: {platform} takes sellers in {country}."),
        Why.EVERYWHERE: _("Yes: {platform} takes sellers from nearly everywhere, {country} included as far as I know."),
        Why.LIMITED: _("Only with limits: {platform} takes some sellers in {country}, but not everybody."),
        Why.REFUSED: _("No: {platform} does not take sellers in {country}."),
        Why.LIST_IS_WHOLE: _("No: {country} is not on the list of countries whose sellers {platform} takes."),
        Why.NOT_LISTED: _("Not known: {country} is not on the list that I have for {platform}, which is not complete."),
        Why.NO_LIST: _("Not known: I have no list of the countries whose sellers {platform} takes."),
        Why.PLATFORM_CLOSED: _("No: {platform} has closed."),
    }
    return texts[found.why].format(platform=name, country=country)


def _start(facts: Facts, found: Eligibility, language: str) -> RichText:
    """What is needed, and how the money comes."""
    _ = translator(language)
    lines = []
    if found.sellers and found.sellers.needs:
        wanted = wording.needs(found.sellers.needs, language)
        lines.append(RichText.plain(_("You need: {needs}.").format(needs=wanted)))
    if found.payouts:
        ways = [wording.payout_way(payout, facts, language) for payout in found.payouts]
        lines.append(
            RichText.plain(_("You are paid by: {ways}.").format(ways=wording.semicolons(dict.fromkeys(ways), language)))
        )
    return join(lines, "\n")


def alternatives(facts: Facts, country: str, instead_of: Platform) -> list[Platform]:
    """Other platforms that surely take sellers in `country`, those that sell abroad and are like it first."""
    kinds = KINDS_ALIKE.get(instead_of.kind, (instead_of.kind, "marketplace"))
    open_ones = [
        platform
        for platform in facts.platforms
        if platform.id != instead_of.id
        and platform.stores
        and platform.kind in (*kinds, "social")
        and eligibility(platform, country).why in (Why.LISTED, Why.EVERYWHERE)
    ]

    def rank(platform: Platform) -> tuple[bool, bool, int]:
        listed = eligibility(platform, country).why is Why.LISTED
        known = platform.id in FOREIGN_TRADE
        return (
            not (listed and known),
            not (listed or known),
            kinds.index(platform.kind) if platform.kind in kinds else 9,
        )

    return sorted(open_ones, key=rank)[:MOST_ALTERNATIVES]


def _steps(
    facts: Facts,
    draft: Draft,
    found: Eligibility,
    others: list[Platform],
    documents: Iterable[Document],
    language: str,
) -> Iterable[Button]:
    _ = translator(language)
    settled = draft.settled(asked=0)
    if found.verdict in (Verdict.YES, Verdict.LIMITED):
        yield Button(_("How do I get the money?"), settled.but(wish=Wish.PAYOUT, target=found.platform.id).code)
        if found.platform.stores:
            yield Button(_("What does it take?"), settled.but(wish=Wish.RATES).code)
    topics = (Topic.ELIGIBILITY, Topic.ALTERNATIVES)
    yield from guides(documents, topics, found.platform.id, draft.seller, language, most=2)
    if others and others[0].stores:
        other = settled.but(target=others[0].id)
        yield Button(_("And {platform}?").format(platform=others[0].name), other.code)
    if found.verdict is Verdict.NO and facts.routes.routes:
        yield Button(_("Other ways to sell"), OTHER_WAYS)
    yield Button(_("Another country"), settled.but(awaiting=Field.SELLER).code)
