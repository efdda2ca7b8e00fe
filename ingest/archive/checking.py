"""Unpack an archive that nobody has vouched for, and check that it is whole, harmless and valid."""

from __future__ import annotations

import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import yaml
from frontmatter.default_handlers import YAMLHandler
from pydantic import BaseModel, ValidationError

from ingest.archive.contents import (
    AGENCIES,
    DOCUMENTS,
    FACTS,
    FORMAT,
    LIBRARY,
    MANIFEST,
    MOST_BYTES,
    MOST_ENTRIES,
    MOST_ENTRY_BYTES,
    MOST_RATIO,
    MOST_TEXT_BYTES,
    ORIGINAL,
    RATIO_FROM_BYTES,
    UPLOADS,
    AgencyLine,
    ArchiveError,
    ArchiveManifest,
    LibraryLine,
    files_below,
)
from ingest.archive.rows import Library, check_ids
from ingest.index import Progress
from knowledge.documents import load_documents
from knowledge.facts import FactsError, load_facts
from knowledge.models import Strict

_BLOCK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What `zipfile` raises for an archive that is broken or made to break it."""

MOST_YAML_DEPTH, MOST_YAML_NODES = 40, 500_000
"""Ours are 8 deep and have 60,000 nodes; parsing deep ones recurses, and aliases of aliases grow without bound."""


@dataclass(frozen=True)
class Unpacked:
    """An archive that has passed every check: `folder` holds its files, as `contents` lays them out."""

    folder: Path
    manifest: ArchiveManifest
    library: Library


def unpack(source: Path, folder: Path, progress: Progress = lambda *_: None) -> Unpacked:
    """Unpack the zip file `source` into the empty `folder`, checking everything on the way.

    Raises:
        ArchiveError: the first reason to refuse it.
        OSError: `source` cannot be opened, or `folder` not written.
    """
    with source.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except (*_DAMAGED, OSError) as error:
            raise ArchiveError(f"{source.name} is no zip archive, or not complete ({error})") from error
        with archive:
            entries = _entries(archive)
            manifest = _manifest(archive, entries)
            _check_listed(manifest, entries)
            for done, name in enumerate(sorted(manifest.entries), 1):
                _unpack_entry(archive, entries[name], manifest, folder / name)
                progress("unpacking", done, len(manifest.entries))
    for place in (DOCUMENTS, FACTS):
        (folder / place).mkdir(exist_ok=True)
    library = _library(folder)
    _check_documents(folder, library)
    _check_originals(manifest, library)
    _check_counts(manifest, library)
    return Unpacked(folder, manifest, library)


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries by name, when their names, kinds and declared sizes are acceptable."""
    found = archive.infolist()
    if len(found) > MOST_ENTRIES:
        raise ArchiveError(f"the archive has {len(found)} entries, {MOST_ENTRIES} are the most")
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in found:
        _check_entry(entry)
        if entry.filename in entries:
            raise ArchiveError(f"{_shown(entry.filename)} is in the archive twice")
        entries[entry.filename] = entry
    for name in entries:
        for parent in PurePosixPath(name).parents:
            if parent.as_posix() in entries:
                raise ArchiveError(f"{_shown(parent.as_posix())} is a file and a folder")
    size, packed = sum(e.file_size for e in found), sum(e.compress_size for e in found)
    if size > MOST_BYTES or (size > RATIO_FROM_BYTES and size > packed * MOST_RATIO):
        raise ArchiveError(f"the archive unpacks to {size} bytes from {packed}: that is no knowledge base")
    return entries


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    parts = name.split("/")
    if name.startswith("/") or ":" in parts[0] or "\\" in entry.orig_filename or any(p in ("..", ".") for p in parts):
        raise ArchiveError(f"{_shown(name)} is a path that leads out of the archive")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ArchiveError(f"{_shown(name)} is a link or something else that is no file")
    if entry.flag_bits & 1:
        raise ArchiveError(f"{_shown(name)} is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveError(f"{_shown(name)} is packed in a way that is not known here")
    most = _most_bytes(name)
    if most is None or not all(parts) or not name.isprintable() or max(map(len, parts)) > 100 or len(parts) > 12:
        raise ArchiveError(f"{_shown(name)} does not belong into an archive of a knowledge base")
    if entry.file_size > most:
        raise ArchiveError(f"{_shown(name)} has {entry.file_size} bytes, {most} are the most")


def _most_bytes(name: str) -> int | None:
    """The most that an entry of this name may hold; None for one that has no place in an archive."""
    file = name.rpartition("/")[2]
    if name in (MANIFEST, AGENCIES, LIBRARY):
        return MOST_ENTRY_BYTES
    for place, ending in ((DOCUMENTS, ".md"), (FACTS, ".yaml")):
        if name.startswith(place) and file.endswith(ending) and not file.startswith("."):
            return MOST_TEXT_BYTES
    if name.startswith(UPLOADS) and ORIGINAL.fullmatch(name.removeprefix(UPLOADS)):
        return MOST_ENTRY_BYTES
    return None


def _manifest(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> ArchiveManifest:
    if MANIFEST not in entries:
        raise ArchiveError(f"{MANIFEST} is missing: this is no archive made by `python -m ingest export`")

    class Head(BaseModel):
        format: int

    raw = b"".join(_blocks(archive, entries[MANIFEST]))
    try:
        made_with = Head.model_validate_json(raw).format
        if made_with != FORMAT:
            raise ArchiveError(
                f"the archive has the format {made_with}, this version reads {FORMAT}: export or import it with "
                "the version of Tradewind that knows both"
            )
        return ArchiveManifest.model_validate_json(raw)
    except ValidationError as error:
        raise ArchiveError(f"{MANIFEST}: {_fault(error)}") from error


def _check_listed(manifest: ArchiveManifest, entries: dict[str, zipfile.ZipInfo]) -> None:
    there = entries.keys() - {MANIFEST}
    for name in sorted(there - manifest.entries.keys()):
        raise ArchiveError(f"{_shown(name)} is in the archive but not in its manifest")
    for name in sorted({*manifest.entries, AGENCIES, LIBRARY} - there):
        raise ArchiveError(f"{_shown(name)} is missing from the archive")


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, manifest: ArchiveManifest, path: Path) -> None:
    expected = manifest.entries[entry.filename]
    digest, size = hashlib.sha256(), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for block in _blocks(archive, entry):
            size += len(block)
            digest.update(block)
            file.write(block)
    if (size, digest.hexdigest()) != (expected.size, expected.sha256):
        raise ArchiveError(f"{_shown(entry.filename)} is not what the manifest says")
    named = ORIGINAL.fullmatch(path.name) if entry.filename.startswith(UPLOADS) else None
    if named is not None and named[1] != expected.sha256:
        raise ArchiveError(f"{_shown(entry.filename)} is not named by its hash")


def _blocks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of an entry in pieces; never more than it declares."""
    left = entry.file_size
    try:
        with archive.open(entry) as part:
            while block := part.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise ArchiveError(f"{_shown(entry.filename)} unpacks to more than it declares")
                yield block
    except _DAMAGED as error:
        raise ArchiveError(f"{_shown(entry.filename)} is damaged ({error})") from error


_Line = TypeVar("_Line", bound=Strict)


def _library(folder: Path) -> Library:
    agencies = {line.id: line for line in _lines(folder / AGENCIES, AgencyLine)}
    documents = {line.id: line for line in _lines(folder / LIBRARY, LibraryLine)}
    for document in documents.values():
        if document.agency not in agencies:
            raise ArchiveError(f"{LIBRARY}: {document.id}: its agency {document.agency} is not in the archive")
    return Library(agencies, documents)


def _lines(path: Path, shape: type[_Line]) -> Iterator[_Line]:
    name = f"catalogue/{path.name}"
    seen: set[object] = set()
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = shape.model_validate_json(raw)
            except ValidationError as error:
                raise ArchiveError(f"{name}: line {number}: {_fault(error)}") from error
            id = getattr(line, "id", None)
            if id in seen:
                raise ArchiveError(f"{name}: line {number}: {id} is there twice")
            seen.add(id)
            yield line


def _check_documents(folder: Path, library: Library) -> None:
    """Read documents and tables just as `sync` will."""
    for place, ending in ((DOCUMENTS, ".md"), (FACTS, ".yaml")):
        for name, path in files_below(folder / place, ending).items():
            _check_yaml(place + name, path)
    try:
        facts = load_facts(folder / FACTS)
        documents, problems = load_documents(folder / DOCUMENTS, facts)
    except Exception as error:  # YAML builds dates and numbers, and what is wrong with one is raised as it comes
        kind = "" if isinstance(error, FactsError) else f"cannot be read: {type(error).__name__}: "
        raise ArchiveError(_inside(folder, f"{kind}{error}")) from error
    if problems:
        more = f" (and {len(problems) - 1} more faults)" if len(problems) > 1 else ""
        raise ArchiveError(_inside(folder, str(problems[0])) + more)
    check_ids(documents, library)


def _check_yaml(name: str, path: Path) -> None:
    """Refuse YAML that is harmless to read in pieces and harmful to build: very deep, or growing by its aliases."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ArchiveError(f"{name} is not UTF-8") from error
    if name.startswith(DOCUMENTS):
        text = "".join(YAMLHandler.FM_BOUNDARY.split(text.strip(), 2)[1:2])  # just as the library cuts it out
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    nodes = 0
    try:
        for event in yaml.parse(text, yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent):
                nodes += sizes.get(event.anchor or "", MOST_YAML_NODES)  # one inside itself has no end
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, before = open_nodes.pop()
                if anchor is not None:
                    sizes[anchor] = nodes - before
            elif isinstance(event, yaml.NodeEvent):
                nodes += 1
                if isinstance(event, yaml.CollectionStartEvent):
                    open_nodes.append((event.anchor, nodes))
                elif event.anchor is not None:
                    sizes[event.anchor] = 1
            if nodes > MOST_YAML_NODES or len(open_nodes) > MOST_YAML_DEPTH:
                raise ArchiveError(f"{name} is nested too deep or grows too large")
    except yaml.YAMLError as error:
        raise ArchiveError(f"{name}: is not valid YAML: {' '.join(str(error).split())}") from error


def _check_originals(manifest: ArchiveManifest, library: Library) -> None:
    named = set(library.originals)
    there = {name.removeprefix(UPLOADS) for name in manifest.entries if name.startswith(UPLOADS)}
    for name in sorted(there - named):
        raise ArchiveError(f"{UPLOADS}{name} belongs to no version of a document")
    for name in sorted(named - there - set(manifest.missing)):
        raise ArchiveError(f"{UPLOADS}{name} is missing from the archive")


def _check_counts(manifest: ArchiveManifest, library: Library) -> None:
    places = {"documents": DOCUMENTS, "tables": FACTS, "originals": UPLOADS}
    found = {key: sum(name.startswith(place) for name in manifest.entries) for key, place in places.items()}
    found |= {"agencies": len(library.agencies), "agency_documents": len(library.documents)}
    found |= {"versions": len(library.versions)}
    if found != manifest.counts:
        raise ArchiveError(f"{MANIFEST}: counts: the archive holds other numbers of things than it says")


def _inside(folder: Path, message: str) -> str:
    return " ".join(message.replace(f"{folder}/", "").split())


def _fault(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _shown(name: str) -> str:
    """A name out of the archive for a line on a terminal: printable, and not too long."""
    return repr(name)[1:-1][:120]
