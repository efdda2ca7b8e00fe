"""Find the platforms, payment providers and countries that a text names, in any supported language.

Names come from the fact tables and, for countries, from CLDR; small typing slips are forgiven.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from babel import Locale
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from knowledge.facts import Facts
from knowledge.lexicon import folded, gathered
from knowledge.models import LANGUAGES
from knowledge.normalise import fold, visible, words
from knowledge.normalise import tokens as tokens_of

EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
    ]
)
"""ISO 3166 codes of the European Union's members (https://european-union.europa.eu, 2026)."""

_DOMAIN = re.compile(r"\.(com|co|org|net|[a-z]{2})(\.[a-z]{2})?$")
_CAPITAL_CODES = {"US": "US", "UK": "GB", "EU": "EU", "UE": "EU", "UAE": "AE", "EEUU": "US", "RDC": "CD"}
_AMBIGUOUS_COUNTRIES = {"ML": ("sw",), "GE": (), "JO": (), "TD": ("en",), "TR": ("en",), "PE": ("sw",)}
BUYER_MARKETS = EU | frozenset(
    [
        "EU",
        "US",
        "CA",
        "GB",
        "CH",
        "NO",
        "IS",
        "AU",
        "NZ",
        "JP",
        "KR",
        "SG",
        "HK",
        "TW",
        "CN",
        "AE",
        "SA",
        "QA",
        "KW",
        "BH",
        "OM",
        "IL",
        "RU",
        "TR",
    ]
)
"""Places to which sellers in developing countries mostly sell; elsewhere a country is taken for the seller's own."""
_DESTINATION, _DESTINATION_AFTER = folded("to"), folded("to_after")
_NO_NAMES = frozenset(
    [
        "jamani",
        "kinda",
        "candy",
        "china's",
        "indican",
        "indiana",
        "burkini",
        "chapas",
        "chispas",
        "nigerien",
        "barbarian",
        "barbarians",
        "kanda",
        "bolivariano",
        "bolivariana",
        "salta",
    ]
)
"""Everyday words that are a slip away from a name."""
_COMING_FROM, _COMING_FROM_AFTER = folded("from_"), folded("from_after")
_BETWEEN = folded("between")
_ORIGIN = folded("from_") | folded("in_")
_PREFIXES = sorted(folded("prefixes"), key=len, reverse=True)
_SUFFIXES = sorted(folded("suffixes"), key=len, reverse=True)


@dataclass(frozen=True)
class Entities:
    """What a text names: ids of the fact tables and ISO 3166 codes (`EU` as a market).

    `origins` are those of the countries and markets that somebody or something comes from ("from Germany").
    """

    platforms: tuple[str, ...] = ()
    payments: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    origins: tuple[str, ...] = field(default=(), compare=False)

    def __bool__(self) -> bool:
        return bool(self.platforms or self.payments or self.countries or self.markets)

    def or_else(self, earlier: Entities) -> Entities:
        """These entities, each kind that is empty taken from `earlier`."""
        return Entities(
            platforms=self.platforms or (() if self.payments and not self.platforms else earlier.platforms),
            payments=self.payments or (() if self.platforms else earlier.payments),
            countries=self.countries or earlier.countries,
            markets=self.markets or earlier.markets,
        )


@dataclass(frozen=True)
class _Name:
    kind: str
    id: str
    ambiguous_in: tuple[str, ...] = ()


