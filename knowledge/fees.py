"""The fee calculator: what is left of one sale, line by line. Pure; every amount is a `Decimal`.

Rounding follows the platforms' statements: each line to the smallest unit of its currency, half up, then the
sum. A published range is carried as its two ends. A fee whose figure is not known stays a line without an
amount and makes the result "at most"; it is never taken for zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from knowledge.facts import ExchangeRates, PaymentProvider, Platform, Service, Store
from knowledge.models import Confidence, Source
from knowledge.money import exchange, rounded, smallest_unit
from knowledge.tariff import MONTHS, Base, Charge, Fee, FeeKind, Mode, Per, Rate, When

ZERO = Decimal(0)
HUNDRED = Decimal(100)
MOST_STEPS = 500
"""Of the search for a price; each brings it nearer by the share of the fees."""


@dataclass(frozen=True)
class Sale:
    """One piece sold. `currency` is ISO 4217, `seller` and `buyer` ISO 3166; None is "not known".

    `shipping` is what the buyer pays for it. `category` is an id of `facts/categories.yaml` or of the store.
    `plan` None is the store's first. `units_a_month` spreads monthly fees. `options` are ids of optional fees
    that the seller chose. `converted`: the money is changed into another currency on the way.
    """

    price: Decimal
    currency: str
    shipping: Decimal = ZERO
    seller: str | None = None
    buyer: str | None = None
    category: str | None = None
    plan: str | None = None
    units_a_month: int | None = None
    options: frozenset[str] = frozenset()
    converted: bool = False

    def __post_init__(self) -> None:
        if self.price <= 0:
            raise ValueError("a price is above zero")
        if self.shipping < 0:
            raise ValueError("shipping is not below zero")
        if self.units_a_month is not None and self.units_a_month < 1:
            raise ValueError("units a month are at least one")


@dataclass(frozen=True)
class Term:
    """One summand of a formula: `percent` (to `percent_max`) of `base`, or the sum `fixed` (to `fixed_max`)."""

    base: Decimal | None = None
    percent: Decimal | None = None
    percent_max: Decimal | None = None
    fixed: Decimal | None = None
    fixed_max: Decimal | None = None


@dataclass(frozen=True)
class Line:
    """One fee of one sale, in the sale's currency: between `low` and `high`, which are mostly equal.

    Both are None when the figure is not known. `terms` say how it was worked out; `bound` is `minimum` or
    `maximum` where that counted instead. `shared_by` are the units that a monthly fee was spread over.
    `service` is the platform or payment service that takes it.
    """

    id: str
    name: str
    kind: FeeKind
    service: str
    source: Source
    low: Decimal | None = None
    high: Decimal | None = None
    terms: tuple[Term, ...] = ()
    bound: str | None = None
    shared_by: int | None = None
    named: str | None = None

    @property
    def is_known(self) -> bool:
        """False when the fee exists but nobody published its figure."""
        return self.low is not None


class TooSmallError(Exception):
    """A price is less than the smallest unit of the store's currency; the message is its code."""


class Reason(StrEnum):
    """Why a fee is not in the sum."""

    OPTIONAL = "optional"
    RECURRING = "recurring"
    ONCE = "once"
    PAYOUT = "payout"
    CONVERSION = "conversion"
    GATEWAY = "gateway"
    SALES_TAX = "sales-tax"


