"""A draft: what it would answer, its details, questions tried on it; and its publication."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime

from telegram import InlineKeyboardMarkup, Update

from bot.advice.reply import Button
from bot.advice.richtext import RichText, join
from bot.advice.understand import Profile
from bot.drafts import DraftFailedError, Look, RefusedError
from bot.handlers.context import Context, chat_id, language_here, language_of, log, services, user_id
from bot.handlers.desk import own_version
from bot.handlers.progress import progress
from bot.handlers.versions import described
from bot.people import Person
from bot.sending import choices
from bot.translation import Translate, mark, plurals, translator
from ingest.adding import REVIEW_AFTER, Details, keep_text, title_of
from ingest.agencies import country_codes, web_address
from ingest.catalogue import CatalogueError, Origin, Version
from ingest.index import BusyError
from knowledge.models import LANGUAGES, AsOf, Confidence, Document, Kind, Source, Topic
from knowledge.normalise import visible

Action = Callable[[Update, Context, Version], Awaitable[None]]
"""What a button does with a version that the presser may act on."""

MOST_FLAGGED = 3

NOTES = {
    "mislabelled": mark("The file is not what its name says; I read it as what it is."),
    "cut-text": mark("The document is very long: only its first part was read."),
    "cut-rows": mark("A table is very long: only its first rows were read."),
    "formulas-without-values": mark("Some cells hold formulas without a value; they were left out."),
    "hidden-sheets-skipped": mark("Hidden sheets were left out."),
    "hidden-slides-skipped": mark("Hidden slides were left out."),
    "images-skipped": mark("Pictures were left out; text in them cannot be read."),
    "pages-without-text": mark("Some pages have no text, only pictures; they were left out."),
    "letters-not-read": mark("Some letters could not be read."),
}
FIELDS = {
    "t": (mark("Title"), mark("Write the right title.")),
    "u": (mark("Web page"), mark("Write the address of the public page it comes from (https://...).")),
    "d": (mark("Date"), mark("Write its date: 2026, 2026-03 or 2026-03-05.")),
    "e": (mark("Expiry"), mark("Until which day is it valid? Write it as 2027-03-05.")),
    "c": (mark("Countries"), mark("For sellers of which countries? Write codes such as KE, TZ, or - for all.")),
}


async def show(context: Context, chat: int, language: str, look: Look) -> None:
    """What a draft is, what it would answer as sellers would see it, and what can be done now."""
    service = services(context)
    _ = translator(language)
    version = look.version
    await service.sender.text(chat, join([described(version, language, look.passages), *_remarks(look, language)]))
    profile = _as_seller(version.document, language)
    if look.questions:
        await service.sender.text(chat, RichText.plain(_("Sellers who ask this would now get these answers:")))
    for question in look.questions:
        reply = await service.drafts.try_question(version, question, profile)
        await service.sender.text(chat, RichText.bold(f"❓ {question}") + RichText.plain("\n\n") + reply.text)
    if not look.questions:
        text = _("I found no question that it answers better than what is there. Try one of your own.")
        await service.sender.text(chat, RichText.plain(text))
    await service.sender.text(chat, RichText.plain(_("Nothing is published yet. What shall I do?")), steps(version, _))


def _as_seller(document: Document, language: str) -> Profile:
    """A seller for whom the document is written, who asks in the reader's language."""
    return Profile(language=language, country=next(iter(document.countries), None))


def steps(version: Version, _: Translate) -> InlineKeyboardMarkup:
    """What can be done with a draft."""
    return choices(
        [
            Button(_("Publish"), f"a:pub:{version.id}"),
            Button(_("Correct details"), f"a:fix:{version.id}"),
            Button(_("Try a question"), f"a:try:{version.id}"),
            Button(_("Discard"), f"a:drop:{version.id}"),
        ]
    )


