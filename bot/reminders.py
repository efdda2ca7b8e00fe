"""The store of reminders: what is to be said to whom and when, so that it survives a restart and is said once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.database import Base, UtcDateTime

MOST_WAITING = 30
"""Reminders that may wait for one person."""

SENDING_TIME = timedelta(minutes=2)
"""Longer than sending takes: what was taken before and is not sent was interrupted."""

MOST_AT_ONCE = 500
"""Reminders that one look sees to; the rest comes with the next."""

SENT_KEPT = timedelta(days=30)


class ReminderKind(StrEnum):
    """What a reminder is for: a deadline, or asking once whether a step was taken and helped."""

    DEADLINE = "deadline"
    FOLLOW_UP = "follow-up"


class State(StrEnum):
    """Where a reminder stands; `lost`: the person has blocked the bot."""

    WAITING = "waiting"
    TAKEN = "taken"
    SENT = "sent"
    LOST = "lost"


class ReminderRow(Base):
    """A reminder; `about` is the last day of the deadline (ISO 8601) or the step that is asked about."""

    __tablename__ = "reminders"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, index=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    about: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(8), index=True)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Reminder:
    """A reminder as the rest of the program sees it; `due_at` is UTC."""

    id: int
    telegram_id: int
    case_id: int
    kind: ReminderKind
    about: str
    due_at: datetime


class TooManyRemindersError(Exception):
    """The person has as many reminders waiting as one may have."""


TAKEN = ReminderRow.state == State.TAKEN.value


class Reminders:
    """Reminders by person; all times are aware UTC."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def add(self, telegram_id: int, case_id: int, kind: ReminderKind, about: str, due_at: datetime) -> Reminder:
        """Set a reminder; the same one again is the one that waits already.

        Raises:
            TooManyRemindersError: as many as one may have are waiting.
        """
        mine = (ReminderRow.telegram_id == telegram_id, ReminderRow.state == State.WAITING.value)
        same = (ReminderRow.case_id == case_id, ReminderRow.kind == kind.value, ReminderRow.about == about)
        async with self._sessions.begin() as session:
            row = await session.scalar(select(ReminderRow).where(*mine, *same, ReminderRow.due_at == due_at))
            if row is None:
                if (await session.scalar(select(func.count()).where(*mine)) or 0) >= MOST_WAITING:
                    raise TooManyRemindersError
                row = ReminderRow(
                    telegram_id=telegram_id,
                    case_id=case_id,
                    kind=kind.value,
                    about=about,
                    due_at=due_at,
                    state=State.WAITING.value,
                    created_at=datetime.now(UTC),
                )
                session.add(row)
                await session.flush()
            return _reminder(row)

    async def waiting(self, telegram_id: int) -> list[Reminder]:
        """What waits for this person, the next first."""
        mine = (ReminderRow.telegram_id == telegram_id, ReminderRow.state == State.WAITING.value)
        async with self._sessions() as session:
            rows = await session.scalars(select(ReminderRow).where(*mine).order_by(ReminderRow.due_at))
            return [_reminder(row) for row in rows]

    async def cancel(self, id: int, telegram_id: int) -> bool:
        """Take back one of this person's reminders; False when it is gone, or sent."""
        mine = (ReminderRow.id == id, ReminderRow.telegram_id == telegram_id)
        return await self._delete(*mine, ReminderRow.state == State.WAITING.value)

    async def cancel_of(self, case_id: int, kind: ReminderKind | None = None) -> bool:
        """Take back what waits for a case, of one kind or all."""
        of_case = (ReminderRow.case_id == case_id, ReminderRow.state == State.WAITING.value)
        return await self._delete(*of_case, *((ReminderRow.kind == kind.value,) if kind else ()))

    async def forget(self, telegram_id: int) -> bool:
        """Delete all of a person; True when there was something."""
        return await self._delete(ReminderRow.telegram_id == telegram_id)

    async def due(self, now: datetime) -> Sequence[Reminder]:
        """What is to be said at `now`, with what was taken before and is not known to be sent."""
        waiting = (ReminderRow.state == State.WAITING.value) & (ReminderRow.due_at <= now)
        stuck = (ReminderRow.state == State.TAKEN.value) & (ReminderRow.taken_at < now - SENDING_TIME)
        async with self._sessions() as session:
            first = select(ReminderRow).where(waiting | stuck).order_by(ReminderRow.due_at).limit(MOST_AT_ONCE)
            return [_reminder(row) for row in await session.scalars(first)]

    async def take(self, id: int, now: datetime) -> bool:
        """Take a due reminder for sending; of two copies of the bot that try, one gets it."""
        stuck = (ReminderRow.state == State.TAKEN.value) & (ReminderRow.taken_at < now - SENDING_TIME)
        free = (ReminderRow.state == State.WAITING.value) | stuck
        return await self._move(id, State.TAKEN, free, taken_at=now)

    async def done(self, id: int) -> None:
        """It was sent."""
        await self._move(id, State.SENT, TAKEN)

    async def lose(self, id: int) -> None:
        """It cannot be sent: the chat is closed to us."""
        await self._move(id, State.LOST, TAKEN)

    async def later(self, id: int) -> None:
        """It could not be sent now; it comes with the next look."""
        await self._move(id, State.WAITING, TAKEN, taken_at=None)

    async def expire(self) -> int:
        """Delete what was sent or lost long enough ago; returns how many."""
        over = ReminderRow.state.in_((State.SENT.value, State.LOST.value))
        async with self._sessions.begin() as session:
            result: Any = await session.execute(
                delete(ReminderRow).where(over, ReminderRow.due_at < datetime.now(UTC) - SENT_KEPT)
            )
            return int(result.rowcount)

    async def _move(self, id: int, state: State, *conditions: Any, **values: Any) -> bool:
        async with self._sessions.begin() as session:
            statement = update(ReminderRow).where(ReminderRow.id == id, *conditions)
            result: Any = await session.execute(statement.values(state=state.value, **values))
            return bool(result.rowcount)

    async def _delete(self, *conditions: Any) -> bool:
        async with self._sessions.begin() as session:
            result: Any = await session.execute(delete(ReminderRow).where(*conditions))
            return bool(result.rowcount)


def _reminder(row: ReminderRow) -> Reminder:
    return Reminder(row.id, row.telegram_id, row.case_id, ReminderKind(row.kind), row.about, row.due_at)