@dataclass(frozen=True)
class LeftOut:
    """A cost that the sum does not hold, with its charge where there is one."""

    reason: Reason
    id: str = ""
    name: str = ""
    kind: FeeKind | None = None
    per: Per | None = None
    charge: Charge | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Breakdown:
    """What is left of a sale. `gross` is what the buyer paid for the goods and their shipping, in `currency`.

    The net lies between `net_low` and `net_high`; if `is_at_most`, fees of unknown size come off besides.
    `price` and `shipping` are the sale's, in `currency`; `exchanged_from` is the currency that the seller named
    when the store uses another one.
    """

    platform: Platform
    store: Store
    sale: Sale
    currency: str
    price: Decimal
    shipping: Decimal
    lines: tuple[Line, ...]
    left_out: tuple[LeftOut, ...]
    exchanged_from: str | None = None
    provider: PaymentProvider | None = None
    category_matters: bool = False

    @property
    def gross(self) -> Decimal:
        """What the buyer paid for the goods and their shipping."""
        return self.price + self.shipping

    @property
    def net_low(self) -> Decimal:
        """What is left when every range falls at its dear end."""
        return self.gross - sum((line.high or ZERO for line in self.lines), ZERO)

    @property
    def net_high(self) -> Decimal:
        """What is left when every range falls at its cheap end."""
        return self.gross - sum((line.low or ZERO for line in self.lines), ZERO)

    @property
    def fees_low(self) -> Decimal:
        """The least that is taken."""
        return self.gross - self.net_high

    @property
    def fees_high(self) -> Decimal:
        """The most that is taken, of the fees whose figure is known."""
        return self.gross - self.net_low

    @property
    def is_at_most(self) -> bool:
        """True when a fee of unknown size makes the net less than is shown."""
        return any(not line.is_known for line in self.lines) or any(
            cost.reason is Reason.GATEWAY for cost in self.left_out
        )

    @property
    def is_exact(self) -> bool:
        """True when the net is one known sum."""
        return not self.is_at_most and self.net_low == self.net_high

    @property
    def unknown(self) -> tuple[Line, ...]:
        """Fees without a figure."""
        return tuple(line for line in self.lines if not line.is_known)

    def stale(self, today: date) -> tuple[Line, ...]:
        """Lines whose figure is undated or more than a year old."""
        return tuple(line for line in self.lines if line.is_known and line.source.as_of.is_stale(today))

    @property
    def doubtful(self) -> tuple[Line, ...]:
        """Lines whose figure nobody could confirm."""
        weak = (Confidence.LOW, Confidence.UNVERIFIED)
        return tuple(line for line in self.lines if line.is_known and line.source.confidence in weak)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of all lines, each page once, in the order of the lines."""
        return tuple({line.source.url: line.source for line in reversed(self.lines)}.values())[::-1]


def calculate(
    platform: Platform,
    store: Store,
    sale: Sale,
    rates: ExchangeRates,
    today: date,
    provider: PaymentProvider | None = None,
) -> Breakdown:
    """What is left of `sale` in `store` of `platform` after its fees, and those of `provider` who takes the payment.

    A store that does not take payments itself needs a provider; without one the result is "at most".

    Raises:
        NoRateError: the sale's currency has to be changed and there is no rate for it.
        TooSmallError: nothing is left of the price when it is rounded.
    """
    currency = store.currency or sale.currency
    price = rounded(exchange(sale.price, sale.currency, currency, rates), currency)
    if price <= 0:
        raise TooSmallError(currency)
    shipping = rounded(exchange(sale.shipping, sale.currency, currency, rates), currency)
    case = _Case(store, sale, currency, price, shipping, rates, today)
    lines: list[Line] = []
    left_out: list[LeftOut] = []
    for service, fee in _in_order(platform, store, provider):
        _apply(case, service, fee, lines, left_out)
    if store.processing == "gateway" and provider is None:
        left_out.append(LeftOut(Reason.GATEWAY))
    if any(
        Base.TAX in fee.of and fee.per in (Per.ITEM, Per.ORDER) and fee.when is not When.OPTIONAL for fee in store.fees
    ):
        left_out.append(LeftOut(Reason.SALES_TAX))
    return Breakdown(
        platform,
        store,
        sale,
        currency,
        price,
        shipping,
        tuple(lines),
        tuple(left_out),
        exchanged_from=sale.currency if sale.currency != currency else None,
        provider=provider,
        category_matters=_category_matters(store),
    )


def price_for(
    wanted: Decimal,
    platform: Platform,
    store: Store,
    sale: Sale,
    rates: ExchangeRates,
    today: date,
    provider: PaymentProvider | None = None,
) -> Breakdown | None:
    """The breakdown at the lowest item price that leaves at least `wanted`, in the sale's currency.

    The price of `sale` itself does not count. Starting from the wanted sum, the fees of each price are added
    until the price carries them: with fees that rise with the price this ends at the lowest such price, also
    across a step like "20% + 4 up to 79.99, above 14% + 16". None when no price is found.
    """
    price = max(rounded(wanted, sale.currency), smallest_unit(sale.currency))
    for _ in range(MOST_STEPS):
        found = calculate(platform, store, replace(sale, price=price), rates, today, provider)
        if found.currency != sale.currency:
            return None
        missing = wanted - found.net_low
        if missing <= 0:
            return found
        price = rounded(price + missing, sale.currency)
    return None


def calculate_fee(
    provider: PaymentProvider, fee: Fee, sale: Sale, rates: ExchangeRates, before: Sequence[Line] = ()
) -> Line | None:
    """What `fee` of a payment provider takes of a payment of `sale.price`; None when it is not charged.

    `before` are the lines already taken, for a tax on fees. A percentage is of the payment itself.

    Raises:
        NoRateError: the fee is in a currency without a rate.
    """
    case = _Case(Store(id="provider", name=provider.name, currency=None), sale, sale.currency, sale.price,
                 ZERO, rates, rates.as_of)  # fmt: skip
    fitting = _fitting(case, fee)
    if not fitting and fee.rates and fee.otherwise == "none":
        return None
    own = fee if Base.FEES in fee.of else fee.model_copy(update={"of": (Base.PRICE,)})
    return _line(case, provider, own, fitting, before)


@dataclass(frozen=True)
class _Case:
    """A sale as the fees of one store see it."""

    store: Store
    sale: Sale
    currency: str
    price: Decimal
    shipping: Decimal
    rates: ExchangeRates
    today: date

    @property
    def plan(self) -> str | None:
        return self.sale.plan or (self.store.plans[0].id if self.store.plans else None)

    @property
    def is_export(self) -> bool:
        return self.sale.seller is None or self.buyer is None or self.sale.seller != self.buyer

    @property
    def buyer(self) -> str | None:
        """The buyer's country; a store with one country of its own has its buyers there."""
        if self.sale.buyer:
            return self.sale.buyer
        return self.store.buyers[0] if self.store.buyers and self.store.buyers[0] != "*" else None

    def local(self, amount: Decimal, charge: Charge) -> Decimal:
        """An amount of `charge` in the case's currency."""
        return exchange(amount, charge.currency or self.store.currency or self.currency, self.currency, self.rates)


