"""What was fitted for an encoder on the evaluation set: fusion weights and the measure of confidence.

Scores of different encoders are not comparable, so each encoder has its own file in `calibration/`,
written by `python -m ingest evaluate --fit`.
"""

from __future__ import annotations

import math
from pathlib import Path

import yaml
from pydantic import Field

from knowledge.encoders import Fingerprint
from knowledge.models import Strict
from knowledge.settings import ROOT

CALIBRATION = ROOT / "knowledge" / "calibration"
FALLBACK = "default"
DEFAULT_LEAD = 0.0


class Steering(Strict):
    """How much a named entity moves a document's fused score, in standard deviations."""

    platform: float = 0.6
    payment: float = 0.5
    country: float = 0.5
    market: float = 0.5
    language: float = Field(default=0.03, description="what the seller can read gains; half of it what is in English")
    unasked: float = Field(default=0.25, description="share of the weight lost by a document about a thing not named")


class Boundaries(Strict):
    """Where an answer begins.

    An answer is given from confidence `answer_above`; between `ask_above` and it the seller is asked what
    they mean. An intent that is no question for us wins when its nearest example is nearer than the best
    passage by more than its lead in `leads` (cosine; a group such as `unsafe` covers all that begin so).
    """

    answer_above: float = Field(ge=0, le=1)
    ask_above: float = Field(ge=0, le=1)
    leads: dict[str, float] = Field(default_factory=dict)

    def lead(self, intent: str) -> float:
        """The lead that `intent` needs; an intent without a fitted one needs `DEFAULT_LEAD`."""
        return self.leads.get(intent, self.leads.get(intent.split("-", 1)[0], DEFAULT_LEAD))


class Calibration(Strict):
    """Fitted on the tuning half of the evaluation set for one encoder.

    `weights` and `bias` are those of a logistic regression on `search.Evidence.features`.
    """

    encoder: str
    fitted_on: str
    dense_weight: float = 2.0
    passage_share: float = Field(
        default=0.5, ge=0, le=1, description="weight of the text against its best question form"
    )
    steering: Steering = Steering()
    weights: dict[str, float]
    bias: float
    boundaries: Boundaries

    def confidence(self, features: dict[str, float]) -> float:
        """The fitted probability (0 to 1) that a question with these features can be answered."""
        total = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def load_calibration(encoder: Fingerprint, folder: Path = CALIBRATION) -> Calibration:
    """The calibration of `encoder`, else the cautious default that refuses more than it should."""
    path = folder / f"{encoder.model.replace('/', '--')}.yaml"
    if not path.is_file():
        path = folder / f"{FALLBACK}.yaml"
    return Calibration.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
