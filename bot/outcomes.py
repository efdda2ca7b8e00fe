"""What came of the advice: counted without anybody's name, and shown to agencies in sums only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import String, delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

from bot.reminders import ReminderKind, ReminderRow, State
from knowledge.database import Base, UtcDateTime

FEWEST = 5
"""A sum is shown only when it is of at least so many answers, so that nobody is recognised."""


class Result(StrEnum):
    """What somebody said when asked once."""

    HELPED = "helped"
    NO_HELP = "no-help"
    NOT_YET = "not-yet"
    NOT_TAKEN = "not-taken"


class OutcomeRow(Base):
    """One answer, with nothing of who gave it but the country."""

    __tablename__ = "outcomes"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(80), index=True)
    country: Mapped[str | None] = mapped_column(String(2))
    result: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Sum:
    """How often each result was given for one subject."""

    subject: str
    counts: dict[Result, int]

    @property
    def total(self) -> int:
        """All answers."""
        return sum(self.counts.values())


class Outcomes:
    """The store of outcomes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def count(self, follow_up: int, telegram_id: int, country: str | None, result: Result) -> str | None:
        """Count this person's answer to a follow-up; returns what it was about, such as `plan:papers`, and None when it
        was answered before or is not theirs.

        The follow-up is deleted in the same transaction: of two presses only one counts, a fault loses nothing, and
        nothing leads from the count to the person.
        """
        mine = (ReminderRow.id == follow_up, ReminderRow.telegram_id == telegram_id)
        asked = (ReminderRow.kind == ReminderKind.FOLLOW_UP.value, ReminderRow.state != State.WAITING.value)
        async with self._sessions.begin() as session:
            subject = await session.scalar(delete(ReminderRow).where(*mine, *asked).returning(ReminderRow.about))
            if subject is not None:
                session.add(_row(subject, country, result))
            return subject

    async def add(self, subject: str, country: str | None, result: Result) -> None:
        """Count one answer about `subject`."""
        async with self._sessions.begin() as session:
            session.add(_row(subject, country, result))

    async def sums(self, countries: Sequence[str] | None = None) -> list[Sum]:
        """Sums by subject, the most answered first; of `countries` (ISO 3166) only, or of all."""
        counted = select(OutcomeRow.subject, OutcomeRow.result, func.count()).group_by(
            OutcomeRow.subject, OutcomeRow.result
        )
        if countries is not None:
            counted = counted.where(OutcomeRow.country.in_(countries))
        found: dict[str, dict[Result, int]] = {}
        async with self._sessions() as session:
            for subject, result, count in (await session.execute(counted)).all():
                found.setdefault(subject, {})[Result(result)] = count
        sums = [Sum(subject, counts) for subject, counts in found.items()]
        return sorted((each for each in sums if each.total >= FEWEST), key=lambda each: -each.total)


def _row(subject: str, country: str | None, result: Result) -> OutcomeRow:
    # The day is enough: a time of day could be matched with somebody's messages.
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return OutcomeRow(subject=subject[:80], country=country, result=result.value, created_at=day)
