"""Ranks platforms for a seller by the score of `facts/choosing.yaml`, and says which facts decided.

A platform that does not take sellers of the country, does not sell such goods or does not reach the buyers that are
wanted is left out. Each criterion then gives its weight times how well it is met, from 0 to 1. Wholesale gets half of
the points for cost: traders pay less than shoppers, so its fees say little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from knowledge.choosing import Candidate, Choosing, Criterion, Owned
from knowledge.eligibility import Eligibility, Verdict, Why, eligibility
from knowledge.facts import Facts, Need, Payout, Platform, Store
from knowledge.fees import Breakdown, Sale, TooSmallError
from knowledge.gazetteer import EU
from knowledge.models import CountryCode, Source
from knowledge.money import NoRateError
from knowledge.payouts import gateways, option, with_gateway
from knowledge.tariff import CategoryId

OWNED_FOR: dict[Need, Owned] = {
    "business-registration": "company",
    "local-company": "company",
    "tax-number": "company",
    "vat-number": "company",
    "credit-card": "card",
    "bank-account": "bank",
    "local-bank-account": "bank",
}
"""What covers a need, if the seller has it."""

PAID_TO: dict[str, Owned] = {"bank-account": "bank", "mobile-money": "mobile-money", "card": "card"}
"""What a seller needs to be paid in that way."""

EASY: frozenset[Need] = frozenset(["id-document", "phone-number", "address-proof", "application", "payment-gateway"])
"""What most sellers have or can have in days."""

PICKED: frozenset[Need] = frozenset(["application", "invitation"])
"""Where the platform picks its sellers."""

SURE, LIKELY, HALF = Decimal(1), Decimal("0.7"), Decimal("0.5")
DOUBTFUL, UNLIKELY, NONE = Decimal("0.3"), Decimal("0.1"), Decimal(0)
A_NEED = Decimal("0.25")
"""What each missing need takes off."""


@dataclass(frozen=True)
class Seller:
    """Who asks: ISO 3166 `country`, `market` (or `EU`), kind of goods, pieces a month, what they `have`; None where
    that is not known."""

    country: CountryCode
    market: CountryCode | None = None
    category: CategoryId | None = None
    units: int | None = None
    have: frozenset[Owned] | None = None


@dataclass(frozen=True)
class Ranked:
    """A platform with its score: `points` by criterion. `breakdown` is a typical sale, None where no fee is known;
    `missing` are needs that the seller does not have for sure."""

    candidate: Candidate
    platform: Platform
    store: Store
    eligibility: Eligibility
    points: Mapping[Criterion, Decimal]
    breakdown: Breakdown | None
    payouts: tuple[Payout, ...]
    missing: tuple[Need, ...]

    @property
    def score(self) -> Decimal:
        """The sum of the points."""
        return sum(self.points.values(), NONE)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The pages that the score rests on, each once: who may sell, fees, payment."""
        found = [self.eligibility.source] if self.eligibility.source else []
        found += self.breakdown.sources[:1] if self.breakdown else ()
        found += [self.platform.source_of(each.source, each.as_of, each.confidence) for each in self.payouts[:1]]
        return tuple({source.url: source for source in found}.values())


def rank(facts: Facts, seller: Seller, today: date) -> list[Ranked]:
    """All platforms that can suit `seller`, best first; of equals the one listed first."""
    if facts.choosing is None:
        return []
    found = [_judge(facts, facts.choosing, candidate, seller, today) for candidate in facts.choosing.candidates]
    return sorted((each for each in found if each is not None), key=lambda each: -each.score)


def best_of(ranked: Sequence[Ranked], count: int) -> list[Ranked]:
    """The first `count` that differ in kind: any number of marketplaces, but of own shops, wholesale and social selling
    only the best of each, for they are chosen between as kinds and not by name."""
    found: list[Ranked] = []
    for each in ranked:
        model = each.candidate.model
        if model == "marketplace" or model not in {other.candidate.model for other in found}:
            found.append(each)
    return found[:count]


