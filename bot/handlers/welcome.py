"""The welcome: language, country, what you sell, where to. Each can be skipped, and changed later."""

from __future__ import annotations

import asyncio

from telegram import InlineKeyboardMarkup, Update

from bot.advice.figures.desk import NEARBY
from bot.advice.reply import Button
from bot.advice.richtext import RichText, join
from bot.advice.understand import PRODUCT_LENGTH, is_product
from bot.handlers import roles
from bot.handlers.context import Context, acknowledge, chat_id, drop_keyboard, language_of, services, user_id
from bot.people import Person
from bot.sending import choices
from bot.translation import Translate, country_name, language_name, mark, translator
from knowledge.lexicon import language_called
from knowledge.models import LANGUAGES
from knowledge.normalise import QUESTION_MARKS, visible

HELLO = mark(
    "Hello! I am Tradewind. I help small firms sell across borders: choosing platforms, fees, getting paid, "
    "shipping, disputes. My answers show their source and date, and I say so when I do not know."
)
"""Also what Telegram shows before the first message; 512 characters at most."""

STEPS = ("language", "country", "product", "market")
ALONE, REMINDED = "=", "?"
"""Before a step's name in a person's state: only this is being changed, no further question follows; or the
person asked something else and was reminded once, which is enough."""

_MARKETS = ("US", "EU", "GB", "AE", "CA", "ZA")


async def start(update: Update, context: Context) -> None:
    """/start: say who we are, then ask the first question; with an invitation in a deep link, use that."""
    if context.args and context.args[0].startswith(roles.INVITATION):
        await roles.join_by_invitation(update, context, context.args[0].removeprefix(roles.INVITATION))
        return
    person = await services(context).people.get(user_id(update))
    language = language_of(person, update)
    _ = translator(language)
    later = _(
        "Four short questions help me fit the answers to you. You can skip any of them, or just ask me something."
    )
    await services(context).sender.text(chat_id(update), join((RichText.plain(_(HELLO)), RichText.plain(later))))
    await ask(update, context, "language")


async def ask(update: Update, context: Context, step: str) -> None:
    """Ask the question of `step`, a name of `STEPS` or that after `ALONE`, and remember that it is open."""
    person = await services(context).people.update(user_id(update), step=step)
    language = language_of(person, update)
    text, markup = _question(bare(step), language)
    await services(context).sender.text(chat_id(update), RichText.plain(text), markup)


def bare(step: str) -> str:
    """The name of `STEPS` in a person's state."""
    return step.lstrip(ALONE + REMINDED)


async def remind(update: Update, context: Context, step: str) -> None:
    """Come back once to the open question after something else was answered."""
    if step in STEPS:
        await ask(update, context, REMINDED + step)


def _question(step: str, language: str) -> tuple[str, InlineKeyboardMarkup]:
    _ = translator(language)
    if step == "language":
        text = _("Which language do you prefer?")
        buttons = [Button(language_name(code), f"s:language:{code}") for code in LANGUAGES]
    elif step == "country":
        text = _("Which country do you sell from? Tap, or write its name.")
        buttons = [Button(country_name(code, language), f"s:country:{code}") for code in NEARBY[language]]
    elif step == "product":
        text = _("What do you sell? Two or three words are enough, such as: leather bags.")
        buttons = []
    else:
        text = _("Where would you like to sell? Tap, or write a country.")
        buttons = [Button(country_name(code, language), f"s:market:{code}") for code in _MARKETS]
    return text, choices([*buttons, Button(_("Skip"), f"s:{step}:-")])


async def pressed(update: Update, context: Context) -> None:
    """A button of the welcome: `s:<step>:<value>`, `-` for skip."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    await acknowledge(query)
    await drop_keyboard(query)
    _kind, step, value = query.data.split(":", 2)
    await _store_and_go_on(update, context, step, None if value == "-" else value)


async def take_answer(update: Update, context: Context, person: Person, text: str) -> bool:
    """Take `text` as the answer to the open question of the welcome; False when it is something else."""
    step = bare(person.step or "")
    value: str | None = None
    if step == "language":
        value = language_called(text)
    elif step in ("country", "market"):
        value = await _country_named(context, text, step)
    elif step == "product" and is_product(text):
        value = " ".join(visible(text).split())[:PRODUCT_LENGTH]
    if value is None:
        return False
    await _store_and_go_on(update, context, step, value)
    return True


async def _store_and_go_on(update: Update, context: Context, step: str, value: str | None) -> None:
    people = services(context).people
    before = await people.get(user_id(update))
    following = STEPS[STEPS.index(step) + 1 :] if before.step in (step, REMINDED + step) else ()
    fields = {step: value} if value is not None else {}
    person = await people.update(user_id(update), step=following[0] if following else None, **fields)
    if following:
        await ask(update, context, following[0])
        return
    language = language_of(person, update)
    text = _finished(translator(language), person, language)
    await services(context).sender.text(chat_id(update), RichText.plain(text))


def _finished(_: Translate, person: Person, language: str) -> str:
    done = _("Thank you. Now ask me anything about selling across borders, in your own words.")
    country = person.profile.country
    example = (
        _("For example: can I sell on Etsy from {country}?").format(country=country_name(country, language))
        if country
        else _("For example: how much does Etsy take from a sale?")
    )
    return f"{done}\n{example}"


async def _country_named(context: Context, text: str, step: str) -> str | None:
    if len(text) > 60 or text.rstrip().endswith(QUESTION_MARKS):
        return None
    adviser = services(context).adviser
    run = asyncio.get_running_loop().run_in_executor
    if step == "country":
        return await run(adviser.executor, adviser.gazetteer.country, text)
    markets = await run(adviser.executor, adviser.gazetteer.markets, text)
    return markets[0] if markets else None