def _remarks(look: Look, language: str) -> list[RichText]:
    """What deserves a look before publishing: what is repeated, left out, or speaks to a program."""
    _, ngettext = translator(language), plurals(language)
    repeated = [
        ngettext(
            "{count} passage says what stands in “{title}” already.",
            "{count} passages say what stands in “{title}” already.",
            count,
        ).format(count=count, title=title)
        for title, count in look.repeated
    ]
    notes = [_(NOTES[note]) for note in look.version.notes if note in NOTES]
    remarks = [RichText.plain("\n".join(f"• {line}" for line in (*repeated, *notes)))] if repeated or notes else []
    if look.version.flagged:
        lead = _("⚠ These sentences speak to a program. They stay plain text and change nothing; is the file sound?")
        quoted = "\n".join(f"“{sentence}”" for sentence in look.version.flagged[:MOST_FLAGGED])
        remarks.append(RichText.plain(lead + "\n") + RichText.italic(quoted))
    return remarks


async def publish(update: Update, context: Context, version: Version) -> None:
    """Put the draft in force, and say from when sellers get it."""
    _ = translator(await language_here(update, context))
    text = _("Published. From now on sellers get answers out of “{title}”.")
    try:
        done = await services(context).drafts.publish(version.id, actor=user_id(update))
        if done.manifest is None:
            text = _("“{title}” is approved. A maintainer is holding the knowledge base: it appears when that ends.")
    except BusyError:
        text = _("“{title}” is approved. The knowledge base is being rebuilt: it appears within minutes.")
    except CatalogueError as error:
        log.info("not_published", cause=str(error))
        text = _("“{title}” can no longer be published: it was published, replaced or discarded, or has expired.")
    await services(context).sender.text(chat_id(update), RichText.plain(text.format(title=version.document.title)))


async def discard(update: Update, context: Context, version: Version) -> None:
    """Give the draft up."""
    _ = translator(await language_here(update, context))
    text = _("Discarded. Nothing of it was published.")
    try:
        await asyncio.to_thread(services(context).catalogue.discard, version.id, actor=str(user_id(update)))
    except CatalogueError:
        text = _("This is no draft any more.")
    await services(context).sender.text(chat_id(update), RichText.plain(text))


async def ask_which_field(update: Update, context: Context, version: Version) -> None:
    """Offer the details that can be corrected."""
    _ = translator(await language_here(update, context))
    buttons = [Button(_(name), f"a:f{letter}:{version.id}") for letter, (name, _ask) in FIELDS.items()]
    text = RichText.plain(_("What shall be corrected?"))
    await services(context).sender.text(chat_id(update), text, choices(buttons))


async def redraft(update: Update, context: Context, version: Version) -> None:
    """Make a draft of a published document so that its details can be corrected; until then the old one counts."""
    catalogue = services(context).catalogue
    drafted = await asyncio.to_thread(catalogue.redraft, version.id, actor=str(user_id(update)))
    await ask_which_field(update, context, drafted)


def ask_for(letter: str) -> Action:
    """The action that asks for the detail `letter` of `FIELDS`."""

    async def ask(update: Update, context: Context, version: Version) -> None:
        _ = translator(await language_here(update, context))
        await services(context).people.update(user_id(update), step=f"a:f{letter}:{version.id}")
        text = RichText.plain(_(FIELDS[letter][1]))
        await services(context).sender.text(chat_id(update), text, choices([Button(_("Cancel"), "a:end")]))

    return ask


async def begin_trying(update: Update, context: Context, version: Version) -> None:
    """Answer what is typed next as if the draft were published."""
    _ = translator(await language_here(update, context))
    await services(context).people.update(user_id(update), step=f"a:try:{version.id}")
    text = _("Write a question as a seller would. I answer as if “{title}” were published.")
    shown = RichText.plain(text.format(title=version.document.title))
    await services(context).sender.text(chat_id(update), shown, choices([Button(_("Stop trying"), "a:end")]))


