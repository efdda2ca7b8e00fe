"""Between a seller's chat and an agency's group: where the messages of a hand-over go, and when they cannot."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from telegram import Message
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.advice.reply import Button
from bot.advice.richtext import RichText, join
from bot.handlers.context import Context, log, services
from bot.handovers import Author, Handover
from bot.sending import choices
from bot.translation import SOURCE_LANGUAGE, country_name, language_name, mark, translator
from ingest.catalogue import Agency
from knowledge.models import LANGUAGES

TOPIC_NAME_LENGTH = 128
"""Characters of a forum topic's name (https://core.telegram.org/bots/api#createforumtopic)."""

ATTEMPTS = 3
ALARM_SECONDS = 3600
"""Maintainers hear of an agency's unreachable group no more often than this."""

MIGRATION = "telegram"
"""The actor of what Telegram itself changes: a group that becomes a supergroup gets another id."""


class UnreachableError(Exception):
    """The agency has no group, or the bot cannot write into it."""


def language_of(agency: Agency) -> str:
    """The language in which the bot speaks in an agency's group."""
    return next((language for language in agency.languages if language in LANGUAGES), SOURCE_LANGUAGE)


def contact(agency: Agency) -> str:
    """How a seller reaches the agency without the bot."""
    return " · ".join(part for part in (agency.contact, agency.url) if part)


def reach(agency: Agency, language: str) -> RichText:
    """The same as a sentence."""
    _ = translator(language)
    return RichText.plain(_("You can also reach them yourself: {contact}").format(contact=contact(agency)))


def facts(handover: Handover, language: str) -> RichText:
    """What the agency is shown of a seller: the question, country, product and language, and nothing else."""
    _ = translator(language)
    lines = [(_("Question"), handover.question)]
    if handover.country:
        lines.append((_("Country"), country_name(handover.country, language)))
    if handover.product:
        lines.append((_("Product"), handover.product))
    lines.append((_("Language"), language_name(handover.language)))
    return join((RichText.bold(f"{name}: ") + RichText.plain(value) for name, value in lines), "\n")


async def to_group(context: Context, handover: Handover, text: RichText, *, author: Author = Author.BOT) -> None:
    """Write `text` into the hand-over's thread in its agency's group.

    Raises:
        UnreachableError: that is not possible until somebody mends it.
        TelegramError: it is not possible now.
    """
    await _write(context, handover, text, author)


async def introduce(context: Context, handover: Handover) -> None:
    """Begin the hand-over's thread in its agency's group with the question; raises what `to_group` raises."""
    await _write(context, handover, None, Author.SELLER)


async def to_seller(
    context: Context,
    handover: Handover,
    text: RichText,
    buttons: Sequence[Button] = (),
    *,
    author: Author = Author.BOT,
) -> bool:
    """Write to the seller, in reply to what was said last; False when the seller has closed the chat to us."""
    service = services(context)
    last = await service.handovers.last_message(handover.id, handover.chat_id)
    markup = choices(buttons, columns=1) if buttons else None
    try:
        messages = await service.sender.deliver(handover.chat_id, text, markup, answering=last)
    except (Forbidden, BadRequest) as error:
        log.info("seller_out_of_reach", cause=type(error).__name__)
        return False
    await _record(context, handover, messages, author)
    return True


async def tell_seller(context: Context, handover: Handover, text: str, buttons: Sequence[Button] = ()) -> None:
    """Say something to the seller that is no loss if it does not arrive: what was done stays done."""
    try:
        await to_seller(context, handover, RichText.plain(text), buttons)
    except TelegramError as error:
        log.warning("seller_not_told", handover=handover.id, cause=type(error).__name__)


async def tell_maintainers(context: Context, text: str, **values: object) -> None:
    """Tell owners and maintainers, each in their language, `text` with `values` put in."""
    service = services(context)
    for telegram_id in sorted(await service.members.maintainers()):
        person = await service.people.get(telegram_id)
        _ = translator(person.profile.language or SOURCE_LANGUAGE)
        with contextlib.suppress(TelegramError):
            await service.sender.text(telegram_id, RichText.plain(_(text).format(**values)))


