"""PDF: text with its place and size becomes headings, paragraphs, lists and tables."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pdfplumber
from pdfminer import pdftypes
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
from pdfplumber.pdf import PDF
from pdfplumber.utils.exceptions import PdfminerException
from pdfplumber.utils.text import extract_words

from ingest.loading.contract import Limits, LoadError, Note, Reason
from ingest.loading.dates import metadata_date
from ingest.loading.layout import Line, Word, is_rtl, line_of, lines_of, rows_of, without_running_lines
from ingest.loading.markdown import one_line, table
from ingest.loading.reading import Progress, Reading

_TAIL_BYTES = 65_536
_STREAM_SHARE = 4
"""One stream may unpack to this part of what the whole file may."""
_MOST_WORDS_A_PAGE = 20_000
_LEAST_CHARACTERS_A_PAGE = 12
"""Stamps and page numbers on scanned pages are fewer."""

_HEADING_RATIO = 1.12
_HEADING_CHARACTERS = 140
_SAME_EDGE_POINTS = 3
_BULLET = re.compile(r"^[•●▪■◦‣∙·➢✓\uf0b7\uf0a7\uf0d8]\s*|^[–—-]\s+|^o\s+(?=[A-Z])")
_NUMBERED = re.compile(r"^(?:\d{1,2}[.)]|\(?[a-z]\)|\([ivx]{1,4}\))\s+\S")
_SENTENCE_END = re.compile(r"[.!?:;؟。]['\")\]»”]?$")
_HYPHENED = re.compile(r"(\w+)[-\u2010\u00ad]$")
_UNKNOWN_LETTER = re.compile(r"\(cid:\d+\)")
_NO_TITLE = re.compile(
    r"^(?:microsoft (?:word|powerpoint|excel)\b.*|untitled.*|slide \d+|document\d*|presentation\d*|anonymous"
    r"|\(?unspecified\)?|.*\.(?:docx?|pdf|indd|pptx?|xlsx?|qxp?d?|tex|dvi|rtf|odt))$",
    re.I,
)


@dataclass
class _Table:
    rows: list[list[str]]
    x0: float
    x1: float
    top: float
    bottom: float
    first_bold: bool
    """Whether the first row looks like a header."""


@dataclass
class _Page:
    lines: list[Line]
    tables: list[_Table]
    height: float
    has_pictures: bool


def read_pdf(path: Path, limits: Limits, progress: Progress) -> Reading:
    """The text of a PDF in reading order, without running headers, footers and page numbers."""
    _check_whole(path)
    # pdfminer unpacks without a limit and takes a failure for an empty page. Only this process is concerned.
    vars(pdftypes)["zlib"] = _BoundedZlib(limits.unpacked_bytes // _STREAM_SHARE)
    with _open(path) as pdf:
        total = len(pdf.pages)
        if total > limits.pages:
            raise LoadError(Reason.TOO_MANY_PAGES, f"{total} pages")
        if not total:
            raise LoadError(Reason.DAMAGED, "no pages")
        pages: list[_Page] = []
        characters = unknown = 0
        for number, page in enumerate(pdf.pages, 1):
            read, lost = _read_page(page)
            pages.append(read)
            characters += sum(len(line.text) for line in read.lines)
            characters += sum(len(cell) for found in read.tables for row in found.rows for cell in row)
            unknown += lost
            page.close()  # else every letter of every page is kept
            progress(number, total)
            if characters > limits.characters:
                break
        properties = dict(pdf.metadata or {})
    if (
        characters < _LEAST_CHARACTERS_A_PAGE * len(pages) and any(page.has_pictures for page in pages)
    ) or not characters:
        raise LoadError(Reason.NO_TEXT)
    if unknown > characters:
        raise LoadError(Reason.NO_TEXT, "letters without meaning")
    notes = _notes(pages, unknown)
    kept = without_running_lines([page.lines for page in pages], [page.height for page in pages])
    for one, lines in zip(pages, kept, strict=True):
        one.lines = lines
    largest = _largest(pages[0])
    given = one_line(str(properties.get("Title") or ""))
    title = given if len(given) >= 4 and not _NO_TITLE.match(given) else largest
    markdown = "\n\n".join(_Writer(pages, largest).blocks())
    first, last = (_plain(page) for page in (pages[0], pages[-1]))
    return Reading(
        markdown,
        title=title,
        dated_texts=(first, last),
        property_date=metadata_date(properties.get("ModDate")) or metadata_date(properties.get("CreationDate")),
        pages=total,
        notes=notes,
    )


class _BoundedZlib:
    """What pdfminer uses of `zlib`, with a limit on what one stream unpacks to."""

    error = zlib.error
    decompressobj = staticmethod(zlib.decompressobj)

    def __init__(self, most: int) -> None:
        self._most = most

    def decompress(self, data: bytes) -> bytes:
        """`data` unpacked.

        Raises:
            LoadError: that is more than the limit.
        """
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(data, self._most + 1)
        if len(unpacked) > self._most:
            raise LoadError(Reason.UNPACKS_TOO_LARGE, "a stream of the PDF")
        if not unpacker.eof:
            raise zlib.error("incomplete")
        return unpacked


def _notes(pages: Sequence[_Page], unknown: int) -> list[str]:
    notes: list[str] = []
    if any(page.has_pictures for page in pages):
        notes.append(Note.IMAGES_SKIPPED)
    if any(page.has_pictures and not page.lines and not page.tables for page in pages):
        notes.append(Note.PAGES_WITHOUT_TEXT)
    if unknown:
        notes.append(Note.LETTERS_NOT_READ)
    return notes


def _check_whole(path: Path) -> None:
    """A PDF ends with its own end mark; without it the rest is missing, and what is there may be half of a table."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = file.read()
    if b"%%EOF" not in tail and b"startxref" not in tail:
        raise LoadError(Reason.DAMAGED, "no end mark")


