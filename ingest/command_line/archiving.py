"""Take the knowledge base along and bring it in: export, import."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from ingest.archive import ArchiveError, Imported, export_archive, import_archive
from ingest.command_line.building import print_problems
from ingest.command_line.terminal import INVALID, clear_errors, err, out
from ingest.progress import progress_bar
from knowledge.settings import Settings

SHOWN = 12
"""Of a list of names so many are printed; --json has them all."""


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command(name="export")(export_command)
    app.command(name="import")(import_command)


def export_command(
    file: Annotated[Path, typer.Argument(help="The zip file to write; one that is there is replaced.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write documents, tables, agencies and their documents with all versions and originals into one archive.

    It holds no roles, no Telegram ids and nothing of sellers. Two exports of the same content are equal byte for byte.

    Exit status: 0 done, 1 could not be done, 2 done without what was faulty.

    Example: python -m ingest export tradewind.zip
    """
    with clear_errors():
        try:
            with progress_bar(err) as progress:
                exported = export_archive(Settings.load(), file, progress)
        except ArchiveError as error:
            _fail(error, 1)
    manifest = exported.manifest
    if as_json:
        size = file.stat().st_size
        _print_json({"file": str(file), "bytes": size, **manifest.model_dump(mode="json", exclude={"entries"})})
    else:
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in manifest.counts.items())
        out.print(f"{file}: {counts}", markup=False, highlight=False, soft_wrap=True)
    print_problems(exported.problems)
    for name in manifest.missing:
        err.print(f"uploads/{name}: is gone or changed; the archive is without it", style="red", soft_wrap=True)
    if exported.problems or manifest.missing:
        raise typer.Exit(INVALID)


def import_command(
    file: Annotated[Path, typer.Argument(help="The archive to read.")],
    replace: Annotated[bool, typer.Option("--replace", help="Let the archive win where something differs.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring documents, tables and the catalogue of agencies in from an archive, after checking all of it.

    The folders of documents and tables become those of the archive; when ours differ, only with --replace, and ours
    are kept beside as <name>.before-import (those of an earlier import go). Agencies and their documents are added;
    those that are here with other content are left, or with --replace overwritten.

    Exit status: 0 done, 1 could not be done, 2 the archive is refused, or something that differs was left.

    Example: python -m ingest import tradewind.zip --dry-run
    """
    with clear_errors():
        try:
            with progress_bar(err) as progress:
                imported = import_archive(Settings.load(), file, replace=replace, dry_run=dry_run, progress=progress)
        except ArchiveError as error:
            _fail(error, INVALID)
    if as_json:
        _print_json({"dry_run": dry_run, "replace": replace, **_as_json(imported)})
    else:
        _show(imported, replace=replace)
    if imported.refused:
        names = " and ".join(change.name for change in imported.folders if change.has_conflict)
        _complain(
            f"Nothing was imported: {names} here differ from the archive's. To take the archive's, with ours kept "
            "beside, add --replace; to keep ours, export them first."
        )
        raise typer.Exit(INVALID)
    if not dry_run and not as_json:
        done = "Imported. Run `python -m ingest sync` to bring it into the answers."
        out.print("Nothing to do." if imported.is_empty(replace=replace) else done, highlight=False)
    left = imported.catalogue.foreign if replace else imported.catalogue.conflicts
    if left:
        _complain(f"Left as they are here: {_names(left)}." + ("" if replace else " Add --replace to overwrite them."))
        raise typer.Exit(INVALID)


def _fail(error: ArchiveError, status: int) -> NoReturn:
    _complain(str(error))
    raise typer.Exit(status) from None


def _complain(text: str) -> None:
    err.print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def _print_json(content: dict[str, Any]) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=2, default=str))


def _as_json(imported: Imported) -> dict[str, Any]:
    content = asdict(imported)
    content["folders"] = {change.name: asdict(change) for change in imported.folders}
    return content


def _show(imported: Imported, *, replace: bool) -> None:
    for change in imported.folders:
        _line(change.name, {"equal": change.equal})
        for what, paths in (("added", change.added), ("changed", change.changed), ("only here", change.removed)):
            _list(what, paths)
    for name, merge in (("agencies", imported.catalogue.agencies), ("their documents", imported.catalogue.documents)):
        _line(name, {"equal": len(merge.equal)})
        _list("added", merge.added)
        _list("replaced" if replace else "differing, left", merge.differing)
    _list("of another agency here, left", imported.catalogue.foreign)
    _line("originals", {"added": imported.originals})


def _line(name: str, counts: dict[str, int]) -> None:
    shown = ", ".join(f"{count} {what}" for what, count in counts.items())
    out.print(f"{name}: {shown}", markup=False, highlight=False, soft_wrap=True)


def _list(what: str, names: tuple[str, ...]) -> None:
    if names:
        out.print(f"  {what}: {len(names)}  {_names(names)}", markup=False, highlight=False, soft_wrap=True)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
