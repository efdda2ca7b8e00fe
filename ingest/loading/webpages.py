"""Web pages, and the HTML that Word documents become on their way to Markdown."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag
from markdownify import MarkdownConverter

from ingest.loading.contract import LoadError, Reason
from ingest.loading.dates import metadata_date, written_date
from ingest.loading.markdown import one_line, table
from ingest.loading.reading import Reading

_NO_CONTENT = ("script", "style", "noscript", "template", "nav", "footer", "aside", "form", "iframe", "svg", "dialog")
_BANNER = re.compile(
    r"cookie|consent|gdpr|navbar|nav-|-nav|breadcrumb|sidebar|newsletter|share|social|skip-link|advert|promo|related",
    re.I,
)
_LEAST_SHARE = 0.25
"""Of a page's own text; when the extraction keeps less, the page is taken whole."""
_MOST_SPAN = 50
_MOST_DEPTH = 500
_NESTING = re.compile(r"<(/?)(?:div|span|section|table|tr|td|ul|ol|blockquote|article|main|form|center)\b", re.I)
_SITE = re.compile(r"\s+[|·–—»-]\s+[^|·–—»]{2,60}$")


class _Converter(MarkdownConverter):
    """Markdown without links, pictures and emphasis, with tables of our own kind."""

    def convert_table(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A table; one inside another is flattened into the cell."""
        return f"\n\n{table(_rows(el))}\n\n"


def to_markdown(html: str) -> str:
    """The Markdown of `html`: headings, lists, tables; links and emphasis as plain words."""
    soup = BeautifulSoup(html, "lxml")
    return str(
        _Converter(
            heading_style="ATX",
            bullets="-",
            strip=["a", "b", "strong", "i", "em", "u", "img", "sup", "sub", "code", "span", "font", "del", "s"],
            escape_asterisks=False,
            escape_underscores=False,
            escape_misc=False,
        ).convert_soup(soup)
    )


def read_html(text: str) -> Reading:
    """The main content of a web page, without navigation, banners and footers."""
    from trafilatura import bare_extraction, extract

    _check_depth(text)
    bare = _without_clutter(text)
    html = extract(
        bare,
        output_format="html",
        include_tables=True,
        include_links=False,
        include_images=False,
        include_comments=False,
        include_formatting=True,
        favor_recall=True,
        deduplicate=False,
    )
    own = BeautifulSoup(bare, "lxml")
    body = own.body or own
    if not html or len(BeautifulSoup(html, "lxml").get_text()) < _LEAST_SHARE * len(body.get_text(" ", strip=True)):
        html = str(body)
    known = bare_extraction(text, with_metadata=True, favor_recall=True)
    title = _title(BeautifulSoup(text, "lxml"), getattr(known, "title", None))
    return Reading(
        to_markdown(html),
        title=title,
        # Visible text first: pages are stamped with the day of their last technical change.
        dated_texts=(body.get_text("\n", strip=True), _footer_text(text)),
        property_date=metadata_date(getattr(known, "date", None)),
    )


def _check_depth(text: str) -> None:
    """No page that people read is so deep; the parsers need time that grows with the square of the depth."""
    depth = 0
    for tag in _NESTING.finditer(text):
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > _MOST_DEPTH:
            raise LoadError(Reason.DAMAGED, "nested too deeply")


def _without_clutter(text: str) -> str:
    soup = BeautifulSoup(text, "lxml")
    for element in soup.find_all(_NO_CONTENT):
        element.decompose()
    for element in soup.find_all(["div", "section", "ul", "p", "span", "header"]):
        if not element.attrs or element.decomposed:
            continue
        marks = " ".join(
            (str(element.get("id", "")), *(element.get_attribute_list("class") or []), str(element.get("role", "")))
        ).strip()
        if marks and _BANNER.search(marks) and element.find(["main", "article", "h1"]) is None:
            element.decompose()
    return str(soup)


def _title(soup: BeautifulSoup, known: str | None) -> str | None:
    heading = [one_line(h1.get_text(" ")) for h1 in soup.find_all("h1")]
    if len(heading) == 1 and heading[0]:
        return heading[0]
    title = known or (soup.title.get_text(" ") if soup.title else "")
    return _SITE.sub("", one_line(title)) or None


def _footer_text(text: str) -> str:
    """Lines of the footer that date the page; "© 2026" does not."""
    lines = [one_line(footer.get_text(" ")) for footer in BeautifulSoup(text, "lxml").find_all("footer")]
    return "\n".join(line for line in lines if written_date(line))


def _rows(element: Tag) -> list[list[str]]:
    """The cells of a table, merged ones repeated in each place that they cover."""
    rows: list[list[str]] = []
    covered: dict[tuple[int, int], str] = {}
    for number, row in enumerate(row for row in element.find_all("tr") if row.find_parent("table") is element):
        cells: list[str] = []

        def fill(number: int = number, cells: list[str] = cells) -> None:
            while (number, len(cells)) in covered:
                cells.append(covered.pop((number, len(cells))))

        for cell in row.find_all(["td", "th"]):
            if cell.find_parent("tr") is not row:
                continue
            fill()
            text = _cell(cell)
            place = len(cells)
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            for below in range(1, high):
                covered.update({(number + below, place + right): text for right in range(wide)})
            cells.extend([text] * wide)
        fill()
        rows.append(cells)
    return rows


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name, "1"))
    return min(max(int(value), 1), _MOST_SPAN) if value.isdecimal() else 1


def _cell(cell: Tag) -> str:
    for inner in cell.find_all("table"):
        if inner.find_parent("table") is cell.find_parent("table"):
            flat = "; ".join(", ".join(filter(None, row)) for row in _rows(inner))
            inner.replace_with(NavigableString(f" {flat} "))
    for block in cell.find_all(["p", "br", "div", "li"]):
        block.insert_after(NavigableString(" "))
    return one_line(cell.get_text())
