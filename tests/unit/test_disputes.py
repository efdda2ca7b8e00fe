"""Decision guides: every way through each of them ends in advice, and deadlines are counted right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
import yaml
from pydantic import ValidationError

from bot.advice.guided.case import Ask, Case, CaseKind, Takes
from bot.advice.guided.disputes import BLANKS, OTHER, Disputes
from bot.advice.guided.guides import Guides
from bot.advice.guided.standing import UNKNOWN, procedure_of, standing_of
from bot.advice.language import detect
from bot.advice.understand import Profile
from bot.handlers.guided import CALLBACKS
from knowledge.disputes import Deadline, Situation
from knowledge.documents import load_documents
from knowledge.facts import load_facts
from knowledge.gazetteer import Gazetteer
from knowledge.models import LANGUAGES
from knowledge.settings import ROOT

FACTS = load_facts()
DISPUTES = Disputes(FACTS)
GUIDES = Guides(FACTS, Gazetteer(FACTS))
TODAY = date(2026, 11, 22)  # a Sunday
KENYAN = Profile("en", "KE", "baskets", "US")
REPORTS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "tests/fixtures/reports").glob("*.yaml"))
}
SITUATIONS = (
    "not-received", "not-as-described", "return-abuse", "chargeback", "payment-held", "listing-removed", "suspended",
    "ip-complaint", "buyer-fraud", "supplier-fraud", "wrong-fee", "changed-terms",
)  # fmt: skip


def ways(situation: Situation) -> Iterator[Case]:
    """A case for every service and every way through the questions, up to the date."""
    for service in [*(each.service for each in situation.procedures), OTHER]:
        for path in situation.paths():
            answers = (("situation", situation.id), ("service", service), *((f"?{q}", o) for q, o in path))
            yield Case(1, CaseKind.DISPUTE, answers)


def test_all_situations_are_there_for_many_services() -> None:
    assert {each.id for each in FACTS.disputes} == set(SITUATIONS)
    services = {procedure.service for situation in FACTS.disputes for procedure in situation.procedures}
    assert len(services) >= 15


@pytest.mark.parametrize(
    ("situation", "paid_with", "procedure"),
    [
        ("supplier-fraud", "bank-wire", "bank-transfer"),
        ("supplier-fraud", "papss", "bank-transfer"),
        ("buyer-fraud", "mtn-momo", "cash"),
        ("buyer-fraud", "paypal", "paypal"),
    ],
)
def test_a_way_of_paying_without_a_procedure_of_its_own_has_that_of_its_kind(
    situation: str, paid_with: str, procedure: str
) -> None:
    guide = FACTS.situation(situation)
    assert guide
    assert FACTS.provider(paid_with)
    found = procedure_of(FACTS, guide, paid_with)
    assert found
    assert found.service == procedure


@pytest.mark.parametrize("id", SITUATIONS)
def test_every_way_through_a_guide_ends_in_advice_with_a_source_and_its_deadline(id: str) -> None:
    situation = FACTS.situation(id)
    assert situation is not None
    walked = 0
    for way in ways(situation):
        ask, case = DISPUTES.ask(way, KENYAN, "en", TODAY), way
        if ask is not None:
            assert ask.id in ("since", "until")
            assert ask.takes is (Takes.DAY if ask.id == "since" else Takes.COMING_DAY)
            day = (TODAY - timedelta(days=1)) if ask.id == "since" else TODAY + timedelta(days=4)
            case = replace(case, answers=case.answered(ask.id, day.isoformat()))
        assert DISPUTES.ask(case, KENYAN, "en", TODAY) is None
        standing = standing_of(FACTS, case)
        assert standing is not None
        assert (standing.end is not None) == (standing.outcome.deadline is not None)
        if standing.rule:
            assert standing.end == standing.rule.end(TODAY - timedelta(days=1))
        page = DISPUTES.page(case, "now", (), KENYAN, "en", TODAY)
        assert page is not None
        assert page.citations
        assert "1. " in page.text.text
        for name in ("steps", "list", "letter", "next"):
            reply = DISPUTES.page(case, name, (), KENYAN, "en", TODAY)
            assert reply is not None
            assert reply.text
            assert reply.buttons[-1].action == "c:1:now"
            assert all(len(button.action.encode()) <= 64 and button.label for button in reply.buttons)
            assert all(re.fullmatch(CALLBACKS, button.action) for button in reply.buttons)
            assert len(reply.text) <= 4096
        paper = DISPUTES.paper(case, KENYAN, "en", TODAY)
        assert paper is not None
        walked += 1
    assert walked == (len(situation.procedures) + 1) * len(list(situation.paths()))


@pytest.mark.parametrize("id", SITUATIONS)
def test_a_guide_names_documents_and_helpers_that_are_there(id: str) -> None:
    situation = FACTS.situation(id)
    assert situation is not None
    documents, problems = load_documents(ROOT / "knowledge" / "documents", FACTS)
    assert not problems
    assert set(situation.documents) <= {document.id for document in documents}
    for letter in situation.letters:
        assert set(re.findall(r"{(\w+)}", letter.body)) <= set(BLANKS)
    for body in map(FACTS.recourse.body, situation.recourse):
        assert body is not None
        page = DISPUTES.page(next(iter(done(situation))), "body", (body.id,), KENYAN, "en", TODAY)
        assert page is not None
        assert page.citations


def done(situation: Situation) -> Iterator[Case]:
    for case in ways(situation):
        ask = DISPUTES.ask(case, KENYAN, "en", TODAY)
        yield replace(case, answers=case.answered(ask.id, UNKNOWN)) if ask else case


@pytest.mark.parametrize(
    ("length", "unit", "start", "end"),
    [
        (3, "business-days", date(2026, 11, 19), date(2026, 11, 24)),  # Thursday: Friday, Monday, Tuesday
        (3, "business-days", date(2026, 11, 21), date(2026, 11, 25)),  # Saturday: Monday to Wednesday
        (1, "business-days", date(2026, 11, 20), date(2026, 11, 23)),
        (10, "days", date(2026, 12, 25), date(2027, 1, 4)),
        (30, "days", date(2028, 2, 1), date(2028, 3, 2)),  # a leap year
        (48, "hours", date(2026, 11, 22), date(2026, 11, 23)),  # from nine in the morning it ends at nine on the 24th
        (24, "hours", date(2026, 11, 22), date(2026, 11, 22)),
        (72, "hours", date(2026, 11, 22), date(2026, 11, 24)),
        (10, "hours", date(2026, 11, 22), date(2026, 11, 22)),
    ],
)
def test_deadlines_are_counted_from_the_day_after(length: int, unit: str, start: date, end: date) -> None:
    assert Deadline(term="respond", length=length, unit=unit, since="opened").end(start) == end


def ebay_case(**answers: str) -> Case:
    path = {"?tracking": "delivered", "?address": "yes", "?case": "open"}
    given = {"situation": "not-received", "service": "ebay", **path, **answers}
    return Case(1, CaseKind.DISPUTE, tuple(given.items()))


def test_three_business_days_at_ebay() -> None:
    page = DISPUTES.page(ebay_case(since="2026-11-19"), "now", (), KENYAN, "en", TODAY)
    assert page is not None
    assert "By Tuesday, November 24, 2026" in page.text.text
    assert "Time left: 2 days." in page.text.text
    assert "3 days (Monday to Friday only) from the day the case was opened." in page.text.text


def test_a_deadline_that_is_gone_says_so_and_what_is_still_possible() -> None:
    page = DISPUTES.page(ebay_case(since="2026-11-02"), "now", (), KENYAN, "en", TODAY)
    assert page is not None
    assert "The time ended on Thursday, November 5, 2026." in page.text.text
    assert "Still possible:" in page.text.text
    assert not any(button.action.endswith(":remind") for button in page.buttons)


def test_a_day_that_is_not_known_gives_the_rule_and_no_date() -> None:
    page = DISPUTES.page(ebay_case(since=UNKNOWN), "now", (), KENYAN, "en", TODAY)
    assert page is not None
    assert "act today" in page.text.text
    assert "3 days (Monday to Friday only)" in page.text.text


def test_a_service_without_a_procedure_gets_the_general_guide_and_the_date_of_the_notice() -> None:
    case = replace(ebay_case(), answers=ebay_case(service="ozon").answers)
    ask = DISPUTES.ask(case, KENYAN, "en", TODAY)
    assert ask is not None
    assert ask.id == "until"
    case = replace(case, answers=case.answered("until", "2026-11-30"))
    page = DISPUTES.page(case, "now", (), KENYAN, "en", TODAY)
    assert page is not None
    assert "no checked procedure of Ozon" in page.text.text
    assert "By Monday, November 30, 2026" in page.text.text


def test_letters_are_filled_and_gaps_are_named() -> None:
    case = replace(ebay_case(since="2026-11-19"), blanks={"order": "7-123 <b>", "shop": "Kiondo House"})
    page = DISPUTES.page(case, "letter", (), KENYAN, "en", TODAY)
    assert page is not None
    assert "7-123 <b>" in page.text.text
    assert "Kiondo House" in page.text.text
    assert "[Tracking number]" in page.text.text
    assert any(entity.kind == "pre" for entity in page.text.entities)


def test_help_of_other_countries_is_not_offered() -> None:
    case = ebay_case(since="2026-11-19")
    situation = FACTS.situation("not-received")
    assert situation is not None
    for country in ("KE", "IN", "BR"):
        page = DISPUTES.page(case, "next", (), Profile("en", country), "en", TODAY)
        assert page is not None
        shown = [button.action.rsplit(":", 1)[1] for button in page.buttons if ":body:" in button.action]
        bodies = [FACTS.recourse.body(id) for id in shown]
        assert bodies
        assert all(body and ("*" in body.sellers or country in body.sellers) for body in bodies)


@pytest.mark.parametrize("id", SITUATIONS)
def test_reports_are_recognised_in_every_language(id: str) -> None:
    missed = [
        (language, text)
        for language, texts in REPORTS[id].items()
        for text in texts
        if (GUIDES.reported(text, "en" if language == "not" else language) == id) == (language == "not")
    ]
    assert not missed
    assert set(REPORTS[id]) == {*LANGUAGES, "not"}


@pytest.mark.parametrize(
    "text",
    [
        "how much does etsy take from a sale?",
        "what is a chargeback?",
        "can i sell on amazon from kenya",
        "comment éviter les rétrofacturations ?",
        "cuánto tiempo retiene paypal el dinero",
        "paypal dont work for receiving in ghana. how can customer abroad pay me",
        "asante sana",
        "",
    ],
)
def test_general_questions_begin_no_guide(text: str) -> None:
    assert GUIDES.reported(text, detect(text).language) is None


def changed(**changes: object) -> dict[str, object]:
    situation = FACTS.situation("not-received")
    assert situation is not None
    return {**situation.model_dump(mode="json"), **changes}


def test_a_guide_with_a_dead_end_is_refused() -> None:
    data = changed()
    data["questions"][0]["options"][0]["goes_to"] = "nowhere"  # type: ignore[index]
    with pytest.raises(ValidationError, match="'nowhere' does not follow"):
        Situation.model_validate(data)


def test_a_guide_that_leads_in_a_circle_is_refused() -> None:
    data = changed()
    first = data["questions"][0]["id"]  # type: ignore[index]
    data["questions"][1]["options"][0]["goes_to"] = first  # type: ignore[index]
    with pytest.raises(ValidationError, match="does not follow"):
        Situation.model_validate(data)


def test_a_guide_with_an_outcome_that_nothing_leads_to_is_refused() -> None:
    data = changed()
    data["outcomes"].append({**data["outcomes"][0], "id": "lonely"})  # type: ignore[attr-defined, index]
    with pytest.raises(ValidationError, match="no answer leads there"):
        Situation.model_validate(data)


def test_a_letter_with_an_unknown_blank_is_refused() -> None:
    data = changed()
    data["letters"][0]["body"] += "{secret}"  # type: ignore[index]
    with pytest.raises(ValidationError, match="'secret' is no blank"):
        Situation.model_validate(data)


def test_a_procedure_without_its_source_is_refused() -> None:
    data = changed()
    data["procedures"][0]["source"] = "unheard-of"  # type: ignore[index]
    with pytest.raises(ValidationError, match="unheard-of"):
        Situation.model_validate(data)


READ = [
    ("situation", "my account was suspended", "suspended"),
    ("situation", "2", FACTS.disputes[1].id),
    ("service", "ebay", "ebay"),
    ("service", "pay pal", "paypal"),
    ("service", "zorbamart", OTHER),
    ("service", "how long does ebay take to decide", None),
    ("service", "is it free?", None),
]


@pytest.mark.parametrize(("at", "text", "value"), READ)
def test_typed_answers(at: str, text: str, value: str | None) -> None:
    answers = () if at == "situation" else (("situation", "not-received"),)
    ask = DISPUTES.ask(Case(1, CaseKind.DISPUTE, answers), KENYAN, "en", TODAY)
    assert isinstance(ask, Ask)
    assert ask.id == at
    assert GUIDES.read(ask, text, "en", TODAY) == value
