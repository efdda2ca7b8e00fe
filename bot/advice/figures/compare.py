"""The same sale on all platforms that are open to the seller, best net first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.advice.figures import wording
from bot.advice.figures.draft import Draft, Field, Wish, best_store, fitting
from bot.advice.figures.keep import barred, category_name
from bot.advice.reply import Button, Figure, Reply, ReplyKind
from bot.advice.richtext import RichText, join
from bot.translation import country_name, plurals, translator
from knowledge.eligibility import Eligibility, Verdict, eligibility
from knowledge.facts import Facts, Platform, Store
from knowledge.fees import Breakdown, Reason, TooSmallError
from knowledge.money import NoRateError, currency_of, exchange, rounded
from knowledge.payouts import with_gateway
from knowledge.tariff import Charge

MOST_MARKETPLACES, MOST_SHOPS = 4, 3
NEEDS_SHOWN = 2
HURDLES = frozenset(
    ["local-company", "local-agent", "local-stock", "invitation", "deposit", "brand-ownership", "trademark"]
)
MARKETPLACES, SHOPS = ("marketplace",), ("own-store", "social")
"""Where one sells single pieces: places that bring buyers, and shops and chats that need buyers of one's own.
Wholesale, services and exhibitions have prices of another kind."""


@dataclass(frozen=True)
class Place:
    """One store in a comparison; `net_low` and `net_high` are in the draft's currency, not rounded."""

    breakdown: Breakdown
    eligibility: Eligibility
    net_low: Decimal
    net_high: Decimal

    @property
    def is_hard_to_enter(self) -> bool:
        """True when it asks for what a small firm abroad seldom has."""
        return bool(self.eligibility.sellers and HURDLES & set(self.eligibility.sellers.needs))


def places(facts: Facts, draft: Draft, today: date) -> tuple[list[Place], int]:
    """The stores that take sellers from the draft's country and whose fees are known in part at least, best net
    first; and how many were left out because no fee is known. After the others come those with unknown fees,
    and at the end those that are hard to enter.

    One store a platform: the one that fits the draft best.
    """
    found, unknown = [], 0
    for platform in facts.platforms:
        if platform.kind not in MARKETPLACES + SHOPS or not platform.stores or draft.seller is None:
            continue
        store = best_store(platform, draft)
        answer = eligibility(platform, draft.seller, store)
        if answer.verdict not in (Verdict.YES, Verdict.LIMITED):
            continue
        place = _place(facts, draft, platform, store, answer, today)
        if place is None:
            unknown += 1
        else:
            found.append(place)
    return sorted(found, key=lambda one: (one.is_hard_to_enter, one.breakdown.is_at_most, -one.net_low)), unknown


def _place(
    facts: Facts, draft: Draft, platform: Platform, store: Store, answer: Eligibility, today: date
) -> Place | None:
    sale = draft.but(plan=None).sale()
    try:
        breakdown = with_gateway(facts, platform, store, sale, today)
        back = exchange(Decimal(1), breakdown.currency, sale.currency, facts.fx)
    except (NoRateError, TooSmallError):
        return None
    if not any(line.is_known for line in breakdown.lines):
        return None
    if breakdown.is_at_most and breakdown.net_high == breakdown.gross:  # all that is known of it is what is free
        return None
    return Place(breakdown, answer, breakdown.net_low * back, breakdown.net_high * back)


def answer(facts: Facts, draft: Draft, language: str, today: date, named: Sequence[str] = ()) -> Reply:
    """The comparison as a reply; of the platforms `named` in the question it says which do not take the seller."""
    _ = translator(language)
    assert draft.seller is not None and draft.currency is not None, "the desk asks for both first"
    found, unknown = places(facts, draft, today)
    gross = _gross(facts, draft, language)
    country = country_name(draft.seller, language)
    if not found:
        text = _("I know of no platform that surely takes sellers in {country} and whose fees I know.")
        return Reply(
            RichText.plain(text.format(country=country)),
            ReplyKind.DECLINE,
            "fees",
            language,
            draft=draft.settled().code,
        )
    title = _("Of {gross} you keep, as a seller in {country}:").format(gross=gross, country=country)
    markets = [place for place in found if place.breakdown.platform.kind in MARKETPLACES][:MOST_MARKETPLACES]
    shops = [place for place in found if place.breakdown.platform.kind in SHOPS][:MOST_SHOPS]
    shown = (*markets, *shops)
    notes = [_basis(facts, draft, language)]
    if unknown:
        ngettext = plurals(language)
        text = ngettext(
            "{count} more is open to you, but I do not know its fees.",
            "{count} more are open to you, but I do not know their fees.",
            unknown,
        )
        notes.append(text.format(count=unknown))
    notes.append(_("Your costs, postage, tax and monthly plans are not included."))
    citations = tuple({source.url: source for place in shown for source in place.breakdown.sources[:1]}.values())
    blocks = [
        RichText.bold(title),
        *(RichText.plain(text) for text in _barred(facts, draft, named, language)),
        _list(_("Marketplaces, which bring buyers:"), markets, draft, language),
        _list(_("Own shop or chat, for buyers that you bring:"), shops, draft, language),
        RichText.plain(" ".join(notes)),
        join(wording.source_lines(citations, language, today, most=1), "\n"),
    ]
    steps = [Button(_("Show as a picture"), "g" + draft.settled().code)]
    for place in (*markets[:2], *shops[:1]):
        store = place.breakdown.store
        steps.append(Button(_("{store}: line by line").format(store=store.name), _detail(draft, store).code))
    steps.append(Button(_("Change something"), draft.settled().but(awaiting=Field.ANY).code))
    return Reply(
        join(blocks),
        ReplyKind.ANSWER,
        "fees",
        language,
        citations=citations,
        confidence=1.0,
        buttons=fitting(steps),
        figures=tuple(_figure(place, draft) for place in found),
        draft=draft.settled().code,
        subject="comparison",
    )


