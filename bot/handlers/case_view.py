"""Showing a case to its person: the question it stands at or one of its pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from telegram import Update

from bot.advice.guided.case import PREFIX, Ask, Case
from bot.advice.guided.days import today_in, zones
from bot.advice.guided.guides import Guides
from bot.advice.reply import Button, Reply, ReplyKind
from bot.advice.richtext import RichText, join
from bot.advice.understand import Profile
from bot.handlers.context import Context, chat_id, language_of, log, services, user_id
from bot.people import Person
from bot.translation import translator

Result = TypeVar("Result")

STEP = f"{PREFIX}:"
"""Before a person's step while a case is on show: `c:<id>`, with the page and its arguments after it."""

FIRST_PAGE = "now"


@dataclass(frozen=True)
class Viewer:
    """The person before whom a case is, with what its texts depend on."""

    person: Person
    language: str
    today: date

    @property
    def profile(self) -> Profile:
        """The profile with the language in use."""
        return replace(self.person.profile, language=self.language)


def zone_of(person: Person) -> str | None:
    """The person's time zone (IANA): as they chose it for their country, else the country's if it has but one clock."""
    found = zones(person.profile.country)
    if person.timezone in found:
        return person.timezone
    return found[0] if len(found) == 1 else None


async def viewer(update: Update, context: Context) -> Viewer:
    """Who is behind `update`, and what day it is there."""
    person = await services(context).people.get(user_id(update))
    return viewer_of(person, language_of(person, update))


def viewer_of(person: Person, language: str) -> Viewer:
    """The viewer for a person who is known already."""
    found = zone_of(person) or next(iter(zones(person.profile.country)), "UTC")
    return Viewer(person, language, today_in(found, datetime.now(UTC)))


def guides(context: Context) -> Guides:
    """The guides of the generation in use."""
    return services(context).adviser.guides


def asked(context: Context, case: Case, viewer: Viewer) -> Ask | None:
    """The question that the case stands at."""
    return guides(context).ask(case, viewer.profile, viewer.language, viewer.today)


async def rendered(context: Context, case: Case, viewer: Viewer, step: str) -> Reply | None:
    """What a step (`c:<id>[:<page>[:<argument>...]]`) of a case shows."""
    ask = asked(context, case, viewer)
    if ask is not None:
        return guides(context).question(case, ask, viewer.language)
    page, *arguments = step.split(":")[2:] or [FIRST_PAGE]
    # Ranking platforms works out their fees, which takes some tens of milliseconds.
    return await aside(
        context, guides(context).page, case, page, arguments, viewer.profile, viewer.language, viewer.today
    )


async def aside(context: Context, work: Callable[..., Result], *arguments: object) -> Result:
    """What `work` gives, done by a worker of the adviser, so that other chats need not wait."""
    return await asyncio.get_running_loop().run_in_executor(services(context).adviser.executor, work, *arguments)


async def show(
    update: Update, context: Context, case: Case, viewer: Viewer, *page: str, lead: str = "", in_place: bool = False
) -> None:
    """Show the question the case stands at, else `page` (a name and its arguments), and remember that it is on show.

    `lead` is said before it. `in_place` changes the message whose button was pressed.
    """
    step = ":".join((f"{STEP}{case.id}", *page))
    reply = await rendered(context, case, viewer, step)
    if reply is None:  # a page that is gone since
        step = f"{STEP}{case.id}"
        reply = await rendered(context, case, viewer, step)
    if reply is None:
        await gone(update, context, viewer.language)
        return
    if lead:
        reply = replace(reply, text=join((RichText.plain(lead), reply.text)))
    sender = services(context).sender
    if not (in_place and update.callback_query and await sender.edit(update.callback_query, reply)):
        await sender.reply(chat_id(update), reply)
    await stand_at(update, context, viewer.person, step)


async def stand_at(update: Update, context: Context, person: Person, step: str | None) -> None:
    """Remember what typed words will be read as; without a database they are read as questions."""
    if person.step == step:
        return
    try:
        await services(context).people.update(user_id(update), step=step)
    except SQLAlchemyError as error:
        log.error("step_not_kept", cause=type(error).__name__)


async def say(update: Update, context: Context, text: RichText, *buttons: Button, language: str) -> None:
    """Say something with next steps under it."""
    reply = Reply(text, ReplyKind.ASK_BACK, "guided", language, buttons=buttons)
    await services(context).sender.reply(chat_id(update), reply)


async def gone(update: Update, context: Context, language: str) -> None:
    """A case, or a page of it, that is not there any more."""
    _ = translator(language)
    text = _("That button is out of date. /cases shows what is open; or just ask me.")
    await say(update, context, RichText.plain(text), language=language)
