"""kill -9 at random moments of everything that writes: the bot always answers from a whole generation."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.catalogue import Catalogue, State
from ingest.sync import sync
from knowledge.active import ActiveIndex
from knowledge.encoders import Encoder
from knowledge.generation import current, generations, sha256, verify
from knowledge.settings import ROOT, Settings
from tests.integration.test_ingest import add_document, run

KILLS = 20
GUIDE = "# Zorba permit number {n}\n\n## Fee\nThe Zorba permit number {n} costs KES {fee} at desk {n}.\n"


def test_twenty_kills_lose_nothing_and_leave_nothing_half_done(
    small_settings: Settings, encoder: Encoder, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {
        **clean_environment,
        "DATA_DIR": str(small_settings.data_dir),
        "DOCUMENTS_DIR": str(small_settings.documents_dir),
    }
    sync(small_settings, encoder)
    with Catalogue.open(small_settings) as catalogue:
        agency = catalogue.add_agency("Zorba", ["KE"], ["en"], "desk 1", "https://example.org", actor="cli").id
    for number in range(3):
        assert add(tmp_path, number, agency, environment).returncode == 0
    index = ActiveIndex(small_settings.data_dir, encoder)
    chance = random.Random(4)
    for number in range(KILLS):
        command = ("add", "publish", "sync", "rollback")[number % 4]
        if command == "sync":
            add_document(small_settings, f"extra-{number}", PayPal=f"Zorbapay{number}")
        arguments = {
            "add": ["add", str(file(tmp_path, 10 + number)), "--agency", agency, "--publish", "--yes"],
            "publish": ["publish", draft(small_settings)],
            "sync": ["sync", "--rebuild"],
            "rollback": ["rollback"],
        }[command]
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.5, 3.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        in_use = current(small_settings.data_dir)
        assert in_use is not None
        verify(in_use)
        index.refresh()
        assert index.search.search("how much does etsy take").hits[0].document.id == "etsy-fees-per-sale"
        with Catalogue.open(small_settings) as catalogue:
            for entry in catalogue.library(agency):
                original = small_settings.data_dir / "uploads" / entry.version.original
                assert sha256(original) == entry.version.original.partition(".")[0]

    healed = run(["sync"], environment)
    assert healed.returncode == 0, healed.stderr
    index.refresh()
    with Catalogue.open(small_settings) as catalogue:
        published = [e.version for e in catalogue.library(agency) if e.version.state is State.PUBLISHED]
        kept = {e.version.document.title for e in catalogue.library(agency)}
    assert {f"Zorba permit number {number}" for number in range(3)} <= kept
    assert {v.document.id for v in published} == {id for id, d in index.generation.documents.items() if d.agency}
    assert published, "twenty kills let something through"
    for version in published:
        assert index.search.search(version.document.title).hits[0].document.id == version.document.id
    assert len([d for d in index.generation.documents.values() if not d.agency]) == 3 + KILLS // 4
    assert not list((small_settings.data_dir / "generations").glob(".building-*"))
    assert all(verify(folder) for folder in generations(small_settings.data_dir))
    status = run(["doctor", "--json"], environment)
    assert status.returncode == 0, status.stdout


def file(folder: Path, number: int) -> Path:
    path = folder / f"permit-{number}.md"
    path.write_text(GUIDE.format(n=number, fee=400 + 7 * number), encoding="utf-8")
    return path


def add(folder: Path, number: int, agency: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run(["add", str(file(folder, number)), "--agency", agency, "--json"], environment)


def draft(settings: Settings) -> str:
    """A draft that can be published; any document when there is none left."""
    with Catalogue.open(settings) as catalogue:
        drafts = catalogue.drafts()
        return str(drafts[0].id) if drafts else "1"


@pytest.mark.parametrize("cut_off", ["draft", "published", "withdrawn"])
def test_a_cut_between_catalogue_and_index_heals(
    small_settings: Settings,
    encoder: Encoder,
    clean_environment: dict[str, str],
    tmp_path: Path,
    cut_off: str,
) -> None:
    """The catalogue says one thing, the index another, as after a kill between the two: the next sync agrees."""
    sync(small_settings, encoder)
    environment = {
        **clean_environment,
        "DATA_DIR": str(small_settings.data_dir),
        "DOCUMENTS_DIR": str(small_settings.documents_dir),
    }
    with Catalogue.open(small_settings) as catalogue:
        agency = catalogue.add_agency("Zorba", ["KE"], ["en"], "desk 1", "https://example.org", actor="cli").id
    arguments = ["add", str(file(tmp_path, 5)), "--agency", agency, "--json"]
    added = json.loads(run(arguments + (["--publish", "--yes"] if cut_off == "withdrawn" else []), environment).stdout)
    with Catalogue.open(small_settings) as catalogue:
        if cut_off == "published":
            catalogue.publish(added["version"], actor="cli")
        elif cut_off == "withdrawn":
            catalogue.withdraw(added["document"], actor="cli")
    sync(small_settings, encoder)
    index = ActiveIndex(small_settings.data_dir, encoder)
    assert (added["document"] in index.generation.documents) == (cut_off == "published")
