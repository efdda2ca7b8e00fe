"""Find the platforms, payment providers and countries that a text names, in any supported language.

Names come from the fact tables and, for countries, from CLDR; small typing slips are forgiven.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Literal

from babel import Locale
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from knowledge.facts import Facts
from knowledge.lexicon import folded, lexicons
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
_NO_NAMES = folded("no_names")
SHORT_NAME = 4
"""Letters of a name that is so short that in another language it is a word: Vietnamese "Úc" is Australia."""
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
    only_in: str | None = None


@dataclass(frozen=True)
class _Around:
    """Words around a place that tell what it is, in one language and in English, which people mix in."""

    to: frozenset[str]
    to_after: frozenset[str]
    coming_from: frozenset[str]
    coming_from_after: frozenset[str]
    origin: frozenset[str]
    between: frozenset[str]
    buyers: frozenset[str]


@cache
def _around(language: str) -> _Around:
    def of(*names: str) -> frozenset[str]:
        return frozenset(word for name in names for code in (language, "en") for word in folded(name, code))

    return _Around(
        of("to"), of("to_after"), of("from_"), of("from_after"), of("from_", "in_"), of("between"), of("buyers")
    )


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
        for key, (code, languages) in _country_names().items():
            names[key] = _Name("country", code, _AMBIGUOUS_COUNTRIES.get(code, ()), _only_in(key, languages))
        for country in self.facts.countries:
            for spelling in (country.name, *country.aliases):
                names[_key(spelling)] = _Name(
                    "country", country.iso, country.ambiguous_in or _AMBIGUOUS_COUNTRIES.get(country.iso, ())
                )
        spellings = _spellings("services")
        for kind, things in (("payment", self.facts.payments), ("platform", self.facts.platforms)):
            for thing in things:
                for spelling in (thing.name, *thing.aliases):
                    names[_key(spelling)] = _Name(kind, thing.id, thing.ambiguous_in)
                for key, languages in spellings.get(thing.id, {}).items():
                    names.setdefault(key, _Name(kind, thing.id, only_in=_only_in(key, languages)))
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
        return self._sort(self._mentions(shown, tokens, language), tokens, _around(language))

    def names_in(self, text: str, language: str = "en") -> frozenset[str]:
        """The words, folded, of all names in `text`."""
        shown = tokens_of(visible(text))
        tokens = [_key(token) for token in shown]
        found = self._mentions(shown, tokens, language)
        return frozenset(
            word for at, length, _ in found for token in tokens[at : at + length] for word in token.split()
        )

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
        if name and (name.only_in not in (None, language) or key in folded("no_names", language)):
            return None
        if name and not (language in name.ambiguous_in and not shown[0][:1].isupper()):
            return name
        if name is None and len(tokens) == 1:
            return self._misspelt(key)
        return None

    def _without_article(self, key: str) -> _Name | None:
        # Arabic writes its article and "in", "from", "to" onto the word; Romance languages elide theirs; Bengali and
        # others write what stands for "in" and "of" behind it.
        for prefix in ("l'", "d'") if key.isascii() else _PREFIXES:
            if key.startswith(prefix) and len(key) - len(prefix) >= 3:
                rest = key.removeprefix(prefix)
                for candidate in (rest, "ال" + rest):
                    if candidate in self._names:
                        return self._names[candidate]
        for suffix in () if key.isascii() else _SUFFIXES:
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

    def _sort(self, found: Iterable[tuple[int, int, _Name]], tokens: Sequence[str], around: _Around) -> Entities:
        kinds: dict[str, dict[str, None]] = {"platform": {}, "payment": {}, "country": {}, "market": {}, "origin": {}}
        for at, length, name in found:
            kind = name.kind
            if kind == "country":
                before = [token for token in tokens[max(0, at - 2) : at] if token in around.to | around.origin]
                behind = "".join(tokens[at + length : at + length + 1])
                towards = (bool(before) and before[-1] in around.to) or behind in around.to_after
                kind = "market" if name.id in BUYER_MARKETS or towards else "country"
                ahead = list(tokens[max(0, at - 2) : at])
                if ahead and ahead[-1] in around.between:
                    ahead.pop()
                comes_from = (ahead and ahead[-1] in around.coming_from) or behind in around.coming_from_after
                if comes_from and tokens[at] not in around.buyers:
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


def _country_names() -> dict[str, tuple[str, set[str]]]:
    """The code of each name of a country, or of a city that stands for it, and the languages that have the name."""
    found: dict[str, tuple[str, set[str]]] = {}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("QO", "ZZ", "XA", "XB", "EZ", "UN"):
                found.setdefault(_key(name), (code, set()))[1].add(language)
    for code, keys in _spellings("places").items():
        for key, languages in keys.items():
            found[key] = (code, languages | (found[key][1] if key in found else set()))
    return found


def _spellings(table: Literal["places", "services"]) -> dict[str, dict[str, set[str]]]:
    """What a table of the lexicons calls each thing, and in which languages."""
    found: dict[str, dict[str, set[str]]] = {}
    for language, lexicon in lexicons().items():
        for id, spellings in getattr(lexicon, table).items():
            for spelling in spellings:
                found.setdefault(id, {}).setdefault(_key(spelling), set()).add(language)
    return found


def _only_in(key: str, languages: set[str]) -> str | None:
    is_short = key.isascii() and len(key) <= SHORT_NAME and len(languages) == 1 and "en" not in languages
    return next(iter(languages)) if is_short else None
