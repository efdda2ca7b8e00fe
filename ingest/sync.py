"""Bring the index in line with the documents, the steps of `python -m ingest sync` without its printing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ingest.index import Difference, Inputs, Progress, build, difference, is_current, writing
from ingest.vectors import SHIPPED, VectorCache, write_shipped
from knowledge.documents import Problem, load_documents
from knowledge.encoders import Encoder, Role
from knowledge.facts import load_facts
from knowledge.generation import Generation, GenerationError, Manifest, current
from knowledge.intents import load_intents
from knowledge.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """What a sync did: the new generation, or None when nothing had to change."""

    manifest: Manifest | None
    changes: Difference
    problems: list[Problem] = field(default_factory=list)


def read_inputs(settings: Settings) -> tuple[Inputs, list[Problem]]:
    """All valid documents with their references written out, the intents and the fact tables; and the problems of
    the documents left out.

    Raises:
        FactsError: a fact table is not valid; without them no document can be trusted.
    """
    facts = load_facts(settings.facts_dir)
    documents, problems = load_documents(settings.documents_dir, facts)
    return Inputs(documents, load_intents(), facts), problems


def sync(
    settings: Settings, encoder: Encoder, progress: Progress = lambda *_: None, *, rebuild: bool = False
) -> Outcome:
    """Build a new generation when the documents, the encoder or the chunker changed, and switch to it.

    Faulty documents are left out and reported; the rest is ingested. With `rebuild` a generation is built
    even when nothing changed. A generation in use that turns out damaged is replaced.

    Raises:
        BusyError: another ingest is at work.
        GenerationError: not one document is valid.
    """
    inputs, problems = read_inputs(settings)
    with writing(settings.data_dir):
        changes = difference(settings.data_dir, inputs, encoder)
        if not rebuild and is_current(settings.data_dir, inputs, encoder) and _is_sound(settings.data_dir, encoder):
            return Outcome(None, changes, problems)
        manifest = build(settings.data_dir, inputs, encoder, progress, model_name=settings.embedding_model)
        return Outcome(manifest, changes, problems)


def _is_sound(data_dir: Path, encoder: Encoder) -> bool:
    folder = current(data_dir)
    try:
        if folder is None:
            return False
        Generation.open(folder, encoder.fingerprint).close()
    except GenerationError:
        return False
    return True


def ship_vectors(settings: Settings, encoder: Encoder, shipped: Path = SHIPPED) -> list[Path]:
    """Write the vectors of the documents in the repository to `knowledge/vectors/`, a file a topic.

    They save whoever installs Tradewind the minutes of encoding. Files of topics that are gone are removed.
    """
    inputs, _ = read_inputs(settings)
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
