"""/results: what came of the advice, in sums, for agencies and maintainers."""

from __future__ import annotations

import asyncio

from telegram import Update

from bot.advice.richtext import RichText, join
from bot.handlers.case_view import guides
from bot.handlers.context import Context, chat_id, language_here, services
from bot.handlers.desk import access, refuse
from bot.members import Access
from bot.outcomes import FEWEST, Result
from bot.translation import translator

MOST_SHOWN = 20


async def results(update: Update, context: Context) -> None:
    """/results: the most answered first; an agency sees those of its countries."""
    allowed = await access(update, context)
    if not allowed:
        await refuse(update, context)
        return
    language = await language_here(update, context)
    _ = translator(language)
    sums = await services(context).outcomes.sums(await _countries(context, allowed))
    lines = [
        _("{title}: {total} answers, helped {helped}, did not help {not_helped}, not taken {not_taken}").format(
            title=guides(context).subject_title(each.subject, language),
            total=each.total,
            helped=each.counts.get(Result.HELPED, 0),
            not_helped=each.counts.get(Result.NO_HELP, 0),
            not_taken=each.counts.get(Result.NOT_TAKEN, 0) + each.counts.get(Result.NOT_YET, 0),
        )
        for each in sums[:MOST_SHOWN]
    ]
    note = _("Sums of at least {count} answers, without names.").format(count=FEWEST)
    body = "\n".join(lines) if lines else _("There are not enough answers yet.")
    text = join((RichText.bold(_("What came of the advice")), RichText.plain(body), RichText.plain(note)))
    await services(context).sender.text(chat_id(update), text)


async def _countries(context: Context, allowed: Access) -> list[str] | None:
    """The countries of the person's agencies; None for those who see all."""
    if allowed.is_maintainer:
        return None
    found = await asyncio.to_thread(services(context).catalogue.agencies)
    return sorted({country for agency in found if allowed.to(agency.id) for country in agency.countries})
