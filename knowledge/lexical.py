"""BM25 over character trigrams: word search that works in every script, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt

from knowledge.normalise import fold, words


def trigrams(text: str) -> list[str]:
    """The character trigrams of each word of `text`, word boundaries marked by spaces.

    Splitting on words would break Devanagari and cannot cut Chinese or Thai (measured on XQuAD).
    """
    grams: list[str] = []
    for word in words(fold(text)):
        padded = f" {word} "
        grams.extend(padded[at : at + 3] for at in range(len(padded) - 2))
    return grams


class LexicalIndex:
    """BM25 scores of a question against texts kept in the order given at building."""

    def __init__(self, bm25: bm25s.BM25) -> None:
        self._bm25 = bm25

    @classmethod
    def build(cls, texts: Sequence[str]) -> LexicalIndex:
        """Index `texts`; there must be at least one with a word in it."""
        bm25 = bm25s.BM25(method="lucene")
        bm25.index([trigrams(text) for text in texts], show_progress=False)
        return cls(bm25)

    def save(self, folder: Path) -> None:
        """Write the index below `folder`."""
        self._bm25.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Read an index that `save` wrote."""
        return cls(bm25s.BM25.load(folder, load_corpus=False))

    def scores(self, question: str) -> npt.NDArray[np.float32]:
        """One BM25 score (0 or more) for each text; all zero when nothing is shared."""
        known = [gram for gram in trigrams(question) if gram in self._bm25.vocab_dict]
        if not known:
            return np.zeros(int(self._bm25.scores["num_docs"]), dtype=np.float32)
        return np.asarray(self._bm25.get_scores(known), dtype=np.float32)
