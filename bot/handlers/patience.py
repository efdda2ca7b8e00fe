"""Hand-overs that wait: reminders, help from elsewhere, and what an interruption or time leaves behind."""

from __future__ import annotations

from datetime import timedelta

from telegram.error import TelegramError

from bot.advice.reply import Button
from bot.advice.richtext import RichText, join
from bot.handlers import carrying
from bot.handlers.context import Context, log, services
from bot.handovers import Handover
from bot.translation import mark, translator

ESCALATED = mark(
    "{agency} has not answered a seller for {hours} hours (question no. {number}). The seller was told. Please see to "
    "it."
)


async def look_after(context: Context) -> None:
    """Remind groups and turn to others, each once for each time that an agency is waited for.

    What is given is marked before it is sent, so that neither a restart nor a second copy of the bot gives it again.
    """
    service = services(context)
    for handover in await service.handovers.interrupted():
        await _give_back(context, handover)
    for handover in await service.handovers.to_remind(timedelta(hours=service.settings.handover_remind_hours)):
        await _remind(context, handover)
    for handover in await service.handovers.to_escalate(timedelta(hours=service.settings.handover_escalate_hours)):
        await _escalate(context, handover)


async def tidy(context: Context) -> None:
    """Let go of what was kept long enough."""
    gone = await services(context).handovers.expire()
    if gone:
        log.info("handovers_emptied", count=gone)


async def _remind(context: Context, handover: Handover) -> None:
    service = services(context)
    agency = await service.agencies.get(handover.agency)
    if agency is None or not await service.handovers.mark_reminded(handover.id):
        return
    _ = translator(carrying.language_of(agency))
    text = _("The seller has waited for an answer for more than {hours} hours. Reply to this message to answer.")
    hours = service.settings.handover_remind_hours
    try:
        await carrying.to_group(context, handover, RichText.plain(text.format(hours=hours)))
    except carrying.UnreachableError:
        await carrying.alarm(context, agency)
    except TelegramError as error:
        log.warning("reminder_not_given", handover=handover.id, cause=type(error).__name__)
        await service.handovers.mark_reminded(handover.id, undo=True)


async def _escalate(context: Context, handover: Handover) -> None:
    service = services(context)
    agency = await service.agencies.get(handover.agency)
    if not await service.handovers.mark_escalated(handover.id):
        return
    _ = translator(handover.language)
    hours = service.settings.handover_escalate_hours
    name = agency.name if agency else handover.agency
    honest = _("{agency} has not answered for more than {hours} hours, and I cannot say when it will.")
    lines = [RichText.plain(honest.format(agency=name, hours=hours))]
    if agency is not None:
        lines.append(carrying.reach(agency, handover.language))
    lines.append(service.adviser.institutions(handover.country, handover.language).text)
    buttons = [
        Button(_("Write more"), f"h:write:{handover.id}"),
        Button(_("I need no answer any more"), f"h:done:{handover.id}"),
    ]
    try:
        await carrying.to_seller(context, handover, join(lines), buttons)
    except TelegramError as error:
        log.warning("escalation_not_given", handover=handover.id, cause=type(error).__name__)
        await service.handovers.mark_escalated(handover.id, undo=True)
        return
    await carrying.tell_maintainers(context, ESCALATED, agency=name, hours=hours, number=handover.id)


async def _give_back(context: Context, handover: Handover) -> None:
    """Back to the seller with what was being sent when the program ended."""
    if await services(context).handovers.unsent(handover.id) is None:
        return
    _ = translator(handover.language)
    text = _(
        "I was interrupted while I sent your question, and cannot say whether it arrived. Shall I send it (again)?"
    )
    buttons = [Button(_("Send again"), f"h:send:{handover.id}"), Button(_("Cancel"), f"h:drop:{handover.id}")]
    await carrying.tell_seller(context, handover, text, buttons)