def _open(path: Path) -> PDF:
    try:
        # Unicode forms are left alone here: ligatures are taken apart word by word.
        return pdfplumber.open(path, password="", unicode_norm=None, raise_unicode_errors=False)
    except (PdfminerException, PDFEncryptionError) as error:
        cause = error.args[0] if error.args else error
        if isinstance(cause, PDFPasswordIncorrect | PDFEncryptionError) or isinstance(error, PDFEncryptionError):
            raise LoadError(Reason.ENCRYPTED, repr(cause)) from error
        raise LoadError(Reason.DAMAGED, repr(cause)) from error


def _read_page(page: Any) -> tuple[_Page, int]:
    try:
        return _page(page)
    except PdfminerException as error:  # wraps whatever went wrong, want of memory too
        cause = error.args[0] if error.args else None
        raise (cause if isinstance(cause, LoadError | MemoryError) else error) from error


def _page(page: Any) -> tuple[_Page, int]:
    upright = [char for char in page.chars if char["upright"]]
    if len(upright) * 2 < len(page.chars):
        upright = page.chars  # a page set sideways; else what stands askew is a watermark
    for char in upright:
        if char["text"] == "(cid:127)":  # what some programs write where Windows has its bullet
            char["text"] = "•"
    unknown = sum(bool(_UNKNOWN_LETTER.fullmatch(char["text"])) for char in upright)
    found = extract_words(
        [char for char in upright if not _UNKNOWN_LETTER.fullmatch(char["text"])],
        x_tolerance_ratio=0.15,
        extra_attrs=["size", "fontname"],
        return_chars=True,
        expand_ligatures=True,
    )
    words = [_word(one) for one in found[:_MOST_WORDS_A_PAGE]]
    tables: list[_Table] = []
    for grid in page.find_tables() if page.rects or page.lines or page.curves else ():
        read, inside = _table(grid, words)
        if read is not None:
            tables.append(read)
            words = [word for word in words if id(word) not in inside]
    wide = [one.top for one in tables if one.x1 - one.x0 > 0.6 * page.width]
    has_pictures = any(image["width"] * image["height"] > 0.02 * page.width * page.height for image in page.images)
    return _Page(lines_of(words, wide), tables, float(page.height), has_pictures), unknown


def _word(found: dict[str, Any]) -> Word:
    text = found["text"]
    if is_rtl(text):
        text = _right_to_left([char["text"] for char in found["chars"]])
    name = found["fontname"].lower()
    return Word(
        # Ligatures and the shapes of Arabic letters at their places in a word back to the letters themselves.
        text="".join(unicodedata.normalize("NFKC", c) if _is_presentation_form(c) else c for c in text),
        x0=float(found["x0"]),
        x1=float(found["x1"]),
        top=float(found["top"]),
        bottom=float(found["bottom"]),
        size=float(found["size"]),
        bold=any(sign in name for sign in ("bold", "black", "heavy", "semibold", "-bd", "demi")),
    )


