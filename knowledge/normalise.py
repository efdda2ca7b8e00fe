"""Fold text so that spellings of the same word meet: case, accents, Arabic letter variants, invisible marks."""

from __future__ import annotations

import re
import unicodedata

_LATIN_MARKS = re.compile("[\u0300-\u036f]")
_ARABIC_MARKS = re.compile("[\u064b-\u065f\u0670\u0640]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ARABIC_VARIANTS = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ک": "ك", "ی": "ي"}
)
_WORD = re.compile(r"[\w\u0900-\u0dff\u0e00-\u0eff]+(?:['’.&/-][\w\u0900-\u0dff]+)*")
_APOSTROPHE = re.compile(r"[’‘`´]")


def visible(text: str) -> str:
    """`text` without zero-width and bidirectional control characters and other control characters."""
    text = _INVISIBLE.sub("", text)
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))


def one_form(text: str) -> str:
    """`text` with one form of each Arabic letter, as `fold` leaves them; nothing else is changed."""
    return text.translate(_ARABIC_VARIANTS)


def fold(text: str) -> str:
    """Case-folded `text` without accents and Arabic vowel marks, with one form of each Arabic letter.

    Vowel signs of Indic scripts stay: without them words there lose their meaning.
    """
    text = unicodedata.normalize("NFKD", visible(text))
    text = _ARABIC_MARKS.sub("", _LATIN_MARKS.sub("", text))
    return _APOSTROPHE.sub("'", unicodedata.normalize("NFKC", text).translate(_ARABIC_VARIANTS).casefold())


def words(text: str) -> list[str]:
    """The words of already folded `text`, in order."""
    return _WORD.findall(text)