def _in_order(
    platform: Platform, store: Store, provider: PaymentProvider | None
) -> Iterator[tuple[Platform | PaymentProvider, Fee]]:
    """The store's and the provider's fees; those that are taken of other fees or of the rest come last."""
    fees: list[tuple[Platform | PaymentProvider, Fee]] = [(platform, fee) for fee in store.fees]
    if provider is not None:
        taken = (FeeKind.RECEIVING, FeeKind.TAX)
        fees += [(provider, fee) for fee in provider.fees if fee.kind in taken and fee.when is not When.OPTIONAL]
    late = {Base.FEES: 1, Base.NET: 2}
    return iter(sorted(fees, key=lambda pair: max(late.get(base, 0) for base in pair[1].of)))


def _apply(
    case: _Case, service: Platform | PaymentProvider, fee: Fee, lines: list[Line], left_out: list[LeftOut]
) -> None:
    """Add `fee` to the lines or to what is left out, as the case has it."""
    if fee.plans and case.plan not in fee.plans:
        return
    if fee.sellers and case.sale.seller not in fee.sellers:
        return
    if fee.per is Per.EVENT or (fee.when is When.EXPORT and not case.is_export):
        return
    fitting = _fitting(case, fee)
    if not fitting and fee.rates and fee.otherwise == "none":
        return
    reason = _reason_to_leave_out(case, fee)
    if reason is not None:
        charge = fitting[0] if len(fitting) == 1 else None
        currency = (charge.currency if charge else None) or case.store.currency or case.currency
        left_out.append(LeftOut(reason, fee.id, fee.name, fee.kind, fee.per, charge, currency))
        return
    lines.append(_line(case, service, fee, fitting, lines))


def _reason_to_leave_out(case: _Case, fee: Fee) -> Reason | None:
    if fee.when is When.OPTIONAL and fee.id not in case.sale.options:
        return Reason.OPTIONAL
    if fee.when is When.CONVERSION and not case.sale.converted:
        return Reason.CONVERSION
    if fee.per is Per.ONCE:
        return Reason.ONCE
    if fee.per is Per.PAYOUT:
        return Reason.PAYOUT
    if fee.per in MONTHS and case.sale.units_a_month is None:
        return Reason.RECURRING
    return None


def _fitting(case: _Case, fee: Fee) -> tuple[Rate, ...]:
    """The rate that counts. Several when the category decides and is not known; none when no rate fits."""
    possible = [rate for rate in fee.charges if _holds(case, rate)]
    category = case.sale.category
    if category is not None:
        of_category = [rate for rate in possible if category in rate.category]
        possible = of_category or [rate for rate in possible if not rate.category]
        return tuple(possible[:1])
    default = [rate for rate in possible if not rate.category]
    return tuple(default[:1] or possible)


def _holds(case: _Case, rate: Rate) -> bool:
    """True when all conditions but the category hold."""
    if rate.sellers and case.sale.seller not in rate.sellers:
        return False
    if rate.buyers and case.buyer not in rate.buyers:
        return False
    if rate.plans and case.plan not in rate.plans:
        return False
    if rate.price_below is not None and case.price >= case.local(rate.price_below, rate):
        return False
    return not (rate.since and case.today < rate.since) and not (rate.until and case.today > rate.until)


def _line(
    case: _Case, service: Platform | PaymentProvider, fee: Fee, fitting: Sequence[Rate], lines: Sequence[Line]
) -> Line:
    chosen = fitting[0] if len(fitting) == 1 else None
    line = Line(fee.id, fee.name, fee.kind, service.name, _source(service, fee, chosen), named=_named(chosen))
    if not fitting or not all(rate.is_known for rate in fitting):
        return line
    parts = [_amounts(case, fee, rate, lines) for rate in fitting]
    low = min(part.low for part in parts)
    high = max(part.high for part in parts)
    terms, bound = (parts[0].terms, parts[0].bound) if len(parts) == 1 else ((), None)
    shared_by = None
    if fee.per in MONTHS:
        shared_by = case.sale.units_a_month or 1
        low, high = (amount / MONTHS[fee.per] / shared_by for amount in (low, high))
    return replace(
        line,
        low=rounded(low, case.currency),
        high=rounded(high, case.currency),
        terms=terms,
        bound=bound,
        shared_by=shared_by,
    )


