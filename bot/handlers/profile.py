"""/profile: see and change what is known of you."""

from __future__ import annotations

from telegram import Update

from bot.advice.reply import Button
from bot.advice.richtext import RichText, join
from bot.handlers import welcome
from bot.handlers.context import Context, acknowledge, chat_id, language_of, services, user_id
from bot.sending import choices
from bot.translation import country_name, language_name, translator


async def show(update: Update, context: Context) -> None:
    """Show the profile with a button for each field."""
    person = await services(context).people.get(user_id(update))
    language = language_of(person, update)
    _ = translator(language)
    profile, unknown = person.profile, _("not set")
    fields = (
        (_("Language"), language_name(profile.language) if profile.language else unknown, "language"),
        (_("Country"), country_name(profile.country, language) if profile.country else unknown, "country"),
        (_("Product"), profile.product or unknown, "product"),
        (_("Market"), country_name(profile.market, language) if profile.market else unknown, "market"),
    )
    lines = [RichText.bold(f"{name}: ") + RichText.plain(value) for name, value, _step in fields]
    buttons = [Button(name, f"p:{step}") for name, _value, step in fields]
    text = join((RichText.plain(_("This is what I know of you. Tap to change.")), join(lines, "\n")))
    await services(context).sender.text(chat_id(update), text, choices(buttons))


async def change(update: Update, context: Context) -> None:
    """The button of a field: `p:<step>`."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    await acknowledge(query)
    await welcome.ask(update, context, welcome.ALONE + query.data.removeprefix("p:"))
