"""/alternatives: other ways to sell for the seller's country and goods."""

from __future__ import annotations

from telegram import Update

from bot.advice.guided import alternatives as ways
from bot.advice.reply import OTHER_WAYS
from bot.handlers.case_view import gone, guides, viewer
from bot.handlers.context import Context, acknowledge, chat_id, services

CALLBACKS = rf"{ways.PREFIX}:[a-z0-9-]{{1,48}}"


async def alternatives(update: Update, context: Context) -> None:
    """/alternatives: the ways that are open to this seller."""
    looking = await viewer(update, context)
    reply = guides(context).alternatives.list(looking.profile, looking.language)
    await services(context).sender.reply(chat_id(update), reply)


async def pressed(update: Update, context: Context) -> None:
    """The button of one way, or of all (`OTHER_WAYS`)."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    await acknowledge(query)
    if query.data == OTHER_WAYS:
        await alternatives(update, context)
        return
    looking = await viewer(update, context)
    id = query.data.split(":")[1]
    reply = guides(context).alternatives.show(id, looking.profile, looking.language, looking.today)
    if reply is None:
        await gone(update, context, looking.language)
        return
    await services(context).sender.reply(chat_id(update), reply)
