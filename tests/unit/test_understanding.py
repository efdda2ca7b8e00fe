"""Language, follow-ups, long messages."""

from __future__ import annotations

import pytest

from bot.advice.language import detect
from bot.advice.understand import MAX_QUESTION, Profile, Turn, Understanding
from knowledge.facts import load_facts
from knowledge.gazetteer import Entities, Gazetteer

FACTS = load_facts()
UNDERSTANDING = Understanding(FACTS, Gazetteer(FACTS, frozenset({"fees", "paid", "about", "what", "germany"})))
FIRST = Turn("how do I get paid by Etsy?", Entities(platforms=("etsy",)))


@pytest.mark.parametrize(
    ("text", "prior", "expected"),
    [
        ("how much does etsy take", "fr", "en"),
        ("combien prend etsy par vente ?", "en", "fr"),
        ("cuánto cobra etsy por venta", "en", "es"),
        ("quanto custa vender no mercado livre", "en", "pt"),
        ("كم تأخذ إيتسي", "en", "ar"),
        ("naomba kujua ada za etsy ni ngapi", "en", "sw"),
        ("ok", "fr", "fr"),
        ("Amazon?", "sw", "sw"),
        ("👍", "pt", "pt"),
        ("", "ar", "ar"),
    ],
)
def test_language(text: str, prior: str, expected: str) -> None:
    assert detect(text, prior).language == expected


def test_a_bare_name_replaces_its_kind_in_the_question_before() -> None:
    question = UNDERSTANDING.understand("and in Ghana?", earlier=FIRST)
    assert question.is_follow_up
    assert question.asked == Entities(platforms=("etsy",), countries=("GH",))
    assert "get paid" in question.text
    question = UNDERSTANDING.understand("and amazon?", earlier=FIRST)
    assert question.asked.platforms == ("amazon",)
    assert "etsy" not in question.text.casefold()


def test_a_new_subject_takes_over_the_names() -> None:
    question = UNDERSTANDING.understand("what about fees?", earlier=FIRST)
    assert question.asked.platforms == ("etsy",)
    assert question.text == "what about fees? Etsy"


def test_a_whole_question_stands_alone() -> None:
    question = UNDERSTANDING.understand("how can I ship baskets to Canada by post", earlier=FIRST)
    assert not question.is_follow_up
    assert question.asked == Entities(markets=("CA",))


def test_the_profile_fills_what_is_not_said() -> None:
    profile = Profile(language="en", country="KE", market="DE")
    question = UNDERSTANDING.understand("how much does etsy take", profile)
    assert question.entities == Entities(("etsy",), (), ("KE",), ("DE",))
    assert question.asked == Entities(platforms=("etsy",))


def test_a_long_story_is_read_for_its_question() -> None:
    story = "I make baskets. " * 200 + "How do I get paid by Etsy in Ghana? " + "Thank you. " * 100
    question = UNDERSTANDING.understand(story)
    assert question.was_long
    assert question.text == "How do I get paid by Etsy in Ghana?"
    assert len(UNDERSTANDING.understand("x" * 4096).text) <= MAX_QUESTION


@pytest.mark.parametrize("text", ["", "   ", "👍👍", "???", "123", "\u200b"])
def test_messages_without_words(text: str) -> None:
    assert UNDERSTANDING.understand(text).is_wordless
