"""/privacy and /forget: what is kept, and how to have it deleted."""

from __future__ import annotations

from telegram import Update

from bot.advice.reply import Button
from bot.advice.richtext import RichText, join
from bot.cases import CLOSED_KEPT, QUIET
from bot.handlers import handover
from bot.handlers.context import Context, acknowledge, chat_id, drop_keyboard, language_of, services, user_id
from bot.handovers import TEXTS_KEPT
from bot.people import KEPT_TURNS
from bot.sending import choices
from bot.translation import translator
from ingest.gaps import KEPT_DAYS


async def privacy(update: Update, context: Context) -> None:
    """Say what is kept and for how long."""
    service = services(context)
    person = await service.people.get(user_id(update))
    _ = translator(language_of(person, update))
    kept = (
        _("your Telegram number (not your name or phone), language, country, product and market, if you gave them;"),
        _("your last {turns} questions for {hours} hours, so that you can ask on;").format(
            turns=KEPT_TURNS, hours=service.people.memory_hours
        ),
        _("your thumbs up or down and the reason;"),
        _(
            "your cases with what you filled in, plans, reminders and your clock, for {days} days after closing, "
            "{quiet} if you just leave them;"
        ).format(days=CLOSED_KEPT.days, quiet=QUIET.days),
        _("what you passed to an agency, which reads it, and its answers, for {days} days after closing.").format(
            days=TEXTS_KEPT.days
        ),
    )
    nameless = _(
        "Besides, without your name or number and so not to be found again by /forget: questions I could not answer, "
        "with the day, language and country, for {days} days, so that agencies can fill the gap; and whether a step "
        "helped, with the country, if you told me."
    ).format(days=KEPT_DAYS)
    text = join(
        (
            RichText.bold(_("What I keep")),
            RichText.plain("\n".join(f"• {line}" for line in kept)),
            RichText.plain(
                _(
                    "Nothing is sold. Others see only what you yourself pass on. "
                    "Send /forget and all of it is deleted for good."
                )
            ),
            RichText.plain(nameless),
        )
    )
    await service.sender.text(chat_id(update), text)


async def forget(update: Update, context: Context) -> None:
    """Ask once more before deleting."""
    person = await services(context).people.get(user_id(update))
    _ = translator(language_of(person, update))
    buttons = [Button(_("Delete everything"), "x:yes"), Button(_("Keep it"), "x:no")]
    text = _("Shall I delete all I know of you: profile, questions, cases and feedback? This cannot be undone.")
    await services(context).sender.text(chat_id(update), RichText.plain(text), choices(buttons))


async def decided(update: Update, context: Context) -> None:
    """The button under that question: `x:yes` or `x:no`."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    await acknowledge(query)
    await drop_keyboard(query)
    people = services(context).people
    person = await people.get(user_id(update))
    _ = translator(language_of(person, update))
    if query.data == "x:yes":
        handed_over = await handover.forget(update, context)
        led = await services(context).reminders.forget(user_id(update))
        led = await services(context).cases.forget(user_id(update)) or led
        known = await people.forget(user_id(update)) or handed_over or led
        text = _("Done. I have deleted all I knew of you.") if known else _("I knew nothing of you.")
    else:
        text = _("All right, nothing was deleted.")
    await services(context).sender.text(chat_id(update), RichText.plain(text))
