"""What handlers share: the adviser, the people, the sender, and how to reach them from an update."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import CallbackQuery, Update
from telegram.error import BadRequest
from telegram.ext import CallbackContext, ExtBot

from bot.advice.adviser import Adviser
from bot.advice.understand import Turn
from bot.agencies import Agencies
from bot.cases import Cases
from bot.drafts import Drafts
from bot.handovers import Handovers
from bot.intake import Intake
from bot.members import Members
from bot.outcomes import Outcomes
from bot.people import People, Person
from bot.reminders import Reminders
from bot.sending import Sender
from bot.settings import BotSettings
from ingest.catalogue import Catalogue
from ingest.gaps import Gaps
from knowledge.models import LANGUAGES

log = structlog.get_logger(__name__)

Context = CallbackContext[ExtBot[Any], dict[Any, Any], dict[Any, Any], dict[Any, Any]]


@dataclass(frozen=True)
class Services:
    """The services of a running bot. The catalogue and the gaps block: call them by `asyncio.to_thread`."""

    adviser: Adviser
    people: People
    sender: Sender
    members: Members
    catalogue: Catalogue
    gaps: Gaps
    settings: BotSettings
    agencies: Agencies
    handovers: Handovers
    intake: Intake
    drafts: Drafts
    cases: Cases
    reminders: Reminders
    outcomes: Outcomes


def services(context: Context) -> Services:
    """The services of the application that runs this handler."""
    return cast(Services, context.bot_data["services"])


def user_id(update: Update) -> int:
    """The Telegram id of the person behind `update`."""
    assert update.effective_user is not None, "handlers are registered for updates with a sender"
    return update.effective_user.id


def chat_id(update: Update) -> int:
    """The chat in which `update` happened."""
    assert update.effective_chat is not None, "handlers are registered for updates with a chat"
    return update.effective_chat.id


async def recall(update: Update, context: Context) -> tuple[Person, Turn | None]:
    """The person and their last turn here; a blank person when the database does not answer."""
    try:
        return await services(context).people.recall(user_id(update), chat_id(update))
    except SQLAlchemyError as error:
        log.error("people_unavailable", cause=type(error).__name__)
        return Person(user_id(update)), None


def language_of(person: Person, update: Update) -> str:
    """The person's language: as they set it, else as their Telegram is set, else English (ISO 639-1)."""
    if person.profile.language:
        return person.profile.language
    code = (update.effective_user.language_code or "" if update.effective_user else "")[:2].lower()
    return code if code in LANGUAGES else "en"


async def language_here(update: Update, context: Context) -> str:
    """The language of the person behind `update`, for handlers that need nothing else of them."""
    person, _turn = await recall(update, context)
    return language_of(person, update)


async def acknowledge(query: CallbackQuery, text: str | None = None) -> None:
    """Answer a button press; one that is too old for the service is no fault of the person."""
    try:
        await query.answer(text)
    except BadRequest as error:
        log.info("callback_not_answered", cause=str(error))


async def drop_keyboard(query: CallbackQuery) -> None:
    """Take the buttons off a message whose question is settled."""
    try:
        await query.edit_message_reply_markup(None)
    except BadRequest as error:
        log.info("keyboard_not_dropped", cause=str(error))
