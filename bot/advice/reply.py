"""What the adviser gives back: text, buttons and sources, free of any transport."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from bot.advice.richtext import RichText
from bot.advice.shown import title_of
from knowledge.models import AsOf, Document, Source
from knowledge.search import Hit

LABEL_LENGTH = 60
UNKNOWN_DATE = AsOf("unknown")
OTHER_WAYS = "w:list"
"""The action of a button that shows other ways to sell."""

BEGINS = "b"
"""Before the action of a button that begins a guided way: `b:choice`, `b:dispute`, `b:dispute:<situation>[:<service>]`.
"""

PHONE_SIZE = 900
"""Characters before "More": about one screen of a small phone."""


class ReplyKind(StrEnum):
    """What a reply is, in the words of the machine contract."""

    ANSWER = "answer"
    ASK_BACK = "ask_back"
    DECLINE = "decline"
    HAND_OVER = "hand_over"


@dataclass(frozen=True)
class Button:
    """A next step. `action` is short and self-describing, so that it works after a restart."""

    label: str
    action: str


def label(text: str) -> str:
    """`text` short enough for a button."""
    return text if len(text) <= LABEL_LENGTH else text[: LABEL_LENGTH - 1].rsplit(" ", 1)[0] + "…"


def opening(document: Document, language: str) -> Button:
    """The button that opens `document`, with its title in `language`."""
    return Button(label(title_of(document, language)), f"d:{document.id}")


def related(hits: Sequence[Hit], most: int, language: str) -> list[Button]:
    """Buttons that open the documents of `hits`, at most `most`."""
    return [opening(hit.document, language) for hit in hits[: max(most, 0)]]


@dataclass(frozen=True)
class Figure:
    """One figure of a reply, for machines: `amount` in `currency` (ISO 4217), None when it is not known; or a
    `verdict`."""

    name: str
    amount: Decimal | None = None
    currency: str | None = None
    as_of: AsOf = UNKNOWN_DATE
    verdict: str | None = None


@dataclass(frozen=True)
class Begin:
    """The guided way that a reply begins: its `kind` (a `CaseKind`), what is known for it already, and the first
    question, which in a chat is a message of its own."""

    kind: str
    answers: tuple[tuple[str, str], ...] = ()
    question: str = ""


@dataclass(frozen=True)
class Reply:
    """One reply. `passage` is the id of the passage that leads it; `ranking` lists documents, best first.

    `draft` is the code of the question about figures that this answers or asks back for, `subject` what its
    figures are about; `begins` the guided way that it begins.
    """

    text: RichText
    kind: ReplyKind
    intent: str
    language: str
    citations: tuple[Source, ...] = ()
    confidence: float = 0.0
    buttons: tuple[Button, ...] = ()
    passage: str | None = None
    ranking: tuple[tuple[str, float], ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)
    intents: Mapping[str, float] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    draft: str | None = None
    subject: str | None = None
    begins: Begin | None = None

    @property
    def judged_as(self) -> str | None:
        """What a thumb under this reply is about: the document that leads it, or the subject of its figures."""
        return self.passage.split("#", 1)[0] if self.passage else self.subject
