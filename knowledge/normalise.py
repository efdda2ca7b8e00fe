"""Fold text so that spellings of the same word meet: case, accents, Arabic letter variants, invisible marks."""

from __future__ import annotations

import re
import unicodedata

_LATIN_MARKS = re.compile("[\u0300-\u036f]")
_ARABIC_MARKS = re.compile("[\u064b-\u065f\u0670\u0640]")
_INDIC_DOTS = re.compile("[\u093c\u09bc]")
"""The nukta of Hindi and Bengali, which people leave out."""
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ONE_FORM = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ک": "ك", "ی": "ي"}
    | {"đ": "d", "Đ": "d", "ँ": "ं"}
)
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_LETTERS = rf"(?:(?![{_HAN}])[\w\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff])+"
_WORD = re.compile(rf"[{_HAN}]|{_LETTERS}(?:['’.&/-]{_LETTERS})*")
"""A word; each Chinese character is one, for nothing in the writing says which belong together."""
_RUN = re.compile(rf"([{_HAN}]+)|{_LETTERS}(?:['’.&/-]{_LETTERS})*")
_TOKEN = re.compile(rf"[{_HAN}]|[^\s{_HAN}]+")
QUESTION_MARKS = ("?", "؟", "？")
_APOSTROPHE = re.compile(r"[’‘`´]")


def visible(text: str) -> str:
    """`text` without zero-width and bidirectional control characters and other control characters."""
    text = _INVISIBLE.sub("", text)
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))


def one_form(pattern: str) -> str:
    """A regular expression whose letters beyond ASCII are as `fold` leaves them; nothing else is changed."""
    return re.sub(r"[^\x00-\x7f]+", lambda match: fold(match[0]), pattern)


def fold(text: str) -> str:
    """Case-folded `text` without accents and Arabic vowel marks, with one form of letters that people mix up.

    Vowel signs of Indic scripts stay: without them words there lose their meaning. Their nukta goes, and the
    nasal sign of Hindi has one form.
    """
    text = visible(text)
    if text.isascii():
        return text.casefold().replace("`", "'")
    text = unicodedata.normalize("NFKD", text)
    text = _INDIC_DOTS.sub("", _ARABIC_MARKS.sub("", _LATIN_MARKS.sub("", text)))
    return _APOSTROPHE.sub("'", unicodedata.normalize("NFKC", text).translate(_ONE_FORM).casefold())


def words(text: str) -> list[str]:
    """The words of already folded `text`, in order."""
    return _WORD.findall(text)


def length_in_words(text: str) -> int:
    """How long already folded `text` is in words; two Chinese characters count as one."""
    found = words(text)
    chinese = sum(re.match(f"[{_HAN}]", word) is not None for word in found)
    return len(found) - chinese // 2


def tokens(text: str) -> list[str]:
    """`text` cut at spaces and around each Chinese character, punctuation kept."""
    return _TOKEN.findall(text)


def runs(text: str) -> list[tuple[str, bool]]:
    """The words of already folded `text`, Chinese characters that stand together as one; True for those."""
    return [(match[0], match[1] is not None) for match in _RUN.finditer(text)]


_DIGITS = {
    code: str(unicodedata.digit(chr(code))) for code in range(0x80, 0x1FBFA) if unicodedata.category(chr(code)) == "Nd"
} | {ord("٫"): ".", ord("٬"): ","}


def western_digits(text: str) -> str:
    """`text` with the digits of any script as 0 to 9, and the separators of Arabic ones as ours."""
    return text.translate(_DIGITS)
