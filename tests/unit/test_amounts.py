"""Sums of money as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.advice.amounts import Mention, mentions
from knowledge.facts import load_facts

FX = load_facts().fx


def read(text: str, home: str | None = None, language: str = "en") -> list[Mention]:
    return mentions(text, FX, home, language)


@pytest.mark.parametrize(
    ("text", "home", "language", "amount", "currencies"),
    [
        ("I sell a 40 dollar scarf on Etsy", None, "en", "40", ("USD",)),
        ("1.000,50 €", None, "fr", "1000.50", ("EUR",)),
        ("1 000,50 €", None, "fr", "1000.50", ("EUR",)),
        ("un bracelet 25€50", None, "fr", "25.50", ("EUR",)),
        ("40k naira", "NGN", "en", "40000", ("NGN",)),
        ("KSh 5,000/= basket", "KES", "en", "5000", ("KES",)),
        ("٤٠ دولار", None, "ar", "40", ("USD",)),
        ("بـ 18 باوند، قديش بضل", None, "ar", "18", ("GBP",)),
        ("٦٥ ريال", "SAR", "ar", "65", ("SAR",)),
        ("2 lakh rupees", "INR", "en", "200000", ("INR",)),
        ("Rs.2500 saree", "INR", "en", "2500", ("INR",)),
        ("dola 40 kwa kikapu", None, "sw", "40", ("USD",)),
        ("shilingi 50,000", "TZS", "sw", "50000", ("TZS",)),
        ("40 mil pesos", "COP", "es", "40000", ("COP",)),
        ("pulsera 24 dlls", "MXN", "es", "24", ("USD",)),
        ("cincuenta dólares", None, "es", "50", ("USD",)),
        ("R$ 120,50", "BRL", "pt", "120.50", ("BRL",)),
        ("1.000,50 €. Vivo na Praia", "CVE", "pt", "1000.50", ("EUR",)),
        ("15000 FCFA", "XAF", "fr", "15000", ("XAF",)),
        ("15000 francs CFA sur Jumia", None, "fr", "15000", ("XAF", "XOF")),
        ("15000 francs CFA", "XOF", "fr", "15000", ("XOF",)),
        ("P650", "PHP", "en", "650", ("PHP",)),
        ("R400", None, "en", "400", ("ZAR",)),
    ],
)
def test_one_sum(text: str, home: str | None, language: str, amount: str, currencies: tuple[str, ...]) -> None:
    found = read(text, home, language)
    assert [(str(mention.amount), mention.currencies) for mention in found] == [(amount, currencies)]


@pytest.mark.parametrize(
    ("text", "home"),
    [("200 pesos", None), ("$400", "MXN"), ("15000 francs", None), ("50 pounds", "EGP"), ("90 dinars", None)],
)
def test_a_currency_that_several_countries_share_is_not_guessed(text: str, home: str | None) -> None:
    assert len(read(text, home)[0].currencies) > 1


def test_the_sellers_country_decides_what_pesos_are() -> None:
    assert read("200 pesos", "PHP")[0].currencies == ("PHP",)


@pytest.mark.parametrize("text", ["5% commission", "in 2026", "a 3d model", "a lot", "4k video", "the 2nd one"])
def test_what_is_no_sum(text: str) -> None:
    assert not [mention for mention in read(text) if mention.is_priced]


@pytest.mark.parametrize("text", ["sell for -5", "-$5", "$-5", "0 dollars"])
def test_a_sum_that_cannot_be_a_price(text: str) -> None:
    assert read(text)[0].is_negative


def test_price_shipping_and_pieces_are_told_apart() -> None:
    price, shipping, pieces = read("40 dollars plus 5 dollars shipping, 20 a month")
    assert (price.is_shipping, shipping.is_shipping) == (False, True)
    assert (pieces.is_a_month, pieces.currencies) == (True, ())


def test_a_range_has_both_readings() -> None:
    (mention,) = read("40-50 dollars")
    assert (str(mention.amount), [str(other) for other in mention.others]) == ("40", ["50"])


def test_three_decimals_can_be_read_in_two_ways() -> None:
    (mention,) = read("12.500 dinars", "TND")
    assert [str(mention.amount), *map(str, mention.others)] == ["12500", "12.5"]


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    assert all(mention.amount >= 0 for mention in read(text))
