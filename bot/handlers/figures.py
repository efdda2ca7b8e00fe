"""/fees, and the buttons of answers about figures: work out, change, compare, draw."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import Update

from bot.advice.figures import picture
from bot.advice.figures.chart import draw
from bot.advice.reply import Reply, ReplyKind
from bot.advice.richtext import RichText
from bot.advice.understand import Turn
from bot.handlers import guided
from bot.handlers.context import Context, acknowledge, chat_id, language_of, recall, services, user_id
from bot.people import Outcome
from bot.sending import typing
from bot.translation import translator

log = structlog.get_logger(__name__)


async def fees(update: Update, context: Context) -> None:
    """/fees: begin the guided way."""
    person, _turn = await recall(update, context)
    reply = services(context).adviser.desk.start(person.profile, language_of(person, update))
    await _send(update, context, reply)


async def pressed(update: Update, context: Context) -> None:
    """A button with the code of a draft; `g` before it asks for the picture."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    await acknowledge(query)
    person, _turn = await recall(update, context)
    language = language_of(person, update)
    adviser = services(context).adviser
    if query.data.startswith("g"):
        await _draw(update, context, query.data.removeprefix("g"), language)
        return
    run = asyncio.get_running_loop().run_in_executor
    reply = await run(adviser.executor, adviser.desk.press, query.data, person.profile, language)
    if reply is None:
        await _gone(update, context, language)
        return
    await _send(update, context, reply)


async def _send(update: Update, context: Context, reply: Reply) -> None:
    service, chat = services(context), chat_id(update)
    if reply.kind is ReplyKind.ASK_BACK:
        await guided.wait(update, context)
    sent = await service.sender.reply(chat, reply)
    try:
        await service.people.remember(
            user_id(update), chat, Turn("", draft=reply.draft), Outcome(sent.message_id if sent else None, reply.kind)
        )
    except SQLAlchemyError as error:
        log.error("turn_not_remembered", cause=type(error).__name__)


async def _draw(update: Update, context: Context, code: str, language: str) -> None:
    """Send the comparison as a picture. Drawing takes a while, so it is done by another thread."""
    service, chat = services(context), chat_id(update)
    run = asyncio.get_running_loop().run_in_executor
    found = await run(service.adviser.executor, picture.comparison, service.adviser.desk, code, language)
    if found is None:
        await _gone(update, context, language)
        return
    async with typing(context.bot, chat):
        png = await asyncio.to_thread(draw, found.title, found.note, found.bars, right_to_left=found.right_to_left)
    await service.sender.picture(chat, png, found.title)


async def _gone(update: Update, context: Context, language: str) -> None:
    _ = translator(language)
    text = _("That button is out of date. Please ask your question again.")
    await services(context).sender.text(chat_id(update), RichText.plain(text))
