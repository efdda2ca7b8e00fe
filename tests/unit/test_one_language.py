"""No reply mixes languages: all that is said to a reader stands in theirs, but for names and citations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
from babel.messages.pofile import read_po

from bot.advice import compose, smalltalk
from bot.advice.figures.desk import Desk
from bot.advice.guided.case import Case, CaseKind
from bot.advice.guided.disputes import OTHER
from bot.advice.guided.guides import Guides
from bot.advice.reply import Reply
from bot.advice.richtext import RichText
from bot.advice.understand import Profile, Question
from bot.knowledge_texts import texts
from bot.translation import LOCALES, country_name, guidance
from knowledge.facts import load_facts
from knowledge.gazetteer import Gazetteer
from knowledge.models import LANGUAGES
from knowledge.normalise import fold, words

FACTS = load_facts()
GAZETTEER = Gazetteer(FACTS)
TODAY = date(2026, 11, 22)
DESK = Desk(FACTS, GAZETTEER, tuple, lambda: TODAY)
GUIDES = Guides(FACTS, GAZETTEER)
OTHERS = [language for language in LANGUAGES if language != "en"]
SELLERS = (Profile(country="KE", product="baskets", market="US"), Profile(country="VN", market="EU"), Profile())
IN_A_ROW = 3
"""So many English words in a row are no name."""


@cache
def english(language: str) -> frozenset[tuple[str, ...]]:
    """Rows of words that stand in the English texts and in no translation into `language`."""
    own: set[tuple[str, ...]] = set()
    source: set[tuple[str, ...]] = {row for text in texts(FACTS) for row in rows(text)}
    for domain in ("messages", "guidance", "titles"):
        with (LOCALES / language / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
            for message in read_po(file):
                ids, strings = (x if isinstance(x, tuple) else (x,) for x in (message.id, message.string))
                source |= {row for text in ids for row in rows(text)}
                own |= {row for text in strings for row in rows(text)}
    return frozenset(source - own)


def rows(text: str) -> Iterator[tuple[str, ...]]:
    for sentence in re.split(r"[.:;!?\n()…|]|\{\w+\}", text):
        said = [word for word in words(fold(sentence)) if word.isascii() and word.isalpha()]
        yield from (tuple(said[at : at + IN_A_ROW]) for at in range(len(said) - IN_A_ROW + 1))


def said(text: RichText) -> str:
    """What `text` says besides links, which are citations."""
    units = text.text.encode("utf-16-le")
    for entity in text.entities:
        if entity.kind == "text_link":
            at, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
            units = units[:at] + " ".encode("utf-16-le") * entity.length + units[end:]
    return units.decode("utf-16-le")


NAMES = sorted(
    {
        *(fee.name for platform in FACTS.platforms for store in platform.stores for fee in store.fees),
        *(fee.name for provider in FACTS.payments for fee in provider.fees),
        *(thing.name for thing in (*FACTS.platforms, *FACTS.payments)),
        *(store.name for platform in FACTS.platforms for store in platform.stores),
        *(plan.name for platform in FACTS.platforms for store in platform.stores for plan in store.plans),
        *(body.name for country in FACTS.countries for body in country.institutions),
        *(body.name for body in FACTS.everywhere),
    },
    key=len,
    reverse=True,
)
"""Names as sites and offices show them; those of fees stand in brackets behind what they are in the reader's words."""


def fragments(reply: Reply, language: str) -> list[str]:
    shown = "\n".join((said(reply.text), *(button.label for button in reply.buttons)))
    countries = sorted((country_name(each.iso, language) for each in FACTS.countries), key=len, reverse=True)
    for name in (*NAMES, *countries):
        shown = shown.replace(name, "|")
    return [" ".join(row) for row in rows(shown) if row in english(language)]


