"""Which questions are gaps: what could not be answered is kept, without the person, so that agencies can fill it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import Message, Update

from bot.advice.adviser import CHATTY, Consultation
from bot.advice.figures.draft import Draft
from bot.advice.reply import Reply, ReplyKind
from bot.advice.understand import Turn
from bot.handlers.context import Context, chat_id, services, user_id
from bot.people import Outcome, Unanswered
from ingest.gaps import Gaps, Reason
from knowledge.database import DatabaseError
from knowledge.facts import Facts
from knowledge.normalise import fold, words

log = structlog.get_logger(__name__)

LACKING = ("unknown", "check-failed", "fees")
"""Intents of a decline that say that we know too little; the others say that it is none of our business."""

UNCLEAR = "unclear"
FEWEST_WORDS = 3


async def remember(
    update: Update, context: Context, consultation: Consultation, earlier: Turn | None, sent: Message | None
) -> None:
    """Remember the turn that was just answered; keep what it shows to be a gap. Never fails."""
    service, reply = services(context), consultation.reply
    outcome = outcome_of(reply, sent, service.adviser.facts)
    failed: Sequence[Unanswered] = ()
    try:
        failed = await service.people.remember(user_id(update), chat_id(update), consultation.turn, outcome)
    except SQLAlchemyError as error:
        log.error("turn_not_remembered", cause=type(error).__name__)
    await keep(service.gaps, failed, Reason.ASKED_BACK)
    if outcome.is_gap:
        country = next(iter(consultation.question.entities.countries), None)
        text = _asked(consultation, earlier)
        await keep(service.gaps, [Unanswered(text, reply.language, country)], Reason.DECLINED)


async def opened(update: Update, context: Context) -> None:
    """A document was opened by a button: if what was asked back offered it, that question has its answer."""
    query = update.callback_query
    if query is None or query.message is None:
        return
    try:
        await services(context).people.found(user_id(update), chat_id(update), query.message.message_id)
    except SQLAlchemyError as error:
        log.error("opening_not_noted", cause=type(error).__name__)


async def disliked(update: Update, context: Context, document: str) -> None:
    """A thumb went down on what a message answers with; its question is kept once, if it is still remembered."""
    query = update.callback_query
    if query is None or query.message is None:
        return
    try:
        people = services(context).people
        question = await people.disliked(user_id(update), chat_id(update), query.message.message_id)
    except SQLAlchemyError as error:
        log.error("thumb_not_noted", cause=type(error).__name__)
        return
    if question is not None:
        await keep(services(context).gaps, [question], Reason.THUMBS_DOWN, document)


def outcome_of(reply: Reply, sent: Message | None, facts: Facts) -> Outcome:
    """What `reply` makes of the question, and of one before it that waits for an answer."""
    is_lacking = reply.kind is ReplyKind.DECLINE and reply.intent in LACKING and not _is_closed(reply, facts)
    if reply.intent in CHATTY or reply.intent == "wordless":
        settles = None
    else:
        # The desk asks back for details of what it has understood: the question is on its way.
        settles = reply.kind is ReplyKind.ANSWER or (reply.kind is ReplyKind.ASK_BACK and reply.draft is not None)
    return Outcome(
        message_id=sent.message_id if sent else None,
        kind=reply.kind.value,
        language=reply.language,
        is_open=reply.kind is ReplyKind.ASK_BACK and reply.intent == UNCLEAR,
        settles=settles,
        is_gap=is_lacking,
    )


def _is_closed(reply: Reply, facts: Facts) -> bool:
    """Whether there are no fees because the platform has closed: that is known, and was said."""
    draft = Draft.read(reply.draft, facts) if reply.draft else None
    platform = facts.platform(draft.target) if draft and draft.target else None
    return platform is not None and platform.status == "closed"


def _asked(consultation: Consultation, earlier: Turn | None) -> str:
    """What was asked: of a detail that the desk had asked for ("40 USD"), the question that it belongs to."""
    text = consultation.turn.question
    is_detail = consultation.reply.intent == "fees" and earlier is not None and earlier.draft is not None
    if earlier and is_detail and len([w for w in words(fold(text)) if w.isalpha()]) < FEWEST_WORDS:
        return earlier.question
    return text


async def abandoned(gaps: Gaps, question: Unanswered) -> None:
    """Nothing came after `question` was asked back."""
    await keep(gaps, [question], Reason.ASKED_BACK)


async def keep(gaps: Gaps, found: Sequence[Unanswered], reason: Reason, document: str | None = None) -> None:
    """Keep questions as gaps. A fault is logged by its kind only and disturbs nobody."""
    for each in found:
        try:
            await asyncio.to_thread(gaps.record, each.question, reason, each.language, each.country, document)
        except (SQLAlchemyError, DatabaseError) as error:
            log.error("gap_not_kept", cause=type(error).__name__)
