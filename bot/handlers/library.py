"""An agency's library: /library, its documents with their history, replacing, withdrawing, what expires."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from babel.numbers import format_decimal
from telegram import Update

from bot.advice.reply import Button, label
from bot.advice.richtext import RichText, join
from bot.handlers import drafts, intake
from bot.handlers.context import Context, acknowledge, chat_id, language_here, services, user_id
from bot.handlers.desk import access, own_version, refuse
from bot.handlers.drafts import Action
from bot.handlers.versions import STATES, described, short
from bot.sending import choices
from bot.translation import mark, translator
from ingest.catalogue import CatalogueError, Entry, State, Version

CALLBACKS = (
    r"a:(for:\d{1,9}:[a-z0-9-]{1,32}|(pub|drop|fix|try|doc|new|off|off!|his|redo):\d{1,9}|f[tudec]:\d{1,9}"
    r"|lib:[a-z0-9-]{1,32}:\d{1,3}|end)"
)


PAGE = 6
EXPIRY_NOTICE = timedelta(days=14)


async def library(update: Update, context: Context) -> None:
    """/library: the documents of the person's agencies."""
    allowed = await access(update, context)
    if not allowed:
        await refuse(update, context)
        return
    found = await asyncio.to_thread(services(context).catalogue.agencies)
    agencies = [agency for agency in found if allowed.to(agency.id)]
    if len(agencies) == 1:
        await _list(update, context, agencies[0].id, 0)
        return
    _ = translator(await language_here(update, context))
    buttons = [Button(label(agency.name), f"a:lib:{agency.id}:0") for agency in agencies]
    text = _("Whose documents?") if agencies else _("There is no agency yet.")
    await services(context).sender.text(chat_id(update), RichText.plain(text), choices(buttons, columns=1))


async def _list(update: Update, context: Context, agency: str, page: int) -> None:
    if not (await access(update, context)).to(agency):
        return
    language = await language_here(update, context)
    _ = translator(language)
    entries = await asyncio.to_thread(services(context).catalogue.library, agency)
    shown = entries[page * PAGE : (page + 1) * PAGE]
    if not shown:
        text = RichText.plain(_("There is no document yet. Send me one: PDF, Word, slides, spreadsheet or text."))
        await services(context).sender.text(chat_id(update), text)
        return
    buttons = [Button(label(entry.version.document.title), f"a:doc:{entry.version.id}") for entry in shown]
    if page:
        buttons.append(Button("‹", f"a:lib:{agency}:{page - 1}"))
    if len(entries) > (page + 1) * PAGE:
        buttons.append(Button("›", f"a:lib:{agency}:{page + 1}"))
    text = join(_line(entry, language) for entry in shown)
    await services(context).sender.text(chat_id(update), text, choices(buttons, columns=1))


def _line(entry: Entry, language: str) -> RichText:
    _ = translator(language)
    version = entry.version
    parts = [
        _(STATES[version.state]),
        _("version {number}").format(number=version.number),
        _("answers led in 30 days: {count}").format(count=format_decimal(entry.uses, locale=language)),
    ]
    if version.document.expires:
        parts.append(_("valid until {date}").format(date=version.document.expires))
    return RichText.bold(version.document.title) + RichText.plain("\n" + " · ".join(parts))


async def pressed(update: Update, context: Context) -> None:
    """A button of this desk; each is checked against what the presser may do now."""
    query = update.callback_query
    allowed = await access(update, context)
    if query is None or query.data is None or not allowed:
        await refuse(update, context)
        return
    await acknowledge(query)
    _kind, action, *values = query.data.split(":")
    if action == "end":
        await services(context).people.update(user_id(update), step=None)
        await library(update, context)
    elif action == "lib":
        await _list(update, context, values[0], int(values[1]))
    elif action == "for":
        await intake.chosen(update, context, int(values[0]), values[1])
    else:
        version = await own_version(update, context, int(values[0]))
        if version is not None:
            await _ACTIONS[action](update, context, version)


