"""Build the Telegram application from settings."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from telegram import BotCommand, Update
from telegram.error import TelegramError
from telegram.ext import (
    AIORateLimiter,
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    MessageHandler,
    filters,
)
from telegram.request import BaseRequest

from bot.advice.adviser import Adviser
from bot.advice.figures.chart import Bar, draw
from bot.advice.guided.days import read_day
from bot.advice.machine import load_translator
from bot.agencies import Agencies
from bot.cases import Cases
from bot.drafts import Drafts
from bot.handlers import (
    agency_group,
    alternatives,
    ask,
    cases,
    errors,
    feedback,
    figures,
    gaps,
    guided,
    handover,
    help,
    intake,
    languages,
    library,
    media,
    patience,
    privacy,
    profile,
    reminders,
    results,
    roles,
    unanswered,
    welcome,
)
from bot.handlers.context import Context, Services
from bot.handovers import Handovers
from bot.intake import Intake
from bot.members import Members
from bot.ordering import ChatOrder
from bot.outcomes import Outcomes
from bot.people import People
from bot.reminders import Reminders
from bot.sending import Sender
from bot.settings import BotSettings
from bot.translation import SOURCE_LANGUAGE, guidance, translator
from ingest.catalogue import Catalogue
from ingest.gaps import Gaps
from knowledge.active import ActiveIndex
from knowledge.database import create_engine, migrate
from knowledge.encoders import load_encoder
from knowledge.models import LANGUAGES

log = structlog.get_logger(__name__)

App = Application[Any, Any, Any, Any, Any, Any]
REFRESH_SECONDS = 0.5
EXPIRE_SECONDS = 3600
SWITCH_SECONDS = 0.001
"""How long a thread keeps the interpreter: while a new generation is built and opened in one, a question in another
would at Python's own 5 ms wait each time it comes back from the encoder."""

PATIENCE_SECONDS = 300
CONNECTIONS = 32
ALLOWED_UPDATES = ["message", "edited_message", "callback_query"]


