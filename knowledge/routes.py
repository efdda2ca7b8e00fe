"""Other ways to sell for those who are shut out of a platform, or do not want it: one file, read into typed shapes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from knowledge.models import CountryCode, Identifier, Strict
from knowledge.sourced import Area, Label, Prose, Sourced, WithSources
from knowledge.tariff import CategoryId


class Example(Sourced):
    """Who went that way, and what came of it."""

    text: Prose


class Risk(Strict):
    """What can go wrong, and how to guard against it."""

    risk: Prose
    guard: Prose


class Route(Sourced):
    """One way to sell.

    `countries` is where it exists; `goods` the kinds it is good for (`*` for all), `not_goods` those it does not take.
    `needs_group`: it is for several firms together. `shows` adds what the tables know for the seller's country: the
    platforms of `platforms` that are open there, services that take payments there, or bodies that help there.
    """

    id: Identifier
    title: Label
    what: Prose
    best_for: Prose
    countries: tuple[Area, ...] = ("*",)
    goods: tuple[CategoryId | Literal["*"], ...] = ("*",)
    not_goods: tuple[CategoryId, ...] = ()
    needs_group: bool = False
    shows: Literal["platforms", "payments", "bodies"] | None = None
    platforms: tuple[Identifier, ...] = ()
    steps: tuple[Prose, ...] = Field(min_length=3, max_length=6)
    risks: tuple[Risk, ...] = Field(min_length=1, max_length=6)
    examples: tuple[Example, ...] = Field(min_length=1, max_length=3)
    documents: tuple[Identifier, ...] = ()

    def fits(self, country: CountryCode | None, category: CategoryId | None) -> bool:
        """True when it exists in `country` and takes goods of `category`; None counts as fitting."""
        there = "*" in self.countries or country is None or country in self.countries
        return there and category not in self.not_goods

    def suits(self, country: CountryCode | None, category: CategoryId | None) -> int:
        """How well it suits, for sorting: named goods before any, a named country before everywhere."""
        return 2 * (category in self.goods) + (country in self.countries)


class Routes(WithSources):
    """All ways, the most widely open first."""

    routes: tuple[Route, ...] = ()

    def route(self, id: str) -> Route | None:
        """The route with that id."""
        return next((each for each in self.routes if each.id == id), None)
