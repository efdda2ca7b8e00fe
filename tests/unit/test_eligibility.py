"""Yes, no or not known: what a list says, and what its silence means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.eligibility import Verdict, Why, eligibility, reach
from knowledge.facts import Reach, load_facts

FACTS = load_facts()
SOURCE: dict[str, Any] = {"source": "page", "as_of": "2026", "confidence": "high"}


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"open_to": ["KE"]}, (Verdict.YES, Why.LISTED)),
        ({"open_to": ["PE"]}, (Verdict.UNKNOWN, Why.NOT_LISTED)),
        ({"open_to": ["PE"], "complete": True}, (Verdict.NO, Why.LIST_IS_WHOLE)),
        ({"open_to": ["*"]}, (Verdict.YES, Why.EVERYWHERE)),
        ({"open_to": ["*"], "closed_to": ["KE"]}, (Verdict.NO, Why.REFUSED)),
        ({"limited_in": ["KE"]}, (Verdict.LIMITED, Why.LIMITED)),
        ({}, (Verdict.UNKNOWN, Why.NO_LIST)),
    ],
)
def test_what_a_list_says_of_kenya(lists: dict[str, Any], expected: tuple[Verdict, Why]) -> None:
    assert reach(Reach.model_validate(SOURCE | lists), "KE") == expected


codes = st.lists(st.sampled_from(["KE", "NG", "PE", "VN"]), unique=True)


@given(open_to=codes, closed_to=codes)
def test_silence_is_never_a_no(open_to: list[str], closed_to: list[str]) -> None:
    lists = {"open_to": [c for c in open_to if c not in closed_to], "closed_to": closed_to}
    assert reach(Reach.model_validate(SOURCE | lists), "MM")[0] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("platform", "country", "verdict", "why"),
    [
        ("etsy", "MA", Verdict.YES, Why.LISTED),
        ("etsy", "KE", Verdict.NO, Why.REFUSED),
        ("etsy", "SN", Verdict.NO, Why.LIST_IS_WHOLE),
        ("amazon", "NG", Verdict.UNKNOWN, Why.NOT_LISTED),
        ("zando", "ZA", Verdict.NO, Why.PLATFORM_CLOSED),
    ],
)
def test_shipped_tables(platform: str, country: str, verdict: Verdict, why: Why) -> None:
    found = FACTS.platform(platform)
    assert found is not None
    answer = eligibility(found, country)
    assert (answer.verdict, answer.why) == (verdict, why)


def test_payouts_are_those_of_the_country() -> None:
    etsy = FACTS.platform("etsy")
    assert etsy is not None
    assert [payout.to for payout in eligibility(etsy, "EG").payouts] == ["payoneer"]


def test_every_verdict_has_a_source() -> None:
    for platform in FACTS.platforms:
        answer = eligibility(platform, "KE")
        assert answer.source or answer.why in (Why.NO_LIST, Why.PLATFORM_CLOSED), platform.id
