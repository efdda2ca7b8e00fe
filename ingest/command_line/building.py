"""Bring the index in line with the documents: sync, ship-vectors."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest.command_line.terminal import INVALID, clear_errors, err, out, start
from ingest.index import Difference, difference
from ingest.progress import progress_bar
from ingest.sync import read_inputs, ship_vectors, sync
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
) -> None:
    """Bring the index in line with the documents and switch to it.

    Exit status: 0 done, 1 could not be done, 2 done without some invalid documents.

    Example: python -m ingest sync --dry-run
    """
    with clear_errors():
        settings, encoder = start()
        if dry_run:
            inputs, problems = read_inputs(settings)
            print_changes(difference(settings.data_dir, inputs, encoder))
        else:
            with progress_bar(err) as progress:
                outcome = sync(settings, encoder, progress, rebuild=rebuild)
            problems = outcome.problems
            if outcome.manifest is None:
                out.print("Nothing to do: the index is in line with the documents.")
            else:
                print_changes(outcome.changes)
                out.print(
                    f"In use: {outcome.manifest.name} ({outcome.manifest.documents} documents, "
                    f"{outcome.manifest.passages} passages, {outcome.manifest.vectors} vectors)",
                    highlight=False,
                )
        print_problems(problems)
    if problems:
        raise typer.Exit(INVALID)


def ship_vectors_command() -> None:
    """Write the vectors of the repository's documents to knowledge/vectors/ (after changing documents)."""
    with clear_errors():
        settings, encoder = start()
        for path in ship_vectors(settings, encoder):
            out.print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KiB", highlight=False)
