"""Owners, maintainers and agencies: /agencies, /maintainers, /audit, and joining by invitation."""

from __future__ import annotations

import asyncio

from telegram import BotCommand, BotCommandScopeChat, Update
from telegram.error import TelegramError
from telegram.helpers import create_deep_linked_url

from bot.advice.reply import Button
from bot.advice.richtext import RichText, join
from bot.handlers.context import Context, acknowledge, chat_id, language_here, language_of, log, services, user_id
from bot.handlers.desk import access, refuse
from bot.members import InvitationError, Role
from bot.people import Person
from bot.sending import choices
from bot.translation import Translate, country_name, language_named, mark, translator
from ingest.agencies import checked
from ingest.catalogue import Agency, AuditLine, CatalogueError

INVITATION = "i-"
"""Before the token in the payload of a deep link to /start."""

CALLBACKS = r"o:(new|list|m|a:[a-z0-9-]{1,32}|i:[a-z0-9-]{1,32}|r:\d{1,9}|x:\d{1,9}:[a-z0-9-]{1,32}|end)"
MAINTAINERS = "-"
"""In the place of an agency's id: the maintainers."""

TRAIL_LINES = 20

COMMANDS = {
    "library": mark("Documents of your agency"),
    "gaps": mark("What nobody could answer"),
    "agencies": mark("Agencies and invitations"),
    "audit": mark("Who did what"),
}
"""Commands in the menu of those with a role only."""

_ACTIONS = {
    "agency-added": mark("agency entered"),
    "group-set": mark("group set"),
    "group-removed": mark("group removed"),
    "invited": mark("invited"),
    "joined": mark("joined"),
    "revoked": mark("role ended"),
    "invitation-revoked": mark("invitation ended"),
    "draft-added": mark("draft added"),
    "draft-corrected": mark("draft corrected"),
    "published": mark("published"),
    "withdrawn": mark("withdrawn"),
    "discarded": mark("discarded"),
    "expired": mark("expired"),
    "rolled-back": mark("rolled back"),
}


async def join_by_invitation(update: Update, context: Context, token: str) -> None:
    """Use the invitation of a deep link."""
    service = services(context)
    _ = translator(await language_here(update, context))
    try:
        member = await service.members.redeem(token, user_id(update))
    except InvitationError:
        text = _("This invitation cannot be used: it was used before, or it has ended. Ask for a new one.")
        await service.sender.text(chat_id(update), RichText.plain(text))
        return
    name = _("the maintainers")
    if member.agency is not None:
        name = (await asyncio.to_thread(service.catalogue.agency, member.agency)).name
    lines = [
        _("Welcome. You can now act for {name}.").format(name=name),
        _("Send me a document (PDF, Word, slides, spreadsheet, text) or /add with the address of a web page."),
        _("I show you what sellers would get from it before anything is published."),
        *(f"/{command}: {_(text)}" for command, text in COMMANDS.items() if command != "agencies" or not member.agency),
    ]
    await service.sender.text(chat_id(update), RichText.plain("\n".join(lines)))
    await _show_commands(update, context, _)


async def _show_commands(update: Update, context: Context, _: Translate) -> None:
    from bot.handlers import help

    menu = [BotCommand(name, _(text)) for name, text in (help.COMMANDS | COMMANDS).items()]
    try:
        await context.bot.set_my_commands(menu, scope=BotCommandScopeChat(chat_id(update)))
    except TelegramError as error:
        log.warning("commands_not_registered", cause=type(error).__name__)


async def agencies(update: Update, context: Context) -> None:
    """/agencies: list them, enter a new one, look after invitations and members. For maintainers."""
    if not (await access(update, context)).is_maintainer:
        await refuse(update, context)
        return
    _ = translator(await language_here(update, context))
    found = await asyncio.to_thread(services(context).catalogue.agencies)
    buttons = [Button(agency.name[:40], f"o:a:{agency.id}") for agency in found]
    buttons += [Button(_("New agency"), "o:new"), Button(_("Maintainers"), "o:m")]
    text = _("Agencies:") if found else _("There is no agency yet.")
    await services(context).sender.text(chat_id(update), RichText.plain(text), choices(buttons, columns=1))


