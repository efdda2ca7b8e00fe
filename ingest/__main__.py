"""The maintainer's command line: `python -m ingest sync`, `status`, `check`, `evaluate`, `ship-vectors`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ingest.freshness import RATES_URL, findings, refresh_rates, wrong_names
from ingest.index import BusyError, Difference, Inputs, difference
from ingest.progress import progress_bar
from ingest.sync import read_inputs, ship_vectors, sync
from knowledge.documents import Problem, bare_problems
from knowledge.encoders import Encoder, EncoderError, load_encoder
from knowledge.facts import FactsError
from knowledge.generation import GenerationError, current, generations, read_manifest
from knowledge.logs import configure_logs
from knowledge.models import Document
from knowledge.settings import ROOT, Settings, SettingsError

app = typer.Typer(
    help="Write and inspect the knowledge base.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
out = Console()
err = Console(stderr=True)

INVALID = 2
"""Exit status when some document is invalid: named and left out, the rest done."""


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn the faults a maintainer can mend into one line and exit status 1."""
    try:
        yield
    except (SettingsError, EncoderError, GenerationError, BusyError, FactsError) as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except OSError as error:
        err.print(f"{error.filename or 'file'}: {error.strerror or error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _start() -> tuple[Settings, Encoder]:
    settings = Settings.load()
    configure_logs(settings.log_level)
    return settings, load_encoder(settings.embedding_model)


def _print_problems(problems: list[Problem]) -> None:
    for problem in problems:
        err.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)
    if problems:
        err.print(f"{len({problem.path for problem in problems})} document(s) left out.", style="red")


def _print_changes(changes: Difference) -> None:
    for name, ids in (("added", changes.added), ("changed", changes.changed), ("removed", changes.removed)):
        shown = ", ".join(ids[:12]) + (", ..." if len(ids) > 12 else "")
        out.print(f"{name}: {len(ids)}{'  ' + shown if ids else ''}", markup=False, highlight=False, soft_wrap=True)
    if changes.facts:
        shown = ", ".join(changes.facts[:12]) + (", ..." if len(changes.facts) > 12 else "")
        out.print(f"fact tables: {len(changes.facts)}  {shown}", markup=False, highlight=False, soft_wrap=True)
    out.print(f"texts to encode: {changes.to_encode}", highlight=False)


@app.command(name="sync")
def sync_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build anew even when nothing changed.")] = False,
) -> None:
    """Bring the index in line with the documents and switch to it.

    Exit status: 0 done, 1 could not be done, 2 done without some invalid documents.

    Example: python -m ingest sync --dry-run
    """
    with clear_errors():
        settings, encoder = _start()
        if dry_run:
            inputs, problems = read_inputs(settings)
            _print_changes(difference(settings.data_dir, inputs, encoder))
        else:
            with progress_bar(err) as progress:
                outcome = sync(settings, encoder, progress, rebuild=rebuild)
            problems = outcome.problems
            if outcome.manifest is None:
                out.print("Nothing to do: the index is in line with the documents.")
            else:
                _print_changes(outcome.changes)
                out.print(
                    f"In use: {outcome.manifest.name} ({outcome.manifest.documents} documents, "
                    f"{outcome.manifest.passages} passages, {outcome.manifest.vectors} vectors)",
                    highlight=False,
                )
        _print_problems(problems)
    if problems:
        raise typer.Exit(INVALID)


