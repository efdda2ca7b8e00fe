"""The last look at a reply: every number, source and contact has its ground."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bot.advice import compose
from bot.advice.adviser import Adviser
from bot.advice.check import faults
from bot.advice.reply import Reply
from bot.advice.richtext import RichText
from bot.advice.understand import Question
from knowledge.models import AsOf
from knowledge.search import Evidence

QUESTION = Question("q", "q", "en")
TODAY = date(2026, 11, 21)


@pytest.fixture
def evidence(adviser: Adviser) -> Evidence:
    return adviser.index.search.search("how much does etsy take from a sale")


@pytest.fixture
def answer(evidence: Evidence) -> Reply:
    return compose.answer(QUESTION, evidence, TODAY)


def test_the_extractive_answer_passes(answer: Reply, evidence: Evidence) -> None:
    assert faults(answer, evidence) == []


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        (" It is 7.25% now.", "number 7.25"),
        (" Pay ٩٨٧ dollars.", "number 987"),
        (" Write to ama@example.com.", "private data"),
        (" Call +254 700 123 456.", "private data"),
        ("x" * 2000, "characters"),
    ],
)
def test_what_has_no_ground_is_found(answer: Reply, evidence: Evidence, added: str, fault: str) -> None:
    changed = replace(answer, text=answer.text + RichText.plain(added))
    assert any(fault in found for found in faults(changed, evidence))


def test_an_answer_needs_a_source_that_was_found(answer: Reply, evidence: Evidence) -> None:
    assert "no source" in faults(replace(answer, citations=()), evidence)
    elsewhere = replace(evidence, hits=())
    assert "cites what was not found" in faults(answer, elsewhere)


def test_age_and_doubt_of_a_source_are_said(answer: Reply, evidence: Evidence) -> None:
    best = evidence.hits[0]

    def with_source(**changes: object) -> str:
        source = best.document.sources[0].model_copy(update=changes)
        document = best.document.model_copy(update={"sources": (source,)})
        changed = replace(evidence, hits=(replace(best, document=document), *evidence.hits[1:]))
        return compose.answer(QUESTION, changed, TODAY).text.text

    assert "year old" not in with_source(as_of=AsOf("2026-03"))
    assert "checked Mar 2026" in with_source(as_of=AsOf("2026-03"))
    assert "more than a year old" in with_source(as_of=AsOf("2024"))
    assert "shows no date" in with_source(as_of=AsOf("unknown"))
    assert "could not confirm" in with_source(confidence="unverified")


def test_every_document_makes_a_phone_sized_sound_reply(adviser: Adviser) -> None:
    generation = adviser.index.generation
    for passage in generation.passages:
        reply = adviser.more(passage.document, passage.number, "en")
        assert reply is not None
        assert reply.citations
        assert len(reply.text) <= 4096
        assert len(reply.buttons) <= 4
