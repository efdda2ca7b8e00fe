"""Who may do what: owner, maintainers, and contributors of agencies; one-time invitations."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Select, String, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

from ingest.catalogue import AuditRow
from knowledge.database import Base, UtcDateTime

INVITATION_LIFETIME = timedelta(hours=72)
LABEL_LENGTH = 60


class Role(StrEnum):
    """Maintainers look after everything; contributors after the documents and questions of one agency."""

    MAINTAINER = "maintainer"
    CONTRIBUTOR = "contributor"


class InvitationError(Exception):
    """The invitation cannot be used: it is unknown, used, expired or revoked."""


class MemberRow(Base):
    """A person with a role; `label` is what whoever invited them called them, such as "Nairobi desk"."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, index=True)
    role: Mapped[str] = mapped_column(String(12))
    agency_id: Mapped[str | None] = mapped_column(ForeignKey("agencies.id"))
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InvitationRow(Base):
    """An invitation; only the hash of its token is kept."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(12))
    agency_id: Mapped[str | None] = mapped_column(ForeignKey("agencies.id"))
    label: Mapped[str] = mapped_column(String(LABEL_LENGTH))
    created_by: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_by: Mapped[int | None] = mapped_column(BigInteger)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Access:
    """What one person may do. Nobody in particular has `Access()`."""

    is_owner: bool = False
    is_maintainer: bool = False
    agencies: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.is_maintainer or bool(self.agencies)

    def to(self, agency: str | None) -> bool:
        """Whether they may act for `agency`."""
        return self.is_maintainer or (agency is not None and agency in self.agencies)


@dataclass(frozen=True)
class Member:
    """A person with a role."""

    id: int
    telegram_id: int
    role: Role
    agency: str | None
    label: str


@dataclass(frozen=True)
class Invitation:
    """An invitation that is still open."""

    id: int
    role: Role
    agency: str | None
    label: str
    expires_at: datetime


class Members:
    """The store of roles. Owners come from the settings and can be neither made nor unmade here."""

    def __init__(self, engine: AsyncEngine, owners: Iterable[int] = ()) -> None:
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._owners = frozenset(owners)

    @property
    def owners(self) -> frozenset[int]:
        """The Telegram ids of the owners."""
        return self._owners

    async def access(self, telegram_id: int) -> Access:
        """What this person may do now."""
        async with self._sessions() as session:
            rows = list(await session.scalars(_in_force().where(MemberRow.telegram_id == telegram_id)))
        is_owner = telegram_id in self._owners
        return Access(
            is_owner,
            is_owner or any(row.role == Role.MAINTAINER for row in rows),
            frozenset(row.agency_id for row in rows if row.agency_id is not None),
        )

    async def of_agency(self, agency: str | None) -> list[Member]:
        """The contributors of an agency; the maintainers for None."""
        statement = _in_force().where(MemberRow.agency_id == agency).order_by(MemberRow.id)
        async with self._sessions() as session:
            return [_member(row) for row in await session.scalars(statement)]

    async def member(self, id: int) -> Member | None:
        """A member whose role is in force."""
        async with self._sessions() as session:
            row = await session.scalar(_in_force().where(MemberRow.id == id))
        return _member(row) if row else None

    async def maintainers(self) -> frozenset[int]:
        """The Telegram ids of owners and maintainers."""
        return self._owners | {member.telegram_id for member in await self.of_agency(None)}

    async def invite(self, role: Role, agency: str | None, label: str, *, by: int) -> str:
        """Make an invitation; returns its token, which is shown once and works once, for 72 hours."""
        token = secrets.token_urlsafe(24)
        now = datetime.now(UTC)
        async with self._sessions.begin() as session:
            session.add(
                InvitationRow(
                    token_hash=_hash(token),
                    role=role,
                    agency_id=agency,
                    label=label[:LABEL_LENGTH],
                    created_by=by,
                    created_at=now,
                    expires_at=now + INVITATION_LIFETIME,
                )
            )
            _audit(session, by, "invited", f"{role}: {label}", agency)
        return token

    async def redeem(self, token: str, telegram_id: int) -> Member:
        """Use an invitation.

        Raises:
            InvitationError: it is unknown, used, expired or revoked.
        """
        now = datetime.now(UTC)
        usable = (
            (InvitationRow.token_hash == _hash(token))
            & InvitationRow.used_at.is_(None)
            & InvitationRow.revoked_at.is_(None)
            & (InvitationRow.expires_at > now)
        )
        async with self._sessions.begin() as session:
            # One statement decides, so that of two people who press at once only one gets in.
            taken = update(InvitationRow).where(usable).values(used_by=telegram_id, used_at=now)
            found = (await session.scalars(taken.returning(InvitationRow))).first()
            if found is None:
                raise InvitationError
            same = _in_force().where(
                MemberRow.telegram_id == telegram_id,
                MemberRow.role == found.role,
                MemberRow.agency_id == found.agency_id,
            )
            row = await session.scalar(same)
            if row is None:
                row = MemberRow(
                    telegram_id=telegram_id,
                    role=found.role,
                    agency_id=found.agency_id,
                    label=found.label,
                    created_at=now,
                )
                session.add(row)
                await session.flush()
            _audit(session, telegram_id, "joined", f"{found.role}: {found.label}", found.agency_id)
            return _member(row)

    async def revoke(self, id: int, *, by: int) -> bool:
        """End a member's role; False when it had ended."""
        async with self._sessions.begin() as session:
            row = await session.scalar(_in_force().where(MemberRow.id == id))
            if row is None:
                return False
            row.revoked_at = datetime.now(UTC)
            _audit(session, by, "revoked", f"{row.role}: {row.label}", row.agency_id)
            return True

    async def invitations(self, agency: str | None) -> list[Invitation]:
        """The open invitations of an agency (of maintainers for None)."""
        statement = (
            select(InvitationRow)
            .where(
                InvitationRow.agency_id == agency,
                InvitationRow.used_at.is_(None),
                InvitationRow.revoked_at.is_(None),
                InvitationRow.expires_at > datetime.now(UTC),
            )
            .order_by(InvitationRow.id)
        )
        async with self._sessions() as session:
            rows = await session.scalars(statement)
            return [Invitation(r.id, Role(r.role), r.agency_id, r.label, r.expires_at) for r in rows]

    async def revoke_invitation(self, id: int, agency: str | None, *, by: int) -> bool:
        """Make an open invitation of `agency` useless; False when there is no such."""
        async with self._sessions.begin() as session:
            row = await session.get(InvitationRow, id)
            if row is None or row.agency_id != agency or row.used_at or row.revoked_at:
                return False
            row.revoked_at = datetime.now(UTC)
            _audit(session, by, "invitation-revoked", f"{row.role}: {row.label}", agency)
            return True


def _in_force() -> Select[MemberRow]:
    return select(MemberRow).where(MemberRow.revoked_at.is_(None))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _member(row: MemberRow) -> Member:
    return Member(row.id, row.telegram_id, Role(row.role), row.agency_id, row.label)


def _audit(session: AsyncSession, by: int, action: str, subject: str, agency: str | None) -> None:
    session.add(AuditRow(at=datetime.now(UTC), actor=str(by), agency_id=agency, action=action, subject=subject[:120]))