def _is_presentation_form(char: str) -> bool:
    return "\ufb00" <= char <= "\ufdff" or "\ufe70" <= char <= "\ufeff"


def _right_to_left(chars: list[str]) -> str:
    """Letters from left to right on the page, in the order in which they are read; figures keep their own."""
    turned: list[str] = []
    figures: list[str] = []
    for char in reversed(chars):
        if char.isdecimal() or char in ".,/%":
            figures.append(char)
        else:
            turned += [*reversed(figures), char]
            figures = []
    turned += reversed(figures)
    return "".join(turned)


def _table(grid: Any, words: Sequence[Word]) -> tuple[_Table | None, set[int]]:
    """The cells of a ruled grid with the words in them; a box around text is none."""
    x0, top, x1, bottom = grid.bbox
    within = [word for word in words if _is_in(word, grid.bbox)]
    rows = [row.cells for row in grid.rows]
    columns = max((len(cells) for cells in rows), default=0)
    if len(rows) < 2 or columns < 2 or not within:
        return None, set()
    boxes = [cell for cells in rows for cell in cells if cell is not None]
    in_box: dict[tuple[float, float, float, float], list[Word]] = {box: [] for box in boxes}
    for word in within:
        for box in boxes:
            if _is_in(word, box):
                in_box[box].append(word)
                break
    texts = {box: _cell_text(inside) for box, inside in in_box.items()}
    placed: set[int] = {id(word) for inside in in_box.values() for word in inside}
    middles = [_middle(rows, column) for column in range(columns)]
    read: list[list[str]] = []
    for row in grid.rows:
        height = (row.bbox[1] + row.bbox[3]) / 2
        # A place without a cell is covered by a merged one: its text holds there too.
        read.append(
            [
                texts[cell] if cell is not None else _covering(texts, middles[column], height)
                for column, cell in enumerate(row.cells)
            ]
        )
    if (
        sum(any(row) for row in read) < 2
        or sum(any(row[c] for row in read if c < len(row)) for c in range(columns)) < 2
    ):
        return None, set()
    first = [word for cell in rows[0] if cell is not None for word in in_box[cell]]
    rest = [word for cells in rows[1:] for cell in cells if cell is not None for word in in_box[cell]]
    bold = bool(first) and all(word.bold for word in first) and not all(word.bold for word in rest)
    return _Table(read, x0, x1, top, bottom, bold), placed


def _is_in(word: Word, box: tuple[float, float, float, float]) -> bool:
    x0, top, x1, bottom = box
    return x0 <= (word.x0 + word.x1) / 2 <= x1 and top <= (word.top + word.bottom) / 2 <= bottom


def _middle(rows: Sequence[Sequence[Any]], column: int) -> float:
    cells = [cells[column] for cells in rows if column < len(cells) and cells[column] is not None]
    narrowest = min(cells, key=lambda cell: cell[2] - cell[0], default=None)
    return (narrowest[0] + narrowest[2]) / 2 if narrowest else 0.0


def _covering(texts: dict[tuple[float, float, float, float], str], x: float, y: float) -> str:
    return next((text for (x0, top, x1, bottom), text in texts.items() if x0 <= x <= x1 and top <= y <= bottom), "")


def _cell_text(words: Sequence[Word]) -> str:
    return _joined([line_of(row).text for row in rows_of(words)])


def _joined(lines: Iterable[str], known: Counter[str] | None = None) -> str:
    """Lines of one paragraph as one, words that were cut at a line's end put together."""
    text = ""
    for line in lines:
        cut = _HYPHENED.search(text)
        if cut and line[:1].islower():
            end = re.match(r"\w+", line)
            whole = f"{cut[1]}{end[0] if end else ''}".casefold()
            kept = f"{cut[1]}-{end[0] if end else ''}".casefold()
            # "self-" + "employed" keeps its hyphen if the document writes it so elsewhere.
            keeps = known is not None and known[kept] > known[whole] and text.endswith("-")
            text = f"{text if keeps else text[:-1]}{line}"
        elif text.endswith(("-", "/")) and not text.endswith((" -", " /")):
            text += line
        else:
            text = f"{text} {line}" if text else line
    return text


