"""Publish, retract, roll back: change what is in force, and bring the index in line with it.

What is in force stands in the catalogue; a crash between the two leaves the generation before serving, and the next
run of any of these heals. What is withdrawn is named in `DATA_DIR/WITHDRAWN` at once, and is not shown from then on,
whatever the generation in use holds. A rollback holds the index: until the next `sync` nothing else moves it.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingest.catalogue import Catalogue, Version, exists
from ingest.index import Inputs, Progress, build, is_current, switch, writing
from ingest.inputs import read_inputs, with_agencies
from knowledge.encoders import Encoder
from knowledge.generation import (
    GenerationError,
    Manifest,
    current,
    generations,
    read_documents,
    read_facts,
    replace_file,
    verify,
)
from knowledge.intents import load_intents
from knowledge.settings import Settings

LEFTOVER_SECONDS = 3600
"""No file takes longer than this to be received and read."""

WAIT_SECONDS = 120
"""How long a publication waits for another ingest to end: a sync that has much to encode takes minutes."""


@dataclass(frozen=True)
class Published:
    """What came of a publication: the version, and the generation that holds it (None: held back by a rollback)."""

    version: Version
    manifest: Manifest | None


def publish(
    settings: Settings, catalogue: Catalogue, encoder: Encoder, version: int, *, actor: str, wait: float = WAIT_SECONDS
) -> Published:
    """Put a draft in force and build the generation that holds it.

    Raises:
        CatalogueError: the version is no draft, or has expired.
        BusyError: another ingest did not end in time; what was published comes with the next build.
    """
    done = catalogue.publish(version, actor=actor)
    return Published(done, bring_in_line(settings, catalogue, encoder, wait=wait))


def retract(settings: Settings, catalogue: Catalogue, document: str, *, actor: str) -> Version:
    """Take a document back. It is not shown from now on; the next build leaves it out.

    Raises:
        CatalogueError: nothing of it is published.
    """
    done = catalogue.withdraw(document, actor=actor)
    mark_withdrawn(settings.data_dir, catalogue)
    return done


def rollback(settings: Settings, catalogue: Catalogue, name: str | None = None, *, actor: str) -> Manifest:
    """Switch to the kept generation `name`, or to the newest before the one in use, and hold the index there.

    Raises:
        GenerationError: there is no such generation, or it is not sound.
        BusyError: another ingest is at work.
    """
    with writing(settings.data_dir):
        manifest = verify(_earlier_generation(settings.data_dir, name))
        mark_withdrawn(settings.data_dir, catalogue)
        # First the hold, then the switch: a hold that names another generation than the one in use counts for nothing.
        replace_file(settings.data_dir / "HELD", manifest.name + "\n")
        switch(settings.data_dir, manifest.name)
        catalogue.audit(actor, "rolled-back", manifest.name)
        return manifest


def _earlier_generation(data_dir: Path, name: str | None) -> Path:
    in_use, kept = current(data_dir), generations(data_dir)
    if name is not None:
        found = next((folder for folder in kept if folder.name == name), None)
    else:
        found = next((folder for folder in kept if in_use is None or folder.name < in_use.name), None)
    if found is None:
        names = ", ".join(folder.name for folder in kept) or "none"
        raise GenerationError(f"there is no {name or 'earlier generation'} to go back to (kept: {names})")
    return found


def is_held(data_dir: Path) -> bool:
    """True when a rollback holds the index where it is."""
    in_use = current(data_dir)
    try:
        return in_use is not None and (data_dir / "HELD").read_text(encoding="utf-8").strip() == in_use.name
    except OSError:
        return False


def release(data_dir: Path) -> None:
    """End the hold that a rollback left, if any."""
    (data_dir / "HELD").unlink(missing_ok=True)


def mark_withdrawn(data_dir: Path, catalogue: Catalogue) -> None:
    """Write down which documents no generation may show any more."""
    data_dir.mkdir(parents=True, exist_ok=True)
    replace_file(data_dir / "WITHDRAWN", "\n".join(catalogue.out_of_force()) + "\n")


def bring_in_line(
    settings: Settings,
    catalogue: Catalogue,
    encoder: Encoder,
    progress: Progress = lambda *_: None,
    *,
    wait: float = 0,
) -> Manifest | None:
    """Build a generation from the documents of the one in use and what agencies have in force now.

    Our own documents and the fact tables are taken from the generation, not from their folders: an agency that
    publishes must not bring a maintainer's half-done edits with it. Returns None when nothing had to change or the
    index is held.

    Raises:
        BusyError: another ingest did not end within `wait` seconds.
    """
    with writing(settings.data_dir, wait):
        manifest = None
        if not is_held(settings.data_dir):
            inputs = _inputs(settings, catalogue)
            if not is_current(settings.data_dir, inputs, encoder):
                name = settings.embedding_model
                manifest = build(settings.data_dir, inputs, encoder, progress, model_name=name)
        mark_withdrawn(settings.data_dir, catalogue)
        return manifest


def _inputs(settings: Settings, catalogue: Catalogue) -> Inputs:
    folder = current(settings.data_dir)
    try:
        if folder is None:
            return read_inputs(settings)[0]
        ours = [document for document in read_documents(folder) if document.agency is None]
        facts = read_facts(folder)
    except (OSError, ValueError):  # damaged, or of an older layout: begin anew
        return read_inputs(settings)[0]
    documents, _ = with_agencies(ours, catalogue.published())
    return Inputs(documents, load_intents(), facts)


def heal(settings: Settings) -> None:
    """Make up for runs that were cut off: files half received, and a list of what is withdrawn that lags behind."""
    for leftover in (settings.data_dir / "uploads").glob(".*"):
        if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    if not exists(settings):
        return
    with Catalogue.open(settings) as catalogue:
        catalogue.expire(datetime.now(UTC).date())
        mark_withdrawn(settings.data_dir, catalogue)
