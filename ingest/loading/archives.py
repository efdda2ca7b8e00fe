"""Whether a zip file is safe to hand to a parser."""

from __future__ import annotations

import zipfile

from ingest.loading.contract import Limits, LoadError, Reason

MOST_ENTRIES = 10_000
MOST_RATIO, RATIO_FROM_BYTES = 150, 10_000_000
"""Office parts shrink to a tenth or a fortieth; a bomb to a thousandth. Small files may shrink more."""

_BLOCK = 1 << 20
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")


def check_archive(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Unpack every part of `archive` once, in pieces that are thrown away.

    Raises:
        LoadError: it unpacks to too much, is encrypted, damaged, or an XML part declares a document type.
    """
    entries = archive.infolist()
    if not entries:
        raise LoadError(Reason.EMPTY, "no entries")
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if len(entries) > MOST_ENTRIES or unpacked > limits.unpacked_bytes:
        raise LoadError(Reason.UNPACKS_TOO_LARGE, f"{len(entries)} entries, {unpacked} bytes")
    if unpacked > RATIO_FROM_BYTES and unpacked > packed * MOST_RATIO:
        raise LoadError(Reason.UNPACKS_TOO_LARGE, f"{packed} bytes for {unpacked}")
    if any(entry.flag_bits & 1 for entry in entries):
        raise LoadError(Reason.ENCRYPTED)
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise LoadError(Reason.UNSUPPORTED, "compression")
    left = limits.unpacked_bytes
    for entry in entries:
        left = _check_entry(archive, entry, left)


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> int:
    is_xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
    tail = b""
    with archive.open(entry) as part:
        while block := part.read(_BLOCK):
            left -= len(block)
            if left < 0:  # more than declared
                raise LoadError(Reason.UNPACKS_TOO_LARGE)
            if is_xml:
                # Office parts never declare a document type; one that does can define entities that multiply, and
                # the parsers beneath differ in how they take it. NULs go so that UTF-16 is seen too.
                seen = tail + block.replace(b"\x00", b"").upper()
                if any(word in seen for word in _DECLARATIONS):
                    raise LoadError(Reason.DAMAGED, f"{entry.filename} declares a document type")
                tail = seen[-16:]
    return left
