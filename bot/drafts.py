"""Agencies' documents from a file to answers, with no Telegram in it: add, look, try, publish, withdraw.

Reading and encoding run as `python -m ingest` in a process of its own with a low priority: a file can neither end the
bot nor make sellers wait. Publishing is light, its vectors being there already, and runs in a thread; only building
the index of a large knowledge base does not, for what it takes the bot would not give back.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import structlog

from bot.advice.adviser import Adviser
from bot.advice.reply import Reply
from bot.advice.understand import Profile
from bot.settings import BotSettings
from ingest import publishing
from ingest.adding import Details, corrected
from ingest.catalogue import Catalogue, Version
from ingest.index import BusyError
from ingest.preview import overlay
from ingest.publishing import Published
from knowledge.active import FixedIndex
from knowledge.calibration import load_calibration
from knowledge.generation import Manifest
from knowledge.search import HybridSearch
from knowledge.settings import ROOT

log = structlog.get_logger(__name__)

PROCESS_SECONDS = 900
MOST_OUTPUT = 4_000_000
LARGE = 8_000
"""Passages in use above which the index is built in a process of its own. That takes longer, but with 20,000 the
bot's own then peaks at 0.9 GB instead of 1.5; building takes another 1.0, given back when it ends."""

Step = Callable[[str, int, int], Awaitable[None]]
"""Called with a step's name, how much of it is done, and how much there is."""


