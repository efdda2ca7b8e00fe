"""/cases: what is open; saving a case as a page, passing it to an agency, closing it."""

from __future__ import annotations

import asyncio

from telegram import Update

from bot.advice.guided.case import Case
from bot.advice.guided.paper import as_pdf, as_text
from bot.advice.reply import Button, label
from bot.advice.richtext import RichText, join
from bot.handlers import handover
from bot.handlers.case_view import STEP, Viewer, aside, guides, say, show, stand_at, viewer
from bot.handlers.context import Context, chat_id, drop_keyboard, services, user_id
from bot.handovers import TEXT_LENGTH
from bot.sending import typing
from bot.translation import translator
from ingest.catalogue import Agency

MOST_LISTED = 8
MOST_AGENCIES = 2


async def cases(update: Update, context: Context) -> None:
    """/cases: a button for each open case, the last touched first."""
    if update.effective_chat is None or update.effective_chat.type != "private":
        return
    looking = await viewer(update, context)
    _ = translator(looking.language)
    listed = (await services(context).cases.open(user_id(update)))[:MOST_LISTED]
    if not listed:
        text = _("Nothing is open. /dispute leads you through trouble with a sale, /choose to a platform.")
        await say(update, context, RichText.plain(text), language=looking.language)
        return
    buttons = [each.case.button(label(guides(context).title(each.case, looking.language)), "now") for each in listed]
    text = _("Open, the last one first. Tap to go on.")
    await say(update, context, RichText.plain(text), *buttons, language=looking.language)


async def _more(update: Update, context: Context, looking: Viewer, case: Case, _arguments: list[str]) -> None:
    """What else can be done with a case, and who helps in the seller's country."""
    buttons = await on_show(context, case, looking)
    help_there = services(context).adviser.institutions(looking.profile.country, looking.language).text
    text = join((RichText.bold(guides(context).title(case, looking.language)), help_there))
    await say(update, context, text, *buttons, language=looking.language)
    await stand_at(update, context, looking.person, f"{STEP}{case.id}:more")


async def on_show(context: Context, case: Case, looking: Viewer) -> list[Button]:
    """What else can be done with a case, as buttons."""
    _ = translator(looking.language)
    passing = [
        case.button(label(_("Pass it to {agency}").format(agency=agency.name)), "give", agency.id)
        for agency in await _agencies(context, looking)
    ]
    return [
        *passing,
        case.button(_("Save as PDF"), "pdf"),
        case.button(_("Save as text"), "text"),
        case.button(_("Ask me later if it helped"), "ask"),
        case.button(_("Close it"), "close"),
        case.button(_("Back to the steps"), "now"),
    ]


async def _agencies(context: Context, looking: Viewer) -> list[Agency]:
    if looking.profile.country is None:
        return []
    found = await services(context).agencies.serving(looking.profile.country, looking.language)
    return list(found[:MOST_AGENCIES])


async def _give(update: Update, context: Context, looking: Viewer, case: Case, arguments: list[str]) -> None:
    """Draft a hand-over with the case as one tidy summary; the seller sees it before anything is sent."""
    paper = await aside(context, guides(context).paper, case, looking.profile, looking.language, looking.today)
    agency = await services(context).agencies.get(arguments[0]) if arguments else None
    if paper is None or agency is None or looking.profile.country not in agency.countries:
        await show(update, context, case, looking)
        return
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    await handover.draft(update, context, looking.person, agency.id, as_text(paper)[:TEXT_LENGTH])


async def _pdf(update: Update, context: Context, looking: Viewer, case: Case, _arguments: list[str]) -> None:
    paper = await aside(context, guides(context).paper, case, looking.profile, looking.language, looking.today)
    if paper is None:
        await show(update, context, case, looking)
        return
    async with typing(context.bot, chat_id(update)):
        data = await asyncio.to_thread(as_pdf, paper)
    await services(context).sender.document(chat_id(update), data, f"tradewind-{case.id}.pdf")


async def _text(update: Update, context: Context, looking: Viewer, case: Case, _arguments: list[str]) -> None:
    paper = await aside(context, guides(context).paper, case, looking.profile, looking.language, looking.today)
    if paper is None:
        await show(update, context, case, looking)
        return
    await services(context).sender.document(chat_id(update), as_text(paper).encode(), f"tradewind-{case.id}.txt")


async def _close(update: Update, context: Context, looking: Viewer, case: Case, _arguments: list[str]) -> None:
    """Close the case; its reminders go with it."""
    service, _ = services(context), translator(looking.language)
    await service.cases.set_open(case.id, user_id(update), is_open=False)
    await service.reminders.cancel_of(case.id)
    if update.callback_query:
        await drop_keyboard(update.callback_query)
    await stand_at(update, context, looking.person, None)
    text = _("Closed. Its reminders are off.")
    again = case.button(_("Open it again"), "open")
    await say(update, context, RichText.plain(text), again, language=looking.language)


async def _open(update: Update, context: Context, looking: Viewer, case: Case, _arguments: list[str]) -> None:
    opened = await services(context).cases.set_open(case.id, user_id(update), is_open=True)
    if opened is not None:
        await show(update, context, opened, looking)


ACTIONS = {"more": _more, "give": _give, "pdf": _pdf, "text": _text, "close": _close, "open": _open}
