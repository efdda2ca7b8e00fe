"""Step-by-step help: /dispute and /choose, answers by button or in words, going back, leaving and coming back."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError
from telegram import Update

from bot.advice.guided.case import PREFIX, Ask, Case, CaseKind, Takes
from bot.advice.guided.choices import ANY, DONE, NOTHING, SKIPPED
from bot.advice.guided.guides import SHORT_ANSWER, Fault, match_label
from bot.advice.guided.standing import standing_of
from bot.advice.reply import BEGINS, Begin, Button
from bot.advice.richtext import RichText
from bot.cases import BLANK_LENGTH
from bot.handlers import cases, reminders
from bot.handlers.case_view import (
    STEP,
    Viewer,
    aside,
    asked,
    gone,
    guides,
    rendered,
    say,
    show,
    stand_at,
    viewer,
    viewer_of,
)
from bot.handlers.context import Context, acknowledge, drop_keyboard, language_of, log, services, user_id
from bot.people import Person
from bot.reminders import ReminderKind
from bot.translation import translator
from knowledge.normalise import QUESTION_MARKS, fold, visible, words

CALLBACKS = rf"{PREFIX}:\d{{1,9}}:(=\d{{1,6}}|[bt]\d{{1,6}}|[a-z-]{{2,12}})(:[A-Za-z0-9_+.-]*){{0,2}}"
"""The callback data of cases: `c:<case>:<what>[:<argument>[:<argument>]]`. `=<version>` answers the question of that
version, `b<version>` goes back from it, `t<version>` ticks one of several; the rest are pages and actions by name."""

BEGINNINGS = rf"{BEGINS}:[a-z]{{1,8}}(:[a-z0-9-]{{1,48}}){{0,2}}"

WAITING = "wait"
"""The page of a step while the adviser's own question comes first."""

FILLING = "fill"
NEVER_GUESSED = ("redo", "close")
"""Buttons that take something away: the first word of their label is not enough."""

LEFT_CLOSED = ("close", "open", "out", "pdf", "text")
"""What may be done with a closed case without opening it."""


# Beginning


async def dispute(update: Update, context: Context) -> None:
    """/dispute: begin with what happened."""
    await _begin_by_command(update, context, CaseKind.DISPUTE)


async def choose(update: Update, context: Context) -> None:
    """/choose: begin with what the profile lacks."""
    await _begin_by_command(update, context, CaseKind.CHOICE)


async def _begin_by_command(update: Update, context: Context, kind: CaseKind) -> None:
    if update.effective_chat is None or update.effective_chat.type != "private":
        return
    looking = await viewer(update, context)
    answers = guides(context).choices.known(looking.profile) if kind is CaseKind.CHOICE else ()
    await begin(update, context, looking, Begin(kind, answers))


async def begin_by_button(update: Update, context: Context) -> None:
    """A button that begins a guided way: `b:choice`, `b:dispute[:<situation>[:<service>]]`. Not in groups."""
    query = update.callback_query
    if query is None or query.data is None or update.effective_chat is None:
        return
    await acknowledge(query)
    if update.effective_chat.type != "private":
        return
    looking = await viewer(update, context)
    begun = guides(context).begun_by(query.data, looking.profile)
    if begun is None:
        await gone(update, context, looking.language)
    else:
        await begin(update, context, looking, begun)


async def begin_from_words(update: Update, context: Context, begun: Begin, language: str) -> None:
    """Begin what somebody's own words in `language` asked for; a database that does not answer leaves the answer as it
    is. Who never chose a language is led on in that of the words."""
    try:
        people = services(context).people
        if (await people.get(user_id(update))).profile.language is None:
            await people.update(user_id(update), language=language)
        await begin(update, context, await viewer(update, context), begun)
    except SQLAlchemyError as error:
        log.error("case_not_begun", cause=type(error).__name__)


async def begin(update: Update, context: Context, looking: Viewer, begun: Begin) -> None:
    """Make a case with what is known already, and ask its first question.

    One that was begun in the same way and not gone on with is taken up again, so that none pile up.
    """
    store = services(context).cases
    same = (each.case for each in await store.open(user_id(update)))
    fresh = (each for each in same if each.version == 0 and each.kind == begun.kind)
    case = next((each for each in fresh if each.answers == begun.answers), None)
    if case is None:
        case = await store.create(user_id(update), CaseKind(begun.kind), begun.answers)
    await show(update, context, case, looking)


