"""Fit an encoder's calibration on the tuning half of the evaluation set."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from ingest.evaluate import Question, Result, ask
from ingest.sync import sync
from ingest.vectors import VectorCache
from knowledge.calibration import CALIBRATION, Boundaries, Calibration, Steering, load_calibration
from knowledge.encoders import Encoder, Role, Vectors, load_encoder
from knowledge.gazetteer import Gazetteer
from knowledge.generation import Generation, open_current
from knowledge.search import HybridSearch
from knowledge.settings import Settings

FEATURES = ("dense", "margin", "lexical", "unknown", "named")
MOST_GOOD_REFUSED = 0.02
"""Share of the good questions that may be refused on the tuning half: well below the bar of 0.05: halves differ."""
DENSE_WEIGHTS = (0.7, 1.0, 1.5, 2.5)
PASSAGE_SHARES = (0.3, 0.5, 0.7)
STEERINGS = tuple(
    Steering(platform=thing, payment=thing, country=country, market=market, unasked=0.1)
    for thing in (0.3, 0.6)
    for country in (0.6, 1.0, 1.5)
    for market in (0.3, 0.6)
)
INTENT_LEADS = np.arange(-0.03, 0.0401, 0.0025)
LEAD_GROUPS = ("unsafe", "live-lookup", "vague", "out-of-scope", "instructions", "abuse")
MOST_FORMS_TAKEN, FORMS_SAMPLED = 0.01, 3_000
GOOD_LOST = 1.5
"""How many rightly declined messages a wrongly declined question outweighs."""


def fit_fusion(
    results: Sequence[Result],
    rephrased: Sequence[Result],
    generation: Generation,
    encoder: Encoder,
    before: Calibration,
) -> Calibration:
    """The fusion weights that find most on the tuning half, languages counting alike.

    `rephrased` are the same questions in other words: that the first document is then the same one counts too.
    """
    remembering = _Remembering(encoder)
    gazetteer = Gazetteer(generation.facts, generation.vocabulary)
    asked = [
        (result.question, result.searched, gazetteer.find(result.searched, result.question.lang))
        for result in (*results, *rephrased)
        if result.question.relevant
    ]
    best, best_quality = before, -1.0
    for dense_weight, passage_share, steering in itertools.product(DENSE_WEIGHTS, PASSAGE_SHARES, STEERINGS):
        tried = before.model_copy(
            update={"dense_weight": dense_weight, "passage_share": passage_share, "steering": steering}
        )
        search = HybridSearch(generation, remembering, tried)
        found: dict[str, list[float]] = {}
        first: dict[str, str] = {}
        for question, text, entities in asked:
            documents = [hit.document.id for hit in search.search(text, entities, limit=3, language=question.lang).hits]
            right = [document in question.relevant for document in documents]
            alike = first.setdefault(question.id, documents[0]) == documents[0]
            found.setdefault(question.lang, []).append(0.7 * any(right) + 0.2 * right[0] + 0.1 * alike)
        means = [sum(scores) / len(scores) for scores in found.values()]
        quality = sum(means) / len(means) + 0.2 * min(means)  # no language is left behind for the others
        if quality > best_quality + 1e-9:
            best, best_quality = tried, quality
    return best


class _Remembering(Encoder):
    """An encoder that encodes each question once."""

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner
        self.fingerprint = inner.fingerprint
        self._known: dict[str, Vectors] = {}

    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        for text in texts:
            if text not in self._known:
                self._known[text] = self._inner.encode([text], role)[0]
        return np.stack([self._known[text] for text in texts])


def fit_confidence(results: Sequence[Result], before: Calibration, least: dict[str, float]) -> Calibration:
    """The calibration that refuses most of what must be refused while few good questions are.

    `results` are those of the tuning half. Confidence is a logistic regression on the features of the
    evidence; boundaries are then searched over their values on the same half, no lead below `least`.
    """
    tuning = [result for result in results if result.question.half == "tune" and result.features]
    features = np.array([[result.features[name] for name in FEATURES] for result in tuning])
    good = np.array([result.question.expect == "answer" for result in tuning])
    centre, spread = features.mean(axis=0), features.std(axis=0).clip(min=1e-6)
    model = LogisticRegression(class_weight="balanced", C=1.0).fit((features - centre) / spread, good)
    weights = model.coef_[0] / spread
    bias = float(model.intercept_[0] - (weights * centre).sum())
    fitted = before.model_copy(
        update={
            "weights": {name: round(float(weight), 4) for name, weight in zip(FEATURES, weights, strict=True)},
            "bias": round(bias, 4),
            "fitted_on": f"{len(tuning)} questions, {int(good.sum())} of them with an answer",
        }
    )
    confidence = np.array([fitted.confidence(result.features) for result in tuning])
    return fitted.model_copy(update={"boundaries": _boundaries(tuning, good, confidence, least)})


def least_leads(generation: Generation, data_dir: Path, encoder: Encoder) -> dict[str, float]:
    """The lead each group of intents needs so that few of the documents' own question forms are taken for it.

    Each form is asked as if its document were not there: a question that we almost cover is still a question
    for us. `MOST_FORMS_TAKEN` of a sample of the forms may be lost to a group.
    """
    forms = [(passage.document, form) for passage in generation.passages for form in passage.questions]
    documents = np.array([document for document, _ in forms])
    with VectorCache(data_dir, encoder.fingerprint) as cache:
        vectors = cache.encode(encoder, [form for _, form in forms], "query")
    sample = np.random.default_rng(0).choice(len(forms), min(FORMS_SAMPLED, len(forms)), replace=False)
    near = vectors[sample] @ vectors.T
    near[documents[sample][:, None] == documents[None, :]] = -1.0
    best = near.max(axis=1)
    intents = [generation.intents.similarities(vector) for vector in vectors[sample]]
    nearest = np.array([max(found, key=found.__getitem__) for found in intents])
    ahead = np.array([max(found.values()) for found in intents]) - best
    return {
        group: float(np.quantile(np.where(np.char.startswith(nearest, group), ahead, -1.0), 1 - MOST_FORMS_TAKEN))
        for group in LEAD_GROUPS
    }


def _boundaries(
    tuning: Sequence[Result], good: np.ndarray, confidence: np.ndarray, least: dict[str, float]
) -> Boundaries:
    best = np.array([result.features["dense"] for result in tuning])
    nearest = [max(result.intents, key=result.intents.__getitem__) for result in tuning]
    ahead = np.array([max(result.intents.values()) for result in tuning]) - best
    leads, caught = {}, np.zeros(len(tuning), dtype=bool)
    for group in LEAD_GROUPS:
        of_group = np.array([name.startswith(group) for name in nearest])

        def gain(lead: float, of_group: np.ndarray = of_group) -> float:
            taken = of_group & (ahead > lead)
            return float((taken & ~good).sum() - GOOD_LOST * (taken & good).sum() - abs(lead))

        leads[group] = round(max(float(max(INTENT_LEADS, key=gain)), least[group]), 4)
        caught |= of_group & (ahead > leads[group])
    allowed = MOST_GOOD_REFUSED * good.sum() - (caught & good).sum()
    left = np.sort(confidence[good & ~caught])
    answer_above = float(left[int(max(allowed, 0))]) if len(left) else 0.5
    return Boundaries(answer_above=round(answer_above - 1e-4, 4), ask_above=round(answer_above * 0.6, 4), leads=leads)


def save(calibration: Calibration, folder: Path = CALIBRATION) -> Path:
    """Write the calibration to its encoder's file."""
    path = folder / f"{calibration.encoder.replace('/', '--')}.yaml"
    head = "# Written by `python -m ingest evaluate --fit`; fitted on the tuning half of the evaluation set.\n"
    path.write_text(head + yaml.safe_dump(calibration.model_dump(mode="json"), sort_keys=False), encoding="utf-8")
    return path


def fit_encoder(settings: Settings, questions: Sequence[Question]) -> Path:
    """Fit the calibration of the encoder set on the tuning half: fusion first, then confidence; save it."""
    encoder = load_encoder(settings.embedding_model)
    sync(settings, encoder)
    generation = open_current(settings.data_dir, encoder.fingerprint)
    tuning = [(question, question.turns) for question in questions if question.half == "tune"]
    rephrased = [(question, (*question.turns[:-1], words)) for question, _ in tuning for words in question.paraphrases]
    environment = {"DATA_DIR": str(settings.data_dir.resolve()), "EMBEDDING_MODEL": settings.embedding_model}
    before = load_calibration(encoder.fingerprint).model_copy(update={"encoder": encoder.fingerprint.model})
    asked = ask([*tuning, *rephrased], environment).results
    save(fit_fusion(asked[: len(tuning)], asked[len(tuning) :], generation, encoder, before))
    fused = load_calibration(encoder.fingerprint)
    least = least_leads(generation, settings.data_dir, encoder)
    return save(fit_confidence(ask(tuning, environment).results, fused, least))
