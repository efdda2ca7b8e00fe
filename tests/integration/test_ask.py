"""The machine contract and the terminal, as processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from knowledge.settings import ROOT

KEYS = {"text", "language", "kind", "intent", "citations", "figures", "confidence", "buttons", "seconds"}


@pytest.fixture
def environment(clean_environment: dict[str, str], real_data_dir: Path) -> dict[str, str]:
    return {**clean_environment, "DATA_DIR": str(real_data_dir)}


def bot(arguments: list[str], environment: dict[str, str], given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        input=given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        env=environment,
        timeout=120,
        check=False,
    )


def test_one_question_as_json(environment: dict[str, str]) -> None:
    question = "How much does Etsy take on a 40 dollar sale?"
    done = bot(["ask", question, "--country", "KE", "--lang", "en", "--json"], environment)
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout)["answers"]
    assert set(answer) == KEYS
    assert answer["kind"] == "answer"
    assert answer["language"] == "en"
    assert 0 <= answer["confidence"] <= 1
    assert set(answer["citations"][0]) == {"title", "publisher", "url", "as_of"}


def test_trouble_gets_the_first_step_the_time_and_the_first_question(environment: dict[str, str]) -> None:
    done = bot(["ask", "buyer says parcel not arrived, sold on ebay", "--country", "KE", "--json"], environment)
    (answer,) = json.loads(done.stdout)["answers"]
    assert answer["kind"] == "answer"
    assert "3 days (Monday to Friday only)" in answer["text"]
    assert "What does the tracking show today?" in answer["text"]
    assert "Delivered" in answer["buttons"]
    assert answer["citations"]


@pytest.mark.parametrize("name", ["zorbamart", "vinted"])
def test_a_platform_we_know_nothing_of_gets_no_other_ones_fees(environment: dict[str, str], name: str) -> None:
    done = bot(["ask", f"what does {name} charge sellers", "--json"], environment)
    (answer,) = json.loads(done.stdout)["answers"]
    assert answer["kind"] != "answer"


def test_a_stream_answers_all_and_names_what_is_wrong(environment: dict[str, str], tmp_path: Path) -> None:
    lines: list[Any] = [
        {"id": "q1", "turns": ["can I open an etsy shop from Kenya?", "and from Morocco?"]},
        {"id": "q2", "question": "combien prend etsy ?", "profile": {"lang": "fr", "country": "SN"}},
        {"id": "bad1", "question": "x", "profile": {"country": "Kenya"}},
        {"id": "bad2"},
        {"id": "q3", "question": "\x00\ud83d"},
        {"id": "q4", "question": "x" * 50_000},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\nnot json\n\n"
    path = tmp_path / "questions.jsonl"
    path.write_text(text, encoding="utf-8")
    done = bot(["ask", "--jsonl", str(path)], environment)
    assert done.returncode == 2
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    by_id = {answer["id"]: answer for answer in answers}
    assert [answer["id"] for answer in answers] == ["q1", "q2", "bad1", "bad2", "q3", "q4", "line 7"]
    assert len(by_id["q1"]["answers"]) == 2
    assert by_id["q2"]["answers"][0]["language"] == "fr"
    for bad in ("bad1", "bad2", "line 7"):
        assert set(by_id[bad]) == {"id", "error"}
    again = bot(["ask", "--jsonl", "-"], environment, json.dumps(lines[0]))
    assert again.returncode == 0
    first, second = json.loads(again.stdout)["answers"][0], by_id["q1"]["answers"][0]
    assert {**first, "seconds": 0} == {**second, "seconds": 0}


@pytest.mark.parametrize(
    "arguments",
    [["ask"], ["ask", "x", "--jsonl", "y"], ["ask", "x", "--country", "Kenya"], ["ask", "--jsonl", "/none"]],
)
def test_wrong_calls_end_with_two(environment: dict[str, str], arguments: list[str]) -> None:
    done = bot(arguments, environment)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_terminal_is_the_same_bot_with_numbers_for_buttons(environment: dict[str, str], tmp_path: Path) -> None:
    own = {**environment, "DATABASE_URL": f"sqlite:///{tmp_path / 'own.sqlite'}"}
    typed = ["2", "Sénégal", "sacs en cuir", "2", "combien prend etsy par vente ?", "1", "/profile", "/quit"]
    done = bot(["chat"], own, "\n".join(typed) + "\n")
    assert done.returncode == 0, done.stderr
    assert "1  English" in done.stdout
    assert "6,5%" in done.stdout
    assert "sacs en cuir" in done.stdout
    assert "👎" in done.stdout
    assert "Traceback" not in done.stderr
    assert "Tradewind" in bot([], own, "/quit\n").stdout, "without a token the terminal opens"
