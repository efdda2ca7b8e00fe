"""Sums of money: rounding to the currency's unit, and exchange at the rates of one day."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from babel.numbers import get_currency_precision, get_territory_currencies

from knowledge.facts import ExchangeRates, Facts


@dataclass(frozen=True)
class Money:
    """An amount with its currency (ISO 4217)."""

    amount: Decimal
    currency: str


class NoRateError(Exception):
    """There is no exchange rate for a currency; the message is its code."""


@lru_cache(maxsize=256)
def smallest_unit(currency: str) -> Decimal:
    """The smallest sum that can be paid in `currency`: 0.01 of most, 1 of VND."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` rounded half up to the smallest unit of `currency` by CLDR: two digits for most, none for VND."""
    return amount.quantize(smallest_unit(currency), ROUND_HALF_UP)


def currency_of(country: str | None, facts: Facts) -> str | None:
    """The currency in use in a country (ISO 3166): by its fact table, else by CLDR."""
    if country is None:
        return None
    entry = facts.country(country)
    if entry is not None:
        return entry.currency
    in_use = get_territory_currencies(country)
    return in_use[0] if in_use else None


def exchange(amount: Decimal, source: str, target: str, rates: ExchangeRates) -> Decimal:
    """`amount` of `source` in `target` (ISO 4217) at the mid rate, not rounded.

    Raises:
        NoRateError: there is no rate for one of them.
    """
    if source == target:
        return amount
    for currency in (source, target):
        if currency not in rates.per_usd:
            raise NoRateError(currency)
    return amount * rates.rate(source, target)
