"""How good the answers are: evaluate."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ingest.command_line.terminal import clear_errors, out
from knowledge.generation import GenerationError
from knowledge.logs import configure_logs
from knowledge.settings import ROOT, Settings


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
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure the answers on the evaluation set: hit@1, hit@3, MRR, abstention, milliseconds.

    Example: python -m ingest evaluate --baseline --repeat --by-question
    """
    from ingest.evaluate import EvaluationError, load_questions
    from ingest.report import Evaluation, compare_encoders, evaluate_encoder

    if half not in ("report", "tune", "all"):
        raise typer.BadParameter("must be report, tune or all", param_hint="--half")
    with clear_errors():
        settings = Settings.load()
        configure_logs("ERROR")
        try:
            questions = load_questions()
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
