"""An agency's group: members' answers go to the seller, sellers' messages come in, and /group binds the group."""

from __future__ import annotations

import contextlib

from sqlalchemy.exc import SQLAlchemyError
from telegram import Message, Update
from telegram.error import TelegramError
from telegram.ext import ApplicationHandlerStop

from bot.advice.reply import Button
from bot.advice.richtext import RichText
from bot.handlers import carrying, desk
from bot.handlers.context import Context, drop_keyboard, language_of, log, services, user_id
from bot.handovers import Author, Handover, TooManyOpenError, Written
from bot.sending import choices
from bot.translation import translator
from ingest.catalogue import Agency, CatalogueError
from knowledge.database import DatabaseError

# Messages in the group


async def heard(update: Update, context: Context) -> None:
    """Take a message in a group that belongs to a hand-over; let all others pass to the other handlers."""
    if await _take(update, context):
        raise ApplicationHandlerStop


async def _take(update: Update, context: Context) -> bool:
    message = update.effective_message
    if message is None or update.effective_user is None:
        return False
    service = services(context)
    agency = await service.agencies.in_group(message.chat_id)
    if agency is None:
        return False
    try:
        handover, before = await _meant(update, context, message)
        if handover is None or handover.agency != agency.id:
            return await _take_lost(context, agency, message)
        may = (await service.members.access(user_id(update))).to(agency.id)
    except SQLAlchemyError as error:
        log.error("handovers_unavailable", cause=type(error).__name__)
        return False
    _ = translator(carrying.language_of(agency))
    if not may:
        if update.edited_message is None:
            await _say(context, message, _("Only members whom the agency has invited can answer sellers here."))
    elif message.text is None:
        await _say(context, message, _("I can only carry text. Please write it."))
    elif not handover.is_open:
        await _say_closed(context, agency, handover, message)
    else:
        await _carry_answer(context, agency, handover, message, before)
    return True


async def _meant(update: Update, context: Context, message: Message) -> tuple[Handover | None, Written | None]:
    """The hand-over that a message is for; with what it said before if this is a correction."""
    store = services(context).handovers
    if update.edited_message is not None:
        found = await store.by_message(message.chat_id, message.message_id)
        if found is not None:
            return found
    replied = message.reply_to_message
    is_answer = replied is not None and replied.forum_topic_created is None
    # A reply to a colleague's words is between colleagues; in a topic of the hand-over all is for the seller.
    spoken_by = replied.from_user.id if replied and is_answer and replied.from_user else None
    if replied is not None and spoken_by in (context.bot.id, user_id(update)):
        found = await store.by_message(message.chat_id, replied.message_id)
        if found is not None:
            return found[0], None
    if message.is_topic_message and message.message_thread_id and (is_answer or not _mentions(message, context)):
        return await store.by_topic(message.chat_id, message.message_thread_id), None
    return None, None


async def _take_lost(context: Context, agency: Agency, message: Message) -> bool:
    """An answer to a hand-over that is gone or another agency's: say so, rather than advise on it."""
    replied = message.reply_to_message
    markup = replied.reply_markup if replied and replied.from_user and replied.from_user.id == context.bot.id else None
    if markup is None or not any(
        str(button.callback_data).startswith("h:") for row in markup.inline_keyboard for button in row
    ):
        return False
    _ = translator(carrying.language_of(agency))
    await _say(context, message, _("That question is gone; the seller may have deleted their data. Nothing was sent."))
    return True


async def _carry_answer(
    context: Context, agency: Agency, handover: Handover, message: Message, before: Written | None
) -> None:
    """Carry a member's words to the seller and confirm it; an edited message is carried as a correction."""
    store, words = services(context).handovers, message.text or ""
    if before is not None:
        if before.author is not Author.AGENCY or not await store.correct(before.id, words):
            return
        entry: int | None = before.id
    else:
        entry = await store.record(handover.id, message.chat_id, message.message_id, Author.AGENCY, words)
    if entry is None:
        return
    _ = translator(handover.language)
    heading = (
        _("Correction from {agency} (a person wrote this):")
        if before is not None
        else _("Answer from {agency} (a person wrote this):")
    )
    buttons = [Button(_("Write back"), f"h:write:{handover.id}"), Button(_("This settles it"), f"h:done:{handover.id}")]
    text = RichText.bold(heading.format(agency=agency.name)) + RichText.plain("\n" + words)
    language = carrying.language_of(agency)
    _ = translator(language)
    try:
        arrived = await carrying.to_seller(context, handover, text, buttons, author=Author.AGENCY)
    except TelegramError as error:
        log.warning("answer_not_carried", handover=handover.id, cause=type(error).__name__)
        if before is None:
            await store.unrecord(entry)
        else:
            await store.correct(entry, before.text)
        await _say(context, message, _("That could not be delivered now. Please write it again in a minute."))
        return
    close = carrying.close_button(handover.id, language)
    if not arrived:
        text_ = _("The seller has closed the chat with me, so this did not reach them.")
        await _say(context, message, text_, [close], of=handover)
        return
    await store.answered(handover.id)
    card = Button(_("Make it a draft card"), f"h:card:{handover.id}:{entry}")
    await _say(context, message, _("Delivered."), [card, close], of=handover)
    log.info("answer_carried", handover=handover.id, agency=agency.id)