# Buttons


async def pressed(update: Update, context: Context) -> None:
    """A button of a case; only the person to whom the case belongs gets further than the acknowledgement."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    await acknowledge(query)
    _prefix, id, action, *arguments = query.data.split(":")
    looking = await viewer(update, context)
    case = await services(context).cases.get(int(id), user_id(update))
    if case is None:
        await gone(update, context, looking.language)
        return
    await act(update, context, looking, case, action, arguments)


async def act(update: Update, context: Context, looking: Viewer, case: Case, action: str, arguments: list[str]) -> None:
    """Do what a button says, be it pressed or named in words. Who goes on with a closed case opens it again."""
    if not case.is_open and action not in LEFT_CLOSED:
        case = await services(context).cases.set_open(case.id, user_id(update), is_open=True) or case
    version = action[1:]
    if action[0] in "=bt" and version.isdecimal():
        if int(version) != case.version:
            _ = translator(looking.language)
            await show(update, context, case, looking, lead=_("That was settled already. Here is where we are:"))
        elif action[0] == "=":
            await _answer(update, context, looking, case, arguments[0] if arguments else "")
        elif action[0] == "b":
            await _go_back(update, context, looking, case)
        else:
            await _tick_choice(update, context, looking, case, arguments[0] if arguments else "")
        return
    do = ACTIONS.get(action)
    if do is not None:
        await do(update, context, looking, case, arguments)
    else:
        await show(update, context, case, looking, action, *arguments)


async def _answer(update: Update, context: Context, looking: Viewer, case: Case, value: str) -> None:
    """Take a button's value, if the question has it."""
    ask = asked(context, case, looking)
    known = {each for _name, each in ask.choices} if ask else set()
    if ask is None or (value not in known and not (ask.takes is Takes.MANY and _fits_many(ask, value))):
        await show(update, context, case, looking)
        return
    await _proceed(update, context, looking, case, case.answered(ask.id, value))


def _fits_many(ask: Ask, value: str) -> bool:
    return value == NOTHING or set(value.split("+")) <= {each for _name, each in ask.choices}


async def _proceed(
    update: Update,
    context: Context,
    looking: Viewer,
    case: Case,
    answers: tuple[tuple[str, str], ...],
    *page: str,
    keep_marks: bool = True,
) -> None:
    """Store the answers and show what comes next; when another device was faster, show where that led."""
    changed = await services(context).cases.proceed(case, user_id(update), answers, keep_marks=keep_marks)
    if changed is None:
        current = await services(context).cases.get(case.id, user_id(update))
        if current is not None:
            _ = translator(looking.language)
            await show(update, context, current, looking, lead=_("That was settled already. Here is where we are:"))
        return
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    await _keep_profile(update, context, looking, changed)
    await show(update, context, changed, looking, *page, lead=await _moved(context, looking, case, changed))


async def _moved(context: Context, looking: Viewer, before: Case, after: Case) -> str:
    """Take back reminders of a last day that is another now; what is to be said about it."""
    facts = guides(context).facts
    ends = [found.end if (found := standing_of(facts, each)) else None for each in (before, after)]
    if ends[0] == ends[1] or not await services(context).reminders.cancel_of(before.id, ReminderKind.DEADLINE):
        return ""
    _ = translator(looking.language)
    return _("The last day has changed, so I took back its reminders.")


async def _keep_profile(update: Update, context: Context, looking: Viewer, case: Case) -> None:
    """What was said of country, product and market is kept where the profile had nothing."""
    profile = looking.person.profile
    found = {name: case.answer(name) for name in ("country", "product", "market")}
    new = {name: value for name, value in found.items() if value and value != ANY and not getattr(profile, name)}
    if new:
        await services(context).people.update(user_id(update), **new)


async def _go_back(update: Update, context: Context, looking: Viewer, case: Case) -> None:
    await _proceed(update, context, looking, case, case.answers[:-1])


