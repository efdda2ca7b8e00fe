"""Interface texts: every one translated, placeholders whole, nothing stale."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from bot.knowledge_texts import bring_in_line, path_of, texts
from bot.translation import LOCALES, as_of_text, country_name, language_name, translator
from knowledge.facts import load_facts
from knowledge.models import LANGUAGES, AsOf
from knowledge.routes import Routes
from knowledge.settings import ROOT

FACTS = load_facts()
OTHERS = [language for language in LANGUAGES if language != "en"]


def read(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


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
def test_every_text_of_the_guides_is_translated_whole(language: str) -> None:
    """Nothing is missing, stale or without its placeholders; no button grows too long; no figure is lost."""
    catalogue = read(path_of(language, "guidance"))
    assert set(catalogue) == set(texts(FACTS)), "run python -m bot texts, then translate"
    for text, translation in catalogue.items():
        assert translation, text
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", translation)), text
        missing = Counter(figures(text)) - Counter(figures(translation))
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
