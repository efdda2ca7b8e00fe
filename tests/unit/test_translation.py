"""Interface texts: every one translated, placeholders whole, nothing stale."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from bot.knowledge_texts import bring_in_line, path_of, texts, titles
from bot.translation import LOCALES, as_of_text, country_name, language_name, plurals, translator
from knowledge.documents import load_documents
from knowledge.facts import load_facts
from knowledge.models import LANGUAGES, AsOf
from knowledge.routes import Routes
from knowledge.settings import ROOT

FACTS = load_facts()
DOCUMENTS, _ = load_documents(ROOT / "knowledge" / "documents", FACTS)
OTHERS = [language for language in LANGUAGES if language != "en"]


def read(path: Path) -> dict[str, str]:
    """The texts of a catalogue; of one with forms for numbers the last form, which is for most of them."""
    with path.open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    return {last(message.id): last(message.string) for message in messages}


def last(text: object) -> str:
    return str(text[-1]) if isinstance(text, tuple | list) else str(text)


@pytest.fixture(scope="module")
def texts_in_code(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    path = tmp_path_factory.mktemp("pot") / "messages.pot"
    command = [str(ROOT / ".venv/bin/pybabel"), "-q", "extract", "-F", "babel.cfg", "-k", "mark", "-o", str(path), "."]
    subprocess.run(command, cwd=ROOT, check=True)
    return set(read(path))


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_its_placeholders(language: str, texts_in_code: set[str]) -> None:
    catalogue = read(LOCALES / language / "LC_MESSAGES" / "messages.po")
    assert set(catalogue) == texts_in_code, "run pybabel extract and update, then translate"
    for text, translation in catalogue.items():
        assert translation, text
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", translation)), text
        assert re.findall(r"/[a-z]+\b", text) == re.findall(r"/[a-z]+\b", translation) or "/" not in text


@pytest.mark.parametrize("language", OTHERS)
def test_every_number_has_its_form(language: str) -> None:
    """As many forms as the language's plural rule has, none empty; a form for one thing need not name the number."""
    path = LOCALES / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    forms = [message for message in catalogue if isinstance(message.id, tuple)]
    assert forms
    for message in forms:
        assert len(message.string) == catalogue.num_plurals
        assert all(message.string)
        wanted = set(re.findall(r"{\w+}", message.id[1]))
        for form in message.string:
            assert set(re.findall(r"{\w+}", form)) <= wanted
        assert set(re.findall(r"{\w+}", message.string[-1])) == wanted


def test_the_form_follows_the_rule_of_the_language() -> None:
    one = "{count} passage says what stands in “{title}” already."
    many = "{count} passages say what stands in “{title}” already."
    said = {number: plurals("ru")(one, many, number) for number in (1, 2, 5, 21)}
    assert said[1] == said[21] != said[2] != said[5] != said[1]
    assert len({plurals("ar")(one, many, number) for number in (1, 2, 3, 11, 100)}) >= 4
    assert plurals("zh")(one, many, 1) == plurals("zh")(one, many, 5)


@pytest.mark.parametrize("language", OTHERS)
def test_every_title_and_heading_is_translated(language: str) -> None:
    catalogue = read(path_of(language, "titles"))
    assert set(catalogue) == set(titles(DOCUMENTS, language)), "run python -m bot texts, then translate"
    assert not [title for title, translation in catalogue.items() if not translation]


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_the_guides_is_translated_whole(language: str) -> None:
    """Nothing is missing, stale or without its placeholders; no button grows too long; no figure is lost."""
    catalogue = read(path_of(language, "guidance"))
    assert set(catalogue) == set(texts(FACTS)), "run python -m bot texts, then translate"
    for text, translation in catalogue.items():
        assert translation, text
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", translation)), text
        # Chinese writes "1.5 million" as 150 of its ten thousands.
        counted = re.sub(r"[\d.]+( to [\d.]+)? (million|billion)", "", text) if language == "zh" else text
        missing = Counter(figures(counted)) - Counter(figures(translation))
        # A dual or a word stands for a small number: "يومان", "deux".
        assert not [figure for figure in missing if len(figure) > 1], (text, translation)


def figures(text: str) -> list[str]:
    return re.findall(r"\d+", re.sub(r"(?<=\d)[,.\u00a0\u202f ](?=\d)", "", text))


def test_catalogues_of_the_guides_follow_the_tables(tmp_path: Path) -> None:
    for language in OTHERS:
        path_of(language, "guidance", tmp_path).parent.mkdir(parents=True)
    shutil.copy(path_of("fr", "guidance"), path_of("fr", "guidance", tmp_path))
    route = FACTS.routes.routes[0]
    changed = FACTS.model_copy(
        update={
            "routes": Routes(sources=FACTS.routes.sources, routes=(route.model_copy(update={"title": "A new title"}),))
        }
    )
    waiting = bring_in_line(changed, [], tmp_path)
    assert waiting["fr"] == 1
    assert waiting["sw"] == len(texts(changed))
    kept = read(path_of("fr", "guidance", tmp_path))
    assert kept[route.what] == read(path_of("fr", "guidance"))[route.what]
    assert FACTS.routes.routes[1].title not in kept


@pytest.mark.parametrize("language", OTHERS)
def test_catalogues_are_used(language: str) -> None:
    assert translator(language)("Skip") != "Skip"


def test_names_and_dates_come_from_cldr() -> None:
    assert country_name("KE", "fr") == "Kenya"
    assert country_name("DE", "sw") == "Ujerumani"
    assert language_name("fr") == "Français"
    assert as_of_text(AsOf("2026-03-05"), "en") == "Mar 2026"
    assert as_of_text(AsOf("2026"), "fr") == "2026"
    assert as_of_text(AsOf("unknown"), "en") == ""
