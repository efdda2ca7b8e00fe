"""Bring the index in line with the documents, the steps of `python -m ingest sync` without its printing."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from ingest.catalogue import published_documents
from ingest.index import Difference, Inputs, Progress, build, difference, is_current, writing
from ingest.inputs import read_inputs
from ingest.publishing import heal, release
from ingest.vectors import SHIPPED, VectorCache, write_shipped
from knowledge.documents import Problem, load_documents
from knowledge.encoders import Encoder, Role
from knowledge.facts import load_facts
from knowledge.generation import GenerationError, Manifest, current, replace_file, verify
from knowledge.intents import INTENTS, load_intents
from knowledge.settings import ROOT, Settings

NO_CHANGE = Difference((), (), (), 0)


@dataclass(frozen=True)
class Outcome:
    """What a sync did: the new generation, or None when nothing had to change."""

    manifest: Manifest | None
    changes: Difference
    problems: list[Problem] = field(default_factory=list)


def sync(
    settings: Settings, encoder: Encoder, progress: Progress = lambda *_: None, *, rebuild: bool = False
) -> Outcome:
    """Build a new generation when the documents, the encoder or the chunker changed, and switch to it.

    Faulty documents are left out and reported; the rest is ingested. With `rebuild` a generation is built from
    nothing even when nothing changed. A generation in use that turns out damaged is replaced. A hold that a
    rollback left ends.

    Raises:
        BusyError: another ingest is at work.
        GenerationError: not one document is valid.
        DatabaseError: the catalogue cannot be read.
    """
    heal(settings)
    with writing(settings.data_dir):
        release(settings.data_dir)
        sources = _digest(settings, encoder)
        is_sound = not rebuild and _is_sound(settings.data_dir)
        if is_sound and _synced(settings.data_dir) == sources:
            return Outcome(None, NO_CHANGE)
        inputs, problems = read_inputs(settings)
        manifest, changes = None, NO_CHANGE
        if not is_sound or not is_current(settings.data_dir, inputs, encoder):
            changes = difference(settings.data_dir, inputs, encoder)
            name = settings.embedding_model
            manifest = build(settings.data_dir, inputs, encoder, progress, model_name=name, afresh=rebuild)
        if not problems:  # else they are to be named again by the next sync
            folder = current(settings.data_dir)
            replace_file(settings.data_dir / "SYNCED", f"{folder.name if folder else ''} {sources}\n")
        return Outcome(manifest, changes, problems)


def _digest(settings: Settings, encoder: Encoder) -> str:
    """A hash over all that a generation is made from, as it lies on the disk, and over the code that reads it.

    Hashing the files takes a hundredth of the time that reading their YAML does.
    """
    digest = hashlib.sha256(encoder.fingerprint.model_dump_json().encode())
    code = (ROOT / "knowledge", "*.py"), (ROOT / "ingest", "*.py")
    for folder, pattern in (
        (settings.documents_dir, "*.md"),
        (settings.facts_dir, "*.yaml"),
        (INTENTS, "*.yaml"),
        *code,
    ):
        for path in sorted(folder.rglob(pattern)):
            with contextlib.suppress(OSError):
                digest.update(f"{path}\0".encode("utf-8", "replace") + hashlib.sha256(path.read_bytes()).digest())
    for document in published_documents(settings):
        digest.update(document.model_dump_json().encode("utf-8", "replace"))
    return digest.hexdigest()


def _synced(data_dir: Path) -> str | None:
    """The digest of what the generation in use was made from; None when it is not known."""
    folder = current(data_dir)
    try:
        name, digest = (data_dir / "SYNCED").read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        return None
    return digest if folder is not None and name == folder.name else None


def _is_sound(data_dir: Path) -> bool:
    folder = current(data_dir)
    try:
        return folder is not None and bool(verify(folder))
    except GenerationError:
        return False


def ship_vectors(settings: Settings, encoder: Encoder, shipped: Path = SHIPPED) -> list[Path]:
    """Write the vectors of the documents in the repository to `knowledge/vectors/`, a file a topic.

    They save whoever installs Tradewind the minutes of encoding. Files of topics that are gone are removed.
    """
    facts = load_facts(settings.facts_dir)
    inputs = Inputs(load_documents(settings.documents_dir, facts)[0], load_intents(), facts)
    folder = shipped / encoder.fingerprint.key
    topics: dict[str, list[tuple[str, Role]]] = {}
    documents = {document.id: document for document in inputs.documents}
    for passage in inputs.passages():
        texts = topics.setdefault(documents[passage.document].topic.value, [])
        texts.append((passage.standing_alone, "passage"))
        texts += [(form, "query") for form in passage.questions]
    topics["intents"] = [(example, "query") for intent in inputs.intents for example in intent.all_examples]
    with VectorCache(settings.data_dir, encoder.fingerprint) as cache:
        for texts in topics.values():
            for role in ("passage", "query"):
                cache.encode(encoder, [text for text, of in texts if of == role], role)
        written = [write_shipped(folder, name, texts, cache) for name, texts in sorted(topics.items()) if texts]
    for old in set(folder.glob("*.npz")) - set(written):
        old.unlink()
    return written