async def take_answer(update: Update, context: Context, person: Person, text: str) -> bool:
    """Take `text` as what this desk asked for (the step begins with `a:`); False when it did not ask."""
    kind, _colon, rest = (person.step or "").partition(":")
    if kind != "a":
        return False
    action, _colon, number = rest.partition(":")
    version = await own_version(update, context, int(number)) if number.isdecimal() else None
    if version is None or action == "new":  # a file was asked for: a question in the middle is answered as any
        return False
    if action == "try":
        await _try(update, context, person, version, text)
    else:
        await _correct(update, context, person, version, action.removeprefix("f"), text)
    return True


async def _try(update: Update, context: Context, person: Person, version: Version, text: str) -> None:
    service = services(context)
    language = language_of(person, update)
    reply = await service.drafts.try_question(version, text, _as_seller(version.document, language))
    buttons = [Button(translator(language)("Stop trying"), "a:end")]
    await service.sender.text(chat_id(update), reply.text, choices(buttons))


async def _correct(update: Update, context: Context, person: Person, version: Version, letter: str, text: str) -> None:
    service = services(context)
    language = language_of(person, update)
    _ = translator(language)
    try:
        details = _details(letter, " ".join(visible(text).split()))
        changed = await service.drafts.correct(version, details, actor=user_id(update))
    except (CatalogueError, ValueError):
        wrong = RichText.plain(_("That does not fit.") + " " + _(FIELDS[letter][1]))
        await service.sender.text(chat_id(update), wrong, choices([Button(_("Cancel"), "a:end")]))
        return
    await service.people.update(user_id(update), step=None)
    shown = await service.sender.text(chat_id(update), RichText.plain(_("Corrected. I look at it again …")))
    try:
        look = await service.drafts.look(changed.id, progress(shown, _))
    except (RefusedError, DraftFailedError) as error:
        log.error("draft_not_shown", cause=str(error)[:300])
        text = _("I could not try it out. Its details are corrected; find it in /library.")
        await service.sender.text(chat_id(update), RichText.plain(text))
        return
    await show(context, chat_id(update), language, look)


def _details(letter: str, text: str) -> Details:
    """What was typed for a field; raises ValueError or CatalogueError when it does not fit."""
    match letter:
        case "t":
            return Details(title=text)
        case "u":
            return Details(source=web_address(text))
        case "d":
            return Details(as_of=text)
        case "e":
            expires = date.fromisoformat(text)
            if expires < datetime.now(UTC).date():
                raise ValueError("it would have expired already")
            return Details(expires=expires)
        case _:
            return Details(countries=() if text == "-" else country_codes(text))


async def draft_card(
    context: Context, agency_id: str, question: str, answer: str, language: str, country: str | None, actor: int
) -> None:
    """Make a draft of what an agency answered a seller, and show it to `actor` in their own chat."""
    service = services(context)
    agency = await asyncio.to_thread(service.catalogue.agency, agency_id)
    today = datetime.now(UTC).date()
    title = title_of(question, agency)
    forms = {language: (" ".join(question.split())[:200],)} if language in LANGUAGES else {}
    document = Document(
        id="new",
        title=title,
        kind=Kind.AGENCY,
        language=language,
        topics=(Topic.SUPPORT,),
        countries=(country,) if country in agency.countries else (),
        questions=forms,
        sources=(
            Source(
                title=title,
                publisher=agency.name,
                url=agency.url,
                as_of=AsOf(today.isoformat()),
                confidence=Confidence.MEDIUM,
            ),
        ),
        reviewed=today,
        review_by=today + REVIEW_AFTER,
        agency=agency.id,
        body=visible(answer),
    )
    original = await asyncio.to_thread(keep_text, service.settings.data_dir / "uploads", answer)
    version = await asyncio.to_thread(
        service.catalogue.add_draft, document, Origin(original, "reply"), actor=str(actor)
    )
    chosen = (await service.people.get(actor)).profile.language or language
    try:
        look = await service.drafts.look(version.id, progress(None, translator(chosen)))
    except (RefusedError, DraftFailedError) as error:
        log.error("draft_not_shown", cause=str(error)[:300])
        look = Look(version, 1, (), ())
    await show(context, actor, chosen, look)
