"""BM25 over character trigrams: word search that works in every script, without a model."""

from __future__ import annotations

import hashlib
import logging
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.normalise import fold, runs

Ids = npt.NDArray[np.int32]


def trigrams(text: str) -> list[str]:
    """The character trigrams of each word of `text`, word boundaries marked by spaces; of Chinese the bigrams, for most
    of its words have two characters.

    Splitting on words would break Devanagari and cannot cut Chinese or Thai (measured on XQuAD).
    """
    grams: list[str] = []
    for word, is_chinese in runs(fold(text)):
        padded, length = (word, 2) if is_chinese else (f" {word} ", 3)
        grams.extend(padded[at : at + length] for at in range(max(len(padded) - length + 1, 1)))
    return grams


class LexicalIndex:
    """BM25 scores of a question against texts kept in the order given at building."""

    def __init__(self, bm25: Any, average_length: float) -> None:
        self._bm25 = bm25
        self._average_length = average_length

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Read an index that `write_index` wrote."""
        bm25s = _library()
        return cls(bm25s.BM25.load(folder, load_corpus=False), _Grams.average_length(folder))

    def scores(self, question: str) -> npt.NDArray[np.float32]:
        """One BM25 score (0 or more) for each text; all zero when nothing is shared."""
        known = [gram for gram in trigrams(question) if gram in self._bm25.vocab_dict]
        if not known:
            return np.zeros(int(self._bm25.scores["num_docs"]), dtype=np.float32)
        return np.asarray(self._bm25.get_scores(known), dtype=np.float32)

    def scores_of(self, texts: Sequence[str]) -> TextScores:
        """Score other texts as if they stood in this index, whose word frequencies and lengths count."""
        return TextScores([self._weights(trigrams(text)) for text in texts])

    def _weights(self, grams: list[str]) -> dict[str, float]:
        """The BM25 score of each trigram of a text (Lucene's form, as bm25s has it)."""
        k1, b = float(self._bm25.k1), float(self._bm25.b)
        starts, texts = self._bm25.scores["indptr"], int(self._bm25.scores["num_docs"])
        length = k1 * (1 - b + b * len(grams) / self._average_length)
        weights = {}
        for gram, count in Counter(grams).items():
            number = self._bm25.vocab_dict.get(gram)
            holding = int(starts[number + 1] - starts[number]) if number is not None else 0
            weights[gram] = math.log(1 + (texts - holding + 0.5) / (holding + 0.5)) * count / (length + count)
        return weights


class TextScores:
    """BM25 scores of a few texts, trigram by trigram."""

    def __init__(self, weights: list[dict[str, float]]) -> None:
        self._weights = weights

    def scores(self, question: str) -> npt.NDArray[np.float32]:
        """One score for each text."""
        grams = trigrams(question)
        return np.array([sum(of.get(gram, 0.0) for gram in grams) for of in self._weights], dtype=np.float32)


def write_index(folder: Path, texts: Sequence[str], earlier: Path | None = None) -> LexicalIndex:
    """Index `texts`, at least one with a word in it, and write the index below `folder`.

    Cutting into trigrams takes longest: what the index in `earlier` has cut already is taken from there.
    """
    bm25s = _library()
    from bm25s.tokenization import Tokenized

    grams = _Grams.read(earlier) if earlier is not None else _Grams()
    rows = [grams.ids(text) for text in texts]
    bm25 = bm25s.BM25(method="lucene")
    bm25.index(Tokenized(ids=[row.tolist() for row in rows], vocab=dict(grams.numbers)), show_progress=False)
    bm25.save(folder, show_progress=False)
    grams.write(folder, texts, rows)
    return LexicalIndex(bm25, float(np.mean([len(row) for row in rows])))


def _library() -> Any:
    import bm25s  # a quarter of a second, and not every command needs it

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # on import it sets itself to tell everything
    return bm25s


class _Grams:
    """The trigrams of texts as numbers, by the hash of the text."""

    FILE = "trigrams.npz"

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._known: dict[bytes, Ids] = {}

    @classmethod
    def read(cls, folder: Path) -> _Grams:
        grams = cls()
        with np.load(folder / cls.FILE) as stored:
            names = stored["names"].tobytes().decode().split("\n")
            ends = np.cumsum(stored["lengths"])
            rows = np.split(stored["ids"], ends[:-1])
            keys = (row.tobytes() for row in stored["keys"])
            grams._known = dict(zip(keys, rows, strict=True))
        grams.numbers = {name: number for number, name in enumerate(names)}
        return grams

    @classmethod
    def average_length(cls, folder: Path) -> float:
        with np.load(folder / cls.FILE) as stored:
            return float(stored["lengths"].mean())

    def ids(self, text: str) -> Ids:
        known = self._known.get(_key(text))
        if known is not None:
            return known
        return np.array([self.numbers.setdefault(g, len(self.numbers)) for g in trigrams(text)], dtype=np.int32)

    def write(self, folder: Path, texts: Sequence[str], rows: Sequence[Ids]) -> None:
        np.savez(
            folder / self.FILE,
            names=np.frombuffer("\n".join(self.numbers).encode(), dtype=np.uint8),
            keys=np.array([np.frombuffer(_key(text), dtype=np.uint8) for text in texts]),
            lengths=np.array([len(row) for row in rows], dtype=np.int64),
            ids=np.concatenate(rows),
        )


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[:16]
