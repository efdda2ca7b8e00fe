"""Documents to an immutable index generation, and the switch to it.

A build happens in a hidden folder that is renamed when it is whole; `CURRENT` is then replaced in one
atomic step. A crash at any moment leaves the old generation serving, and the next run clears the rest away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from ingest.chunking import CHUNKER, cut
from ingest.vectors import VectorCache
from knowledge.delta import Delta, read_deltas, write_deltas
from knowledge.encoders import Encoder, Fingerprint, Vectors
from knowledge.facts import Facts
from knowledge.generation import (
    FORMAT,
    FORMS,
    HASHED_FILES,
    PASSAGES,
    GenerationError,
    Manifest,
    content_hash,
    current,
    form_id,
    generations,
    open_chroma,
    read_documents,
    read_facts,
    read_manifest,
    read_passages,
    read_vocabulary,
    replace_file,
    sha256,
    verify,
    vocabulary,
    write_lines,
    write_vocabulary,
)
from knowledge.intents import Intent
from knowledge.lexical import write_index
from knowledge.models import Document, Passage

KEPT_GENERATIONS = 5
CHROMA_BATCH = 1_000
MOST_BESIDE = 3_000
"""Vectors that may lie beside Chroma before they are written into it: multiplying them takes a millisecond."""

MOST_CHANGED = 1 / 3
"""Share of the passages that may change before vectors are written anew: many changes in place make the graph poor."""

Progress = Callable[[str, int, int], None]
"""Called with a step's name, how much of it is done, and how much there is."""


class BusyError(Exception):
    """Another process is writing the index."""

    reason = "busy"


@dataclass(frozen=True)
class Difference:
    """What a sync would change: ids of documents, and names of fact tables."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    to_encode: int
    facts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.facts)


@dataclass(frozen=True)
class Inputs:
    """All that goes into a generation."""

    documents: Sequence[Document]
    intents: Sequence[Intent]
    facts: Facts

    def passages(self, earlier: Earlier | None = None) -> list[Passage]:
        """The passages of all documents, in order; those of documents that `earlier` has need not be cut."""
        known = earlier.passages_of if earlier else {}
        passages: list[Passage] = []
        for document in self.documents:
            unchanged = earlier is not None and earlier.documents.get(document.id) == document
            passages += known[document.id] if unchanged else cut(document)
        return passages

    def intents_hash(self) -> str:
        """A hash over the example utterances."""
        return content_hash(intent.model_dump() for intent in self.intents)

    def content(self, encoder: Encoder) -> str:
        """A hash over the inputs, the encoder and the chunker: equal means an equal generation."""
        return content_hash(
            [
                FORMAT,
                CHUNKER,
                encoder.fingerprint.model_dump(),
                *(d.model_dump(mode="json") for d in self.documents),
                *(i.model_dump() for i in self.intents),
                self.facts.model_dump_json(),
            ]
        )


@dataclass(frozen=True)
class Earlier:
    """A generation that the next one can be built on: what did not change is taken from it."""

    folder: Path
    manifest: Manifest
    documents: dict[str, Document]
    passages: list[Passage]
    words: dict[str, int]
    passages_of: dict[str, list[Passage]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for passage in self.passages:
            self.passages_of.setdefault(passage.document, []).append(passage)

    @classmethod
    def read(cls, folder: Path | None, encoder: Fingerprint) -> Earlier | None:
        """The generation in `folder`, or None when nothing can be taken from it."""
        if folder is None:
            return None
        try:
            manifest = verify(folder)
            if manifest.encoder != encoder or manifest.chunker != CHUNKER:
                return None
            documents = {document.id: document for document in read_documents(folder)}
            return cls(folder, manifest, documents, read_passages(folder), read_vocabulary(folder))
        except (GenerationError, OSError, ValueError):
            return None


@contextmanager
def writing(data_dir: Path, wait: float = 0) -> Iterator[None]:
    """Hold the one writer's lock of `data_dir`, waiting for it at most `wait` seconds.

    Raises:
        BusyError: another process holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data_dir / "ingest.lock")
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise BusyError(f"another ingest is writing {data_dir}; try again when it has finished") from error
    try:
        yield
    finally:
        lock.release()


def difference(data_dir: Path, inputs: Inputs, encoder: Encoder) -> Difference:
    """Compare `inputs` with the generation in use."""
    before: dict[str, Document]
    folder = current(data_dir)
    try:
        before = {document.id: document for document in read_documents(folder)} if folder else {}
    except (OSError, ValueError):
        before = {}
    now = {document.id: document for document in inputs.documents}
    with VectorCache(data_dir, encoder.fingerprint) as cache:
        passages = inputs.passages()
        to_encode = len(cache.missing([p.standing_alone for p in passages], "passage"))
        to_encode += len(cache.missing(_question_forms(passages, inputs.intents), "query"))
    return Difference(
        added=tuple(sorted(now.keys() - before.keys())),
        changed=tuple(sorted(id for id in now.keys() & before.keys() if now[id] != before[id])),
        removed=tuple(sorted(before.keys() - now.keys())),
        to_encode=to_encode,
        facts=_changed_facts(folder, inputs.facts),
    )


