"""What a parcel costs the buyer: the worked examples of the researchers, out of the shipped tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from knowledge.facts import load_facts
from knowledge.landed_cost import UnknownRateError, landed_cost

FACTS = load_facts()


def cost(iso: str, goods: str, currency: str, **more: Any) -> tuple[str, str, str]:
    destination = next(each for each in FACTS.destinations if each.iso == iso)
    numbers = {name: Decimal(value) if isinstance(value, str) else value for name, value in more.items()}
    found = landed_cost(destination, Decimal(goods), currency, FACTS.fx, **numbers)
    return str(found.duty), str(found.tax), str(found.total)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (cost("GB", "45", "GBP", freight="8"), ("0.00", "10.60", "63.60")),
        (cost("EU", "65", "EUR", freight="12", tariff_lines=2, tax_percent="20"), ("6.00", "16.60", "99.60")),
        (cost("US", "50", "USD", duty_percent="16.5"), ("8.25", "0.00", "58.25")),
        (cost("US", "50", "USD", duty_percent="26.5"), ("13.25", "0.00", "63.25")),
        (cost("US", "50", "USD", duty_percent="10"), ("5.00", "0.00", "55.00")),
        (cost("BR", "50", "USD", tax_percent="17"), ("10.00", "12.29", "72.29")),
        (cost("AU", "180", "AUD", freight="20"), ("0.00", "20.00", "220.00")),
        (cost("KR", "160", "USD", freight="20", duty_percent="13"), ("23.40", "20.34", "223.74")),
        (cost("KR", "140", "USD", duty_percent="13"), ("0.00", "0.00", "140.00")),
        (cost("TH", "900", "THB", duty_percent="10"), ("90.00", "69.30", "1059.30")),
    ],
)
def test_worked_examples(found: tuple[str, str, str], expected: tuple[str, str, str]) -> None:
    assert found == expected


def test_a_rate_that_is_missing_is_asked_for() -> None:
    with pytest.raises(UnknownRateError, match="duty"):
        cost("GB", "200", "GBP")
    with pytest.raises(UnknownRateError, match="tax"):
        cost("EU", "65", "EUR")


def test_one_unit_over_the_threshold_and_all_is_taxed() -> None:
    assert cost("KR", "150", "USD", duty_percent="10")[0] == "0.00"
    assert cost("KR", "151", "USD", duty_percent="10")[0] == "15.10"
