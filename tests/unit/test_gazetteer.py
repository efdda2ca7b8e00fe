"""Names in texts: aliases, languages, slips, seller's country against buyer's."""

from __future__ import annotations

import pytest

from knowledge.facts import load_facts
from knowledge.gazetteer import Entities, Gazetteer
from knowledge.normalise import fold, visible, words

GAZETTEER = Gazetteer(load_facts(), frozenset({"while", "sell", "prices", "ship", "wholesale"}))


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("can i sell on Etsy from Kenya to Germany?", "en", Entities(("etsy",), (), ("KE",), ("DE",))),
        ("هل يمكنني البيع على أمازون من مصر إلى السعودية", "ar", Entities(("amazon",), (), ("EG",), ("SA",))),
        ("naomba kujua paypal inafanya kazi Tanzania", "sw", Entities((), ("paypal",), ("TZ",), ())),
        ("quanto cobra o mercado livre para moçambique", "pt", Entities(("mercadolibre",), (), (), ("MZ",))),
        ("how much does esty take from amazn", "en", Entities(("etsy", "amazon"), (), (), ())),
        ("vendre depuis la Côte d’Ivoire vers les États-Unis", "fr", Entities((), (), ("CI",), ("US",))),
        ("shop in nigera", "en", Entities((), (), ("NG",), ())),
        ("fb and insta", "en", Entities(("facebook", "instagram"), (), (), ())),
        ("ship to the UK", "en", Entities((), (), (), ("GB",))),
        ("they told us while prices", "en", Entities()),
    ],
)
def test_names_are_found(text: str, language: str, expected: Entities) -> None:
    assert GAZETTEER.find(text, language) == expected


def test_everyday_words_are_not_names_in_their_language() -> None:
    assert not GAZETTEER.find("comment faire une boutique", "fr")
    assert GAZETTEER.find("sell wholesale on faire", "en").platforms == ("faire",)
    assert GAZETTEER.find("vendre sur Faire", "fr").platforms == ("faire",)
    assert not GAZETTEER.find("meli ya mizigo", "sw")


def test_one_country_as_an_answer() -> None:
    assert GAZETTEER.country("Kenya") == "KE"
    assert GAZETTEER.country("je vis à Dakar, Sénégal") == "SN"
    assert GAZETTEER.country("leather bags") is None
    assert GAZETTEER.markets("Germany or France") == ("DE", "FR")


def test_replaced_names_leave_the_text() -> None:
    assert GAZETTEER.without("fees on Etsy from Kenya", Entities(platforms=("amazon",))) == "fees on from Kenya"
    assert GAZETTEER.without("fees on Etsy from Kenya", Entities(countries=("GH",))) == "fees on Etsy from"


def test_what_is_missing_comes_from_the_turn_before() -> None:
    earlier = Entities(("etsy",), (), ("KE",), ("DE",))
    assert Entities(countries=("GH",)).or_else(earlier) == Entities(("etsy",), (), ("GH",), ("DE",))
    assert Entities(payments=("paypal",)).or_else(earlier).platforms == ()


def test_folding_keeps_indic_vowels_and_unifies_arabic() -> None:
    assert fold("ÉTSY Côte") == "etsy cote"
    assert fold("إيتسي") == fold("ايتسي")
    assert fold("भुगतान") == "भुगतान"
    assert words(fold("M-PESA, d'accord!")) == ["m-pesa", "d'accord"]


def test_invisible_characters_go() -> None:
    assert visible("Et\u200bsy\u202e \x00ok") == "Etsy ok"
