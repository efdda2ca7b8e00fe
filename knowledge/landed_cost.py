"""What a parcel costs the buyer in the destination: goods, freight, customs duty and tax."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from knowledge.facts import Destination, ExchangeRates
from knowledge.money import exchange, rounded

ZERO, HUNDRED = Decimal(0), Decimal(100)


class UnknownRateError(Exception):
    """A rate is needed that the table does not hold; the message names it."""


@dataclass(frozen=True)
class LandedCost:
    """What the buyer pays in all, in `currency` (ISO 4217)."""

    goods: Decimal
    freight: Decimal
    duty: Decimal
    tax: Decimal
    currency: str

    @property
    def total(self) -> Decimal:
        """Goods, freight, duty and tax."""
        return self.goods + self.freight + self.duty + self.tax


def landed_cost(
    destination: Destination,
    goods: Decimal,
    currency: str,
    rates: ExchangeRates,
    *,
    freight: Decimal = ZERO,
    tariff_lines: int = 1,
    duty_percent: Decimal | None = None,
    tax_percent: Decimal | None = None,
) -> LandedCost:
    """Duty and tax on a parcel of `goods` with `freight`, both in `currency`, to consumers in `destination`.

    `duty_percent` is the tariff's rate for these goods, `tariff_lines` how many tariff classes are in the
    parcel. `tax_percent` is the rate of the buyer's state where the table has a range.

    Raises:
        UnknownRateError: the tariff's rate or the tax rate is needed and not given.
        NoRateError: there is no exchange rate for a currency.
    """
    duty = _duty(destination, goods, freight, currency, rates, tariff_lines, duty_percent)
    tax = _tax(destination, goods, freight, duty, currency, rates, tax_percent)
    return LandedCost(goods, freight, duty, tax, currency)


def _duty(
    destination: Destination,
    goods: Decimal,
    freight: Decimal,
    currency: str,
    rates: ExchangeRates,
    tariff_lines: int,
    percent: Decimal | None,
) -> Decimal:
    rule = destination.duty

    def local(amount: Decimal) -> Decimal:
        return exchange(amount, rule.currency, currency, rates)

    if rule.per_line is not None and (rule.per_line_up_to is None or goods <= local(rule.per_line_up_to)):
        return rounded(local(rule.per_line) * tariff_lines, currency)
    if rule.free_up_to is not None and goods <= local(rule.free_up_to):
        return rounded(ZERO, currency)
    is_flat = rule.flat_percent is not None and (rule.flat_up_to is None or goods + freight <= local(rule.flat_up_to))
    rate = rule.flat_percent if is_flat else percent
    if rate is None:
        raise UnknownRateError("duty")
    taxed = goods if rule.threshold_takes_all else goods - local(rule.free_up_to or ZERO)
    return rounded((taxed + (freight if rule.value_with_freight else ZERO)) * rate / HUNDRED, currency)


def _tax(
    destination: Destination,
    goods: Decimal,
    freight: Decimal,
    duty: Decimal,
    currency: str,
    rates: ExchangeRates,
    percent: Decimal | None,
) -> Decimal:
    rule = destination.tax
    if rule.free_up_to and goods <= exchange(rule.free_up_to, rule.currency, currency, rates):
        return rounded(ZERO, currency)
    rate = percent if percent is not None else rule.percent
    if rate is None or (percent is None and rule.percent_max is not None):
        raise UnknownRateError("tax")
    base = goods + (freight if rule.with_freight else ZERO) + (duty if rule.with_duty else ZERO)
    if rule.inside:
        return rounded(rounded(base / (1 - rate / HUNDRED), currency) - base, currency)
    return rounded(base * rate / HUNDRED, currency)
