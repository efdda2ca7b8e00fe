"""The typed shapes of fee schedules: what is charged, on what, when, and where the figure comes from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from knowledge.models import Confidence, CountryCode, Identifier, PartialDate, Strict

Percent = Annotated[Decimal, Field(ge=0, le=100)]
Amount = Annotated[Decimal, Field(ge=0)]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
CategoryId = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=16)]
PlanId = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=12)]


class FeeKind(StrEnum):
    """What a fee is for, in the words of the trade; every kind has a translated name."""

    LISTING = "listing"
    COMMISSION = "commission"
    CLOSING = "closing"
    ITEM = "item"
    ORDER = "order"
    PAYMENT = "payment"
    REGULATORY = "regulatory"
    INTERNATIONAL = "international"
    CONVERSION = "conversion"
    SUBSCRIPTION = "subscription"
    SETUP = "setup"
    DEPOSIT = "deposit"
    FULFILMENT = "fulfilment"
    STORAGE = "storage"
    SHIPPING = "shipping"
    ADVERTISING = "advertising"
    AFFILIATE = "affiliate"
    TAX = "tax"
    RECEIVING = "receiving"
    WITHDRAWAL = "withdrawal"
    PAYOUT = "payout"
    REFUND = "refund"
    DISPUTE = "dispute"
    MESSAGE = "message"


class Per(StrEnum):
    """How often a fee falls due. `EVENT`: only when the thing named by the fee's kind happens, as with a refund."""

    ITEM = "item"
    ORDER = "order"
    PAYOUT = "payout"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"
    ONCE = "once"
    EVENT = "event"


MONTHS = {Per.MONTH: 1, Per.QUARTER: 3, Per.HALF_YEAR: 6, Per.YEAR: 12}
"""Months that one payment of a recurring fee covers."""


class When(StrEnum):
    """On which sales a fee falls due: all; or only if the seller chose it, the buyer is abroad, money is changed."""

    ALWAYS = "always"
    OPTIONAL = "optional"
    EXPORT = "export"
    CONVERSION = "conversion"


class Base(StrEnum):
    """What a percentage is taken of. `FEES`: of the other fees, as value added tax is; `NET`: of what is left."""

    PRICE = "price"
    SHIPPING = "shipping"
    TAX = "tax"
    FEES = "fees"
    NET = "net"


class Mode(StrEnum):
    """How tiers work: each rate on its own slice of the total, or the rate of the total's band on all of it."""

    SLICE = "by-slice"
    WHOLE = "whole-total"


class Tier(Strict):
    """One band, up to and including `up_to` (None: no upper end)."""

    up_to: Amount | None = None
    percent: Percent = Decimal(0)
    fixed: Amount = Decimal(0)


class Charge(Strict):
    """How much: a percentage, a fixed sum, both, or tiers of them; `*_max` is the upper end of a published range.

    Nothing at all means that the fee exists but its figure is not known. `currency` (ISO 4217) is that of
    `fixed`, `minimum`, `maximum` and the tiers' bounds; without one it is the store's.
    """

    percent: Percent | None = None
    percent_max: Percent | None = None
    fixed: Amount | None = None
    fixed_max: Amount | None = None
    minimum: Amount | None = None
    maximum: Amount | None = None
    tiers: tuple[Tier, ...] = ()
    mode: Mode | None = None
    currency: CurrencyCode | None = None

    @property
    def is_known(self) -> bool:
        """False when the figure is missing."""
        return self.percent is not None or self.fixed is not None or bool(self.tiers)

    @model_validator(mode="after")
    def _sound(self) -> Charge:
        if bool(self.tiers) != (self.mode is not None):
            raise ValueError("tiers: give tiers and mode together")
        if self.tiers:
            bounds = [tier.up_to for tier in self.tiers]
            if None in bounds[:-1] or bounds[-1] is not None:
                raise ValueError("tiers: only the last one has no up_to")
            finite = [bound for bound in bounds if bound is not None]
            if finite != sorted(set(finite)):
                raise ValueError("tiers: up_to must rise")
            if self.percent is not None or self.fixed is not None:
                raise ValueError("tiers: no percent or fixed beside them")
        for low, high, name in (
            (self.percent, self.percent_max, "percent_max"),
            (self.fixed, self.fixed_max, "fixed_max"),
        ):
            if high is not None and (low is None or high < low):
                raise ValueError(f"{name}: needs a lower end that is not above it")
        return self


class Rate(Charge):
    """A charge for some sales only: all conditions that are given must hold, and the first such rate counts.

    `category` are ids of `facts/categories.yaml` or of the platform's own; `named` is the platform's name for
    them. `sellers` and `buyers` are ISO 3166 codes. `price_below` is a bound on the item's price, in the charge's
    currency. `since` and `until` are the first and the last day.
    """

    category: tuple[CategoryId, ...] = ()
    named: str | None = None
    sellers: tuple[CountryCode, ...] = ()
    buyers: tuple[CountryCode, ...] = ()
    plans: tuple[PlanId, ...] = ()
    price_below: Amount | None = None
    since: date | None = None
    until: date | None = None
    source: Identifier | None = None
    as_of: PartialDate | None = None
    confidence: Confidence | None = None


class Fee(Charge):
    """One fee. A single charge stands in the fee itself; several stand in `rates`, the one without conditions last.

    Where no rate fits, the fee is not charged if `otherwise` is `none`, else its figure is not known.
    `name` is the platform's own, as it stands on statements. `source` names an entry of the file's `sources`.
    """

    id: Identifier
    name: str = Field(min_length=3, max_length=60)
    kind: FeeKind
    per: Per = Per.ORDER
    when: When = When.ALWAYS
    of: tuple[Base, ...] = (Base.PRICE, Base.SHIPPING)
    plans: tuple[PlanId, ...] = ()
    sellers: tuple[CountryCode, ...] = ()
    inside_rate: bool = False
    rates: tuple[Rate, ...] = ()
    otherwise: Literal["none", "unknown"] = "unknown"
    source: Identifier
    as_of: PartialDate
    confidence: Confidence
    note: str | None = Field(default=None, max_length=300)

    @model_validator(mode="after")
    def _one_way(self) -> Fee:
        if self.rates and self.is_known:
            raise ValueError("rates: a fee has either rates or one charge of its own")
        if self.inside_rate and self.kind is not FeeKind.CONVERSION:
            raise ValueError("inside_rate: only a conversion can be hidden in the exchange rate")
        return self

    @property
    def charges(self) -> tuple[Rate, ...]:
        """All rates; a single charge as a rate without conditions."""
        if self.rates:
            return self.rates
        own = {name: getattr(self, name) for name in Charge.model_fields}
        return (Rate(**own),)
