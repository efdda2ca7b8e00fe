"""Questions that sellers passed to an agency: states, the messages of both sides, what is due, what is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    String,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.database import Base, UtcDateTime

MOST_OPEN, MOST_DRAFTS = 3, 5
"""Hand-overs that a seller may have open, and drafts that are kept of one."""

MOST_AN_HOUR = 10
"""Messages a seller may send into one hand-over within an hour."""

TEXT_LENGTH = 3_000
DRAFTS_KEPT, QUIET, TEXTS_KEPT = timedelta(days=7), timedelta(days=90), timedelta(days=90)
"""How long an unsent draft stays; after how long without a message an open hand-over is closed; how long the texts of
a closed one are kept."""

SENDING_TIME = timedelta(minutes=10)
"""Longer than sending can take: what is still not sent then was interrupted."""


class State(StrEnum):
    """Where a hand-over stands: not sent, waiting for the agency, the agency spoke last, closed."""

    DRAFT = "draft"
    WAITING = "waiting"
    ANSWERED = "answered"
    CLOSED = "closed"


OPEN = (State.WAITING, State.ANSWERED)


class Author(StrEnum):
    """Whose words a message holds, be it their own message or the copy that was carried to the other side."""

    SELLER = "seller"
    AGENCY = "agency"
    BOT = "bot"


class HandoverRow(Base):
    """A question passed on.

    `sent_at` is set once it stands in the group, `waiting_since` while the agency is to answer; `group_chat_id` and
    `topic_id` say where its messages go.
    """

    __tablename__ = "handovers"
    # A number is never given twice: a button under a deleted hand-over must not mean another one.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, index=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agencies.id"))
    state: Mapped[str] = mapped_column(String(12), index=True)
    question: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2))
    country: Mapped[str | None] = mapped_column(String(2))
    product: Mapped[str | None] = mapped_column(String(120))
    group_chat_id: Mapped[int | None] = mapped_column(BigInteger)
    topic_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    waiting_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    escalated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HandoverMessageRow(Base):
    """A message of a hand-over on either side; only what somebody wrote keeps its `text`, copies are empty."""

    __tablename__ = "handover_messages"
    __table_args__ = (
        UniqueConstraint("chat_id", "message_id", name="uq_handover_messages_chat_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    handover_id: Mapped[int] = mapped_column(ForeignKey("handovers.id", ondelete="CASCADE"), index=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    author: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Handover:
    """A hand-over as the rest of the program sees it; see `HandoverRow`."""

    id: int
    telegram_id: int
    chat_id: int
    agency: str
    state: State
    question: str
    language: str
    country: str | None
    product: str | None
    group_chat_id: int | None
    topic_id: int | None
    waiting_since: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether either side may still write."""
        return self.state in OPEN


@dataclass(frozen=True)
class Written:
    """A message of a hand-over."""

    id: int
    handover: int
    author: Author
    text: str


class TooManyOpenError(Exception):
    """The seller has as many open hand-overs as one may have."""


