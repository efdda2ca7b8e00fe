"""Agencies and their documents: agency, add, preview, publish, retract, rollback, library."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from ingest.catalogue import COMMAND_LINE, Agency, Catalogue, CatalogueError, Version
from ingest.command_line.terminal import INVALID, clear_errors, err, out, start
from ingest.index import BusyError, Progress
from ingest.loading import LoadError
from ingest.progress import progress_bar
from knowledge.encoders import Encoder
from knowledge.generation import Generation, GenerationError, open_current
from knowledge.settings import Settings

agency_commands = typer.Typer(help="Trade-support agencies: who they serve and how sellers reach them.")

NICENESS = 10
Opened = tuple[Settings, Encoder, Catalogue]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for command in (add, preview, publish, retract, rollback, library):
        app.command()(command)
    app.command(hidden=True)(bring_in_line)
    app.add_typer(agency_commands, name="agency")


@contextmanager
def _refusals(steps: bool) -> Iterator[None]:
    """What is refused for its own sake gives its reason and exit status 2; with `steps` as a JSON line."""
    try:
        yield
    except (LoadError, CatalogueError, BusyError) as error:
        if steps:
            print(json.dumps({"refused": getattr(error, "reason", "other"), "cause": str(error)}), file=sys.stderr)
        elif isinstance(error, BusyError):
            raise  # to people it is a fault of the moment, not a refusal
        else:
            err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(INVALID) from None


@contextmanager
def _opened(steps: bool = False) -> Iterator[Opened]:
    with clear_errors(), _refusals(steps):
        settings, encoder = start()
        with Catalogue.open(settings) as catalogue:
            yield settings, encoder, catalogue


@agency_commands.command("add")
def add_agency(
    name: Annotated[str, typer.Argument(help="Its name as sellers know it.")],
    countries: Annotated[str, typer.Option(help="Sellers' countries it serves, ISO 3166, commas between (KE,TZ).")],
    contact: Annotated[str, typer.Option(help="One line shown to sellers: telephone, mail or office.")],
    url: Annotated[str, typer.Option(help="Its public page (https://...).")],
    languages: Annotated[str, typer.Option(help="ISO 639-1, commas between (en,sw).")] = "en",
    as_json: AsJson = False,
) -> None:
    """Enter an agency; prints the id by which other commands name it."""
    from ingest.agencies import checked

    with _opened() as (_, _, catalogue):
        made = catalogue.add_agency(**checked(name, countries, languages, contact, url), actor=COMMAND_LINE)
    _print_json(made.model_dump()) if as_json else out.print(made.id, highlight=False)


@agency_commands.command("list")
def list_agencies(as_json: AsJson = False) -> None:
    """All agencies."""
    with _opened() as (_, _, catalogue):
        agencies = catalogue.agencies()
    if as_json:
        _print_json([agency.model_dump(exclude={"group_chat_id"}) for agency in agencies])
        return
    table = Table("id", "name", "countries", "languages", "contact", "page")
    for agency in agencies:
        table.add_row(*_cells(agency))
    out.print(table)


def _cells(agency: Agency) -> tuple[str, ...]:
    return (
        agency.id,
        agency.name,
        ", ".join(agency.countries),
        ", ".join(agency.languages),
        agency.contact,
        agency.url,
    )


def add(
    source: Annotated[str, typer.Argument(help="A file, or the address of a web page.")],
    agency: Annotated[str, typer.Option(help="The agency's id; `agency list` shows them.")],
    title: Annotated[str | None, typer.Option(help="Its title, if the one found is wrong.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Its date: 2026, 2026-03 or 2026-03-05.")] = None,
    expires: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Not shown after this day.")] = None,
    countries: Annotated[str | None, typer.Option(help="Sellers' countries it is for (KE,TZ); empty for all.")] = None,
    page: Annotated[str | None, typer.Option(help="The public page it comes from.")] = None,
    replaces: Annotated[str | None, typer.Option(help="Id of the document of which this is a new version.")] = None,
    name: Annotated[str | None, typer.Option(help="The file's name as it was sent.")] = None,
    actor: Annotated[str, typer.Option(hidden=True)] = COMMAND_LINE,
    publishing: Annotated[bool, typer.Option("--publish", help="Publish it after the preview.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    as_json: AsJson = False,
    steps: Annotated[bool, typer.Option("--steps", hidden=True, help="Progress as JSON lines.")] = False,
) -> None:
    """Add an agency's document as a draft, show what it would answer, and publish it if that is wanted.

    PDF, Word, PowerPoint, Excel, CSV, HTML, Markdown, text, or a web address. Exit status: 0 added, 1 could not be
    done, 2 refused, with the reason.

    Example: python -m ingest add guide.pdf --agency kenya-export --publish --yes
    """
    from ingest.adding import Details
    from ingest.adding import add as enter
    from ingest.agencies import country_codes

    with _opened(steps) as opened:
        settings, encoder, catalogue = opened
        details = Details(
            title=title,
            as_of=as_of,
            expires=expires.date() if expires else None,
            countries=country_codes(countries) if countries is not None else None,
            source=page,
        )
        generation = _generation(settings, encoder)
        with _progress(steps) as progress:
            version = enter(
                settings,
                catalogue,
                encoder,
                generation,
                source,
                agency,
                actor=actor,
                details=details,
                name=name,
                replaces=replaces,
                progress=progress,
            )
            shown = _preview(settings, encoder, generation, version, progress)
        if as_json and not publishing:
            _print_json(shown)
        if not as_json:
            _show(shown)
        if not yes and not as_json and sys.stdin.isatty():
            publishing = typer.confirm("Publish it now?", default=publishing)
        if publishing:
            _publish(opened, version, actor, as_json, extra=shown)
        elif not as_json:
            out.print(f"A draft. To publish it: python -m ingest publish {version.document.id}", highlight=False)


def preview(
    document: Annotated[str, typer.Argument(help="A document's id, or the number of a version.")],
    as_json: AsJson = False,
    steps: Annotated[bool, typer.Option("--steps", hidden=True, help="Progress as JSON lines.")] = False,
) -> None:
    """Show what a draft would answer if it were published."""
    with _opened(steps) as (settings, encoder, catalogue), _progress(steps) as progress:
        version = _version(catalogue, document)
        shown = _preview(settings, encoder, _generation(settings, encoder), version, progress)
    _print_json(shown) if as_json else _show(shown)


def publish(
    document: Annotated[str, typer.Argument(help="A document's id, or the number of a version.")],
    as_json: AsJson = False,
) -> None:
    """Put a draft in force: a new generation is built and switched to; a running bot follows within seconds."""
    with _opened() as opened:
        _publish(opened, _version(opened[2], document), COMMAND_LINE, as_json)


def _publish(opened: Opened, version: Version, actor: str, as_json: bool, extra: dict[str, Any] | None = None) -> None:
    from ingest import publishing

    settings, encoder, catalogue = opened
    done = publishing.publish(settings, catalogue, encoder, version.id, actor=actor)
    held = publishing.is_held(settings.data_dir)
    name = done.manifest.name if done.manifest else None
    if as_json:
        _print_json((extra or {}) | {"state": done.version.state, "generation": name, "held": held})
        return
    out.print(f"Published: {done.version.document.id} version {done.version.number}", highlight=False)
    if held:
        out.print("A rollback holds the index: it comes into the answers with the next `python -m ingest sync`.")


def bring_in_line(
    wait: Annotated[float, typer.Option(help="Seconds to wait for another ingest to end.")] = 0,
    as_json: AsJson = False,
    steps: Annotated[bool, typer.Option("--steps", help="Progress as JSON lines.")] = False,
) -> None:
    """Build what is in force and not in the index yet. The bot of a large knowledge base runs this."""
    from ingest import publishing

    with _opened(steps) as (settings, encoder, catalogue), _progress(steps) as progress:
        manifest = publishing.bring_in_line(settings, catalogue, encoder, progress, wait=wait)
    if as_json:
        _print_json({"manifest": manifest.model_dump(mode="json") if manifest else None})
    else:
        out.print(f"Built: {manifest.name}" if manifest else "Nothing had to change.", highlight=False)


def retract(document: Annotated[str, typer.Argument(help="The document's id.")], as_json: AsJson = False) -> None:
    """Take a document of an agency back: it is not shown from this moment on."""
    from ingest import publishing

    with _opened() as (settings, encoder, catalogue):
        done = publishing.retract(settings, catalogue, document, actor=COMMAND_LINE)
        publishing.bring_in_line(settings, catalogue, encoder, wait=publishing.WAIT_SECONDS)
    if as_json:
        _print_json({"document": done.document.id, "version": done.number, "state": done.state})
    else:
        out.print(f"Withdrawn: {done.document.id}. The file is kept; `add` brings it back.", highlight=False)


def rollback(
    generation: Annotated[str | None, typer.Argument(help="A kept generation; the one before by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Go back to a kept generation and hold the index there until the next sync. What was withdrawn stays hidden."""
    from ingest import publishing

    with clear_errors(), Catalogue.open(start()[0]) as catalogue:
        manifest = publishing.rollback(Settings.load(), catalogue, generation, actor=COMMAND_LINE)
    if as_json:
        _print_json({"generation": manifest.name, "held": True})
    else:
        out.print(f"In use: {manifest.name}. Held there until the next `python -m ingest sync`.", highlight=False)


