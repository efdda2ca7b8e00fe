"""Which platform suits a seller: a plain score over the fact tables, and the plan for the first month.

What counts, and how much, stands in `facts/choosing.yaml`, so that an agency can read and change it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from knowledge.models import CountryCode, Identifier, Strict
from knowledge.sourced import Label, Prose, Sourced, WithSources
from knowledge.tariff import Amount, CategoryId, CurrencyCode

Model = Literal["marketplace", "own-shop", "wholesale", "social"]
"""How one sells: on a marketplace, in a shop of one's own, in bulk to traders, or by posts and chat."""

Owned = Literal["company", "card", "bank", "mobile-money", "english"]
"""What a seller may have already: a registered company, a bank card, a bank account, mobile money, some English."""


class Criterion(StrEnum):
    """What the score is made of."""

    OPEN = "open"
    PAYOUT = "payout"
    REACH = "reach"
    GOODS = "goods"
    COST = "cost"
    NEEDS = "needs"
    VOLUME = "volume"
    LANGUAGE = "language"


class Candidate(Sourced):
    """A platform that can be advised. `goods` are the kinds it is known for (`*`: all alike); `units` the pieces a
    month that it suits, from and to; `english`: whether the seller has to write English there.

    `markets` are buyers' countries in which it really sells, besides those its stores name.
    """

    platform: Identifier
    model: Model
    goods: tuple[CategoryId | Literal["*"], ...] = Field(min_length=1)
    units: tuple[int, int]
    english: bool = True
    markets: tuple[CountryCode, ...] = ()
    why: Prose
    risk: Prose
    first_step: Prose
    not_when: Prose
    document: Identifier | None = None


class PlanStep(Sourced):
    """One step of the first month. `models` says for which ways of selling; `cost`, `risk` and `not_when` are
    plain sentences."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=16)]
    week: int = Field(ge=1, le=4)
    title: Label
    do: Prose
    cost: Prose
    risk: Prose
    not_when: Prose
    models: tuple[Model, ...] = ("marketplace", "own-shop", "wholesale", "social")
    document: Identifier | None = None


class TypicalSale(Strict):
    """The sale on which fees are compared when the seller has not named a price."""

    price: Amount
    currency: CurrencyCode


class Choosing(WithSources):
    """The score and what it is about. `weights` are points for a criterion that is met in full.

    `no_cost_above`: the share of fees (in percent of the sale) at which the points for cost are used up.
    """

    weights: dict[Criterion, int]
    typical_sale: TypicalSale
    no_cost_above: int = Field(gt=0, le=100)
    candidates: tuple[Candidate, ...]
    plan: tuple[PlanStep, ...]

    @model_validator(mode="after")
    def _whole(self) -> Choosing:
        missing = set(Criterion) - set(self.weights)
        if missing:
            raise ValueError(f"weights.{min(missing)}: is missing")
        for name, ids in (
            ("candidates", [each.platform for each in self.candidates]),
            ("plan", [each.id for each in self.plan]),
        ):
            twice = {id for id in ids if ids.count(id) > 1}
            if twice:
                raise ValueError(f"{name}: {min(twice)!r} is used twice")
        return self
