"""The extractive composer: from evidence to a phone-sized reply, without a model.

Nothing is said that does not stand in a document, the directory of institutions or the interface texts.
"""

from __future__ import annotations

from datetime import date

from bot.advice.machine import MachineTranslator
from bot.advice.reply import PHONE_SIZE, Button, Reply, ReplyKind, label, related
from bot.advice.richtext import RichText, join
from bot.advice.shown import Shown, figures_in, headings, shown
from bot.advice.understand import Question
from bot.translation import Translate, as_of_text, country_name, guidance, language_named, translator
from knowledge.facts import Facts, Institution
from knowledge.models import Confidence, Document, Passage, Source, Wording
from knowledge.search import Evidence

MOST_INSTITUTIONS = 2
LEANING = {
    "yes",
    "no",
    "not",
    "often",
    "usually",
    "sometimes",
    "they",
    "it",
    "some",
    "maybe",
    "partly",
    "rarely",
    "only",
}
"""First words of an answer that is not understood without its question."""


def answer(question: Question, evidence: Evidence, today: date, machine: MachineTranslator | None = None) -> Reply:
    """The best passage cut to a phone's screen, with its sources, their age, and next steps.

    What is in another language than the reader's is translated by `machine`, if there is one.
    """
    best, language = evidence.hits[0], question.language
    _ = translator(language)
    source_lines = _sources(best.document, best.document.sources[:1], language, today)
    notes = []
    if question.was_long:
        notes.append(RichText.italic(_("Your message was long, so I answered the question I found in it.")))
    reading = _read(best.document, best.passage, language, machine)
    notes += _about_the_language(best.document, best.passage, reading, language)
    head, tail = join(notes), join(source_lines, "\n")
    title = _titled(best.passage, reading.wording)
    room = PHONE_SIZE - len(head) - len(tail) - len(title) - 4
    body = RichText.markdown(reading.wording.text)
    short, is_cut = _shorten(body, room)
    steps = [Button(_("More"), more_action(best.passage))] if is_cut else []
    steps += related(evidence.hits[1:], 3 - len(steps), language)
    return Reply(
        text=join((head, title + short, tail)),
        kind=ReplyKind.ANSWER,
        intent=best.document.topic.value,
        language=language,
        citations=best.document.sources,
        confidence=evidence.confidence,
        buttons=tuple(steps),
        passage=best.passage.id,
    )


def long_form(
    document: Document,
    passages: list[Passage],
    start: int,
    language: str,
    today: date,
    machine: MachineTranslator | None = None,
) -> Reply:
    """The whole passage number `start` of `document`, all sources, and the document's other sections as steps."""
    passage = passages[start]
    sources = _sources(document, document.sources, language, today)
    reading = _read(document, passage, language, machine)
    heading = RichText.bold(" > ".join(reading.wording.path)) + RichText.plain("\n\n")
    notes = _about_the_language(document, passage, reading, language)
    others = [
        Button(label(headings(document, other, language)[-1]), more_action(other)) for other in passages[start + 1 :]
    ]
    return Reply(
        text=join((*notes, heading + RichText.markdown(reading.wording.text), join(sources, "\n"))),
        kind=ReplyKind.ANSWER,
        intent=document.topic.value,
        language=language,
        citations=document.sources,
        confidence=1.0,
        buttons=tuple(others[:4]),
        passage=passage.id,
    )


def ask_which(question: Question, evidence: Evidence) -> Reply:
    """Ask what the person means, offering the nearest subjects."""
    _ = translator(question.language)
    text = _("I am not sure what you mean. Tap the nearest subject, or ask again with the platform and your country.")
    return Reply(
        RichText.plain(text),
        ReplyKind.ASK_BACK,
        "unclear",
        question.language,
        confidence=evidence.confidence,
        buttons=tuple(related(evidence.hits, 4, question.language)),
    )


def decline(question: Question, evidence: Evidence, facts: Facts, intent: str) -> Reply:
    """Say that the answer is not known, show the nearest subjects and who can help in the person's country."""
    _ = translator(question.language)
    lead = _("I have no sure answer to this, and I do not want to guess.")
    country = next(iter(question.entities.countries), None)
    blocks = [RichText.plain(lead), institutions(facts, country, question.language)]
    buttons = related(evidence.hits, 2, question.language)
    if not country:
        buttons.append(Button(_("Set my country"), "p:country"))
    if buttons:
        blocks.append(RichText.plain(_("The nearest subjects I know about:")))
    return Reply(
        join(blocks),
        ReplyKind.DECLINE,
        intent,
        question.language,
        confidence=evidence.confidence,
        buttons=tuple(buttons),
    )