def _judge(facts: Facts, choosing: Choosing, candidate: Candidate, seller: Seller, today: date) -> Ranked | None:
    platform = facts.platform(candidate.platform)
    if platform is None or not platform.stores:
        return None

    def fit(store: Store) -> tuple[Decimal, Decimal]:
        return _reach(store, candidate, seller.market), _open(eligibility(platform, seller.country, store))

    store = max(platform.stores, key=fit)  # of equals the first, which is the platform's main one
    answer = eligibility(platform, seller.country, store)
    reach, goods = _reach(store, candidate, seller.market), _goods(candidate, seller.category)
    if answer.verdict is Verdict.NO or not reach or not goods:
        return None
    breakdown = _typical_sale(facts, choosing, platform, store, seller, today)
    missing = _missing(answer, seller)
    met = {
        Criterion.OPEN: _open(answer),
        Criterion.PAYOUT: _payout(facts, store, answer.payouts, seller),
        Criterion.REACH: reach,
        Criterion.GOODS: goods,
        Criterion.COST: HALF if candidate.model == "wholesale" else _cost(breakdown, choosing.no_cost_above),
        Criterion.NEEDS: max(NONE, SURE - A_NEED * len(missing)),
        Criterion.VOLUME: _volume(candidate, seller.units),
        Criterion.LANGUAGE: _language(candidate, seller.have),
    }
    points = {criterion: value * choosing.weights[criterion] for criterion, value in met.items()}
    return Ranked(candidate, platform, store, answer, points, breakdown, answer.payouts, missing)


def _open(answer: Eligibility) -> Decimal:
    """How surely the platform takes the seller: one that picks its sellers is less sure than one that takes all, one
    that lists countries without this one less sure than one that lists none."""
    if answer.verdict is Verdict.UNKNOWN:
        return DOUBTFUL if answer.why is Why.NO_LIST else UNLIKELY
    picks = answer.sellers is not None and bool(PICKED & set(answer.sellers.needs))
    return LIKELY if picks or answer.verdict is Verdict.LIMITED else NONE if answer.verdict is Verdict.NO else SURE


def _reach(store: Store, candidate: Candidate, market: CountryCode | None) -> Decimal:
    if market is None:
        return HALF
    wanted = EU if market == "EU" else {market}
    if wanted & {*store.buyers, *candidate.markets} or market in store.buyers:
        return SURE
    return HALF if "*" in store.buyers else NONE


def _goods(candidate: Candidate, category: CategoryId | None) -> Decimal:
    if category is None or category in candidate.goods:
        return SURE if category else HALF
    return HALF if "*" in candidate.goods else NONE


def _payout(facts: Facts, store: Store, payouts: Sequence[Payout], seller: Seller) -> Decimal:
    if store.processing == "gateway":
        has_bank = seller.have is None or "bank" in seller.have
        return (SURE if has_bank else HALF) if gateways(facts, seller.country) else DOUBTFUL
    values = []
    for payout in payouts:
        provider = facts.provider(payout.to)
        if provider is not None:
            receive = option(facts, provider, seller.country).receive
            values.append({Verdict.NO: NONE, Verdict.UNKNOWN: HALF}.get(receive, SURE))
        elif seller.have is None or payout.to == "cash":
            values.append(LIKELY)
        else:
            values.append(SURE if PAID_TO.get(payout.to) in seller.have else HALF)
    return max(values, default=DOUBTFUL)


def _typical_sale(
    facts: Facts, choosing: Choosing, platform: Platform, store: Store, seller: Seller, today: date
) -> Breakdown | None:
    sale = Sale(
        choosing.typical_sale.price,
        choosing.typical_sale.currency,
        seller=seller.country,
        buyer=seller.market,
        category=seller.category,
        units_a_month=seller.units,
    )
    try:
        breakdown = with_gateway(facts, platform, store, sale, today)
    except (NoRateError, TooSmallError):
        return None
    return breakdown if any(line.is_known for line in breakdown.lines) else None


def _cost(breakdown: Breakdown | None, no_points_above: int) -> Decimal:
    if breakdown is None:
        return DOUBTFUL
    share = breakdown.fees_high * 100 / breakdown.gross
    value = max(NONE, SURE - share / no_points_above)
    return min(value, HALF) if breakdown.is_at_most else value


def _missing(answer: Eligibility, seller: Seller) -> tuple[Need, ...]:
    needs = [need for need in (answer.sellers.needs if answer.sellers else ()) if need not in EASY]
    have = seller.have or frozenset()
    return tuple(need for need in needs if OWNED_FOR.get(need) not in have)


def _volume(candidate: Candidate, units: int | None) -> Decimal:
    if units is None:
        return LIKELY
    least, most = candidate.units
    return SURE if least <= units <= most else DOUBTFUL


def _language(candidate: Candidate, have: frozenset[Owned] | None) -> Decimal:
    if not candidate.english:
        return SURE
    return LIKELY if have is None else SURE if "english" in have else NONE
