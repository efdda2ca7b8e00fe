"""The measures themselves, by examples worked by hand; and the questions."""

from __future__ import annotations

import pytest

from ingest.evaluate import Question, Result, abstention, by, load_questions, retrieval
from knowledge.documents import load_documents
from knowledge.facts import load_facts
from knowledge.settings import ROOT

QUESTIONS = load_questions()


def result(id: str = "x", expect: str = "answer", kind: str = "answer", ranking: tuple[str, ...] = ("a",)) -> Result:
    question = Question(
        id=id,
        lang="en",
        topic="fees",
        turns=("q",),
        expect=expect,
        needs="n",
        relevant=("a",),  # type: ignore[arg-type]
    )
    source = "https://x" if kind == "answer" else None
    return Result(question, kind, "fees", "en", "q", ranking, 0.5, source, 0.01, {}, {})


def test_retrieval_by_hand() -> None:
    measured = retrieval([1, 2, 4, None])
    assert measured.hit_1 == 0.25
    assert measured.hit_3 == 0.5
    assert measured.mrr == pytest.approx((1 + 1 / 2 + 1 / 4) / 4)
    assert result(ranking=("b", "c", "a")).rank == 3
    assert result(ranking=("b",)).rank is None


def test_abstention_by_hand() -> None:
    results = [
        result(),
        result(kind="decline"),
        result(expect="decline", kind="decline"),
        result(expect="ask_back", kind="ask_back"),
        result(expect="decline"),
    ]
    measured = abstention(results)
    assert measured.recall == pytest.approx(2 / 3)
    assert measured.precision == pytest.approx(2 / 3)
    assert measured.refused_good == 0.5


def test_groups_hold_only_what_has_an_answer() -> None:
    assert by([result(), result(expect="decline")], lambda r: r.question.lang)["en"].count == 1


def test_the_set_is_as_large_as_promised() -> None:
    assert len(QUESTIONS) >= 200
    answered = [question for question in QUESTIONS if question.expect == "answer"]
    for language in ("fr", "es", "pt", "ar", "sw"):
        assert sum(question.lang == language for question in answered) >= 15
    assert sum(question.expect != "answer" for question in QUESTIONS) >= 40
    assert sum(len(question.paraphrases) >= 3 for question in answered) >= 60
    halves = [question.half for question in QUESTIONS]
    assert 0.4 < halves.count("report") / len(halves) < 0.6


def test_labels_name_documents_that_exist() -> None:
    documents, _ = load_documents(ROOT / "knowledge" / "documents", load_facts())
    ids = {document.id for document in documents}
    for question in QUESTIONS:
        assert set(question.relevant) <= ids, question.id
        assert bool(question.relevant) == (question.expect == "answer"), question.id


def test_questions_are_not_copied_from_the_documents() -> None:
    documents, _ = load_documents(ROOT / "knowledge" / "documents", load_facts())
    forms = {form.casefold().strip(" ?") for d in documents for own in d.questions.values() for form in own}
    copied = [q.id for q in QUESTIONS if q.expect == "answer" and q.turns[-1].casefold().strip(" ?") in forms]
    assert len(copied) <= len(QUESTIONS) * 0.01, copied
