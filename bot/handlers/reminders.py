"""Reminders of deadlines, /reminders, and asking once whether a step was taken and helped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from telegram import Update
from telegram.error import BadRequest, Forbidden

from bot.advice.cues import has
from bot.advice.guided.case import Case, CaseKind
from bot.advice.guided.choices import DONE
from bot.advice.guided.days import long_day, morning_of, span, zone_label, zones
from bot.advice.guided.guides import Guides
from bot.advice.guided.standing import standing_of
from bot.advice.reply import Button, Reply, ReplyKind, label
from bot.advice.richtext import RichText, join
from bot.handlers.case_view import STEP, Viewer, guides, say, show, stand_at, viewer, viewer_of, zone_of
from bot.handlers.context import Context, acknowledge, drop_keyboard, log, services, user_id
from bot.outcomes import Result
from bot.people import Person
from bot.reminders import Reminder, ReminderKind, TooManyRemindersError
from bot.sending import keyboard
from bot.translation import mark, translator
from knowledge.normalise import QUESTION_MARKS, fold

CALLBACKS = r"n:\d{1,9}"
"""The button that takes back a reminder."""

LOOK_SECONDS = 15
LANES = 8
"""Reminders that are sent at the same time: all of a country come due at the same minute."""

DAYS_BEFORE = (2, 1, 0)
HOURS_TODAY = (1, 3)
"""When the deadline is so near that no morning is left."""

FOLLOW_UP_DAYS = (3, 7, 14)
RESULTS = {
    Result.HELPED: mark("Yes, and it helped"),
    Result.NO_HELP: mark("Yes, but it did not help"),
    Result.NOT_YET: mark("Not yet"),
    Result.NOT_TAKEN: mark("I let it be"),
}


# Setting


async def _remind(update: Update, context: Context, looking: Viewer, case: Case, _arguments: list[str]) -> None:
    """Offer the mornings before the deadline, once it is known by which clock."""
    end, _ = _end(guides(context), case), translator(looking.language)
    if end is None:
        await show(update, context, case, looking)
        return
    zone = await _zone(update, context, looking, case)
    if zone is None:
        return
    buttons = _offered(case, end, zone, looking)
    if not buttons:
        text = _("The time is over: a reminder would come too late.")
        await say(update, context, RichText.plain(text), case.button(_("Back to the steps"), "now"),
                  language=looking.language)  # fmt: skip
        return
    text = _("When shall I remind you of {day}?").format(day=long_day(end, looking.language))
    await say(update, context, RichText.plain(text), *buttons, language=looking.language)
    await stand_at(update, context, looking.person, f"{STEP}{case.id}:remind")


def _offered(case: Case, end: date, zone: str, looking: Viewer) -> list[Button]:
    """The times that can be chosen, and another clock where the country has several."""
    times = _times(end, zone, datetime.now(UTC), looking.language)
    buttons = [case.button(name, "at", code) for name, code, _at in times]
    if buttons and len(zones(looking.profile.country)) > 1:
        buttons.append(case.button(translator(looking.language)(mark("Another clock")), "clock"))
    return buttons


def on_show(guides: Guides, case: Case, page: str, looking: Viewer) -> list[Button]:
    """The buttons of a page of this module, so that they can be named in words."""
    end = _end(guides, case)
    if page == "remind" and end is not None:
        return _offered(case, end, zone_of(looking.person) or "UTC", looking)
    if page == "clock":
        return _clocks(case, looking)
    return _follow_ups(case, looking) if page == "ask" else []


def wished(guides: Guides, case: Case, text: str, looking: Viewer) -> list[str] | None:
    """The action that "remind me two days before" means for a case with a last day to come; None for other words."""
    folded, language, end = fold(text), looking.language, _end(guides, case)
    is_question = text.rstrip().endswith(QUESTION_MARKS)
    if end is None or end < looking.today or is_question or not has("remind-me", folded, language):
        return None
    days = 2 if has("two-days", folded, language) else 1 if has("one-day", folded, language) else None
    return ["remind"] if days is None else ["at", f"d{days}"]


def _end(guides: Guides, case: Case) -> date | None:
    standing = standing_of(guides.facts, case) if case.kind is CaseKind.DISPUTE else None
    return standing.end if standing else None


def _times(end: date, zone: str, now: datetime, language: str) -> Iterator[tuple[str, str, datetime]]:
    """What can be chosen: label, code and moment (UTC)."""
    _ = translator(language)
    names = {2: _("Two days before"), 1: _("The day before"), 0: _("On the last day")}
    found = False
    for days in DAYS_BEFORE:
        at = morning_of(end - timedelta(days=days), zone)
        if at > now:
            found = True
            yield names[days], f"d{days}", at
    midnight = morning_of(end + timedelta(days=1), zone) - timedelta(hours=9)
    for hours in () if found else HOURS_TODAY:
        at = now + timedelta(hours=hours)
        if at < midnight:
            yield span(language, hours=hours, from_now=True), f"h{hours}", at


async def _zone(update: Update, context: Context, looking: Viewer, case: Case) -> str | None:
    """The clock to go by; None when it has to be asked for first. Without a country it is UTC, and that is said."""
    known = zone_of(looking.person)
    found = zones(looking.profile.country)
    if known or not found:
        return known or "UTC"
    await _clock(update, context, looking, case, [])
    return None


async def _clock(update: Update, context: Context, looking: Viewer, case: Case, _arguments: list[str]) -> None:
    """Ask by which of the country's clocks the person lives."""
    _ = translator(looking.language)
    text = _("What time is it where you are?")
    await say(update, context, RichText.plain(text), *_clocks(case, looking), language=looking.language)
    await stand_at(update, context, looking.person, f"{STEP}{case.id}:clock")


