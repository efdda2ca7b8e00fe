"""Words that tell what a message is after, read from `cues.yaml`. Matched on folded text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from knowledge.normalise import one_form

Cue = Literal[
    "selling", "net", "fee-words", "comparing", "allowed", "joining", "how", "paid", "other-matters", "conditions",
    "a-lot", "places", "abroad", "how-much", "left", "choosing", "alternatives",
    "remind-me", "two-days", "one-day",
]  # fmt: skip
"""`selling` something; what is left (`net`); `fee-words` alone; `comparing` places; being `allowed` to and `joining`;
asking `how`; being `paid`; `other-matters` that have answers of their own; `conditions` that a list of countries
does not answer; a price that is no number (`a-lot`); `places` to sell in general; money from
`abroad`; `how-much`; what is `left`, said outright; wanting to be led to a platform (`choosing`); other ways to sell
(`alternatives`); wanting a reminder (`remind-me`) `two-days` or `one-day` before."""


TOGETHER = ("en", "fr", "es", "pt", "ar", "sw")
"""Languages (ISO 639-1) whose patterns are tried together, for they were written side by side."""

APART = ("id", "vi")
"""Languages in Latin letters whose everyday words look like those of others: Vietnamese "bán" (sell) like "ban"."""


def tried_for(language: str) -> tuple[str, ...]:
    """The languages whose patterns are tried on a message in `language`: people mix English into most."""
    if language in TOGETHER:
        return TOGETHER
    return (language,) if language in APART else (language, "en")


@cache
def _patterns(languages: tuple[str, ...]) -> dict[str, re.Pattern[str]]:
    found = {}
    for cue, by_language in _listed().items():
        patterns = dict.fromkeys(each for language in languages for each in by_language.get(language, ()))
        found[cue] = re.compile(one_form("|".join(patterns)) or "(?!)")
    return found


@cache
def _listed() -> dict[str, dict[str, list[str]]]:
    listed: dict[str, dict[str, list[str]]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return listed


def has(cue: Cue, folded: str, language: str) -> bool:
    """True when the folded text of a message in `language` (ISO 639-1) shows `cue`."""
    return _patterns(tried_for(language))[cue].search(folded) is not None


def cues_of(folded: str, language: str) -> Callable[[Cue], bool]:
    """What tells for each cue whether the folded text of a message in `language` (ISO 639-1) shows it."""
    return lambda cue: has(cue, folded, language)