def _largest(page: _Page) -> str | None:
    """The largest text of the first page, if it is larger than the rest: the title."""
    if not page.lines:
        return None
    size = (
        max(line.size for line in page.lines if any(c.isalpha() for c in line.text))
        if any(c.isalpha() for line in page.lines for c in line.text)
        else 0
    )
    lines = [line for line in page.lines if line.size >= size - 0.5]
    body = _body_size([page])
    text = one_line(_joined(line.text for line in lines[:4]))
    return text if size >= body * _HEADING_RATIO and 3 <= len(text) <= 200 else None


def _body_size(pages: Iterable[_Page]) -> float:
    sizes = Counter[float]()
    for page in pages:
        for line in page.lines:
            sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _plain(page: _Page) -> str:
    return "\n".join(line.text for line in page.lines)


class _Writer:
    """Turns pages into blocks of Markdown; paragraphs and tables go on across pages."""

    def __init__(self, pages: Sequence[_Page], title: str | None) -> None:
        self._pages = pages
        self._body = _body_size(pages)
        self._title = title
        self._title_seen = False
        self._words = Counter(
            word.casefold() for page in pages for line in page.lines for word in re.findall(r"\w+(?:-\w+)*", line.text)
        )
        sizes = Counter(
            line.size
            for page in pages
            for line in page.lines
            if line.size >= self._body * _HEADING_RATIO and self._is_short(line)
        )
        if title is not None and pages and pages[0].lines:
            largest = max(line.size for line in pages[0].lines)
            on_first = sum(line.size == largest for line in pages[0].lines)
            if sizes[largest] == on_first:  # the title's own size is no level of headings
                sizes.pop(largest, None)
        self._sizes = sorted(sizes, reverse=True)

    def blocks(self) -> Iterator[str]:
        """The blocks of the document in order."""
        previous: str | _Table | None = None
        for page in self._pages:
            is_top = True
            for block in self._page_blocks(page):
                if isinstance(block, _Table):
                    if isinstance(previous, _Table) and (rows := _continued(previous, block, is_top)) is not None:
                        previous.rows.extend(rows)
                        previous.bottom = block.bottom
                        continue
                elif isinstance(previous, str) and is_top and self._goes_on(previous, block):
                    previous = _joined((previous, block), self._words)
                    is_top = False
                    continue
                if previous is not None:
                    yield _written(previous)
                previous, is_top = block, False
        if previous is not None:
            yield _written(previous)

    def _goes_on(self, before: str, block: str) -> bool:
        """Whether a paragraph was cut by the end of the page."""
        return (
            not before.startswith(("#", "|"))
            and not _SENTENCE_END.search(before)
            and not block.startswith(("#", "- "))
            and not _NUMBERED.match(block)
            and (block[:1].islower() or len(before) > 60)
        )

    def _page_blocks(self, page: _Page) -> Iterator[str | _Table]:
        tables = sorted(page.tables, key=lambda found: found.top)
        lines: list[Line] = []
        for line in page.lines:
            # A table comes before the first line below it, in its column.
            while tables and line.top >= tables[0].top and line.x0 <= tables[0].x1 and line.x1 >= tables[0].x0:
                yield from self._paragraphs(lines)
                lines = []
                yield tables.pop(0)
            lines.append(line)
        yield from self._paragraphs(lines)
        yield from tables

    def _paragraphs(self, lines: Sequence[Line]) -> Iterator[str | _Table]:
        place = 0
        while place < len(lines):
            if (end := _aligned(lines, place)) > place:
                run = lines[place:end]
                yield _Table(_unruled(run), run[0].x0, run[0].x1, run[0].top, run[-1].bottom, run[0].bold)
                place = end
                continue
            level = self._level(lines, place)
            end = place + 1
            if level:
                while (
                    end < len(lines) and end - place < 4 and self._same_heading(lines[end - 1], lines[end], lines, end)
                ):
                    end += 1
                yield from self._heading(
                    level, one_line(_joined((line.text for line in lines[place:end]), self._words))
                )
            else:
                while (
                    end < len(lines)
                    and not self._level(lines, end)
                    and _aligned(lines, end) == end
                    and not _breaks(lines[place:end], lines[end])
                ):
                    end += 1
                text = one_line(_joined((line.text for line in lines[place:end]), self._words))
                if text:
                    yield _BULLET.sub("- ", text)
            place = end

    def _heading(self, level: int, text: str) -> Iterator[str]:
        if not self._title_seen and self._title and text == self._title:
            self._title_seen = True
            return
        if text:
            yield f"{'#' * (level + 1)} {text}"

    def _level(self, lines: Sequence[Line], place: int) -> int:
        """1 or more for a heading, 0 for other lines."""
        line = lines[place]
        if not self._is_short(line) or _BULLET.match(line.text):
            return 0
        if line.size >= self._body * _HEADING_RATIO:
            return min(self._sizes.index(line.size) + 1, 3) if line.size in self._sizes else 1
        before, after = lines[place - 1] if place else None, lines[place + 1] if place + 1 < len(lines) else None
        stands_out = (
            line.bold
            and line.size >= self._body - 0.6
            and line.text[-1:] not in ".,;"
            and len(line.text) <= 100
            and not (before is not None and before.bold and _is_near(before, line))
            and after is not None
            and (not after.bold or not _is_near(line, after))
        )
        return min(len(self._sizes) + 1, 3) if stands_out else 0

    def _same_heading(self, before: Line, line: Line, lines: Sequence[Line], place: int) -> bool:
        return (
            line.size == before.size
            and line.bold == before.bold
            and _is_near(before, line)
            and self._level(lines, place) > 0
        )

    def _is_short(self, line: Line) -> bool:
        return len(line.text) <= _HEADING_CHARACTERS and any(char.isalpha() for char in line.text)


