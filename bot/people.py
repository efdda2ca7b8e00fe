"""The people who talk with the bot: profile, conversation memory, what came of their questions, feedback."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

from bot.advice.understand import PRODUCT_LENGTH, Profile, Turn
from knowledge.database import Base, UtcDateTime
from knowledge.gazetteer import Entities

KEPT_TURNS = 6
OPEN, KEPT = "open", "kept"
DRAFT_LENGTH = 120


class PersonRow(Base):
    """A person; `step` is the question that waits for an answer: of the welcome, or what an agency's desk asked."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    language: Mapped[str | None] = mapped_column(String(2))
    country: Mapped[str | None] = mapped_column(String(2))
    product: Mapped[str | None] = mapped_column(String(PRODUCT_LENGTH))
    market: Mapped[str | None] = mapped_column(String(2))
    step: Mapped[str | None] = mapped_column(String(80))
    timezone: Mapped[str | None] = mapped_column(String(40))
    offered: Mapped[str | None] = mapped_column(String(2))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TurnRow(Base):
    """A question as it was understood, kept for a short time so that the next one can refer to it.

    `draft` is the code of a question about figures, so that a typed answer to what was asked back finds it;
    `message_id`, `outcome` (a `ReplyKind`) and `language` are those of the reply. `gap` is `OPEN` while a question
    that was asked back may still find its answer, `KEPT` once it was handed out to be kept as a gap.
    """

    __tablename__ = "turns"
    __table_args__ = (Index("ix_turns_person_id_chat_id", "person_id", "chat_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    chat_id: Mapped[int] = mapped_column(BigInteger)
    question: Mapped[str] = mapped_column(Text)
    entities: Mapped[dict[str, Any]] = mapped_column(JSON)
    draft: Mapped[str | None] = mapped_column(String(DRAFT_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None] = mapped_column(String(12))
    language: Mapped[str | None] = mapped_column(String(2))
    gap: Mapped[str | None] = mapped_column(String(8))


class FeedbackRow(Base):
    """A thumb on an answer, with the reason when one was given."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("person_id", "chat_id", "message_id", name="uq_feedback_person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    chat_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[str] = mapped_column(String(48))
    vote: Mapped[int]
    reason: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Person:
    """What handlers know of a person: their Telegram id, profile, the step they are at, their IANA time zone if they
    were asked for it, and the language (ISO 639-1) that they were offered last."""

    telegram_id: int
    profile: Profile = Profile()
    step: str | None = None
    timezone: str | None = None
    offered: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a turn: the reply's message, kind (`ReplyKind`) and language.

    `is_open`: it was asked back what is meant. `settles`: whether an open question before it was answered by this
    (True) or not (False); None when it says nothing about that, such as thanks. `is_gap`: it stands in the gaps.
    """

    message_id: int | None = None
    kind: str | None = None
    language: str | None = None
    is_open: bool = False
    settles: bool | None = True
    is_gap: bool = False


NO_OUTCOME = Outcome()


@dataclass(frozen=True)
class Unanswered:
    """A question that found no answer, with nothing of who asked it but language and country."""

    question: str
    language: str
    country: str | None


async def _nowhere(_: Unanswered) -> None: ...


class People:
    """The store of people. All times are UTC; memory older than `memory` is not used and is deleted."""

    def __init__(self, engine: AsyncEngine, memory: timedelta = timedelta(hours=24)) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._memory = memory

    @property
    def memory_hours(self) -> int:
        """For how long questions are remembered."""
        return int(self._memory.total_seconds() // 3600)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncSession]:
        async with self._sessions.begin() as session:
            yield session

    async def get(self, telegram_id: int) -> Person:
        """The person, or a blank one when they are not known; nothing is stored."""
        async with self._sessions() as session:
            row = await self._row(session, telegram_id)
        return _person(row) if row else Person(telegram_id)

    async def recall(self, telegram_id: int, chat_id: int) -> tuple[Person, Turn | None]:
        """The person and their last turn in this chat, if it is recent enough; one round trip."""
        statement = (
            select(PersonRow, TurnRow)
            .outerjoin(
                TurnRow,
                (TurnRow.person_id == PersonRow.id)
                & (TurnRow.chat_id == chat_id)
                & (TurnRow.created_at > datetime.now(UTC) - self._memory),
            )
            .where(PersonRow.telegram_id == telegram_id)
            .order_by(TurnRow.id.desc())
            .limit(1)
        )
        async with self._sessions() as session:
            found = (await session.execute(statement)).first()
        if found is None:
            return Person(telegram_id), None
        row, turn = found
        return _person(row), _turn(turn) if turn is not None else None

    async def update(self, telegram_id: int, **fields: str | None) -> Person:
        """Set profile fields (`language`, `country`, `product`, `market`), `step`, `timezone` or `offered`;
        creates the person."""
        async with self._writing() as session:
            row = await self._ensure(session, telegram_id)
            for name, value in fields.items():
                if name not in ("language", "country", "product", "market", "step", "timezone", "offered"):
                    raise ValueError(f"no such field: {name}")
                setattr(row, name, value)
            return _person(row)

    async def remember(
        self, telegram_id: int, chat_id: int, turn: Turn, outcome: Outcome = NO_OUTCOME
    ) -> Sequence[Unanswered]:
        """Keep `turn` as the last of this chat; only the newest few are kept.

        Returns the questions asked back before, which by this turn turned out to stay without an answer.
        """
        async with self._writing() as session:
            row = await self._ensure(session, telegram_id)
            failed = await self._settle(session, row, chat_id, outcome.settles)
            session.add(
                TurnRow(
                    person_id=row.id,
                    chat_id=chat_id,
                    question=turn.question,
                    entities=dataclasses.asdict(turn.entities),
                    draft=turn.draft[:DRAFT_LENGTH] if turn.draft else None,
                    created_at=datetime.now(UTC),
                    message_id=outcome.message_id,
                    outcome=outcome.kind,
                    language=outcome.language,
                    gap=OPEN if outcome.is_open else KEPT if outcome.is_gap else None,
                )
            )
            await session.flush()
            newest = (
                select(TurnRow.id)
                .where(TurnRow.person_id == row.id, TurnRow.chat_id == chat_id)
                .order_by(TurnRow.id.desc())
                .limit(KEPT_TURNS)
            )
            await session.execute(
                delete(TurnRow).where(
                    TurnRow.person_id == row.id, TurnRow.chat_id == chat_id, TurnRow.id.not_in(newest.scalar_subquery())
                )
            )
            return failed

    @staticmethod
    async def _settle(
        session: AsyncSession, person: PersonRow, chat_id: int, is_answered: bool | None
    ) -> list[Unanswered]:
        if is_answered is None:
            return []
        waiting = select(TurnRow).where(TurnRow.person_id == person.id, TurnRow.chat_id == chat_id, TurnRow.gap == OPEN)
        rows = list(await session.scalars(waiting))
        for row in rows:
            row.gap = None if is_answered else KEPT
        return [] if is_answered else [_unanswered(row, person) for row in rows]

    async def found(self, telegram_id: int, chat_id: int, message_id: int) -> None:
        """A subject offered under the message was opened: what was asked back there is answered."""
        person = select(PersonRow.id).where(PersonRow.telegram_id == telegram_id).scalar_subquery()
        here = (TurnRow.person_id == person, TurnRow.chat_id == chat_id, TurnRow.message_id == message_id)
        async with self._writing() as session:
            await session.execute(update(TurnRow).where(*here, TurnRow.gap == OPEN).values(gap=None))

    async def disliked(self, telegram_id: int, chat_id: int, message_id: int) -> Unanswered | None:
        """The question that the message answered, once; None when it is not remembered or was given out before."""
        async with self._writing() as session:
            person = await self._row(session, telegram_id)
            if person is None:
                return None
            here = (TurnRow.person_id == person.id, TurnRow.chat_id == chat_id, TurnRow.message_id == message_id)
            # One statement decides, so that of two presses at once only one counts.
            taken = update(TurnRow).where(*here, TurnRow.gap.is_distinct_from(KEPT)).values(gap=KEPT)
            row = (await session.scalars(taken.returning(TurnRow))).first()
            return _unanswered(row, person) if row is not None else None

    async def vote(
        self, telegram_id: int, chat_id: int, message_id: int, document: str, vote: int, reason: str | None = None
    ) -> None:
        """Keep a thumb (+1 or -1) on the answer in a message; a second vote replaces the first."""
        async with self._writing() as session:
            row = await self._ensure(session, telegram_id)
            statement = select(FeedbackRow).where(
                FeedbackRow.person_id == row.id, FeedbackRow.chat_id == chat_id, FeedbackRow.message_id == message_id
            )
            feedback = await session.scalar(statement)
            if feedback is None:
                feedback = FeedbackRow(person_id=row.id, chat_id=chat_id, message_id=message_id)
                session.add(feedback)
            feedback.document, feedback.vote, feedback.reason = document, vote, reason
            feedback.created_at = datetime.now(UTC)

    async def forget(self, telegram_id: int) -> bool:
        """Delete all that is kept of a person; True when there was something."""
        async with self._writing() as session:
            row = await self._row(session, telegram_id)
            if row is None:
                return False
            for table in (TurnRow, FeedbackRow):
                await session.execute(delete(table).where(table.person_id == row.id))
            await session.delete(row)
        if self._engine.dialect.name == "sqlite":
            async with self._engine.connect() as connection:  # the write-ahead log still holds old pages
                await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return True

    async def expire(self, abandoned: Callable[[Unanswered], Awaitable[None]] = _nowhere) -> int:
        """Delete conversation memory that is too old; returns how many turns.

        `abandoned` is called with each question that was asked back and nothing came after.
        """
        until = datetime.now(UTC) - self._memory
        async with self._writing() as session:
            waiting = select(TurnRow, PersonRow).join(PersonRow, PersonRow.id == TurnRow.person_id)
            found = (await session.execute(waiting.where(TurnRow.created_at <= until, TurnRow.gap == OPEN))).all()
            left = [_unanswered(row, person) for row, person in found]
            result: Any = await session.execute(delete(TurnRow).where(TurnRow.created_at <= until))
        for question in left:
            await abandoned(question)
        return int(result.rowcount)

    @staticmethod
    async def _row(session: AsyncSession, telegram_id: int) -> PersonRow | None:
        return await session.scalar(select(PersonRow).where(PersonRow.telegram_id == telegram_id))

    async def _ensure(self, session: AsyncSession, telegram_id: int) -> PersonRow:
        row = await self._row(session, telegram_id)
        now = datetime.now(UTC)
        if row is None:
            row = PersonRow(telegram_id=telegram_id, created_at=now, seen_at=now)
            session.add(row)
            await session.flush()
        row.seen_at = now
        return row


def _person(row: PersonRow) -> Person:
    profile = Profile(language=row.language, country=row.country, product=row.product, market=row.market)
    return Person(row.telegram_id, profile, row.step, row.timezone, row.offered)


def _unanswered(row: TurnRow, person: PersonRow) -> Unanswered:
    country = next(iter(row.entities.get("countries", ())), person.country)
    return Unanswered(row.question, row.language or person.language or "en", country)


def _turn(row: TurnRow) -> Turn:
    entities = {name: tuple(values) for name, values in row.entities.items()}
    return Turn(row.question, Entities(**entities), row.draft)
