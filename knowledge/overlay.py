"""A generation with one more document laid over it: what the bot would say if a draft were published.

Nothing is written and nothing in use changes, so it costs next to nothing to make one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from knowledge.encoders import Vectors
from knowledge.generation import Generation, Neighbours, vocabulary
from knowledge.lexical import LexicalIndex, TextScores
from knowledge.models import Document, Passage


class Overlay(Generation):
    """`base` with `document`, cut into `passages`, in the place of an earlier version of it.

    `text_vectors` are those of the passages, `form_vectors` those of all their question forms in order. It stays
    usable as long as `base` is open; closing it does nothing.
    """

    def __init__(
        self,
        base: Generation,
        document: Document,
        passages: Sequence[Passage],
        text_vectors: Vectors,
        form_vectors: Vectors,
    ) -> None:
        kept = [row for row, passage in enumerate(base.passages) if passage.document != document.id]
        self._base = base
        self._kept = np.array(kept, dtype=np.int64)
        self._place = np.full(len(base.passages), -1, dtype=np.int64)
        self._place[self._kept] = np.arange(len(kept))
        self._texts = text_vectors
        self._form_vectors = form_vectors
        self._text_rows = np.arange(len(kept), len(kept) + len(passages))
        self._form_rows = np.repeat(self._text_rows, [len(passage.questions) for passage in passages])
        super().__init__(
            folder=base.folder,
            manifest=base.manifest,
            documents={**base.documents, document.id: document},
            passages=[*(base.passages[row] for row in kept), *passages],
            facts=base.facts,
            vocabulary=dict(vocabulary(passages) + Counter(base.vocabulary)),
            lexical=_Both(
                base.lexical, self._kept, base.lexical.scores_of([passage.searchable for passage in passages])
            ),
            intents=base.intents,
            _client=None,
            _collections={},
            _deltas={},
        )

    def nearest_passages(self, vector: Vectors, count: int) -> Neighbours:
        """As `Generation.nearest_passages`."""
        return self._merged(self._base.nearest_passages(vector, count), self._texts, self._text_rows, vector)

    def nearest_forms(self, vector: Vectors, count: int) -> Neighbours:
        """As `Generation.nearest_forms`."""
        return self._merged(self._base.nearest_forms(vector, count), self._form_vectors, self._form_rows, vector)

    def _merged(self, found: Neighbours, vectors: Vectors, rows: npt.NDArray[np.int64], vector: Vectors) -> Neighbours:
        places = self._place[found.rows]
        is_kept = places >= 0
        cosines = np.concatenate((found.cosines[is_kept], (vectors @ vector).astype(np.float32)))
        order = np.argsort(-cosines)
        return Neighbours(np.concatenate((places[is_kept], rows))[order], cosines[order])

    def close(self) -> None:
        """The base is closed by whoever opened it."""


class _Both(LexicalIndex):
    def __init__(self, base: LexicalIndex, kept: npt.NDArray[np.int64], more: TextScores) -> None:
        self._base, self._kept, self._more = base, kept, more

    def scores(self, question: str) -> npt.NDArray[np.float32]:
        return np.concatenate((self._base.scores(question)[self._kept], self._more.scores(question)))