def _changed_facts(folder: Path | None, facts: Facts) -> tuple[str, ...]:
    """Names of the tables that are not as in the generation in `folder`; those that are gone stand last."""
    try:
        before = read_facts(folder) if folder else None
    except (OSError, ValueError):
        before = None
    known, now = _tables(before) if before else {}, _tables(facts)
    return tuple(name for name in now | known if known.get(name) != now.get(name))


def _tables(facts: Facts) -> dict[str, object]:
    tables: dict[str, object] = {"categories": facts.categories, "everywhere": facts.everywhere, "fx": facts.fx}
    tables |= {"recourse": facts.recourse, "choosing": facts.choosing, "routes": facts.routes}
    tables |= {f"platforms/{each.id}": each for each in facts.platforms}
    tables |= {f"payments/{each.id}": each for each in facts.payments}
    tables |= {f"disputes/{each.id}": each for each in facts.disputes}
    tables |= {f"countries/{each.iso}": each for each in facts.countries}
    return tables | {f"destinations/{each.iso}": each for each in facts.destinations}


def is_current(data_dir: Path, inputs: Inputs, encoder: Encoder) -> bool:
    """True when the generation in use was built from just these inputs with this encoder."""
    folder = current(data_dir)
    try:
        return folder is not None and read_manifest(folder).content == inputs.content(encoder)
    except GenerationError:
        return False


