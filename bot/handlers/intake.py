"""What agencies send: written down, read, and shown as a draft, whatever happens in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from telegram import Update
from telegram.error import TelegramError

from bot.advice.reply import Button, label
from bot.advice.richtext import RichText
from bot.drafts import DraftFailedError, RefusedError
from bot.handlers import drafts, media
from bot.handlers.context import Context, chat_id, language_here, language_of, log, recall, services, user_id
from bot.handlers.desk import access, own_version, refuse
from bot.handlers.progress import progress
from bot.handlers.versions import short
from bot.intake import Received
from bot.people import Person
from bot.sending import choices
from bot.translation import mark, translator
from ingest.catalogue import Version
from ingest.loading import MESSAGES, Limits, Reason
from knowledge.normalise import visible

REFUSALS = {
    **{reason.value: MESSAGES[reason] for reason in Reason},
    "already-published": mark("Just this file is published already. Send a newer one, or withdraw it in /library."),
}
BROKE_OFF = mark("I could not finish reading this document. Please send it once more; if it fails again, tell us.")


async def received(update: Update, context: Context) -> None:
    """A file: from somebody with a role a new document, from anybody else what it always was."""
    message = update.effective_message
    allowed = await access(update, context)
    if message is None or message.document is None or not allowed:
        await media.other(update, context)
        return
    person, _turn = await recall(update, context)
    if message.document.file_size and message.document.file_size > Limits().bytes:
        await _refused(update, context, REFUSALS[Reason.TOO_LARGE])
        return
    name = visible(message.document.file_name or "document")
    await _take(update, context, person, name, message.document.file_id)


async def add(update: Update, context: Context) -> None:
    """/add <address>: a web page as a document."""
    if not await access(update, context):
        await refuse(update, context)
        return
    person, _turn = await recall(update, context)
    if not context.args:
        _ = translator(language_of(person, update))
        text = _("Send me the document as a file, or write /add and the address of a web page.")
        await services(context).sender.text(chat_id(update), RichText.plain(text))
        return
    address = context.args[0]
    if not address.startswith(("http://", "https://")):
        address = f"https://{address}"
    await _take(update, context, person, address, None)


async def _take(update: Update, context: Context, person: Person, name: str, file_id: str | None) -> None:
    """Write down what was sent before anything else is done with it, ask for which agency it is, and begin."""
    service = services(context)
    allowed = await access(update, context)
    agencies = [each for each in await asyncio.to_thread(service.catalogue.agencies) if allowed.to(each.id)]
    replaced = await _to_replace(update, context, person)
    if replaced is not None:
        agency: str | None = replaced.document.agency
    else:
        agency = agencies[0].id if len(agencies) == 1 else None
    sent = await service.intake.enter(
        user_id(update),
        chat_id(update),
        name,
        file_id=file_id,
        agency=agency,
        replaces=replaced.document.id if replaced else None,
    )
    if agency is not None:
        await work(context, sent, language_of(person, update))
        return
    _ = translator(language_of(person, update))
    if not agencies:
        await service.intake.done(sent.id)
        text = _("There is no agency yet. Make one with /agencies, then send the document again.")
        await service.sender.text(chat_id(update), RichText.plain(text))
        return
    buttons = [Button(label(each.name), f"a:for:{sent.id}:{each.id}") for each in agencies]
    text = _("For which agency is this?")
    await service.sender.text(chat_id(update), RichText.plain(text), choices(buttons, columns=1))


async def _to_replace(update: Update, context: Context, person: Person) -> Version | None:
    """The document of which the next file is to be a new version, if the person has pressed that."""
    step = person.step or ""
    if not step.startswith("a:new:"):
        return None
    await services(context).people.update(user_id(update), step=None)
    return await own_version(update, context, int(step.removeprefix("a:new:")))


async def chosen(update: Update, context: Context, id: int, agency: str) -> None:
    """For which agency a file is."""
    service = services(context)
    sent = await service.intake.get(id, user_id(update))
    if sent is None or sent.agency is not None or not (await access(update, context)).to(agency):
        return
    await service.intake.choose(id, agency)
    await work(context, replace(sent, agency=agency), await language_here(update, context))


async def work(context: Context, sent: Received, language: str | None = None) -> None:
    """Turn what was sent into a draft and show it; whatever happens, the sender learns how it ended."""
    service = services(context)
    language = language or (await service.people.get(sent.telegram_id)).profile.language or "en"
    _ = translator(language)
    if sent.agency is None or not (await service.members.access(sent.telegram_id)).to(sent.agency):
        await service.intake.done(sent.id)
        return
    if not await service.intake.begin(sent.id):
        await service.intake.done(sent.id)
        await service.sender.text(sent.chat_id, RichText.plain(_(BROKE_OFF)))
        return
    shown = await service.sender.text(
        sent.chat_id, RichText.plain(_("I am reading {name} …").format(name=short(sent.name)))
    )
    try:
        with TemporaryDirectory(prefix="tradewind-") as folder:
            source = sent.name if sent.file_id is None else await _download(context, sent.file_id, Path(folder))
            look = await service.drafts.add(
                source,
                sent.agency,
                actor=sent.telegram_id,
                name=sent.name if sent.file_id else None,
                replaces=sent.replaces,
                on_step=progress(shown, _),
            )
    except RefusedError as error:
        log.info("document_refused", reason=error.reason)
        await service.sender.text(sent.chat_id, RichText.plain(_(REFUSALS.get(error.reason, BROKE_OFF))))
    except (DraftFailedError, TelegramError) as error:
        log.error("document_failed", cause=str(error)[:300])
        await service.sender.text(sent.chat_id, RichText.plain(_(BROKE_OFF)))
    else:
        await drafts.show(context, sent.chat_id, language, look)
    await service.intake.done(sent.id)


async def _download(context: Context, file_id: str, folder: Path) -> str:
    file = await context.bot.get_file(file_id)
    path = folder / "document"
    await file.download_to_drive(path)
    return str(path)


async def resume(context: Context) -> None:
    """Work on what was received before a restart."""
    for sent in await services(context).intake.waiting():
        await work(context, sent)


async def _refused(update: Update, context: Context, text: str) -> None:
    _ = translator(await language_here(update, context))
    await services(context).sender.text(chat_id(update), RichText.plain(_(text)))
