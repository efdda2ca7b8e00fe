"""The seller's side of a hand-over: the offer, what would be sent, sending it, writing back, closing.

Nothing goes to an agency before the seller has seen it and pressed Send.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError
from telegram import Message, Update
from telegram.error import TelegramError

from bot.advice import smalltalk
from bot.advice.reply import Button, Reply, ReplyKind, label
from bot.advice.richtext import RichText, join
from bot.advice.understand import Profile, Turn
from bot.handlers import agency_group, carrying
from bot.handlers.context import (
    Context,
    acknowledge,
    chat_id,
    drop_keyboard,
    language_of,
    log,
    recall,
    services,
    user_id,
)
from bot.handlers.unanswered import LACKING, UNCLEAR
from bot.handovers import MOST_OPEN, TEXT_LENGTH, Author, Handover, State, TooManyOpenError, Written
from bot.people import Person
from bot.sending import choices
from bot.translation import Translate, translator
from ingest.catalogue import Agency
from knowledge.normalise import visible

CALLBACKS = r"h:(ask:[a-z0-9-]{1,48}(:type)?|[a-z]+:\d{1,9}(:\d{1,9})?)"
"""The callback data of hand-overs, on both sides: an agency's id, else numbers that any database can hold."""

OFFERED = {
    *((ReplyKind.DECLINE, intent) for intent in LACKING),
    (ReplyKind.ASK_BACK, UNCLEAR),
    (ReplyKind.ANSWER, "human"),
}
"""Replies under which an agency is offered."""

MOST_OFFERED = 2
STEP = "h:"
"""Before a person's step when the next typed message belongs to a hand-over: `h:ask:<agency>`, `h:edit:<number>` or
`h:write:<number>`."""


# The offer


async def offer(context: Context, reply: Reply, profile: Profile, turn: Turn) -> Reply:
    """`reply` with a button for each agency that could answer instead; as it is where none could."""
    country = _country(profile, turn)
    if (reply.kind, reply.intent) not in OFFERED or country is None:
        return reply
    agencies = await services(context).agencies.serving(country, reply.language)
    if not agencies:
        return reply
    _ = translator(reply.language)
    action = "h:ask:{}"
    if reply.intent == "human":
        # The wish for a person is no question yet: it is asked for.
        reply, action = smalltalk.with_people(reply), "h:ask:{}:type"
    asking = [
        Button(label(_("Ask {agency}").format(agency=agency.name)), action.format(agency.id))
        for agency in agencies[:MOST_OFFERED]
    ]
    return replace(reply, buttons=(*reply.buttons, *asking))


def _country(profile: Profile, turn: Turn | None) -> str | None:
    return profile.country or (next(iter(turn.entities.countries), None) if turn else None)


# Buttons


async def pressed(update: Update, context: Context) -> None:
    """A button of a hand-over, of either side: `h:<what>:<number>`, or `h:ask:<agency>[:type]`.

    Only the seller to whom a hand-over belongs and members of its agency in the agency's group get further than the
    acknowledgement.
    """
    query = update.callback_query
    if query is None or query.data is None or update.effective_chat is None:
        return
    await acknowledge(query)
    _kind, action, subject, *rest = query.data.split(":")
    if update.effective_chat.type != "private":
        await agency_group.pressed(update, context, action, int(subject) if subject.isdigit() else 0, rest)
    elif action == "ask":
        await _ask(update, context, subject, wants_words=bool(rest))
    elif action == "stop":
        await _stop(update, context, int(subject))
    else:
        handover = await services(context).handovers.get(int(subject))
        act = _ACTIONS.get(action)
        if act is not None and handover is not None and handover.telegram_id == user_id(update):
            await act(update, context, handover)


async def _ask(update: Update, context: Context, agency_id: str, *, wants_words: bool) -> None:
    """Make a draft of the last question and show it; without a question ask for one."""
    agency = await services(context).agencies.get(agency_id)
    person, turn = await recall(update, context)
    country = _country(person.profile, turn)
    if agency is None or (country is not None and country not in agency.countries):
        return
    language = language_of(person, update)
    if agency.group_chat_id is None:
        await _say(update, context, _closed_to_us(agency, language))
        return
    question = visible(turn.question).strip() if turn else ""
    if wants_words or not question:
        await _await_words(update, context, f"{STEP}ask:{agency.id}", 0)
        return
    await draft(update, context, person, agency.id, question)


