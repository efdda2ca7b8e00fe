"""What agencies and maintainers use of the bot: who may, and how everybody else is kept out."""

from __future__ import annotations

import asyncio

from telegram import Update

from bot.handlers import help
from bot.handlers.context import Context, acknowledge, services, user_id
from bot.members import Access
from ingest.catalogue import CatalogueError, Version


async def access(update: Update, context: Context) -> Access:
    """What the person behind `update` may do; nothing outside of a private chat."""
    if update.effective_chat is None or update.effective_chat.type != "private":
        return Access()
    return await services(context).members.access(user_id(update))


async def refuse(update: Update, context: Context) -> None:
    """Answer as if what was asked for did not exist: others do not learn that there is anything to reach."""
    if update.callback_query is not None:
        await acknowledge(update.callback_query)
    elif update.effective_chat is not None and update.effective_chat.type == "private":
        await help.unknown_command(update, context)


async def own_version(update: Update, context: Context, id: int) -> Version | None:
    """The version with this id, if the person may act for its agency."""
    try:
        version = await asyncio.to_thread(services(context).catalogue.version, id)
    except CatalogueError:
        return None
    return version if (await access(update, context)).to(version.document.agency) else None
