"""What agencies have sent and is not worked on yet: written down first, so that a crash loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import BigInteger, ForeignKey, String, delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.database import Base, UtcDateTime

NAME_LENGTH = 500
MOST_TRIES = 3
"""A file that ended the bot this often is left alone."""


class IntakeRow(Base):
    """See `Received`; `tries` counts how often work on it was begun."""

    __tablename__ = "intake"

    id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    agency_id: Mapped[str | None] = mapped_column(ForeignKey("agencies.id"))
    file_id: Mapped[str | None] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    replaces: Mapped[str | None] = mapped_column(String(48))
    tries: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True)
class Received:
    """A file (`file_id`, `name`) or web address (`name` alone) that somebody sent for `agency` (None: not said yet)."""

    id: int
    telegram_id: int
    chat_id: int
    agency: str | None
    file_id: str | None
    name: str
    replaces: str | None


class Intake:
    """The store of what waits."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def enter(
        self,
        telegram_id: int,
        chat_id: int,
        name: str,
        *,
        file_id: str | None = None,
        agency: str | None = None,
        replaces: str | None = None,
    ) -> Received:
        """Write down what was sent."""
        row = IntakeRow(
            telegram_id=telegram_id,
            chat_id=chat_id,
            agency_id=agency,
            file_id=file_id,
            name=name[:NAME_LENGTH],
            replaces=replaces,
            tries=0,
            created_at=datetime.now(UTC),
        )
        async with self._sessions.begin() as session:
            session.add(row)
        return _received(row)

    async def get(self, id: int, telegram_id: int) -> Received | None:
        """What this person sent, if it still waits."""
        async with self._sessions() as session:
            row = await session.get(IntakeRow, id)
        return _received(row) if row and row.telegram_id == telegram_id else None

    async def choose(self, id: int, agency: str) -> None:
        """Set for which agency it is."""
        async with self._sessions.begin() as session:
            await session.execute(update(IntakeRow).where(IntakeRow.id == id).values(agency_id=agency))

    async def begin(self, id: int) -> bool:
        """Count that work on it begins; False when it has failed too often."""
        async with self._sessions.begin() as session:
            row = await session.get(IntakeRow, id)
            if row is None or row.tries >= MOST_TRIES:
                return False
            row.tries += 1
            return True

    async def done(self, id: int) -> None:
        """Take it off the list."""
        async with self._sessions.begin() as session:
            await session.execute(delete(IntakeRow).where(IntakeRow.id == id))

    async def waiting(self) -> list[Received]:
        """What still has to be worked on, oldest first; without what nobody has said the agency of."""
        statement = select(IntakeRow).where(IntakeRow.agency_id.is_not(None)).order_by(IntakeRow.id)
        async with self._sessions() as session:
            return [_received(row) for row in await session.scalars(statement)]


def _received(row: IntakeRow) -> Received:
    return Received(row.id, row.telegram_id, row.chat_id, row.agency_id, row.file_id, row.name, row.replaces)
