"""The database engine that the rooms share: SQLite (WAL) by default, PostgreSQL by `DATABASE_URL`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import DateTime, MetaData, event, inspect, make_url, text
from sqlalchemy import create_engine as create_engine_of_sqlalchemy
from sqlalchemy.engine import URL, Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from knowledge.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 5_000


class DatabaseError(Exception):
    """The database cannot be used; the message is one line that says why and what to do."""


class Base(DeclarativeBase):
    """Base of all tables. Constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[Any]):
    """An aware time in UTC; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Give the zone back where the database dropped it."""
        from datetime import UTC

        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def database_url(settings: Settings) -> URL:
    """The SQLAlchemy URL with an asynchronous driver."""
    url = make_url(settings.database_url or f"sqlite:///{settings.data_dir / 'tradewind.sqlite'}")
    driver = "sqlite+aiosqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    return url.set(drivername=driver)


def create_engine(settings: Settings) -> AsyncEngine:
    """An engine on the configured database, for use in an event loop; connects on first use."""
    url = database_url(settings)
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True, hide_parameters=True)
    engine = create_async_engine(url, connect_args=_prepare_file(url), hide_parameters=True)
    _set_pragmas(engine.sync_engine)
    return engine


def create_blocking_engine(settings: Settings) -> Engine:
    """An engine on the same database for command lines and worker threads; connects on first use."""
    url = database_url(settings)
    if url.get_backend_name() != "sqlite":
        return create_engine_of_sqlalchemy(url, pool_pre_ping=True, hide_parameters=True)
    url = url.set(drivername="sqlite")
    engine = create_engine_of_sqlalchemy(url, connect_args=_prepare_file(url), hide_parameters=True)
    _set_pragmas(engine)
    return engine


def _prepare_file(url: URL) -> dict[str, float]:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    return {"timeout": BUSY_TIMEOUT_MS / 1000}


def _set_pragmas(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA secure_delete=ON")  # what a person deletes is overwritten, not only unlinked
        cursor.close()


async def migrate(engine: AsyncEngine) -> None:
    """Bring the tables up to date.

    Raises:
        DatabaseError: the database is locked, read-only or out of reach.
    """
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    except (DBAPIError, SQLAlchemyError, OSError) as error:
        raise DatabaseError(explain(error, engine)) from error


def migrate_blocking(engine: Engine) -> None:
    """`migrate` for command lines and worker threads; raises what that raises."""
    try:
        with engine.begin() as connection:
            _upgrade(connection)
    except (DBAPIError, SQLAlchemyError, OSError) as error:
        raise DatabaseError(explain(error, engine)) from error


class BlockingStore:
    """What the stores on the blocking engine share: opening, closing, and writing in one transaction.

    Made without `open`, a store takes the tables as they are; it connects on first use.
    """

    def __init__(self, settings: Settings) -> None:
        self._engine = create_blocking_engine(settings)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The store on the configured database, its tables brought up to date.

        Raises:
            DatabaseError: the database is locked, read-only or out of reach.
        """
        store = cls(settings)
        migrate_blocking(store._engine)
        return store

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        try:
            with self._sessions.begin() as session:
                yield session
        except DBAPIError as error:
            raise DatabaseError(explain(error, self._engine)) from None  # its text holds what was to be written


def newest_revision() -> str:
    """The revision that the tables have when they are up to date."""
    return max(path.name.split("_", 1)[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _upgrade(connection: Connection) -> None:
    if inspect(connection).has_table("alembic_version"):
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found == newest_revision():  # Alembic itself takes a third of a second to load
            return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def explain(error: Exception, engine: AsyncEngine | Engine) -> str:
    """One line about a database fault: the cause, where, and what to do."""
    where = engine.url.render_as_string(hide_password=True)
    cause = str(getattr(error, "orig", error)).splitlines()[0]
    if "locked" in cause:
        advice = "another program holds it; stop that and start again"
    elif "readonly" in cause or "read-only" in cause or "unable to open" in cause:
        advice = "it cannot be written; check the rights on DATA_DIR or set DATABASE_URL"
    else:
        advice = "check DATABASE_URL"
    return f"DATABASE_URL {where}: {cause}: {advice}"
