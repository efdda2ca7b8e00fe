"""Formatted text: splitting by Telegram's count loses nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.advice.richtext import RichText, join, utf16_length

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("🧺🌍 \n.عé"), max_size=300)
PIECES = st.lists(st.tuples(TEXT, st.sampled_from(["plain", "bold", "italic"])), max_size=8)


def build(pieces: list[tuple[str, str]]) -> RichText:
    whole = RichText()
    for text, kind in pieces:
        whole = whole + getattr(RichText, kind)(text)
    return whole


def covered(text: RichText) -> list[tuple[str, str]]:
    units = text.text.encode("utf-16-le")
    return [(e.kind, units[e.offset * 2 : (e.offset + e.length) * 2].decode("utf-16-le")) for e in text.entities]


@given(PIECES, st.integers(2, 80))
def test_parts_join_to_the_whole_and_keep_to_the_limit(pieces: list[tuple[str, str]], limit: int) -> None:
    whole = build(pieces)
    parts = whole.split(limit)
    assert "".join(part.text for part in parts) == whole.text
    assert all(0 < utf16_length(part.text) <= limit for part in parts)
    assert all(e.offset + e.length <= len(part) for part in parts for e in part.entities)


@given(PIECES, st.integers(2, 80))
def test_formatting_covers_the_same_text_after_splitting(pieces: list[tuple[str, str]], limit: int) -> None:
    whole = build(pieces)
    for kind in ("bold", "italic"):
        before = "".join(text for of, text in covered(whole) if of == kind)
        after = "".join(text for part in whole.split(limit) for of, text in covered(part) if of == kind)
        assert before == after


def test_cuts_at_paragraph_then_sentence_then_word() -> None:
    text = RichText.plain("First paragraph here.\n\nSecond one. It goes on and on")
    assert [part.text for part in text.split(30)] == ["First paragraph here.\n\n", "Second one. It goes on and on"]
    assert RichText.plain("One sentence. Another one").split(16)[0].text == "One sentence. "
    assert RichText.plain("a" * 20).split(8)[0].text == "a" * 8


def test_markdown_keeps_bold_and_drops_the_rest() -> None:
    text = RichText.markdown("One **bold** word.\n\n1. First\n2. Second\n\n- point\n\n[link](https://evil.example)")
    assert covered(text)[0] == ("bold", "bold")
    assert all(entity.kind == "bold" for entity in text.entities)
    assert "1. First\n2. Second" in text.text


def test_join_leaves_out_what_is_empty() -> None:
    assert join((RichText(), RichText.bold("a"), RichText.plain(" "), RichText.plain("b"))).text == "a\n\nb"
