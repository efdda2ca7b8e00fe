"""Figures in text as readers of a language write them: "3,000.50" is "3.000,50" in Portuguese."""

from __future__ import annotations

import re
from functools import lru_cache

from babel.numbers import get_decimal_symbol, get_group_symbol

_LINK = re.compile(r"\]\([^)]*\)|https?://\S+")
_SEPARATED = re.compile(r"(?<![\d.,/-])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}\.\d+)(?![\d/-]|[.,]\d)")
"""A number with a separator. Codes such as "6109.10" have more digits before the point, dates more than one point."""


def localised(text: str, language: str) -> str:
    """`text`, whose figures are written in the English way, with the separators of `language` (ISO 639-1, from CLDR);
    links stay as they are."""
    separators = _separators(language)
    if separators == {",": ",", ".": "."}:
        return text
    pieces, ended = [], 0
    for link in _LINK.finditer(text):
        pieces += [_in_plain(text[ended : link.start()], separators), link[0]]
        ended = link.end()
    return "".join((*pieces, _in_plain(text[ended:], separators)))


def _in_plain(text: str, separators: dict[str, str]) -> str:
    return _SEPARATED.sub(lambda number: "".join(separators.get(char, char) for char in number[0]), text)


@lru_cache
def _separators(language: str) -> dict[str, str]:
    of = {"locale": language, "numbering_system": "latn"}
    return {",": get_group_symbol(**of), ".": get_decimal_symbol(**of)}
