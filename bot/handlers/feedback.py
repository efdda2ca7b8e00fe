"""Thumbs under an answer, and why."""

from __future__ import annotations

from telegram import InlineKeyboardMarkup, Update
from telegram.error import BadRequest

from bot.advice.reply import Button
from bot.handlers import unanswered
from bot.handlers.context import Context, acknowledge, chat_id, language_of, log, services, user_id
from bot.sending import choices
from bot.translation import mark, translator

REASONS = {
    "wrong": mark("It is wrong"),
    "old": mark("It is out of date"),
    "unclear": mark("I do not understand it"),
    "other": mark("It does not answer my question"),
}


async def vote(update: Update, context: Context) -> None:
    """A thumb: `f:<1 or -1>:<document>`. A thumb down asks for the reason."""
    query = update.callback_query
    if query is None or query.data is None or query.message is None:
        return
    _kind, value, document = query.data.split(":", 2)
    up = value == "1"
    person = await services(context).people.get(user_id(update))
    _ = translator(language_of(person, update))
    await services(context).people.vote(
        user_id(update), chat_id(update), query.message.message_id, document, 1 if up else -1
    )
    await acknowledge(query, _("Thank you!") if up else _("Thank you. What was wrong?"))
    buttons = [Button(_(text), f"r:{reason}:{document}") for reason, text in REASONS.items()]
    await _swap_thumbs(update, None if up else choices(buttons, columns=1))
    if not up:
        await unanswered.disliked(update, context, document)


async def reason(update: Update, context: Context) -> None:
    """The reason for a thumb down: `r:<reason>:<document>`."""
    query = update.callback_query
    if query is None or query.data is None or query.message is None:
        return
    _kind, why, document = query.data.split(":", 2)
    person = await services(context).people.get(user_id(update))
    _ = translator(language_of(person, update))
    if why in REASONS:
        await services(context).people.vote(
            user_id(update), chat_id(update), query.message.message_id, document, -1, why
        )
    await acknowledge(query, _("Thank you, this helps to mend it."))
    await _swap_thumbs(update, None)


async def _swap_thumbs(update: Update, instead: InlineKeyboardMarkup | None) -> None:
    """Put `instead` in the place of the feedback buttons; the other buttons stay."""
    query = update.callback_query
    message = update.effective_message
    if query is None or message is None or message.reply_markup is None:
        return
    rows = [
        row
        for row in message.reply_markup.inline_keyboard
        if not any(str(button.callback_data).startswith(("f:", "r:")) for button in row)
    ]
    rows += instead.inline_keyboard if instead else []
    try:
        await query.edit_message_reply_markup(InlineKeyboardMarkup(rows) if rows else None)
    except BadRequest as error:
        log.info("thumbs_not_swapped", cause=str(error))
