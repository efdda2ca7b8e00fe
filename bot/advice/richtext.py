"""Text with its formatting beside it, free of any transport.

Formatting is kept as entities with offsets in UTF-16 units, the way Telegram counts, so that nothing
that people or documents say ever has to be escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import telegramify_markdown


def utf16_length(text: str) -> int:
    """The length of `text` in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True)
class Entity:
    """A stretch of formatted text; `kind` is `bold`, `italic`, `pre` or `text_link`, offsets in UTF-16 units."""

    kind: str
    offset: int
    length: int
    url: str | None = None


@dataclass(frozen=True)
class RichText:
    """Text and its entities. Join with `+`."""

    text: str = ""
    entities: tuple[Entity, ...] = ()

    @classmethod
    def plain(cls, text: str) -> RichText:
        """`text` as it is."""
        return cls(text)

    @classmethod
    def bold(cls, text: str) -> RichText:
        """`text` in bold."""
        return cls(text, (Entity("bold", 0, utf16_length(text)),) if text else ())

    @classmethod
    def italic(cls, text: str) -> RichText:
        """`text` in italics."""
        return cls(text, (Entity("italic", 0, utf16_length(text)),) if text else ())

    @classmethod
    def code(cls, text: str) -> RichText:
        """`text` that is copied by a tap."""
        return cls(text, (Entity("pre", 0, utf16_length(text)),) if text else ())

    @classmethod
    def link(cls, text: str, url: str) -> RichText:
        """`text` that leads to `url`."""
        return cls(text, (Entity("text_link", 0, utf16_length(text), url),) if text else ())

    @classmethod
    def markdown(cls, source: str) -> RichText:
        """Read Markdown (a document's body); only bold and italics keep their formatting."""
        text, found = telegramify_markdown.convert(source, latex_escape=False)
        kept = (e for e in found if e.type in ("bold", "italic"))
        entities = (Entity(e.type, e.offset, e.length) for e in kept)
        stripped = text.replace("⦁", "•").rstrip()
        return cls(stripped, _within(entities, 0, utf16_length(stripped)))

    def __add__(self, other: RichText) -> RichText:
        shift = utf16_length(self.text)
        moved = (replace(entity, offset=entity.offset + shift) for entity in other.entities)
        return RichText(self.text + other.text, (*self.entities, *moved))

    def __bool__(self) -> bool:
        return bool(self.text.strip())

    def __len__(self) -> int:
        return utf16_length(self.text)

    def cut(self, start: int, end: int) -> RichText:
        """The part from character `start` up to `end` (Python indices), with its formatting."""
        before, inside = utf16_length(self.text[:start]), utf16_length(self.text[start:end])
        return RichText(self.text[start:end], _within(self.entities, before, inside))

    def split(self, limit: int) -> list[RichText]:
        """Parts of at most `limit` UTF-16 units, cut at a paragraph, line, sentence or word where possible.

        The texts of the parts, joined, are the whole text.
        """
        if limit < 2:
            raise ValueError("a part must have room for one character of two units")
        parts, start = [], 0
        while start < len(self.text):
            end = _cut_before(self.text, start, limit)
            parts.append(self.cut(start, end))
            start = end
        return parts


def join(parts: Iterable[RichText], separator: str = "\n\n") -> RichText:
    """The non-empty `parts` with `separator` between them."""
    whole = RichText()
    for part in parts:
        if part:
            whole = whole + RichText.plain(separator) + part if whole else part
    return whole


def _within(entities: Iterable[Entity], start: int, length: int) -> tuple[Entity, ...]:
    kept = []
    for entity in entities:
        begin = max(entity.offset, start)
        end = min(entity.offset + entity.length, start + length)
        if end > begin:
            kept.append(replace(entity, offset=begin - start, length=end - begin))
    return tuple(kept)


_BREAKS = tuple(re.compile(pattern) for pattern in (r"\n\n+", r"\n", r"(?<=[.!?؟。।])\s", r"\s"))


def _cut_before(text: str, start: int, limit: int) -> int:
    units, end = 0, start
    while end < len(text):
        units += 2 if ord(text[end]) > 0xFFFF else 1
        if units > limit:
            break
        end += 1
    if end == len(text):
        return end
    for pattern in _BREAKS:
        ends = [match.end() for match in pattern.finditer(text, start, end)]
        # A break in the first third would make a stump; a finer one further on is better.
        if ends and ends[-1] - start >= (end - start) // 3:
            return ends[-1]
    return end
