"""The bot's command line: `python -m bot run`, `chat`, `ask`; without a command whichever fits the settings."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bot.advice.machine import ChatModelError
from bot.settings import BotSettings
from knowledge.database import DatabaseError
from knowledge.encoders import EncoderError
from knowledge.facts import FactsError
from knowledge.generation import GenerationError
from knowledge.logs import configure_logs
from knowledge.settings import SettingsError

app = typer.Typer(
    help="Talk with small firms that sell across borders.", add_completion=False, pretty_exceptions_show_locals=False
)
err = Console(stderr=True)

BAD_INPUT = 2


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn the faults that whoever starts the bot can mend into one line and exit status 1."""
    try:
        yield
    except (SettingsError, ChatModelError, EncoderError, GenerationError, FactsError, DatabaseError) as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Run the Telegram bot when TELEGRAM_BOT_TOKEN is set, else chat in the terminal."""
    if context.invoked_subcommand is None:
        with clear_errors():
            settings = BotSettings.load()
        _build_if_missing(settings)
        run() if settings.telegram_bot_token is not None else chat(lang="", build=False)


def _build_if_missing(settings: BotSettings) -> None:
    """Build the index when there is none yet, or one of an older layout; a progress bar shows how far it is."""
    from knowledge.generation import current, verify

    folder = current(settings.data_dir)
    with contextlib.suppress(GenerationError):
        if folder is not None and verify(folder):
            return
    from ingest.index import BusyError
    from ingest.progress import progress_bar
    from ingest.sync import sync
    from knowledge.encoders import load_encoder

    with clear_errors(), progress_bar(err) as progress:
        try:
            outcome = sync(settings, load_encoder(settings.embedding_model), progress)
        except (BusyError, OSError) as error:
            raise GenerationError(str(error)) from error
    for problem in outcome.problems:
        err.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)


@app.command()
def run() -> None:
    """Run the Telegram bot, polling for messages, until it is stopped."""
    from telegram.error import InvalidToken, NetworkError

    with clear_errors():
        settings = BotSettings.load()
        configure_logs(settings.log_level)
        if settings.telegram_bot_token is None:
            raise SettingsError("TELEGRAM_BOT_TOKEN: is missing; get one from @BotFather and set it in .env")
        from bot.app import ALLOWED_UPDATES, build_adviser, build_application

        application = build_application(settings, build_adviser(settings))
        try:
            application.run_polling(allowed_updates=ALLOWED_UPDATES, bootstrap_retries=3)
        except InvalidToken:
            raise SettingsError(
                "TELEGRAM_BOT_TOKEN: Telegram does not accept it; ask @BotFather for a new one"
            ) from None
        except NetworkError as error:
            raise SettingsError(f"TELEGRAM_API_URL: {settings.telegram_api_url} cannot be reached ({error})") from None


@app.command()
def chat(
    lang: Annotated[str, typer.Option(help="Language that Telegram would be set to.")] = "",
    build: Annotated[bool, typer.Option("--build", help="Build the index first when there is none.")] = False,
) -> None:
    """Chat in the terminal: buttons are numbers, /quit ends."""
    with clear_errors():
        settings = BotSettings.load()
        if build:
            _build_if_missing(settings)
        configure_logs("ERROR")
        from bot.app import build_adviser
        from bot.terminal import chat as talk
        from bot.terminal import system_language

        asyncio.run(talk(settings, build_adviser(settings), lang or system_language(os.environ.get("LANG"))))


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="One question.")] = None,
    country: Annotated[str | None, typer.Option(help="Seller's country, ISO 3166 (KE).")] = None,
    market: Annotated[str | None, typer.Option(help="Buyer's country, ISO 3166 (DE).")] = None,
    product: Annotated[str | None, typer.Option(help="What is sold.")] = None,
    lang: Annotated[str | None, typer.Option(help="Person's language, ISO 639-1 (fr).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    jsonl: Annotated[str | None, typer.Option(help="File of questions, one JSON object a line; - for input.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Add the evidence behind each answer.")] = False,
    documents_only: Annotated[
        bool, typer.Option("--documents-only", help="Leave the calculator out: all answers come from the documents.")
    ] = False,
) -> None:
    """Answer without Telegram: one question, or a stream of them.

    Exit status: 0 all answered, 1 could not start, 2 some input was wrong.

    Examples:
      python -m bot ask "How much does Etsy take on a 40 dollar sale?" --country KE --lang en
      python -m bot ask --jsonl questions.jsonl
    """
    if (question is None) == (jsonl is None):
        err.print("give either a question or --jsonl", style="red")
        raise typer.Exit(BAD_INPUT)
    from pydantic import ValidationError

    with clear_errors():
        settings = BotSettings.load()
        configure_logs("ERROR")
        from bot.app import build_adviser
        from bot.ask import AskedProfile, answer_lines, answers

        if question is not None:
            try:
                profile = AskedProfile(country=country, market=market, product=product, lang=lang).profile()
            except ValidationError as error:
                fault = error.errors()[0]
                err.print(f"--{fault['loc'][0]}: {fault['msg']}", style="red", markup=False)
                raise typer.Exit(BAD_INPUT) from None
            given = answers(build_adviser(settings), [question], profile, explain=explain, figures=not documents_only)
            _print_answer(given, as_json)
            return
        failed = False
        with _lines(str(jsonl)) as lines:
            for answer in answer_lines(build_adviser(settings), lines, explain=explain, figures=not documents_only):
                failed = failed or "error" in answer
                print(json.dumps(answer, ensure_ascii=False), flush=True)
    if failed:
        raise typer.Exit(BAD_INPUT)


@app.command()
def texts() -> None:
    """Bring the catalogues of the knowledge base's texts in line with the fact tables and documents, and count what
    waits for translation."""
    from bot.knowledge_texts import bring_in_line
    from knowledge.documents import load_documents
    from knowledge.facts import load_facts

    with clear_errors():
        settings = BotSettings.load()
        facts = load_facts(settings.facts_dir)
        waiting = bring_in_line(facts, load_documents(settings.documents_dir, facts)[0])
    for language, count in waiting.items():
        typer.echo(f"{language}: {count} to translate")


@app.command()
def fees(
    price: Annotated[str, typer.Option(help="Price of one piece, a number (40).")],
    currency: Annotated[str, typer.Option(help="Its currency, ISO 4217 (USD).")],
    platform: Annotated[
        str, typer.Option(help="Platform or store (etsy, amazon-us); without one all are compared.")
    ] = "",
    country: Annotated[str | None, typer.Option(help="Seller's country, ISO 3166 (MA).")] = None,
    buyer: Annotated[str | None, typer.Option(help="Buyer's country, ISO 3166 (DE).")] = None,
    shipping: Annotated[str, typer.Option(help="What the buyer pays for shipping, in the same currency.")] = "0",
    category: Annotated[str | None, typer.Option(help="Kind of goods (clothing, home, ...).")] = None,
    plan: Annotated[str | None, typer.Option(help="The store's plan (individual, pro).")] = None,
    units: Annotated[int | None, typer.Option(help="Pieces sold a month; spreads monthly fees.")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--with", help="An optional fee to count (offsite-ads); can be repeated.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Take --price as what must be left; find the price.")] = False,
    lang: Annotated[str, typer.Option(help="Language of the text, ISO 639-1.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Work out what is left of a sale, line by line, out of the fact tables.

    Exit status: 0 worked out, 1 could not start, 2 an argument was wrong.

    Examples:
      python -m bot fees --platform etsy --price 40 --currency USD --country PE --category clothing
      python -m bot fees --price 40 --currency USD --country MA --category clothing
    """
    from datetime import UTC, datetime

    from bot.figures import Asked, BadInputError, compared, reckon
    from bot.figures import as_json as breakdown_json
    from knowledge.facts import load_facts
    from knowledge.models import LANGUAGES

    asked = Asked(
        platform, price, currency, country, buyer, shipping, category, plan, units, keep, tuple(options or ())
    )
    today = datetime.now(UTC).date()
    with clear_errors():
        tables = load_facts(BotSettings.load().facts_dir)
    try:
        if lang not in LANGUAGES:
            raise BadInputError(f"--lang {lang}: not known; known: {', '.join(LANGUAGES)}")
        if not platform:
            from bot.ask import figure_json

            reply = compared(asked, tables, lang, today)
            shown: dict[str, Any] = {"text": reply.text.text, "figures": [figure_json(f) for f in reply.figures]}
        else:
            reply, breakdown = reckon(asked, tables, lang, today)
            shown = breakdown_json(reply, breakdown, today)
    except BadInputError as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(BAD_INPUT) from None
    print(json.dumps(shown, ensure_ascii=False) if as_json else reply.text.text)


def _print_answer(given: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"id": "1", "answers": given}, ensure_ascii=False))
        return
    answer = given[0]
    print(answer["text"])
    for source in answer["citations"]:
        print(f"  {source['url']}")
    for label in answer["buttons"]:
        print(f"  [{label}]")


@contextmanager
def _lines(name: str) -> Iterator[Iterator[str]]:
    if name == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        yield iter(sys.stdin)
        return
    try:
        with Path(name).open(encoding="utf-8", errors="replace") as file:
            yield file
    except OSError as error:
        err.print(f"--jsonl {name}: {error.strerror}", style="red", markup=False)
        raise typer.Exit(BAD_INPUT) from None


if __name__ == "__main__":
    app(prog_name="python -m bot")
