"""Cut a document into passages that can stand alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.models import Document, Kind, Passage
from knowledge.normalise import fold

CHUNKER = "headings-2"
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
    """
    questions = tuple(form for forms in document.questions.values() for form in forms)
    if document.kind is Kind.CARD:
        return [
            Passage(
                id=document.id, document=document.id, path=(document.title,), text=document.body, questions=questions
            )
        ]
    of_agency = document.kind is Kind.AGENCY
    passages: list[Passage] = []
    taken: set[str] = set()
    for headings, section in _sections(written_out(document.body) if of_agency else document.body):
        for text in _pieces(section, AGENCY_PASSAGE_CHARACTERS if of_agency else PASSAGE_CHARACTERS):
            first = not passages
            forms = questions if first else ()
            if of_agency and headings:
                forms = (*forms, " - ".join(headings)[:HEADING_LENGTH])
            passages.append(
                Passage(
                    id=document.id if first else f"{document.id}#{_anchor(headings, taken)}",
                    document=document.id,
                    number=len(passages),
                    path=(document.title, *headings),
                    text=text.strip(),
                    questions=forms,
                )
            )
    return passages


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


def _pieces(text: str, size: int) -> list[str]:
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
