"""A generation: one immutable build of the index, and which one is in use.

DATA_DIR/generations/<name>/manifest.json     how it was built, counts, hashes
                            documents.jsonl   the documents
                            passages.jsonl    the passages, in the order of the lexical index
                            facts.json        the fact tables
                            vocabulary.txt    each word and in how many passages it stands
                            lexical/          BM25
                            chroma/           vectors of passages and question forms
                            delta.npz         changes of those since chroma/ was written
                            intents.npz       vectors of example utterances that are not questions for us
DATA_DIR/CURRENT                              the name of the generation in use
DATA_DIR/WITHDRAWN                            ids of documents that no generation may show any more
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from knowledge.delta import Delta, read_deltas
from knowledge.encoders import Fingerprint, Vectors
from knowledge.facts import Facts
from knowledge.lexical import LexicalIndex
from knowledge.models import Document, Passage
from knowledge.normalise import fold, words

log = structlog.get_logger(__name__)

PASSAGES, FORMS = "passages", "question-forms"
"""The two collections of a generation."""

FORMAT = 7
"""The layout of a generation; change it when what is written changes, and indexes are built anew."""

HASHED_FILES = ("documents.jsonl", "facts.json", "passages.jsonl", "vocabulary.txt", "intents.npz", "delta.npz")


class GenerationError(Exception):
    """There is no generation that can serve; the message says why and what to do."""


class EncoderMismatchError(GenerationError):
    """The generation was built with another encoder than the one chosen now."""


class Manifest(BaseModel):
    """What `manifest.json` holds. `content` is a hash over all that went in, `intents` one over the example
    utterances; `vectors` counts those searched, `stored` those in Chroma; `files` maps names to SHA-256."""

    model_config = ConfigDict(frozen=True)

    name: str
    created: datetime
    format: int = 0
    embedding_model: str
    encoder: Fingerprint
    chunker: str
    intents: str = ""
    content: str
    documents: int
    passages: int
    vectors: int
    stored: int = 0
    files: dict[str, str]


class IntentVectors:
    """Example utterances of what is not a question for us, by intent, as vectors."""

    def __init__(self, names: Iterable[str], vectors: Vectors) -> None:
        self.names = np.asarray(list(names))
        self.vectors = vectors

    def similarities(self, vector: Vectors) -> dict[str, float]:
        """Cosine similarity of `vector` to the nearest example of each intent."""
        if not len(self.names):
            return {}
        scores = self.vectors @ vector
        return {str(name): float(scores[self.names == name].max()) for name in np.unique(self.names)}


@dataclass(frozen=True)
class Neighbours:
    """Indices into a generation's passages and their cosine similarity, nearest first."""

    rows: npt.NDArray[np.int64]
    cosines: npt.NDArray[np.float32]