async def _tick_choice(update: Update, context: Context, looking: Viewer, case: Case, chosen: str) -> None:
    """Show the same question with other ticks, in place."""
    ask = asked(context, case, looking)
    if ask is None or ask.takes is not Takes.MANY or update.callback_query is None:
        await show(update, context, case, looking)
        return
    reply = guides(context).question(case, ask, looking.language, chosen if _fits_many(ask, chosen) else "")
    await services(context).sender.edit(update.callback_query, reply)


async def _redo(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    """Ask one question again."""
    kept = []
    for pair in case.answers:
        if pair[0] == (arguments[0] if arguments else None):
            break
        kept.append(pair)
    await _proceed(update, context, looking, case, tuple(kept))


async def _tick(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    mark, is_on = [*arguments, "", "1"][:2]
    if mark not in guides(context).disputes.evidence(case):
        await show(update, context, case, looking)
        return
    changed = await services(context).cases.mark(case.id, user_id(update), mark, is_on=is_on == "1")
    if changed is not None:
        await show(update, context, changed, looking, "list", in_place=True)


async def _go(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    """Choose the platform that the plan is for."""
    platform = arguments[0] if arguments else ""
    if guides(context).choices.candidate(platform) is None or asked(context, case, looking) is not None:
        await show(update, context, case, looking)
        return
    answers = case.answered("plan", platform)
    await _proceed(update, context, looking, case, answers, "plan", keep_marks=case.answer("plan") == platform)


async def _settle(
    update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str], mark: str
) -> None:
    """A step of the plan is done or skipped: show the next."""
    step = arguments[0] if arguments else ""
    if step not in {each.id for each in guides(context).choices.steps(case)}:
        await show(update, context, case, looking)
        return
    changed = await services(context).cases.mark(case.id, user_id(update), mark + step, is_on=True)
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    if changed is not None:
        await show(update, context, changed, looking, "plan")


async def _did(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    await _settle(update, context, looking, case, arguments, DONE)


async def _skip(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    await _settle(update, context, looking, case, arguments, SKIPPED)


async def _fill(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    """Ask for what a blank of a letter is to hold."""
    question = guides(context).disputes.blank_question(arguments[-1] if arguments else "", looking.language)
    if question is None or len(arguments) != 2:
        await show(update, context, case, looking, "letter")
        return
    _ = translator(looking.language)
    back = case.button(_("Back to the letter"), "letter", arguments[0])
    await say(update, context, RichText.plain(question), back, language=looking.language)
    await stand_at(update, context, looking.person, f"{STEP}{case.id}:{FILLING}:{arguments[0]}:{arguments[1]}")


async def _later(update: Update, context: Context, looking: Viewer, case: Case, _arguments: list[str]) -> None:
    """Leave; all is kept."""
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    await stand_at(update, context, looking.person, None)
    _ = translator(looking.language)
    text = _("All right, I keep it. /cases brings you back. Ask me anything else meanwhile.")
    await say(update, context, RichText.plain(text), language=looking.language)


Action = Callable[[Update, Context, Viewer, Case, list[str]], Awaitable[None]]
ACTIONS: dict[str, Action] = {
    "redo": _redo,
    "tick": _tick,
    "go": _go,
    "did": _did,
    "skip": _skip,
    "fill": _fill,
    "later": _later,
    **cases.ACTIONS,
    **reminders.ACTIONS,
}


# Typed words


async def take_answer(update: Update, context: Context, person: Person, text: str) -> bool:
    """Take `text` as an answer to what is on show, or as the name of one of its buttons; False when it is neither."""
    step = person.step or ""
    if not step.startswith(STEP):
        return False
    looking = viewer_of(person, language_of(person, update))
    _prefix, id, *page = step.split(":")
    try:
        case = await services(context).cases.get(int(id), user_id(update))
        if case is None:
            await stand_at(update, context, person, None)
            return False
        if page[:1] == [WAITING]:
            return False
        if update.edited_message is not None:
            return await _repeat(update, context, looking, case, text)
        if page[:1] == [FILLING]:
            return await _take_blank(update, context, looking, case, page[1:], text)
        return await _take_words(update, context, looking, case, text)
    except SQLAlchemyError as error:
        log.error("cases_unavailable", cause=type(error).__name__)
        return False


async def _repeat(update: Update, context: Context, looking: Viewer, case: Case, text: str) -> bool:
    """A short answer that was edited is answered already: only ask again what is open."""
    is_short = len(text.split()) <= SHORT_ANSWER and not text.rstrip().endswith(QUESTION_MARKS)
    if is_short and asked(context, case, looking) is not None:
        await show(update, context, case, looking)
        return True
    return False


async def _take_words(update: Update, context: Context, looking: Viewer, case: Case, text: str) -> bool:
    ask = asked(context, case, looking)
    named = _named_button(await _on_show(context, looking, case), text, ask)
    named = named or reminders.wished(guides(context), case, text, looking)
    if named is not None:
        await act(update, context, looking, case, named[0], named[1:])
        return True
    if ask is None:
        return False
    value = await aside(context, guides(context).read, ask, visible(text), looking.language, looking.today)
    if isinstance(value, Fault):
        await show(update, context, case, looking, lead=value.text)
        return True
    if value is None:
        return False
    await _proceed(update, context, looking, case, case.answered(ask.id, value))
    return True


async def _on_show(context: Context, looking: Viewer, case: Case) -> Sequence[Button]:
    """The buttons of what is on show."""
    step = looking.person.step or ""
    page = step.split(":")[2] if step.count(":") > 1 else ""
    if page == "more":
        return await cases.on_show(context, case, looking)
    offered = reminders.on_show(guides(context), case, page, looking)
    reply = None if offered else await rendered(context, case, looking, step)
    return reply.buttons if reply else offered


def _named_button(buttons: Sequence[Button], text: str, ask: Ask | None) -> list[str] | None:
    """The action of the button of this case that `text` names; answers to a question are read by the guide."""
    folded = " ".join(words(fold(visible(text))))
    if not folded or text.rstrip().endswith(QUESTION_MARKS):
        return None
    own = [(each.label, each.action) for each in buttons if each.action.startswith(f"{PREFIX}:")]
    if ask is not None:
        own = [each for each in own if not re.fullmatch(r"=\d+|t\d+", each[1].split(":")[2])]
    found = match_label(folded, own, by_number=ask is None, by_words=False)
    action = found.split(":")[2:] if found else None
    exact = [name for name, _action in own if " ".join(words(fold(name))) == folded]
    return None if action and action[0] in NEVER_GUESSED and not exact and not folded.isdecimal() else action


async def _take_blank(
    update: Update, context: Context, looking: Viewer, case: Case, page: list[str], text: str
) -> bool:
    """Keep what a blank of a letter is to hold; a question is no such thing."""
    words_given = " ".join(visible(text).split())
    is_question = words_given.endswith(QUESTION_MARKS) or guides(context).reported(words_given, looking.language)
    if len(page) != 2 or not words_given or is_question or len(words_given) > BLANK_LENGTH:
        return False
    changed = await services(context).cases.fill(case.id, user_id(update), page[1], words_given)
    if changed is not None:
        await show(update, context, changed, looking, "letter", page[0])
    return changed is not None


async def go_on(update: Update, context: Context, step: str, *, is_asking: bool) -> None:
    """After something else was answered, come back to the open question.

    `is_asking`: the answer was a question back, which comes first.
    """
    looking = await viewer(update, context)
    case = await services(context).cases.get(int(step.split(":")[1]), user_id(update))
    if case is None or not case.is_open:
        return
    if asked(context, case, looking) is None:
        await stand_at(update, context, looking.person, f"{STEP}{case.id}")
    elif is_asking:
        await stand_at(update, context, looking.person, f"{STEP}{case.id}:{WAITING}")
    else:
        _ = translator(looking.language)
        await show(update, context, case, looking, lead=_("Back to where we were:"))


async def wait(update: Update, context: Context) -> None:
    """Something else asks the person now: what they type is for that, and the case comes back after it."""
    person = await services(context).people.get(user_id(update))
    step = person.step or ""
    if step.startswith(STEP):
        await stand_at(update, context, person, ":".join((*step.split(":")[:2], WAITING)))
