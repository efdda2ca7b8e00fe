"""What sellers asked and nobody could answer: gaps."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from ingest.command_line.terminal import clear_errors, err, out, start
from ingest.gaps import GapGroup, Gaps
from ingest.progress import progress_bar


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command()(gaps)


def gaps(
    days: Annotated[int, typer.Option(min=1, help="How far to look back.")] = 90,
    country: Annotated[str, typer.Option(help="Only of sellers in this country (ISO 3166 alpha-2).")] = "",
    lang: Annotated[str, typer.Option(help="Only in this language (ISO 639-1).")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many groups to show, the most asked first.")] = 20,
) -> None:
    """Show the questions that found no answer, grouped by meaning; personal data were taken out when they were kept.

    Example: python -m ingest gaps --days 30 --country KE --json
    """
    since = datetime.now(UTC).date() - timedelta(days=days)
    countries = [country.strip().upper()] if country else None
    languages = [lang.strip().lower()] if lang else None
    with clear_errors():
        settings, encoder = start()
        with Gaps.open(settings) as store, progress_bar(err) as progress:
            found = store.groups(encoder, since, countries, languages, progress=progress)[:limit]
    if as_json:
        print(json.dumps([dataclasses.asdict(group) for group in found], ensure_ascii=False, indent=2, default=str))
        return
    if not found:
        out.print(f"No questions without an answer in the last {days} days.", highlight=False)
        return
    question = Column("question", min_width=16, ratio=1)
    table = Table("count", question, "why", "countries", "languages", "days")
    for group in found:
        table.add_row(*_cells(group))
    out.print(table)


def _cells(group: GapGroup) -> list[Text]:
    question = "\n".join((group.question, *(f"  {wording}" for wording in group.wordings)))
    reasons = _listed(group.reasons)
    if group.documents:
        reasons += f" ({_listed(group.documents)})"
    countries = _listed({country or "?": count for country, count in group.countries.items()})
    days = f"{group.first}" if group.first == group.last else f"{group.first}\n{group.last}"
    cells = (str(group.count), question, reasons, countries, _listed(group.languages), days)
    return [Text(str(cell)) for cell in cells]  # what sellers wrote is never read as markup


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