def _clocks(case: Case, looking: Viewer) -> list[Button]:
    found = zones(looking.profile.country)
    return [case.button(zone_label(name, looking.language), "zone", at) for at, name in enumerate(found)]


async def _set_zone(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    found = zones(looking.profile.country)
    at = int(arguments[0]) if arguments and arguments[0].isdecimal() else len(found)
    if at < len(found):
        await services(context).people.update(user_id(update), timezone=found[at])
    await _remind(update, context, await viewer(update, context), case, [])


async def _at(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    """Set a reminder of the deadline."""
    end, zone, _ = _end(guides(context), case), zone_of(looking.person) or "UTC", translator(looking.language)
    wanted = arguments[0] if arguments else ""
    times = _times(end, zone, datetime.now(UTC), looking.language) if end else iter(())
    at = next((moment for _name, code, moment in times if code == wanted), None)
    if end is None or at is None:
        await _remind(update, context, looking, case, [])
        return
    await _set(update, context, looking, case, ReminderKind.DEADLINE, end.isoformat(), at)


async def _ask(update: Update, context: Context, looking: Viewer, case: Case, _arguments: list[str]) -> None:
    """Ask for leave to come back once."""
    _ = translator(looking.language)
    text = _("When shall I ask you, once, whether you took the step and whether it helped?")
    await say(update, context, RichText.plain(text), *_follow_ups(case, looking), language=looking.language)
    await stand_at(update, context, looking.person, f"{STEP}{case.id}:ask")


def _follow_ups(case: Case, looking: Viewer) -> list[Button]:
    days = [case.button(span(looking.language, days=n, from_now=True), "in", n) for n in FOLLOW_UP_DAYS]
    return [*days, case.button(translator(looking.language)(mark("Do not ask me")), "now")]


async def _in(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    days = int(arguments[0]) if arguments and arguments[0].isdecimal() else 0
    if days not in FOLLOW_UP_DAYS:
        await _ask(update, context, looking, case, [])
        return
    at = morning_of(looking.today + timedelta(days=days), zone_of(looking.person) or "UTC")
    await services(context).reminders.cancel_of(case.id, ReminderKind.FOLLOW_UP)
    about = guides(context).subject(case)
    await _set(update, context, looking, case, ReminderKind.FOLLOW_UP, about, at)


async def _set(
    update: Update, context: Context, looking: Viewer, case: Case, kind: ReminderKind, about: str, at: datetime
) -> None:
    _ = translator(looking.language)
    back = case.button(_("Back to the steps"), "now")
    if looking.person.profile.language is None:  # it is to come in the language in which it was set
        await services(context).people.update(user_id(update), language=looking.language)
    try:
        await services(context).reminders.add(user_id(update), case.id, kind, about, at)
    except TooManyRemindersError:
        text = _("You have many reminders already. /reminders lets you take some back.")
        await say(update, context, RichText.plain(text), back, language=looking.language)
        return
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    text = _("Good: I write to you on {time}. /reminders shows all and takes them back.").format(
        time=_moment(at, looking.person, looking.language)
    )
    await say(update, context, RichText.plain(text), back, language=looking.language)
    await stand_at(update, context, looking.person, None)


def _moment(at: datetime, person: Person, language: str) -> str:
    """A moment by the person's own clock; with "UTC" where that is not known."""
    zone = zone_of(person)
    written = format_datetime(at.astimezone(ZoneInfo(zone or "UTC")), "EEE d MMM y, HH:mm", locale=language)
    return written if zone else f"{written} UTC"


ACTIONS = {"remind": _remind, "at": _at, "zone": _set_zone, "clock": _clock, "ask": _ask, "in": _in}


# Listing


async def reminders(update: Update, context: Context) -> None:
    """/reminders: what waits, with a button each to take it back."""
    if update.effective_chat is None or update.effective_chat.type != "private":
        return
    looking, service = await viewer(update, context), services(context)
    _ = translator(looking.language)
    waiting = await service.reminders.waiting(user_id(update))
    if not waiting:
        text = _("No reminder waits. A case with a deadline offers one.")
        await say(update, context, RichText.plain(text), language=looking.language)
        return
    lines, buttons = [], []
    for number, each in enumerate(waiting, 1):
        case = await service.cases.get(each.case_id, user_id(update))
        title = guides(context).title(case, looking.language) if case else ""
        lines.append(f"{number}. {_moment(each.due_at, looking.person, looking.language)}: {title}")
        buttons.append(Button(_("Take back no. {number}").format(number=number), f"n:{each.id}"))
    await say(update, context, RichText.plain("\n".join(lines)), *buttons, language=looking.language)


async def take_back(update: Update, context: Context) -> None:
    """The button `n:<id>`: take back one of one's own reminders."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    await acknowledge(query)
    looking = await viewer(update, context)
    _ = translator(looking.language)
    is_gone = await services(context).reminders.cancel(int(query.data.split(":")[1]), user_id(update))
    text = _("Taken back.") if is_gone else _("That reminder is gone already.")
    await say(update, context, RichText.plain(text), language=looking.language)


# Firing


async def look_after(context: Context) -> None:
    """Say what is due, each once; what was being sent when the program ended is said when it runs again."""
    lanes = asyncio.Semaphore(LANES)

    async def in_turn(reminder: Reminder) -> None:
        async with lanes:
            await _see_to(context, reminder)

    due = await services(context).reminders.due(datetime.now(UTC))
    await asyncio.gather(*(in_turn(reminder) for reminder in due))


async def _see_to(context: Context, reminder: Reminder) -> None:
    store = services(context).reminders
    try:
        if not await store.take(reminder.id, datetime.now(UTC)):
            return
        sent = await _fire(context, reminder)
    except Exception as error:  # one reminder that cannot be said must not keep the others back
        log.warning("reminder_not_sent", reminder=reminder.id, cause=type(error).__name__)
        await store.later(reminder.id)
        return
    await (store.done if sent else store.lose)(reminder.id)


async def _fire(context: Context, reminder: Reminder) -> bool:
    """Write to the person; False when the chat is closed to us."""
    service = services(context)
    person = await service.people.get(reminder.telegram_id)
    case = await service.cases.get(reminder.case_id, reminder.telegram_id)
    if case is None or not case.is_open:
        return True
    looking = viewer_of(person, person.profile.language or "en")
    make = _deadline if reminder.kind is ReminderKind.DEADLINE else _follow_up
    reply = make(guides(context), case, reminder, looking)
    try:
        await service.sender.deliver(reminder.telegram_id, reply.text, keyboard(reply))
    except (Forbidden, BadRequest) as error:  # blocked, or a chat that is not there any more
        log.info("chat_closed_to_us", cause=type(error).__name__)
        return False
    return True


def _deadline(guides: Guides, case: Case, reminder: Reminder, looking: Viewer) -> Reply:
    _, end = translator(looking.language), date.fromisoformat(reminder.about)
    text = _("The time ended on {day}.") if end < looking.today else _("By {day}")
    blocks = (
        RichText.bold(_("Reminder: {title}").format(title=guides.title(case, looking.language))),
        RichText.plain(text.format(day=long_day(end, looking.language))),
    )
    buttons = (case.button(_("Go on with it"), "now"), case.button(_("It is settled, close it"), "close"))
    return Reply(join(blocks, "\n"), ReplyKind.ASK_BACK, "guided", looking.language, buttons=buttons)


def _follow_up(guides: Guides, case: Case, reminder: Reminder, looking: Viewer) -> Reply:
    _ = translator(looking.language)
    blocks = (
        RichText.bold(_("You wanted me to ask: {title}").format(title=guides.step_title(case, looking.language))),
        RichText.plain(_("Did you take the step, and did it help? Your answer is counted without your name.")),
    )
    buttons = tuple(
        Button(label(_(name)), f"c:{case.id}:out:{result.value}:{reminder.id}") for result, name in RESULTS.items()
    )
    return Reply(join(blocks, "\n"), ReplyKind.ASK_BACK, "guided", looking.language, buttons=buttons)


async def _outcome(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    """Count the answer once, and offer what comes next."""
    service, _ = services(context), translator(looking.language)
    value, id = [*arguments, "", ""][:2]
    is_known = value in {each.value for each in Result} and id.isdecimal() and len(id) < 10
    result = Result(value) if is_known else Result.NOT_YET
    country = looking.profile.country
    about = await service.outcomes.count(int(id), user_id(update), country, result) if is_known else None
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    if about is None:
        await show(update, context, case, looking)
        return
    if result in (Result.HELPED, Result.NO_HELP) and case.kind is CaseKind.CHOICE:
        step = guides(context).choices.step(case)
        if step is not None and about == guides(context).subject(case):
            case = await service.cases.mark(case.id, user_id(update), DONE + step.id, is_on=True) or case
    leads = {
        Result.HELPED: _("Good to hear. This is next:"),
        Result.NO_HELP: _("Thank you for telling me. Here is what else there is; an agency can look at it, too:"),
        Result.NOT_YET: _("All right. Here it is again:"),
        Result.NOT_TAKEN: _("All right. I keep it, in case you come back to it:"),
    }
    page = "next" if result is Result.NO_HELP and case.kind is CaseKind.DISPUTE else "now"
    await show(update, context, case, looking, page, lead=leads[result])


ACTIONS["out"] = _outcome
