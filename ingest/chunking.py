"""Cut a document into passages that can stand alone."""

from __future__ import annotations

import re

from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter

from knowledge.models import Document, Kind, Passage
from knowledge.normalise import fold

CHUNKER = "headings-1"
"""Names this way of cutting in the manifest; change it when the passages it makes change."""

PASSAGE_CHARACTERS = 1_500
"""About 250 words or 350 tokens: well inside the 512 tokens that the encoder reads."""

_headings = MarkdownHeaderTextSplitter([("##", "section"), ("###", "part")], strip_headers=True)
_paragraphs = RecursiveCharacterTextSplitter(
    chunk_size=PASSAGE_CHARACTERS, chunk_overlap=0, separators=["\n\n", "\n", ". ", " ", ""], keep_separator="end"
)


def cut(document: Document) -> list[Passage]:
    """Return the passages of `document` in order.

    A card is one passage. A guide or digest gives one passage for its summary, which carries the
    document's question forms, and one for each section, longer ones cut at paragraphs. Each passage has
    its heading path.
    """
    questions = tuple(form for forms in document.questions.values() for form in forms)
    if document.kind is Kind.CARD:
        return [
            Passage(
                id=document.id, document=document.id, path=(document.title,), text=document.body, questions=questions
            )
        ]
    passages: list[Passage] = []
    taken: set[str] = set()
    for section in _headings.split_text(document.body):
        headings = tuple(str(section.metadata[level]) for level in ("section", "part") if level in section.metadata)
        for text in _paragraphs.split_text(section.page_content):
            first = not passages
            passages.append(
                Passage(
                    id=document.id if first else f"{document.id}#{_anchor(headings, taken)}",
                    document=document.id,
                    number=len(passages),
                    path=(document.title, *headings),
                    text=text.strip(),
                    questions=questions if first else (),
                )
            )
    return passages


def _anchor(headings: tuple[str, ...], taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", fold(headings[-1] if headings else "summary")).strip("-")[:40] or "part"
    anchor, number = slug, 2
    while anchor in taken:
        anchor, number = f"{slug}-{number}", number + 1
    taken.add(anchor)
    return anchor