async def draft(update: Update, context: Context, person: Person, agency_id: str, question: str) -> None:
    """Make a draft of `question` for an agency and show it; nothing is sent before the seller presses Send."""
    _same, turn = await recall(update, context)
    handover = await services(context).handovers.draft(
        user_id(update),
        chat_id(update),
        agency_id,
        question[:TEXT_LENGTH].strip(),
        language=language_of(person, update),
        country=_country(person.profile, turn),
        product=person.profile.product,
    )
    await _preview(update, context, handover)


async def _preview(update: Update, context: Context, handover: Handover) -> None:
    """Show what would be sent, and to whom."""
    agency = await services(context).agencies.get(handover.agency)
    if agency is None:
        return
    _ = translator(handover.language)
    text = join(
        (
            RichText.bold(_("This is what I would send to {agency}:").format(agency=agency.name)),
            carrying.facts(handover, handover.language),
            RichText.plain(_("Your name and number are not shown. People there read it and answer here.")),
            carrying.reach(agency, handover.language),
        )
    )
    buttons = [
        Button(_("Send"), f"h:send:{handover.id}"),
        Button(_("Change words"), f"h:edit:{handover.id}"),
        Button(_("Cancel"), f"h:drop:{handover.id}"),
    ]
    await _say(update, context, text, buttons, columns=1)


async def _send(update: Update, context: Context, handover: Handover) -> None:
    """Send the draft; of two presses only the first does. What cannot be sent stays a draft."""
    service, _ = services(context), translator(handover.language)
    try:
        begun = await service.handovers.begin(handover.id)
    except TooManyOpenError:
        await _too_many(update, context, handover.language)
        return
    if begun is None:
        return
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    try:
        await carrying.introduce(context, begun)
    except (carrying.UnreachableError, TelegramError) as error:
        await service.handovers.unsent(begun.id)
        again = [Button(_("Send again"), f"h:send:{begun.id}"), Button(_("Cancel"), f"h:drop:{begun.id}")]
        text = _("Your question could not be sent now. I have kept it, so that you can send it again later.")
        await _not_carried(update, context, begun, error, text, again)
        return
    await service.handovers.sent(begun.id)
    agency = await service.agencies.get(begun.agency)
    text = _(
        "Sent to {agency}. A person there reads it; I bring you the answer here and tell you if it takes long. "
        "Meanwhile ask me anything else."
    )
    await carrying.tell_seller(
        context,
        begun,
        text.format(agency=agency.name if agency else begun.agency),
        [Button(_("Write more"), f"h:write:{begun.id}"), Button(_("I need no answer any more"), f"h:done:{begun.id}")],
    )
    log.info("handed_over", handover=begun.id, agency=begun.agency)


async def _edit(update: Update, context: Context, handover: Handover) -> None:
    if handover.state is State.DRAFT:
        if update.callback_query:
            await drop_keyboard(update.callback_query)
        await _await_words(update, context, f"{STEP}edit:{handover.id}", handover.id)


async def _drop(update: Update, context: Context, handover: Handover) -> None:
    if not await services(context).handovers.drop(handover.id):
        return
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    _ = translator(handover.language)
    await _say(update, context, RichText.plain(_("All right, nothing was sent.")))


async def _write(update: Update, context: Context, handover: Handover) -> None:
    if handover.is_open:
        await _await_words(update, context, f"{STEP}write:{handover.id}", handover.id)
    elif handover.state is State.CLOSED:
        await _say_closed(update, context, handover)


async def _done(update: Update, context: Context, handover: Handover) -> None:
    """The seller closes it; both sides are told."""
    closed = await services(context).handovers.close(handover.id)
    if closed is None:
        return
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    await _leave(update, context)
    _ = translator(closed.language)
    await carrying.tell_seller(context, closed, _("All right, this question is closed."))
    await agency_group.tell_closed(context, closed)


async def _open(update: Update, context: Context, handover: Handover) -> None:
    try:
        opened = await services(context).handovers.reopen(handover.id)
    except TooManyOpenError:
        await _too_many(update, context, handover.language)
        return
    if opened is not None:
        if update.callback_query:
            await drop_keyboard(update.callback_query)
        await _await_words(update, context, f"{STEP}write:{opened.id}", opened.id)