async def carry(context: Context, handover: Handover, words: str, *, is_correction: bool = False) -> None:
    """Carry a seller's words into the group; raises what `carrying.to_group` raises."""
    _ = translator(await _group_language(context, handover))
    heading = _("The seller corrects this:") if is_correction else _("The seller writes:")
    text = RichText.bold(heading) + RichText.plain("\n" + words)
    await carrying.to_group(context, handover, text, author=Author.SELLER)


async def tell_closed(context: Context, handover: Handover) -> None:
    """Tell the group that the seller has closed a hand-over; best effort."""
    _ = translator(await _group_language(context, handover))
    with contextlib.suppress(carrying.UnreachableError, TelegramError):
        await carrying.to_group(context, handover, RichText.plain(_("The seller has closed this question.")))


async def tell_forgotten(context: Context, handover: Handover, last: int | None) -> None:
    """Tell the group that a seller's data are deleted; best effort. The hand-over itself is gone by now."""
    _ = translator(await _group_language(context, handover))
    text = RichText.plain(_("The seller has deleted their data. This question is closed."))
    if handover.group_chat_id is None:
        return
    with contextlib.suppress(TelegramError):
        answering = None if handover.topic_id else last
        await services(context).sender.text(handover.group_chat_id, text, answering=answering, topic=handover.topic_id)


async def _group_language(context: Context, handover: Handover) -> str:
    agency = await services(context).agencies.get(handover.agency)
    return carrying.language_of(agency) if agency else "en"


# Buttons in the group


async def pressed(update: Update, context: Context, action: str, id: int, rest: list[str]) -> None:
    """Close, open again or make a card, by a member in the agency's group; nothing for anybody else."""
    service, message = services(context), update.effective_message
    handover = await service.handovers.get(id)
    agency = await service.agencies.get(handover.agency) if handover else None
    if handover is None or agency is None or message is None or agency.group_chat_id != message.chat_id:
        return
    if not (await service.members.access(user_id(update))).to(agency.id):
        return
    if action == "close":
        await _close(update, context, agency, handover)
    elif action == "open":
        await _open(update, context, agency, handover, message)
    elif action == "card" and rest:
        await _make_card(update, context, agency, handover, int(rest[0]))


async def _close(update: Update, context: Context, agency: Agency, handover: Handover) -> None:
    closed = await services(context).handovers.close(handover.id)
    if closed is None:
        return
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    _ = translator(closed.language)
    button = Button(_("Open it again"), f"h:open:{closed.id}")
    text = _("{agency} has closed your question.").format(agency=agency.name)
    await carrying.tell_seller(context, closed, text, [button])
    _ = translator(carrying.language_of(agency))
    if update.effective_message:
        await _say(context, update.effective_message, _("Closed. The seller was told."), of=closed)


async def _open(update: Update, context: Context, agency: Agency, handover: Handover, message: Message) -> None:
    _ = translator(carrying.language_of(agency))
    try:
        opened = await services(context).handovers.reopen(handover.id)
    except TooManyOpenError:
        await _say(context, message, _("The seller has too many open questions, so this one stays closed."))
        return
    if opened is None:
        return
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    text = _("Open again. Reply to this message and I carry your answer to the seller.")
    await _say(context, message, text, [carrying.close_button(opened.id, carrying.language_of(agency))], of=opened)


