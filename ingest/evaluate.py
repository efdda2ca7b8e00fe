"""Measure the answers: retrieval, abstention, speed, repeatability, and fit an encoder's calibration.

The questions are asked through the machine contract (`python -m bot ask`) in a process of its own, so that
what is measured is what sellers get. Half of the questions is for tuning, the report is on the other half.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from knowledge.models import LANGUAGES, Strict
from knowledge.settings import ROOT

QUESTIONS = ROOT / "tests" / "eval" / "questions"
Half = Literal["tune", "report"]


class EvaluationError(Exception):
    """The evaluation cannot run; the message says why."""


class Question(Strict):
    """A question with what a right answer needs.

    `turns` is a conversation whose last turn is measured. `relevant` names the documents that rightly
    answer, judged by reading them; it is empty for what must be declined or asked back.
    """

    id: str
    lang: Literal[LANGUAGES]  # type: ignore[valid-type]
    topic: str
    turns: tuple[str, ...] = Field(min_length=1)
    expect: Literal["answer", "decline", "ask_back"]
    needs: str
    relevant: tuple[str, ...] = ()
    paraphrases: tuple[str, ...] = ()

    @property
    def half(self) -> Half:
        """Which half of the set it belongs to; stable when questions are added."""
        return "tune" if hashlib.sha256(self.id.encode()).digest()[0] % 2 else "report"


def load_questions(folder: Path = QUESTIONS) -> list[Question]:
    """All evaluation questions; raises `EvaluationError` that names the file."""
    questions: list[Question] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            questions += TypeAdapter(list[Question]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError) as error:
            raise EvaluationError(f"{path}: {error}") from error
    if len({question.id for question in questions}) != len(questions):
        raise EvaluationError(f"{folder}: an id is used twice")
    return questions


@dataclass(frozen=True)
class Result:
    """A question and what came back: `searched` is it as understood, `ranking` lists document ids, best first."""

    question: Question
    kind: str
    intent: str
    language: str
    searched: str
    ranking: tuple[str, ...]
    confidence: float
    leading_source: str | None
    seconds: float
    features: dict[str, float]
    intents: dict[str, float]

    @property
    def rank(self) -> int | None:
        """The place (from 1) of the first document that rightly answers, or None."""
        for place, document in enumerate(self.ranking, 1):
            if document in self.question.relevant:
                return place
        return None

    @property
    def refused(self) -> bool:
        """True when no answer was given."""
        return self.kind != "answer" or self.leading_source is None


@dataclass(frozen=True)
class Run:
    """What one process of `python -m bot ask` gave back, and the most memory it took, in megabytes."""

    results: list[Result]
    megabytes: float


def ask(
    questions: Iterable[tuple[Question, Sequence[str]]],
    environment: Mapping[str, str] = MappingProxyType({}),
    advance: Callable[[int, int], None] = lambda *_: None,
) -> Run:
    """Ask each question in the words given, in one process of `python -m bot ask`, and read the answers.

    `environment` is added to that process's own (`DATA_DIR`, `EMBEDDING_MODEL`). `advance` is called after each
    answer with how many there are and how many there will be.

    Raises:
        EvaluationError: the process failed.
    """
    asked = list(questions)
    with TemporaryFile("w+", encoding="utf-8") as lines, TemporaryFile("w+", encoding="utf-8") as faults:
        for number, (question, turns) in enumerate(asked):
            line = {"id": str(number), "turns": list(turns), "profile": {"lang": question.lang}}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
        lines.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "ask", "--jsonl", "-", "--explain", "--documents-only"],
            stdin=lines,
            stdout=subprocess.PIPE,
            stderr=faults,
            cwd=ROOT,
            env={**os.environ, **environment},
            encoding="utf-8",
        )
        assert process.stdout is not None
        answers = []
        for answered in process.stdout:
            answers.append(json.loads(answered))
            advance(len(answers), len(asked))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0 or len(answers) != len(asked):
            faults.seek(0)
            raise EvaluationError(f"python -m bot ask ended with {process.returncode}: {faults.read().strip()[-500:]}")
    results = [_result(question, answer) for (question, _), answer in zip(asked, answers, strict=True)]
    return Run(results, usage.ru_maxrss / 1024)


def _result(question: Question, answer: dict[str, Any]) -> Result:
    last = answer["answers"][-1]
    explained = last["explain"]
    ranking = dict.fromkeys(item["passage"].split("#", 1)[0] for item in explained["evidence"])
    return Result(
        question=question,
        kind=last["kind"],
        intent=last["intent"],
        language=last["language"],
        searched=explained["searched"],
        ranking=tuple(ranking),
        confidence=last["confidence"],
        leading_source=last["citations"][0]["url"] if last["citations"] else None,
        seconds=last["seconds"],
        features=explained["features"],
        intents=explained["intents"],
    )


@dataclass(frozen=True)
class Retrieval:
    """Retrieval quality over a group of questions that have an answer."""

    count: int
    hit_1: float
    hit_3: float
    mrr: float


def retrieval(ranks: Sequence[int | None]) -> Retrieval:
    """hit@1, hit@3 and the mean reciprocal rank of the first right document."""
    count = len(ranks)
    if not count:
        return Retrieval(0, 0.0, 0.0, 0.0)
    return Retrieval(
        count,
        sum(rank == 1 for rank in ranks) / count,
        sum(rank is not None and rank <= 3 for rank in ranks) / count,
        sum(1 / rank for rank in ranks if rank) / count,
    )


def by(results: Iterable[Result], key: Callable[[Result], str]) -> dict[str, Retrieval]:
    """Retrieval quality by group, of the questions that have an answer."""
    groups: defaultdict[str, list[int | None]] = defaultdict(list)
    for result in results:
        if result.question.expect == "answer":
            groups[key(result)].append(result.rank)
    return {name: retrieval(ranks) for name, ranks in sorted(groups.items())}


@dataclass(frozen=True)
class Abstention:
    """How well it is told what to answer.

    `recall`: share of what must be declined or asked back that is. `precision`: share of the refusals that
    had to be. `refused_good`: share of the good questions that are refused.
    """

    recall: float
    precision: float
    refused_good: float


def abstention(results: Sequence[Result]) -> Abstention:
    """Measure refusals; asking back counts as one."""
    must = [result for result in results if result.question.expect != "answer"]
    good = [result for result in results if result.question.expect == "answer"]
    refused_rightly = sum(result.refused for result in must)
    refused_good = sum(result.refused for result in good)
    refusals = refused_rightly + refused_good
    return Abstention(
        refused_rightly / len(must) if must else 0.0,
        refused_rightly / refusals if refusals else 0.0,
        refused_good / len(good) if good else 0.0,
    )


def milliseconds(results: Sequence[Result]) -> tuple[float, float]:
    """The median and the 95th percentile of the time an answer took, in milliseconds."""
    times = sorted(result.seconds * 1000 for result in results)
    return median(times), quantiles(times, n=20)[-1]


@dataclass(frozen=True)
class Repeatability:
    """Share of pairs of askings that lead with the same source: the same words again, and paraphrases."""

    same_words: float
    paraphrases: float
    questions: int
    unlike: tuple[tuple[str, str], ...]


def repeatability(
    questions: Sequence[Question], environment: Mapping[str, str] = MappingProxyType({})
) -> Repeatability:
    """Ask each question that has paraphrases three times and in its paraphrases, and compare leading sources."""
    chosen = [question for question in questions if question.paraphrases and question.expect == "answer"]
    plan: list[tuple[Question, Sequence[str]]] = []
    for question in chosen:
        plan += [(question, question.turns)] * 3
        plan += [(question, (*question.turns[:-1], paraphrase)) for paraphrase in question.paraphrases]
    results = ask(plan, environment).results
    same: list[bool] = []
    alike: list[bool] = []
    unlike: list[tuple[str, str]] = []
    at = 0
    for question in chosen:
        first, *again = results[at : at + 3]
        others = results[at + 3 : at + 3 + len(question.paraphrases)]
        at += 3 + len(question.paraphrases)
        same += [result.leading_source == first.leading_source for result in again]
        for result, words in zip(others, question.paraphrases, strict=True):
            alike.append(result.leading_source is not None and result.leading_source == first.leading_source)
            if not alike[-1]:
                unlike.append((question.id, words))
    return Repeatability(sum(same) / len(same), sum(alike) / len(alike), len(chosen), tuple(unlike))
