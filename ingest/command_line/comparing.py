"""What a sync would change: diff."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer
from rich.text import Text

from ingest.command_line.building import print_problems
from ingest.command_line.terminal import INVALID, clear_errors, err, out, start
from ingest.comparison import Comparison, DocumentChange, compare_with_current
from ingest.inputs import read_inputs

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_SIGNS = {"added": "+", "changed": "~", "removed": "-"}
_STYLES = {"added": "bold green", "changed": "bold yellow", "removed": "bold red"}


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command(name="diff")(diff_command)


def diff_command(
    document: Annotated[str, typer.Option(help="Only the document with this id, with all its text.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a sync would change against the index in use, passage by passage; change nothing.

    Of documents that are new or gone the text is shown with --document only.

    Exit status: 0 shown, 1 could not be done, 2 shown without some invalid documents, or there is no such document.

    Example: python -m ingest diff --document etsy-fees-per-sale
    """
    with clear_errors():
        settings, encoder = start()
        inputs, problems = read_inputs(settings)
        comparison = compare_with_current(settings.data_dir, inputs, encoder)
    if document:
        found = tuple(change for change in comparison.documents if change.id == document)
        if not found and document not in {each.id for each in inputs.documents}:
            err.print(f"there is no document {document!r}", style="red", markup=False, highlight=False)
            raise typer.Exit(INVALID)
        comparison = replace(comparison, documents=found, tables=(), rebuilt_for=())
    if as_json:
        print(json.dumps(asdict(comparison), ensure_ascii=False, indent=2))
    else:
        _show(comparison, whole=bool(document))
    print_problems(problems)
    if problems:
        raise typer.Exit(INVALID)


def _show(comparison: Comparison, *, whole: bool) -> None:
    if not comparison:
        _print(f"Nothing would change against {comparison.generation}.")
        return
    _print(f"Against {comparison.generation}:" if comparison.generation else "There is no index yet; all is new:")
    for change in comparison.documents:
        _show_document(change, whole=whole or change.change == "changed")
    for table in comparison.tables:
        _print(f"{_SIGNS[table.change]} {table.name}", _STYLES[table.change])
        if table.change == "changed":
            _show_lines(table.diff)
    for reason in comparison.rebuilt_for:
        _print(f"~ {reason}: the index would be built anew", _STYLES["changed"])
    counts = [sum(change.change == kind for change in comparison.documents) for kind in _SIGNS]
    _print(
        "Documents: {} added, {} changed, {} removed. Fact tables: {}.".format(*counts, len(comparison.tables)), "bold"
    )


def _show_document(change: DocumentChange, *, whole: bool) -> None:
    _print(f"{_SIGNS[change.change]} {change.id}  {change.title}", _STYLES[change.change])
    for name, (before, after) in change.fields.items():
        _print(f"    {name}:")
        gone, new = _apart(before, after)
        _show_lines([*(f"-{_shown(item)}" for item in gone), *(f"+{_shown(item)}" for item in new)], indent=6)
    for sign, questions in (("-", change.questions_removed), ("+", change.questions_added)):
        for language, forms in questions.items() if whole else ():
            _show_lines([f"{sign}question ({language}): {form}" for form in forms])
    for passage in change.passages:
        _print(f"    {_SIGNS[passage.change]} {passage.id}", _STYLES[passage.change].removeprefix("bold "))
        if whole:
            _show_lines(passage.diff, indent=6)


def _apart(before: Any, after: Any) -> tuple[list[Any], list[Any]]:
    """What is gone and what is new; of lists, such as sources, only the items that differ."""
    if isinstance(before, list) and isinstance(after, list):
        gone, new = [item for item in before if item not in after], [item for item in after if item not in before]
        if gone or new:
            return gone, new
    return [before], [after]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "(none)" if value is None else str(value)


def _show_lines(lines: Iterable[str], indent: int = 4) -> None:
    for line in lines:
        _print(" " * indent + line, _COLOURS.get(line[:1], ""))


def _print(line: str, style: str = "") -> None:
    out.print(Text(line, style), soft_wrap=True, highlight=False)