async def _make_card(update: Update, context: Context, agency: Agency, handover: Handover, entry: int) -> None:
    """Give an answer to the agency's library as the draft of a card."""
    answer = await services(context).handovers.written(entry)
    if answer is None or answer.handover != handover.id or answer.author is not Author.AGENCY or not answer.text:
        return
    from bot.handlers import drafts

    language, message, query = carrying.language_of(agency), update.effective_message, update.callback_query
    _ = translator(language)
    if query is None or message is None:
        return
    try:
        await drafts.draft_card(
            context, agency.id, handover.question, answer.text, handover.language, handover.country, user_id(update)
        )
    except (CatalogueError, DatabaseError) as error:
        log.warning("card_not_made", handover=handover.id, cause=type(error).__name__)
        await _say(context, message, _("That could not be made a card; perhaps it is one already."))
        return
    with contextlib.suppress(TelegramError):  # only the way to close stays
        await query.edit_message_reply_markup(choices([carrying.close_button(handover.id, language)]))
    await _say(context, message, _("The draft is in the library; whoever pressed finds it in their own chat with me."))


async def _say_closed(context: Context, agency: Agency, handover: Handover, message: Message) -> None:
    _ = translator(carrying.language_of(agency))
    if not handover.question:
        await _say(context, message, _("This was closed long ago and its words are deleted. Nothing was sent."))
        return
    button = Button(_("Open it again"), f"h:open:{handover.id}")
    await _say(context, message, _("This is closed. Nothing was sent."), [button])


async def _say(
    context: Context, message: Message, text: str, buttons: list[Button] | None = None, *, of: Handover | None = None
) -> None:
    """Answer a message in the group; the answer belongs to the hand-over `of`. What was done stays done without it."""
    service = services(context)
    markup = choices(buttons) if buttons else None
    topic = message.message_thread_id if message.is_topic_message else None
    try:
        messages = await service.sender.deliver(
            message.chat_id, RichText.plain(text), markup, answering=message.message_id, topic=topic
        )
    except TelegramError as error:
        log.warning("group_not_told", cause=type(error).__name__)
        return
    if of is not None:
        for sent in messages:
            await service.handovers.record(of.id, sent.chat_id, sent.message_id, Author.BOT)


def _mentions(message: Message, context: Context) -> bool:
    return f"@{context.bot.username}".casefold() in (message.text or message.caption or "").casefold()


# Binding


async def bind(update: Update, context: Context) -> None:
    """/group <agency>, /group off: bind this group to an agency. For everybody else there is no such command."""
    message, service = update.effective_message, services(context)
    if message is None or update.effective_user is None:
        return
    access = await service.members.access(user_id(update))
    if not access:
        await desk.refuse(update, context)
        return
    person = await service.people.get(user_id(update))
    _ = translator(language_of(person, update))
    if message.chat.type == "private":
        await _say(context, message, _("Send /group with your agency's short name in the group itself."))
        return
    bound = await service.agencies.in_group(message.chat_id, fresh=True)
    wanted = (context.args or [""])[0].casefold()
    if bound is not None and not access.to(bound.id):
        return
    if wanted == "off":
        if bound is not None:
            await service.agencies.bind(bound.id, None, actor=str(user_id(update)))
        await _say(context, message, _("Sellers' questions do not come into this group any more."))
        return
    known = [agency for agency in await service.agencies.all() if access.to(agency.id)]
    agency = next((agency for agency in known if agency.id == wanted), None)
    if agency is None:
        if not wanted or access.is_maintainer:
            ids = ", ".join(agency.id for agency in known) or "-"
            await _say(
                context, message, _("Write the agency after the command, or off. Agencies: {ids}").format(ids=ids)
            )
        return
    await service.agencies.bind(agency.id, message.chat_id, actor=str(user_id(update)))
    lines = [
        _("Sellers' questions to {agency} now come into this group.").format(agency=agency.name),
        _("Who may answer: members that the agency has invited. Reply to a question, and the seller gets your words."),
        _(
            "I must see replies: in groups with privacy mode I see replies to my own messages and commands; make me an "
            "administrator, and I see all that I need."
        ),
        _("If the group has topics, give me the right to manage topics: each question then gets a topic of its own."),
    ]
    await _say(context, message, "\n\n".join(lines))


async def moved(update: Update, context: Context) -> None:
    """A group became a supergroup and has another id now: its agency follows."""
    message, service = update.effective_message, services(context)
    if message is None or message.migrate_to_chat_id is None:
        return
    agency = await service.agencies.in_group(message.chat_id, fresh=True)
    if agency is not None:
        await service.agencies.bind(agency.id, message.migrate_to_chat_id, actor=carrying.MIGRATION)