def library(
    agency: Annotated[str | None, typer.Option(help="Only this agency's.")] = None, as_json: AsJson = False
) -> None:
    """The documents of agencies with state, version, uses in answers (30 days) and expiry."""
    with _opened() as (_, _, catalogue):
        ids = [agency] if agency else [each.id for each in catalogue.agencies()]
        entries = [(id, entry) for id in ids for entry in catalogue.library(id)]
    if as_json:
        _print_json(
            [
                _as_json(entry.version) | {"agency": id, "uses": entry.uses, "versions": entry.versions}
                for id, entry in entries
            ]
        )
        return
    table = Table("document", "title", "state", "version", "uses", "expires")
    for _id, entry in entries:
        version = entry.version
        expires = str(version.document.expires or "")
        table.add_row(
            version.document.id, version.document.title, version.state, str(version.number), str(entry.uses), expires
        )
    out.print(table)


def _version(catalogue: Catalogue, name: str) -> Version:
    if name.isdecimal():
        return catalogue.version(int(name))
    versions = catalogue.history(name)
    draft = next((version for version in versions if version.state == "draft"), None)
    return draft or catalogue.latest(name)


def _generation(settings: Settings, encoder: Encoder) -> Generation | None:
    try:
        return open_current(settings.data_dir, encoder.fingerprint)
    except GenerationError:
        return None


