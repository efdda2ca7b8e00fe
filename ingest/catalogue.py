"""The catalogue: agencies, their documents with versions and states, uses in answers, and the audit trail.

Blocking, on the database that the bot uses too: from an event loop call it in a thread. What is published here is
what the next generation is built from; the original files lie in `DATA_DIR/uploads`, named by their hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from knowledge.database import Base, BlockingStore, UtcDateTime, database_url
from knowledge.models import CountryCode, Document, Identifier, Strict
from knowledge.normalise import fold
from knowledge.settings import Settings

COMMAND_LINE = "cli"
"""The actor of what is done in a terminal; else an actor is a Telegram id."""

AGENCY_ID_LENGTH, DOCUMENT_ID_LENGTH = 20, 48


class CatalogueError(Exception):
    """What was asked cannot be done; the message is one line that says why and what to do."""


class AlreadyPublishedError(CatalogueError):
    """Just this file is in force already."""

    reason = "already-published"


class State(StrEnum):
    """Where a version of a document stands."""

    DRAFT = "draft"
    PUBLISHED = "published"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    DISCARDED = "discarded"


class Agency(Strict):
    """A trade-support agency: the sellers' countries (ISO 3166) and languages (ISO 639-1) it serves, the line shown
    to sellers who want to reach it, its page, and the Telegram group in which it answers them."""

    id: Identifier
    name: str
    countries: tuple[CountryCode, ...]
    languages: tuple[str, ...]
    contact: str
    url: str
    group_chat_id: int | None = None


class AgencyRow(Base):
    """See `Agency`."""

    __tablename__ = "agencies"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    countries: Mapped[list[str]] = mapped_column(JSON)
    languages: Mapped[list[str]] = mapped_column(JSON)
    contact: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(300))
    group_chat_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AuditRow(Base):
    """Who (`actor`) did what (`action`) to what (`subject`, a name or id, never what sellers wrote)."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(24))
    agency_id: Mapped[str | None] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(24))
    subject: Mapped[str] = mapped_column(String(120))


