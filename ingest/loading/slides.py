"""Presentations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER

from ingest.loading.contract import Limits, LoadError, Note, Reason
from ingest.loading.dates import metadata_date
from ingest.loading.markdown import one_line, table
from ingest.loading.reading import Progress, Reading

_FURNITURE = {
    PP_PLACEHOLDER.SLIDE_NUMBER,
    PP_PLACEHOLDER.FOOTER,
    PP_PLACEHOLDER.HEADER,
    PP_PLACEHOLDER.DATE,
    PP_PLACEHOLDER.SLIDE_IMAGE,
}
_TITLES = {PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE}
_PICTURES = {MSO_SHAPE_TYPE.PICTURE, MSO_SHAPE_TYPE.MEDIA, MSO_SHAPE_TYPE.LINKED_PICTURE}
_NO_TITLE = re.compile(r"^(?:powerpoint presentation|presentation\d*|untitled|slide \d+|.*\.pptx?)$", re.I)
_DEEPEST_GROUP = 20


def read_pptx(path: Path, limits: Limits, progress: Progress) -> Reading:
    """A section for each slide that is shown: its title, text, tables and the speaker's notes."""
    presentation = Presentation(str(path))
    count = len(presentation.slides)
    if count > limits.pages:
        raise LoadError(Reason.TOO_MANY_PAGES, f"{count} slides")
    sections: list[str] = []
    notes: list[str] = []
    first_title = ""
    for number, slide in enumerate(presentation.slides, 1):
        progress(number, count)
        if slide._element.get("show") in ("0", "false"):
            notes.append(Note.HIDDEN_SLIDES_SKIPPED)
            continue
        shapes = [shape for shape in _flat(slide.shapes) if _placeholder(shape) not in _FURNITURE]
        title = next((one_line(shape.text_frame.text) for shape in shapes if _placeholder(shape) in _TITLES), "")
        first_title = first_title or title
        blocks = [block for shape in _as_read(shapes) if _placeholder(shape) not in _TITLES for block in _blocks(shape)]
        if any(shape.shape_type in _PICTURES for shape in shapes):
            notes.append(Note.IMAGES_SKIPPED)
        if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
            spoken = "\n\n".join(one_line(paragraph.text) for paragraph in frame.paragraphs if paragraph.text.strip())
            if spoken:
                blocks.append(f"Notes: {spoken}")
        if title or blocks:
            sections.append("\n\n".join((f"## {title or f'Slide {number}'}", *blocks)))
    properties = presentation.core_properties
    title = (properties.title or "").strip()
    return Reading(
        "\n\n".join(sections),
        title=title if title and not _NO_TITLE.match(title) else first_title or None,
        dated_texts=(*sections[:1], *sections[-1:]),
        property_date=metadata_date(properties.modified),
        pages=count,
        notes=notes,
    )


def _flat(shapes: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    for shape in shapes:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            if depth < _DEEPEST_GROUP:
                yield from _flat(shape.shapes, depth + 1)
        else:
            yield shape


def _placeholder(shape: Any) -> object:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _as_read(shapes: list[Any]) -> list[Any]:
    """From top to bottom, then from left to right; what has no place of its own stays where the file has it."""
    if any(shape.top is None or shape.left is None for shape in shapes):
        return shapes
    row = 300_000  # a third of an inch: boxes side by side are rarely quite level
    return sorted(shapes, key=lambda shape: (shape.top // row, shape.left))


def _blocks(shape: Any) -> Iterator[str]:
    if getattr(shape, "has_table", False) and shape.has_table:
        yield table(_rows(shape.table))
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        yield table(_chart(shape.chart))
    elif shape.has_text_frame:
        paragraphs = [(paragraph.level, one_line(paragraph.text)) for paragraph in shape.text_frame.paragraphs]
        paragraphs = [(level, text) for level, text in paragraphs if text]
        if len(paragraphs) == 1:
            yield paragraphs[0][1]
        elif paragraphs:
            yield "\n".join(f"{'  ' * level}- {text}" for level, text in paragraphs)


def _rows(found: Any) -> Iterator[list[str]]:
    for row in range(len(found.rows)):
        yield [_cell(found, row, column) for column in range(len(found.columns))]


def _cell(found: Any, row: int, column: int) -> str:
    cell = found.cell(row, column)
    if cell.is_spanned:  # covered by the merged cell above or to the left
        for up in range(row, -1, -1):
            for left in range(column, -1, -1):
                origin = found.cell(up, left)
                if origin.is_merge_origin and up + origin.span_height > row and left + origin.span_width > column:
                    return str(origin.text)
    return str(cell.text)


def _chart(chart: Any) -> Iterator[list[str]]:
    try:
        plot = chart.plots[0]
        names, series = [str(name) for name in plot.categories], list(plot.series)
    except (IndexError, KeyError, AttributeError, ValueError):
        return
    yield ["", *(str(one.name) for one in series)]
    for place, name in enumerate(names):
        values = [one.values[place] if place < len(one.values) else None for one in series]
        yield [name, *("" if value is None else f"{value:.10g}" for value in values)]
