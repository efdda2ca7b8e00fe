"""A question in, an answer out; and the buttons that lead on from an answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import Message, Update

from bot.advice.reply import Reply, ReplyKind
from bot.advice.richtext import RichText
from bot.handlers import drafts, guided, handover, languages, roles, unanswered, welcome
from bot.handlers.case_view import STEP
from bot.handlers.context import Context, acknowledge, chat_id, language_here, language_of, recall, services
from bot.sending import typing
from bot.translation import translator
from knowledge.database import DatabaseError

log = structlog.get_logger(__name__)


async def question(update: Update, context: Context) -> None:
    """Answer a text message (new or edited), or a caption with a question in it."""
    message = update.effective_message
    if message is None or update.effective_user is None:
        return
    text = addressed_text(message, context.bot.username)
    if text is None:
        return
    person, _ = await recall(update, context)
    if await handover.take_answer(update, context, person, text):
        return
    if message.chat.type == "private":
        for desk in (guided, drafts, roles):
            if await desk.take_answer(update, context, person, text):
                return
    if person.step and message.chat.type == "private" and await welcome.take_answer(update, context, person, text):
        return
    if message.chat.type == "private" and await languages.take_answer(update, context, text):
        return
    await answer(update, context, text, repeat_step=person.step)


async def answer(update: Update, context: Context, text: str, *, repeat_step: str | None = None) -> None:
    """Advise on `text`, send the reply, remember the turn; then begin or go on with what leads step by step."""
    service = services(context)
    person, earlier = await recall(update, context)
    profile = replace(person.profile, language=language_of(person, update))
    chat = chat_id(update)
    async with typing(context.bot, chat):
        consultation = await asyncio.get_running_loop().run_in_executor(
            service.adviser.executor, service.adviser.advise, text, profile, earlier
        )
    message = update.effective_message
    in_group = message is not None and message.chat.type != "private"
    answering = message.message_id if message and in_group else None
    reply = consultation.reply
    if not in_group:
        reply = await handover.offer(context, reply, profile, consultation.turn)
    if reply.begins is not None:
        # Its choices come with the question of the case; what else it leads to stays, but not in groups.
        kept = () if in_group else tuple(button for button in reply.buttons if button.action)
        reply = replace(reply, buttons=kept)
    begins = reply.begins if not in_group else None
    sent = await service.sender.reply(chat, reply, answering=answering)
    log.info(
        "answered",
        kind=consultation.reply.kind.value,
        intent=consultation.reply.intent,
        passage=consultation.reply.passage,
        language=consultation.reply.language,
        milliseconds=round(consultation.seconds * 1000),
    )
    await unanswered.remember(update, context, consultation, earlier, sent)
    await _count_use(context, consultation.reply)
    if begins is not None:
        await guided.begin_from_words(update, context, begins, reply.language)
    elif repeat_step and not in_group:
        await _come_back(update, context, repeat_step, consultation.reply)
    if not in_group and begins is None:  # a guide that words begin keeps their language by itself
        await languages.offer(update, context, person, consultation.question)


async def _come_back(update: Update, context: Context, step: str, reply: Reply) -> None:
    """Go on with what was open before the question."""
    if step.startswith(STEP):
        await guided.go_on(update, context, step, is_asking=reply.kind is ReplyKind.ASK_BACK)
    else:
        await welcome.remind(update, context, step)


async def _count_use(context: Context, reply: Reply) -> None:
    """Count an answer that an agency's document led, for its library."""
    service = services(context)
    document = service.adviser.index.generation.documents.get(reply.judged_as or "")
    if reply.kind is not ReplyKind.ANSWER or document is None or document.agency is None:
        return
    try:
        await asyncio.to_thread(service.catalogue.count_use, document.id)
    except (DatabaseError, SQLAlchemyError) as error:
        log.error("use_not_counted", cause=type(error).__name__)


def addressed_text(message: Message, username: str) -> str | None:
    """The text of `message` that is meant for the bot, without its name; None when it is not addressed.

    In a private chat all is meant for the bot; in a group what mentions it or answers one of its messages.
    """
    text = message.text or message.caption
    if not text:
        return None
    if message.chat.type == "private":
        return text
    mention = f"@{username}".casefold()
    replied = message.reply_to_message
    if mention in text.casefold():
        at = text.casefold().index(mention)
        return (text[:at] + text[at + len(mention) :]).strip() or None
    # In a topic that the bot has made each message looks like a reply to its making.
    if replied and not replied.forum_topic_created and replied.from_user and replied.from_user.username == username:
        return text
    return None


async def open_document(update: Update, context: Context) -> None:
    """The button of a related subject (`d:<document>`) or of the long form (`m:<document>[:<passage>]`)."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    await acknowledge(query)
    language = await language_here(update, context)
    _kind, document, *number = query.data.split(":")
    index = int(number[0]) if number and number[0].isdigit() else 0
    adviser = services(context).adviser
    run = asyncio.get_running_loop().run_in_executor
    reply = await run(adviser.executor, adviser.more, document, index, language)
    if reply is None:
        _ = translator(language)
        text = _("That text has been replaced since. Please ask your question again.")
        await services(context).sender.text(chat_id(update), RichText.plain(text))
        return
    await services(context).sender.reply(chat_id(update), reply)
    await unanswered.opened(update, context)
