"""Whether this copy is sound: doctor."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from ingest.command_line.terminal import clear_errors, err, out
from ingest.progress import progress_bar
from knowledge.logs import configure_logs

_COLOURS = {"ok": "green", "warning": "yellow", "fault": "bold red"}


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command()(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check settings, disk, database, encoder, index, documents and originals; say what to do. Change nothing.

    Exit status: 0 without a fault (warnings may be), 1 with one.

    Example: python -m ingest doctor --json
    """
    from ingest.health import Verdict, examine

    configure_logs("ERROR")
    with clear_errors(), progress_bar(err) as progress:
        checks = examine(progress)
    counts = Counter(check.verdict for check in checks)
    faults, warnings = counts[Verdict.FAULT], counts[Verdict.WARNING]
    if as_json:
        found = {"faults": faults, "warnings": warnings, "checks": [asdict(check) for check in checks]}
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for check in checks:
            advice = f" ({check.advice})" if check.advice else ""
            line = Text(f"{check.verdict:8}", _COLOURS[check.verdict])
            out.print(line.append(f"{check.name}: {check.message}{advice}", "default"), soft_wrap=True, highlight=False)
        out.print(f"{faults} faults, {warnings} warnings.", highlight=False)
    if faults:
        raise typer.Exit(1)
