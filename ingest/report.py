"""Run an evaluation and print it: tables for people, JSON for scripts, and each miss on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from ingest.evaluate import (
    Abstention,
    Question,
    Repeatability,
    Result,
    Retrieval,
    abstention,
    ask,
    by,
    milliseconds,
    repeatability,
    retrieval,
)
from ingest.gate import Decision, Quality, Verdict
from ingest.inputs import read_inputs
from ingest.sync import sync
from knowledge.encoders import load_encoder
from knowledge.settings import Settings


@dataclass(frozen=True)
class Evaluation:
    """All figures of one encoder on one half of the set."""

    half: str
    results: list[Result]
    megabytes: float
    baseline: Mapping[str, Retrieval] | None = None
    repeated: Repeatability | None = None

    @property
    def by_language(self) -> dict[str, Retrieval]:
        """Retrieval by language, and for all but English together."""
        groups = by(self.results, lambda result: result.question.lang)
        groups["all"] = by(self.results, lambda _: "all")["all"]
        return groups

    @property
    def by_topic(self) -> dict[str, Retrieval]:
        """Retrieval by the question's topic."""
        return by(self.results, lambda result: result.question.topic)

    @property
    def abstention(self) -> Abstention:
        """Refusals."""
        return abstention(self.results)

    def figures(self) -> dict[str, Any]:
        """All figures as plain data."""
        middle, slow = milliseconds(self.results)
        return {
            "half": self.half,
            "questions": len(self.results),
            "by_language": {name: asdict(quality) for name, quality in self.by_language.items()},
            "by_topic": {name: asdict(quality) for name, quality in self.by_topic.items()},
            "abstention": asdict(self.abstention),
            "reply_language_right": _language_right(self.results),
            "milliseconds": {"median": round(middle, 1), "p95": round(slow, 1)},
            "megabytes": round(self.megabytes),
            "baseline": {name: asdict(q) for name, q in self.baseline.items()} if self.baseline else None,
            "repeatability": {
                "same_words": self.repeated.same_words,
                "paraphrases": self.repeated.paraphrases,
            }
            if self.repeated
            else None,
        }

    def show(self, out: Console, *, by_question: bool) -> None:
        """Print the tables, and each miss when `by_question`."""
        out.print(_table(f"Retrieval by language ({self.half} half)", self.by_language))
        out.print(_table("Retrieval by topic", self.by_topic))
        if self.baseline:
            out.print(_table("Stock recipe (1000/200, all-MiniLM-L6-v2, Chroma)", self.baseline))
        refusals = self.abstention
        middle, slow = milliseconds(self.results)
        lines = [
            f"Abstention: recall {refusals.recall:.3f}, precision {refusals.precision:.3f}, "
            f"good questions refused {refusals.refused_good:.3f}",
            f"Language of the reply right: {_language_right(self.results):.3f}",
            f"Milliseconds an answer: median {middle:.1f}, p95 {slow:.1f}; memory {self.megabytes:.0f} MB",
        ]
        if self.repeated:
            lines.append(
                f"Same leading source over {self.repeated.questions} questions: asked again "
                f"{self.repeated.same_words:.3f}, paraphrased {self.repeated.paraphrases:.3f}"
            )
        for line in lines:
            out.print(line, highlight=False, soft_wrap=True)
        if by_question:
            _print_misses(out, self.results)
            for name, words in self.repeated.unlike if self.repeated else ():
                out.print(f"{name} other source: {words}", markup=False, highlight=False, soft_wrap=True)


def evaluate_encoder(
    settings: Settings,
    questions: Sequence[Question],
    half: str,
    *,
    baseline: bool = False,
    repeat: bool = False,
) -> Evaluation:
    """Bring the index in line, ask the questions of `half` (or all), and measure."""
    sync(settings, load_encoder(settings.embedding_model))
    chosen = [question for question in questions if half in ("all", question.half)]
    environment = {"DATA_DIR": str(settings.data_dir.resolve()), "EMBEDDING_MODEL": settings.embedding_model}
    run = ask([(question, question.turns) for question in chosen], environment)
    stock = _baseline(settings, chosen) if baseline else None
    repeated = repeatability(questions, environment) if repeat else None
    return Evaluation(half, run.results, run.megabytes, stock, repeated)


def compare_encoders(
    out: Console, settings: Settings, names: Sequence[str], questions: Sequence[Question], half: str
) -> None:
    """Print quality by language, milliseconds and megabytes for each encoder, each on an index of its own."""
    table = Table("encoder", "language", "questions", "hit@1", "hit@3", "MRR", "ms", "MB")
    for name in names:
        own = settings.model_copy(
            update={"embedding_model": name, "data_dir": settings.data_dir / "evaluation" / name.replace("/", "--")}
        )
        measured = evaluate_encoder(own, questions, half)
        middle, _ = milliseconds(measured.results)
        for language, quality in measured.by_language.items():
            last = language == "all"
            figures = [f"{value:.3f}" for value in (quality.hit_1, quality.hit_3, quality.mrr)]
            cost = [f"{middle:.1f}", f"{measured.megabytes:.0f}"] if last else ["", ""]
            table.add_row(name, language, str(quality.count), *figures, *cost, end_section=last)
    out.print(table)


