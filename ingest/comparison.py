"""What a sync would change against the generation in use, passage by passage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any, Literal

import yaml

from ingest.chunking import CHUNKER
from ingest.index import Inputs
from knowledge.encoders import Encoder
from knowledge.facts import Facts
from knowledge.generation import (
    FORMAT,
    GenerationError,
    current,
    read_documents,
    read_facts,
    read_manifest,
    read_passages,
)
from knowledge.models import Document, Passage

Change = Literal["added", "changed", "removed"]

_NOT_FIELDS = {"id", "body", "questions"}
"""What of a document is compared in a way of its own."""
_SENTENCE_END = re.compile(r"(?<=[.!?؟。]) +(?=\S)")


@dataclass(frozen=True)
class PassageChange:
    """A passage that is new, gone, or has another text or other headings; `diff` is a unified diff by sentences."""

    id: str
    change: Change
    path: tuple[str, ...]
    diff: tuple[str, ...]


@dataclass(frozen=True)
class DocumentChange:
    """What is other in a document: its front matter (before, after), question forms by language, passages."""

    id: str
    title: str
    change: Change
    fields: dict[str, tuple[Any, Any]]
    questions_added: dict[str, tuple[str, ...]]
    questions_removed: dict[str, tuple[str, ...]]
    passages: tuple[PassageChange, ...]


@dataclass(frozen=True)
class TableChange:
    """A fact table that is new, gone or other; `diff` is a unified diff of it as YAML."""

    name: str
    change: Change
    diff: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """All changes against `generation` (None: there is none in use). `rebuilt_for` names what besides documents and
    tables makes a sync build anew."""

    generation: str | None
    documents: tuple[DocumentChange, ...]
    tables: tuple[TableChange, ...]
    rebuilt_for: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.documents or self.tables or self.rebuilt_for)


def compare_with_current(data_dir: Path, inputs: Inputs, encoder: Encoder) -> Comparison:
    """Compare `inputs` with the generation in use.

    Raises:
        GenerationError: the generation in use cannot be read.
    """
    folder = current(data_dir)
    if folder is None:
        return Comparison(None, _documents({}, inputs, {}), _tables({}, _by_name(inputs.facts)), ())
    manifest = read_manifest(folder)
    try:
        before = {document.id: document for document in read_documents(folder)}
        passages = _by_document(read_passages(folder))
        facts = read_facts(folder)
    except (OSError, ValueError) as error:
        if manifest.format != FORMAT:
            raise GenerationError(
                f"the index {folder.name} has an older layout: run `python -m ingest sync`"
            ) from error
        raise GenerationError(f"the index {folder.name} is damaged: run `python -m ingest sync`") from error
    documents = _documents(before, inputs, passages)
    tables = _tables(_by_name(facts), _by_name(inputs.facts))
    reasons = {
        "layout of the index": manifest.format != FORMAT,
        "encoder": manifest.encoder != encoder.fingerprint,
        "chunker": manifest.chunker != CHUNKER,
    }
    rebuilt_for = [name for name, is_other in reasons.items() if is_other]
    if not (documents or tables or rebuilt_for) and manifest.content != inputs.content(encoder):
        rebuilt_for.append("examples of intents, or the order of documents")  # all else that goes into the hash
    return Comparison(folder.name, documents, tables, tuple(rebuilt_for))


def _by_document(passages: Iterable[Passage]) -> dict[str, list[Passage]]:
    found: dict[str, list[Passage]] = {}
    for passage in passages:
        found.setdefault(passage.document, []).append(passage)
    return found


def _documents(
    before: Mapping[str, Document], inputs: Inputs, passages: Mapping[str, list[Passage]]
) -> tuple[DocumentChange, ...]:
    now = {document.id: document for document in inputs.documents}
    cut_now = _by_document(inputs.passages())
    changes = []
    for id in sorted(before.keys() | now.keys()):
        old, new = before.get(id), now.get(id)
        moved = _passages(passages.get(id, []), cut_now.get(id, []))
        if old != new or moved:  # passages alone change with the chunker
            changes.append(_document(id, old, new, moved))
    return tuple(changes)


def _document(
    id: str, old: Document | None, new: Document | None, passages: tuple[PassageChange, ...]
) -> DocumentChange:
    there = new or old
    assert there is not None
    fields = {}
    if old is not None and new is not None:
        was, becomes = (each.model_dump(mode="json", exclude=_NOT_FIELDS) for each in (old, new))
        fields = {name: (was[name], becomes[name]) for name in becomes if was[name] != becomes[name]}
    before, after = (each.questions if each is not None else {} for each in (old, new))
    return DocumentChange(
        id=id,
        title=there.title,
        change=_change(old, new),
        fields=fields,
        questions_added=_only_in(after, before),
        questions_removed=_only_in(before, after),
        passages=passages,
    )


def _change(old: object | None, new: object | None) -> Change:
    return "added" if old is None else "removed" if new is None else "changed"


def _only_in(one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    found = {code: tuple(form for form in forms if form not in other.get(code, ())) for code, forms in one.items()}
    return {code: forms for code, forms in found.items() if forms}


def _passages(before: list[Passage], now: list[Passage]) -> tuple[PassageChange, ...]:
    old, new = ({passage.id: passage for passage in passages} for passages in (before, now))
    changes = []
    for id in dict.fromkeys([*(passage.id for passage in now), *(passage.id for passage in before)]):
        was, becomes = old.get(id), new.get(id)
        there = becomes or was
        assert there is not None
        text = "" if was is None else was.standing_alone
        if becomes is None or becomes.standing_alone != text:
            lines = _diff(_sentences(text), _sentences(becomes.standing_alone if becomes else ""))
            changes.append(PassageChange(id, _change(was, becomes), there.path, lines))
    return tuple(changes)


def _sentences(text: str) -> list[str]:
    """The text with a line for each sentence: a paragraph is one long line, in which nobody finds a changed word."""
    return [sentence for line in text.splitlines() for sentence in _SENTENCE_END.split(line)]


def _diff(before: list[str], now: list[str]) -> tuple[str, ...]:
    lines = unified_diff(before, now, lineterm="", n=1)
    return tuple(lines)[2:]  # without the names of the two files


def _by_name(facts: Facts) -> dict[str, Any]:
    """Each table by its name below the folder of facts, as plain data."""
    tables: dict[str, Any] = {}
    for name, value in facts.model_dump(mode="json").items():
        items = value if isinstance(value, list) else []
        ids = [item.get("id") or item.get("iso") for item in items]
        if name == "categories" or not (ids and all(ids)):
            tables[name] = value
        else:
            tables |= {f"{name}/{id}": item for id, item in zip(ids, items, strict=True)}
    return tables


def _tables(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[TableChange, ...]:
    return tuple(
        TableChange(name, _change(before.get(name), now.get(name)), _diff(_yaml(before, name), _yaml(now, name)))
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    )


def _yaml(tables: Mapping[str, Any], name: str) -> list[str]:
    if name not in tables:
        return []
    return yaml.dump(tables[name], Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=100).splitlines()
