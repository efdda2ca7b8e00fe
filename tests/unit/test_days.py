"""Days as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.advice.guided.case import Ask, Takes
from bot.advice.guided.days import long_day, morning_of, read_day, today_in, zones
from bot.advice.guided.guides import Fault, Guides
from knowledge.facts import load_facts
from knowledge.gazetteer import Gazetteer

TODAY = date(2026, 11, 22)  # a Sunday
FACTS = load_facts()
GUIDES = Guides(FACTS, Gazetteer(FACTS))


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("today", "en", TODAY),
        ("Yesterday.", "en", date(2026, 11, 21)),
        ("3 days ago", "en", date(2026, 11, 19)),
        ("a week ago", "en", date(2026, 11, 15)),
        ("friday", "en", date(2026, 11, 20)),
        ("12 nov", "en", date(2026, 11, 12)),
        ("12th of november", "en", date(2026, 11, 12)),
        ("the parcel came on 12 nov", "en", date(2026, 11, 12)),
        ("12/11", "en", date(2026, 11, 12)),
        ("3.11", "fr", date(2026, 11, 3)),
        ("12/11/2026", "en", date(2026, 11, 12)),
        ("12.11.26", "en", date(2026, 11, 12)),
        ("2026-11-12", "en", date(2026, 11, 12)),
        ("25 december", "en", date(2025, 12, 25)),
        ("5", "en", date(2026, 11, 5)),
        ("il y a 3 jours", "fr", date(2026, 11, 19)),
        ("avant-hier", "fr", date(2026, 11, 20)),
        ("le 3 novembre", "fr", date(2026, 11, 3)),
        ("hace 3 días", "es", date(2026, 11, 19)),
        ("el 3 de noviembre", "es", date(2026, 11, 3)),
        ("antes de ayer", "es", date(2026, 11, 20)),
        ("ontem", "pt", date(2026, 11, 21)),
        ("há uma semana", "pt", date(2026, 11, 15)),
        ("١٢ نوفمبر", "ar", date(2026, 11, 12)),
        ("قبل 3 أيام", "ar", date(2026, 11, 19)),
        ("امبارح", "ar", date(2026, 11, 21)),
        ("juzi", "sw", date(2026, 11, 20)),
        ("siku 3 zilizopita", "sw", date(2026, 11, 19)),
        ("tarehe 3 Novemba", "sw", date(2026, 11, 3)),
    ],
)
def test_days_that_are_past(text: str, language: str, day: date) -> None:
    assert read_day(text, language, TODAY) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [("tomorrow", date(2026, 11, 23)), ("3 dec", date(2026, 12, 3)), ("friday", date(2026, 11, 27)),
     ("11/01/27", date(2027, 1, 11)), ("2026-12-24", date(2026, 12, 24))],
)  # fmt: skip
def test_days_to_come(text: str, day: date) -> None:
    assert read_day(text, "en", TODAY, coming=True) == day


@pytest.mark.parametrize(
    "text",
    ["", "no", "may", "40 usd", "order 4567", "31/02/2026", "is etsy open in kenya", "when?", "1234567", "etsy",
     "I sell baskets", "\u200f", "\x00", "12 nov?", "x" * 200],
)  # fmt: skip
def test_what_is_no_day(text: str) -> None:
    assert read_day(text, "en", TODAY) is None


@settings(deadline=None)  # the library reads its tables at the first use of a language
@given(st.text(max_size=70), st.sampled_from(["en", "fr", "ar", "sw"]))
def test_no_text_breaks_it(text: str, language: str) -> None:
    assert read_day(text, language, TODAY) is None or isinstance(read_day(text, language, TODAY), date)


@settings(deadline=None)
@given(st.dates(min_value=date(2025, 1, 1), max_value=TODAY))
def test_a_full_date_is_read_back(day: date) -> None:
    for written in (f"{day.day}/{day.month}/{day.year}", day.isoformat(), f"{day.day}.{day.month}.{day.year}"):
        assert read_day(written, "en", TODAY) == day


def test_a_day_that_cannot_be_is_named() -> None:
    since, until = Ask("since", "", [], Takes.DAY), Ask("until", "", [], Takes.COMING_DAY)
    future = GUIDES.read(since, "12/12/2026", "en", TODAY)
    assert isinstance(future, Fault)
    assert "Saturday, December 12, 2026 is still to come" in future.text
    assert isinstance(GUIDES.read(since, "1/1/2019", "en", TODAY), Fault)
    assert isinstance(GUIDES.read(until, "1/1/2035", "en", TODAY), Fault)
    assert GUIDES.read(since, "12/11/2026", "en", TODAY) == "2026-11-12"
    assert GUIDES.read(until, "20/11/2026", "en", TODAY) == "2026-11-20"  # gone, and that is said later


def test_clocks() -> None:
    assert zones("KE") == ("Africa/Nairobi",)
    assert "America/Sao_Paulo" in zones("BR")
    assert len(zones("ID")) == 3
    assert zones(None) == ()
    assert morning_of(date(2026, 11, 24), "Africa/Nairobi") == datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    assert today_in("Pacific/Auckland", datetime(2026, 11, 22, 12, 0, tzinfo=UTC)) == date(2026, 11, 23)
    assert long_day(TODAY, "sw") == "Jumapili, 22 Novemba 2026"
