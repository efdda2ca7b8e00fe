"""Write the knowledge base into an archive."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import BinaryIO

from ingest.archive.contents import (
    AGENCIES,
    DOCUMENTS,
    FACTS,
    LIBRARY,
    MANIFEST,
    MOST_ENTRY_BYTES,
    ORIGINAL,
    UPLOADS,
    ArchiveError,
    ArchiveManifest,
    EntryLine,
    files_below,
    newest,
)
from ingest.archive.rows import Library, check_ids, read_library
from ingest.index import Progress
from knowledge.documents import Problem, load_documents
from knowledge.facts import Facts, load_facts
from knowledge.generation import sha256
from knowledge.models import Document, Strict
from knowledge.settings import Settings

_SAME_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The time of every entry: that of a file says when it was checked out, not when it was written."""
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Exported:
    """What an export wrote, the faults of documents it left out, and the originals that were gone or changed."""

    path: Path
    manifest: ArchiveManifest
    problems: list[Problem]


def export_archive(settings: Settings, target: Path, progress: Progress = lambda *_: None) -> Exported:
    """Write everything into the zip file `target`, which is replaced in one step when the new one is whole.

    Faulty documents are left out and reported, as `sync` does: an archive with them would be refused.

    Raises:
        ArchiveError: `target` is a folder, or something is too large or faulty for an archive.
        FactsError: a fact table is not valid.
        DatabaseError: the catalogue cannot be read.
    """
    if target.is_dir():
        raise ArchiveError(f"{target} is a folder; name a file")
    facts = load_facts(settings.facts_dir)
    documents, problems = load_documents(settings.documents_dir, facts)
    faulty = {problem.path for problem in problems}
    library = read_library(settings)
    check_ids(documents, library)
    uploads = settings.data_dir / "uploads"
    missing = tuple(name for name in library.originals if not is_original(uploads / name))
    files = {DOCUMENTS + name: p for name, p in files_below(settings.documents_dir, ".md").items() if p not in faulty}
    files |= {FACTS + name: path for name, path in files_below(settings.facts_dir, ".yaml").items()}
    files |= {UPLOADS + name: uploads / name for name in library.originals if name not in missing}
    fresh = target.with_name(f".{target.name}.new")
    try:
        with fresh.open("wb") as file:
            manifest = _write(file, files, library, _moment(documents, facts, library), missing, progress)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return Exported(target, manifest, problems)


def is_original(path: Path) -> bool:
    """True when the file at `path` is named by its hash, and its content has that hash."""
    named = ORIGINAL.fullmatch(path.name)
    return named is not None and path.is_file() and sha256(path) == named[1]


def _moment(documents: Iterable[Document], facts: Facts, library: Library) -> datetime:
    days = [facts.fx.as_of, *(document.reviewed for document in documents)]
    return newest(
        [
            *(datetime.combine(day, time(), UTC) for day in days),
            *(at for agency in library.agencies.values() for at in (agency.created_at, agency.closed_at)),
            *(at for v in library.versions for at in (v.created_at, v.published_at, v.ended_at)),
        ]
    )


def _write(
    file: BinaryIO,
    files: dict[str, Path],
    library: Library,
    created: datetime,
    missing: tuple[str, ...],
    progress: Progress,
) -> ArchiveManifest:
    lines = {AGENCIES: library.agencies.values(), LIBRARY: library.documents.values()}
    names = sorted([*files, *lines])
    entries: dict[str, EntryLine] = {}
    with zipfile.ZipFile(file, "w") as archive:
        for done, name in enumerate(names, 1):
            blocks = _blocks(files[name]) if name in files else [_json_lines(lines[name])]
            entries[name] = _add(archive, name, blocks)
            progress("writing", done, len(names))
        counts = {
            "documents": sum(name.startswith(DOCUMENTS) for name in files),
            "tables": sum(name.startswith(FACTS) for name in files),
            "agencies": len(library.agencies),
            "agency_documents": len(library.documents),
            "versions": len(library.versions),
            "originals": sum(name.startswith(UPLOADS) for name in files),
        }
        manifest = ArchiveManifest(created=created, counts=counts, missing=missing, entries=entries)
        _add(archive, MANIFEST, [manifest.model_dump_json(indent=1).encode()])
    return manifest


def _blocks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _json_lines(lines: Iterable[Strict]) -> bytes:
    return "".join(line.model_dump_json() + "\n" for line in lines).encode()


def _add(archive: zipfile.ZipFile, name: str, blocks: Iterable[bytes]) -> EntryLine:
    entry = zipfile.ZipInfo(name, _SAME_MOMENT)
    entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o100644 << 16
    digest, size = hashlib.sha256(), 0
    with archive.open(entry, "w", force_zip64=True) as part:
        for block in blocks:
            part.write(block)
            digest.update(block)
            size += len(block)
    if size > MOST_ENTRY_BYTES:
        raise ArchiveError(f"{name} has {size} bytes, an archive takes {MOST_ENTRY_BYTES} at most")
    return EntryLine(size=size, sha256=digest.hexdigest())
