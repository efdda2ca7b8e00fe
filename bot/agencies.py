"""The agencies as the conversation needs them: who answers whom, without waiting for the database every time."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ingest.catalogue import Agency, Catalogue, CatalogueError

log = structlog.get_logger(__name__)

REMEMBERED_SECONDS = 10
PATIENCE_SECONDS = 0.5


@dataclass
class Agencies:
    """The agencies of the catalogue; a list of them is remembered for some seconds."""

    catalogue: Catalogue
    _known: list[Agency] = field(default_factory=list)
    _read_at: float | None = None

    async def all(self, *, fresh: bool = False) -> list[Agency]:
        """All agencies, some seconds old at most; what was known before when the database does not answer."""
        if fresh or self._read_at is None or time.monotonic() - self._read_at > REMEMBERED_SECONDS:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    self._known = await asyncio.to_thread(self.catalogue.agencies)
            except (SQLAlchemyError, TimeoutError) as error:
                log.error("agencies_unavailable", cause=type(error).__name__)
            self._read_at = time.monotonic()
        return self._known

    async def get(self, id: str) -> Agency | None:
        """The agency with this id as it is now."""
        try:
            return await asyncio.to_thread(self.catalogue.agency, id)
        except CatalogueError:
            return None

    async def in_group(self, chat_id: int, *, fresh: bool = False) -> Agency | None:
        """The agency that answers sellers in a group."""
        return next((agency for agency in await self.all(fresh=fresh) if agency.group_chat_id == chat_id), None)

    async def serving(self, country: str, language: str) -> list[Agency]:
        """Agencies with a group for sellers of `country` (ISO 3166 alpha-2); those with `language` come first."""
        found = [a for a in await self.all() if a.group_chat_id is not None and country in a.countries]
        return sorted(found, key=lambda agency: language not in agency.languages)

    async def bind(self, id: str, chat_id: int | None, *, actor: str) -> Agency:
        """Set the group of an agency (None: no group). Raises `CatalogueError` when there is no such agency."""
        agency = await asyncio.to_thread(self.catalogue.set_group, id, chat_id, actor=actor)
        self._read_at = None
        return agency
