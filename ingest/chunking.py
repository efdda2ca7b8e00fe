"""Cut a document into passages that can stand alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.models import Document, Kind, Passage, Translation, Wording
from knowledge.normalise import fold

CHUNKER = "headings-3"
"""Names this way of cutting in the manifest; change it when the passages it makes change."""

PASSAGE_CHARACTERS = 1_500
"""About 250 words or 350 tokens: well inside the 512 tokens that the encoder reads."""

AGENCY_PASSAGE_CHARACTERS = 700
"""What an agency wrote is not cut to one point a section: a shorter piece is on the phone's screen as a whole."""

HEADING_LENGTH = 80

_SEPARATORS = ["\n\n", "\n", ". ", " ", ""]


def cut(document: Document) -> list[Passage]:
    """Return the passages of `document` in order.

    A card is one passage. A guide or digest gives one passage for its summary, which carries the
    document's question forms, and one for each section, longer ones cut at paragraphs. What an agency added is cut
    into shorter ones, each table row written out with its column heads. Each passage has its heading path.
    Translations are of cards, or of guides section by section.
    """
    questions = tuple(form for forms in document.questions.values() for form in forms)
    if document.kind is Kind.CARD:
        translations = {each.language: Wording(path=(each.title,), text=each.body) for each in document.translations}
        return [
            Passage(
                id=document.id,
                document=document.id,
                path=(document.title,),
                text=document.body,
                questions=questions,
                translations=translations,
            )
        ]
    translated = {each.language: _translated(each) for each in document.translations}
    passages: list[Passage] = []
    taken: set[str] = set()
    for piece in _of_agency(document.body) if document.kind is Kind.AGENCY else _of_guide(document.body):
        first = not passages
        passages.append(
            Passage(
                id=document.id if first else f"{document.id}#{_anchor(piece.headings, taken)}",
                document=document.id,
                number=len(passages),
                path=(document.title, *piece.headings),
                text=piece.text.strip(),
                questions=(*(questions if first else ()), *piece.forms),
            )
        )
    return [
        passage.model_copy(
            update={
                "translations": {
                    language: sections[passage.number]
                    for language, sections in translated.items()
                    if len(sections) == len(passages)
                }
            }
        )
        for passage in passages
    ]


def _translated(translation: Translation) -> list[Wording]:
    return [
        Wording(path=(translation.title, *piece.headings), text=piece.text.strip())
        for piece in _of_guide(translation.body)
    ]


@dataclass(frozen=True)
class _Piece:
    headings: tuple[str, ...]
    text: str
    forms: tuple[str, ...] = ()


def _of_guide(markdown: str) -> Iterator[_Piece]:
    for headings, section in _sections(markdown):
        for text in _split(section, PASSAGE_CHARACTERS):
            yield _Piece(headings, text)


def _of_agency(markdown: str) -> Iterator[_Piece]:
    """Pieces with their headings as question forms; neighbours that are short are put together, for a line or two
    say little alone."""
    waiting: _Piece | None = None
    for headings, section in _plain_sections(written_out(markdown)):
        forms = (" - ".join(headings)[:HEADING_LENGTH],) if headings else ()
        for text in _split(section, AGENCY_PASSAGE_CHARACTERS):
            piece = _Piece(headings, text, forms)
            if waiting is None:
                waiting = piece
            elif len(waiting.text) + len(text) + HEADING_LENGTH <= AGENCY_PASSAGE_CHARACTERS:
                waiting = _together(waiting, piece)
            else:
                yield waiting
                waiting = piece
    if waiting is not None:
        yield waiting


def _plain_sections(markdown: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Sections with their heading path. Blank lines stay, which the library's splitter drops: they keep the rows of a
    table together."""
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    for line in [*markdown.splitlines(), "## "]:
        heading = re.fullmatch(r"(#{2,6})\s+(.*\S)?\s*", line)
        if heading is None:
            lines.append(line)
            continue
        text = "\n".join(lines).strip()
        if text:
            yield tuple(title for _level, title in path), text
        level = len(heading[1])
        path = [(above, title) for above, title in path if above < level] + [(level, heading[2] or "")]
        lines = []


def _together(one: _Piece, other: _Piece) -> _Piece:
    """Two pieces as one: under their heading if it is the same, else each after its own."""
    forms = tuple(dict.fromkeys((*one.forms, *other.forms)))
    if one.headings == other.headings:
        return _Piece(one.headings, f"{one.text}\n\n{other.text}", forms)
    shared = tuple(a for a, b in zip(one.headings, other.headings, strict=False) if a == b)
    first, second = (
        f"**{' - '.join(piece.headings[len(shared) :])}**\n{piece.text}"
        if len(piece.headings) > len(shared)
        else piece.text
        for piece in (one, other)
    )
    return _Piece(shared, f"{first}\n\n{second}", forms)


def written_out(markdown: str) -> str:
    """`markdown` with each row of its tables as a line of its own, "Fee: 450; Office: Nairobi".

    A row then stands alone: it is found by the words of its column heads, and is read on a phone's screen.
    """
    lines: list[str] = []
    heads: list[str] | None = None
    source = markdown.splitlines()
    for at, line in enumerate(source):
        if not line.lstrip().startswith("|"):
            heads = None
            lines.append(line)
        elif heads is None:
            heads = _cells(line)
            if not (at + 1 < len(source) and _is_rule(source[at + 1])):
                lines.append(" ".join(heads))
        elif not _is_rule(line):
            row = "; ".join(_named(heads, _cells(line)))
            lines.append(f"- {row}" if row else "")
    return "\n".join(lines)


def _cells(line: str) -> list[str]:
    parts = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [part.replace("\\|", "|").strip() for part in parts]


def _is_rule(line: str) -> bool:
    return bool(re.fullmatch(r"[\s|:-]*-[\s|:-]*", line)) and "|" in line


def _named(heads: list[str], cells: list[str]) -> Iterator[str]:
    for number, cell in enumerate(cells):
        head = heads[number] if number < len(heads) else ""
        if cell:
            yield f"{head}: {cell}" if head and head != cell else cell


def _sections(markdown: str) -> Iterator[tuple[tuple[str, ...], str]]:
    from langchain_text_splitters import MarkdownHeaderTextSplitter

    splitter = MarkdownHeaderTextSplitter([("##", "section"), ("###", "part")], strip_headers=True)
    for section in splitter.split_text(markdown):
        headings = tuple(str(section.metadata[level]) for level in ("section", "part") if level in section.metadata)
        yield headings, section.page_content


def _split(text: str, size: int) -> list[str]:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=size, chunk_overlap=0, separators=_SEPARATORS, keep_separator="end"
    )
    return [piece for piece in splitter.split_text(text) if piece.strip()]


def _anchor(headings: tuple[str, ...], taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", fold(headings[-1] if headings else "summary")).strip("-")[:40] or "part"
    anchor, number = slug, 2
    while anchor in taken:
        anchor, number = f"{slug}-{number}", number + 1
    taken.add(anchor)
    return anchor
