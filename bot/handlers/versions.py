"""How a version of a document is written down for those who look after it."""

from __future__ import annotations

from bot.advice.richtext import RichText
from bot.translation import as_of_text, country_name, language_named, mark, translator
from ingest.catalogue import State, Version
from knowledge.models import Topic

NAME_SHOWN = 60

TOPICS = {
    Topic.CHOOSING: mark("choosing a platform"),
    Topic.ELIGIBILITY: mark("who may sell"),
    Topic.FEES: mark("fees"),
    Topic.GETTING_PAID: mark("getting paid"),
    Topic.DISPUTES: mark("disputes"),
    Topic.ALTERNATIVES: mark("other ways to sell"),
    Topic.SOCIAL_SELLING: mark("selling in social networks"),
    Topic.OWN_SHOP: mark("a shop of one's own"),
    Topic.SHIPPING: mark("shipping"),
    Topic.CUSTOMS_TAX: mark("customs and taxes"),
    Topic.COMPETITION: mark("competition"),
    Topic.DATA_AI: mark("data and AI"),
    Topic.FAIR_RULES: mark("fair rules of platforms"),
    Topic.EWTP: mark("world e-trade platform"),
    Topic.SUPPORT: mark("support programmes"),
    Topic.SELLING_WELL: mark("selling well"),
}

STATES = {
    State.DRAFT: mark("draft"),
    State.PUBLISHED: mark("published"),
    State.REPLACED: mark("replaced by a newer version"),
    State.WITHDRAWN: mark("withdrawn"),
    State.EXPIRED: mark("expired"),
    State.DISCARDED: mark("discarded"),
}


def described(version: Version, language: str, passages: int | None = None) -> RichText:
    """The details of a version, line by line, in `language`."""
    _ = translator(language)
    document = version.document
    source = document.sources[0]
    countries = ", ".join(country_name(code, language) for code in document.countries) or _("all countries")
    size = _("{pages} pages").format(pages=version.pages)
    if passages is not None:
        size += ", " + _("{passages} passages").format(passages=passages)
    lines = (
        _("Version {number}, {state}").format(number=version.number, state=_(STATES[version.state])),
        size,
        _("Language: {language}").format(language=language_named(document.language, language)),
        _("Subjects: {subjects}").format(subjects=", ".join(_(TOPICS[topic]) for topic in document.topics)),
        _("For sellers in: {countries}").format(countries=countries),
        _("Source: {url}").format(url=source.url),
        _("Date: {date}").format(date=as_of_text(source.as_of, language) or _("date not shown")),
        _("Valid until: {date}").format(date=document.expires or _("no end set")),
    )
    return RichText.bold(document.title) + RichText.plain("\n" + "\n".join(lines))


def short(name: str) -> str:
    """A file's name or an address, short enough for a line."""
    return name if len(name) <= NAME_SHOWN else name[: NAME_SHOWN - 1] + "…"