class RefusedError(Exception):
    """A document was not taken; `reason` is a slug of `ingest.loading.Reason`, `already-published` or `other`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DraftFailedError(Exception):
    """The work on a document broke off; the message is for the log."""


@dataclass(frozen=True)
class Look:
    """What a draft would change: passages, what it repeats (title and passages), and questions that it answers."""

    version: Version
    passages: int
    repeated: tuple[tuple[str, int], ...]
    questions: tuple[str, ...]


class Drafts:
    """What agencies can do with documents."""

    def __init__(self, settings: BotSettings, adviser: Adviser, catalogue: Catalogue) -> None:
        self._settings = settings
        self._adviser = adviser
        self._catalogue = catalogue
        self._one_at_a_time = asyncio.Semaphore(1)  # two at once would take both cores from those who ask
        self._trials: dict[int, Adviser] = {}

    async def add(
        self, source: str, agency: str, *, actor: int, name: str | None, replaces: str | None, on_step: Step
    ) -> Look:
        """Enter a file or web address as a draft and see what it would change.

        Raises:
            RefusedError: it cannot be taken; the reason says why.
            DraftFailedError: the work broke off.
        """
        arguments = ["add", "--agency", agency, "--actor", str(actor)]
        arguments += ["--name", name] if name else []
        arguments += ["--replaces", replaces] if replaces else []
        return await self._look([*arguments, "--", source], on_step)

    async def look(self, version: int, on_step: Step) -> Look:
        """What a draft would change, as it is now. Raises what `add` raises."""
        return await self._look(["preview", str(version)], on_step)

    async def _look(self, arguments: list[str], on_step: Step) -> Look:
        async with self._one_at_a_time:
            found = await self._run(arguments, on_step)
        return Look(
            await asyncio.to_thread(self._catalogue.version, int(found["version"])),
            int(found["passages"]),
            tuple((str(r["title"]), int(r["passages"])) for r in found["repeated"]),
            tuple(str(q["question"]) for q in found["questions"]),
        )

    async def correct(self, version: Version, details: Details, *, actor: int) -> Version:
        """Correct the details of a draft.

        Raises:
            CatalogueError: a detail is not valid, or the version is no draft any more.
        """
        self._trials.pop(version.id, None)
        changed = corrected(version.document, details)
        return await asyncio.to_thread(self._catalogue.correct, version.id, changed, actor=str(actor))

    async def try_question(self, version: Version, question: str, profile: Profile) -> Reply:
        """The reply that a seller with `profile` would get if the draft were published."""
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._adviser.executor, self._try, version, question, profile)

    def _try(self, version: Version, question: str, profile: Profile) -> Reply:
        trial = self._trials.get(version.id)
        if trial is None:
            encoder = self._adviser.index.encoder
            laid = overlay(self._settings, encoder, self._adviser.index.generation, version.document)
            search = HybridSearch(laid, encoder, load_calibration(encoder.fingerprint))
            trial = Adviser(FixedIndex(encoder, search))
            self._trials.clear()  # each holds an index of its own: one is enough
            self._trials[version.id] = trial
        return trial.advise(question, profile).reply

    async def publish(self, version: int, *, actor: int) -> Published:
        """Put a draft in force; when it returns, answers come out of it (unless a rollback holds the index).

        Raises:
            CatalogueError: it is no draft any more, or has expired.
            BusyError: another ingest is at work; it is in force, and comes into the answers after that.
            DraftFailedError: building broke off; it is in force, and comes into the answers with the next build.
        """
        self._trials.clear()
        done = await asyncio.to_thread(self._catalogue.publish, version, actor=str(actor))
        manifest = await self._bring_in_line(wait=publishing.WAIT_SECONDS)
        await asyncio.to_thread(self._adviser.refresh)
        return Published(done, manifest)

    async def withdraw(self, document: str, *, actor: int) -> Version:
        """Take a document back; from now on no answer comes out of it.

        Raises:
            CatalogueError: nothing of it is published.
        """
        done = await asyncio.to_thread(publishing.retract, self._settings, self._catalogue, document, actor=str(actor))
        await asyncio.to_thread(self._adviser.refresh)
        return done

    async def follow_catalogue(self, today: date | None = None) -> list[Version]:
        """Build what a crash or a busy index left undone and end what has expired; returns what expired."""
        gone = await asyncio.to_thread(self._catalogue.expire, today or datetime.now(UTC).date())
        try:
            await self._bring_in_line(wait=0)
        except BusyError:
            log.info("index_busy")
        await asyncio.to_thread(self._adviser.refresh)
        return gone

    async def _bring_in_line(self, *, wait: float) -> Manifest | None:
        """`ingest.publishing.bring_in_line`: here, or in a process of its own when the knowledge base is large."""
        index = self._adviser.index
        if len(index.generation.passages) <= LARGE:
            build = publishing.bring_in_line
            return await asyncio.to_thread(build, self._settings, self._catalogue, index.encoder, wait=wait)
        try:
            found = await self._run(["bring-in-line", "--wait", str(wait)], _unseen)
        except RefusedError as error:  # the index is being written, or the build takes too long
            raise BusyError(error.reason) from None
        return Manifest.model_validate(found["manifest"]) if found["manifest"] else None

    async def _run(self, arguments: list[str], on_step: Step) -> dict[str, Any]:
        command = (sys.executable, "-m", "ingest", arguments[0], "--json", "--steps", *arguments[1:])
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env=self._environment(),
            limit=MOST_OUTPUT,
        )
        try:
            async with asyncio.timeout(PROCESS_SECONDS):
                return await _result(process, on_step)
        except TimeoutError:
            raise RefusedError("too-slow") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _environment(self) -> dict[str, str]:
        settings = self._settings
        return {
            **os.environ,
            "DATA_DIR": str(settings.data_dir.resolve()),
            "DATABASE_URL": settings.database_url,
            "EMBEDDING_MODEL": settings.embedding_model,
            "DOCUMENTS_DIR": str(settings.documents_dir.resolve()),
            "FACTS_DIR": str(settings.facts_dir.resolve()),
            "LOG_LEVEL": "ERROR",
            "OMP_NUM_THREADS": "1",  # encoding a document shall leave the other cores to those who ask
        }


async def _unseen(_step: str, _done: int, _total: int) -> None:
    """A step of which nobody is told."""


async def _result(process: asyncio.subprocess.Process, on_step: Step) -> dict[str, Any]:
    assert process.stdout is not None
    assert process.stderr is not None
    reading = asyncio.create_task(process.stdout.read())
    refused, last = "other", ""
    async for raw in process.stderr:
        last = raw.decode("utf-8", "replace").strip()
        line = _json_line(last)
        if "step" in line:
            await on_step(str(line["step"]), int(line["done"]), int(line["total"]))
        elif "refused" in line:
            refused = str(line["refused"])
    output = await reading
    status = await process.wait()
    if status == 2:
        raise RefusedError(refused)
    if status != 0:
        raise DraftFailedError(f"ended with {status}: {last[-300:]}")
    return dict(json.loads(output))


def _json_line(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