def figure_replies(language: str) -> Iterator[Reply]:
    codes = ["q:k", "q:c::40USD::MA:US:clothing", "q:c::40USD::KE", "q:k:amazon::::::::a", "q:k:amazon:40USD:::::::g1"]
    for platform in FACTS.platforms:
        codes += [f"q:{wish}:{platform.id}:::{iso}" for wish in "rep" for iso in ("KE", "VN", "")]
        codes += [f"q:k:{store.id}:40USD:5:IN:US:clothing::20" for store in platform.stores]
    codes += [f"q:p:${provider.id}:100USD::{iso}" for provider in FACTS.payments for iso in ("IN", "NG")]
    codes += [f"q:p::::{country.iso}" for country in FACTS.countries]
    for code in codes:
        reply = DESK.press(code, Profile(), language)
        if reply is not None:
            yield reply


def dispute_replies(language: str) -> Iterator[Reply]:
    disputes = GUIDES.disputes
    for situation in FACTS.disputes:
        for service in [*(each.service for each in situation.procedures), OTHER]:
            yield disputes.opening(situation, None if service == OTHER else service, language, TODAY)
            for path in (*situation.paths(),)[: None if service == situation.procedures[0].service else 1]:
                answers = (("situation", situation.id), ("service", service), *((f"?{q}", o) for q, o in path))
                case = Case(1, CaseKind.DISPUTE, answers)
                ask = disputes.ask(case, SELLERS[0], language, TODAY)
                if ask is not None:
                    yield GUIDES.question(case, ask, language)
                    day = TODAY + timedelta(days=-1 if ask.id == "since" else 4)
                    case = replace(case, answers=case.answered(ask.id, day.isoformat()))
                for page in ("now", "steps", "list", "next"):  # the letters are English on purpose, for who reads them
                    reply = disputes.page(case, page, (), SELLERS[0], language, TODAY)
                    assert reply
                    yield reply
        for id in situation.recourse:
            reply = disputes.page(case, "body", (id,), SELLERS[0], language, TODAY)
            assert reply
            yield reply


def choice_replies(language: str) -> Iterator[Reply]:
    for profile in SELLERS:
        case = Case(1, CaseKind.CHOICE, GUIDES.choices.known(profile))
        while (ask := GUIDES.ask(case, profile, language, TODAY)) is not None:
            yield GUIDES.question(case, ask, language)
            value = ask.choices[0][1] if ask.choices else "baskets"
            case = replace(case, answers=case.answered(ask.id, value))
        for platform in ("etsy", "amazon", "ebay", "alibaba"):
            planned = replace(case, answers=case.answered("plan", platform))
            for page, arguments in (("top", ()), ("one", (platform,)), ("why", ()), ("plan", ()), ("whole", ())):
                reply = GUIDES.page(planned, page, arguments, profile, language, TODAY)
                if reply is not None:
                    yield reply


def other_replies(language: str) -> Iterator[Reply]:
    question = Question("?", "?", language)
    for intent in (*smalltalk.ANSWERS, *smalltalk.DECLINES, *smalltalk.ASKS):
        if intent != "unsupported-language":  # which is said in English, too
            yield smalltalk.reply(intent, question)
    for country in (*FACTS.countries, None):
        text = compose.institutions(FACTS, country.iso if country else None, language)
        yield replace(smalltalk.reply("human", question), text=text)
    for profile in SELLERS:
        yield GUIDES.alternatives.list(profile, language)
        for route in FACTS.routes.routes:
            reply = GUIDES.alternatives.show(route.id, profile, language, TODAY)
            assert reply
            yield reply


@pytest.mark.parametrize("replies", [figure_replies, dispute_replies, choice_replies, other_replies])
@pytest.mark.parametrize("language", OTHERS)
def test_no_english_in_a_reply_in_another_language(language: str, replies: object) -> None:
    assert callable(replies)
    found: dict[str, str] = {}
    count = 0
    for reply in replies(language):
        count += 1
        for fragment in fragments(reply, language):
            found.setdefault(fragment, reply.text.text[:200])
    assert count > 20
    assert not found


def test_the_measure_sees_english() -> None:
    """That it would fail: the same replies in English, taken for French ones."""
    assert any(fragments(replace(reply, language="fr"), "fr") for reply in other_replies("en"))
    assert guidance("fr")(FACTS.disputes[0].title) != FACTS.disputes[0].title
