"""The fact tables: one YAML file a thing, read into typed shapes.

Here are the names and aliases of platforms, payment providers and countries, and the directory of
trade-support institutions.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from knowledge.models import Confidence, CountryCode, Identifier, PartialDate, Strict
from knowledge.settings import ROOT

FACTS = ROOT / "knowledge" / "facts"


class FactsError(Exception):
    """A fact file is wrong; the message names file and field."""


class Named(Strict):
    """A thing that people call by several names.

    `ambiguous_in` lists languages (ISO 639-1) in which the name or an alias is also an everyday word, so
    that it counts there only when it is written with a capital letter.
    """

    name: str = Field(min_length=2)
    aliases: tuple[str, ...] = ()
    ambiguous_in: tuple[str, ...] = ()


class Service(Named):
    """Something that sellers use and documents are tagged with by its `id`."""

    id: Identifier
    kind: str


class Platform(Service):
    """A place to sell."""


class PaymentProvider(Service):
    """A way to be paid."""


class Citation(Strict):
    """The page on which an institution's entry rests."""

    title: str
    url: str
    as_of: PartialDate


class Institution(Strict):
    """A body that helps exporters. `confidence` speaks of the name and web address."""

    name: str
    kind: str
    what_for: str
    url: str | None
    as_of: PartialDate
    confidence: Confidence
    source: Citation | None = None


class Country(Named):
    """A seller's country (`iso` is ISO 3166 alpha-2) with those who help there, the most fitting first."""

    iso: CountryCode
    currency: str
    languages: tuple[str, ...]
    institutions: tuple[Institution, ...] = Field(min_length=1)


_Shape = TypeVar("_Shape", bound=Strict)


def _load(folder: Path, shape: type[_Shape]) -> tuple[_Shape, ...]:
    found = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(shape.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))))
        except (yaml.YAMLError, ValidationError) as error:
            detail = error.errors()[0] if isinstance(error, ValidationError) else None
            where = ".".join(map(str, detail["loc"])) if detail else "YAML"
            raise FactsError(f"{path}: {where}: {detail['msg'] if detail else error}") from error
    return tuple(found)


def _everywhere(path: Path) -> tuple[Institution, ...]:
    try:
        return TypeAdapter(tuple[Institution, ...]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise FactsError(f"{path}: {error}") from error


class Facts(Strict):
    """All fact tables; `everywhere` are bodies that help whatever the seller's country."""

    platforms: tuple[Platform, ...]
    payments: tuple[PaymentProvider, ...]
    countries: tuple[Country, ...]
    everywhere: tuple[Institution, ...]

    def country(self, iso: str | None) -> Country | None:
        """The entry of a seller's country by ISO 3166 alpha-2 code, or None."""
        return next((country for country in self.countries if country.iso == iso), None)


@lru_cache(maxsize=4)
def load_facts(folder: Path = FACTS) -> Facts:
    """Read all fact tables below `folder`.

    Raises:
        FactsError: a file is not valid; the message names file and field.
    """
    return Facts(
        platforms=_load(folder / "platforms", Platform),
        payments=_load(folder / "payments", PaymentProvider),
        countries=_load(folder / "countries", Country),
        everywhere=_everywhere(folder / "everywhere.yaml"),
    )