class Handovers:
    """The store. Each method is one transaction, each change of state one statement, so that of two who press at
    once only one changes it. Times are UTC."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    # The draft

    async def draft(
        self,
        telegram_id: int,
        chat_id: int,
        agency: str,
        question: str,
        *,
        language: str,
        country: str | None,
        product: str | None,
    ) -> Handover:
        """A draft of these words; the same words to the same agency are one draft. The oldest of too many goes."""
        drafts = select(HandoverRow).where(HandoverRow.telegram_id == telegram_id, HandoverRow.state == State.DRAFT)
        async with self._sessions.begin() as session:
            kept = list(await session.scalars(drafts.order_by(HandoverRow.id)))
            for old in kept:
                if (old.agency_id, old.question, old.country, old.product) == (agency, question, country, product):
                    return _handover(old)
            for old in kept[: len(kept) - MOST_DRAFTS + 1]:
                await session.delete(old)
            row = HandoverRow(
                telegram_id=telegram_id,
                chat_id=chat_id,
                agency_id=agency,
                state=State.DRAFT,
                question=question[:TEXT_LENGTH],
                language=language,
                country=country,
                product=product,
                created_at=_now(),
            )
            session.add(row)
            await session.flush()
            return _handover(row)

    async def reword(self, id: int, question: str) -> Handover | None:
        """A draft with other words. It is a new one, so that a button under the old words sends nothing."""
        old = await self.get(id)
        if old is None or not await self.drop(id):
            return None
        return await self.draft(
            old.telegram_id,
            old.chat_id,
            old.agency,
            question,
            language=old.language,
            country=old.country,
            product=old.product,
        )

    async def drop(self, id: int) -> bool:
        """Delete a draft; False when it is none."""
        async with self._sessions.begin() as session:
            gone: Any = await session.execute(
                delete(HandoverRow).where(HandoverRow.id == id, HandoverRow.state == State.DRAFT)
            )
            return bool(gone.rowcount)

    # Its states

    async def begin(self, id: int) -> Handover | None:
        """Draft to waiting, before it is sent; None when another press was first.

        Raises:
            TooManyOpenError: the seller has too many open.
        """
        async with self._sessions.begin() as session:
            row = await session.get(HandoverRow, id)
            if row is None or row.state != State.DRAFT:
                return None
            if await self._count_open(session, row.telegram_id) >= MOST_OPEN:
                raise TooManyOpenError
            fields = {"state": State.WAITING, "waiting_since": _now(), "sent_at": None}
            return await self._change(session, id, HandoverRow.state == State.DRAFT, fields)

    async def sent(self, id: int) -> None:
        """It stands in the group."""
        async with self._sessions.begin() as session:
            await self._change(session, id, HandoverRow.sent_at.is_(None), {"sent_at": _now(), "waiting_since": _now()})

    async def unsent(self, id: int) -> Handover | None:
        """Back to a draft, because it could not be sent; None when it was sent after all."""
        where = (HandoverRow.state == State.WAITING) & HandoverRow.sent_at.is_(None)
        async with self._sessions.begin() as session:
            return await self._change(session, id, where, {"state": State.DRAFT, "waiting_since": None})

    async def answered(self, id: int) -> None:
        """The agency spoke; it is the seller's turn."""
        async with self._sessions.begin() as session:
            fields = {"state": State.ANSWERED, "waiting_since": None}
            await self._change(session, id, HandoverRow.state.in_(OPEN), fields)

    async def asked(self, id: int) -> None:
        """The seller spoke; the agency is waited for, from now on unless it was already."""
        fields = {"state": State.WAITING, "waiting_since": _now(), "reminded_at": None, "escalated_at": None}
        async with self._sessions.begin() as session:
            await self._change(session, id, HandoverRow.state == State.ANSWERED, fields)

    async def close(self, id: int) -> Handover | None:
        """Close it; None when it is not open."""
        async with self._sessions.begin() as session:
            fields = {"state": State.CLOSED, "closed_at": _now(), "waiting_since": None}
            return await self._change(session, id, HandoverRow.state.in_(OPEN), fields)

    async def reopen(self, id: int) -> Handover | None:
        """Open it again; None when it is not closed, or so old that its words are gone.

        Raises:
            TooManyOpenError: the seller has too many open.
        """
        where = (HandoverRow.state == State.CLOSED) & (HandoverRow.question != "")
        async with self._sessions.begin() as session:
            row = await session.get(HandoverRow, id)
            if row is not None and await self._count_open(session, row.telegram_id) >= MOST_OPEN:
                raise TooManyOpenError
            return await self._change(session, id, where, {"state": State.ANSWERED, "closed_at": None})

    async def place(self, id: int, chat_id: int | None, topic_id: int | None) -> None:
        """Set where its messages go: a group, and a topic where the group has topics."""
        async with self._sessions.begin() as session:
            where = HandoverRow.state != State.CLOSED
            await self._change(session, id, where, {"group_chat_id": chat_id, "topic_id": topic_id})

    # Finding

    async def get(self, id: int) -> Handover | None:
        """The hand-over with this id."""
        async with self._sessions() as session:
            row = await session.get(HandoverRow, id)
        return _handover(row) if row else None

    async def open_of(self, telegram_id: int) -> list[Handover]:
        """What a seller has open, oldest first."""
        statement = select(HandoverRow).where(HandoverRow.telegram_id == telegram_id, HandoverRow.state.in_(OPEN))
        async with self._sessions() as session:
            return [_handover(row) for row in await session.scalars(statement.order_by(HandoverRow.id))]

    async def by_message(self, chat_id: int, message_id: int) -> tuple[Handover, Written] | None:
        """The hand-over to which a message belongs, and what is kept of the message."""
        statement = (
            select(HandoverRow, HandoverMessageRow)
            .join(HandoverMessageRow, HandoverMessageRow.handover_id == HandoverRow.id)
            .where(HandoverMessageRow.chat_id == chat_id, HandoverMessageRow.message_id == message_id)
        )
        async with self._sessions() as session:
            found = (await session.execute(statement)).first()
        return (_handover(found[0]), _written(found[1])) if found else None

    async def by_topic(self, chat_id: int, topic_id: int) -> Handover | None:
        """The hand-over that has a topic of a group to itself."""
        statement = select(HandoverRow).where(HandoverRow.group_chat_id == chat_id, HandoverRow.topic_id == topic_id)
        async with self._sessions() as session:
            row = await session.scalar(statement.order_by(HandoverRow.id.desc()).limit(1))
        return _handover(row) if row else None

    # Messages

    async def record(self, id: int, chat_id: int, message_id: int, author: Author, text: str = "") -> int | None:
        """Enter a message; returns the number of its entry, None when it was entered before."""
        row = HandoverMessageRow(
            handover_id=id, chat_id=chat_id, message_id=message_id, author=author, text=text, created_at=_now()
        )
        try:
            async with self._sessions.begin() as session:
                session.add(row)
        except IntegrityError:
            return None
        return row.id

    async def unrecord(self, entry: int) -> None:
        """Take the entry of a message back that could not be carried."""
        async with self._sessions.begin() as session:
            await session.execute(delete(HandoverMessageRow).where(HandoverMessageRow.id == entry))

    async def correct(self, entry: int, text: str) -> bool:
        """Put other words in the place of a message's; False when they are the same."""
        statement = update(HandoverMessageRow).where(HandoverMessageRow.id == entry, HandoverMessageRow.text != text)
        async with self._sessions.begin() as session:
            changed: Any = await session.execute(statement.values(text=text))
            return bool(changed.rowcount)

    async def written(self, entry: int) -> Written | None:
        """The message with this entry."""
        async with self._sessions() as session:
            row = await session.get(HandoverMessageRow, entry)
        return _written(row) if row else None

    async def last_message(self, id: int, chat_id: int) -> int | None:
        """The id of the newest message of a hand-over in a chat."""
        statement = select(func.max(HandoverMessageRow.message_id)).where(
            HandoverMessageRow.handover_id == id, HandoverMessageRow.chat_id == chat_id
        )
        async with self._sessions() as session:
            return await session.scalar(statement)

    async def is_talkative(self, handover: Handover) -> bool:
        """Whether the seller's share of an hour has been carried into the group."""
        statement = select(func.count()).where(
            HandoverMessageRow.handover_id == handover.id,
            HandoverMessageRow.author == Author.SELLER,
            HandoverMessageRow.chat_id != handover.chat_id,
            HandoverMessageRow.created_at > _now() - timedelta(hours=1),
        )
        async with self._sessions() as session:
            return (await session.scalar(statement) or 0) >= MOST_AN_HOUR

    # What is due

    async def to_remind(self, after: timedelta) -> list[Handover]:
        """What has waited for longer than `after` and of which the group was not reminded."""
        return await self._waiting(after, HandoverRow.reminded_at.is_(None))

    async def to_escalate(self, after: timedelta) -> list[Handover]:
        """What has waited for longer than `after` and of which nobody else was told."""
        return await self._waiting(after, HandoverRow.escalated_at.is_(None))

    async def mark_reminded(self, id: int, *, undo: bool = False) -> bool:
        """Take the reminder upon oneself; False when it was given. `undo`: it could not be given."""
        return await self._mark(id, "reminded_at", undo)

    async def mark_escalated(self, id: int, *, undo: bool = False) -> bool:
        """Take the escalation upon oneself; False when it was done. `undo`: it could not be done."""
        return await self._mark(id, "escalated_at", undo)

    async def interrupted(self) -> list[Handover]:
        """What was being sent when the program ended."""
        statement = select(HandoverRow).where(
            HandoverRow.state == State.WAITING,
            HandoverRow.sent_at.is_(None),
            HandoverRow.waiting_since <= _now() - SENDING_TIME,
        )
        async with self._sessions() as session:
            return [_handover(row) for row in await session.scalars(statement)]

    # Deleting

    async def forget(self, telegram_id: int) -> bool:
        """Delete all hand-overs of a person with all their messages; True when there was something."""
        mine = select(HandoverRow.id).where(HandoverRow.telegram_id == telegram_id)
        async with self._sessions.begin() as session:
            await session.execute(
                delete(HandoverMessageRow).where(HandoverMessageRow.handover_id.in_(mine.scalar_subquery()))
            )
            gone: Any = await session.execute(delete(HandoverRow).where(HandoverRow.telegram_id == telegram_id))
        if self._engine.dialect.name == "sqlite":
            async with self._engine.connect() as connection:  # the write-ahead log still holds old pages
                await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return bool(gone.rowcount)

    async def sent_by(self, telegram_id: int) -> list[Handover]:
        """What of a seller's stands in a group."""
        statement = select(HandoverRow).where(
            HandoverRow.telegram_id == telegram_id, HandoverRow.sent_at.is_not(None), HandoverRow.question != ""
        )
        async with self._sessions() as session:
            return [_handover(row) for row in await session.scalars(statement.order_by(HandoverRow.id))]

    async def expire(self) -> int:
        """Delete old drafts, close what is quiet, empty what was closed long ago; returns how many were emptied."""
        now = _now()
        spoken = select(HandoverMessageRow.handover_id).where(HandoverMessageRow.created_at > now - QUIET)
        async with self._sessions.begin() as session:
            await session.execute(
                delete(HandoverRow).where(HandoverRow.state == State.DRAFT, HandoverRow.created_at <= now - DRAFTS_KEPT)
            )
            await session.execute(
                update(HandoverRow)
                .where(
                    HandoverRow.state.in_(OPEN),
                    HandoverRow.sent_at <= now - QUIET,
                    HandoverRow.id.not_in(spoken.scalar_subquery()),
                )
                .values(state=State.CLOSED, closed_at=now, waiting_since=None)
            )
            old: Sequence[int] = (
                await session.scalars(
                    update(HandoverRow)
                    .where(
                        HandoverRow.state == State.CLOSED,
                        HandoverRow.closed_at <= now - TEXTS_KEPT,
                        HandoverRow.question != "",
                    )
                    .values(question="", product=None)
                    .returning(HandoverRow.id)
                )
            ).all()
            await session.execute(
                update(HandoverMessageRow).where(HandoverMessageRow.handover_id.in_(old)).values(text="")
            )
        return len(old)

    # Rows

    @staticmethod
    async def _change(
        session: AsyncSession, id: int, where: ColumnElement[bool], fields: dict[str, Any]
    ) -> Handover | None:
        changing = update(HandoverRow).where(HandoverRow.id == id, where).values(**fields).returning(HandoverRow)
        refreshed = changing.execution_options(populate_existing=True)
        row = (await session.scalars(refreshed)).first()
        return _handover(row) if row else None

    @staticmethod
    async def _count_open(session: AsyncSession, telegram_id: int) -> int:
        statement = select(func.count()).where(HandoverRow.telegram_id == telegram_id, HandoverRow.state.in_(OPEN))
        return await session.scalar(statement) or 0

    async def _waiting(self, after: timedelta, where: ColumnElement[bool]) -> list[Handover]:
        statement = select(HandoverRow).where(
            HandoverRow.state == State.WAITING,
            HandoverRow.sent_at.is_not(None),
            HandoverRow.waiting_since <= _now() - after,
            where,
        )
        async with self._sessions() as session:
            return [_handover(row) for row in await session.scalars(statement.order_by(HandoverRow.id))]

    async def _mark(self, id: int, column: str, undo: bool) -> bool:
        stamp = getattr(HandoverRow, column)
        where = stamp.is_not(None) if undo else stamp.is_(None) & (HandoverRow.state == State.WAITING)
        async with self._sessions.begin() as session:
            return await self._change(session, id, where, {column: None if undo else _now()}) is not None


def _now() -> datetime:
    return datetime.now(UTC)


def _handover(row: HandoverRow) -> Handover:
    return Handover(
        id=row.id,
        telegram_id=row.telegram_id,
        chat_id=row.chat_id,
        agency=row.agency_id,
        state=State(row.state),
        question=row.question,
        language=row.language,
        country=row.country,
        product=row.product,
        group_chat_id=row.group_chat_id,
        topic_id=row.topic_id,
        waiting_since=row.waiting_since,
    )


def _written(row: HandoverMessageRow) -> Written:
    return Written(row.id, row.handover_id, Author(row.author), row.text)