async def _show_document(update: Update, context: Context, version: Version) -> None:
    language = await language_here(update, context)
    _ = translator(language)
    buttons = [Button(_("Replace"), f"a:new:{version.id}"), Button(_("History"), f"a:his:{version.id}")]
    if version.state is State.PUBLISHED:
        buttons.insert(1, Button(_("Withdraw"), f"a:off:{version.id}"))
        buttons.append(Button(_("Correct details"), f"a:redo:{version.id}"))
    markup = drafts.steps(version, _) if version.state is State.DRAFT else choices(buttons)
    await services(context).sender.text(chat_id(update), described(version, language), markup)


async def _history(update: Update, context: Context, version: Version) -> None:
    language = await language_here(update, context)
    _ = translator(language)
    versions = await asyncio.to_thread(services(context).catalogue.history, version.document.id)
    lines = [RichText.bold(version.document.title)]
    for each in versions:
        dates = " – ".join(f"{at:%Y-%m-%d}" for at in (each.published_at or each.created_at, each.ended_at) if at)
        lines.append(RichText.plain(f"{each.number}. {_(STATES[each.state])}, {dates}: {short(each.file_name)}"))
    await services(context).sender.text(chat_id(update), join(lines, "\n"))


async def _ask_for_replacement(update: Update, context: Context, version: Version) -> None:
    _ = translator(await language_here(update, context))
    await services(context).people.update(user_id(update), step=f"a:new:{version.id}")
    text = _("Send the new file, or /add and an address. It replaces “{title}” once you publish it.")
    shown = RichText.plain(text.format(title=version.document.title))
    await services(context).sender.text(chat_id(update), shown, choices([Button(_("Cancel"), "a:end")]))


async def _confirm_withdrawal(update: Update, context: Context, version: Version) -> None:
    _ = translator(await language_here(update, context))
    text = _("Withdraw “{title}”? Sellers get no answer out of it from that moment.")
    buttons = [Button(_("Withdraw"), f"a:off!:{version.id}"), Button(_("Cancel"), "a:end")]
    shown = RichText.plain(text.format(title=version.document.title))
    await services(context).sender.text(chat_id(update), shown, choices(buttons))


async def _withdraw(update: Update, context: Context, version: Version) -> None:
    _ = translator(await language_here(update, context))
    text = _("Withdrawn. The file is kept; you can send it again at any time.")
    try:
        await services(context).drafts.withdraw(version.document.id, actor=user_id(update))
    except CatalogueError:
        text = _("This document is not published.")
    await services(context).sender.text(chat_id(update), RichText.plain(text))
    await services(context).drafts.follow_catalogue()  # the index without it; it is hidden already


async def look_after(context: Context) -> None:
    """The job: build what a crash left undone, end what has expired, and tell agencies what expires soon."""
    service = services(context)
    gone = await service.drafts.follow_catalogue()
    today = datetime.now(UTC).date()
    soon = await asyncio.to_thread(service.catalogue.about_to_expire, today, EXPIRY_NOTICE)
    texts = {
        mark("“{title}” has expired and is no longer shown. Send a newer version if there is one."): gone,
        mark("“{title}” is shown until {date}. Send a newer version before that, or correct its expiry."): soon,
    }
    for text, versions in texts.items():
        for version in versions:
            await _tell(context, version, text)


async def _tell(context: Context, version: Version, text: str) -> None:
    service = services(context)
    members = await service.members.of_agency(version.document.agency)
    people = [member.telegram_id for member in members] or sorted(await service.members.maintainers())
    for telegram_id in people:
        language = (await service.people.get(telegram_id)).profile.language or "en"
        line = translator(language)(text).format(title=version.document.title, date=version.document.expires)
        await service.sender.text(telegram_id, RichText.plain(line))


_ACTIONS: dict[str, Action] = {
    "pub": drafts.publish,
    "drop": drafts.discard,
    "fix": drafts.ask_which_field,
    "try": drafts.begin_trying,
    "doc": _show_document,
    "new": _ask_for_replacement,
    "off": _confirm_withdrawal,
    "off!": _withdraw,
    "his": _history,
    "redo": drafts.redraft,
    **{f"f{letter}": drafts.ask_for(letter) for letter in drafts.FIELDS},
}