async def audit(update: Update, context: Context) -> None:
    """/audit: who did what, of the agencies that the person may act for."""
    allowed = await access(update, context)
    if not allowed:
        await refuse(update, context)
        return
    _ = translator(await language_here(update, context))
    catalogue = services(context).catalogue
    if allowed.is_maintainer:
        lines = await asyncio.to_thread(catalogue.trail, None, TRAIL_LINES)
    else:
        found = [await asyncio.to_thread(catalogue.trail, agency, TRAIL_LINES) for agency in sorted(allowed.agencies)]
        lines = sorted((line for trail in found for line in trail), key=lambda line: line.at, reverse=True)
    shown = "\n".join(_trail_line(line, _) for line in lines[:TRAIL_LINES]) or _("Nothing yet.")
    await services(context).sender.text(chat_id(update), RichText.plain(shown))


def _trail_line(line: AuditLine, _: Translate) -> str:
    action = _(_ACTIONS[line.action]) if line.action in _ACTIONS else line.action
    return f"{line.at:%Y-%m-%d %H:%M} UTC · {action} · {line.subject} · {line.actor}"


async def pressed(update: Update, context: Context) -> None:
    """A button of this desk. Only owners reach the maintainers' part."""
    query = update.callback_query
    allowed = await access(update, context)
    if query is None or query.data is None or not allowed.is_maintainer:
        await refuse(update, context)
        return
    await acknowledge(query)
    _kind, action, *values = query.data.split(":")
    match action, values:
        case "new", _:
            await _ask_for_agency(update, context)
        case "end", _:
            await services(context).people.update(user_id(update), step=None)
            await agencies(update, context)
        case "m", _ if allowed.is_owner:
            await _show_members(update, context, None)
        case "a", [id]:
            await _show_members(update, context, id)
        case "i", [id] if id != MAINTAINERS or allowed.is_owner:
            await _invite(update, context, None if id == MAINTAINERS else id)
        case "r", [number]:
            await _revoke(update, context, int(number), is_owner=allowed.is_owner)
        case "x", [number, id] if id != MAINTAINERS or allowed.is_owner:
            agency = None if id == MAINTAINERS else id
            await services(context).members.revoke_invitation(int(number), agency, by=user_id(update))
            await _show_members(update, context, agency)
        case _:
            return


async def _show_members(update: Update, context: Context, agency: str | None) -> None:
    """The members and open invitations of an agency, or the maintainers, each with a button that ends it."""
    service = services(context)
    language = await language_here(update, context)
    _ = translator(language)
    try:
        known = await asyncio.to_thread(service.catalogue.agency, agency) if agency else None
    except CatalogueError:
        return
    members = await service.members.of_agency(agency)
    invitations = await service.members.invitations(agency)
    key = agency or MAINTAINERS
    lines = [_about(known, language, _)] if known else [RichText.bold(_("Maintainers"))]
    lines += [RichText.plain(f"• {member.label}") for member in members]
    lines += [
        RichText.plain(
            "• " + _("{label}: invited, until {date}").format(label=i.label, date=f"{i.expires_at:%Y-%m-%d}")
        )
        for i in invitations
    ]
    buttons = [Button(_("Invite somebody"), f"o:i:{key}")]
    buttons += [Button(_("End: {label}").format(label=member.label[:30]), f"o:r:{member.id}") for member in members]
    buttons += [
        Button(_("End invitation: {label}").format(label=i.label[:30]), f"o:x:{i.id}:{key}") for i in invitations
    ]
    await service.sender.text(chat_id(update), join(lines, "\n"), choices(buttons, columns=1))


def _about(agency: Agency, language: str, _: Translate) -> RichText:
    countries = ", ".join(country_name(code, language) for code in agency.countries)
    languages = ", ".join(language_named(code, language) for code in agency.languages)
    group = _("Group: set") if agency.group_chat_id else _("Group: none. In the agency's group send /group {id}")
    lines = (f"{countries} · {languages}", agency.contact, agency.url, group.format(id=agency.id))
    return RichText.bold(agency.name) + RichText.plain("\n" + "\n".join(lines))


