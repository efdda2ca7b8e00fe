"""What a sync would change, passage by passage."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ingest.comparison import Comparison, compare_with_current
from ingest.inputs import read_inputs
from ingest.sync import sync
from knowledge.encoders import Encoder
from knowledge.generation import GenerationError, current
from knowledge.settings import ROOT, Settings
from tests.integration.test_ingest import Counting, add_document, run

CARD, GUIDE = "etsy-fees-per-sale", "choose-your-first-marketplace"


@pytest.fixture
def settings(small_settings: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(ROOT / "knowledge" / "facts", tmp_path / "facts")
    return small_settings.model_copy(update={"facts_dir": tmp_path / "facts"})


def compared(settings: Settings, encoder: Encoder) -> Comparison:
    return compare_with_current(settings.data_dir, read_inputs(settings)[0], encoder)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_without_an_index_all_is_new(settings: Settings, encoder: Encoder) -> None:
    comparison = compared(settings, encoder)
    assert comparison.generation is None
    assert {change.change for change in comparison.documents} == {"added"}
    assert all(change.passages for change in comparison.documents)
    assert {table.change for table in comparison.tables} == {"added"}


def test_nothing_changed(settings: Settings, encoder: Encoder) -> None:
    sync(settings, encoder)
    assert not compared(settings, encoder)


def test_each_change_is_found(settings: Settings, encoder: Encoder) -> None:
    sync(settings, encoder)
    card = settings.documents_dir / f"{CARD}.md"
    edit(card, "Etsy takes sellers from some countries only", "Etsy takes sellers from few countries only")
    edit(card, "- etsy fees total", "- etsy fees altogether")
    edit(card, "review_by: '2027-05-21'", "review_by: '2027-06-30'")
    edit(card, "confidence: high", "confidence: medium")
    (settings.documents_dir / "paypal-receive-countries.md").unlink()
    edit(settings.documents_dir / f"{GUIDE}.md", "\n## ", "\n## One more section\n\nWith one sentence.\n\n## ")
    add_document(settings, "another-card", CARD)
    comparison = compared(settings, encoder)
    assert not comparison.rebuilt_for
    assert not comparison.tables
    by_id = {change.id: change for change in comparison.documents}
    assert {id: change.change for id, change in by_id.items()} == {
        "another-card": "added",
        GUIDE: "changed",
        CARD: "changed",
        "paypal-receive-countries": "removed",
    }
    changed = by_id[CARD]
    assert set(changed.fields) == {"review_by", "sources"}
    assert changed.fields["review_by"] == ("2027-05-21", "2027-06-30")
    assert changed.questions_added == {"en": ("etsy fees altogether",)}
    assert changed.questions_removed == {"en": ("etsy fees total",)}
    (passage,) = changed.passages
    marked = [line for line in passage.diff if line[0] in "+-"]
    assert marked == [
        "-Etsy takes sellers from some countries only; check yours first.",
        "+Etsy takes sellers from few countries only; check yours first.",
    ]
    (added,) = by_id[GUIDE].passages
    assert (added.id, added.change) == (f"{GUIDE}#one-more-section", "added")
    assert "+With one sentence." in added.diff


def test_a_changed_table_is_shown_with_its_documents(settings: Settings, encoder: Encoder) -> None:
    sync(settings, encoder)
    edit(settings.facts_dir / "fx.yaml", "KES: ", "KES: 1")
    (settings.facts_dir / "destinations" / "US.yaml").unlink()
    comparison = compared(settings, encoder)
    assert [(table.name, table.change) for table in comparison.tables] == [
        ("destinations/US", "removed"),
        ("fx", "changed"),
    ]
    assert [line[:6] for line in comparison.tables[1].diff if line[0] in "+-"] == ["-  KES", "+  KES"]
    assert sync(settings, encoder).changes.facts == ("fx", "destinations/US"), "a sync names them too"


def test_another_encoder_is_a_reason_to_build_anew(settings: Settings, encoder: Encoder) -> None:
    sync(settings, encoder)
    assert compared(settings, Counting(encoder, "other-model")).rebuilt_for == ("encoder",)


def test_a_damaged_index_says_what_to_run(settings: Settings, encoder: Encoder) -> None:
    sync(settings, encoder)
    folder = current(settings.data_dir)
    assert folder
    (folder / "passages.jsonl").write_text("broken", encoding="utf-8")
    with pytest.raises(GenerationError, match="damaged: run `python -m ingest sync`"):
        compared(settings, encoder)


def test_on_the_command_line(settings: Settings, encoder: Encoder, clean_environment: dict[str, str]) -> None:
    environment = clean_environment | {
        "DOCUMENTS_DIR": str(settings.documents_dir),
        "FACTS_DIR": str(settings.facts_dir),
    }
    assert "There is no index yet" in run(["diff"], environment).stdout
    sync(settings, encoder)
    assert run(["diff"], environment).stdout.startswith("Nothing would change against 2")
    edit(settings.documents_dir / f"{CARD}.md", "some countries only", "few [bold]countries only")
    add_document(settings, "another-card", CARD)
    (settings.documents_dir / "bad.md").write_text("---\nid: bad\n---\ntext", encoding="utf-8")
    shown = run(["diff"], environment)
    assert shown.returncode == 2
    assert "bad.md" in shown.stderr
    assert f"~ {CARD}" in shown.stdout
    assert "few [bold]countries" in shown.stdout
    assert "+ another-card" in shown.stdout
    assert "1 added, 1 changed, 0 removed" in shown.stdout
    assert "question (en)" not in shown.stdout
    whole = run(["diff", "--document", "another-card"], environment)
    assert "question (en): etsy fees total" in whole.stdout
    assert CARD not in whole.stdout
    full = json.loads(run(["diff", "--json"], environment).stdout)
    assert [(change["id"], change["change"]) for change in full["documents"]] == [
        ("another-card", "added"),
        (CARD, "changed"),
    ]
    unknown = run(["diff", "--document", "nothing"], environment)
    assert unknown.returncode == 2
    assert "there is no document 'nothing'" in unknown.stderr
