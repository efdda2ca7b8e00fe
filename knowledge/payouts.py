"""From a balance abroad to the seller's bank or wallet: which services work in a country, and what they take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from knowledge.eligibility import Verdict, Why, reach
from knowledge.facts import Country, ExchangeRates, Facts, PaymentProvider, Platform, Store
from knowledge.fees import Breakdown, Line, Sale, calculate, calculate_fee
from knowledge.models import Source
from knowledge.money import exchange, rounded
from knowledge.sourced import Sourced
from knowledge.tariff import FeeKind, When

ZERO = Decimal(0)
HELD_ABROAD = ("wallet", "payout")
"""Kinds of services that keep a balance from which the money has to be taken out; a gateway pays out by itself."""

_ROWS = {"yes": Verdict.YES, "limited": Verdict.LIMITED, "invite": Verdict.LIMITED, "no": Verdict.NO}


@dataclass(frozen=True)
class Option:
    """Whether `provider` works for sellers in a country: `receive` from abroad, and pay out there (`withdraw`)."""

    provider: PaymentProvider
    receive: Verdict
    withdraw: Verdict
    why: Why
    source: Source | None
    by_invitation: bool = False

    @property
    def works(self) -> bool:
        """True when a seller there can use it, be it with a limit."""
        return self.receive in (Verdict.YES, Verdict.LIMITED)


def option(facts: Facts, provider: PaymentProvider, country: str) -> Option:
    """What is known of `provider` in `country` (ISO 3166): the country's own entry first, then the provider's lists."""
    entry = facts.country(country)
    withdraw = reach(provider.withdraw, country)[0]
    for row in entry.providers if entry else ():
        if row.provider == provider.id and entry:
            verdict = _ROWS[row.status]
            why = {Verdict.YES: Why.LISTED, Verdict.LIMITED: Why.LIMITED, Verdict.NO: Why.REFUSED}[verdict]
            # Of Payoneer the table says whether it pays out there, of the others whether one can receive.
            out = verdict if provider.id == "payoneer" else withdraw
            return Option(provider, verdict, out, why, _source(entry, row), row.status == "invite")
    verdict, why = reach(provider.receive, country)
    where = provider.receive
    source = provider.source_of(where.source, where.as_of, where.confidence) if where else None
    return Option(provider, verdict, withdraw, why, source)


def options(facts: Facts, country: str) -> list[Option]:
    """All services that work for sellers in `country`: the international ones of its table first, then local ones."""
    entry = facts.country(country)
    ids = [row.provider for row in entry.providers] + list(entry.local_options) if entry else []
    listed = [provider for id in dict.fromkeys(ids) if (provider := facts.provider(id))]
    found = [option(facts, provider, country) for provider in listed]
    if not entry or not entry.providers:
        found = [option(facts, provider, country) for provider in facts.payments]
    local = set(entry.local_options) if entry else set()
    return [each for each in found if each.works or (each.provider.id in local and each.receive is not Verdict.NO)]


def gateways(facts: Facts, country: str) -> list[PaymentProvider]:
    """Services with which a shop in `country` can take buyers' payments and whose fee for that is known."""
    found = []
    for provider in facts.payments:
        if provider.kind in ("card-acquirer", "wallet") and option(facts, provider, country).receive is Verdict.YES:
            fee = provider.fee("receiving")
            fitting = [rate for rate in fee.charges if not rate.sellers or country in rate.sellers] if fee else []
            if fitting and fitting[0].is_known:
                found.append(provider)
    return found


def with_gateway(facts: Facts, platform: Platform, store: Store, sale: Sale, today: date) -> Breakdown:
    """The breakdown; a store without payments of its own is reckoned with the cheapest service that works for the
    seller and whose fee is known."""
    without = calculate(platform, store, sale, facts.fx, today)
    if store.processing == "own" or sale.seller is None:
        return without
    found = [calculate(platform, store, sale, facts.fx, today, service) for service in gateways(facts, sale.seller)]
    return max(found, key=lambda one: (not one.is_at_most, one.net_low), default=without)


@dataclass(frozen=True)
class Settlement:
    """What of a sum reaches the seller's bank or wallet: between `low` and `high`, in `currency`.

    `start` is the sum in `start_currency`; `lines` are in that currency. `rate` is the mid rate of `rate_date`;
    a margin hidden in the provider's own rate is taken off by `margin` percent instead of a line.
    `is_at_most`: a fee on the way has no published figure, or nothing is known of the way out (`exit_is_unknown`).
    """

    provider: PaymentProvider
    start: Decimal
    start_currency: str
    currency: str
    lines: tuple[Line, ...]
    low: Decimal
    high: Decimal
    rate: Decimal
    rate_date: date
    margin: Decimal | None = None
    margin_max: Decimal | None = None
    exit_is_unknown: bool = False

    @property
    def is_at_most(self) -> bool:
        """True when less will arrive than is shown."""
        return self.exit_is_unknown or any(not line.is_known for line in self.lines)


def settle(
    amount: Decimal,
    currency: str,
    provider: PaymentProvider,
    country: Country,
    rates: ExchangeRates,
    *,
    receiving: bool = True,
) -> Settlement:
    """Follow `amount` of `currency` through `provider` into local money of `country`.

    Receiving fee, the tax on it, withdrawal and conversion are taken in that order, each of what the one
    before left. `receiving` False leaves the first out, for a gateway whose fee was taken already.

    Raises:
        NoRateError: there is no exchange rate for one of the currencies.
    """
    lines: list[Line] = []
    low = high = amount
    margin = margin_max = None
    order = (FeeKind.RECEIVING, FeeKind.TAX, FeeKind.WITHDRAWAL, FeeKind.CONVERSION)
    for kind in order if receiving else order[2:]:
        for fee in provider.fees:
            if fee.kind is not kind or fee.when is When.OPTIONAL:
                continue
            if fee.sellers and country.iso not in fee.sellers:
                continue
            if kind is FeeKind.CONVERSION and currency == country.currency:
                continue
            charge = next((rate for rate in fee.charges if not rate.sellers or country.iso in rate.sellers), None)
            if fee.inside_rate and charge is not None and charge.percent is not None:
                margin, margin_max = charge.percent, charge.percent_max
                continue
            sale = Sale(max(low, Decimal("0.01")), currency, seller=country.iso)
            line = calculate_fee(provider, fee, sale, rates, lines)
            if line is None:
                continue
            lines.append(line)
            low, high = low - (line.high or ZERO), high - (line.low or ZERO)
    rate = exchange(Decimal(1), currency, country.currency, rates)
    worst = rate * (100 - (margin_max or margin or ZERO)) / 100
    best = rate * (100 - (margin or ZERO)) / 100
    return Settlement(
        provider,
        amount,
        currency,
        country.currency,
        tuple(lines),
        rounded(max(low, ZERO) * worst, country.currency),
        rounded(max(high, ZERO) * best, country.currency),
        rate,
        rates.as_of,
        margin,
        margin_max,
        exit_is_unknown=provider.kind in HELD_ABROAD and not any(f.kind is FeeKind.WITHDRAWAL for f in provider.fees),
    )


def _source(country: Country, fact: Sourced) -> Source:
    page = country.sources[fact.source]
    return Source(
        title=page.title, publisher=page.publisher, url=page.url, as_of=fact.as_of, confidence=fact.confidence
    )