def _named(rate: Rate | None) -> str | None:
    return rate.named if rate else None


def _source(service: Service, fee: Fee, rate: Rate | None) -> Source:
    own = rate or Rate()
    return service.source_of(own.source or fee.source, own.as_of or fee.as_of, own.confidence or fee.confidence)


@dataclass(frozen=True)
class _Amounts:
    low: Decimal
    high: Decimal
    terms: tuple[Term, ...]
    bound: str | None


def _amounts(case: _Case, fee: Fee, rate: Rate, lines: Sequence[Line]) -> _Amounts:
    """What `rate` takes, not rounded, with its terms."""
    least, most = _bases(case, fee, lines)
    if rate.tiers:
        terms = tuple(_tier_terms(case, rate, least))
        low = sum((_worth(term) for term in terms), ZERO)
        high = low if least == most else sum((_worth(term) for term in _tier_terms(case, rate, most)), ZERO)
    else:
        terms = tuple(_plain_terms(case, rate, most))
        low = _share(least, rate.percent) + case.local(rate.fixed or ZERO, rate)
        high = _share(most, rate.percent_max or rate.percent) + case.local(rate.fixed_max or rate.fixed or ZERO, rate)
    bound = None
    if rate.minimum is not None and high < (floor := case.local(rate.minimum, rate)):
        low, high, bound = floor, floor, "minimum"
    elif rate.minimum is not None:
        low = max(low, case.local(rate.minimum, rate))
    if rate.maximum is not None and low > (ceiling := case.local(rate.maximum, rate)):
        low, high, bound = ceiling, ceiling, "maximum"
    elif rate.maximum is not None:
        high = min(high, case.local(rate.maximum, rate))
    if bound:
        terms = (*terms, Term(fixed=low))
    return _Amounts(low, high, terms, bound)


def _bases(case: _Case, fee: Fee, lines: Sequence[Line]) -> tuple[Decimal, Decimal]:
    """What a percentage is taken of: its least and most, which differ when it depends on other fees' ranges."""
    if Base.FEES in fee.of:
        return sum((line.low or ZERO for line in lines), ZERO), sum((line.high or ZERO for line in lines), ZERO)
    gross = case.price + case.shipping
    if Base.NET in fee.of:
        least = max(gross - sum((line.high or ZERO for line in lines), ZERO), ZERO)
        return least, max(gross - sum((line.low or ZERO for line in lines), ZERO), ZERO)
    base = (case.price if Base.PRICE in fee.of else ZERO) + (case.shipping if Base.SHIPPING in fee.of else ZERO)
    return base, base


def _tier_terms(case: _Case, rate: Rate, base: Decimal) -> Iterator[Term]:
    below = ZERO
    for tier in rate.tiers:
        up_to = case.local(tier.up_to, rate) if tier.up_to is not None else None
        is_last = up_to is None or base <= up_to
        if rate.mode is Mode.WHOLE and is_last:
            if tier.percent:
                yield Term(base=base, percent=tier.percent)
            if tier.fixed or not tier.percent:
                yield Term(fixed=case.local(tier.fixed, rate))
        elif rate.mode is Mode.SLICE:
            slice_end = base if up_to is None else min(base, up_to)
            yield Term(base=slice_end - below, percent=tier.percent)
            below = slice_end
        if is_last:
            return


def _plain_terms(case: _Case, rate: Rate, base: Decimal) -> Iterator[Term]:
    if rate.percent is not None:
        yield Term(base=base, percent=rate.percent, percent_max=rate.percent_max)
    if rate.fixed is not None:
        highest = case.local(rate.fixed_max, rate) if rate.fixed_max is not None else None
        yield Term(fixed=case.local(rate.fixed, rate), fixed_max=highest)


def _worth(term: Term) -> Decimal:
    return _share(term.base or ZERO, term.percent) + (term.fixed or ZERO)


def _share(base: Decimal, percent: Decimal | None) -> Decimal:
    return base * (percent or ZERO) / HUNDRED


def _category_matters(store: Store) -> bool:
    """True when a fee that every seller pays depends on the kind of goods."""
    return any(
        rate.category
        for fee in store.fees
        if fee.when is not When.OPTIONAL and fee.per in (Per.ITEM, Per.ORDER)
        for rate in fee.rates
    )
