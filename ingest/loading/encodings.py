"""Bytes of a text file in whatever encoding to clean text."""

from __future__ import annotations

import codecs
import re
import unicodedata

from ingest.loading.contract import LoadError, Reason

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.I)
_CANDIDATES = (
    *("cp1252", "cp1250", "cp1251", "cp1256", "cp1253", "cp1254", "cp1255", "cp1257", "koi8_r", "cp874"),
    *("gb18030", "big5", "shift_jis", "euc_jp", "cp949"),
)
# charset-normalizer tells scripts apart well, but not the Latin code pages: it reads Portuguese as Czech. The letters
# that a language has beyond A to Z tell them apart.
_LATIN_LETTERS = {
    "cp1252": ("àâæçéèêëîïôœùûüÿ", "áéíóúüñªº", "áâãàçéêíóôõúªº", "äöüß", "àèéìòù", "åäöæøé", "éëïóöü"),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áéíóöőúüű", "ăâîşţ", "čćđšž", "áäčďéíĺľňóôŕšťúýž"),
    "cp1254": ("çğıöşüİâîû",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"),
}
_SIGNS = frozenset("\u00a0–—‘’‚“”„«»‹›…•·€£§°©®™²³½¼¾×±¿¡")
_MOST_CONTROL_SHARE = 0.05
"""Of bytes that no text has; compressed data has some ten in a hundred."""

_CONTROL_BYTES = bytes(b for b in range(32) if b not in b"\t\n\r\f\x1b")
# Marks that are not seen: they break words apart for a search, or hide text. The joiners U+200C and U+200D belong to
# the spelling of Persian and Indian languages and stay.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffc\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\v\f]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def decode(raw: bytes) -> str:
    """The text of `raw`, cleaned.

    Raises:
        LoadError: it is not text.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return clean(raw[len(mark) :].decode(encoding, "replace"))
    if wide := _utf_16_without_mark(raw):
        return clean(raw.decode(wide, "replace"))
    if sum(raw.count(byte) for byte in _CONTROL_BYTES) > len(raw) * _MOST_CONTROL_SHARE:
        raise LoadError(Reason.UNSUPPORTED, "binary")
    raw = raw.replace(b"\x00", b"")
    try:
        return clean(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        # One slip in a long UTF-8 text, or a file cut inside a letter, does not make it another encoding.
        wrong = raw.decode("utf-8", "replace").count("\ufffd")
        if error.start >= len(raw) - 3 or wrong * 50 < sum(byte >= 0x80 for byte in raw):
            return clean(raw.decode("utf-8", "replace").replace("\ufffd", ""))
    declared = _DECLARED.search(raw[:2_000])
    if declared:
        try:
            return clean(raw.decode(declared.group(1).decode("ascii")))
        except (LookupError, UnicodeDecodeError):
            pass
    return clean(_guessed(raw))


def clean(text: str) -> str:
    """`text` in NFC with one kind of line end and space, without control characters and unseen marks."""
    text = _SPACES.sub(" ", _UNSEEN.sub("", _LINE_ENDS.sub("\n", text.replace("\u2029", "\n\n"))))
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Co"))
    return unicodedata.normalize("NFC", text)


def _utf_16_without_mark(raw: bytes) -> str | None:
    head = raw[:2_000]
    if len(head) < 8:
        return None
    even, odd = head[::2].count(0) / (len(head) / 2), head[1::2].count(0) / (len(head) / 2)
    if odd > 0.7 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 and odd < 0.05 else None


def _guessed(raw: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:200_000], cp_isolation=list(_CANDIDATES)).best()
    encoding = best.encoding if best else "cp1252"
    if encoding in _LATIN_LETTERS:
        encoding = max(_LATIN_LETTERS, key=lambda candidate: _fit(raw, candidate))
    text = raw.decode(encoding, "replace").replace("\ufffd", "")
    known = sum(char.isalnum() or char.isspace() or char in ".,;:!?'\"()-/%" for char in text)
    if best is None and known < 0.8 * len(text):
        raise LoadError(Reason.UNSUPPORTED, "no encoding fits")
    return text


def _fit(raw: bytes, encoding: str) -> float:
    text = raw.decode(encoding, "replace")
    # Not only letters: what is a letter in one code page is a superscript or a sign in the other.
    letters = [char for char in text if ord(char) > 127 and char not in _SIGNS]
    if not letters:
        return 1.0
    return max(sum(c in known or c.lower() in known for c in letters) for known in _LATIN_LETTERS[encoding]) / len(
        letters
    )
