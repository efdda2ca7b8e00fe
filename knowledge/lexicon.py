"""What the reading of messages knows of each language: its small words, places, money and days.

One file a language in `languages/`. Words are folded when they are read, and matched on folded text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from babel import Locale
from pydantic import ConfigDict, Field

from knowledge.models import LANGUAGES, Strict
from knowledge.normalise import fold

FOLDER = Path(__file__).parent / "languages"

Words = tuple[str, ...]


def _kebab(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


class Lexicon(Strict):
    """The words of one language.

    `function_words` carry no subject and tell which language a message is in; `shared` ones carry none either, but
    stand in other languages, too. A follow-up opens with one of `opens_follow_up`, points back with one of `points`,
    and `fills_follow_up` say nothing in it.
    Before a place stand `to`, `from_` or `in_`, and `between` that and the place; `to_after` and `from_after` stand
    behind it; `buyers` are words for customers, for who is paid by one "from America" does not sell from there.
    `prefixes` and `suffixes` are written onto names; `no_names` are everyday words that look like a name, or are a
    slip away from one. `places` are other names of countries, and cities (ISO 3166 alpha-2), `services` other
    spellings of platforms and payment services (ids).
    `units` are names that several currencies share ("Dollar": ...), `currencies` those of one (ISO 4217); `magnitudes`
    words for a thousand, a lakh. `shipping` to `percent` stand around sums of money (`priced_by` behind a bare number,
    so that it is one), `range` between two. `days_ago` counts the days from a word to today.
    """

    model_config = ConfigDict(alias_generator=_kebab)

    function_words: Words
    shared: Words = ()
    opens_follow_up: Words
    fills_follow_up: Words = ()
    points: Words
    to: Words = ()
    to_after: Words = ()
    from_: Words = ()
    from_after: Words = ()
    in_: Words = ()
    between: Words = ()
    buyers: Words = ()
    prefixes: Words = ()
    suffixes: Words = ()
    no_names: Words = ()
    places: dict[str, Words] = Field(default_factory=dict)
    services: dict[str, Words] = Field(default_factory=dict)
    units: dict[str, Words] = Field(default_factory=dict)
    currencies: dict[str, Words] = Field(default_factory=dict)
    magnitudes: dict[int, Words] = Field(default_factory=dict)
    shipping: Words
    free: Words
    without: Words
    included: Words = ()
    pieces: Words
    month: Words = ()
    every: Words = ()
    per_month: Words = ()
    and_with: Words
    before_price: Words
    after_price: Words
    priced_by: Words = ()
    range: Words = ()
    since: Words = ()
    percent: Words = ()
    days_ago: dict[str, int] = Field(default_factory=dict)
    none: Words = ()
    all: Words = ()
    small_talk: Words = ()


@cache
def lexicons() -> dict[str, Lexicon]:
    """The lexicon of each language (ISO 639-1), in the order of `LANGUAGES`.

    Raises:
        OSError, yaml.YAMLError, pydantic.ValidationError: a file is not valid (they are part of the program).
    """
    return {
        language: Lexicon.model_validate(
            yaml.load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
        )
        for language in LANGUAGES
    }


@cache
def folded(name: str, language: str | None = None) -> frozenset[str]:
    """The words of the list `name` (an attribute of `Lexicon`), folded: of one language, or of all."""
    chosen = (lexicons()[language],) if language else lexicons().values()
    return frozenset(fold(word) for lexicon in chosen for word in getattr(lexicon, name))


def gathered(name: str) -> dict[Any, Words]:
    """A table of words by key (`places`, `units`, ...) of all languages together, folded."""
    found: dict[Any, dict[str, None]] = {}
    for lexicon in lexicons().values():
        for key, words in getattr(lexicon, name).items():
            found.setdefault(key, {}).update(dict.fromkeys(map(fold, words)))
    return {key: tuple(words) for key, words in found.items()}


def language_called(text: str) -> str | None:
    """The language (ISO 639-1) that `text` names by its code, or by its name in any of our languages."""
    return _names_of_languages().get(fold(text).strip(" .!"))


@cache
def _names_of_languages() -> dict[str, str]:
    names = {code: code for code in LANGUAGES}
    for code in LANGUAGES:
        for language in LANGUAGES:
            names[fold(str(Locale(language).languages[code]))] = code
    return names


def whole(words: Iterable[str]) -> str:
    """A regular expression for any of the folded `words`, standing alone where its script has spaces."""
    return _any(map(_alone, words))


def inside(words: Iterable[str]) -> str:
    """A regular expression for any of the folded `words`: alone, or in scripts that write small words onto others
    (Arabic) also inside of one."""
    return _any(map(_inside, words))


def _any(patterns: Iterable[str]) -> str:
    longest_first = sorted(patterns, key=len, reverse=True)
    return f"(?:{'|'.join(longest_first)})" if longest_first else "(?!)"  # no word matches nothing


_INDIC, _HAN, _ARABIC = "\u0900-\u0dff", "\u3400-\u9fff", "\u0600-\u06ff"


def _alone(word: str) -> str:
    if re.search(f"[{_HAN}]", word):
        return re.escape(word)
    if re.search(f"[{_INDIC}]", word):  # their vowel signs are no letters to `\\b`
        return f"(?<![{_INDIC}]){re.escape(word)}(?![{_INDIC}])"
    left, right = (r"(?<!\w)" if word[0].isalnum() else ""), (r"(?!\w)" if word[-1].isalnum() else "")
    return f"{left}{re.escape(word)}{right}"


def _inside(word: str) -> str:
    return re.escape(word) if re.search(f"[{_ARABIC}]", word) else _alone(word)
