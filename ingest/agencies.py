"""Check what is said about an agency before it is entered."""

from __future__ import annotations

import re
from typing import Any

import pycountry

from ingest.catalogue import CatalogueError
from knowledge.normalise import visible

NAME_LENGTHS, CONTACT_LENGTHS, URL_LENGTH = (3, 120), (5, 200), 300
LANGUAGE = re.compile(r"[a-z]{2}")


def checked(name: str, countries: str, languages: str, contact: str, url: str) -> dict[str, Any]:
    """The fields of an agency, as `Catalogue.add_agency` takes them.

    Raises:
        CatalogueError: one is missing or not what it should be; the message names it.
    """
    codes = tuple(code.strip().lower() for code in languages.split(",") if code.strip())
    if not codes or not all(LANGUAGE.fullmatch(code) for code in codes):
        raise CatalogueError("languages: give two-letter codes with commas between (en,sw)")
    served = country_codes(countries)
    if not served:
        raise CatalogueError("countries: give at least one two-letter code (KE,TZ)")
    return {
        "name": _line("name", name, NAME_LENGTHS),
        "countries": served,
        "languages": codes,
        "contact": _line("contact", contact, CONTACT_LENGTHS),
        "url": web_address(url),
    }


def country_codes(text: str) -> tuple[str, ...]:
    """ISO 3166 alpha-2 codes out of "KE, TZ"; none out of an empty text.

    Raises:
        CatalogueError: one is no country.
    """
    codes = tuple(dict.fromkeys(code.strip().upper() for code in re.split(r"[,\s]+", text) if code.strip()))
    for code in codes:
        if len(code) != 2 or pycountry.countries.get(alpha_2=code) is None:
            raise CatalogueError(f"countries: {code!r} is no country code; two letters each, such as KE,TZ")
    return codes


def web_address(text: str) -> str:
    """The address of a public page.

    Raises:
        CatalogueError: it does not look like one.
    """
    url = visible(text).strip()
    if not re.fullmatch(r"https?://[^\s/.]+\.[^\s]+", url) or len(url) > URL_LENGTH:
        raise CatalogueError("page: give an address that begins with https:// or http://")
    return url


def _line(field: str, text: str, lengths: tuple[int, int]) -> str:
    line = " ".join(visible(text).split())
    if not lengths[0] <= len(line) <= lengths[1]:
        raise CatalogueError(f"{field}: {lengths[0]} to {lengths[1]} characters, please")
    return line
