"""Word documents."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import mammoth
from bs4 import BeautifulSoup
from defusedxml.ElementTree import fromstring

from ingest.loading.contract import Note
from ingest.loading.dates import metadata_date
from ingest.loading.reading import Reading
from ingest.loading.webpages import to_markdown

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Heading 7'] => h6:fresh
p[style-name^='toc'] =>
p[style-name^='TOC'] =>
"""
_HEADING_CHARACTERS = 90
_NO_TITLE = re.compile(r"^(?:word document|microsoft word\b.*|document\d*|untitled|.*\.docx?)$", re.I)
_CORE = "docProps/core.xml"


def read_docx(path: Path) -> Reading:
    """Headings, paragraphs, lists and tables; without headers, footers and what tracked changes delete."""
    with path.open("rb") as file:
        html = mammoth.convert_to_html(
            file,
            style_map=_STYLES,
            include_embedded_style_map=False,
            external_file_access=False,
            # Never opened: by default each picture would come as text.
            convert_image=mammoth.images.img_element(lambda _: {}),
        ).value
    soup = BeautifulSoup(html, "lxml")
    pictures = bool(soup.find("img"))
    for mark in soup.select("a[href^='#footnote-ref'], a[href^='#endnote-ref'], a[href^='#comment-ref']"):
        mark.decompose()
    if not soup.find(["h1", "h2", "h3", "h4"]):
        _promote_bold_lines(soup)
    properties = _properties(path)
    title = properties.get("title", "").strip()
    if not title or _NO_TITLE.match(title):
        first = soup.find(["h1", "h2", "h3"])
        title = first.get_text(" ", strip=True) if first else ""
    return Reading(
        to_markdown(str(soup)),
        title=title or None,
        property_date=metadata_date(properties.get("modified")),
        notes=[Note.IMAGES_SKIPPED] if pictures else [],
    )


def _promote_bold_lines(soup: BeautifulSoup) -> None:
    """Many documents have no headings, only short bold lines."""
    for paragraph in soup.find_all("p"):
        text = paragraph.get_text(strip=True)
        bold = "".join(strong.get_text(strip=True) for strong in paragraph.find_all("strong"))
        if (
            text
            and bold == text
            and len(text) <= _HEADING_CHARACTERS
            and text[-1] not in ".,;"
            and not paragraph.find_parent(["td", "th", "li"])
        ):
            paragraph.name = "h2"


def _properties(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        if _CORE not in archive.namelist():
            return {}
        return {element.tag.rsplit("}", 1)[-1]: element.text or "" for element in fromstring(archive.read(_CORE))}
