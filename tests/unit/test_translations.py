"""Translations of documents: beside their originals, with just their figures, and known to be stale."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.advice.shown import figures_in, headings, shown, title_of
from ingest.chunking import cut
from knowledge.documents import load_documents, stamp
from knowledge.facts import load_facts
from knowledge.models import CARD_LANGUAGES, LANGUAGES, Document, Kind
from knowledge.numerals import localised
from knowledge.settings import ROOT

FACTS = load_facts()
FOLDER = ROOT / "knowledge" / "documents"
DOCUMENTS, PROBLEMS = load_documents(FOLDER, FACTS)
CARDS = [document for document in DOCUMENTS if document.kind is Kind.CARD]
ASKED_MOST = 60
CARD = "etsy-fees-per-sale"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one card and its French translation."""
    for path in FOLDER.rglob(f"{CARD}*.md"):
        if path.name in (f"{CARD}.md", f"{CARD}.fr.md"):
            shutil.copy(path, tmp_path)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def only(folder: Path) -> Document:
    (document,), problems = load_documents(folder, FACTS)
    assert not problems
    return document


def test_every_translation_in_the_repository_is_whole_and_fresh() -> None:
    assert not [str(problem) for problem in PROBLEMS]
    assert not [f"{d.id}.{each.language}" for d in DOCUMENTS for each in d.translations if each.is_stale]


@pytest.mark.parametrize("language", CARD_LANGUAGES)
def test_every_card_is_translated_into_the_first_languages(language: str) -> None:
    assert not [card.id for card in CARDS if card.translation(language) is None]


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each not in ("en", *CARD_LANGUAGES)])
def test_the_cards_asked_most_are_translated_into_the_others(language: str) -> None:
    assert sum(card.translation(language) is not None for card in CARDS) >= ASKED_MOST


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_every_document_has_question_forms_in_every_language(language: str) -> None:
    assert not [document.id for document in DOCUMENTS if len(document.questions.get(language, ())) < 3]


def test_a_changed_original_makes_its_translation_stale_until_somebody_has_read_both(folder: Path) -> None:
    assert not only(folder).translations[0].is_stale
    edit(folder / f"{CARD}.md", "Etsy", "The shop Etsy")
    assert only(folder).translations[0].is_stale
    stamp(folder / f"{CARD}.fr.md", folder)
    assert not only(folder).translations[0].is_stale


def test_an_edited_figure_of_a_table_is_no_reason_to_translate_again(folder: Path, tmp_path: Path) -> None:
    tables = tmp_path / "facts"
    shutil.copytree(ROOT / "knowledge" / "facts", tables)
    edit(tables / "platforms" / "etsy.yaml", "percent: 6.5", "percent: 7.25")
    (after,), problems = load_documents(folder, load_facts(tables))
    assert not problems
    assert "6,5%" in only(folder).translations[0].body
    assert "7,25%" in after.translations[0].body
    assert not after.translations[0].is_stale


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{{etsy.transaction-fee.percent}}", "6,5%", "the reference {{etsy.transaction-fee.percent}}"),
        ("1. ", "1. 99 ", "the figure 99 is not in the original"),
        ("language: fr", "language: xx", "unknown language 'xx'"),
        (f"translation_of: {CARD}", "translation_of: nothing-such", "there is no document 'nothing-such'"),
    ],
)
def test_faults_of_a_translation_are_named(folder: Path, old: str, new: str, fault: str) -> None:
    edit(folder / f"{CARD}.fr.md", old, new)
    (document,), problems = load_documents(folder, FACTS)
    assert any(fault in str(problem) and f"{CARD}.fr.md" in str(problem) for problem in problems)
    assert not document.translations


def test_a_translation_stands_beside_its_original_under_its_name(folder: Path) -> None:
    (folder / f"{CARD}.fr.md").rename(folder / f"{CARD}.es.md")
    assert f"{CARD}.fr.md" in str(load_documents(folder, FACTS)[1])


def test_a_reader_gets_their_own_language_then_english(folder: Path) -> None:
    document = only(folder)
    (passage,) = cut(document)
    assert shown(document, passage, "fr").language == "fr"
    assert shown(document, passage, "fr").wording.text == document.translations[0].body
    assert shown(document, passage, "vi").language == "en"
    french = document.model_copy(update={"language": "fr", "translations": ()})
    assert shown(french, passage.model_copy(update={"translations": {}}), "vi").language == "fr"


def test_titles_and_headings_are_in_the_readers_language_though_the_text_is_not() -> None:
    guide = next(document for document in DOCUMENTS if document.id == "account-suspended-guide")
    passages = cut(guide)
    for language in LANGUAGES:
        if language != "en":
            path = headings(guide, passages[1], language)
            assert path[0] == title_of(guide, language) != guide.title
            assert path[-1] != passages[1].path[-1]


def test_figures_of_a_text_are_named_for_who_cannot_read_it() -> None:
    text = "Etsy takes 6.5% and USD 1,200.50. Answer within 5 business days; money comes after 21 days."
    assert figures_in(text, "es") == ["6,5%", "USD 1.200,50", "21 días"]
    assert figures_in(text, "ru") == ["6,5%", "USD 1\u00a0200,50", "21 день"]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("6.5% of USD 3,000.50", "pt", "6,5% of USD 3.000,50"),
        ("6.5% of USD 3,000.50", "fr", "6,5% of USD 3\u202f000,50"),
        ("6.5% of USD 3,000.50", "hi", "6.5% of USD 3,000.50"),
        ("HS code 6109.10, on 12.11.2026", "pt", "HS code 6109.10, on 12.11.2026"),
        ("[1.5](https://a.org/1.5/2,000)", "es", "[1,5](https://a.org/1.5/2,000)"),
        ("Costs 2.5. Then 1,000.", "id", "Costs 2,5. Then 1.000."),
    ],
)
def test_figures_are_written_as_readers_write_them(text: str, language: str, expected: str) -> None:
    assert localised(text, language) == expected
