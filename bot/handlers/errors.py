"""When something breaks: the person gets one clear sentence, the log gets the cause."""

from __future__ import annotations

import secrets

from telegram import Update
from telegram.error import Forbidden, NetworkError

from bot.advice.richtext import RichText
from bot.handlers.context import Context, acknowledge, language_of, log, services
from bot.people import Person
from bot.translation import translator


async def failed(update: object, context: Context) -> None:
    """Log the error with a reference and tell the person, whose message stays in the chat to be sent again."""
    error = context.error
    if isinstance(error, Forbidden):
        log.info("chat_closed_to_us")
        return
    if update is None and isinstance(error, NetworkError):
        log.warning("telegram_out_of_reach", cause=type(error).__name__)
        return
    reference = secrets.token_hex(3)
    log.error("handler_failed", reference=reference, exc_info=error)
    if not isinstance(update, Update) or update.effective_chat is None or update.effective_user is None:
        return
    if update.callback_query:
        await acknowledge(update.callback_query)
    _ = translator(language_of(Person(update.effective_user.id), update))
    text = _("Something went wrong on my side. Please send your question again in a minute. (Reference {reference})")
    await services(context).sender.text(update.effective_chat.id, RichText.plain(text.format(reference=reference)))
