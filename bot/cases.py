"""The store of cases: what people are led through, kept so that they can leave and come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, String, delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

from bot.advice.guided.case import Case, CaseKind
from bot.reminders import ReminderRow, State
from knowledge.database import Base, UtcDateTime

MOST_OPEN = 20
"""Cases that are kept open of one person; the oldest without a reminder is closed for a new one."""

BLANK_LENGTH = 120
CLOSED_KEPT, QUIET = timedelta(days=90), timedelta(days=400)
"""How long a closed case is kept, and an open one that nobody touches: longer than any deadline for an appeal."""


class CaseRow(Base):
    """A case; see `Case`."""

    __tablename__ = "cases"
    # A number is never given twice: a button of a deleted case must not mean another one.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    answers: Mapped[list[list[str]]] = mapped_column(JSON)
    marks: Mapped[list[str]] = mapped_column(JSON)
    blanks: Mapped[dict[str, str]] = mapped_column(JSON)
    is_open: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    touched_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


@dataclass(frozen=True)
class Listed:
    """A case with the times at which it was begun and last touched (UTC)."""

    case: Case
    created_at: datetime
    touched_at: datetime


class Cases:
    """Cases by person. A case is only ever found together with the Telegram id of the person it belongs to."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def create(self, telegram_id: int, kind: CaseKind, answers: Sequence[tuple[str, str]]) -> Case:
        """Begin a case with what is known already."""
        now = datetime.now(UTC)
        async with self._sessions.begin() as session:
            row = CaseRow(
                telegram_id=telegram_id,
                kind=kind.value,
                version=0,
                answers=[list(pair) for pair in answers],
                marks=[],
                blanks={},
                is_open=True,
                created_at=now,
                touched_at=now,
            )
            session.add(row)
            await session.flush()
            reminded = select(ReminderRow.case_id).where(ReminderRow.state == State.WAITING.value)
            kept = (
                select(CaseRow.id)
                .where(CaseRow.telegram_id == telegram_id, CaseRow.is_open)
                .order_by(CaseRow.touched_at.desc(), CaseRow.id.desc())
                .limit(MOST_OPEN)
            )
            crowded = (CaseRow.telegram_id == telegram_id, CaseRow.is_open, CaseRow.id.not_in(kept.scalar_subquery()))
            idle = CaseRow.id.not_in(reminded.scalar_subquery())
            await session.execute(update(CaseRow).where(*crowded, idle).values(is_open=False))
            return _case(row)

    async def get(self, id: int, telegram_id: int) -> Case | None:
        """The case, if it is this person's."""
        async with self._sessions() as session:
            row = await session.scalar(select(CaseRow).where(CaseRow.id == id, CaseRow.telegram_id == telegram_id))
        return _case(row) if row else None

    async def open(self, telegram_id: int) -> list[Listed]:
        """The person's open cases, the last touched first."""
        mine = select(CaseRow).where(CaseRow.telegram_id == telegram_id, CaseRow.is_open)
        async with self._sessions() as session:
            rows = await session.scalars(mine.order_by(CaseRow.touched_at.desc(), CaseRow.id.desc()))
            return [Listed(_case(row), row.created_at, row.touched_at) for row in rows]

    async def proceed(
        self, case: Case, telegram_id: int, answers: Sequence[tuple[str, str]], *, keep_marks: bool = True
    ) -> Case | None:
        """Store new `answers`, if nothing else has changed the case since it was read; None if it has.

        One statement decides, so that of two devices that press at once only one gets through.
        """
        values: dict[str, Any] = {"answers": [list(pair) for pair in answers], "version": case.version + 1}
        if not keep_marks:
            values["marks"] = []
        return await self._set(case.id, telegram_id, CaseRow.version == case.version, **values)

    async def mark(self, id: int, telegram_id: int, mark: str, *, is_on: bool) -> Case | None:
        """Tick `mark` on or off; doing it twice changes nothing more."""
        return await self._edit(id, telegram_id, lambda row: _with_mark(row, mark, is_on))

    async def fill(self, id: int, telegram_id: int, blank: str, text: str) -> Case | None:
        """Keep what a blank of the letters is filled with."""
        return await self._edit(id, telegram_id, lambda row: {"blanks": {**row.blanks, blank: text[:BLANK_LENGTH]}})

    async def set_open(self, id: int, telegram_id: int, *, is_open: bool) -> Case | None:
        """Close a case, or open it again."""
        return await self._set(id, telegram_id, is_open=is_open)

    async def forget(self, telegram_id: int) -> bool:
        """Delete all cases of a person; True when there were some."""
        async with self._sessions.begin() as session:
            result: Any = await session.execute(delete(CaseRow).where(CaseRow.telegram_id == telegram_id))
            return bool(result.rowcount)

    async def expire(self) -> int:
        """Delete what was closed, or left alone, long enough ago and has no reminder waiting; returns how many."""
        now = datetime.now(UTC)
        old = (~CaseRow.is_open & (CaseRow.touched_at < now - CLOSED_KEPT)) | (CaseRow.touched_at < now - QUIET)
        async with self._sessions.begin() as session:
            reminded = select(ReminderRow.case_id).where(ReminderRow.state == State.WAITING.value)
            idle = CaseRow.id.not_in(reminded.scalar_subquery())
            result: Any = await session.execute(delete(CaseRow).where(old, idle))
            return int(result.rowcount)

    async def _edit(self, id: int, telegram_id: int, change: Any) -> Case | None:
        async with self._sessions.begin() as session:
            where = (CaseRow.id == id, CaseRow.telegram_id == telegram_id)
            # Takes the writer's lock first, so that two changes at once do not lose one another's.
            await session.execute(update(CaseRow).where(*where).values(touched_at=datetime.now(UTC)))
            row = await session.scalar(select(CaseRow).where(*where))
            if row is None:
                return None
            for name, value in change(row).items():
                setattr(row, name, value)
            await session.flush()
            return _case(row)

    async def _set(self, id: int, telegram_id: int, *conditions: Any, **values: Any) -> Case | None:
        async with self._sessions.begin() as session:
            changed = (
                update(CaseRow)
                .where(CaseRow.id == id, CaseRow.telegram_id == telegram_id, *conditions)
                .values(**values, touched_at=datetime.now(UTC))
                .returning(CaseRow)
            )
            row = (await session.scalars(changed)).first()
            return _case(row) if row is not None else None


def _with_mark(row: CaseRow, mark: str, is_on: bool) -> dict[str, list[str]]:
    marks = [each for each in row.marks if each != mark]
    return {"marks": [*marks, mark] if is_on else marks}


def _case(row: CaseRow) -> Case:
    return Case(
        row.id,
        CaseKind(row.kind),
        tuple((question, value) for question, value in row.answers),
        frozenset(row.marks),
        dict(row.blanks),
        row.version,
        row.is_open,
    )