async def alarm(context: Context, agency: Agency) -> None:
    """Tell maintainers that an agency's group is out of reach, once in a while."""
    told: dict[str, float] = context.bot_data.setdefault("unreachable_told", {})
    now = time.monotonic()
    if now - told.get(agency.id, -ALARM_SECONDS) < ALARM_SECONDS:
        return
    told[agency.id] = now
    await tell_maintainers(context, UNREACHABLE, agency=agency.name, id=agency.id)


UNREACHABLE = mark(
    "I cannot write into the group of {agency}, so sellers' questions do not arrive there. Put me back into the group "
    "and send /group {id} in it."
)


async def _write(context: Context, handover: Handover, text: RichText | None, author: Author) -> None:
    service = services(context)
    for _attempt in range(ATTEMPTS):
        agency = await service.agencies.get(handover.agency)
        if agency is None or agency.group_chat_id is None:
            raise UnreachableError
        try:
            await _into_thread(context, handover, agency, text, author)
            return
        except ChatMigrated as error:
            await service.agencies.bind(agency.id, error.new_chat_id, actor=MIGRATION)
        except (Forbidden, BadRequest) as error:
            log.warning("group_out_of_reach", agency=agency.id, cause=type(error).__name__)
            if handover.topic_id is None or not _is_topic_gone(error):
                raise UnreachableError from error
            await service.handovers.place(handover.id, None, None)
        handover = await service.handovers.get(handover.id) or handover
    raise UnreachableError


async def _into_thread(
    context: Context, handover: Handover, agency: Agency, text: RichText | None, author: Author
) -> None:
    """Send `text` after the thread's last message; where the group has no thread yet, begin it."""
    service, group, topic, last = services(context), agency.group_chat_id, handover.topic_id, None
    assert group is not None
    if handover.group_chat_id == group:
        last = await service.handovers.last_message(handover.id, group)
    else:
        topic = await _new_topic(context, handover, agency, group)
        await service.handovers.place(handover.id, group, topic)

    async def send(what: RichText, author: Author) -> int:
        markup = choices([close_button(handover.id, language_of(agency))])
        answering = None if topic else last
        messages = await service.sender.deliver(group, what, markup, answering=answering, topic=topic)
        await _record(context, handover, messages, author)
        return messages[-1].message_id

    if last is None:
        last = await send(_introduction(handover, agency, has_topic=topic is not None), Author.BOT)
    if text is not None:
        await send(text, author)


async def _new_topic(context: Context, handover: Handover, agency: Agency, group: int) -> int | None:
    """A topic of its own where the group has topics and the bot may make one."""
    chat = await context.bot.get_chat(group)
    if not chat.is_forum:
        return None
    language = language_of(agency)
    where = country_name(handover.country, language) if handover.country else language_name(handover.language)
    name = " ".join(f"{where}: {handover.question}".split())[:TOPIC_NAME_LENGTH]
    try:
        return (await context.bot.create_forum_topic(group, name)).message_thread_id
    except BadRequest as error:
        log.warning("topic_not_made", agency=agency.id, cause=type(error).__name__)
        return None


def close_button(id: int, language: str) -> Button:
    """The button with which the group closes a hand-over."""
    _ = translator(language)
    return Button(_("Close"), f"h:close:{id}")


def _introduction(handover: Handover, agency: Agency, *, has_topic: bool) -> RichText:
    _ = translator(language_of(agency))
    if has_topic:
        how = _(
            "Write in this topic and I carry your answer to the seller. All that invited members write here goes to "
            "the seller."
        )
    else:
        how = _("Reply to this message and I carry your answer to the seller.")
    heading = RichText.bold(_("A seller asks {agency}").format(agency=agency.name))
    return join((heading, facts(handover, language_of(agency)), RichText.italic(how)))


async def _record(context: Context, handover: Handover, messages: Sequence[Message], author: Author) -> None:
    for message in messages:
        await services(context).handovers.record(handover.id, message.chat_id, message.message_id, author)


def _is_topic_gone(error: TelegramError) -> bool:
    # The service names it "message thread not found", "TOPIC_DELETED" or "TOPIC_CLOSED".
    return any(word in error.message.casefold() for word in ("thread", "topic"))
