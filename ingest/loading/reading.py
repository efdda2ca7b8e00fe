"""What the reader of one kind of file hands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Progress = Callable[[int, int], None]
"""Told how many parts of how many are done."""


@dataclass
class Reading:
    """A file as its reader found it, before the cleaning that all kinds share."""

    markdown: str
    title: str | None = None
    dated_texts: tuple[str, ...] = ()
    """Where a document says of when it is, the likeliest first; empty: its beginning and its end."""
    property_date: str | None = None
    """What the file's properties say; counts only if the text says nothing."""
    pages: int = 1
    notes: list[str] = field(default_factory=list)
