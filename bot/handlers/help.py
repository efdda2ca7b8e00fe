"""/help: what the bot can do, and who can help besides."""

from __future__ import annotations

from telegram import Update

from bot.advice.richtext import RichText, join
from bot.handlers.context import Context, chat_id, language_of, services, user_id
from bot.translation import mark, translator

COMMANDS = {
    "start": mark("Begin, or begin again"),
    "help": mark("What I can do and who can help"),
    "fees": mark("Work out what you keep of a sale"),
    "choose": mark("Find the platform that fits you"),
    "dispute": mark("Trouble with a sale: what to do, by when"),
    "alternatives": mark("Other ways to sell"),
    "cases": mark("Go on with what is open"),
    "reminders": mark("What I shall remind you of"),
    "profile": mark("Your country, product and market"),
    "language": mark("Choose another language"),
    "privacy": mark("What I keep about you"),
    "forget": mark("Delete all I know of you"),
}
"""The bot's commands with what each does, as shown in Telegram's menu."""

IN_SHORT = mark("Free adviser for small firms that sell across borders: platforms, fees, getting paid, disputes.")
"""What Telegram shows on the bot's page; 120 characters at most."""


async def help_(update: Update, context: Context) -> None:
    """Show examples, the commands, and the trade-support agency of the person's country."""
    service = services(context)
    person = await service.people.get(user_id(update))
    language = language_of(person, update)
    _ = translator(language)
    examples = (
        _("how much does Etsy take from a sale?"),
        _("my PayPal is limited, what can I do?"),
        _("which papers do I need to send baskets to Germany?"),
    )
    blocks = (
        RichText.plain(_("Ask in your own words, for example:")),
        RichText.plain("\n".join(f"• {example}" for example in examples)),
        RichText.plain("\n".join(f"/{name}: {_(text)}" for name, text in COMMANDS.items())),
        service.adviser.institutions(person.profile.country, language).text,
    )
    await service.sender.text(chat_id(update), join(blocks))


async def unknown_command(update: Update, context: Context) -> None:
    """A command that does not exist: point to /help."""
    person = await services(context).people.get(user_id(update))
    _ = translator(language_of(person, update))
    text = _("I do not know that command. Send /help to see what I can do, or just ask your question.")
    await services(context).sender.text(chat_id(update), RichText.plain(text))
