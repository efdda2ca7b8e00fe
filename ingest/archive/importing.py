"""Put a checked archive in the place of what is here, so that a crash at any moment can be made up for.

The order: originals, which harm nobody; the catalogue, in one transaction; then the two folders, each swapped by two
renames. Whatever was done is found equal by the next run, which does the rest.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.archive.checking import Unpacked, unpack
from ingest.archive.contents import DOCUMENTS, FACTS, UPLOADS, ArchiveError, files_below
from ingest.archive.exporting import is_original
from ingest.archive.rows import CatalogueChanges, compare, merge_library, read_library
from ingest.catalogue import Catalogue
from ingest.index import Progress, writing
from ingest.publishing import mark_withdrawn
from knowledge.generation import sha256
from knowledge.settings import Settings

OLD, NEW = ".before-import", ".importing"
"""What stands beside a folder: its content before the import, and while that runs its new content."""

UNPACKED = ".import-"
"""How the folder in DATA_DIR begins into which an archive is unpacked."""


@dataclass(frozen=True)
class FolderChange:
    """What of a folder is other in the archive, as paths in it."""

    name: str
    folder: Path
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    equal: int

    @property
    def differs(self) -> bool:
        """True when the archive's folder is not as ours."""
        return bool(self.added or self.changed or self.removed)

    @property
    def has_conflict(self) -> bool:
        """True when it differs, and ours has files that would be replaced."""
        return self.differs and bool(self.changed or self.removed or self.equal)


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do: `refused` when something differs that it may not replace."""

    folders: tuple[FolderChange, ...]
    catalogue: CatalogueChanges
    originals: int
    refused: bool

    def is_empty(self, *, replace: bool) -> bool:
        """True when nothing had to change."""
        agencies, documents = self.catalogue.agencies, self.catalogue.documents
        rows = agencies.added + documents.added + ((agencies.differing + documents.differing) if replace else ())
        return not (rows or self.originals or any(change.differs for change in self.folders))


def import_archive(
    settings: Settings,
    source: Path,
    *,
    replace: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda *_: None,
) -> Imported:
    """Check the archive `source`, then bring documents, tables and catalogue to its content.

    A folder that differs is only replaced with `replace`; without it nothing at all is changed. What of the catalogue
    differs is left as it is, or replaced with `replace`. The index is not touched: that is the work of `sync`.

    Raises:
        ArchiveError: the archive is refused.
        BusyError: an ingest is at work.
        DatabaseError: the database cannot be used.
    """
    if dry_run:
        with tempfile.TemporaryDirectory() as folder:
            return _compare(settings, unpack(source, Path(folder), progress), replace=replace)
    with writing(settings.data_dir), _room(settings.data_dir) as folder:
        unpacked = unpack(source, folder, progress)
        _heal(settings)
        imported = _compare(settings, unpacked, replace=replace)
        if not imported.refused:
            _apply(settings, unpacked, imported, replace=replace)
        return imported


@contextmanager
def _room(data_dir: Path) -> Iterator[Path]:
    for leftover in data_dir.glob(f"{UNPACKED}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=UNPACKED, dir=data_dir) as folder:
        yield Path(folder)


def _folders(settings: Settings) -> dict[str, Path]:
    # Resolved, so that the renames happen beside the folder itself and not beside a link to it.
    return {DOCUMENTS: settings.documents_dir.resolve(), FACTS: settings.facts_dir.resolve()}


def beside(folder: Path, ending: str) -> Path:
    """The neighbour of `folder` that an import makes."""
    return folder.with_name(folder.name + ending)


def _heal(settings: Settings) -> None:
    """Undo a swap that was cut off between its two renames."""
    for folder in _folders(settings).values():
        if not folder.exists() and beside(folder, OLD).is_dir():
            beside(folder, OLD).rename(folder)
        shutil.rmtree(beside(folder, NEW), ignore_errors=True)


def _compare(settings: Settings, unpacked: Unpacked, *, replace: bool) -> Imported:
    library = read_library(settings)
    for name in files_below(unpacked.folder / DOCUMENTS, ".md"):
        if (id := Path(name).stem) in library.documents:
            raise ArchiveError(f"{name}: the id {id} is used by an agency's document here")
    folders = tuple(
        _compare_folder(name, folder, unpacked.folder / name) for name, folder in _folders(settings).items()
    )
    uploads = settings.data_dir / UPLOADS
    return Imported(
        folders=folders,
        catalogue=compare(library, unpacked.library),
        originals=sum(not is_original(uploads / path.name) for path in _originals(unpacked)),
        refused=not replace and any(folder.has_conflict for folder in folders),
    )


def _compare_folder(name: str, ours: Path, theirs: Path) -> FolderChange:
    ending = ".md" if name == DOCUMENTS else ".yaml"
    here = {path: sha256(file) for path, file in files_below(ours, ending).items()}
    there = {path: sha256(file) for path, file in files_below(theirs, ending).items()}
    return FolderChange(
        name=name.rstrip("/"),
        folder=ours,
        added=tuple(path for path in there if path not in here),
        changed=tuple(path for path in there if path in here and here[path] != there[path]),
        removed=tuple(path for path in here if path not in there),
        equal=sum(here.get(path) == there[path] for path in there),
    )


def _originals(unpacked: Unpacked) -> list[Path]:
    folder = unpacked.folder / UPLOADS
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _apply(settings: Settings, unpacked: Unpacked, imported: Imported, *, replace: bool) -> None:
    uploads = settings.data_dir / UPLOADS
    for path in _originals(unpacked):
        uploads.mkdir(exist_ok=True)
        if not is_original(uploads / path.name):
            _sync_to_disk(path)
            path.replace(uploads / path.name)
    if unpacked.library.agencies:
        merge_library(settings, unpacked.library, replace=replace)
        with Catalogue.open(settings) as catalogue:
            mark_withdrawn(settings.data_dir, catalogue)
    differing = [change for change in imported.folders if change.differs]
    for change in differing:
        _prepare(unpacked.folder / change.name, change.folder)
    for change in differing:
        _swap(change.folder)


def _prepare(source: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = beside(folder, NEW)
    shutil.copytree(source, fresh)
    for path in fresh.rglob("*"):
        if path.is_file():
            _sync_to_disk(path)


def _swap(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        old = beside(folder, OLD)
        if old.exists():
            shutil.rmtree(old)
        folder.rename(old)
    beside(folder, NEW).rename(folder)
    _sync_to_disk(folder.parent)


def _sync_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
