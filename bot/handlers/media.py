"""Voice, pictures, files, stickers: a kind word and what to do instead."""

from __future__ import annotations

from telegram import Update

from bot.advice import smalltalk
from bot.advice.understand import Question
from bot.handlers import ask
from bot.handlers.context import Context, chat_id, language_here, services


async def other(update: Update, context: Context) -> None:
    """Answer a caption; else say what can be read. Silent in groups, where nobody may have meant the bot."""
    message = update.effective_message
    if message is None or update.effective_user is None:
        return
    if message.caption:
        await ask.question(update, context)
        return
    if message.chat.type != "private":
        return
    if message.voice or message.audio or message.video_note:
        intent = "voice"
    elif message.sticker or message.animation or message.dice:
        intent = "sticker"
    else:
        intent = "photo"
    question = Question("", "", await language_here(update, context))
    await services(context).sender.reply(chat_id(update), smalltalk.reply(intent, question))
