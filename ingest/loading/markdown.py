"""The Markdown that all loaders write: tables, headings, and the last cleaning of a whole document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ingest.loading.encodings import clean

_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*#*$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_DEEPEST = 4
_BLANK_LINES = re.compile(r"\n{3,}")
_SPACE_AT_END = re.compile(r"[ \t]+$", re.M)


def table(rows: Iterable[Sequence[str]]) -> str:
    """`rows` as a pipe table whose first row is the header; empty rows and columns go.

    What has one column only is no table: its cells come as paragraphs.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    width = max((len(row) for row in cells), default=0)
    cells = [row + [""] * (width - len(row)) for row in cells]
    kept = [column for column in range(width) if any(row[column] for row in cells)]
    if len(kept) <= 1 or len(cells) == 1:
        return "\n\n".join(" ".join(row[column] for column in kept if row[column]) for row in cells)
    lines = ["| " + " | ".join(row[column].replace("|", "\\|") for column in kept) + " |" for row in cells]
    return "\n".join((lines[0], "|" + " --- |" * len(kept), *lines[1:]))


def one_line(text: str) -> str:
    """`text` with every run of white space as one space."""
    return " ".join(text.split())


def finish(markdown: str, title: str | None) -> tuple[str, str | None]:
    """`markdown` ready for the catalogue, and its title (the only first-level heading, if none was known).

    The heading that repeats the title goes; the levels in use become `##`, `###` and `####`.
    """
    # `{{...}}` is how our own documents name a figure of the tables; a stranger's text must never be taken for that.
    text = clean(markdown).replace("{{", "{ {").replace("}}", "} }")
    lines = _SPACE_AT_END.sub("", text).split("\n")
    headings = _headings(lines)
    tops = [place for place, (level, _) in headings.items() if level == 1]
    if title is None and len(tops) == 1 and headings[tops[0]][1]:
        title = headings[tops[0]][1]
    if title and (place := next(iter(headings), None)) is not None and _same(headings[place][1], title):
        lines[place] = ""
        del headings[place]
    levels = sorted({level for level, _ in headings.values()})
    for place, (level, words) in headings.items():
        depth = min(levels.index(level) + 2, _DEEPEST)
        lines[place] = f"\n{'#' * depth} {words}\n" if words else ""
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip(), title


def cut(markdown: str, characters: int) -> str:
    """`markdown` up to the last whole paragraph or line within `characters`."""
    if len(markdown) <= characters:
        return markdown
    end = max(markdown.rfind("\n\n", 0, characters), markdown.rfind("\n", characters * 9 // 10, characters))
    return markdown[: end if end > characters // 2 else characters].rstrip()


def _headings(lines: list[str]) -> dict[int, tuple[int, str]]:
    found: dict[int, tuple[int, str]] = {}
    fenced = False
    for place, line in enumerate(lines):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (heading := _HEADING.match(line)):
            found[place] = (len(heading[1]), one_line(heading[2]))
    return found


def _same(one: str, other: str) -> bool:
    return "".join(filter(str.isalnum, one)).casefold() == "".join(filter(str.isalnum, other)).casefold()
