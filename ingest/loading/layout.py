"""Words on a page to lines in reading order: columns, right-to-left script, running headers and footers."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

GUTTER_POINTS = 9
_LEAST_COLUMN_LINES = 6
_COLUMN_FILL = 0.6
"""Lines of running text fill their column; the cells of a table without rules do not."""
_RTL = ("R", "AL")


@dataclass(frozen=True)
class Word:
    """A word and where it stands, in points from the top left corner."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool


@dataclass(frozen=True)
class Line:
    """Words on one height, in reading order."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool
    cells: tuple[Word, ...] = ()
    """Its pieces between wide gaps, from left to right, when there is more than one."""

    @property
    def height(self) -> float:
        """In points."""
        return self.bottom - self.top


def rows_of(words: Iterable[Word]) -> list[list[Word]]:
    """`words` by height on the page, each row from left to right."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: ((word.top + word.bottom) / 2, word.x0)):
        middle = (word.top + word.bottom) / 2
        if rows:
            # Superscripts and mixed sizes overlap the row; the next row does not.
            first = max(rows[-1], key=lambda other: other.size)
            if first.top <= middle <= first.bottom and abs(middle - (first.top + first.bottom) / 2) < first.size * 0.6:
                rows[-1].append(word)
                continue
        rows.append([word])
    for row in rows:
        row.sort(key=lambda word: word.x0)
    return rows


def line_of(row: Sequence[Word]) -> Line:
    """One row as a line."""
    letters = sum(len(word.text) for word in row) or 1
    sizes = Counter[float]()
    for word in row:
        sizes[round(word.size * 2) / 2] += len(word.text)
    return Line(
        text=" ".join(in_reading_order(row)),
        x0=row[0].x0,
        x1=max(word.x1 for word in row),
        top=min(word.top for word in row),
        bottom=max(word.bottom for word in row),
        size=sizes.most_common(1)[0][0],
        bold=sum(len(word.text) for word in row if word.bold) > 0.9 * letters,
        cells=_cells(row),
    )


def _cells(row: Sequence[Word]) -> tuple[Word, ...]:
    groups = [[row[0]]]
    for before, word in itertools.pairwise(row):
        if word.x0 - before.x1 > max(GUTTER_POINTS, 1.2 * word.size):
            groups.append([])
        groups[-1].append(word)
    if len(groups) == 1:
        return ()
    return tuple(
        replace(group[0], text=" ".join(in_reading_order(group)), x1=group[-1].x1, bold=all(w.bold for w in group))
        for group in groups
    )


def lines_of(words: Sequence[Word], breaks: Sequence[float] = ()) -> list[Line]:
    """`words` as lines in reading order, column by column where the page has two.

    No column runs across one of `breaks`, heights at which something as wide as the page stands.
    """
    rows = rows_of(words)
    gutter = _gutter(rows)
    if gutter is None:
        return [line_of(row) for row in rows]
    lines: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    breaks = sorted(breaks)
    band = 0
    for row in rows:
        here = sum(top < row[0].top for top in breaks)
        crosses = _crosses(row, gutter)
        if crosses or here != band:
            lines, left, right, band = [*lines, *left, *right], [], [], here
        if crosses:
            lines.append(line_of(row))
            continue
        for side, part in (
            (left, [word for word in row if word.x1 <= gutter]),
            (right, [word for word in row if word.x1 > gutter]),
        ):
            if part:
                side.append(line_of(part))
    return [*lines, *left, *right]


def _crosses(row: Sequence[Word], gutter: float) -> bool:
    if any(word.x0 < gutter < word.x1 for word in row):
        return True
    left = [word.x1 for word in row if word.x1 <= gutter]
    right = [word.x0 for word in row if word.x0 >= gutter]
    return bool(left and right) and min(right) - max(left) < GUTTER_POINTS