@app.command()
def check(
    facts_to_review: Annotated[
        bool, typer.Option("--facts", help="List every figure that is old, unconfirmed or missing.")
    ] = False,
) -> None:
    """Validate all documents and fact tables; name file and field of each fault. Exit status 2 if any.

    Figures that are old, unconfirmed or missing are no faults: they are counted, and listed with --facts.
    """
    with clear_errors():
        settings = Settings.load()
        inputs, problems = read_inputs(settings)
        problems += _unknown_names(inputs, settings.documents_dir)
        problems += bare_problems(settings.documents_dir, inputs.facts)
        problems += [Problem(settings.facts_dir / f.file, f.fact, f.trouble) for f in wrong_names(inputs.facts)]
        facts = inputs.facts
    _print_problems(problems)
    to_review = list(findings(facts, datetime.now(UTC).date()))
    if facts_to_review:
        for found in to_review:
            out.print(f"{found.file}: {found.fact}: {found.trouble}", markup=False, highlight=False, soft_wrap=True)
    if problems:
        raise typer.Exit(INVALID)
    stores = [store for platform in facts.platforms for store in platform.stores]
    out.print(
        f"{len(inputs.documents)} documents, {len(facts.platforms)} platforms with {len(stores)} stores, "
        f"{len(facts.payments)} payment providers, {len(facts.countries)} countries, "
        f"{len(facts.destinations)} destinations: all valid.",
        highlight=False,
    )
    troubles = Counter(_kind_of_trouble(found.trouble) for found in to_review)
    counted = ", ".join(f"{count} {trouble}" for trouble, count in troubles.most_common())
    out.print(f"To review (--facts lists them): {counted or 'nothing'}.", highlight=False, soft_wrap=True)


def _kind_of_trouble(trouble: str) -> str:
    return "older than a year" if trouble.startswith("of ") else trouble


@app.command()
def rates(
    source: Annotated[str, typer.Option("--from", help="Web address or file of the table.")] = RATES_URL,
) -> None:
    """Take the newest exchange rates into knowledge/facts/fx.yaml; `sync` then brings them into the answers."""
    with clear_errors():
        before, after = refresh_rates(Settings.load().facts_dir, source)
    out.print(f"Rates of {after} (before: {before}). Run `python -m ingest sync` to use them.", highlight=False)


def _unknown_names(inputs: Inputs, folder: Path) -> list[Problem]:
    documents, facts = inputs.documents, inputs.facts
    platforms = {platform.id for platform in facts.platforms}
    payments = {provider.id for provider in facts.payments}
    problems = []
    for document in documents:
        for field, named, known in (
            ("platforms", document.platforms, platforms),
            ("payments", document.payments, payments),
        ):
            path = next(folder.rglob(f"{document.id}.md"), folder)
            problems += [Problem(path, field, f"{name!r} is in no fact table") for name in named if name not in known]
    return problems


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show the generation in use, its encoder, counts by kind, topic and language, and stale documents."""
    with clear_errors():
        settings = Settings.load()
        folder = current(settings.data_dir)
        if folder is None:
            raise GenerationError("there is no index yet: run `python -m ingest sync`")
        manifest = read_manifest(folder)
        lines = (folder / "documents.jsonl").read_text(encoding="utf-8").splitlines()
        documents = [Document.model_validate_json(line) for line in lines]
    today = datetime.now(UTC).date()
    overdue = [document.id for document in documents if document.review_by < today]
    old = [d.id for d in documents if d.sources[0].as_of.is_stale(today)]
    facts = {
        "generation": manifest.name,
        "created": manifest.created.isoformat(),
        "kept": [path.name for path in generations(settings.data_dir)],
        "encoder": manifest.encoder.model_dump(),
        "documents": manifest.documents,
        "passages": manifest.passages,
        "vectors": manifest.vectors,
        "by_kind": dict(Counter(d.kind.value for d in documents)),
        "by_topic": dict(Counter(d.topic.value for d in documents).most_common()),
        "by_language": dict(Counter(d.language for d in documents)),
        "review_overdue": overdue,
        "leading_source_old_or_undated": old,
    }
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    table = Table("what", "value", show_header=False)
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), _shown(value))
    out.print(table)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items())
    if isinstance(value, list):
        return f"{len(value)}" + (f": {', '.join(value[:10])}{' ...' if len(value) > 10 else ''}" if value else "")
    return str(value)


@app.command(name="ship-vectors")
def ship_vectors_command() -> None:
    """Write the vectors of the repository's documents to knowledge/vectors/ (after changing documents)."""
    with clear_errors():
        settings, encoder = _start()
        for path in ship_vectors(settings, encoder):
            out.print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KiB", highlight=False)


@app.command()
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


if __name__ == "__main__":
    app(prog_name="python -m ingest")
    sys.exit(0)