def _is_near(before: Line, line: Line) -> bool:
    return 0 <= line.top - before.top < 1.6 * max(before.height, line.height)


def _breaks(paragraph: Sequence[Line], line: Line) -> bool:
    """Whether `line` begins a new paragraph."""
    before = paragraph[-1]
    if line.top < before.top:  # the next column
        return bool(_SENTENCE_END.search(before.text)) or _begins_item(line)
    step = line.top - before.top
    usual = paragraph[-1].top - paragraph[-2].top if len(paragraph) > 1 else 1.5 * before.height
    if _begins_item(line) or abs(line.size - before.size) > 1.5:
        return True
    if step > max(usual * 1.3, before.height * 1.2) and step > usual + 1.5:
        return True
    # A line that ends early ends the paragraph.
    width = max(one.x1 for one in (*paragraph, line)) - min(one.x0 for one in paragraph)
    ends_early = before.x1 < max(one.x1 for one in (*paragraph, line)) - 0.2 * width
    indented = line.x0 > before.x0 + 0.8 * line.size and len(paragraph) > 1 and not _begins_item(paragraph[0])
    return bool(_SENTENCE_END.search(before.text)) and (ends_early or indented)


def _begins_item(line: Line) -> bool:
    return bool(_BULLET.match(line.text) or _NUMBERED.match(line.text))


def _aligned(lines: Sequence[Line], place: int) -> int:
    """The end of the run of lines from `place` that are rows of a table without rules; `place` if there is none."""
    first = lines[place].cells
    if len(first) < 2 or _begins_item(lines[place]):
        return place
    end = place + 1
    while end < len(lines) and len(lines[end].cells) == len(first) and lines[end].top > lines[end - 1].top:
        if lines[end].top - lines[end - 1].top > 3.5 * lines[end].height:
            break
        if not all(
            abs(cell.x0 - other.x0) <= _SAME_EDGE_POINTS
            or abs(cell.x1 - other.x1) <= _SAME_EDGE_POINTS
            or abs((cell.x0 + cell.x1) - (other.x0 + other.x1)) <= 2 * _SAME_EDGE_POINTS
            for cell, other in zip(lines[end].cells, first, strict=True)
        ):
            break
        end += 1
    return end if end - place >= 3 else place


def _unruled(lines: Sequence[Line]) -> list[list[str]]:
    return [[cell.text for cell in line.cells] for line in lines]


def _continued(before: _Table, block: _Table, is_top: bool) -> list[list[str]] | None:
    """The rows that go on from `before` over a page break, without the header if it is repeated; else `None`."""
    if not is_top or len(before.rows[0]) != len(block.rows[0]):
        return None
    if [one_line(cell) for cell in block.rows[0]] == [one_line(cell) for cell in before.rows[0]]:
        return block.rows[1:]
    same_place = abs(before.x0 - block.x0) <= _SAME_EDGE_POINTS and abs(before.x1 - block.x1) <= _SAME_EDGE_POINTS
    return block.rows if same_place and before.first_bold and not block.first_bold else None


def _written(block: str | _Table) -> str:
    return table(block.rows) if isinstance(block, _Table) else block
