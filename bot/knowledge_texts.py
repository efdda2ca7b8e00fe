"""The translations of the knowledge base's texts: catalogues that follow the fact tables and the documents.

`guidance` holds the texts of the guides and of the directory of institutions, `titles` the titles and headings of
documents that are not translated as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from bot.translation import LOCALES, SOURCE_LANGUAGE
from knowledge.facts import Facts
from knowledge.models import LANGUAGES, Document
from knowledge.sourced import shown_texts

WIDTH = 120
NO_FIRMS = ("bank", "other")
"""Kinds of payment services that are no firms, so that their names are words: "bank wire", "cash on delivery"."""

COMMENTS = {
    "guidance": "# Texts of the guides and institutions in the fact tables.",
    "titles": "# Titles and headings of documents that are not translated as a whole.",
}


def texts(facts: Facts) -> list[str]:
    """All texts of the fact tables that people read, each once, in the order of the tables."""
    bodies = [body for country in facts.countries for body in country.institutions]
    tables = (facts.disputes, facts.recourse, facts.choosing, facts.routes, bodies, facts.everywhere)
    ways_to_pay = [provider.name for provider in facts.payments if provider.kind in NO_FIRMS]
    return list(dict.fromkeys((*shown_texts(tables), *ways_to_pay)))


def titles(documents: Iterable[Document], language: str) -> list[str]:
    """The titles and headings of our English `documents` that have no translation into `language`, each once."""
    found: dict[str, None] = {}
    for document in documents:
        if document.language == SOURCE_LANGUAGE and document.translation(language) is None and not document.agency:
            headings = re.findall(r"(?m)^#{2,3} +(.+?)\s*$", document.body)
            found |= dict.fromkeys((document.title, *headings))
    return list(found)


def bring_in_line(facts: Facts, documents: Sequence[Document], folder: Path = LOCALES) -> dict[str, int]:
    """Give every language's catalogues the texts there are: new ones without a translation, gone ones no more.

    Returns how many texts wait for a translation, by language (ISO 639-1).
    """
    waiting = {}
    for language in LANGUAGES:
        if language != SOURCE_LANGUAGE:
            wanted = {"guidance": texts(facts), "titles": titles(documents, language)}
            waiting[language] = sum(_update(each, language, domain, folder) for domain, each in wanted.items())
    return waiting


def path_of(language: str, domain: str, folder: Path = LOCALES) -> Path:
    """The catalogue `domain` of `language`."""
    return folder / language / "LC_MESSAGES" / f"{domain}.po"


def _update(wanted: Iterable[str], language: str, domain: str, folder: Path) -> int:
    path, known = path_of(language, domain, folder), Catalog()
    if path.is_file():
        with path.open("rb") as file:
            known = read_po(file, locale=language)
    catalogue = Catalog(locale=language, project="Tradewind", header_comment=COMMENTS[domain])
    for text in wanted:
        before = known.get(text)
        catalogue.add(text, before.string if before else "")
    with path.open("wb") as file:
        write_po(file, catalogue, width=WIDTH)
    return sum(not message.string for message in catalogue if message.id)