@dataclass
class Gazetteer:
    """Names of all known things, ready to be looked up.

    `vocabulary` holds folded words that are never taken for a misspelt name.
    """

    facts: Facts
    vocabulary: Collection[str] = field(default_factory=frozenset)

    @cached_property
    def _names(self) -> dict[str, _Name]:
        names: dict[str, _Name] = {}
        for code, spelling in _country_names():
            names.setdefault(_key(spelling), _Name("country", code, _AMBIGUOUS_COUNTRIES.get(code, ())))
        for country in self.facts.countries:
            for spelling in (country.name, *country.aliases):
                names[_key(spelling)] = _Name(
                    "country", country.iso, country.ambiguous_in or _AMBIGUOUS_COUNTRIES.get(country.iso, ())
                )
        spellings = gathered("services")
        for kind, things in (("payment", self.facts.payments), ("platform", self.facts.platforms)):
            for thing in things:
                for spelling in (*spellings.get(thing.id, ()), thing.name, *thing.aliases):
                    names[_key(spelling)] = _Name(kind, thing.id, thing.ambiguous_in)
        return {key: name for key, name in names.items() if key}

    @cached_property
    def _abbreviations(self) -> dict[str, _Name]:
        return {short: _Name("platform", each.id) for each in self.facts.platforms for short in each.abbreviations}

    @cached_property
    def _longest(self) -> int:
        return max(key.count(" ") + 1 for key in self._names)

    @cached_property
    def _fuzzy(self) -> list[str]:
        return [key for key in self._names if " " not in key and len(key) >= 5]

    @cached_property
    def _profiled(self) -> frozenset[str]:
        return frozenset(country.iso for country in self.facts.countries)

    def find(self, text: str, language: str = "en") -> Entities:
        """The entities that `text` names; `language` (ISO 639-1) decides about ambiguous names."""
        shown = tokens_of(visible(text))
        tokens = [_key(token) for token in shown]
        return self._sort(self._mentions(shown, tokens, language), tokens)

    def without(self, text: str, replaced: Entities, language: str = "en") -> str:
        """`text` without the names of each kind that `replaced` has entities of."""
        shown = tokens_of(visible(text))
        kinds = {
            "platform": bool(replaced.platforms or replaced.payments),
            "payment": bool(replaced.platforms or replaced.payments),
            "country": bool(replaced.countries or replaced.markets),
        }
        dropped: set[int] = set()
        for at, length, name in self._mentions(shown, [_key(token) for token in shown], language):
            if kinds[name.kind]:
                dropped.update(range(at, at + length))
        return " ".join(word for at, word in enumerate(shown) if at not in dropped)

    def _mentions(self, shown: Sequence[str], tokens: Sequence[str], language: str) -> Iterable[tuple[int, int, _Name]]:
        at = 0
        while at < len(tokens):
            step = 1
            for length in range(min(self._longest, len(tokens) - at), 0, -1):
                name = self._name(tokens[at : at + length], shown[at : at + length], language)
                if name:
                    yield at, length, name
                    step = length
                    break
            at += step

    def _name(self, tokens: Sequence[str], shown: Sequence[str], language: str) -> _Name | None:
        if len(tokens) == 1:
            bare = shown[0].strip(".,;:!?()\"'")
            if bare in _CAPITAL_CODES:
                return _Name("country", _CAPITAL_CODES[bare])
            if bare in self._abbreviations:
                return self._abbreviations[bare]
        key = " ".join(token for token in tokens if token)
        bare_key = _DOMAIN.sub("", key).removesuffix("'s")
        name = self._names.get(key) or self._without_article(key) or self._names.get(bare_key)
        if name and not (language in name.ambiguous_in and not shown[0][:1].isupper()):
            return name
        if name is None and len(tokens) == 1:
            return self._misspelt(key)
        return None

    def _without_article(self, key: str) -> _Name | None:
        # Arabic writes its article and "in", "from", "to" onto the word; Romance languages elide theirs; Bengali and
        # others write what stands for "in" and "of" behind it.
        for prefix in (*_PREFIXES, "l'", "d'"):
            if key.startswith(prefix) and len(key) - len(prefix) >= 3:
                rest = key.removeprefix(prefix)
                for candidate in (rest, "ال" + rest):
                    if candidate in self._names:
                        return self._names[candidate]
        for suffix in _SUFFIXES:
            if key.endswith(suffix) and len(key) - len(suffix) >= 3 and key.removesuffix(suffix) in self._names:
                return self._names[key.removesuffix(suffix)]
        return None

    def _misspelt(self, key: str) -> _Name | None:
        if len(key) < 5 or key in self.vocabulary or key in _NO_NAMES or not key.isalpha():
            return None
        slips = 1 if len(key) < 10 else 2
        near = process.extract(key, self._fuzzy, scorer=OSA.distance, score_cutoff=slips, limit=5)
        names = [
            (distance, self._names[spelling].id not in self._profiled, spelling)
            for spelling, distance, _ in near
            if spelling[0] == key[0] and fuzz.ratio(key, spelling) >= 80
        ]
        return self._names[min(names)[2]] if names else None  # of two equally near, a country we know more about

    def _markets_of_domains(self, tokens: Sequence[str]) -> list[str]:
        """Countries of domains such as "amazon.co.uk" or "ebay.de", when the name before is a platform's."""
        found = []
        for token in tokens:
            match = _DOMAIN.search(token)
            name = self._names.get(token[: match.start()]) if match else None
            if match and name and name.kind == "platform":
                code = (match[2] or f".{match[1]}").lstrip(".").upper()
                code = {"UK": "GB"}.get(code, code)
                if code in BUYER_MARKETS or code in self._profiled:
                    found.append(code)
        return found

    def _sort(self, found: Iterable[tuple[int, int, _Name]], tokens: Sequence[str]) -> Entities:
        kinds: dict[str, dict[str, None]] = {"platform": {}, "payment": {}, "country": {}, "market": {}, "origin": {}}
        for at, length, name in found:
            kind = name.kind
            if kind == "country":
                before = [token for token in tokens[max(0, at - 2) : at] if token in _DESTINATION | _ORIGIN]
                behind = "".join(tokens[at + length : at + length + 1])
                towards = (bool(before) and before[-1] in _DESTINATION) or behind in _DESTINATION_AFTER
                kind = "market" if name.id in BUYER_MARKETS or towards else "country"
                ahead = list(tokens[max(0, at - 2) : at])
                if ahead and ahead[-1] in _BETWEEN:
                    ahead.pop()
                if (ahead and ahead[-1] in _COMING_FROM) or behind in _COMING_FROM_AFTER:
                    kinds["origin"][name.id] = None  # not "from a customer in Canada"
            kinds[kind][name.id] = None
        kinds["market"] |= dict.fromkeys(self._markets_of_domains(tokens))
        return Entities(
            platforms=tuple(kinds["platform"]),
            payments=tuple(kinds["payment"]),
            countries=tuple(kinds["country"]),
            markets=tuple(kinds["market"]),
            origins=tuple(kinds["origin"]),
        )

    def country(self, text: str) -> str | None:
        """The one country that `text` names as a whole (a reply to "which country?"), or None."""
        entities = self.find(text)
        named = {**dict.fromkeys(entities.countries), **dict.fromkeys(entities.markets)}
        return next(iter(named)) if len(named) == 1 else None

    def markets(self, text: str) -> tuple[str, ...]:
        """All countries that `text` names as places to sell to."""
        entities = self.find(text)
        return tuple(dict.fromkeys((*entities.markets, *entities.countries)))


def _key(spelling: str) -> str:
    return " ".join(words(fold(spelling.strip(".,;:!?()\"'؟،"))))


def _country_names() -> Iterable[tuple[str, str]]:
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("QO", "ZZ", "XA", "XB", "EZ", "UN"):
                yield code, name
    for code, aliases in gathered("places").items():
        for alias in aliases:
            yield code, alias
