"""The doctor: what is well, what is not, and what to do."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from ingest import health
from ingest.catalogue import Catalogue, VersionRow
from ingest.health import Check, Verdict, examine
from ingest.index import writing
from ingest.publishing import rollback
from ingest.sync import sync
from knowledge.database import create_blocking_engine
from knowledge.encoders import Encoder
from knowledge.generation import current, generations
from knowledge.settings import Settings
from tests.integration.test_archive import add
from tests.integration.test_ingest import run


@pytest.fixture
def settings(small_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("data_dir", "documents_dir"):
        monkeypatch.setenv(name.upper(), str(getattr(small_settings, name)))
    return small_settings


@pytest.fixture
def catalogue(settings: Settings) -> Iterator[Catalogue]:
    with Catalogue.open(settings) as catalogue:
        catalogue.add_agency("Nairobi Desk", ["KE"], ["en"], "", "", actor="cli")
        yield catalogue


def examined() -> dict[str, Check]:
    return {check.name: check for check in examine()}


def unwell() -> dict[str, Verdict]:
    return {name: check.verdict for name, check in examined().items() if check.verdict is not Verdict.OK}


def age(path: Path, days: float) -> None:
    then = time.time() - days * 86_400
    os.utime(path, (then, then))


def test_a_sound_copy_is_well(settings: Settings, encoder: Encoder, catalogue: Catalogue) -> None:
    catalogue.publish(add(settings, catalogue, "Parcel rules").id, actor="cli")
    sync(settings, encoder)
    checks = examined()
    assert not unwell()
    assert "4 documents" in checks["index"].message
    assert "all 1 of" in checks["originals"].message


def test_before_the_first_sync(settings: Settings) -> None:
    assert unwell() == {
        "data folder": Verdict.WARNING,
        "index": Verdict.FAULT,
        "in line": Verdict.WARNING,
    }
    assert not settings.data_dir.exists()


def test_wrong_settings_are_the_only_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    (check,) = examine()
    assert (check.name, check.verdict) == ("settings", Verdict.FAULT)


def test_an_encoder_that_does_not_load_keeps_no_other_check_from_being_made(
    settings: Settings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(settings, encoder)
    monkeypatch.setenv("EMBEDDING_MODEL", str(settings.documents_dir))  # a folder, so that no hub is asked
    assert unwell() == {"encoder": Verdict.FAULT, "index": Verdict.WARNING, "in line": Verdict.WARNING}


def test_a_damaged_database(settings: Settings, encoder: Encoder, catalogue: Catalogue) -> None:
    sync(settings, encoder)
    catalogue.close()
    for path in settings.data_dir.glob("tradewind.sqlite-*"):
        path.unlink()
    (settings.data_dir / "tradewind.sqlite").write_bytes(b"not a database, but a good many bytes" * 500)
    found = unwell()
    assert found.pop("database") is Verdict.FAULT
    assert set(found.values()) == {Verdict.WARNING}
    assert "index" not in found


def test_tables_of_an_older_revision_are_told_and_left(
    settings: Settings, encoder: Encoder, catalogue: Catalogue
) -> None:
    sync(settings, encoder)
    for revision, verdict in (("0001", Verdict.WARNING), ("9999", Verdict.FAULT)):
        with sqlite3.connect(settings.data_dir / "tradewind.sqlite") as database:
            database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        assert unwell()["database"] is verdict
        with sqlite3.connect(settings.data_dir / "tradewind.sqlite") as database:
            assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)


def test_a_damaged_index_and_older_generation(settings: Settings, encoder: Encoder) -> None:
    sync(settings, encoder)
    sync(settings, encoder, rebuild=True)
    newest, older = generations(settings.data_dir)
    (older / "facts.json").unlink()
    assert unwell() == {"older generations": Verdict.WARNING}
    (newest / "passages.jsonl").write_text("broken", encoding="utf-8")
    assert unwell() == {"index": Verdict.FAULT, "older generations": Verdict.WARNING}


def test_an_index_that_lags_behind_and_faulty_documents(settings: Settings, encoder: Encoder) -> None:
    sync(settings, encoder)
    (settings.documents_dir / "etsy-fees-per-sale.md").unlink()
    assert unwell() == {"in line": Verdict.WARNING}
    (settings.documents_dir / "bad.md").write_text("---\nid: bad\n---\ntext", encoding="utf-8")
    checks = examined()
    assert checks["documents"].verdict is Verdict.FAULT
    assert "bad.md" in checks["documents"].message


def test_a_rollback_is_told(settings: Settings, encoder: Encoder, catalogue: Catalogue) -> None:
    sync(settings, encoder)
    sync(settings, encoder, rebuild=True)
    rollback(settings, catalogue, actor="cli")
    assert "rollback" in examined()["in line"].message


def test_faulty_tables(settings: Settings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sync(settings, encoder)
    monkeypatch.setenv("FACTS_DIR", str(tmp_path / "nothing"))
    found = unwell()
    assert found.pop("fact tables") is Verdict.FAULT
    assert found == {"documents": Verdict.WARNING, "in line": Verdict.WARNING, "expiry": Verdict.WARNING}


def test_originals_and_uploads(settings: Settings, encoder: Encoder, catalogue: Catalogue) -> None:
    version = catalogue.publish(add(settings, catalogue, "Parcel rules").id, actor="cli")
    sync(settings, encoder)
    uploads = settings.data_dir / "uploads"
    (uploads / "new.pdf").write_bytes(b"x")
    assert not unwell()
    age(uploads / "new.pdf", 1)
    assert unwell() == {"uploads": Verdict.WARNING}
    (uploads / version.original).write_bytes(b"changed")
    assert unwell() == {"uploads": Verdict.WARNING, "originals": Verdict.FAULT}


def test_leftovers(settings: Settings, encoder: Encoder) -> None:
    sync(settings, encoder)
    (settings.data_dir / "generations" / ".building-x").mkdir()
    with writing(settings.data_dir):
        assert not unwell()
    assert unwell() == {"unfinished builds": Verdict.WARNING}
    (settings.data_dir / "generations" / ".building-x").rmdir()
    leftover = settings.data_dir / ".import-x"
    leftover.mkdir()
    assert not unwell()
    age(leftover, 1)
    assert unwell() == {"temporary files": Verdict.WARNING}
    settings.documents_dir.rename(settings.documents_dir.with_name("documents.before-import"))
    assert unwell()["temporary files"] is Verdict.FAULT


def test_old_drafts_and_what_expires(settings: Settings, encoder: Encoder, catalogue: Catalogue) -> None:
    draft = add(settings, catalogue, "Parcel rules")
    soon = datetime.now(UTC).date() + timedelta(days=10)
    other = add(settings, catalogue, "Autumn courses")
    catalogue.correct(other.id, other.document.model_copy(update={"expires": soon}), actor="cli")
    catalogue.publish(other.id, actor="cli")
    sync(settings, encoder)
    assert unwell() == {"expiry": Verdict.WARNING}
    with Session(create_blocking_engine(settings)) as session, session.begin():
        row = session.get(VersionRow, draft.id)
        assert row
        row.created_at = datetime.now(UTC) - timedelta(days=31)
    checks = examined()
    assert unwell() == {"expiry": Verdict.WARNING, "drafts": Verdict.WARNING}
    assert str(soon) in checks["expiry"].message
    assert "nairobi-desk-parcel-rules v1" in checks["drafts"].message


def test_little_disk(settings: Settings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    sync(settings, encoder)
    monkeypatch.setattr(health, "LITTLE_DISK", 10**18)
    assert unwell() == {"disk": Verdict.WARNING}


def test_on_the_command_line(settings: Settings, encoder: Encoder, clean_environment: dict[str, str]) -> None:
    environment = clean_environment | {"DOCUMENTS_DIR": str(settings.documents_dir)}
    before = run(["doctor"], environment)
    assert before.returncode == 1
    assert "there is no index yet (run `python -m ingest sync`)" in before.stdout
    sync(settings, encoder)
    done = run(["doctor", "--json"], environment)
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)
    assert (found["faults"], found["warnings"]) == (0, 0)
    assert {check["name"] for check in found["checks"]} >= {"settings", "database", "encoder", "index", "originals"}
    folder = current(settings.data_dir)
    assert folder
