"""Documents to an immutable index generation, and the switch to it.

A build happens in a hidden folder that is renamed when it is whole; `CURRENT` is then replaced in one
atomic step. A crash at any moment leaves the old generation serving, and the next run clears the rest away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from ingest.chunking import CHUNKER, cut
from ingest.vectors import VectorCache
from knowledge.encoders import Encoder, Vectors
from knowledge.facts import Facts
from knowledge.generation import (
    FORMS,
    HASHED_FILES,
    PASSAGES,
    GenerationError,
    Manifest,
    content_hash,
    current,
    generations,
    open_chroma,
    read_manifest,
    sha256,
    vocabulary,
    write_lines,
)
from knowledge.intents import Intent
from knowledge.lexical import LexicalIndex
from knowledge.models import Document, Passage

FORMAT = 3
"""The layout of a generation; change it when what is written changes, and indexes are built anew."""

KEPT_GENERATIONS = 3
CHROMA_BATCH = 1_000
Progress = Callable[[str, int, int], None]
"""Called with a step's name, how much of it is done, and how much there is."""


class BusyError(Exception):
    """Another process is writing the index."""


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

    def passages(self) -> list[Passage]:
        """The passages of all documents, in order."""
        return [passage for document in self.documents for passage in cut(document)]

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


@contextmanager
def writing(data_dir: Path) -> Iterator[None]:
    """Hold the one writer's lock of `data_dir`.

    Raises:
        BusyError: another process holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data_dir / "ingest.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BusyError(f"another ingest is writing {data_dir}; try again when it has finished") from error
    try:
        yield
    finally:
        lock.release()


def difference(data_dir: Path, inputs: Inputs, encoder: Encoder) -> Difference:
    """Compare `inputs` with the generation in use."""
    before: dict[str, str] = {}
    folder = current(data_dir)
    if folder is not None and (folder / "documents.jsonl").is_file():
        for line in (folder / "documents.jsonl").read_text(encoding="utf-8").splitlines():
            document = Document.model_validate_json(line)
            before[document.id] = document.model_dump_json()
    now = {document.id: document.model_dump_json() for document in inputs.documents}
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
    """Ids of the platforms, services and countries whose table is not as in the generation in `folder`."""
    try:
        before = Facts.model_validate_json((folder / "facts.json").read_text(encoding="utf-8")) if folder else None
    except (OSError, ValueError):
        before = None
    known = _tables(before) if before else {}
    return tuple(name for name, table in _tables(facts).items() if known.get(name) != table)


def _tables(facts: Facts) -> dict[str, object]:
    tables: dict[str, object] = {"categories": facts.categories, "everywhere": facts.everywhere, "fx": facts.fx}
    tables |= {f"platforms/{each.id}": each for each in facts.platforms}
    tables |= {f"payments/{each.id}": each for each in facts.payments}
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
    data_dir: Path, inputs: Inputs, encoder: Encoder, progress: Progress = lambda *_: None, *, model_name: str
) -> Manifest:
    """Build a generation from `inputs`, switch to it, and clear old ones away. Call inside `writing`.

    Returns the manifest of the new generation, which is then in use.
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
    passages = inputs.passages()
    vectors = _write_vectors(folder, data_dir, passages, inputs.intents, encoder, progress)
    write_lines(folder / "documents.jsonl", inputs.documents)
    write_lines(folder / "passages.jsonl", passages)
    (folder / "facts.json").write_text(inputs.facts.model_dump_json(), encoding="utf-8")
    (folder / "vocabulary.txt").write_text("\n".join(vocabulary(passages)), encoding="utf-8")
    LexicalIndex.build([_lexical_text(passage) for passage in passages]).save(folder / "lexical")
    manifest = Manifest(
        name=name,
        created=created,
        embedding_model=model_name,
        encoder=encoder.fingerprint,
        chunker=CHUNKER,
        content=content,
        documents=len(inputs.documents),
        passages=len(passages),
        vectors=vectors,
        files={file: sha256(folder / file) for file in HASHED_FILES},
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    _sync_to_disk(folder)
    folder.rename(root / name)
    switch(data_dir, name)
    _clear_old(data_dir)
    return manifest


def switch(data_dir: Path, name: str) -> None:
    """Make the generation `name` the one in use, in one atomic step."""
    pointer = data_dir / "CURRENT"
    fresh = data_dir / ".CURRENT.new"
    with fresh.open("w", encoding="utf-8") as file:
        file.write(name + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(pointer)


def _write_vectors(
    folder: Path,
    data_dir: Path,
    passages: Sequence[Passage],
    intents: Sequence[Intent],
    encoder: Encoder,
    progress: Progress,
) -> int:
    texts = [passage.standing_alone for passage in passages]
    forms = [form for passage in passages for form in passage.questions]
    examples = [(intent.name, example) for intent in intents for example in intent.all_examples]
    with VectorCache(data_dir, encoder.fingerprint) as cache:
        todo = len(cache.missing(texts, "passage")) + len(cache.missing(_question_forms(passages, intents), "query"))
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress("encoding", done, todo)

        progress("encoding", 0, todo)
        text_vectors = cache.encode(encoder, texts, "passage", advance)
        form_vectors = cache.encode(encoder, forms, "query", advance)
        intent_vectors = cache.encode(encoder, [example for _, example in examples], "query", advance)
    np.savez(
        folder / "intents.npz",
        names=np.array([name for name, _ in examples], dtype="U40"),
        vectors=intent_vectors.astype(np.float16),
    )
    form_rows = [f"{row}.{n}" for row, passage in enumerate(passages) for n in range(len(passage.questions))]
    client = open_chroma(folder / "chroma")
    _write_collection(client, PASSAGES, [str(row) for row in range(len(passages))], text_vectors, progress)
    _write_collection(client, FORMS, form_rows, form_vectors, progress)
    client.close()
    return len(passages) + len(form_rows)


def _write_collection(client: Any, name: str, rows: Sequence[str], vectors: Vectors, progress: Progress) -> None:
    hnsw = {"space": "cosine", "ef_construction": 200, "ef_search": 300}
    collection = client.create_collection(name, embedding_function=None, configuration={"hnsw": hnsw})
    for start in range(0, len(rows), CHROMA_BATCH):
        chunk = slice(start, start + CHROMA_BATCH)
        collection.add(ids=list(rows[chunk]), embeddings=vectors[chunk])
        progress(f"indexing {name}", min(start + CHROMA_BATCH, len(rows)), len(rows))


def _question_forms(passages: Sequence[Passage], intents: Sequence[Intent]) -> list[str]:
    forms = [form for passage in passages for form in passage.questions]
    return forms + [example for intent in intents for example in intent.all_examples]


def _lexical_text(passage: Passage) -> str:
    return "\n".join((passage.standing_alone, *passage.questions))


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


def _clear_old(data_dir: Path) -> None:
    in_use = current(data_dir)
    for folder in generations(data_dir)[KEPT_GENERATIONS:]:
        if folder != in_use:
            shutil.rmtree(folder, ignore_errors=True)
