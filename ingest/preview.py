"""What a draft would change: questions it now answers, and what it repeats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.adding import encode
from ingest.chunking import cut
from ingest.index import Progress
from knowledge.calibration import load_calibration
from knowledge.encoders import Encoder
from knowledge.gazetteer import Gazetteer
from knowledge.generation import Generation
from knowledge.models import Document, Passage
from knowledge.normalise import fold, words
from knowledge.overlay import Overlay
from knowledge.search import HybridSearch
from knowledge.settings import Settings

QUESTIONS = 5
MOST_TRIED = 40
"""Questions that are asked to find those five: each takes some tens of milliseconds."""
SAME_COSINE = 0.97
SAME_WORDS = 0.8
"""A passage repeats another when the two are as near as this, or share this part of their words."""


@dataclass(frozen=True)
class Trial:
    """A question that the draft answers: the passage that leads the answer, and how sure it is (0 to 1)."""

    question: str
    passage: Passage
    confidence: float


@dataclass(frozen=True)
class Repeated:
    """A document that says the same as some passages of the draft."""

    document: str
    title: str
    passages: int


@dataclass(frozen=True)
class Preview:
    """What publishing `document` would change."""

    document: Document
    passages: int
    repeated: tuple[Repeated, ...]
    trials: tuple[Trial, ...]


def overlay(settings: Settings, encoder: Encoder, base: Generation, document: Document) -> Overlay:
    """`base` with `document` laid over it, as if it were published."""
    passages = cut(document)
    texts, forms = encode(settings, encoder, document)
    return Overlay(base, document, passages, texts, forms)


def preview(
    settings: Settings,
    encoder: Encoder,
    base: Generation,
    document: Document,
    asked: Sequence[str] = (),
    progress: Progress = lambda *_: None,
) -> Preview:
    """Lay `document` over `base` and see what it answers.

    `asked` are questions of sellers that nobody could answer: those that it now answers are shown first; the rest are
    made of its own headings and table rows.
    """
    passages = cut(document)
    encode(settings, encoder, document, progress)
    laid = overlay(settings, encoder, base, document)
    search = HybridSearch(laid, encoder, load_calibration(encoder.fingerprint))
    gazetteer = Gazetteer(base.facts, laid.vocabulary)
    trials: dict[str, Trial] = {}
    tried = [*asked, *_questions(passages)][:MOST_TRIED]
    for number, question in enumerate(tried, 1):
        evidence = search.search(question, gazetteer.find(question, document.language))
        best = evidence.hits[0]
        if best.document.id == document.id and evidence.confidence >= search.boundaries.answer_above:
            trials.setdefault(best.passage.id, Trial(question, best.passage, evidence.confidence))
        progress("trying questions", number, len(tried))
        if len(trials) == QUESTIONS:
            progress("trying questions", len(tried), len(tried))
            break
    return Preview(document, len(passages), _repeated(settings, encoder, base, document), tuple(trials.values()))


def _questions(passages: Sequence[Passage]) -> list[str]:
    """Questions that the passages should answer, in the words of a search: spread over the document, headings and
    table rows by turns."""
    found: list[list[str]] = []
    for passage in passages:
        own = [" ".join(passage.path[1:])] if len(passage.path) > 1 else []
        own += [_of_row(line) for line in passage.text.splitlines() if line.startswith("- ") and ": " in line][:2]
        own = own or [_beginning(passage.text)]
        found.append([question for question in own if len(question.split()) >= 2])
    # First a question of every fifth part of the document, then those between.
    stride = max(len(found) // QUESTIONS, 1)
    order = [at for start in range(stride) for at in range(start, len(found), stride)]
    spread = [question for nth in range(3) for at in order for question in found[at][nth : nth + 1]]
    return list(dict.fromkeys(spread))


def _of_row(line: str) -> str:
    """The row `- Item: Certificate; Fee: 450` asks for the fee of the certificate."""
    cells = [cell.partition(": ") for cell in line.removeprefix("- ").split("; ")]
    first = cells[0][2] or cells[0][0]
    return f"{first}: {cells[1][0]}" if len(cells) > 1 else first


def _beginning(text: str) -> str:
    sentence = re.split(r"(?<=[.!?؟。।])\s", text.strip(), maxsplit=1)[0]
    return " ".join(sentence.split()[:12])


def _repeated(settings: Settings, encoder: Encoder, base: Generation, document: Document) -> tuple[Repeated, ...]:
    texts, _ = encode(settings, encoder, document)
    counts: Counter[str] = Counter()
    for passage, vector in zip(cut(document), texts, strict=True):
        own = set(words(fold(passage.text)))
        near = base.nearest_passages(vector, 3)
        for row, cosine in zip(near.rows, near.cosines, strict=True):
            other = base.passages[int(row)]
            if other.document != document.id and (cosine >= SAME_COSINE or _shared(own, other) >= SAME_WORDS):
                counts[other.document] += 1
                break
    return tuple(Repeated(id, base.documents[id].title, count) for id, count in counts.most_common(3))


def _shared(own: set[str], other: Passage) -> float:
    theirs = set(words(fold(other.text)))
    return len(own & theirs) / max(len(own), len(theirs), 1)
