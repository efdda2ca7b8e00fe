"""How a document of the knowledge base is shown to readers of a language: its titles, and the text nearest to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, cast

from babel.dates import format_timedelta

from bot.translation import titles
from knowledge.models import Document, Passage, Wording
from knowledge.numerals import localised
from knowledge.search import SECOND_LANGUAGE

MOST_FIGURES = 4

_Unit = Literal["hour", "day", "week", "month"]
_SPANS: dict[_Unit, timedelta] = {
    "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1), "month": timedelta(days=30),
}  # fmt: skip
_FIGURE = re.compile(
    r"(?P<percent>\d+(?:\.\d+)?)\s?%|\b(?P<money>[A-Z]{3}\s\d(?:[\d,]*\d)?(?:\.\d+)?)"
    r"|\b(?P<count>\d{1,4})[ -](?P<unit>hour|day|week|month)s?\b"
)


@dataclass(frozen=True)
class Shown:
    """A passage as a reader sees it: `wording` is in `language` (ISO 639-1); `is_stale` when it translates a text
    that has changed since, `machine_from` the language that a chat model translated it from."""

    wording: Wording
    language: str
    is_stale: bool = False
    machine_from: str | None = None


def shown(document: Document, passage: Passage, language: str) -> Shown:
    """`passage` of `document` for a reader of `language`: in it, else in English, else as it was written."""
    if document.language != language:
        for wanted in (language, SECOND_LANGUAGE):
            translation = document.translation(wanted)
            if wanted in passage.translations:
                is_stale = translation is not None and translation.is_stale
                return Shown(passage.translations[wanted], wanted, is_stale)
            if wanted == document.language:
                break
    return Shown(passage, document.language)


def title_of(document: Document, language: str) -> str:
    """The title of `document` in `language`, as written where there is none."""
    if document.language == language:
        return document.title
    translation = document.translation(language)
    return translation.title if translation else heading_in(document.title, language)


def heading_in(heading: str, language: str) -> str:
    """A title or heading of our documents in `language`; as it is where it is not translated."""
    return titles(language)(heading)


def headings(document: Document, passage: Passage, language: str) -> tuple[str, ...]:
    """The heading path of `passage` in `language`, as far as it is translated."""
    if language in passage.translations:
        return passage.translations[language].path
    return (title_of(document, language), *(heading_in(each, language) for each in passage.path[1:]))


def figures_in(text: str, language: str) -> list[str]:
    """The first percentages, sums of money and spans of time in an English `text`, written for readers of `language`.

    Working days are left out, for a span without the word would be another one.
    """
    found: dict[str, None] = {}
    for match in _FIGURE.finditer(text):
        before = text[: match.start()].rstrip().casefold()
        after = text[match.end() :].lstrip().casefold()
        if match["unit"] and (after.startswith(("business", "working")) or before.endswith(("business", "working"))):
            continue
        if match["percent"]:
            found[localised(f"{match['percent']}%", language)] = None
        elif match["money"]:
            found[localised(match["money"], language)] = None
        else:
            found[_span(int(match["count"]), cast("_Unit", match["unit"]), language)] = None
    return list(found)[:MOST_FIGURES]


def _span(count: int, unit: _Unit, language: str) -> str:
    """ "21 days" in `language`, in just the unit that was written."""
    whole = 10_000  # so many of a unit are written out before the next larger one is taken
    return str(format_timedelta(count * _SPANS[unit], granularity=unit, threshold=whole, locale=language))
