"""What an archive holds and how it is written down: names, limits, the manifest, the lines of the catalogue.

manifest.json               format, created, counts, SHA-256 and size of every other entry
documents/**/*.md           DOCUMENTS_DIR
facts/**/*.yaml             FACTS_DIR
catalogue/agencies.jsonl    an `AgencyLine` a line
catalogue/documents.jsonl   a `LibraryLine` a line: a document of an agency with all its versions
uploads/<sha256>.<ending>   the files that agencies sent
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from ingest.catalogue import DOCUMENT_ID_LENGTH, State
from knowledge.models import CountryCode, Document, Identifier, Kind, Strict

FORMAT: Final = 1
MANIFEST = "manifest.json"
DOCUMENTS, FACTS, UPLOADS = "documents/", "facts/", "uploads/"
AGENCIES, LIBRARY = "catalogue/agencies.jsonl", "catalogue/documents.jsonl"

MOST_ENTRIES = 50_000
MOST_TEXT_BYTES = 5_000_000
"""Of one document or table: the largest of ours has 90 kB."""
MOST_ENTRY_BYTES = 500_000_000
MOST_BYTES = 5_000_000_000
MOST_RATIO, RATIO_FROM_BYTES = 200, 10_000_000
"""Text shrinks to a tenth, versions of one document to less; a bomb to a thousandth. Small archives may shrink more."""

ORIGINAL = re.compile(r"([0-9a-f]{64})(\.[a-z0-9]{1,10})?")
"""The name of an original: its SHA-256 and the ending it was sent with."""


class ArchiveError(Exception):
    """The archive cannot be made or is refused; the message is one line with the reason."""


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class EntryLine(Strict):
    """What the manifest says of one entry."""

    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class ArchiveManifest(Strict):
    """What `manifest.json` holds. `missing` names originals that were gone or changed when the archive was made.

    `created` is the moment of the newest content, not of the export, so that two exports of the same content are the
    same byte for byte.
    """

    format: Literal[1] = FORMAT
    created: Moment
    counts: dict[str, int]
    missing: tuple[str, ...] = ()
    entries: dict[str, EntryLine]


class AgencyLine(Strict):
    """An agency without its Telegram group, which belongs to the bot it was bound with."""

    id: Annotated[Identifier, Field(max_length=32)]
    name: str = Field(min_length=1, max_length=120)
    countries: tuple[CountryCode, ...]
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...]
    contact: str = Field(max_length=200)
    url: str = Field(max_length=300)
    created_at: Moment
    closed_at: Moment | None = None


class VersionLine(Strict):
    """One version of a document, without who sent it."""

    number: int = Field(ge=1)
    state: State
    content: Document
    original: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
    file_name: str = Field(max_length=200)
    pages: int = Field(ge=0, le=1_000_000)
    notes: tuple[str, ...]
    flagged: tuple[str, ...]
    created_at: Moment
    published_at: Moment | None = None
    ended_at: Moment | None = None


class LibraryLine(Strict):
    """A document of an agency with all its versions, oldest first."""

    id: Annotated[Identifier, Field(max_length=DOCUMENT_ID_LENGTH)]
    agency: Identifier
    created_at: Moment
    versions: tuple[VersionLine, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> LibraryLine:
        numbers = [version.number for version in self.versions]
        if numbers != sorted(set(numbers)):
            raise ValueError(f"{self.id}: versions are not numbered upwards")
        for version in self.versions:
            content = version.content
            if (content.id, content.agency, content.kind) != (self.id, self.agency, Kind.AGENCY):
                raise ValueError(f"{self.id} v{version.number}: its content is of {content.id} ({content.agency})")
            if version.state is State.PUBLISHED and version.published_at is None:
                raise ValueError(f"{self.id} v{version.number}: is published, but not since when")
        for state in (State.DRAFT, State.PUBLISHED):
            if sum(version.state is state for version in self.versions) > 1:
                raise ValueError(f"{self.id}: more than one version is {state}")
        return self


def files_below(folder: Path, ending: str) -> dict[str, Path]:
    """The files of the knowledge base in `folder` by their path in it, in order."""
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob(f"*{ending}")
        if path.is_file() and not path.name.startswith(".")
    }
    return dict(sorted(found.items()))


def newest(moments: Iterable[datetime | None]) -> datetime:
    """The latest of the moments that are known."""
    return max(moment for moment in moments if moment is not None)