def build_adviser(settings: BotSettings) -> Adviser:
    """The adviser on the index in `DATA_DIR`.

    Raises:
        EncoderError, GenerationError, FactsError, ChatModelError: each with one line that says what to do.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    encoder = load_encoder(settings.embedding_model)
    translator = load_translator(settings.chat_model) if settings.chat_model else None
    return Adviser(ActiveIndex(settings.data_dir, encoder), translator=translator)


@dataclass(frozen=True)
class Parts:
    """What an application is built on; `close` gives it back."""

    adviser: Adviser
    engine: AsyncEngine
    catalogue: Catalogue
    gaps: Gaps

    async def close(self) -> None:
        """Let the workers finish and close the database."""
        self.adviser.close()
        self.catalogue.close()
        self.gaps.close()
        await self.engine.dispose()


def build_application(
    settings: BotSettings, adviser: Adviser, *, request: BaseRequest | None = None, token: str | None = None
) -> App:
    """The application with all handlers. With `request` it talks through that instead of the network."""
    secret = token or (settings.telegram_bot_token.get_secret_value() if settings.telegram_bot_token else "")
    builder = ApplicationBuilder().token(secret).concurrent_updates(ChatOrder())
    builder = builder.base_url(f"{settings.telegram_api_url}/bot").base_file_url(
        f"{settings.telegram_api_url}/file/bot"
    )
    if request is not None:
        builder = builder.request(request).get_updates_request(request)
    else:
        builder = builder.rate_limiter(AIORateLimiter(max_retries=3))  # type: ignore[arg-type]
        builder = builder.connection_pool_size(CONNECTIONS).pool_timeout(20)
    parts = Parts(adviser, create_engine(settings), Catalogue(settings), Gaps(settings))

    async def prepare(app: App) -> None:
        await migrate(parts.engine)
        people = People(parts.engine, timedelta(hours=settings.conversation_hours))
        members = Members(parts.engine, settings.owner_ids)
        app.bot_data["services"] = Services(
            adviser,
            people,
            Sender(app.bot),
            members,
            parts.catalogue,
            parts.gaps,
            settings,
            Agencies(parts.catalogue),
            Handovers(parts.engine),
            Intake(parts.engine),
            Drafts(settings, adviser, parts.catalogue),
            Cases(parts.engine),
            Reminders(parts.engine),
            Outcomes(parts.engine),
        )
        await register_commands(app)
        if app.job_queue:
            # A look that comes while a switch is under way ends at once; the scheduler need not hold it back.
            app.job_queue.run_repeating(_follow_index, REFRESH_SECONDS, job_kwargs={"max_instances": 4})
            app.job_queue.run_repeating(_expire, EXPIRE_SECONDS, first=10)
            app.job_queue.run_repeating(patience.look_after, PATIENCE_SECONDS, first=20)
            app.job_queue.run_repeating(reminders.look_after, reminders.LOOK_SECONDS, first=1)
            app.job_queue.run_repeating(patience.tidy, EXPIRE_SECONDS, first=30)
            app.job_queue.run_once(_warm, 1)
            app.job_queue.run_once(intake.resume, 2)
            app.job_queue.run_repeating(library.look_after, EXPIRE_SECONDS, first=5)

    async def tidy(_: App) -> None:
        await parts.close()

    app = builder.post_init(prepare).post_shutdown(tidy).build()
    add_handlers(app)
    return app


def add_handlers(app: App) -> None:
    """Register one handler for each thing a person can do; the first that fits takes the update."""
    fresh, edited = filters.UpdateType.MESSAGE, filters.UpdateType.EDITED_MESSAGE
    words = filters.TEXT & ~filters.COMMAND
    commands = {
        "start": welcome.start,
        "help": help.help_,
        "profile": profile.show,
        "language": languages.language,
        "fees": figures.fees,
        "choose": guided.choose,
        "dispute": guided.dispute,
        "alternatives": alternatives.alternatives,
        "cases": cases.cases,
        "reminders": reminders.reminders,
        "privacy": privacy.privacy,
        "forget": privacy.forget,
        "group": agency_group.bind,
        "cancel": handover.cancel,
        "gaps": gaps.gaps,
        "add": intake.add,
        "library": library.library,
        "agencies": roles.agencies,
        "audit": roles.audit,
        "results": results.results,
    }
    for name, callback in commands.items():
        app.add_handler(CommandHandler(name, callback, fresh))
    app.add_handler(MessageHandler(fresh & filters.COMMAND & filters.ChatType.PRIVATE, help.unknown_command))
    in_group = (fresh | edited) & filters.ChatType.GROUPS & ~filters.COMMAND & ~filters.StatusUpdate.ALL
    app.add_handler(MessageHandler(in_group, agency_group.heard), group=-1)
    app.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, agency_group.moved))
    app.add_handler(MessageHandler((fresh | edited) & words, ask.question))
    app.add_handler(MessageHandler(fresh & filters.Document.ALL, intake.received))
    app.add_handler(MessageHandler(fresh & ~filters.TEXT & ~filters.StatusUpdate.ALL, media.other))
    for pattern, pressed in (
        (r"[dm]:[a-z0-9-]+(:\d{1,3})?", ask.open_document),
        (r"s:(language|country|product|market):(-|[A-Za-z]{2})", welcome.pressed),
        (r"p:(language|country|product|market)", profile.change),
        (languages.CALLBACKS, languages.pressed),
        (r"f:(1|-1):[a-z0-9-]+", feedback.vote),
        (r"r:[a-z]+:[a-z0-9-]+", feedback.reason),
        (r"x:(yes|no)", privacy.decided),
        (r"g?q:[a-z]:[\w$:.-]*", figures.pressed),
        (handover.CALLBACKS, handover.pressed),
        (r"k:\d{1,3}", gaps.page),
        (guided.CALLBACKS, guided.pressed),
        (guided.BEGINNINGS, guided.begin_by_button),
        (reminders.CALLBACKS, reminders.take_back),
        (alternatives.CALLBACKS, alternatives.pressed),
        (library.CALLBACKS, library.pressed),
        (roles.CALLBACKS, roles.pressed),
    ):
        app.add_handler(CallbackQueryHandler(pressed, pattern=f"^{pattern}$"))
    app.add_handler(CallbackQueryHandler(_stale))
    app.add_error_handler(errors.failed)


async def register_commands(app: App) -> None:
    """Set the command menu and what the bot's page says in every language; the bot works without them, so a fault is
    only logged."""
    try:
        for code in LANGUAGES:
            _, shown_to = translator(code), None if code == SOURCE_LANGUAGE else code
            menu = [BotCommand(name, _(text)) for name, text in help.COMMANDS.items()]
            await app.bot.set_my_commands(menu, language_code=shown_to)
            await app.bot.set_my_description(_(welcome.HELLO), language_code=shown_to)
            await app.bot.set_my_short_description(_(help.IN_SHORT), language_code=shown_to)
    except TelegramError as error:
        log.warning("commands_not_registered", cause=type(error).__name__)


async def _stale(update: Update, _: Context) -> None:
    if update.callback_query:
        await update.callback_query.answer()


async def _follow_index(context: Context) -> None:
    adviser: Adviser = context.bot_data["services"].adviser
    await asyncio.to_thread(adviser.refresh)


async def _warm(context: Context) -> None:
    """So that the first question about figures, picture and guide need not wait for tables, fonts and translations."""
    adviser: Adviser = context.bot_data["services"].adviser
    await asyncio.to_thread(adviser.desk.reader.warm)
    for code in LANGUAGES:
        await asyncio.to_thread(guidance(code), "")
        await asyncio.to_thread(translator, code)
        await asyncio.to_thread(read_day, "1", code, datetime.now(UTC).date())
    await asyncio.to_thread(draw, "-", "-", [Bar("-", 0.5, 0.5, "-")])


async def _expire(context: Context) -> None:
    service: Services = context.bot_data["services"]
    gone = await service.people.expire(partial(unanswered.abandoned, service.gaps))
    if gone:
        log.info("turns_expired", count=gone)
    forgotten = await service.cases.expire() + await service.reminders.expire()
    if forgotten:
        log.info("cases_expired", count=forgotten)
    if expired := await asyncio.to_thread(service.gaps.expire):
        log.info("gaps_expired", count=expired)
