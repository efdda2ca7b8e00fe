"""The gate: the next generation is put in use only if its answers are as good."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from ingest.evaluate import Question, Result
from ingest.gate import Tolerance, compare
from ingest.sync import sync
from knowledge.encoders import Encoder
from knowledge.generation import current, generations
from knowledge.settings import ROOT, Settings
from tests.integration.test_ingest import leading, run

SHIPPING = ROOT / "knowledge" / "documents" / "cards" / "shipping"
ETSY = (
    "how much does etsy take from each sale",
    "what are the etsy fees for one order",
    "what is left of a 30 dollar sale on etsy",
    "etsy charges for every piece sold",
)


def originals() -> list[Path]:
    """Documents about shipping, without their translations."""
    return sorted(path for path in SHIPPING.glob("*.md") if "." not in path.stem)


@pytest.fixture
def environment(small_settings: Settings, clean_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    for name in originals()[:3]:  # else every document is among the first three
        shutil.copy(name, small_settings.documents_dir)
    questions = [question(f"q{n}", words, ["etsy-fees-per-sale"]) for n, words in enumerate(ETSY)]
    questions.append(question("p0", "in which countries can sellers receive with paypal", ["paypal-receive-countries"]))
    questions.append(question("d0", "what is the weather tomorrow", [], "decline"))
    (tmp_path / "questions").mkdir()
    (tmp_path / "questions" / "en.yaml").write_text(yaml.safe_dump(questions), encoding="utf-8")
    return clean_environment | {"DOCUMENTS_DIR": str(small_settings.documents_dir)}


def question(id: str, words: str, relevant: list[str], expect: str = "answer") -> dict[str, object]:
    return {
        "id": id,
        "lang": "en",
        "topic": "fees",
        "turns": [words],
        "expect": expect,
        "needs": "",
        "relevant": relevant,
    }


def gate(environment: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    folder = Path(environment["DOCUMENTS_DIR"]).with_name("questions")
    return run(["evaluate", "--gate", "--questions", str(folder), *more], environment)


def spoil(settings: Settings) -> None:
    """Put an edit into the card that makes it answer something else."""
    card = settings.documents_dir / "etsy-fees-per-sale.md"
    head, _, body = card.read_text(encoding="utf-8").partition("questions:\n")
    sources = "sources:" + body.partition("sources:")[2].rsplit("---", 1)[0]
    head = head.replace("What does Etsy take from each sale?", "How to wash a wool carpet").replace("[etsy]", "[]")
    forms = "questions:\n  en: [wash a carpet, clean wool, remove stains]\n"
    card.write_text(f"{head}{forms}{sources}---\n{'Rinse the wool in cold water. ' * 15}", encoding="utf-8")


def test_worse_answers_are_refused(small_settings: Settings, encoder: Encoder, environment: dict[str, str]) -> None:
    sync(small_settings, encoder)
    before = current(small_settings.data_dir)
    spoil(small_settings)
    refused = gate(environment)
    assert refused.returncode == 3, refused.stderr
    assert "worse: q1: right document at 1 -> " in refused.stdout
    assert "refused, in use remains" in refused.stdout
    assert current(small_settings.data_dir) == before
    assert list((small_settings.data_dir / "generations").iterdir()) == [before]
    assert leading(small_settings.data_dir, encoder, ETSY[0]) == "etsy-fees-per-sale"
    allowed = gate(environment, "--allowed-questions", "6", "--json")
    assert allowed.returncode == 0
    verdict = json.loads(allowed.stdout)
    assert verdict["decision"] == "switched"
    assert {turned["id"] for turned in verdict["worse"]} >= {"q1", "q2", "q3"}
    assert verdict["before"]["by_language"]["all"]["hit_3"] == 1
    assert verdict["after"]["by_language"]["all"]["hit_3"] < 1
    assert current(small_settings.data_dir) != before


def test_answers_as_good_are_put_in_use(
    small_settings: Settings, encoder: Encoder, environment: dict[str, str]
) -> None:
    sync(small_settings, encoder)
    before = current(small_settings.data_dir)
    assert before
    unchanged = gate(environment)
    assert unchanged.returncode == 0
    assert "Nothing changed" in unchanged.stdout
    assert current(small_settings.data_dir) == before
    shutil.copy(originals()[3], small_settings.documents_dir)
    (small_settings.documents_dir / "bad.md").write_text("---\nid: bad\n---\ntext", encoding="utf-8")
    done = gate(environment)
    assert done.returncode == 2, done.stderr
    assert "bad.md" in done.stderr
    assert "as good as before" in done.stdout
    now = current(small_settings.data_dir)
    assert now
    assert generations(small_settings.data_dir) == [now, before]
    assert not list((small_settings.data_dir / "generations").glob(".*"))
    assert (small_settings.data_dir / "vectors").is_dir()
    assert leading(small_settings.data_dir, encoder, ETSY[0]) == "etsy-fees-per-sale"
    (small_settings.documents_dir / "bad.md").unlink()
    assert sync(small_settings, encoder).manifest is None


def test_without_an_index_it_is_built(small_settings: Settings, encoder: Encoder, environment: dict[str, str]) -> None:
    first = gate(environment, "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["decision"] == "first"
    assert leading(small_settings.data_dir, encoder, ETSY[0]) == "etsy-fees-per-sale"
    no_questions = run(["evaluate", "--gate", "--questions", str(small_settings.documents_dir)], environment)
    assert no_questions.returncode == 1
    assert "holds no questions" in no_questions.stderr


@pytest.mark.parametrize("seconds", [2, 3.5, 5])
def test_killed_at_any_moment_the_old_generation_serves(
    small_settings: Settings, encoder: Encoder, environment: dict[str, str], seconds: float
) -> None:
    sync(small_settings, encoder)
    before = current(small_settings.data_dir)
    spoil(small_settings)
    folder = Path(environment["DOCUMENTS_DIR"]).with_name("questions")
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest", "evaluate", "--gate", "--questions", str(folder)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert current(small_settings.data_dir) == before
    assert generations(small_settings.data_dir) == [before]
    assert leading(small_settings.data_dir, encoder, ETSY[0]) == "etsy-fees-per-sale"
    sync(small_settings, encoder)
    assert not list((small_settings.data_dir / "generations").glob(".*"))
    assert (small_settings.data_dir / "vectors").is_dir()


def result(id: str, lang: str, rank: int | None, expect: str = "answer") -> Result:
    asked = Question(
        id=id,
        lang=lang,
        topic="fees",
        turns=("x",),
        expect=expect,  # type: ignore[arg-type]
        needs="",
        relevant=("right",),
    )
    ranking = ("right",) if rank == 1 else ("a", "b", "c", "right") if rank else ()
    return Result(asked, "answer", "", lang, "", ranking, 1.0, "https://a.example", 0.1, {}, {})


def outcome(before: list[int], after: list[int], languages: list[str]) -> set[str]:
    old = [result(str(n), lang, rank) for n, (rank, lang) in enumerate(zip(before, languages, strict=True))]
    new = [result(str(n), lang, rank) for n, (rank, lang) in enumerate(zip(after, languages, strict=True))]
    return {measure.name for measure in compare(old, new, Tolerance()) if measure.fallen}


@pytest.mark.parametrize(
    ("gained", "lost", "allowed"),
    [(0, 0, True), (0, 1, True), (0, 2, False), (5, 5, True), (10, 12, True), (2, 8, False), (20, 12, True)],
)
def test_the_rule_takes_only_chance_for_chance(gained: int, lost: int, allowed: bool) -> None:
    assert Tolerance().allows(gained, lost) is allowed
    before = [4] * gained + [1] * (300 - gained)
    after = [1] * (300 - lost) + [4] * lost
    assert outcome(before, after, ["en"] * 300) == (set() if allowed else {"hit@3 all", "hit@3 en"})


def test_a_language_falls_for_itself() -> None:
    languages = ["en"] * 100 + ["sw"] * 25 + ["fr"] * 10
    before = [4] * 8 + [1] * 127
    after = [1] * 98 + [1, 1] + [4] * 3 + [1] * 22 + [4] * 3 + [1] * 7
    assert outcome(before, after, languages) == {"hit@3 sw"}
