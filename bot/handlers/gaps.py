"""/gaps: what sellers asked and nobody could answer, for agencies and maintainers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import Update

from bot.advice.reply import Button
from bot.advice.richtext import RichText, join
from bot.handlers.context import Context, acknowledge, chat_id, language_here, services
from bot.handlers.desk import access, refuse
from bot.members import Access
from bot.sending import choices, typing
from bot.translation import Translate, mark, translator
from ingest.gaps import GapGroup, Reason
from knowledge.database import DatabaseError
from knowledge.generation import GenerationError

log = structlog.get_logger(__name__)

DAYS = 90
PER_PAGE = 10
QUESTION_LENGTH = 80
MOST_COUNTED = 4
REASONS = {
    Reason.DECLINED: mark("no answer"),
    Reason.ASKED_BACK: mark("not understood"),
    Reason.THUMBS_DOWN: mark("thumb down"),
}


async def gaps(update: Update, context: Context) -> None:
    """/gaps: the most asked first."""
    allowed = await access(update, context)
    if not allowed:
        await refuse(update, context)
        return
    await _show(update, context, allowed, 0)


async def page(update: Update, context: Context) -> None:
    """The button of another page: `k:<page>`."""
    query = update.callback_query
    if query is None or query.data is None:
        return
    allowed = await access(update, context)
    if not allowed:
        await refuse(update, context)
        return
    await acknowledge(query)
    await _show(update, context, allowed, int(query.data.split(":")[1]))


async def _show(update: Update, context: Context, allowed: Access, number: int) -> None:
    service, chat = services(context), chat_id(update)
    language = await language_here(update, context)
    _ = translator(language)
    try:
        async with typing(context.bot, chat):
            found = await _groups(context, allowed, language)
    except (SQLAlchemyError, DatabaseError, GenerationError) as error:
        log.error("gaps_unavailable", cause=type(error).__name__)
        await service.sender.text(chat, RichText.plain(_("The list cannot be read now. Please try again later.")))
        return
    pages = max(1, -(-len(found) // PER_PAGE))
    number = min(number, pages - 1)
    if not found:
        text = _("No open questions in the last {days} days.").format(days=DAYS)
        await service.sender.text(chat, RichText.plain(text))
        return
    title = _("Questions without an answer, last {days} days ({page}/{pages})")
    lines = [RichText.bold(title.format(days=DAYS, page=number + 1, pages=pages))]
    first = number * PER_PAGE
    lines += [_entry(at, group, _) for at, group in enumerate(found[first : first + PER_PAGE], first + 1)]
    buttons = [Button(_("Back"), f"k:{number - 1}")] if number else []
    buttons += [Button(_("Next"), f"k:{number + 1}")] if number + 1 < pages else []
    await service.sender.text(chat, join(lines), choices(buttons) if buttons else None)


async def _groups(context: Context, allowed: Access, language: str) -> list[GapGroup]:
    """What this person may see, grouped in a thread of the adviser's: the encoder uses all cores."""
    service = services(context)
    countries: frozenset[str | None] | None = None
    if not allowed.is_maintainer:
        agencies = await asyncio.to_thread(service.catalogue.agencies)
        own = {country for agency in agencies if agency.id in allowed.agencies for country in agency.countries}
        countries = frozenset((*own, None))
    since = datetime.now(UTC).date() - timedelta(days=DAYS)
    adviser = service.adviser
    group = partial(service.gaps.groups, adviser.index.encoder, since, countries, language=language)
    return await asyncio.get_running_loop().run_in_executor(adviser.executor, group)


def _entry(number: int, group: GapGroup, _: Translate) -> RichText:
    question = group.question
    if len(question) > QUESTION_LENGTH:
        question = question[: QUESTION_LENGTH - 1].rsplit(" ", 1)[0] + "…"
    reasons = _listed({_(REASONS[Reason(reason)]): count for reason, count in group.reasons.items()})
    countries = _listed({country or "?": count for country, count in group.countries.items()})
    details = " · ".join((reasons, countries, _listed(group.languages)))
    return RichText.plain(f"{number}. ") + RichText.bold(f"{group.count}×") + RichText.plain(f" {question}\n{details}")


def _listed(counts: Mapping[str, int]) -> str:
    shown = [f"{name} {count}" for name, count in list(counts.items())[:MOST_COUNTED]]
    return ", ".join(shown) + (" …" if len(counts) > MOST_COUNTED else "")