def _gutter(rows: Sequence[Sequence[Word]]) -> float | None:
    """The middle of the white strip between two columns of running text, if the page has them."""
    if len(rows) < _LEAST_COLUMN_LINES:
        return None
    x0, x1 = min(row[0].x0 for row in rows), max(row[-1].x1 for row in rows)
    candidates = Counter[int]()
    for row in rows:
        for before, word in itertools.pairwise(row):
            middle = (before.x1 + word.x0) / 2
            if word.x0 - before.x1 >= GUTTER_POINTS and 0.3 < (middle - x0) / max(x1 - x0, 1) < 0.7:
                candidates.update(range(round(before.x1) + 2, round(word.x0) - 1))
    if not candidates:
        return None
    gutter, support = candidates.most_common(1)[0]
    if support < _LEAST_COLUMN_LINES:
        return None
    # The middle of the strip: the outermost places with as much support.
    best = [place for place, count in candidates.items() if count == support]
    gutter = (min(best) + max(best)) // 2
    sides = [(row, [w for w in row if w.x1 <= gutter], [w for w in row if w.x0 >= gutter]) for row in rows]
    divided = [(left, right) for row, left, right in sides if not _crosses(row, gutter)]
    if len(divided) < 0.5 * len(rows):
        return None
    lefts = [left[-1].x1 - left[0].x0 for left, _ in divided if left]
    rights = [right[-1].x1 - right[0].x0 for _, right in divided if right]
    if min(len(lefts), len(rights)) < _LEAST_COLUMN_LINES:
        return None
    full = (sorted(lefts)[len(lefts) // 2] >= _COLUMN_FILL * (gutter - x0)) and (
        sorted(rights)[len(rights) // 2] >= _COLUMN_FILL * (x1 - gutter)
    )
    return float(gutter) if full else None


def in_reading_order(row: Sequence[Word]) -> list[str]:
    """The words of a row; one in a right-to-left script is read from the right, its Latin words and figures not."""
    if not any(is_rtl(word.text) for word in row):
        return [word.text for word in row]
    right_to_left = sum(len(word.text) for word in row if is_rtl(word.text))
    if right_to_left * 2 < sum(len(word.text) for word in row if any(c.isalpha() for c in word.text)):
        return [word.text for word in row]
    ordered: list[str] = []
    run: list[str] = []
    for word in reversed(row):
        if is_rtl(word.text) or not any(char.isalpha() for char in word.text):
            ordered += [*reversed(run), word.text]
            run = []
        else:
            run.append(word.text)
    return ordered + list(reversed(run))


def is_rtl(text: str) -> bool:
    """Whether `text` has a letter of a right-to-left script."""
    return any(unicodedata.bidirectional(char) in _RTL for char in text)


_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")
_PAGE_NUMBER = re.compile(
    r"^\W*(?:(?:page|p|pagina|página|pág|seite|ukurasa|صفحة|стр)\.?\s*)?(?:\d{1,4}|[ivxlc]{1,6})"
    r"(?:\s*(?:/|of|de|sur|von|di|ya|kati ya|من|из|\|)\s*\d{1,4})?\W*$",
    re.I,
)
_EDGE_SHARE = 0.13
"""Of the page's height, above and below, where running headers and footers stand."""
_EDGE_LINES = 4
_RECURS_ON = 0.4


def without_running_lines(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[list[Line]]:
    """The lines of all pages without running headers, footers and page numbers."""
    edges = [_edges(lines, height) for lines, height in zip(pages, heights, strict=True)]
    counts = Counter(key for edge in edges for key in {_same(line) for line in edge})
    least = max(2, _RECURS_ON * len(pages))
    kept: list[list[Line]] = []
    for lines, edge in zip(pages, edges, strict=True):
        gone = {id(line) for line in edge if counts[_same(line)] >= least or _PAGE_NUMBER.match(line.text.strip())}
        kept.append([line for line in lines if id(line) not in gone])
    return kept


def _edges(lines: Sequence[Line], height: float) -> list[Line]:
    ordered = sorted(lines, key=lambda line: line.top)
    return [line for line in ordered[:_EDGE_LINES] if line.bottom < _EDGE_SHARE * height] + [
        line for line in ordered[-_EDGE_LINES:] if line.top > (1 - _EDGE_SHARE) * height
    ]


def _same(line: Line) -> str:
    return _DIGITS.sub("#", " ".join(line.text.casefold().split()))
