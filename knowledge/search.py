"""Hybrid search over a generation: dense vectors and BM25, fused by standardised scores.

Rank fusion would throw away how sure each list is, and ruins search across languages; scores are
standardised for each question over the same candidates and added, the dense list weighing more.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.calibration import Calibration
from knowledge.encoders import Encoder
from knowledge.gazetteer import EU, Entities
from knowledge.generation import Generation, Neighbours
from knowledge.models import Document, Passage
from knowledge.normalise import fold, words

SECOND_LANGUAGE = "en"
"""What most readers of other languages can make something of, and most passages are in."""

NEAREST_PASSAGES = 250
NEAREST_FORMS = 250
LEXICAL_CANDIDATES = 40
RERANKED = 24
REMEMBERED_PASSAGES = 1_024
RARE_WORDS = 2.0
"""The most that the question's own words, all in one short line, add to a passage, in standard deviations."""
LINE_WORDS = 30
"""A line of this length counts half: in a row of a table words belong together, in a long paragraph less."""

Scores = npt.NDArray[np.float32]
Lines = tuple[tuple[frozenset[str], int], ...]
"""The words of each line, and how many they are."""


@dataclass(frozen=True)
class Hit:
    """A passage that may answer, with its scores: `score` fused and steered, `dense` best cosine, `lexical` BM25."""

    passage: Passage
    document: Document
    score: float
    dense: float
    lexical: float


