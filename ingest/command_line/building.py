"""Bring the index in line with the documents: sync, ship-vectors."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from ingest.command_line.terminal import INVALID, clear_errors, err, out, start
from ingest.index import Difference, difference
from ingest.inputs import read_inputs
from ingest.progress import progress_bar
from ingest.sync import Outcome, ship_vectors, sync
from knowledge.documents import Problem
from knowledge.settings import ROOT


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command(name="sync")(sync_command)
    app.command(name="ship-vectors")(ship_vectors_command)


def print_problems(problems: list[Problem]) -> None:
    """Name each fault, and how many documents were left out for them."""
    for problem in problems:
        err.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)
    if problems:
        err.print(f"{len({problem.path for problem in problems})} document(s) left out.", style="red")


def print_changes(changes: Difference) -> None:
    """Show what a sync changes."""
    for name, ids in (("added", changes.added), ("changed", changes.changed), ("removed", changes.removed)):
        shown = ", ".join(ids[:12]) + (", ..." if len(ids) > 12 else "")
        out.print(f"{name}: {len(ids)}{'  ' + shown if ids else ''}", markup=False, highlight=False, soft_wrap=True)
    if changes.facts:
        shown = ", ".join(changes.facts[:12]) + (", ..." if len(changes.facts) > 12 else "")
        out.print(f"fact tables: {len(changes.facts)}  {shown}", markup=False, highlight=False, soft_wrap=True)
    out.print(f"texts to encode: {changes.to_encode}", highlight=False)


def sync_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build anew even when nothing changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring the index in line with the documents and switch to it.

    Exit status: 0 done, 1 could not be done, 2 done without some invalid documents.

    Example: python -m ingest sync --dry-run
    """
    with clear_errors():
        settings, encoder = start()
        if dry_run:
            inputs, problems = read_inputs(settings)
            outcome = Outcome(None, difference(settings.data_dir, inputs, encoder), problems)
        else:
            with progress_bar(err) as progress:
                outcome = sync(settings, encoder, progress, rebuild=rebuild)
            problems = outcome.problems
        if as_json:
            print(json.dumps(_as_json(outcome), ensure_ascii=False, indent=2))
        else:
            _print_outcome(outcome, dry_run=dry_run)
        print_problems(problems)
    if problems:
        raise typer.Exit(INVALID)


def _print_outcome(outcome: Outcome, *, dry_run: bool) -> None:
    if dry_run or outcome.manifest is not None:
        print_changes(outcome.changes)
    else:
        out.print("Nothing to do: the index is in line with the documents.")
    if outcome.manifest is not None:
        out.print(
            f"In use: {outcome.manifest.name} ({outcome.manifest.documents} documents, "
            f"{outcome.manifest.passages} passages, {outcome.manifest.vectors} vectors)",
            highlight=False,
        )


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "generation": outcome.manifest.name if outcome.manifest else None,
        "changes": asdict(outcome.changes),
        "problems": [str(problem) for problem in outcome.problems],
    }


def ship_vectors_command(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Write the vectors of the repository's documents to knowledge/vectors/ (after changing documents)."""
    with clear_errors():
        settings, encoder = start()
        written = [(str(path.relative_to(ROOT)), path.stat().st_size) for path in ship_vectors(settings, encoder)]
    if as_json:
        print(json.dumps([{"file": name, "bytes": size} for name, size in written], indent=2))
        return
    for name, size in written:
        out.print(f"{name}  {size // 1024} KiB", highlight=False)