async def _ask_for_agency(update: Update, context: Context) -> None:
    await services(context).people.update(user_id(update), step="o:new")
    _ = translator(await language_here(update, context))
    text = "\n".join(
        (
            _("Write five lines: name, countries, languages, the line that sellers see, web page. For example:"),
            "",
            "Kenya Export Desk",
            "KE, UG",
            "en, sw",
            "Haile Selassie Avenue, Nairobi, +254 20 000 000",
            "https://example.org",
        )
    )
    await services(context).sender.text(chat_id(update), RichText.plain(text), choices([Button(_("Cancel"), "o:end")]))


async def _invite(update: Update, context: Context, agency: str | None) -> None:
    known = {each.id for each in await asyncio.to_thread(services(context).catalogue.agencies)}
    if agency is not None and agency not in known:
        return
    await services(context).people.update(user_id(update), step=f"o:i:{agency or MAINTAINERS}")
    _ = translator(await language_here(update, context))
    text = _("Whom do you invite? Write a short label, such as: Nairobi desk.")
    await services(context).sender.text(chat_id(update), RichText.plain(text), choices([Button(_("Cancel"), "o:end")]))


async def _revoke(update: Update, context: Context, member_id: int, *, is_owner: bool) -> None:
    members = services(context).members
    member = await members.member(member_id)
    if member is None or (member.role is Role.MAINTAINER and not is_owner):
        return
    await members.revoke(member_id, by=user_id(update))
    await _show_members(update, context, member.agency)


async def take_answer(update: Update, context: Context, person: Person, text: str) -> bool:
    """Take `text` as what this desk asked for (the step begins with `o:`); False when it did not ask."""
    step = person.step or ""
    if not step.startswith("o:"):
        return False
    allowed = await access(update, context)
    if not allowed.is_maintainer:
        await services(context).people.update(user_id(update), step=None)
        return False
    if step == "o:new":
        await _enter_agency(update, context, person, text)
        return True
    agency = step.removeprefix("o:i:")
    if agency == MAINTAINERS and not allowed.is_owner:
        return False
    await _send_invitation(update, context, person, None if agency == MAINTAINERS else agency, text)
    return True


async def _enter_agency(update: Update, context: Context, person: Person, text: str) -> None:
    service = services(context)
    _ = translator(language_of(person, update))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    again = choices([Button(_("Cancel"), "o:end")])
    if len(lines) != 5:
        wanted = _("I need five lines, each with one thing. Please send them again.")
        await service.sender.text(chat_id(update), RichText.plain(wanted), again)
        return
    try:
        fields = checked(*lines)
        made = await asyncio.to_thread(lambda: service.catalogue.add_agency(**fields, actor=str(user_id(update))))
    except CatalogueError as error:
        await service.sender.text(chat_id(update), RichText.plain(_fault(error, _)), again)
        return
    await service.people.update(user_id(update), step=None)
    await _show_members(update, context, made.id)


def _fault(error: CatalogueError, _: Translate) -> str:
    field = str(error).split(":", 1)[0]
    wrong = {
        "name": _("The name is too short or too long (3 to 120 characters)."),
        "countries": _("The second line must hold country codes of two letters, such as: KE, TZ."),
        "languages": _("The third line must hold language codes of two letters, such as: en, sw."),
        "contact": _("The line that sellers see must have 5 to 200 characters."),
        "page": _("The last line must be an address that begins with https://."),
    }
    return wrong.get(field, _("There is an agency of that name already. Please choose another name."))


async def _send_invitation(update: Update, context: Context, person: Person, agency: str | None, text: str) -> None:
    service = services(context)
    _ = translator(language_of(person, update))
    label = " ".join(text.split())[:60]
    role = Role.CONTRIBUTOR if agency else Role.MAINTAINER
    token = await service.members.invite(role, agency, label, by=user_id(update))
    await service.people.update(user_id(update), step=None)
    link = create_deep_linked_url(context.bot.username, INVITATION + token)
    shown = _("Send this link to {label}. It works once, for 72 hours:").format(label=label)
    await service.sender.text(chat_id(update), RichText.plain(f"{shown}\n{link}"))