@dataclass(frozen=True)
class Evidence:
    """What was found for a question.

    `hits` are the best passages, one a document, best first. `features` are the signals from which
    `confidence` (0 to 1, that the first hit answers) is computed. `intents` gives for each intent that is
    no question for us the cosine similarity of its nearest example.
    """

    hits: tuple[Hit, ...]
    confidence: float
    features: dict[str, float] = field(default_factory=dict)
    intents: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class HybridSearch:
    """Search one generation with one encoder."""

    def __init__(self, generation: Generation, encoder: Encoder, calibration: Calibration) -> None:
        self.generation = generation
        self._encoder = encoder
        self._calibration = calibration
        documents = [generation.documents[passage.document] for passage in generation.passages]
        self._documents = documents
        self._about = [_subjects(document) for document in documents]
        self._languages = [
            frozenset((document.language, *passage.translations))
            for document, passage in zip(documents, generation.passages, strict=True)
        ]
        self.hidden: frozenset[str] = frozenset()
        """Ids of documents that are not shown although the generation holds them."""
        self.boundaries = calibration.boundaries
        self.vocabulary = generation.vocabulary
        self._lines: dict[int, Lines] = {}

    def search(
        self, question: str, entities: Entities = Entities(), limit: int = 8, language: str = SECOND_LANGUAGE
    ) -> Evidence:
        """Find the passages that answer `question`, in whatever language they are.

        `entities` steer towards documents about them; of equals what can be read in `language` (ISO 639-1) comes
        first, then what is in English.
        """
        started = time.perf_counter()
        vector = self._encoder.encode([question], "query")[0]
        encoded = time.perf_counter()
        texts = self.generation.nearest_passages(vector, NEAREST_PASSAGES)
        forms = self.generation.nearest_forms(vector, NEAREST_FORMS)
        lexical = self.generation.lexical.scores(question)
        dense, best_form = self._dense(len(lexical), texts, forms)
        top = min(LEXICAL_CANDIDATES, len(lexical))
        candidates = np.unique(np.concatenate((texts.rows, forms.rows, np.argpartition(lexical, -top)[-top:])))
        weight = self._calibration.dense_weight
        fused = (weight * _standardised(dense[candidates]) + _standardised(lexical[candidates])) / (weight + 1)
        fused += self._steer(candidates, entities)
        fused += self._prefer_language(candidates, language)
        self._prefer_rare_words(question, candidates, fused)
        hits = self._best(candidates, fused, best_form, lexical, limit)
        intents = self.generation.intents.similarities(vector)
        features = self._features(question, hits, intents, entities)
        seconds = {"encode": encoded - started, "search": time.perf_counter() - encoded}
        return Evidence(hits, self._calibration.confidence(features), features, intents, seconds)

    def _dense(self, passages: int, texts: Neighbours, forms: Neighbours) -> tuple[Scores, Scores]:
        """For each passage the blend of its text's and its best question form's cosine, and the better of both.

        What is not among the neighbours gets the least that was found: it is no nearer than that.
        """
        text = np.full(passages, texts.cosines.min(), dtype=np.float32)
        text[texts.rows] = texts.cosines
        form = np.full(passages, forms.cosines.min(), dtype=np.float32)
        np.maximum.at(form, forms.rows, forms.cosines)
        best = np.maximum(text, form)
        share = self._calibration.passage_share
        return (share * text + (1 - share) * best).astype(np.float32), best

    def _steer(self, rows: npt.NDArray[Any], entities: Entities) -> Scores:
        """For each passage in `rows`: what is about a thing named gains, what is about another of its kind loses."""
        asked = _subjects(entities)
        steering = self._calibration.steering
        weights = (steering.platform, steering.payment, steering.country, steering.market)
        scores = np.zeros(len(rows), dtype=np.float32)
        for place, row in enumerate(rows):
            for about, named, weight in zip(self._about[row], asked, weights, strict=True):
                if about and named:
                    scores[place] += -weight if about.isdisjoint(named) else weight
                elif about:
                    scores[place] -= steering.unasked * weight
        return scores

    def _prefer_language(self, rows: npt.NDArray[Any], language: str) -> Scores:
        """For each passage in `rows`: whole weight when it can be read in `language`, half when in English."""
        readable = np.array(
            [
                1.0 if language in self._languages[row] else 0.5 if SECOND_LANGUAGE in self._languages[row] else 0.0
                for row in rows
            ],
            dtype=np.float32,
        )
        return np.asarray(self._calibration.steering.language * readable, dtype=np.float32)

    def _prefer_rare_words(self, question: str, rows: npt.NDArray[Any], fused: Scores) -> None:
        """Raise the best of `rows` by the share of the question's words that stand in them, rare words counting most.

        Meaning and trigrams tell a table of opening hours from a list of fees, but hardly one office's name from
        another's.
        """
        total = len(self._documents)
        asked = {word for word in words(fold(question)) if len(word) > 2 and word in self.vocabulary}
        weights = {word: math.log(1 + total / self.vocabulary[word]) ** 2 for word in asked}
        whole = sum(weights.values())
        if not whole:
            return
        for place in np.argsort(-fused)[:RERANKED]:
            lines = [(weights.keys() & line, length) for line, length in self._lines_of(int(rows[place]))]
            anywhere = sum(weights[word] for word in set().union(*(line for line, _ in lines)))
            together = max(sum(weights[word] for word in line) / (1 + length / LINE_WORDS) for line, length in lines)
            fused[place] += RARE_WORDS * (anywhere + together) / (2 * whole)

    def _features(
        self, question: str, hits: tuple[Hit, ...], intents: dict[str, float], entities: Entities
    ) -> dict[str, float]:
        """The signals of confidence: how near the best passage is, and how near what is off our subject.

        Unsafe wishes are near our subject by nature; the boundaries tell them apart, not the confidence.
        """
        best = max(hit.dense for hit in hits[:3])
        said = [word for word in words(fold(question)) if len(word) > 2]
        unknown = sum(not self._knows(word) for word in said) / max(len(said), 1)
        return {
            "dense": best,
            "margin": best - max((s for name, s in intents.items() if not name.startswith("unsafe-")), default=0.0),
            "lexical": max(hit.lexical for hit in hits[:3]) / max(len(question), 12),
            "unknown": unknown,
            "named": float(bool(entities)),
        }

    def _knows(self, word: str) -> bool:
        """Whether `word` stands in a document; "d'échantillons" is known when "échantillons" is."""
        return word in self.vocabulary or word.partition("'")[2] in self.vocabulary

    def _lines_of(self, row: int) -> Lines:
        """The lines of a passage and its question forms; those asked for lately are remembered."""
        found = self._lines.get(row)
        if found is None:
            split = (words(line) for line in fold(self.generation.passages[row].searchable).split("\n"))
            found = tuple((frozenset(line), len(line)) for line in split if line)
            if len(self._lines) >= REMEMBERED_PASSAGES:
                self._lines.clear()
            self._lines[row] = found
        return found

    def _best(
        self, candidates: npt.NDArray[Any], fused: Scores, dense: Scores, lexical: Scores, limit: int
    ) -> tuple[Hit, ...]:
        hits: dict[str, Hit] = {}
        today = datetime.now(UTC).date()
        for at in np.argsort(-fused):
            row = int(candidates[at])
            document = self._documents[row]
            if document.id not in hits and document.id not in self.hidden and not document.is_expired(today):
                hits[document.id] = Hit(
                    self.generation.passages[row], document, float(fused[at]), float(dense[row]), float(lexical[row])
                )
                if len(hits) == limit:
                    break
        return tuple(hits.values())


def _standardised(scores: Scores) -> Scores:
    spread = float(scores.std())
    return (scores - scores.mean()) / spread if spread > 1e-6 else np.zeros_like(scores)


def _subjects(about: Document | Entities) -> tuple[frozenset[str], ...]:
    """Platforms, payment services, sellers' countries and markets; a member of the EU is also the EU."""
    union = {"EU"} if EU.intersection(about.markets) else set()
    return (
        frozenset(about.platforms),
        frozenset(about.payments),
        frozenset(about.countries),
        frozenset(about.markets) | union,
    )
