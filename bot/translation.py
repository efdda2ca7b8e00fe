"""Interface texts in the person's language, from the gettext catalogues in `locales/`."""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache, partial
from pathlib import Path

from babel import Locale
from babel.dates import format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from knowledge.models import AsOf
from knowledge.numerals import localised

LOCALES = Path(__file__).parent / "locales"
SOURCE_LANGUAGE = "en"

Translate = Callable[[str], str]


@cache
def catalogue(language: str, domain: str = "messages") -> gettext.NullTranslations:
    """The catalogue of `language` (ISO 639-1): of the interface (`messages`), of the guides in the fact tables
    (`guidance`), or of the titles and headings of documents (`titles`). English, in which the texts are written,
    needs none."""
    path = LOCALES / language / "LC_MESSAGES" / f"{domain}.po"
    if language == SOURCE_LANGUAGE or not path.is_file():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def translator(language: str) -> Translate:
    """The function that turns an English interface text into `language`."""
    return catalogue(language).gettext


def plurals(language: str) -> Callable[[str, str, int], str]:
    """The function that chooses the form of a text for a number in `language`: from one, from many, the number."""
    return catalogue(language).ngettext


def guidance(language: str) -> Translate:
    """The function that turns a text of the fact tables' guides into `language`, figures too; English where it is not
    translated."""
    return partial(_guidance, language)


@lru_cache(maxsize=32_768)
def _guidance(language: str, text: str) -> str:
    translated = catalogue(language, "guidance").gettext(text)
    return localised(translated, language) if translated != text else text


def titles(language: str) -> Translate:
    """The function that turns a title or heading of a document into `language`; English where it is not translated."""
    return catalogue(language, "titles").gettext


def mark(text: str) -> str:
    """Mark `text` for translation where it is not translated on the spot."""
    return text


@lru_cache(maxsize=4096)
def country_name(iso: str, language: str) -> str:
    """The name of a country or of the EU (ISO 3166 alpha-2) in `language`, from CLDR."""
    return str(Locale(language).territories.get(iso, iso))


def language_name(language: str) -> str:
    """The name of a language in itself."""
    name = str(Locale(language).get_display_name(language) or language)
    return name[:1].upper() + name[1:]


def language_named(code: str, language: str) -> str:
    """The name of the language `code` in `language`; the code where CLDR has none."""
    return str(Locale(language).languages.get(code, code))


def as_of_text(as_of: AsOf, language: str) -> str:
    """A source's date as people write it, as exact as it is known: "Mar 2026", "2026"; empty if unknown."""
    day: date | None = as_of.earliest
    if day is None:
        return ""
    return str(format_skeleton("y" if as_of.precision == "year" else "yMMM", day, locale=language))
