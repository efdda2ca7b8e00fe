"""Vectors added to and taken from a collection since it was written to Chroma.

Writing a few vectors into Chroma means loading the library and the whole graph, a second or more. A small change is
kept beside it instead and searched by plain multiplication; `ingest.index` writes it into the graph when it has grown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge.encoders import Vectors


@dataclass(frozen=True)
class Delta:
    """Rows to search besides the collection's own, and ids of its own rows that count no more."""

    ids: tuple[str, ...]
    vectors: Vectors
    gone: frozenset[str]

    def __len__(self) -> int:
        return len(self.ids) + len(self.gone)

    @classmethod
    def empty(cls, dimension: int) -> Delta:
        """No change."""
        return cls((), np.empty((0, dimension), dtype=np.float32), frozenset())

    def then(self, gone: Iterable[str], ids: Sequence[str], vectors: Vectors) -> Delta:
        """This change followed by another: `gone` is taken away, then `ids` with their `vectors` are added."""
        taken = frozenset(gone)
        kept = [row for row, id in enumerate(self.ids) if id not in taken]
        return Delta(
            (*(self.ids[row] for row in kept), *ids),
            np.concatenate((self.vectors[kept], vectors)).astype(np.float32),
            self.gone | (taken - frozenset(self.ids)),
        )


def write_deltas(path: Path, deltas: dict[str, Delta]) -> None:
    """Write the changes of several collections, by name, to one file."""
    arrays: dict[str, np.ndarray] = {}
    for name, delta in deltas.items():
        arrays[f"{name}.ids"] = _packed(delta.ids)
        arrays[f"{name}.gone"] = _packed(sorted(delta.gone))
        arrays[f"{name}.vectors"] = delta.vectors.astype(np.float16)
    np.savez(path, **arrays)  # type: ignore[arg-type]


def read_deltas(path: Path, names: Iterable[str]) -> dict[str, Delta]:
    """Read what `write_deltas` wrote."""
    with np.load(path) as stored:
        return {
            name: Delta(
                _unpacked(stored[f"{name}.ids"]),
                stored[f"{name}.vectors"].astype(np.float32),
                frozenset(_unpacked(stored[f"{name}.gone"])),
            )
            for name in names
        }


def _packed(ids: Sequence[str]) -> np.ndarray:
    return np.frombuffer("\n".join(ids).encode(), dtype=np.uint8)


def _unpacked(packed: np.ndarray) -> tuple[str, ...]:
    text = packed.tobytes().decode()
    return tuple(text.split("\n")) if text else ()
