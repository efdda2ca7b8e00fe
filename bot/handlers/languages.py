"""/language, and the offer to switch when somebody writes in another language than theirs."""

from __future__ import annotations

from telegram import Update

from bot.advice.reply import Button
from bot.advice.richtext import RichText
from bot.advice.understand import Question
from bot.handlers import guided
from bot.handlers.case_view import STEP
from bot.handlers.context import Context, acknowledge, chat_id, drop_keyboard, language_of, services, user_id
from bot.people import Person
from bot.sending import choices
from bot.translation import language_name, language_named, translator
from knowledge.lexicon import language_called
from knowledge.models import LANGUAGES

CODE_LENGTH = 2

CALLBACKS = r"l:(-|[a-z]{2})"
"""`l:<ISO 639-1>` chooses a language, `l:-` leaves it as it is."""


async def language(update: Update, context: Context) -> None:
    """/language: choose another language at any time, by a button or by its name behind the command."""
    named = language_called(" ".join(context.args or ()))
    if named is not None:
        await _choose(update, context, named)
        return
    person = await services(context).people.get(user_id(update))
    _ = translator(language_of(person, update))
    buttons = [Button(language_name(code), f"l:{code}") for code in LANGUAGES]
    await services(context).sender.text(
        chat_id(update), RichText.plain(_("Which language do you prefer?")), choices(buttons)
    )


async def pressed(update: Update, context: Context) -> None:
    """A button of a language, or the one that leaves it."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    await acknowledge(query)
    await drop_keyboard(query)
    code = query.data.removeprefix("l:")
    if code in LANGUAGES:
        await _choose(update, context, code)


async def take_answer(update: Update, context: Context, text: str) -> bool:
    """Take `text` as a choice when it is the name of one of our languages and nothing else; codes are words, too."""
    named = language_called(text)
    if named is None or (len(text.strip(" .!")) <= CODE_LENGTH and text.isascii()):
        return False
    await _choose(update, context, named)
    return True


async def offer(update: Update, context: Context, person: Person, question: Question) -> None:
    """Offer once to switch to the language that `question` is clearly in, when it is not the person's own."""
    code = question.language
    if question.foreign or code == language_of(person, update) or code == person.offered:
        return
    await services(context).people.update(user_id(update), offered=code)
    _ = translator(code)
    text = _("Shall I always write in {language} from now on?").format(language=language_named(code, code))
    buttons = [Button(_("Yes"), f"l:{code}"), Button(_("No"), "l:-")]
    await services(context).sender.text(chat_id(update), RichText.plain(text), choices(buttons))


async def _choose(update: Update, context: Context, code: str) -> None:
    """Keep the language; what is open goes on in it."""
    person = await services(context).people.update(user_id(update), language=code)
    _ = translator(code)
    text = _("From now on I write in {language}. /language changes it.").format(language=language_named(code, code))
    await services(context).sender.text(chat_id(update), RichText.plain(text))
    if person.step and person.step.startswith(STEP):
        await guided.go_on(update, context, person.step, is_asking=False)