async def _stop(update: Update, context: Context, id: int) -> None:
    """Leave what was begun; a draft whose words were to be changed is shown again as it is."""
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    person = await services(context).people.get(user_id(update))
    if not await _leave(update, context):
        return
    handover = await services(context).handovers.get(id) if id else None
    if handover is not None and handover.telegram_id == user_id(update) and handover.state is State.DRAFT:
        await _preview(update, context, handover)
        return
    _ = translator(language_of(person, update))
    await _say(update, context, RichText.plain(_("All right, nothing was sent.")))


_ACTIONS: dict[str, Callable[[Update, Context, Handover], Awaitable[None]]] = {
    "send": _send,
    "edit": _edit,
    "drop": _drop,
    "write": _write,
    "done": _done,
    "open": _open,
}


# Typed messages


async def take_answer(update: Update, context: Context, person: Person, text: str) -> bool:
    """Take a typed message that belongs to a hand-over; False when it is for the adviser.

    That is an answer to a message which was carried, a correction of one's own, or what was asked for by a button.
    """
    message = update.effective_message
    if message is None or message.chat.type != "private":
        return False
    try:
        if update.edited_message is not None:
            return await _take_correction(update, context, message)
        if message.reply_to_message is not None:
            found = await services(context).handovers.by_message(message.chat_id, message.reply_to_message.message_id)
            if found and found[0].telegram_id == user_id(update):
                await _carry(update, context, found[0], message)
                return True
        return (person.step or "").startswith(STEP) and await _take_words(update, context, person, message, text)
    except SQLAlchemyError as error:
        log.error("handovers_unavailable", cause=type(error).__name__)
        return False


async def cancel(update: Update, context: Context) -> None:
    """/cancel: leave whatever waits for words, a hand-over or another question. Silent in groups."""
    if update.effective_chat is None or update.effective_chat.type != "private":
        return
    person = await services(context).people.get(user_id(update))
    step = person.step or ""
    if not step.startswith(STEP):
        _ = translator(language_of(person, update))
        if step:
            await services(context).people.update(user_id(update), step=None)
        await _say(update, context, RichText.plain(_("All right.") if step else _("There is nothing to cancel.")))
        return
    subject = step.rsplit(":", 1)[-1]
    await _stop(update, context, int(subject) if subject.isdigit() else 0)


async def _take_words(update: Update, context: Context, person: Person, message: Message, text: str) -> bool:
    service = services(context)
    _h, action, subject = (person.step or "").split(":", 2)
    words = visible(text).strip()
    handover = await service.handovers.get(int(subject)) if subject.isdigit() and action != "ask" else None
    if message.text is None or not words or len(words) > TEXT_LENGTH:
        await _say(update, context, _unfit(message, language_of(person, update)))
        return True
    await _leave(update, context)
    if action == "ask" and await service.agencies.get(subject):
        await draft(update, context, person, subject, words)
        return True
    if handover is None or handover.telegram_id != person.telegram_id:
        return False
    if action == "edit":
        reworded = await service.handovers.reword(handover.id, words)
        if reworded is not None:
            await _preview(update, context, reworded)
        return reworded is not None
    await _carry(update, context, handover, message)
    return True


async def _carry(update: Update, context: Context, handover: Handover, message: Message) -> None:
    """Carry the seller's message into the group."""
    service, _ = services(context), translator(handover.language)
    if not await _may_write(update, context, handover, message):
        return
    words = message.text or ""
    entry = await service.handovers.record(handover.id, message.chat_id, message.message_id, Author.SELLER, words)
    if entry is None:
        return
    try:
        await agency_group.carry(context, handover, words)
    except (carrying.UnreachableError, TelegramError) as error:
        await service.handovers.unrecord(entry)
        text = _("Your message could not be passed on now. Please write it again later.")
        await _not_carried(update, context, handover, error, text, [Button(_("Write back"), f"h:write:{handover.id}")])
        return
    await service.handovers.asked(handover.id)
    await carrying.tell_seller(context, handover, _("Passed on."))


async def _take_correction(update: Update, context: Context, message: Message) -> bool:
    """Carry an edited message again if it was carried before."""
    found = await services(context).handovers.by_message(message.chat_id, message.message_id)
    if found is None or found[1].author is not Author.SELLER:
        return False
    await _correct(update, context, found[0], found[1], message)
    return True


async def _correct(update: Update, context: Context, handover: Handover, before: Written, message: Message) -> None:
    service, _ = services(context), translator(handover.language)
    if not await _may_write(update, context, handover, message):
        return
    if not await service.handovers.correct(before.id, message.text or ""):
        return
    try:
        await agency_group.carry(context, handover, message.text or "", is_correction=True)
    except (carrying.UnreachableError, TelegramError) as error:
        await service.handovers.correct(before.id, before.text)
        text = _("Your message could not be passed on now. Please write it again later.")
        await _not_carried(update, context, handover, error, text, [Button(_("Write back"), f"h:write:{handover.id}")])
        return
    await service.handovers.asked(handover.id)