class LibraryRow(Base):
    """A document of an agency, whatever its versions."""

    __tablename__ = "library"

    id: Mapped[str] = mapped_column(String(DOCUMENT_ID_LENGTH), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agencies.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class VersionRow(Base):
    """One version of a document: `content` is the `Document`, `original` the file's name in `uploads`."""

    __tablename__ = "versions"
    __table_args__ = (UniqueConstraint("document_id", "number", name="uq_versions_document_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("library.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    original: Mapped[str] = mapped_column(String(80))
    file_name: Mapped[str] = mapped_column(String(200))
    pages: Mapped[int]
    notes: Mapped[list[str]] = mapped_column(JSON)
    flagged: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(24))
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UseRow(Base):
    """In how many answers a document led on a day."""

    __tablename__ = "uses"

    document_id: Mapped[str] = mapped_column(String(DOCUMENT_ID_LENGTH), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    count: Mapped[int]


@dataclass(frozen=True)
class Version:
    """A version of a document as the rest of the program sees it."""

    id: int
    number: int
    state: State
    document: Document
    original: str
    file_name: str
    pages: int
    notes: tuple[str, ...]
    flagged: tuple[str, ...]
    created_at: datetime
    created_by: str
    published_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Entry:
    """A line of an agency's library: the version that counts now, how many there are, uses in the last 30 days."""

    version: Version
    versions: int
    uses: int


@dataclass(frozen=True)
class Origin:
    """Where a draft comes from: the kept original, its name as sent, and what reading it gave."""

    original: str
    file_name: str
    pages: int = 1
    notes: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuditLine:
    """One line of the audit trail."""

    at: datetime
    actor: str
    agency: str | None
    action: str
    subject: str


def slug(text: str, length: int) -> str:
    """`text` as an identifier of at most `length` characters; may be empty for scripts without Latin letters."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text).encode("ascii", "ignore").decode()).strip("-")[:length].strip("-")


class Catalogue(BlockingStore):
    """The store. Each method is one transaction; times are UTC."""

    # Agencies

    def agencies(self) -> list[Agency]:
        """All agencies that are not closed, by name."""
        with self._sessions() as session:
            statement = select(AgencyRow).where(AgencyRow.closed_at.is_(None)).order_by(AgencyRow.name)
            return [_agency(row) for row in session.scalars(statement)]

    def agency(self, id: str) -> Agency:
        """The agency with this id.

        Raises:
            CatalogueError: there is none.
        """
        with self._sessions() as session:
            return _agency(self._agency_row(session, id))

    def add_agency(
        self, name: str, countries: Iterable[str], languages: Iterable[str], contact: str, url: str, *, actor: str
    ) -> Agency:
        """Enter a new agency; its id is made from its name.

        Raises:
            CatalogueError: the name is taken.
            pydantic.ValidationError: a country code is none.
        """
        with self._writing() as session:
            id = slug(name, AGENCY_ID_LENGTH) or "agency"
            if session.get(AgencyRow, id):
                raise CatalogueError(f"there is an agency {id} already; choose another name")
            agency = Agency(
                id=id, name=name, countries=tuple(countries), languages=tuple(languages), contact=contact, url=url
            )
            fields = agency.model_dump() | {"countries": list(agency.countries), "languages": list(agency.languages)}
            session.add(AgencyRow(**fields, created_at=_now()))
            _audit(session, actor, "agency-added", id, id)
            return agency

    def set_group(self, agency: str, chat_id: int | None, *, actor: str) -> Agency:
        """Bind the Telegram group in which `agency` answers sellers (None: no group)."""
        with self._writing() as session:
            if chat_id is not None:
                for other in session.scalars(select(AgencyRow).where(AgencyRow.group_chat_id == chat_id)):
                    other.group_chat_id = None
                session.flush()
            row = self._agency_row(session, agency)
            row.group_chat_id = chat_id
            _audit(session, actor, "group-set" if chat_id else "group-removed", agency, agency)
            return _agency(row)

    # Documents and their versions

    def add_draft(self, document: Document, origin: Origin, *, actor: str, replaces: str | None = None) -> Version:
        """Enter `document` (its `id` is replaced by one that fits) as a draft.

        It becomes a new version of the document `replaces`, or of the agency's own document with the same title, else
        the first version of a new one. An older draft of the same document is discarded.

        Raises:
            AlreadyPublishedError: just this file is in force already.
            CatalogueError: `replaces` is no document of the agency.
        """
        assert document.agency is not None
        with self._writing() as session:
            agency = self._agency_row(session, document.agency)
            row = self._replaced(session, document, replaces)
            if row is None:
                row = LibraryRow(id=self._free_id(session, document), agency_id=agency.id, created_at=_now())
                session.add(row)
                session.flush()
            for old in self._versions(session, row.id, State.PUBLISHED):
                if old.original == origin.original and old.content["body"] == document.body:
                    raise AlreadyPublishedError(
                        f"this file is published already as {old.content['title']!r}; send a newer one, or withdraw it"
                    )
            return self._enter_draft(session, row.id, document, origin, actor)

    def _enter_draft(
        self, session: Session, document_id: str, document: Document, origin: Origin, actor: str
    ) -> Version:
        for old in self._versions(session, document_id, State.DRAFT):
            old.state, old.ended_at = State.DISCARDED, _now()
        numbers = session.scalars(select(VersionRow.number).where(VersionRow.document_id == document_id)).all()
        version = VersionRow(
            document_id=document_id,
            number=max(numbers, default=0) + 1,
            state=State.DRAFT,
            content=document.model_copy(update={"id": document_id}).model_dump(mode="json"),
            original=origin.original,
            file_name=origin.file_name[:200],
            pages=origin.pages,
            notes=list(origin.notes),
            flagged=list(origin.flagged),
            created_at=_now(),
            created_by=actor,
        )
        session.add(version)
        session.flush()
        _audit(session, actor, "draft-added", f"{document_id} v{version.number}", document.agency)
        return _version(version)

    def redraft(self, id: int, *, actor: str) -> Version:
        """A draft with the content of version `id`, to be corrected; an older draft is discarded.

        Raises:
            CatalogueError: there is no such version.
        """
        with self._writing() as session:
            row = self._version_row(session, id)
            return self._enter_draft(
                session, row.document_id, Document.model_validate(row.content), _origin(row), actor
            )

    def version(self, id: int) -> Version:
        """The version with this id.

        Raises:
            CatalogueError: there is none.
        """
        with self._sessions() as session:
            return _version(self._version_row(session, id))

    def latest(self, document_id: str) -> Version:
        """The version of a document that counts: the published one, else the newest.

        Raises:
            CatalogueError: there is no such document.
        """
        versions = self.history(document_id)
        if not versions:
            raise CatalogueError(f"there is no document {document_id!r} of an agency; see `python -m ingest status`")
        return next((v for v in versions if v.state is State.PUBLISHED), versions[0])

    def history(self, document_id: str) -> list[Version]:
        """All versions of a document, newest first."""
        with self._sessions() as session:
            statement = (
                select(VersionRow).where(VersionRow.document_id == document_id).order_by(VersionRow.number.desc())
            )
            return [_version(row) for row in session.scalars(statement)]

    def drafts(self) -> list[Version]:
        """All drafts, oldest first."""
        with self._sessions() as session:
            statement = select(VersionRow).where(VersionRow.state == State.DRAFT).order_by(VersionRow.id)
            return [_version(row) for row in session.scalars(statement)]

    def correct(self, id: int, document: Document, *, actor: str) -> Version:
        """Put `document` in the place of the content of a draft.

        Raises:
            CatalogueError: the version is no draft (any more).
        """
        with self._writing() as session:
            row = self._version_row(session, id, State.DRAFT)
            row.content = document.model_copy(update={"id": row.document_id}).model_dump(mode="json")
            _audit(session, actor, "draft-corrected", f"{row.document_id} v{row.number}", document.agency)
            return _version(row)

    def publish(self, id: int, *, actor: str) -> Version:
        """Make a draft the published version; the one before it is replaced. The index follows with the next build.

        Raises:
            CatalogueError: the version is no draft, or has expired.
        """
        with self._writing() as session:
            row = self._version_row(session, id, State.DRAFT)
            document = Document.model_validate(row.content)
            if document.is_expired(_now().date()):
                raise CatalogueError(f"{document.title!r} expired on {document.expires}; correct its expiry first")
            for old in self._versions(session, row.document_id, State.PUBLISHED):
                old.state, old.ended_at = State.REPLACED, _now()
            row.state, row.published_at = State.PUBLISHED, _now()
            _audit(session, actor, "published", f"{row.document_id} v{row.number}", document.agency)
            return _version(row)

    def discard(self, id: int, *, actor: str) -> Version:
        """Give a draft up. Raises `CatalogueError` when it is none."""
        return self._end(id, State.DRAFT, State.DISCARDED, actor)

    def withdraw(self, document_id: str, *, actor: str) -> Version:
        """Take the published version of a document back.

        Raises:
            CatalogueError: nothing of it is published.
        """
        version = self.latest(document_id)
        if version.state is not State.PUBLISHED:
            raise CatalogueError(f"{document_id} is not published (it is {version.state}), so there is nothing to take")
        return self._end(version.id, State.PUBLISHED, State.WITHDRAWN, actor)

    def _end(self, id: int, before: State, after: State, actor: str) -> Version:
        with self._writing() as session:
            row = self._version_row(session, id, before)
            row.state, row.ended_at = after, _now()
            _audit(session, actor, after.value, f"{row.document_id} v{row.number}", row.content["agency"])
            return _version(row)

    def published(self, today: date | None = None) -> list[Document]:
        """The documents that are in force on `today`, by id."""
        day = today or _now().date()
        with self._sessions() as session:
            rows = session.scalars(
                select(VersionRow).where(VersionRow.state == State.PUBLISHED).order_by(VersionRow.document_id)
            )
            documents = [Document.model_validate(row.content) for row in rows]
        return [document for document in documents if not document.is_expired(day)]

    def out_of_force(self) -> list[str]:
        """Ids of the documents that were published once and are not now."""
        with self._sessions() as session:
            now = select(VersionRow.document_id).where(VersionRow.state == State.PUBLISHED)
            once = select(VersionRow.document_id).where(
                VersionRow.state.in_((State.WITHDRAWN, State.EXPIRED)), VersionRow.document_id.not_in(now)
            )
            return sorted(session.scalars(once.distinct()))

    def expire(self, today: date) -> list[Version]:
        """Mark what expired before `today`; returns those versions."""
        with self._writing() as session:
            gone = []
            for row in session.scalars(select(VersionRow).where(VersionRow.state == State.PUBLISHED)):
                if Document.model_validate(row.content).is_expired(today):
                    row.state, row.ended_at = State.EXPIRED, _now()
                    _audit(session, "expiry", "expired", f"{row.document_id} v{row.number}", row.content["agency"])
                    gone.append(_version(row))
            return gone

    def about_to_expire(self, today: date, within: timedelta) -> list[Version]:
        """Published versions that expire within that time and of which nobody was told; they count as told now."""
        with self._writing() as session:
            due = []
            statement = select(VersionRow).where(VersionRow.state == State.PUBLISHED, VersionRow.told_at.is_(None))
            for row in session.scalars(statement):
                version = _version(row)
                if version.document.expires is not None and version.document.expires - today <= within:
                    row.told_at = _now()
                    due.append(version)
            return due

    def library(self, agency: str) -> list[Entry]:
        """The documents of an agency, newest first; those of which only discarded drafts are left are not shown."""
        since = _now().date() - timedelta(days=30)
        with self._sessions() as session:
            rows = session.scalars(
                select(VersionRow)
                .join(LibraryRow, LibraryRow.id == VersionRow.document_id)
                .where(LibraryRow.agency_id == agency, VersionRow.state != State.DISCARDED)
                .order_by(VersionRow.id.desc())
            )
            by_document: dict[str, list[Version]] = {}
            for row in rows:
                by_document.setdefault(row.document_id, []).append(_version(row))
            uses: dict[str, int] = {
                id: int(count)
                for id, count in session.execute(
                    select(UseRow.document_id, func.sum(UseRow.count))
                    .where(UseRow.document_id.in_(by_document), UseRow.day >= since)
                    .group_by(UseRow.document_id)
                )
            }
        entries = []
        for id, versions in by_document.items():
            shown = next((v for v in versions if v.state is State.PUBLISHED), versions[0])
            entries.append(Entry(shown, len(versions), uses.get(id, 0)))
        return entries

    def count_use(self, document_id: str) -> None:
        """Count that a document led an answer today."""
        with self._writing() as session:
            row = session.get(UseRow, (document_id, _now().date()))
            if row is None:
                session.add(UseRow(document_id=document_id, day=_now().date(), count=1))
            else:
                row.count = UseRow.count + 1

    # Audit

    def audit(self, actor: str, action: str, subject: str, agency: str | None = None) -> None:
        """Enter a line in the audit trail."""
        with self._writing() as session:
            _audit(session, actor, action, subject, agency)

    def trail(self, agency: str | None = None, limit: int = 50) -> list[AuditLine]:
        """The newest lines of the audit trail, of one agency or of all."""
        statement = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if agency is not None:
            statement = statement.where(AuditRow.agency_id == agency)
        with self._sessions() as session:
            return [AuditLine(r.at, r.actor, r.agency_id, r.action, r.subject) for r in session.scalars(statement)]

    # Rows

    @staticmethod
    def _agency_row(session: Session, id: str) -> AgencyRow:
        row = session.get(AgencyRow, id)
        if row is None or row.closed_at is not None:
            known = ", ".join(session.scalars(select(AgencyRow.id).where(AgencyRow.closed_at.is_(None)))) or "none yet"
            raise CatalogueError(
                f"there is no agency {id!r} (known: {known}); add it with `python -m ingest agency add`"
            )
        return row

    @staticmethod
    def _version_row(session: Session, id: int, state: State | None = None) -> VersionRow:
        row = session.get(VersionRow, id)
        if row is None:
            raise CatalogueError(f"there is no version {id}")
        if state is not None and row.state != state:
            raise CatalogueError(f"{row.document_id} v{row.number} is no {state} any more: it is {row.state}")
        return row

    @staticmethod
    def _versions(session: Session, document_id: str, state: State) -> list[VersionRow]:
        statement = select(VersionRow).where(VersionRow.document_id == document_id, VersionRow.state == state)
        return list(session.scalars(statement))

    @staticmethod
    def _replaced(session: Session, document: Document, replaces: str | None) -> LibraryRow | None:
        if replaces is not None:
            row = session.get(LibraryRow, replaces)
            if row is None or row.agency_id != document.agency:
                raise CatalogueError(f"{replaces!r} is no document of this agency")
            return row
        statement = (
            select(VersionRow)
            .join(LibraryRow, LibraryRow.id == VersionRow.document_id)
            .where(LibraryRow.agency_id == document.agency, VersionRow.state.in_((State.DRAFT, State.PUBLISHED)))
        )
        for version in session.scalars(statement):
            if fold(version.content["title"]) == fold(document.title):
                return session.get(LibraryRow, version.document_id)
        return None

    @staticmethod
    def _free_id(session: Session, document: Document) -> str:
        stem = f"{document.agency}-{slug(document.title, 30) or 'document'}"[: DOCUMENT_ID_LENGTH - 4].strip("-")
        number, id = 2, stem
        while session.get(LibraryRow, id):
            id, number = f"{stem}-{number}", number + 1
        return id


def exists(settings: Settings) -> bool:
    """False when there is no database yet, so that nothing need be looked up, and none is made by looking."""
    url = database_url(settings)
    return url.get_backend_name() != "sqlite" or bool(url.database and Path(url.database).is_file())


def published_documents(settings: Settings) -> list[Document]:
    """What agencies have in force today."""
    if not exists(settings):
        return []
    with Catalogue.open(settings) as catalogue:
        return catalogue.published()


def _now() -> datetime:
    return datetime.now(UTC)


def _audit(session: Session, actor: str, action: str, subject: str, agency: str | None) -> None:
    session.add(AuditRow(at=_now(), actor=actor, agency_id=agency, action=action, subject=subject[:120]))


def _agency(row: AgencyRow) -> Agency:
    return Agency(
        id=row.id,
        name=row.name,
        countries=tuple(row.countries),
        languages=tuple(row.languages),
        contact=row.contact,
        url=row.url,
        group_chat_id=row.group_chat_id,
    )


def _origin(row: VersionRow) -> Origin:
    return Origin(row.original, row.file_name, row.pages, tuple(row.notes), tuple(row.flagged))


def _version(row: VersionRow) -> Version:
    return Version(
        id=row.id,
        number=row.number,
        state=State(row.state),
        document=Document.model_validate(row.content),
        original=row.original,
        file_name=row.file_name,
        pages=row.pages,
        notes=tuple(row.notes),
        flagged=tuple(row.flagged),
        created_at=row.created_at,
        created_by=row.created_by,
        published_at=row.published_at,
        ended_at=row.ended_at,
    )