def build(
    data_dir: Path,
    inputs: Inputs,
    encoder: Encoder,
    progress: Progress = lambda *_: None,
    *,
    model_name: str,
    afresh: bool = False,
) -> Manifest:
    """Build a generation from `inputs`, switch to it, and clear old ones away. Call inside `writing`.

    What has not changed since the generation in use is taken from there, unless `afresh`. Returns the manifest of the
    new generation.

    Raises:
        GenerationError: `inputs` has no document.
    """
    if not inputs.documents:
        raise GenerationError("there is no valid document; the index stays as it is")
    root = data_dir / "generations"
    root.mkdir(parents=True, exist_ok=True)
    _clear_unfinished(root)
    content = inputs.content(encoder)
    created = datetime.now(UTC)
    name = f"{created:%Y%m%dT%H%M%S%fZ}-{content[:8]}"
    folder = root / f".building-{name}"
    folder.mkdir()
    earlier = None if afresh else Earlier.read(current(data_dir), encoder.fingerprint)
    passages = inputs.passages(earlier)
    change = _Change.between(earlier.passages if earlier else (), passages)
    stored = _write_vectors(folder, data_dir, passages, change, earlier, inputs, encoder, progress)
    write_lines(folder / "documents.jsonl", inputs.documents)
    write_lines(folder / "passages.jsonl", passages)
    (folder / "facts.json").write_text(inputs.facts.model_dump_json(), encoding="utf-8")
    counts = vocabulary(change.written)
    if earlier is not None:
        counts.update(earlier.words)
        counts.subtract(vocabulary(change.gone))
    write_vocabulary(folder, counts)
    texts = [passage.searchable for passage in passages]
    write_index(folder / "lexical", texts, earlier.folder / "lexical" if earlier else None)
    manifest = Manifest(
        name=name,
        created=created,
        format=FORMAT,
        embedding_model=model_name,
        encoder=encoder.fingerprint,
        chunker=CHUNKER,
        intents=inputs.intents_hash(),
        content=content,
        documents=len(inputs.documents),
        passages=len(passages),
        vectors=len(passages) + sum(len(passage.questions) for passage in passages),
        stored=stored,
        files={file: sha256(folder / file) for file in HASHED_FILES},
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    _sync_to_disk(folder)
    folder.rename(root / name)
    switch(data_dir, name)
    clear_unused(data_dir)
    return manifest


def switch(data_dir: Path, name: str) -> None:
    """Make the generation `name` the one in use, in one atomic step."""
    replace_file(data_dir / "CURRENT", name + "\n")


@dataclass(frozen=True)
class _Change:
    """Passages that are new or other than before (`written`), and those before that are not the same now (`gone`)."""

    written: list[Passage]
    gone: list[Passage]

    @classmethod
    def between(cls, before: Sequence[Passage], now: Sequence[Passage]) -> _Change:
        known = {passage.id: passage for passage in before}
        ids = {passage.id: passage for passage in now}
        return cls(
            written=[passage for passage in now if not _is_same(known.get(passage.id), passage)],
            gone=[passage for passage in before if not _is_same(ids.get(passage.id), passage)],
        )


def _is_same(one: Passage | None, other: Passage) -> bool:
    return one is not None and one.standing_alone == other.standing_alone and one.questions == other.questions


def _write_vectors(
    folder: Path,
    data_dir: Path,
    passages: Sequence[Passage],
    change: _Change,
    earlier: Earlier | None,
    inputs: Inputs,
    encoder: Encoder,
    progress: Progress,
) -> int:
    if earlier is not None and earlier.manifest.intents == inputs.intents_hash():
        shutil.copyfile(earlier.folder / "intents.npz", folder / "intents.npz")
        intents: Sequence[Intent] = ()
    else:
        intents = inputs.intents
    if earlier is not None and len(change.written) + len(change.gone) > MOST_CHANGED * len(earlier.passages):
        earlier = None
    written = passages if earlier is None else change.written
    texts = [passage.standing_alone for passage in written]
    forms = [form for passage in written for form in passage.questions]
    examples = [(intent.name, example) for intent in intents for example in intent.all_examples]
    with VectorCache(data_dir, encoder.fingerprint) as cache:
        text_vectors, form_vectors, intent_vectors = cache.encode_all(
            encoder,
            [(texts, "passage"), (forms, "query"), ([example for _, example in examples], "query")],
            progress,
        )
    if intents:
        names = np.array([name for name, _ in examples], dtype="U40")
        np.savez(folder / "intents.npz", names=names, vectors=intent_vectors.astype(np.float16))
    return _store(folder, change, earlier, written, (text_vectors, form_vectors), progress)


def _store(
    folder: Path,
    change: _Change,
    earlier: Earlier | None,
    written: Sequence[Passage],
    vectors: tuple[Vectors, Vectors],
    progress: Progress,
) -> int:
    """Keep the vectors of `written`; returns how many are in Chroma.

    A small change is laid beside a copy of the earlier Chroma; one that has grown large is written into the copy.
    """
    rows = {PASSAGES: [passage.id for passage in written], FORMS: _form_ids(written)}
    gone = {PASSAGES: [passage.id for passage in change.gone], FORMS: _form_ids(change.gone)}
    new = dict(zip((PASSAGES, FORMS), vectors, strict=True))
    deltas = {name: Delta.empty(vectors[0].shape[1]) for name in rows}
    if earlier is not None:
        shutil.copytree(earlier.folder / "chroma", folder / "chroma")
        before = read_deltas(earlier.folder / "delta.npz", rows)
        grown = {name: before[name].then(gone[name], rows[name], new[name]) for name in rows}
        if sum(map(len, grown.values())) <= MOST_BESIDE:
            write_deltas(folder / "delta.npz", grown)
            progress("indexing", len(written), len(written))
            return earlier.manifest.stored
        gone = {name: sorted(delta.gone) for name, delta in grown.items()}
        rows = {name: list(delta.ids) for name, delta in grown.items()}
        new = {name: delta.vectors for name, delta in grown.items()}
    stored = 0
    client = open_chroma(folder / "chroma")
    for name in rows:
        collection = _collection(client, name, is_new=earlier is None)
        if earlier is not None:
            _delete(collection, gone[name])
        _add(collection, name, rows[name], new[name], progress)
        stored += collection.count()
    client.close()
    write_deltas(folder / "delta.npz", deltas)
    return stored


def _form_ids(passages: Sequence[Passage]) -> list[str]:
    return [form_id(passage.id, number) for passage in passages for number in range(len(passage.questions))]


def _collection(client: Any, name: str, *, is_new: bool) -> Any:
    if not is_new:
        return client.get_collection(name, embedding_function=None)
    hnsw = {"space": "cosine", "ef_construction": 200, "ef_search": 300}
    return client.create_collection(name, embedding_function=None, configuration={"hnsw": hnsw})


def _delete(collection: Any, rows: Sequence[str]) -> None:
    for start in range(0, len(rows), CHROMA_BATCH):
        collection.delete(ids=list(rows[start : start + CHROMA_BATCH]))


def _add(collection: Any, name: str, rows: Sequence[str], vectors: Vectors, progress: Progress) -> None:
    for start in range(0, len(rows), CHROMA_BATCH):
        chunk = slice(start, start + CHROMA_BATCH)
        collection.add(ids=list(rows[chunk]), embeddings=vectors[chunk])
        progress(f"indexing {name}", min(start + CHROMA_BATCH, len(rows)), len(rows))


def _question_forms(passages: Sequence[Passage], intents: Sequence[Intent]) -> list[str]:
    forms = [form for passage in passages for form in passage.questions]
    return forms + [example for intent in intents for example in intent.all_examples]


def _sync_to_disk(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _clear_unfinished(root: Path) -> None:
    for leftover in root.glob(".building-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def clear_unused(data_dir: Path) -> None:
    """Remove generations beyond the newest few and the one in use."""
    in_use = current(data_dir)
    for folder in generations(data_dir)[KEPT_GENERATIONS:]:
        if folder != in_use:
            shutil.rmtree(folder, ignore_errors=True)
