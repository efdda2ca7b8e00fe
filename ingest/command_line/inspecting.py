"""Look at the documents, the fact tables and the index: check, rates, status."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ingest.catalogue import Catalogue, exists
from ingest.command_line.building import print_problems
from ingest.command_line.terminal import INVALID, clear_errors, out
from ingest.freshness import RATES_URL, findings, refresh_rates, wrong_names
from ingest.index import Inputs
from ingest.inputs import read_inputs
from ingest.publishing import is_held
from knowledge.documents import Problem, bare_problems, stamp
from knowledge.generation import GenerationError, current, generations, read_manifest
from knowledge.models import Document
from knowledge.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for command in (check, rates, status, translated):
        app.command()(command)


def check(
    facts_to_review: Annotated[
        bool, typer.Option("--facts", help="List every figure that is old, unconfirmed or missing.")
    ] = False,
    as_json: AsJson = False,
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
    to_review = list(findings(facts, datetime.now(UTC).date()))
    if as_json:
        listed = to_review if facts_to_review else ()
        report = {
            "problems": [str(problem) for problem in problems],
            "documents": len(inputs.documents),
            "to_review": Counter(_kind_of_trouble(each.trouble) for each in to_review),
            "facts": [asdict(each) for each in listed],
        }
        print(json.dumps(report, ensure_ascii=False, indent=2))
        if problems:
            raise typer.Exit(INVALID)
        return
    print_problems(problems)
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


def rates(
    source: Annotated[str, typer.Option("--from", help="Web address or file of the table.")] = RATES_URL,
    as_json: AsJson = False,
) -> None:
    """Take the newest exchange rates into knowledge/facts/fx.yaml; `sync` then brings them into the answers."""
    with clear_errors():
        before, after = refresh_rates(Settings.load().facts_dir, source)
    if as_json:
        print(json.dumps({"before": before.isoformat(), "after": after.isoformat()}))
        return
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


def translated(
    files: Annotated[list[Path], typer.Argument(help="Translations, such as knowledge/documents/.../etsy-fees.fr.md")],
) -> None:
    """Say that these translations follow their originals as they are now: `status` lists them as stale no more."""
    with clear_errors():
        folder = Settings.load().documents_dir
        for path in files:
            try:
                stamp(path, folder)
            except (OSError, LookupError) as error:
                out.print(str(error), markup=False, highlight=False, soft_wrap=True)
                raise typer.Exit(INVALID) from error


def status(as_json: AsJson = False) -> None:
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
    translations = [(document.id, each) for document in documents for each in document.translations]
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
        "translations": dict(Counter(each.language for _, each in translations)),
        "stale_translations": [f"{id}.{each.language}" for id, each in translations if each.is_stale],
        "held_by_a_rollback": is_held(settings.data_dir),
        "of_agencies": _of_agencies(settings),
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


def _of_agencies(settings: Settings) -> dict[str, int]:
    """How many documents of agencies stand in each state."""
    if not exists(settings):
        return {}
    with Catalogue.open(settings) as catalogue:
        entries = [entry for agency in catalogue.agencies() for entry in catalogue.library(agency.id)]
    return dict(Counter(entry.version.state.value for entry in entries))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items())
    if isinstance(value, list):
        return f"{len(value)}" + (f": {', '.join(value[:10])}{' ...' if len(value) > 10 else ''}" if value else "")
    return str(value)
