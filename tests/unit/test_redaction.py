"""What can name or reach a person goes out of a question; what it asks stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.redaction import LINK, MAIL, MOST_CHARACTERS, NAME, NUMBER, redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("my name is John Mwangi and I sell baskets, how?", "and I sell baskets, how?"),
        ("my name is ali how much does etsy cost", "how much does etsy cost"),
        ("hello I'm Amina, can I sell soap", "hello , can I sell soap"),
        ("write me at john.m+x@gmail.com please", f"write me at {MAIL} please"),
        ("write john at gmail dot com", f"write {MAIL}"),
        ("my order 114-3941689-8772232 is lost", f"my order {NUMBER} is lost"),
        ("tracking RR123456785CN lost", f"tracking {NUMBER} lost"),
        ("iban GB29 NWBK 6016 1331 9268 19 blocked", f"iban {NUMBER} blocked"),
        ("card 4111 1111 1111 1111 refused", f"card {NUMBER} refused"),
        ("account 1234567 closed", f"account {NUMBER} closed"),
        ("see @maria_shop or https://t.me/x?y=1 now", f"see {NAME} or {LINK} now"),
        ("my shop mystore.myshopify.com is down", f"my shop {LINK} is down"),
        ("call +254 712 345 678 or 0712345678", f"call {NUMBER} or {NUMBER}"),
        ("0️⃣7️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣ is me", f"{NUMBER} is me"),
        ("07\u200b12\u200b34\u200b56\u200b78", NUMBER),
        ("Bonjour, je m'appelle Fatou Diop et je vends du karité", "Bonjour, et je vends du karité"),
        ("je vends à 15000 FCFA, numéro 77 123 45 67", f"je vends à 15000 FCFA, numéro {NUMBER}"),
        ("me llamo María José Quispe y vendo chompas", "y vendo chompas"),
        ("mi nombre es ana de puno, ¿cuánto cobra etsy?", "¿cuánto cobra etsy?"),
        ("meu nome é João da Silva, quanto a etsy cobra?", "quanto a etsy cobra?"),
        ("me chamo Rita e vendo café por 50 reais", "e vendo café por 50 reais"),
        ("اسمي فاطمة الزهراء وأبيع الصابون رقمي ٠٧٩٩٨٨٧٧٦٦", f"وأبيع الصابون رقمي {NUMBER}"),
        ("naitwa Juma Hassan natoka Dodoma, nauza kahawa 12000 shilingi", "natoka Dodoma, nauza kahawa 12000 shilingi"),
        ("jina langu ni asha, etsy wanakata kiasi gani", "etsy wanakata kiasi gani"),
    ],
)
def test_what_is_personal_goes(text: str, redacted: str) -> None:
    assert redact(text) == redacted
    assert redact(redacted) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "How much does etsy take on a 40 dollar sale in 2024?",
        "is 500-1000 dollars enough for 2025/2026",
        "prix 1 500 000 FCFA ou 15000FCFA",
        "entre 50 000 et 100 000 FCFA",
        "Ksh 15000, KSh15,000, $12000, €25.000 or R$ 15000,50",
        "price 150,000",
        "كم تأخذ إيتسي من 15000 جنيه",
        "is amazon.co.uk or etsy.com open to Kenya",
        "HS code 420222 for bags",
        "rug 100x200cm, covid-19, b2b-marketplace, 1099-K, W-8BEN",
    ],
)
def test_amounts_years_and_platforms_stay(text: str) -> None:
    assert redact(text) == text


def test_it_is_bounded_at_a_word() -> None:
    text = redact("how do I sell baskets? " * 100)
    assert len(text) <= MOST_CHARACTERS
    assert text.endswith("…")
    assert len(redact("x" * 9000)) <= MOST_CHARACTERS
    assert redact("") == redact(" \u200b ") == ""


PERSONAL = st.one_of(
    st.from_regex(r"[a-z0-9._+-]{1,12}@[a-z0-9-]{1,10}\.[a-z]{2,6}", fullmatch=True),
    st.from_regex(r"\+?[0-9٠-٩]{9,16}", fullmatch=True),
    st.sampled_from(["15000 FCFA", "40 dollars", "@x", "my name is", "[number]", "www.", "https://", "ksh", " "]),
)
PARTS = st.lists(st.one_of(st.text(max_size=20), PERSONAL), max_size=12)


@given(PARTS, st.sampled_from(["", " ", ",", " \u200b", "\n"]))
def test_no_long_number_and_no_address_survives(parts: list[str], between: str) -> None:
    text = redact(between.join(parts))
    assert not re.search(r"\d{9,}", text)
    assert "@" not in text
    assert len(text) <= MOST_CHARACTERS