def institutions(facts: Facts, iso: str | None, language: str) -> RichText:
    """Who helps exporters in a country (ISO 3166 alpha-2), else everywhere; unchecked addresses say so."""
    _ = translator(language)
    country = facts.country(iso)
    if country is None:
        found: tuple[Institution, ...] = facts.everywhere
        lead = _("A trade-support agency can help. This directory finds yours:")
    else:
        found = (
            tuple(i for i in country.institutions if i.kind in ("export-promotion", "sme-agency"))
            or country.institutions
        )
        lead = _("In {country} you can ask:").format(country=country_name(country.iso, language))
    lines = [RichText.plain(lead)]
    for body in found[:MOST_INSTITUTIONS]:
        name = RichText.link(body.name, body.url) if body.url else RichText.bold(body.name)
        line = RichText.plain("• ") + name
        if country is not None:
            line = line + RichText.plain(f" ({guidance(language)(body.what_for)})")
        lines.append(line)
    if any(body.confidence in (Confidence.UNVERIFIED, Confidence.LOW) for body in found[:MOST_INSTITUTIONS]):
        lines.append(RichText.italic(_("We have not checked these addresses lately.")))
    return join(lines, "\n")


def _read(document: Document, passage: Passage, language: str, machine: MachineTranslator | None) -> Shown:
    reading = shown(document, passage, language)
    if machine is None or reading.language == language:
        return reading
    text = machine.translate(reading.wording.text, language)
    if text is None:
        return reading
    wording = Wording(path=headings(document, passage, language), text=text)
    return Shown(wording, language, machine_from=reading.language)


def _about_the_language(document: Document, passage: Passage, reading: Shown, language: str) -> list[RichText]:
    """What somebody has to know who reads `passage` in another language than theirs, or in an older translation.

    Who cannot read the language gets the gist: the headings in theirs, and the figures that stand in it.
    """
    _ = translator(language)
    if reading.is_stale:
        return [RichText.italic(_("The original has changed since this was translated: check the source."))]
    if reading.machine_from:
        written = language_named(reading.machine_from, language)
        text = _("Translated by a machine, it may contain errors; the original is in: {language}.")
        return [RichText.italic(text.format(language=written))]
    if reading.language == language:
        return []
    only = _("I have this only in: {language}.").format(language=language_named(reading.language, language))
    lines = [RichText.italic(only)]
    gist = " > ".join(headings(document, passage, language))
    lines.append(RichText.plain(_("It is about:") + " ") + RichText.bold(gist))
    figures = figures_in(reading.wording.text, language)
    if figures:
        lines.append(RichText.plain(_("Figures in it:") + " " + ", ".join(figures)))
    return [join(lines, "\n")]


def _titled(passage: Passage, wording: Wording) -> RichText:
    # A section of a guide needs its heading; a card's first line is the answer, unless it leans on the question.
    leans = passage.text.split(maxsplit=1)[0].strip(",.;:").casefold() in LEANING
    if len(wording.path) == 1 and not leans:
        return RichText()
    return RichText.bold(wording.path[-1]) + RichText.plain("\n")


def _shorten(body: RichText, room: int) -> tuple[RichText, bool]:
    if len(body) <= room:
        return body, False
    part = body.split(max(room - 2, 200))[0]
    return part.cut(0, len(part.text.rstrip())) + RichText.plain(" …"), True


def _sources(document: Document, sources: tuple[Source, ...], language: str, today: date) -> list[RichText]:
    _ = translator(language)
    lines = [_source_line(source, language, _) for source in sources]
    leading = document.sources[0]
    if leading.as_of == "unknown":
        lines.append(RichText.plain(_("That page shows no date: check it before you act.")))
    elif leading.as_of.is_stale(today):
        lines.append(RichText.plain(_("That is more than a year old: check the page before you act.")))
    if leading.confidence in (Confidence.LOW, Confidence.UNVERIFIED):
        lines.append(RichText.plain(_("We could not confirm this source: treat it with care.")))
    return lines


def _source_line(source: Source, language: str, _: Translate) -> RichText:
    checked = as_of_text(source.as_of, language)
    date_part = _("checked {date}").format(date=checked) if checked else _("date not shown")
    name = RichText.link(source.title, source.url)
    publisher = f", {source.publisher}" if source.publisher.casefold() not in source.title.casefold() else ""
    return RichText.plain(_("Source:") + " ") + name + RichText.plain(f"{publisher}, {date_part}")


def more_action(passage: Passage) -> str:
    """The action that opens `passage` of its document in full."""
    return f"m:{passage.document}:{passage.number}"
