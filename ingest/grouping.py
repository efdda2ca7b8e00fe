"""Group questions by meaning, whatever their words and language.

E5's cosines are squeezed: any two questions are 0.8 alike. So the mean of the known questions of its language is taken
off each vector (what is left is what the question is about, not that it is a question, nor its language), and
likeness is counted in spreads: how far two questions about different things usually are from none. Naming the same
service, or different ones, counts too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.vectors import VectorCache
from knowledge.encoders import Vectors
from knowledge.gazetteer import Gazetteer
from knowledge.generation import GenerationError, read_documents, read_facts, read_vocabulary

ALIKE = 4.6
"""Questions whose average likeness is at least this are about the same thing. Fitted on the tuning half of
`tests/eval/questions` (of its pairs that come together 0.93 belong together, of those that belong 0.37 do); on the
reporting half it is 0.80 and 0.31. Precision first: a group that is two is seen, a group of two subjects misleads."""

SAME_SERVICE, OTHER_SERVICE = 0.5, -2.0
"""Added to the likeness of questions that both name platforms or payment services, the same or others."""

FEWEST_FORMS = 30
"""Of a language with fewer known questions the mean is not known; that of all stands in."""

SAMPLE = 50_000
BLOCK = 512
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Measure:
    """How alike questions are, measured against the questions that a generation knows."""

    centres: dict[str, Vectors]
    centre: Vectors
    spread: float
    gazetteer: Gazetteer

    @classmethod
    def of(cls, folder: Path, cache: VectorCache) -> Measure:
        """The measure that the generation in `folder` gives; its questions have been encoded when it was built.

        Raises:
            GenerationError: it was built with another encoder.
        """
        of: list[str] = []
        spoken: list[str] = []
        kept = []
        for document in read_documents(folder):
            for language, texts in document.questions.items():
                for text in texts:
                    with suppress(KeyError):  # the generation of another encoder; none is encoded here
                        kept.append(cache.vector(text, "query"))
                        of.append(document.id)
                        spoken.append(language)
        if len(set(of)) < 2:
            raise GenerationError("there is no index for this encoder yet: run `python -m ingest sync`")
        vectors = np.asarray(kept, dtype=np.float32)
        languages = np.array(spoken)
        centres = {
            str(language): vectors[languages == language].mean(axis=0)
            for language in np.unique(languages)
            if (languages == language).sum() >= FEWEST_FORMS
        }
        gazetteer = Gazetteer(read_facts(folder), frozenset(read_vocabulary(folder)))
        measure = cls(centres, vectors.mean(axis=0), 1.0, gazetteer)
        spread = _spread(measure.centred(vectors, spoken), of)
        return cls(centres, measure.centre, spread, gazetteer)

    def centred(self, vectors: Vectors, languages: Sequence[str]) -> Vectors:
        """`vectors` without what all questions of their language share, of length one."""
        centres = np.array([self.centres.get(language, self.centre) for language in languages], dtype=np.float32)
        moved = vectors - centres.reshape(vectors.shape)
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True).clip(min=1e-6), dtype=np.float32)

    def likeness(self, centred: Vectors, texts: Sequence[str], languages: Sequence[str]) -> Vectors:
        """How alike each two questions are, in spreads."""
        alike = np.asarray(centred @ centred.T, dtype=np.float32)
        alike /= self.spread
        named = self._named(texts, languages)
        names_any: Flags = np.asarray(named.any(axis=1))
        for start in range(0, len(alike), BLOCK):  # in parts: of 5,000 questions the whole takes 100 MB
            part = slice(start, start + BLOCK)
            shared = named[part].astype(np.float32) @ named.T.astype(np.float32) > 0
            both = names_any[part, None] & names_any[None, :]
            alike[part] += np.where(shared, SAME_SERVICE, np.where(both, OTHER_SERVICE, 0.0)).astype(np.float32)
        return alike

    def _named(self, texts: Sequence[str], languages: Sequence[str]) -> Flags:
        found = [self.gazetteer.find(text, language) for text, language in zip(texts, languages, strict=True)]
        services = [frozenset((*entities.platforms, *entities.payments)) for entities in found]
        columns = {id: column for column, id in enumerate(sorted(frozenset().union(*services)))}
        named = np.zeros((len(texts), max(len(columns), 1)), dtype=np.bool_)
        for row, ids in enumerate(services):
            named[row, [columns[id] for id in ids]] = True
        return named


def _spread(centred: Vectors, documents: Sequence[str]) -> float:
    """The standard deviation of the cosine of questions about different documents."""
    chosen = np.random.default_rng(0).integers(0, len(documents), (2, SAMPLE))
    of = np.array(documents)
    first, second = chosen[:, of[chosen[0]] != of[chosen[1]]]
    return max(float(np.einsum("ij,ij->i", centred[first], centred[second]).std()), 1e-3)


def average_link(alike: Vectors, weights: Sequence[int], threshold: float = ALIKE) -> npt.NDArray[np.int64]:
    """The number of the group of each row: agglomerative clustering by average link, cut at `threshold`.

    By chains of nearest neighbours, in time quadratic in the rows; overwrites `alike`. `weights` are how often each
    row counts.
    """
    groups = np.arange(len(alike))
    sizes = np.asarray(weights, dtype=np.float32).copy()
    np.fill_diagonal(alike, -np.inf)
    is_open = np.ones(len(alike), dtype=np.bool_)
    chain: list[int] = []
    while True:
        if not chain:
            left = np.flatnonzero(is_open)
            if not len(left):
                return groups
            chain.append(int(left[0]))
        tip = chain[-1]
        nearest = int(alike[tip].argmax())
        before = chain[-2] if len(chain) > 1 else None
        if before is not None and alike[tip, before] >= alike[tip, nearest]:
            nearest = before
        if alike[tip, nearest] < threshold:  # others that merge only get less alike to it: it stays as it is
            is_open[chain.pop()] = False
            alike[tip, :] = alike[:, tip] = -np.inf
        elif nearest == before:
            del chain[-2:]
            share = sizes[tip] / (sizes[tip] + sizes[nearest])
            merged = share * alike[tip] + (1 - share) * alike[nearest]
            merged[[tip, nearest]] = -np.inf
            alike[nearest, :] = alike[:, nearest] = merged
            alike[tip, :] = alike[:, tip] = -np.inf
            sizes[nearest] += sizes[tip]
            groups[groups == groups[tip]] = groups[nearest]
            is_open[tip] = False
        else:
            chain.append(nearest)
