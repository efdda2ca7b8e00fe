"""The translations of the guides' texts: catalogues that follow the fact tables."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from bot.translation import LOCALES, SOURCE_LANGUAGE
from knowledge.facts import Facts
from knowledge.models import LANGUAGES
from knowledge.sourced import shown_texts

WIDTH = 120


def texts(facts: Facts) -> list[str]:
    """All texts of the guides that people read, each once, in the order of the tables."""
    return list(dict.fromkeys(shown_texts((facts.disputes, facts.recourse, facts.choosing, facts.routes))))


def bring_in_line(facts: Facts, folder: Path = LOCALES) -> dict[str, int]:
    """Give every language's catalogue the texts of `facts`: new ones without a translation, gone ones no more.

    Returns how many texts wait for a translation, by language (ISO 639-1).
    """
    return {language: _update(facts, language, folder) for language in LANGUAGES if language != SOURCE_LANGUAGE}


def path_of(language: str, folder: Path = LOCALES) -> Path:
    """The catalogue of `language`."""
    return folder / language / "LC_MESSAGES" / "guidance.po"


def _update(facts: Facts, language: str, folder: Path) -> int:
    path, known = path_of(language, folder), Catalog()
    if path.is_file():
        with path.open("rb") as file:
            known = read_po(file, locale=language)
    catalogue = Catalog(
        locale=language, project="Tradewind", header_comment="# Texts of the guides in the fact tables."
    )
    for text in texts(facts):
        before = known.get(text)
        catalogue.add(text, before.string if before else "")
    with path.open("wb") as file:
        write_po(file, catalogue, width=WIDTH)
    return sum(not message.string for message in catalogue if message.id)