def _baseline(settings: Settings, questions: Sequence[Question]) -> dict[str, Retrieval]:
    from ingest.baseline import Baseline

    inputs, _ = read_inputs(settings)
    stock = Baseline(inputs.documents)
    ranks: dict[str, list[int | None]] = {}
    for question in questions:
        if question.expect == "answer":
            found = stock.documents(" ".join(question.turns))
            places = (place for place, document in enumerate(found, 1) if document in question.relevant)
            ranks.setdefault(question.lang, []).append(next(places, None))
    groups = {language: retrieval(places) for language, places in sorted(ranks.items())}
    groups["all"] = retrieval([place for places in ranks.values() for place in places])
    return groups


def _language_right(results: Sequence[Result]) -> float:
    worded = [result for result in results if result.question.topic != "gibberish"]
    right = sum(1 for result in worded if result.language == result.question.lang)
    return right / max(len(worded), 1)


def _table(title: str, groups: Mapping[str, Retrieval]) -> Table:
    table = Table("", "questions", "hit@1", "hit@3", "MRR", title=title, title_justify="left")
    for name, quality in groups.items():
        figures = (f"{value:.3f}" for value in (quality.hit_1, quality.hit_3, quality.mrr))
        table.add_row(name, str(quality.count), *figures)
    return table


def _print_misses(out: Console, results: Sequence[Result]) -> None:
    for result in results:
        question = result.question
        wanted = question.expect == "answer"
        if wanted and not result.refused and result.rank is not None and result.rank <= 3:
            continue
        if not wanted and result.refused:
            continue
        fault = ("refused" if result.refused else f"rank {result.rank}") if wanted else "answered"
        lines = (
            f"{question.id} {fault} ({result.kind}/{result.intent}, {result.confidence:.2f}): "
            f"{' / '.join(question.turns)}",
            f"    wanted {', '.join(question.relevant) or 'no answer'}",
            f"    found  {', '.join(result.ranking[:5])}",
        )
        for line in lines:
            out.print(line, markup=False, highlight=False, soft_wrap=True)


_DECIDED = {
    Decision.UNCHANGED: "Nothing changed: the index is in line with the documents.",
    Decision.FIRST: "There was no sound index in use to compare with: built and in use: {name}",
    Decision.SWITCHED: "The answers are as good as before: in use: {name}",
    Decision.REFUSED: "The answers are worse: refused, in use remains {name}",
}


def gate_figures(verdict: Verdict) -> dict[str, Any]:
    """What the gate decided, as plain data."""
    return {
        "decision": verdict.decision.value,
        "generation": verdict.manifest.name if verdict.manifest else None,
        "before": _quality_figures(verdict.before),
        "after": _quality_figures(verdict.after),
        "measures": [asdict(measure) for measure in verdict.measures],
        "worse": [_turned_figures(old, new) for old, new in verdict.worse],
        "better": [_turned_figures(old, new) for old, new in verdict.better],
    }


def _quality_figures(quality: Quality | None) -> dict[str, Any] | None:
    if quality is None:
        return None
    languages = {name: asdict(figures) for name, figures in quality.by_language.items()}
    return {"by_language": languages, "abstention": asdict(quality.abstention)}


def _turned_figures(old: Result, new: Result) -> dict[str, Any]:
    return {"id": old.question.id, "before": _outcome(old), "after": _outcome(new)}


def _outcome(result: Result) -> str:
    rank = "right document not found" if result.rank is None else f"right document at {result.rank}"
    if result.question.expect != "answer":
        return "declined" if result.refused else "answered"
    return f"{rank}, not answered" if result.refused else rank


def show_gate(out: Console, verdict: Verdict) -> None:
    """Print before and after side by side, what decided, and the questions whose outcome turned."""
    if verdict.before and verdict.after:
        out.print(_beside(verdict.before, verdict.after))
        old, new = verdict.before.abstention, verdict.after.abstention
        out.print(
            f"Abstention: recall {old.recall:.3f} -> {new.recall:.3f}, precision {old.precision:.3f} -> "
            f"{new.precision:.3f}, good questions refused {old.refused_good:.3f} -> {new.refused_good:.3f}",
            highlight=False,
            soft_wrap=True,
        )
        for measure in verdict.measures:
            line = f"{measure.name}: {len(measure.gained)} gained, {len(measure.lost)} lost of {measure.questions}"
            out.print(
                f"{line}{': worse' if measure.fallen else ''}",
                style="red" if measure.fallen else "",
                highlight=False,
                soft_wrap=True,
            )
        for title, pairs in (("better", verdict.better), ("worse", verdict.worse)):
            for was, becomes in pairs:
                words = f"{was.question.id}: {_outcome(was)} -> {_outcome(becomes)}"
                # Nobody mends documents by the words of the half that reports.
                asked = f"  ({' / '.join(was.question.turns)})" if was.question.half == "tune" else ""
                out.print(f"{title}: {words}{asked}", markup=False, highlight=False, soft_wrap=True)
    name = verdict.manifest.name if verdict.manifest else ""
    out.print(_DECIDED[verdict.decision].format(name=name), markup=False, highlight=False, soft_wrap=True)


def _beside(before: Quality, after: Quality) -> Table:
    table = Table("", "questions", "hit@1", "", "hit@3", "", "MRR", "", title="Before and after", title_justify="left")
    for name, new in after.by_language.items():
        old = before.by_language[name]
        pairs = ((old.hit_1, new.hit_1), (old.hit_3, new.hit_3), (old.mrr, new.mrr))
        table.add_row(name, str(new.count), *(f"{figure:.3f}" for pair in pairs for figure in pair))
    return table