def _barred(facts: Facts, draft: Draft, named: Sequence[str], language: str) -> list[str]:
    platforms = [platform for id in named if (platform := facts.platform(id)) is not None]
    warnings = [
        barred(platform, best_store(platform, draft) if platform.stores else None, draft.seller, language)
        for platform in platforms
    ]
    return [warning for warning in warnings if warning]


def _gross(facts: Facts, draft: Draft, language: str) -> str:
    """What the buyer pays, in the sale's currency and in the seller's own."""
    sale = draft.sale()
    paid, own = sale.price + sale.shipping, currency_of(draft.seller, facts)
    shown = wording.money(paid, sale.currency, language)
    if own is None or own == sale.currency or own not in facts.fx.per_usd:
        return shown
    exchanged = rounded(exchange(paid, sale.currency, own, facts.fx), own)
    return f"{shown} ({wording.money(exchanged, own, language)})"


def _list(title: str, places: Sequence[Place], draft: Draft, language: str) -> RichText:
    if not places:
        return RichText()
    entries = [RichText.plain(_entry(number, place, draft, language)) for number, place in enumerate(places, 1)]
    return join((RichText.plain(title), *entries), "\n")


def _detail(draft: Draft, store: Store) -> Draft:
    return draft.settled(wish=Wish.KEEP, target=store.id, plan=None, asked=0)


def _entry(number: int, place: Place, draft: Draft, language: str) -> str:
    _ = translator(language)
    currency = draft.currency or place.breakdown.currency
    net = wording.span(place.net_low, place.net_high, currency, language)
    if place.breakdown.is_at_most:
        net = _("at most {amount}").format(amount=wording.money(place.net_high, currency, language))
    extras = []
    if place.eligibility.verdict is Verdict.LIMITED:
        extras.append(_("with limits"))
    if place.breakdown.provider is not None:
        service = wording.service_name(place.breakdown.provider, language)
        extras.append(_("payment through {service}").format(service=service))
    sellers = place.eligibility.sellers
    if sellers and sellers.needs:
        extras.append(_("asks for {needs}").format(needs=wording.needs(sellers.needs[:NEEDS_SHOWN], language)))
    for cost in place.breakdown.left_out:
        if cost.reason in (Reason.RECURRING, Reason.ONCE) and cost.per and _costs(cost.charge):
            assert cost.charge is not None, "a cost of something has its charge"
            amount = wording.charge(cost.charge, cost.currency, language)
            extras.append(f"{amount} {_(wording.PERIODS[cost.per])}")
    detail = f" ({wording.semicolons(extras, language)})" if extras else ""
    return f"{number}. {place.breakdown.store.name}: {net}{detail}"


def _costs(charge: Charge | None) -> bool:
    return charge is not None and bool(charge.percent or charge.fixed or charge.fixed_max or charge.tiers)


def _basis(facts: Facts, draft: Draft, language: str) -> str:
    _ = translator(language)
    kind = category_name(facts, draft.category, language) or _("goods of any other kind")
    day = wording.day(facts.fx.as_of, language)
    return _("Reckoned for: {goods}; mid rates of {date}.").format(goods=kind, date=day)


def _figure(place: Place, draft: Draft) -> Figure:
    currency = draft.currency or place.breakdown.currency
    if place.breakdown.is_at_most:
        return Figure(f"net_at_most_{place.breakdown.store.id}", rounded(place.net_high, currency), currency)
    return Figure(f"net_{place.breakdown.store.id}", rounded(place.net_low, currency), currency)