def _preview(
    settings: Settings, encoder: Encoder, generation: Generation | None, version: Version, progress: Progress
) -> dict[str, Any]:
    from ingest.preview import preview as look

    shown = _as_json(version)
    if generation is None:
        return shown | {"passages": 0, "repeated": [], "questions": []}
    found = look(settings, encoder, generation, version.document, progress=progress)
    return shown | {
        "passages": found.passages,
        "repeated": [asdict(repeated) for repeated in found.repeated],
        "questions": [
            {"question": trial.question, "answer": trial.passage.text, "confidence": round(trial.confidence, 3)}
            for trial in found.trials
        ],
    }


def _as_json(version: Version) -> dict[str, Any]:
    document = version.document
    return {
        "version": version.id,
        "number": version.number,
        "state": version.state,
        "document": document.id,
        "title": document.title,
        "language": document.language,
        "topics": list(document.topics),
        "countries": list(document.countries),
        "as_of": str(document.sources[0].as_of),
        "source": document.sources[0].url,
        "expires": document.expires.isoformat() if document.expires else None,
        "pages": version.pages,
        "notes": list(version.notes),
        "flagged": list(version.flagged),
    }


def _show(shown: dict[str, Any]) -> None:
    for name in ("title", "document", "language", "as_of", "source", "expires", "pages", "passages"):
        out.print(f"{name.replace('_', ' ')}: {shown[name] if shown[name] is not None else '-'}", highlight=False)
    out.print(f"topics: {', '.join(shown['topics'])}", highlight=False)
    for repeated in shown["repeated"]:
        out.print(f"repeats: {repeated['passages']} passage(s) of {repeated['title']}", markup=False, highlight=False)
    for note in shown["notes"]:
        out.print(f"note: {note}", style="yellow", markup=False)
    for sentence in shown["flagged"]:
        out.print(f"speaks to a program, stays plain text: {sentence}", style="yellow", markup=False)
    out.print("Questions it now answers:" if shown["questions"] else "No question was found that it answers.")
    for trial in shown["questions"]:
        answer = " ".join(trial["answer"].split())
        out.print(f"  ? {trial['question']}", style="bold", markup=False, highlight=False)
        out.print(f"    {answer[:300]}{' …' if len(answer) > 300 else ''}", markup=False, highlight=False)


@contextmanager
def _progress(steps: bool) -> Iterator[Progress]:
    """Bars for people; a JSON line a step for the bot that runs this program, which shall not have to wait for it."""
    if not steps:
        with progress_bar(err) as progress:
            yield progress
        return
    os.nice(NICENESS)

    def line(step: str, done: int, total: int) -> None:
        print(json.dumps({"step": step, "done": done, "total": total}), file=sys.stderr, flush=True)

    yield line


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))