@dataclass
class Generation:
    """An open generation. Read only; safe to use from several threads."""

    folder: Path
    manifest: Manifest
    documents: dict[str, Document]
    passages: list[Passage]
    facts: Facts
    vocabulary: dict[str, int]
    lexical: LexicalIndex
    intents: IntentVectors
    _client: Any
    _collections: dict[str, Any]
    _deltas: dict[str, Delta]

    def __post_init__(self) -> None:
        self._rows = {passage.id: row for row, passage in enumerate(self.passages)}

    @classmethod
    def open(cls, folder: Path, encoder: Fingerprint) -> Generation:
        """Open and verify the generation in `folder`.

        Raises:
            EncoderMismatchError: it was built with another encoder than `encoder`.
            GenerationError: a part is missing, changed or unreadable.
        """
        manifest = read_manifest(folder)
        if manifest.format != FORMAT:
            raise GenerationError(f"the index {manifest.name} has an older layout: run `python -m ingest sync`")
        if manifest.encoder != encoder:
            raise EncoderMismatchError(
                f"the index {manifest.name} was built with the encoder {manifest.embedding_model} "
                f"({manifest.encoder.revision}), EMBEDDING_MODEL is {encoder.model} ({encoder.revision}): "
                "run `python -m ingest sync` to build one for it, or set EMBEDDING_MODEL back"
            )
        try:
            _check_files(folder, manifest)
            documents = read_documents(folder)
            passages = read_passages(folder)
            facts = read_facts(folder)
            vocabulary = read_vocabulary(folder)
            lexical = LexicalIndex.load(folder / "lexical")
            with np.load(folder / "intents.npz") as stored:
                intents = IntentVectors(stored["names"].tolist(), stored["vectors"].astype(np.float32))
            client = open_chroma(folder / "chroma")
            collections = {name: client.get_collection(name, embedding_function=None) for name in (PASSAGES, FORMS)}
            found = sum(collection.count() for collection in collections.values())
            if found != manifest.stored:
                raise GenerationError(f"{folder}: {found} vectors, the manifest says {manifest.stored}")
            deltas = read_deltas(folder / "delta.npz", collections)
        except GenerationError:
            raise
        except Exception as error:  # Chroma, NumPy and bm25s each raise kinds of their own for a broken file
            raise GenerationError(f"{folder} cannot be read: {type(error).__name__}: {error}") from error
        by_id = {document.id: document for document in documents}
        return cls(folder, manifest, by_id, passages, facts, vocabulary, lexical, intents, client, collections, deltas)

    def nearest_passages(self, vector: Vectors, count: int) -> Neighbours:
        """The passages whose text is nearest to `vector`."""
        return self._nearest(PASSAGES, vector, count)

    def nearest_forms(self, vector: Vectors, count: int) -> Neighbours:
        """The passages of the nearest question forms; a passage comes once for each form that is near."""
        return self._nearest(FORMS, vector, count)

    def _nearest(self, name: str, vector: Vectors, count: int) -> Neighbours:
        delta = self._deltas[name]
        # So many more that as many are left when those that are gone have been dropped.
        wanted = count + min(len(delta.gone), count)
        answer = self._collections[name].query(query_embeddings=[vector], n_results=wanted, include=["distances"])
        ids, cosines = answer["ids"][0], 1.0 - np.asarray(answer["distances"][0], dtype=np.float32)
        if len(delta):
            kept = [place for place, id in enumerate(ids) if id not in delta.gone]
            ids = [*(ids[place] for place in kept), *delta.ids]
            cosines = np.concatenate((cosines[kept], delta.vectors @ vector))
            order = np.argsort(-cosines)[:count]
            ids, cosines = [ids[place] for place in order], cosines[order]
        rows = np.array([self._rows[passage_of(id)] for id in ids], dtype=np.int64)
        return Neighbours(rows, cosines)

    def close(self) -> None:
        """Give the store's files and memory back."""
        self._client.close()


