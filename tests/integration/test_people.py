"""People in the database: profile, memory, feedback, deletion; migrations; faults."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncEngine

import bot.people
from bot.advice.understand import Profile, Turn
from bot.people import KEPT_TURNS, People
from bot.settings import BotSettings
from knowledge.database import Base, DatabaseError, create_engine, database_url, migrate
from knowledge.gazetteer import Entities


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(BotSettings(data_dir=tmp_path))
    await migrate(engine)
    yield engine
    await engine.dispose()


async def test_migrations_make_the_tables_that_the_code_describes(engine: AsyncEngine) -> None:
    assert bot.people  # registers the tables
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    assert differences == []
    await migrate(engine)  # a second time changes nothing


async def test_a_profile_is_kept_and_changed(engine: AsyncEngine) -> None:
    people = People(engine)
    assert (await people.get(5)).profile == Profile()
    await people.update(5, country="KE", product="baskets")
    await people.update(5, language="sw")
    assert (await people.get(5)).profile == Profile("sw", "KE", "baskets", None)
    with pytest.raises(ValueError, match="no such field"):
        await people.update(5, colour="red")


async def test_memory_is_the_last_turn_of_this_chat_and_person(engine: AsyncEngine) -> None:
    people = People(engine)
    turn = Turn("how much does etsy take", Entities(platforms=("etsy",), countries=("KE",)))
    await people.remember(5, 50, Turn("older"))
    await people.remember(5, 50, turn)
    await people.remember(5, 51, Turn("elsewhere"))
    assert (await people.recall(5, 50))[1] == turn
    assert (await people.recall(6, 50))[1] is None


async def test_memory_expires_and_is_bounded(engine: AsyncEngine) -> None:
    people = People(engine)
    for number in range(KEPT_TURNS + 4):
        await people.remember(5, 50, Turn(str(number)))
    forgetful = People(engine, memory=timedelta(0))
    assert (await forgetful.recall(5, 50))[1] is None
    assert await forgetful.expire() == KEPT_TURNS
    assert (await people.recall(5, 50))[1] is None


async def test_forgetting_leaves_nothing_of_this_person_and_all_of_others(engine: AsyncEngine) -> None:
    people = People(engine)
    for person in (5, 6):
        await people.update(person, product="xylophones" if person == 5 else "drums")
        await people.remember(person, person, Turn("secret question" if person == 5 else "other"))
        await people.vote(person, person, 1, "etsy-fees-per-sale", -1, "wrong")
    assert await people.forget(5)
    assert not await people.forget(5)
    assert (await people.recall(5, 5)) == (await People(engine).recall(5, 5))
    assert (await people.get(6)).profile.product == "drums"
    data = b"".join(path.read_bytes() for path in Path(str(engine.url.database)).parent.glob("tradewind.sqlite*"))
    assert b"xylophones" not in data
    assert b"secret question" not in data
    assert b"drums" in data


async def test_a_locked_database_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.database.BUSY_TIMEOUT_MS", 100)
    path = tmp_path / "tradewind.sqlite"
    holder = sqlite3.connect(path)
    holder.execute("PRAGMA journal_mode=WAL")
    holder.execute("BEGIN EXCLUSIVE")
    engine = create_engine(BotSettings(data_dir=tmp_path))
    with pytest.raises(DatabaseError, match="locked: another program holds it"):
        await migrate(engine)
    await engine.dispose()
    holder.close()


async def test_a_read_only_database_is_named(tmp_path: Path) -> None:
    url = f"sqlite:///file:{tmp_path / 'x.sqlite'}?mode=ro&uri=true"
    sqlite3.connect(tmp_path / "x.sqlite").execute("CREATE TABLE t (x)")
    engine = create_engine(BotSettings(database_url=url))
    with pytest.raises(DatabaseError, match="cannot be written"):
        await migrate(engine)
    await engine.dispose()


@pytest.mark.parametrize(
    ("given", "driver"),
    [("", "sqlite+aiosqlite"), ("sqlite:///x.db", "sqlite+aiosqlite"), ("postgresql://u:p@h/d", "postgresql+psycopg")],
)
def test_the_driver_is_chosen(given: str, driver: str, tmp_path: Path) -> None:
    settings: Any = BotSettings(data_dir=tmp_path, database_url=given)
    assert database_url(settings).drivername == driver


async def test_a_database_out_of_reach_hides_the_password() -> None:
    engine = create_engine(BotSettings(database_url="postgresql://user:secret@127.0.0.1:1/d"))
    with pytest.raises(DatabaseError) as caught:
        await migrate(engine)
    assert "secret" not in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)
    await engine.dispose()
