"""How good the answers are: evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ingest.command_line.building import print_problems
from ingest.command_line.terminal import INVALID, clear_errors, err, out
from ingest.evaluate import QUESTIONS, EvaluationError, Question, load_questions
from ingest.gate import ALLOWED_DEVIATIONS, ALLOWED_QUESTIONS, Decision, Tolerance, pass_gate
from ingest.progress import progress_bar
from knowledge.encoders import load_encoder
from knowledge.generation import GenerationError
from knowledge.logs import configure_logs
from knowledge.settings import ROOT, Settings

REFUSED = 3
"""Exit status when the gate refused the next generation."""


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command()(evaluate)


def evaluate(
    half: Annotated[str, typer.Option(help="Which half to report on: report, tune or all.")] = "report",
    by_question: Annotated[bool, typer.Option("--by-question", help="Print each miss.")] = False,
    repeat: Annotated[bool, typer.Option("--repeat", help="Also measure repeatability.")] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Also run the stock recipe on the same documents.")
    ] = False,
    encoders: Annotated[
        str, typer.Option(help="Compare these encoders (commas between), instead of the one set.")
    ] = "",
    fit: Annotated[bool, typer.Option("--fit", help="Fit the encoder's calibration on the tuning half first.")] = False,
    gate: Annotated[
        bool, typer.Option("--gate", help="Sync, but only if the answers to all questions stay as good.")
    ] = False,
    allowed_questions: Annotated[
        int, typer.Option(min=0, help="With --gate: so many answers may be lost on balance.")
    ] = ALLOWED_QUESTIONS,
    allowed_deviations: Annotated[
        float, typer.Option(min=0, help="With --gate: or so many standard deviations of chance.")
    ] = ALLOWED_DEVIATIONS,
    folder: Annotated[
        Path | None, typer.Option("--questions", help="Folder of other questions (YAML), instead of our own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure the answers on the evaluation set: hit@1, hit@3, MRR, abstention, milliseconds.

    With --gate the next index is built and measured beside the one in use, and put in use only if the right document
    is found for as many questions, over all and in each language, and as many are answered or declined rightly.
    Figures that the calculator works out are not measured.

    Exit status: 0 done, 1 could not be done, 2 done without some invalid documents, 3 the gate refused.

    Examples:
      python -m ingest evaluate --baseline --repeat --by-question
      python -m ingest evaluate --gate
    """
    from ingest.report import Evaluation, compare_encoders, evaluate_encoder

    if half not in ("report", "tune", "all"):
        raise typer.BadParameter("must be report, tune or all", param_hint="--half")
    with clear_errors():
        settings = Settings.load()
        configure_logs("ERROR")
        try:
            questions = load_questions(folder or QUESTIONS)
            if not questions:
                raise EvaluationError(f"{folder or QUESTIONS}: holds no questions")
            if gate:
                tolerance = Tolerance(allowed_questions, allowed_deviations)
                _gate(settings, questions, tolerance, as_json=as_json)
                return
            if encoders:
                compare_encoders(out, settings, [name.strip() for name in encoders.split(",")], questions, half)
                return
            if fit:
                from ingest.calibrate import fit_encoder

                out.print(f"fitted: {fit_encoder(settings, questions).relative_to(ROOT)}", highlight=False)
            evaluation: Evaluation = evaluate_encoder(settings, questions, half, baseline=baseline, repeat=repeat)
        except EvaluationError as error:
            raise GenerationError(str(error)) from error
    if as_json:
        print(json.dumps(evaluation.figures(), ensure_ascii=False, indent=2))
    else:
        evaluation.show(out, by_question=by_question)


def _gate(settings: Settings, questions: list[Question], tolerance: Tolerance, *, as_json: bool) -> None:
    from ingest.report import gate_figures, show_gate

    with progress_bar(err) as progress:
        encoder = load_encoder(settings.embedding_model)
        verdict = pass_gate(settings, encoder, questions, tolerance, progress)
    if as_json:
        print(json.dumps(gate_figures(verdict), ensure_ascii=False, indent=2))
    else:
        show_gate(out, verdict)
    print_problems(verdict.problems)
    if verdict.decision is Decision.REFUSED:
        raise typer.Exit(REFUSED)
    if verdict.problems:
        raise typer.Exit(INVALID)