def open_chroma(folder: Path) -> Any:
    """Chroma's embedded client on `folder`, without telemetry and without a port."""
    import chromadb  # takes most of a second to load, and not every command needs it
    from chromadb.config import Settings as ChromaSettings

    return chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the generation in `folder`; raises `GenerationError`."""
    try:
        return Manifest.model_validate_json((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError) as error:
        raise GenerationError(f"{folder / 'manifest.json'} cannot be read: {type(error).__name__}") from error


def form_id(passage: str, number: int) -> str:
    """The id under which question form `number` of a passage is stored."""
    return f"{passage}|{number}"


def passage_of(id: str) -> str:
    """The id of the passage that a stored vector belongs to."""
    return id.split("|", 1)[0]


def verify(folder: Path) -> Manifest:
    """Check that the generation in `folder` is whole, without loading it; returns its manifest.

    Raises:
        GenerationError: a part is missing or changed, or it has an older layout.
    """
    manifest = read_manifest(folder)
    if manifest.format != FORMAT:
        raise GenerationError(f"the index {manifest.name} has an older layout")
    _check_files(folder, manifest)
    try:
        with closing(sqlite3.connect(f"file:{folder / 'chroma' / 'chroma.sqlite3'}?mode=ro", uri=True)) as store:
            found = store.execute("SELECT COUNT(*) FROM embeddings").fetchone()[0]
    except sqlite3.Error as error:
        raise GenerationError(f"{folder / 'chroma'} cannot be read: {error}") from error
    if found != manifest.stored:
        raise GenerationError(f"{folder}: {found} vectors, the manifest says {manifest.stored}")
    if not (folder / "lexical").is_dir():
        raise GenerationError(f"{folder / 'lexical'} is missing")
    return manifest


def _check_files(folder: Path, manifest: Manifest) -> None:
    for name, expected in manifest.files.items():
        try:
            found = sha256(folder / name)
        except OSError as error:
            raise GenerationError(f"{folder / name} cannot be read: {error.strerror}") from error
        if found != expected:
            raise GenerationError(f"{folder / name} is not what the manifest says")


def read_documents(folder: Path) -> list[Document]:
    """The documents of the generation in `folder`, in order."""
    return [Document.model_validate_json(line) for line in _lines(folder / "documents.jsonl")]


def read_passages(folder: Path) -> list[Passage]:
    """The passages of the generation in `folder`, in order."""
    return [Passage.model_validate_json(line) for line in _lines(folder / "passages.jsonl")]


def read_facts(folder: Path) -> Facts:
    """The fact tables of the generation in `folder`; those read last are remembered, for most builds leave them."""
    return _facts(sha256(folder / "facts.json"), folder / "facts.json")


_remembered_facts: dict[str, Facts] = {}


def _facts(digest: str, path: Path) -> Facts:
    found = _remembered_facts.get(digest)
    if found is None:
        found = Facts.model_validate_json(path.read_bytes())
        _remembered_facts.clear()
        _remembered_facts[digest] = found
    return found


def read_vocabulary(folder: Path) -> dict[str, int]:
    """The words of the generation in `folder`, folded, with the number of passages they stand in."""
    pairs = (line.rpartition("\t") for line in _lines(folder / "vocabulary.txt"))
    return {word: int(count) for word, _, count in pairs}


def write_vocabulary(folder: Path, words_of: Mapping[str, int]) -> None:
    """Write what `read_vocabulary` reads."""
    lines = (f"{word}\t{count}" for word, count in sorted(words_of.items()) if count > 0)
    (folder / "vocabulary.txt").write_text("\n".join(lines), encoding="utf-8")


def replace_file(path: Path, content: str) -> None:
    """Put `content` in the place of the file at `path` in one step that survives a crash."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def withdrawn(data_dir: Path) -> frozenset[str]:
    """Ids of the documents that are not to be shown, whatever the generation in use holds."""
    try:
        return frozenset((data_dir / "WITHDRAWN").read_text(encoding="utf-8").split())
    except OSError:
        return frozenset()


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def generations(data_dir: Path) -> list[Path]:
    """The folders of all finished generations, newest first."""
    root = data_dir / "generations"
    found = [path for path in root.iterdir() if not path.name.startswith(".")] if root.is_dir() else []
    return sorted(found, key=lambda path: path.name, reverse=True)


def current(data_dir: Path) -> Path | None:
    """The folder that `CURRENT` names, or None when there is no (usable) pointer."""
    try:
        name = (data_dir / "CURRENT").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return data_dir / "generations" / name if name and "/" not in name and not name.startswith(".") else None


def open_current(data_dir: Path, encoder: Fingerprint) -> Generation:
    """Open the generation in use; when it is damaged, the newest sound one instead, and say so in the log.

    Raises:
        EncoderMismatchError: the generation in use belongs to another encoder.
        GenerationError: there is none, or none is sound.
    """
    chosen = current(data_dir)
    if chosen is None and not generations(data_dir):
        raise GenerationError("there is no index yet: run `python -m ingest sync`")
    candidates = [chosen] if chosen else []
    candidates += [folder for folder in generations(data_dir) if folder != chosen]
    faults = []
    for folder in candidates:
        try:
            generation = Generation.open(folder, encoder)
        except EncoderMismatchError:
            if folder == chosen:
                raise
            continue
        except GenerationError as error:
            log.error("generation_unusable", generation=folder.name, cause=str(error))
            faults.append(str(error))
            continue
        if folder != chosen:
            log.warning("fell_back_to_older_generation", wanted=chosen.name if chosen else None, using=folder.name)
        return generation
    raise GenerationError(f"no generation can be used ({'; '.join(faults)}): run `python -m ingest sync --rebuild`")


def _lines(path: Path) -> Iterable[str]:
    return (line for line in path.read_text(encoding="utf-8").split("\n") if line)


def vocabulary(passages: Iterable[Passage]) -> Counter[str]:
    """In how many of `passages`, with their question forms, each folded word stands."""
    counts: Counter[str] = Counter()
    for passage in passages:
        counts.update(set(words(fold(passage.searchable))))
    return counts


def write_lines(path: Path, items: Iterable[BaseModel]) -> None:
    """Write one JSON object a line."""
    path.write_text("".join(item.model_dump_json() + "\n" for item in items), encoding="utf-8")


def content_hash(parts: Iterable[object]) -> str:
    """A hash over `parts` that depends on their order and content."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps(part, ensure_ascii=False, sort_keys=True, default=str).encode())
        digest.update(b"\0")
    return digest.hexdigest()
