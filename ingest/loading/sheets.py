"""Spreadsheets: the values that a person sees, never a formula."""

from __future__ import annotations

import csv
import datetime
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from defusedxml.ElementTree import iterparse

from ingest.loading.contract import Limits, LoadError, Note, Reason
from ingest.loading.dates import metadata_date
from ingest.loading.kinds import delimiter_of
from ingest.loading.markdown import one_line, table
from ingest.loading.reading import Progress, Reading

_MOST_COLUMNS = 200
_MOST_MERGED = 20_000
_NO_TITLE = re.compile(r"^(?:book\d*|workbook|sheet\d*|untitled|.*\.xls[xm]?)$", re.I)
_QUOTED = re.compile(r"\"([^\"]*)\"|\\(.)|\[\$([^\]-]*)[^\]]*\]|_.|\*.")
_DECIMALS = re.compile(r"[0#?]\.([0#?]+)")


@dataclass
class _Layout:
    """What a sheet's own part says beside the values."""

    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    without_value: int = 0


def read_xlsx(path: Path, limits: Limits, progress: Progress) -> Reading:
    """A section for each visible sheet, its first row the header, merged cells filled."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True, keep_links=False, rich_text=False)
    try:
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if len(sheets) > limits.pages:
            raise LoadError(Reason.TOO_MANY_PAGES, f"{len(sheets)} sheets")
        notes = [Note.HIDDEN_SHEETS_SKIPPED] if len(sheets) < len(book.sheetnames) else []
        sections: list[str] = []
        left = limits.characters
        for number, sheet in enumerate(cast("list[Any]", sheets), 1):
            layout = _layout(path, sheet._worksheet_path)
            if layout.without_value:
                notes.append(Note.FORMULAS_WITHOUT_VALUES)
            rows, left = _rows(sheet, layout, left)
            if left < 0:
                notes.append(Note.CUT_ROWS)
            if body := _with_captions(rows):
                sections.append(f"# {one_line(sheet.title)}\n\n{body}")
            progress(number, len(sheets))
            if left < 0:
                break
        title = (book.properties.title or "").strip()
        return Reading(
            # The level above keeps one sheet's name from being taken for the title of the whole.
            "\n\n".join(sections).replace("\n# ", "\n## ").replace("# ", "## ", 1),
            title=title if title and not _NO_TITLE.match(title) else None,
            property_date=metadata_date(book.properties.modified),
            pages=max(1, len(sheets)),
            notes=[str(note) for note in notes],
        )
    finally:
        book.close()


def read_csv(text: str, limits: Limits) -> Reading:
    """A table; a cell that begins like a formula is a cell like any other."""
    delimiter = delimiter_of(text) or ","
    # Rows stay within the limit by cutting before parsing: an open quote would swallow the rest.
    window, is_cut = text[: limits.characters], len(text) > limits.characters
    csv.field_size_limit(limits.characters)
    rows = list(csv.reader(window.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True))
    return Reading(
        _with_captions(rows[:-1] if is_cut else rows),
        notes=[Note.CUT_ROWS] if is_cut else [],
    )


def _with_captions(rows: list[list[str]]) -> str:
    """A table; rows above its header that hold one text only are the paragraphs before it."""
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    wide = any(len(set(filter(None, row))) > 1 for row in rows)
    captions: list[str] = []
    while wide and rows and len(texts := {cell.strip() for cell in rows[0] if cell.strip()}) == 1:
        captions.append(one_line(texts.pop()))
        rows = rows[1:]
    return "\n\n".join(filter(None, (*captions, table(rows))))


def _layout(path: Path, part: str) -> _Layout:
    layout = _Layout()
    with zipfile.ZipFile(path) as archive, archive.open(part.lstrip("/")) as stream:
        has_formula = has_value = False
        for _, element in iterparse(stream, events=("end",)):
            name = element.tag.rsplit("}", 1)[-1]
            if name == "f":
                has_formula = True
            elif name in ("v", "is"):
                has_value = has_value or bool(element.text or len(element))
            elif name == "c":
                layout.without_value += has_formula and not has_value
                has_formula = has_value = False
                element.clear()
            elif name == "row":
                element.clear()
            elif name == "mergeCell" and len(layout.merged) < _MOST_MERGED:
                layout.merged.append(_range(element.get("ref", "")))
    return layout


def _range(reference: str) -> tuple[int, int, int, int]:
    from openpyxl.utils.cell import range_boundaries

    left, top, right, bottom = range_boundaries(reference)
    return int(left or 1), int(top or 1), int(right or 1), int(bottom or 1)


def _rows(sheet: Any, layout: _Layout, left: int) -> tuple[list[list[str]], int]:
    """The rows of `sheet` as text until `left` characters are used up, and how many are left: below 0 when cut."""
    sheet.reset_dimensions()  # a sheet may claim a million rows and sixteen thousand columns
    covering: dict[int, list[tuple[int, int, int]]] = {}
    for first_column, first_row, last_column, last_row in layout.merged:
        if (last_row - first_row + 1) * (min(last_column, _MOST_COLUMNS) - first_column + 1) <= _MOST_MERGED:
            covering[first_row] = [*covering.get(first_row, []), (first_column, last_column, last_row)]
    open_merges: list[tuple[int, int, int, str]] = []
    rows: list[list[str]] = []
    for number, cells in _numbered(sheet):
        texts = [_shown(cell) for cell in cells[:_MOST_COLUMNS]]
        open_merges = [merge for merge in open_merges if merge[2] >= number]
        for first_column, last_column, last_row in covering.get(number, []):
            if first_column <= len(texts):
                open_merges.append((first_column, min(last_column, _MOST_COLUMNS), last_row, texts[first_column - 1]))
        for first_column, last_column, _, text in open_merges:
            texts.extend([""] * (last_column - len(texts)))
            texts[first_column - 1 : last_column] = [text] * (last_column - first_column + 1)
        if any(texts):
            left -= sum(len(text) + 3 for text in texts)
            if left < 0:
                break
            rows.append(texts)
    return rows, left


def _numbered(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    return enumerate(sheet.iter_rows(), 1)


def _shown(cell: Any) -> str:
    """The value of `cell` as a person sees it; dates as ISO 8601, which no two countries read differently."""
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime):
        at_midnight = value.time() == datetime.time(0)
        return value.date().isoformat() if at_midnight else value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "General")
    return one_line(str(value))


def _number(value: float, shown_as: str) -> str:
    form = shown_as.split(";", 1)[0]
    if form in ("General", "@") or not any(char in form for char in "0#"):
        return f"{value:.10g}" if abs(value) < 1e10 else f"{value:.0f}"
    around: list[str] = []

    def keep(match: re.Match[str]) -> str:
        around.append(match[1] or match[2] or match[3] or "")
        return "\x00"

    bare = _QUOTED.sub(keep, form)
    decimals = _DECIMALS.search(bare)
    fixed = len(decimals[1]) if decimals else 0
    if "E+" in bare.upper():
        return f"{value:.10g}"
    number = value * 100 if "%" in bare else value
    text = f"{number:,.{fixed}f}" if "," in bare else f"{number:.{fixed}f}"
    if decimals and "#" in decimals[1]:
        text = text.rstrip("0").rstrip(".")
    first_digit = re.search(r"[0#?]", bare)
    parts = re.split("\x00", bare[: first_digit.start() if first_digit else 0])
    before = "".join(quoted for quoted in around[: len(parts) - 1])
    before += "".join(char for char in "".join(parts) if char in "$€£¥₹₦₵")
    after = "".join(around[len(parts) - 1 :]) + ("%" if "%" in bare else "")
    return one_line(f"{before}{' ' if before and before[-1].isalpha() else ''}{text}{after}")
