"""The catalogue as lines of an archive, and such lines merged into the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ingest.archive.contents import AgencyLine, ArchiveError, LibraryLine, VersionLine
from ingest.catalogue import COMMAND_LINE, AgencyRow, AuditRow, LibraryRow, State, VersionRow, exists
from knowledge.database import DatabaseError, create_blocking_engine, explain, migrate_blocking
from knowledge.models import Document
from knowledge.settings import Settings

_ENDED = {State.PUBLISHED: State.REPLACED, State.DRAFT: State.DISCARDED}
"""What becomes of a version that only we have when the archive's versions are put in force."""


@dataclass(frozen=True)
class Library:
    """What of the catalogue goes into an archive, by id."""

    agencies: dict[str, AgencyLine] = field(default_factory=dict)
    documents: dict[str, LibraryLine] = field(default_factory=dict)

    @property
    def versions(self) -> list[VersionLine]:
        """The versions of all documents."""
        return [version for document in self.documents.values() for version in document.versions]

    @property
    def originals(self) -> list[str]:
        """The names of the files that the versions came from, in order."""
        return sorted({version.original for version in self.versions})


@dataclass(frozen=True)
class Merge:
    """What a merge does with agencies or documents, as ids: `differing` ones are replaced, or left."""

    added: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()


@dataclass(frozen=True)
class CatalogueChanges:
    """What an import does to the catalogue. `foreign`: documents whose id here is another agency's; never replaced."""

    agencies: Merge = Merge()
    documents: Merge = Merge()
    foreign: tuple[str, ...] = ()

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Ids of what is here with other content."""
        return (*self.agencies.differing, *self.documents.differing, *self.foreign)


def check_ids(documents: Iterable[Document], library: Library) -> None:
    """Refuse a document of ours that has the id of an agency's; raises `ArchiveError`."""
    for document in documents:
        if document.id in library.documents:
            raise ArchiveError(
                f"the id {document.id} is that of a Markdown document and of an agency's document; rename the first"
            )


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = create_blocking_engine(settings)
    try:
        migrate_blocking(engine)
        yield engine
    except DBAPIError as error:
        raise DatabaseError(explain(error, engine)) from error
    finally:
        engine.dispose()


def read_library(settings: Settings) -> Library:
    """All agencies, closed ones too, and documents with every version; nothing when there is no database yet.

    Raises:
        DatabaseError: the database cannot be used.
        ArchiveError: a row is not as this version of the program writes it.
    """
    if not exists(settings):
        return Library()
    with _engine(settings) as engine, Session(engine) as session:
        return _read(session)


def _read(session: Session) -> Library:
    versions: dict[str, list[VersionRow]] = {}
    for version in session.scalars(select(VersionRow).order_by(VersionRow.document_id, VersionRow.number)):
        versions.setdefault(version.document_id, []).append(version)
    agencies, documents = {}, {}
    at = "catalogue"
    try:
        for agency in session.scalars(select(AgencyRow).order_by(AgencyRow.id)):
            at = agency.id
            agencies[agency.id] = _agency_line(agency)
        for row in session.scalars(select(LibraryRow).order_by(LibraryRow.id)):
            at = row.id
            documents[row.id] = LibraryLine(
                id=row.id,
                agency=row.agency_id,
                created_at=row.created_at,
                versions=tuple(_version_line(version) for version in versions.get(row.id, ())),
            )
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise ArchiveError(f"the catalogue's {at} is not valid: {where}: {fault['msg']}") from error
    return Library(agencies, documents)


def _agency_line(row: AgencyRow) -> AgencyLine:
    return AgencyLine(
        id=row.id,
        name=row.name,
        countries=tuple(row.countries),
        languages=tuple(row.languages),
        contact=row.contact,
        url=row.url,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )


