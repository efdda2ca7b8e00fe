"""What a file is, judged by its content; its name only says whether it is mislabelled."""

from __future__ import annotations

import csv
import re
import zipfile
from pathlib import Path, PurePath

from ingest.loading.archives import check_archive
from ingest.loading.contract import Kind, Limits, LoadError, Reason
from ingest.loading.encodings import decode

_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"MSCF")
_UNREADABLE = (
    *(b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"RIFF", b"8BPS", b"\x00\x00\x01\x00"),
    *(b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\x00asm", b"SQLite format 3\x00"),
    *(
        b"ID3",
        b"OggS",
        b"fLaC",
        b"\x1aE\xdf\xa3",
        b"\x00\x00\x01\xba",
        b"{\\rtf",
        b"%!PS",
        b"wOFF",
        b"\x00\x01\x00\x00\x00",
    ),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_PDF_HEADER_WITHIN = 1024
"""Readers accept a PDF whose header comes this late."""

_OFFICE_PARTS = {
    Kind.DOCX: ("wordprocessingml.document.main+xml", "ms-word.document.macroEnabled.main+xml"),
    Kind.PPTX: (
        "presentationml.presentation.main+xml",
        "presentationml.slideshow.main+xml",
        "ms-powerpoint.presentation.macroEnabled.main+xml",
    ),
    Kind.XLSX: ("spreadsheetml.sheet.main+xml", "ms-excel.sheet.macroEnabled.main+xml"),
}
_SUFFIXES: dict[str, set[Kind]] = {
    ".pdf": {Kind.PDF},
    ".docx": {Kind.DOCX},
    ".docm": {Kind.DOCX},
    ".pptx": {Kind.PPTX},
    ".pptm": {Kind.PPTX},
    ".ppsx": {Kind.PPTX},
    ".xlsx": {Kind.XLSX},
    ".xlsm": {Kind.XLSX},
    ".csv": {Kind.CSV, Kind.TEXT},
    ".tsv": {Kind.CSV, Kind.TEXT},
    ".html": {Kind.HTML},
    ".htm": {Kind.HTML},
    ".md": {Kind.MARKDOWN, Kind.TEXT},
    ".markdown": {Kind.MARKDOWN, Kind.TEXT},
    ".txt": {Kind.TEXT, Kind.MARKDOWN, Kind.CSV},
    **{ending: set() for ending in (".doc", ".xls", ".ppt", ".odt", ".rtf", ".zip", ".png", ".jpg", ".jpeg", ".exe")},
}

_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|title|meta|table|div|p|h[1-6]|article|section)\b[^<>]*>", re.I)
_XML = re.compile(r"<(?:\?xml|!doctype|svg|rss|feed)\b", re.I)
_MARKDOWN_SIGNS = (
    re.compile(r"^#{1,6} \S", re.M),
    re.compile(r"^\|?\s*:?-{3,}:?\s*\|", re.M),
    re.compile(r"(?<!!)\[[^\]\n]+\]\([^)\s]+\)"),
    re.compile(r"^\s*[-*+] \S", re.M),
    re.compile(r"\*\*\S[^*\n]*\S\*\*"),
    re.compile(r"^(?:---\n(?:\w[\w-]*:.*\n)+---|```)", re.M),
)
_HEAD_CHARACTERS = 4_000


def kind_of(path: Path, name: str, limits: Limits) -> tuple[Kind, str]:
    """The kind of the file at `path`, and its text if it is a text file.

    Raises:
        LoadError: it is none that can be read, empty, encrypted, damaged, or unpacks to too much.
    """
    raw = path.read_bytes()
    if not raw.strip(b"\x00 \t\r\n\xef\xbb\xbf\xfe\xff"):
        raise LoadError(Reason.EMPTY)
    if raw.startswith(b"PK\x03\x04") or raw.startswith(b"PK\x05\x06"):
        return _office_kind(path, limits), ""
    if raw.startswith(_OLE):
        raise LoadError(Reason.ENCRYPTED if _ENCRYPTED_PACKAGE in raw else Reason.UNSUPPORTED, "OLE2")
    if raw.startswith(_ARCHIVES) or raw[257:262] == b"ustar":
        raise LoadError(Reason.NESTED_ARCHIVE)
    if b"%PDF-" in raw[:_PDF_HEADER_WITHIN]:
        return Kind.PDF, ""
    if raw.startswith(_UNREADABLE) or raw[4:8] == b"ftyp" or (raw.startswith(b"MZ") and b"\x00" in raw[:256]):
        raise LoadError(Reason.UNSUPPORTED, f"begins with {raw[:8]!r}")
    text = decode(raw)
    if not text.strip():
        raise LoadError(Reason.EMPTY)
    return _text_kind(text, PurePath(name).suffix.lower()), text


def is_mislabelled(kind: Kind, name: str) -> bool:
    """Whether the ending of `name` belongs to another kind of file."""
    expected = _SUFFIXES.get(PurePath(name).suffix.lower())
    return expected is not None and kind not in expected


def _office_kind(path: Path, limits: Limits) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, limits)
            names = archive.namelist()
            if "[Content_Types].xml" in names:
                types = archive.read("[Content_Types].xml").decode("utf-8", "replace")
                for kind, parts in _OFFICE_PARTS.items():
                    if any(part in types for part in parts):
                        return kind
                raise LoadError(Reason.UNSUPPORTED, "office file of another kind")
            if "mimetype" in names:  # OpenDocument, EPUB
                raise LoadError(Reason.UNSUPPORTED, archive.read("mimetype")[:100].decode("latin-1"))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise LoadError(Reason.DAMAGED, f"{type(error).__name__}: {error}") from error
    raise LoadError(Reason.NESTED_ARCHIVE)


def _text_kind(text: str, suffix: str) -> Kind:
    head = text[:_HEAD_CHARACTERS].lstrip()
    if head.startswith("<") and _HTML.search(head):
        return Kind.HTML
    if _XML.match(head):
        raise LoadError(Reason.UNSUPPORTED, "XML")
    signs = sum(bool(sign.search(text)) for sign in _MARKDOWN_SIGNS)
    if signs >= 2 or (signs and suffix in (".md", ".markdown")):
        return Kind.MARKDOWN
    named_table = suffix in (".csv", ".tsv")
    if delimiter_of(text, least_rows=2 if named_table else 4) is not None:
        return Kind.CSV
    if suffix in (".html", ".htm") and len(_HTML.findall(head)) >= 2:
        return Kind.HTML
    return Kind.TEXT


def delimiter_of(text: str, least_rows: int = 2) -> str | None:
    """The character that cuts most lines of `text` into one number of cells (two or more), if there is one."""
    best: tuple[float, int, str] | None = None
    # A window may end inside quotes; its last row is then left out.
    window = text[:65_536].splitlines(keepends=True)
    for delimiter in ",;\t|":
        try:
            rows = [row for row in csv.reader(window, delimiter=delimiter) if any(cell.strip() for cell in row)]
        except csv.Error:
            continue
        rows = rows[:-1] if len(text) > 65_536 else rows
        if len(rows) < least_rows:
            continue
        widths = [len(row) for row in rows]
        usual = max(set(widths), key=widths.count)
        share = widths.count(usual) / len(widths)
        # Prose has commas too: its lines differ in their number and its "cells" are long.
        lengths = sorted(len(cell) for row in rows for cell in row)
        if usual >= 2 and share >= 0.8 and lengths[len(lengths) // 2] <= 60:
            best = max(best or (0.0, 0, ""), (share, usual, delimiter))
    return best[2] if best else None