async def _may_write(update: Update, context: Context, handover: Handover, message: Message) -> bool:
    """Whether the message can be carried; if not, the seller is told why."""
    _ = translator(handover.language)
    if not handover.is_open:
        await _say_closed(update, context, handover)
    elif not (message.text or "").strip() or len(message.text or "") > TEXT_LENGTH:
        await _say(update, context, _unfit(message, handover.language))
    elif await services(context).handovers.is_talkative(handover):
        await _say(update, context, RichText.plain(_("That is a lot within an hour. Please write the rest later.")))
    else:
        return True
    return False


# What the seller is told


async def _await_words(update: Update, context: Context, step: str, id: int) -> None:
    person = await services(context).people.update(user_id(update), step=step)
    _ = translator(language_of(person, update))
    text = (
        _("Write your message in one piece. I pass on the next thing you write.")
        if step.startswith(f"{STEP}write")
        else _("Write your question in one message. I show you what would be sent before it is.")
    )
    await _say(update, context, RichText.plain(text), [Button(_("Cancel"), f"h:stop:{id}")])


async def _leave(update: Update, context: Context) -> bool:
    """Wait for no words any more; False when none were waited for."""
    people = services(context).people
    if not ((await people.get(user_id(update))).step or "").startswith(STEP):
        return False
    await people.update(user_id(update), step=None)
    return True


async def _say_closed(update: Update, context: Context, handover: Handover) -> None:
    _ = translator(handover.language)
    if not handover.question:
        text = _("This was closed long ago and its words are deleted. Please ask me anew.")
        await _say(update, context, RichText.plain(text))
        return
    await _say(update, context, RichText.plain(_("This is closed.")), [_open_button(handover, _)])


async def _too_many(update: Update, context: Context, language: str) -> None:
    _ = translator(language)
    text = _("You have {count} questions with agencies. Close one of them first:").format(count=MOST_OPEN)
    handovers = await services(context).handovers.open_of(user_id(update))
    await _say(update, context, RichText.plain(text), [Button(label(h.question), f"h:done:{h.id}") for h in handovers])


async def _not_carried(
    update: Update, context: Context, handover: Handover, error: Exception, text: str, buttons: list[Button]
) -> None:
    """Say that something did not reach the agency, and how to reach it otherwise; maintainers hear of it."""
    agency = await services(context).agencies.get(handover.agency)
    lines = [RichText.plain(text)]
    if agency is not None:
        lines.append(carrying.reach(agency, handover.language))
    await _say(update, context, join(lines), buttons, columns=1)
    log.warning("not_handed_over", handover=handover.id, cause=type(error).__name__)
    if agency is not None and isinstance(error, carrying.UnreachableError):
        await carrying.alarm(context, agency)


def _closed_to_us(agency: Agency, language: str) -> RichText:
    _ = translator(language)
    text = _("{agency} takes no questions through me now. You can reach them yourself: {contact}")
    return RichText.plain(text.format(agency=agency.name, contact=carrying.contact(agency)))


def _unfit(message: Message, language: str) -> RichText:
    _ = translator(language)
    if message.text is None:
        return RichText.plain(_("I can only carry text. Please write it."))
    return RichText.plain(_("Please keep it to {length} characters.").format(length=TEXT_LENGTH))


def _open_button(handover: Handover, _: Translate) -> Button:
    return Button(_("Open it again"), f"h:open:{handover.id}")


async def _say(
    update: Update, context: Context, text: RichText, buttons: list[Button] | None = None, columns: int = 1
) -> None:
    await services(context).sender.text(chat_id(update), text, choices(buttons, columns) if buttons else None)


# Deleting


async def forget(update: Update, context: Context) -> bool:
    """Delete a person's hand-overs; their agencies' groups are told that this was done, and nothing else."""
    service = services(context)
    sent = await service.handovers.sent_by(user_id(update))
    ends = [(h, await service.handovers.last_message(h.id, h.group_chat_id)) for h in sent if h.group_chat_id]
    known = await service.handovers.forget(user_id(update))
    for handover, last in ends:
        await agency_group.tell_forgotten(context, handover, last)
    return known
