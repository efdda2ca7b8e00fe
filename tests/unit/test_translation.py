"""Interface texts: every one translated, placeholders whole, nothing stale."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from bot.translation import LOCALES, as_of_text, country_name, language_name, translator
from knowledge.models import LANGUAGES, AsOf
from knowledge.settings import ROOT

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
def test_catalogues_are_used(language: str) -> None:
    assert translator(language)("Skip") != "Skip"


def test_names_and_dates_come_from_cldr() -> None:
    assert country_name("KE", "fr") == "Kenya"
    assert country_name("DE", "sw") == "Ujerumani"
    assert language_name("fr") == "Français"
    assert as_of_text(AsOf("2026-03-05"), "en") == "Mar 2026"
    assert as_of_text(AsOf("2026"), "fr") == "2026"
    assert as_of_text(AsOf("unknown"), "en") == ""