def _version_line(row: VersionRow) -> VersionLine:
    return VersionLine.model_validate(
        {
            "number": row.number,
            "state": State(row.state),
            "content": row.content,
            "original": row.original,
            "file_name": row.file_name,
            "pages": row.pages,
            "notes": tuple(row.notes),
            "flagged": tuple(row.flagged),
            "created_at": row.created_at,
            "published_at": row.published_at,
            "ended_at": row.ended_at,
        }
    )


def compare(ours: Library, theirs: Library) -> CatalogueChanges:
    """What merging `theirs` into `ours` would do."""
    foreign = tuple(
        id
        for id, document in theirs.documents.items()
        if id in ours.documents and ours.documents[id].agency != document.agency
    )
    return CatalogueChanges(
        agencies=_merge(ours.agencies, theirs.agencies),
        documents=_merge(ours.documents, {id: d for id, d in theirs.documents.items() if id not in foreign}),
        foreign=foreign,
    )


def _merge(ours: Mapping[str, object], theirs: Mapping[str, object]) -> Merge:
    return Merge(
        added=tuple(sorted(id for id in theirs if id not in ours)),
        equal=tuple(sorted(id for id in theirs if ours.get(id) == theirs[id])),
        differing=tuple(sorted(id for id in theirs if id in ours and ours[id] != theirs[id])),
    )


def merge_library(settings: Settings, theirs: Library, *, replace: bool) -> CatalogueChanges:
    """Add what is not here, and with `replace` put what differs in the place of ours; one transaction.

    A version that only we have is kept; if it was in force or a draft, it ends, since the archive's are in force.

    Raises:
        DatabaseError: the database cannot be used.
    """
    with _engine(settings) as engine, Session(engine) as session, session.begin():
        changes = compare(_read(session), theirs)
        agencies = changes.agencies.added + (changes.agencies.differing if replace else ())
        documents = changes.documents.added + (changes.documents.differing if replace else ())
        for id in agencies:
            _write_agency(session, theirs.agencies[id])
        session.flush()
        for id in documents:
            _write_document(session, theirs.documents[id])
        return changes


def _write_agency(session: Session, line: AgencyLine) -> None:
    row = session.get(AgencyRow, line.id) or AgencyRow(id=line.id)
    row.name, row.contact, row.url = line.name, line.contact, line.url
    row.countries, row.languages = list(line.countries), list(line.languages)
    row.created_at, row.closed_at = line.created_at, line.closed_at
    session.add(row)
    _audit(session, line.id, line.id)


def _write_document(session: Session, line: LibraryLine) -> None:
    row = session.get(LibraryRow, line.id) or LibraryRow(id=line.id, agency_id=line.agency)
    row.created_at = line.created_at
    session.add(row)
    session.flush()
    ours = {
        version.number: version
        for version in session.scalars(select(VersionRow).where(VersionRow.document_id == line.id))
    }
    for number in ours.keys() - {version.number for version in line.versions}:
        only_here = ours[number]
        if (state := State(only_here.state)) in _ENDED:
            only_here.state, only_here.ended_at = _ENDED[state], datetime.now(UTC)
    for version in line.versions:
        _write_version(session, line.id, version, ours.get(version.number))
    _audit(session, line.id, line.agency)


def _write_version(session: Session, document: str, line: VersionLine, row: VersionRow | None) -> None:
    if row is None:
        row = VersionRow(document_id=document, number=line.number, created_by=COMMAND_LINE)
    row.state = line.state.value
    row.content = line.content.model_dump(mode="json")
    row.original, row.file_name, row.pages = line.original, line.file_name, line.pages
    row.notes, row.flagged = list(line.notes), list(line.flagged)
    row.created_at, row.published_at, row.ended_at = line.created_at, line.published_at, line.ended_at
    session.add(row)
    session.flush()


def _audit(session: Session, subject: str, agency: str) -> None:
    session.add(
        AuditRow(at=datetime.now(UTC), actor=COMMAND_LINE, agency_id=agency, action="imported", subject=subject)
    )
