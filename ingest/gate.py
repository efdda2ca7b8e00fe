"""Build the next generation, measure its answers beside those of the one in use, and switch only if they are as good.

The candidate is built inside `generations/.building-gate`, a data folder of its own: nothing else ever opens it there,
and whatever is left of it after a crash is cleared away by the next build. It becomes a generation by a rename, after
it has been measured.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ingest.evaluate import Abstention, Question, Result, Retrieval, abstention, ask, by
from ingest.index import Inputs, Progress, build, clear_unused, is_current, switch, writing
from ingest.inputs import read_inputs
from ingest.publishing import heal, release
from knowledge.documents import Problem
from knowledge.encoders import Encoder
from knowledge.generation import GenerationError, Manifest, current, verify
from knowledge.settings import Settings

LEAST_QUESTIONS = 20
"""A language with fewer questions is shown but does not decide: one answer would be more than 5 points."""

ALLOWED_QUESTIONS = 1
"""So many questions may be lost on balance: one that was a near thing before tells nothing."""

ALLOWED_DEVIATIONS = 1.0
"""The same questions are asked of both, so what counts is those whose outcome turned. If neither is better, each turns
to good or bad like a coin, and gains less losses have the square root of their number as standard deviation. A loss
within one deviation is taken for chance: a measure then falls for about one in six of the candidates that are no worse,
which costs a look at a list; with two deviations one that lost three answers and gained none would pass.
"""


class Decision(StrEnum):
    """How it ended; `FIRST`: there was no generation in use that could be measured."""

    UNCHANGED = "unchanged"
    FIRST = "first"
    SWITCHED = "switched"
    REFUSED = "refused"


@dataclass(frozen=True)
class Tolerance:
    """What is taken for chance; see `ALLOWED_QUESTIONS` and `ALLOWED_DEVIATIONS`."""

    questions: int = ALLOWED_QUESTIONS
    deviations: float = ALLOWED_DEVIATIONS

    def allows(self, gained: int, lost: int) -> bool:
        """True when losing `lost` answers and gaining `gained` is within chance."""
        return lost - gained <= max(self.questions, self.deviations * math.sqrt(gained + lost))


@dataclass(frozen=True)
class Measure:
    """One thing that must not fall: which questions turned, out of how many."""

    name: str
    questions: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    fallen: bool


@dataclass(frozen=True)
class Quality:
    """The answers of one generation."""

    results: Sequence[Result]

    @property
    def by_language(self) -> dict[str, Retrieval]:
        """Retrieval by language and over all."""
        return by(self.results, lambda result: result.question.lang) | by(self.results, lambda _: "all")

    @property
    def abstention(self) -> Abstention:
        """Refusals."""
        return abstention(self.results)


@dataclass(frozen=True)
class Verdict:
    """What the gate decided and on what grounds. `manifest`: of the generation in use now."""

    decision: Decision
    problems: list[Problem]
    manifest: Manifest | None = None
    before: Quality | None = None
    after: Quality | None = None
    measures: list[Measure] = field(default_factory=list)

    @property
    def worse(self) -> list[tuple[Result, Result]]:
        """Before and after of each question that some measure lost."""
        return self._pairs({id for measure in self.measures for id in measure.lost})

    @property
    def better(self) -> list[tuple[Result, Result]]:
        """Before and after of each question that some measure gained."""
        return self._pairs({id for measure in self.measures for id in measure.gained})

    def _pairs(self, ids: set[str]) -> list[tuple[Result, Result]]:
        if self.before is None or self.after is None:
            return []
        pairs = zip(self.before.results, self.after.results, strict=True)
        return [(old, new) for old, new in pairs if old.question.id in ids]


def pass_gate(
    settings: Settings,
    encoder: Encoder,
    questions: Sequence[Question],
    tolerance: Tolerance,
    progress: Progress = lambda *_: None,
) -> Verdict:
    """Bring the index in line with the documents, if its answers do not get worse by that.

    All questions are asked, of both halves: the ids of those that got worse say what to look at, and nothing is fitted.

    Raises:
        BusyError: another ingest is at work.
        EvaluationError: the questions cannot be asked.
        GenerationError: not one document is valid.
    """
    heal(settings)
    with writing(settings.data_dir):
        inputs, problems = read_inputs(settings)
        in_use = _sound(settings.data_dir)
        if in_use is not None and is_current(settings.data_dir, inputs, encoder):
            return Verdict(Decision.UNCHANGED, problems, in_use)
        with _candidate(settings, inputs, encoder, progress) as (room, candidate):
            if in_use is None:
                _put_in_use(settings.data_dir, room, candidate)
                return Verdict(Decision.FIRST, problems, candidate)
            before = _measure(settings.data_dir, in_use, questions, progress, "asking the one in use")
            after = _measure(room, candidate, questions, progress, "asking the next one")
            measures = compare(before.results, after.results, tolerance)
            if any(measure.fallen for measure in measures):
                return Verdict(Decision.REFUSED, problems, in_use, before, after, measures)
            _put_in_use(settings.data_dir, room, candidate)
            return Verdict(Decision.SWITCHED, problems, candidate, before, after, measures)


def _sound(data_dir: Path) -> Manifest | None:
    folder = current(data_dir)
    try:
        return verify(folder) if folder is not None else None
    except GenerationError:
        return None


@contextmanager
def _candidate(
    settings: Settings, inputs: Inputs, encoder: Encoder, progress: Progress
) -> Iterator[tuple[Path, Manifest]]:
    """A data folder whose generation in use is a new one, built on ours; it is gone afterwards."""
    data_dir = settings.data_dir.resolve()
    room = data_dir / "generations" / ".building-gate"
    shutil.rmtree(room, ignore_errors=True)
    (room / "generations").mkdir(parents=True)
    (data_dir / "vectors").mkdir(exist_ok=True)
    (room / "vectors").symlink_to(data_dir / "vectors")
    if (data_dir / "WITHDRAWN").is_file():
        shutil.copy(data_dir / "WITHDRAWN", room / "WITHDRAWN")
    if (in_use := current(data_dir)) is not None and in_use.is_dir():
        (room / "generations" / in_use.name).symlink_to(in_use)  # what did not change is taken from it
        switch(room, in_use.name)
    try:
        yield room, build(room, inputs, encoder, progress, model_name=settings.embedding_model)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _put_in_use(data_dir: Path, room: Path, candidate: Manifest) -> None:
    (room / "generations" / candidate.name).rename(data_dir / "generations" / candidate.name)
    switch(data_dir, candidate.name)
    release(data_dir)
    clear_unused(data_dir)


def _measure(
    data_dir: Path, manifest: Manifest, questions: Sequence[Question], progress: Progress, step: str
) -> Quality:
    environment = {"DATA_DIR": str(data_dir.resolve()), "EMBEDDING_MODEL": manifest.embedding_model}
    asked = [(question, question.turns) for question in questions]
    run = ask(asked, environment, lambda done, total: progress(step, done, total))
    return Quality(run.results)


def compare(before: Sequence[Result], after: Sequence[Result], tolerance: Tolerance) -> list[Measure]:
    """What must not fall: the right document among the first three, over all questions that have an answer and in each
    language with enough of them; and whether what should be answered is, and what should not is not.

    `before` and `after` are of the same questions in the same order.
    """
    pairs = list(zip(before, after, strict=True))
    answerable = [pair for pair in pairs if pair[0].question.expect == "answer"]
    groups = {"all": answerable}
    for language in sorted({old.question.lang for old, _ in answerable}):
        of_language = [pair for pair in answerable if pair[0].question.lang == language]
        if len(of_language) >= LEAST_QUESTIONS:
            groups[language] = of_language
    measures = [_turned(f"hit@3 {name}", group, _is_found, tolerance) for name, group in groups.items()]
    return [*measures, _turned("answered or declined rightly", pairs, _is_answered_rightly, tolerance)]


def _turned(
    name: str, pairs: list[tuple[Result, Result]], is_good: Callable[[Result], bool], tolerance: Tolerance
) -> Measure:
    gained = tuple(old.question.id for old, new in pairs if is_good(new) and not is_good(old))
    lost = tuple(old.question.id for old, new in pairs if is_good(old) and not is_good(new))
    return Measure(name, len(pairs), gained, lost, not tolerance.allows(len(gained), len(lost)))


def _is_found(result: Result) -> bool:
    return result.rank is not None and result.rank <= 3


def _is_answered_rightly(result: Result) -> bool:
    return result.refused != (result.question.expect == "answer")
