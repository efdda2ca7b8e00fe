"""Plain text and Markdown."""

from __future__ import annotations

import re

from ingest.loading.dates import written_date
from ingest.loading.reading import Reading

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\n", re.S)
_FIELD = re.compile(r"^(title|date|as_of|updated|lastmod):\s*[\"']?(.*?)[\"']?\s*$", re.M | re.I)
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\([^)\n]*\)")
_LINK = re.compile(r"\[([^\]\n]+)\]\([^)\n]*\)")
_REFERENCE = re.compile(r"^\[[^\]\n]+\]:\s*\S+.*$", re.M)
_COMMENT = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.S | re.I)
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>\n]*)?/?>", re.I)
_EMPHASIS = re.compile(r"(?<![\w*])(\*\*|__)(?=\S)(.+?)(?<=\S)\1(?![\w*])")
_SETEXT = re.compile(r"^(?=\S)([^\n|]+)\n(=+|-{3,})[ \t]*$", re.M)
_BULLET = re.compile(r"^[ \t]*[•●▪◦‣·*–—][ \t]+", re.M)
_HEADING_CHARACTERS = 70


def read_markdown(text: str) -> Reading:
    """Markdown, without what only a browser needs: links become their words, tags and pictures go."""
    title = date = None
    if front := _FRONT_MATTER.match(text):
        fields = {name.lower(): value for name, value in _FIELD.findall(front[1])}
        title = fields.pop("title", None)
        date = next((found for value in fields.values() if (found := written_date(value))), None)
        text = text[front.end() :]
    text = _TAG.sub("", _COMMENT.sub("", text))
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", _REFERENCE.sub("", text)))
    text = _EMPHASIS.sub(r"\2", _underlined(text))
    return Reading(text, title=title, property_date=date)


def read_text(text: str) -> Reading:
    """Plain text; lines that are underlined, or short and alone before a paragraph, are its headings."""
    text = _BULLET.sub("- ", _underlined(text))
    blocks = re.split(r"\n[ \t]*\n", text)
    title = _first_line(blocks)
    for place, block in enumerate(blocks):
        line = block.strip()
        following = blocks[place + 1].strip() if place + 1 < len(blocks) else ""
        if _may_head(line) and (line.isupper() or _is_prose(following)):
            blocks[place] = f"{'#' if line == title else '##'} {line}"
    return Reading("\n\n".join(blocks), title=title)


def _may_head(line: str) -> bool:
    return (
        "\n" not in line
        and 4 <= len(line) <= _HEADING_CHARACTERS
        and not line.startswith(("-", "#", "|"))
        and line[0].isupper()
        and line[-1] not in ".,;:!?"
    )


def _is_prose(block: str) -> bool:
    return len(block) > _HEADING_CHARACTERS and not block.startswith(("-", "#", "|"))


def _underlined(text: str) -> str:
    return _SETEXT.sub(lambda match: f"{'#' if match[2][0] == '=' else '##'} {match[1]}", text)


def _first_line(blocks: list[str]) -> str | None:
    """A short first line that stands alone and ends no sentence is the title."""
    line = next((block.strip() for block in blocks if block.strip()), "").removeprefix("# ")
    return line if line and "\n" not in line and len(line) <= 120 and line[-1] not in ".;,:!?" else None
