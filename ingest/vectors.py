"""Vectors kept by content, so that a text is encoded once.

Two places, looked up in this order: a SQLite file in `DATA_DIR` that grows, and the `.npz` files in
`knowledge/vectors/` that ship the vectors of the shipped documents.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.encoders import Encoder, Fingerprint, Role, Vectors
from knowledge.settings import ROOT

SHIPPED = ROOT / "knowledge" / "vectors"
BATCH = 16
Half = npt.NDArray[np.float16]


def key(text: str, role: Role) -> bytes:
    """The key of a text's vector: 16 bytes of its SHA-256, by role."""
    return hashlib.sha256(f"{role}\0{text}".encode("utf-8", "replace")).digest()[:16]


class VectorCache:
    """The vectors of one encoder. Use as a context manager."""

    def __init__(self, data_dir: Path, fingerprint: Fingerprint, shipped: Path = SHIPPED) -> None:
        self._dimension = fingerprint.dimension
        self._shipped_folder = shipped / fingerprint.key
        folder = data_dir / "vectors"
        folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(folder / f"{fingerprint.key}.sqlite")
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
        )

    def __enter__(self) -> VectorCache:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def missing(self, texts: Sequence[str], role: Role) -> list[str]:
        """The texts, without repetition, that would have to be encoded."""
        return [text for text in dict.fromkeys(texts) if self._get(key(text, role)) is None]

    def encode(
        self, encoder: Encoder, texts: Sequence[str], role: Role, advance: Callable[[int], None] = lambda _: None
    ) -> Vectors:
        """The vectors of `texts`, shape (len(texts), dimension); what is missing is encoded and kept.

        `advance` is called with the number of texts newly encoded since the last call. What was encoded
        before an interruption is not lost.
        """
        todo = self.missing(texts, role)
        for start in range(0, len(todo), BATCH):
            batch = todo[start : start + BATCH]
            vectors = encoder.encode(batch, role).astype(np.float16)
            with self._database:
                self._database.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                    [(key(text, role), vector.tobytes()) for text, vector in zip(batch, vectors, strict=True)],
                )
            advance(len(batch))
        kept = np.empty((len(texts), self._dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            kept[row] = self.vector(text, role)
        kept /= np.linalg.norm(kept, axis=1, keepdims=True).clip(min=1e-6)
        return kept

    def encode_all(
        self,
        encoder: Encoder,
        parts: Sequence[tuple[Sequence[str], Role]],
        progress: Callable[[str, int, int], None] = lambda _step, _done, _total: None,
    ) -> list[Vectors]:
        """`encode` for several lists of texts, each with its role, as one step "encoding" of which `progress` is told
        how much is done and how much there is."""
        # A text may stand in several parts; it is encoded once.
        wanted: dict[Role, list[str]] = {}
        for texts, role in parts:
            wanted.setdefault(role, []).extend(texts)
        total = sum(len(self.missing(texts, role)) for role, texts in wanted.items())
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress("encoding", done, total)

        progress("encoding", 0, total)
        return [self.encode(encoder, texts, role, advance) for texts, role in parts]

    def vector(self, text: str, role: Role) -> Half:
        """The kept vector of `text`; raises KeyError when there is none."""
        found = self._get(key(text, role))
        if found is None:
            raise KeyError(text)
        return found

    def _get(self, wanted: bytes) -> Half | None:
        with closing(self._database.execute("SELECT vector FROM vectors WHERE key = ?", (wanted,))) as rows:
            row = rows.fetchone()
        if row is not None:
            return np.frombuffer(row[0], dtype=np.float16)
        return self._shipped.get(wanted)

    @cached_property
    def _shipped(self) -> dict[bytes, Half]:
        return read_shipped(self._shipped_folder)  # not before a vector is missing: reading them takes a while


def read_shipped(folder: Path) -> dict[bytes, Half]:
    """All vectors of the `.npz` files in `folder`, by key; they are kept in 8 bits with a scale a vector."""
    found: dict[bytes, Half] = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            vectors = (stored["vectors"] * stored["scales"][:, None]).astype(np.float16)
            found.update(zip((row.tobytes() for row in stored["keys"]), vectors, strict=True))
    return found


def write_shipped(folder: Path, name: str, texts: Iterable[tuple[str, Role]], cache: VectorCache) -> Path:
    """Write the vectors of `texts`, all of them in `cache`, to `folder/name.npz`, in the order of their keys."""
    rows = {key(text, role): cache.vector(text, role) for text, role in texts}
    ordered = sorted(rows)
    vectors = np.array([rows[row] for row in ordered], dtype=np.float32)
    scales = np.abs(vectors).max(axis=1) / 127
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.npz"
    np.savez_compressed(
        path,
        keys=np.array([np.frombuffer(row, dtype=np.uint8) for row in ordered]),
        vectors=np.round(vectors / scales[:, None]).astype(np.int8),
        scales=scales.astype(np.float32),
    )
    return path
