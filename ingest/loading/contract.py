"""What loading promises: the limits, the result, and every reason for which there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a file is, by its content."""

    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    XLSX = "xlsx"
    CSV = "csv"
    HTML = "html"
    MARKDOWN = "markdown"
    TEXT = "text"


class Reason(StrEnum):
    """Why a file or an address gives no document."""

    TOO_LARGE = "too-large"
    TOO_MANY_PAGES = "too-many-pages"
    UNPACKS_TOO_LARGE = "unpacks-too-large"
    TOO_SLOW = "too-slow"
    TOO_MUCH_MEMORY = "too-much-memory"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    EMPTY = "empty"
    NO_TEXT = "no-text"
    UNSUPPORTED = "unsupported"
    NESTED_ARCHIVE = "nested-archive"
    ADDRESS_REFUSED = "address-refused"
    NOT_REACHED = "not-reached"


def mark(text: str) -> str:
    """Mark a sentence that the bot translates."""
    return text


# Figures in the sentences are those of `Limits`; a test compares them.
MESSAGES: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.TOO_LARGE: mark("The file is larger than 20 MB: remove large pictures or split it, and send the parts."),
        Reason.TOO_MANY_PAGES: mark(
            "The document has more than 300 pages: split it into parts and send them one by one."
        ),
        Reason.UNPACKS_TOO_LARGE: mark(
            "The file unpacks to far more than it seems to hold: save it anew in the program "
            "that made it, without large pictures, and send that."
        ),
        Reason.TOO_SLOW: mark(
            "Reading the file took too long: split it into smaller parts, or save it as PDF, and try again."
        ),
        Reason.TOO_MUCH_MEMORY: mark(
            "The file needs more memory than there is: split it into smaller parts, or save it as PDF, and try again."
        ),
        Reason.ENCRYPTED: mark("The file is protected by a password: save it without the password and send it again."),
        Reason.DAMAGED: mark(
            "The file is damaged or not complete: open it on your computer, save it anew, and send it again."
        ),
        Reason.EMPTY: mark("The file is empty: check that it is the right one and send it again."),
        Reason.NO_TEXT: mark(
            "The file has no text that can be read, only pictures or scanned pages: send the original, or "
            "run text recognition (OCR) on it first."
        ),
        Reason.UNSUPPORTED: mark(
            "This kind of file cannot be read: save it as PDF, Word (.docx), PowerPoint (.pptx), Excel "
            "(.xlsx), CSV or plain text, and send that."
        ),
        Reason.NESTED_ARCHIVE: mark(
            "This is an archive with files packed inside: unpack it and send the documents one by one."
        ),
        Reason.ADDRESS_REFUSED: mark(
            "This address cannot be used: send the address of a public page that begins with "
            "https:// or http://, without a password or a port in it."
        ),
        Reason.NOT_REACHED: mark(
            "The page could not be reached: check the address in a browser, or send the page as a file."
        ),
    }
)
"""One English sentence for each reason: what is wrong and what to do."""


class LoadError(Exception):
    """A file or an address gives no document; the text is a sentence for the person who sent it.

    `detail` is for the log only: it may quote the file.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(MESSAGES[reason])
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Limits:
    """What one file may cost."""

    bytes: int = 20_000_000
    pages: int = 300
    """Pages, slides or sheets."""
    unpacked_bytes: int = 200_000_000
    characters: int = 400_000
    """Of Markdown; what is longer is cut, with a note."""
    seconds: float = 120
    memory_bytes: int = 1_500_000_000
    """Of address space of the process that parses."""


@dataclass(frozen=True)
class Loaded:
    """A file as clean Markdown: sections under `##`, parts under `###`, tables with pipes; the title stands apart."""

    kind: Kind
    title: str | None
    as_of: str | None
    """The date the document gives itself: `2026-03-05`, `2026-03` or `2026`."""
    language: str
    """ISO 639-1."""
    markdown: str
    pages: int
    notes: tuple[str, ...]
    """What the reader should know, as slugs: see `Note`."""
    flagged: tuple[str, ...]
    """Sentences that try to instruct a program, each cut to 200 characters."""


class Note(StrEnum):
    """What was left out of a document or looked odd."""

    MISLABELLED = "mislabelled"
    CUT_TEXT = "cut-text"
    CUT_ROWS = "cut-rows"
    FORMULAS_WITHOUT_VALUES = "formulas-without-values"
    HIDDEN_SHEETS_SKIPPED = "hidden-sheets-skipped"
    HIDDEN_SLIDES_SKIPPED = "hidden-slides-skipped"
    IMAGES_SKIPPED = "images-skipped"
    PAGES_WITHOUT_TEXT = "pages-without-text"
    LETTERS_NOT_READ = "letters-not-read"
