"""Figures in the real application: asked in words, by taps, changed, compared, drawn; and what goes wrong."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.advice.adviser import Adviser
from bot.advice.reply import PHONE_SIZE, ReplyKind
from bot.advice.understand import Profile, Turn, Understanding
from bot.ask import answers
from bot.limits import CALLBACK_DATA_BYTES
from ingest.sync import sync
from knowledge.active import ActiveIndex
from knowledge.encoders import Encoder
from knowledge.models import LANGUAGES
from knowledge.settings import ROOT, Settings
from tests.integration.offline import OfflineRequest, Person, buttons

FACTS = ROOT / "knowledge" / "facts"


async def test_a_sale_in_one_go(person: Person) -> None:
    (sent,) = await person.say("I sell a 40 dollar scarf on Etsy from Peru, what do I keep?")
    first, *rest = sent["text"].split("\n")
    assert "34.30" in first
    assert "40.00" in first
    for line in ("6.5% × 40.00", "PEN", "29 Sep 2026", "Not included", "Source:", "seller in Peru"):
        assert line in sent["text"], line
    assert len(sent["text"]) <= PHONE_SIZE + 100
    assert {"👍", "👎"} <= buttons(sent).keys()
    assert rest


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I sell a 40 dollar scarf on Etsy from Peru, what do I keep?"),
        ("fr", "Je vends une écharpe à 40 dollars sur Etsy depuis le Pérou, combien je garde ?"),
        ("es", "Vendo una bufanda de 40 dólares en Etsy desde Perú, ¿cuánto me queda?"),
        ("pt", "Vendo um cachecol de 40 dólares na Etsy, moro no Peru, quanto sobra para mim?"),
        ("ar", "أبيع وشاحا بـ ٤٠ دولار على إتسي من بيرو، كم يبقى لي؟"),
        ("sw", "Nauza skafu kwa dola 40 kwenye Etsy kutoka Peru, nabaki na kiasi gani?"),
    ],
)
def test_the_same_sale_in_every_language(adviser: Adviser, language: str, text: str) -> None:
    (answer,) = answers(adviser, [text], Profile(language=language))
    assert answer["language"] == language
    assert answer["figures"][0] == {"name": "net", "amount": "34.30", "currency": "USD", "as_of": "2026-09-04"}


async def test_the_guided_way_asks_two_things_then_reckons(person: Person) -> None:
    (which,) = await person.say("/fees")
    assert "Which platform" in which["text"]
    (price,) = await person.press(buttons(which)["Etsy"])
    assert "price" in price["text"]
    (answer,) = await person.say("40 USD")
    assert answer["text"].startswith("Etsy: you keep at most")
    assert "Set my country" in buttons(answer)
    (country,) = await person.press(buttons(answer)["Set my country"])
    assert "Which country" in country["text"]
    (known,) = await person.say("Peru")
    assert "34.30" in known["text"]


async def test_what_was_assumed_can_be_changed(person: Person) -> None:
    (sent,) = await person.say("I sell a 40 dollar dress on Amazon from Kenya, what is left?")
    assert "32.21" in sent["text"]
    (what,) = await person.press(buttons(sent)["Change something"])
    (shipping,) = await person.press(buttons(what)["Shipping"])
    assert "shipping" in shipping["text"]
    (more,) = await person.say("5")
    assert "45.00" in more["text"]
    (plans,) = await person.press(buttons((await person.press(buttons(more)["Change something"]))[0])["Plan"])
    (pro,) = await person.press(buttons(plans)["Professional"])
    assert "plan Professional" in pro["text"]
    (other,) = await person.say("and for 60 dollars?")
    assert "65.00" in other["text"]


async def test_a_free_question_in_between_is_answered(person: Person) -> None:
    await person.say("/fees")
    (reply,) = await person.say("which papers do I need to send baskets to Germany?")
    assert "Which platform" not in reply["text"]


async def test_comparison_and_its_picture(person: Person, request_: OfflineRequest) -> None:
    (sent,) = await person.say("which platform leaves me most for a 40 dollar dress? I sell from Morocco")
    assert sent["text"].startswith("Of USD 40.00 (MAD ")
    nets = [line for line in sent["text"].split("\n") if line.startswith(("1.", "2."))]
    assert len(nets) >= 3
    await person.press(buttons(sent)["Show as a picture"])
    (photo,) = request_.sent("sendPhoto")
    assert "USD 40.00" in photo["caption"]
    assert request_.photos[-1][:8] == b"\x89PNG\r\n\x1a\n"
    assert len(request_.photos[-1]) < 200_000


async def test_a_comparison_says_which_of_the_platforms_named_are_shut(person: Person) -> None:
    await person.say("compare etsy and ebay for a 25 usd jute bag")
    (sent,) = await person.say("Bangladesh")
    assert "Etsy does not take sellers in Bangladesh" in sent["text"]
    assert "1. Amazon.com" in sent["text"]


async def test_eligibility_with_alternatives(person: Person) -> None:
    (no,) = await person.say("can I sell on Etsy from Senegal?")
    assert no["text"].startswith("No: ")
    assert "Open to sellers in your country" in no["text"]
    (unknown,) = await person.say("can I sell on Amazon from Nigeria?")
    assert unknown["text"].startswith("Not known: ")
    (yes,) = await person.say("can I sell on Etsy from Egypt?")
    assert yes["text"].startswith("Yes: ")
    assert "Payoneer" in yes["text"]


async def test_being_paid_reaches_the_bank(person: Person) -> None:
    (sent,) = await person.say("does PayPal work in Kenya?")
    assert sent["text"].startswith("Yes: ")
    assert "KES" in sent["text"]
    (closed,) = await person.say("does Stripe work in Kenya?")
    assert closed["text"].startswith("No: ")


async def test_old_and_forged_buttons(person: Person) -> None:
    for data in ("q:k:nowhere:40USD", "q:z:etsy", "gq:c:nowhere", "q:k:etsy:-4USD"):
        (sent,) = await person.press(data)
        assert "out of date" in sent["text"], data


async def test_a_thumb_under_figures_is_kept(person: Person, request_: OfflineRequest) -> None:
    (sent,) = await person.say("I sell a 40 dollar scarf on Etsy from Peru, what do I keep?")
    await person.press(buttons(sent)["👎"], sent)
    assert request_.sent("answerCallbackQuery")


@pytest.mark.parametrize(
    "text",
    [
        "sell for -5 on etsy", "I sell a dress for a lot on etsy, what do I keep",
        "I sell a dress for 40 pesos on etsy",
        "I sell a dress for 5 VND on amazon.com, what do I keep?",
        "40-50 dollars on etsy, what do I keep", "I sell a 40 dollar dress, what do I keep?",
    ],
)  # fmt: skip
def test_what_is_not_clear_is_asked_back(adviser: Adviser, text: str) -> None:
    (answer,) = answers(adviser, [text], Profile(language="en"))
    assert answer["kind"] == "ask_back"
    assert not answer["figures"]


def test_a_closed_platform_and_one_without_fees(adviser: Adviser) -> None:
    for text in (
        "I sell a 400 rand dress on Zando, what do I keep?",
        "I sell a 40k naira dress on Konga, what is left?",
    ):
        (answer,) = answers(adviser, [text], Profile(language="en"))
        assert answer["kind"] == "decline"


def test_mixed_currencies_are_exchanged_and_said(adviser: Adviser) -> None:
    (answer,) = answers(adviser, ["I sell a 40 euro dress on Amazon.com from Kenya, what do I keep?"], Profile("en"))
    assert "EUR" in answer["text"]
    assert "29 Sep 2026" in answer["text"]
    assert answer["figures"][0]["currency"] == "USD"


def test_every_wish_in_every_language_is_whole_and_its_buttons_fit(adviser: Adviser) -> None:
    codes = ("q:k:amazon-us:40USD:5:KE:US:clothing:pro:20", "q:r:ebay:::VN", "q:c::40USD::MA::clothing",
             "q:e:etsy:::KE",
             "q:e:etsy:::EG", "q:p::::SN", "q:p:$paypal:100USD::IN", "q:p:ebay:::EC", "q:k:etsy:40USD::KE",
             "q:k", "q:k:amazon::::::::a", "q:k:amazon:40USD:::::::g1", "q:k:shopify:50USD::KE")  # fmt: skip
    for language in LANGUAGES:
        for code in codes:
            reply = adviser.desk.press(code, Profile(), language)
            assert reply is not None, code
            assert reply.language == language
            assert "{" not in reply.text.text, reply.text.text
            assert reply.buttons
            for button in reply.buttons:
                assert 0 < len(button.label) <= 64
                assert len(button.action.encode()) <= CALLBACK_DATA_BYTES, button
            if reply.kind is ReplyKind.ANSWER and reply.citations:
                assert len(reply.text.text) <= 1800, (language, code, len(reply.text.text))


PIECES = (
    "etsy", "amazon", "ebay", "jumia", "shopee", "fiverr", "zando", "paypal", "stripe", "kenya", "peru",
    "germany", "40", "dollars", "€1.000,50", "-5", "0", "99999999999", "40k naira", "pesos", "5 VND",
    "0.001 USD", "40 XTS", "12.500 dinar", "?", "how much", "keep", "sell", "fees", "can i", "withdraw", "paid",
    "كم يبقى", "إتسي", "مصر", "٤٠ دولار", "nabaki", "shilingi", "combien", "reste", "2 lakh rupees", "5%",
    "free shipping", "and", "compare platforms", "20 a month", "scarf", "🙂", "\u202e", "<b>", "{{etsy}}",
    "q:k:etsy", "null",
)  # fmt: skip
messages = st.lists(st.sampled_from(PIECES), min_size=1, max_size=10).map(" ".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(messages, min_size=1, max_size=3),
    language=st.sampled_from(LANGUAGES),
    country=st.sampled_from([None, "KE", "VN", "TN"]),
    market=st.sampled_from([None, "DE", "EU"]),
)
def test_no_conversation_breaks_the_desk(
    adviser: Adviser, said: list[str], language: str, country: str | None, market: str | None
) -> None:
    """Whatever is said: a whole reply whose buttons fit and can be pressed, or nothing, and never a fault."""
    reader = Understanding(adviser.facts, adviser.gazetteer)
    profile, earlier = Profile(language=language, country=country, market=market), None
    for message in said:
        question = reader.understand(message, profile, earlier)
        reply = adviser.desk.reply(question, profile, earlier)
        earlier = Turn(question.text, question.asked, reply.draft if reply else None)
        if reply is None:
            continue
        assert reply.text.text.strip()
        assert len(reply.text.text) <= 4096
        for button in reply.buttons:
            assert len(button.action.encode()) <= CALLBACK_DATA_BYTES
            if button.action.startswith("q:"):
                assert adviser.desk.press(button.action, profile, language) is not None, button.action


def test_old_figures_say_so(adviser: Adviser) -> None:
    (answer,) = answers(adviser, ["how much do they take on ebay germany"], Profile("en", "VN"))
    assert "older than a year" in answer["text"]


def test_editing_one_line_and_a_sync_changes_the_answer_without_a_restart(
    tmp_path: Path, encoder: Encoder, small_settings: Settings
) -> None:
    facts = tmp_path / "facts"
    shutil.copytree(FACTS, facts)
    own = Settings(data_dir=small_settings.data_dir, documents_dir=small_settings.documents_dir, facts_dir=facts)
    sync(own, encoder)
    adviser = Adviser(ActiveIndex(own.data_dir, encoder), today=lambda: date(2026, 11, 22))
    question = "I sell a 40 dollar scarf on Etsy from Peru, what do I keep?"
    (before,) = answers(adviser, [question], Profile("en"))
    table = facts / "platforms" / "etsy.yaml"
    text = table.read_text(encoding="utf-8")
    assert text.count("percent: 6.5\n") == 1
    table.write_text(text.replace("percent: 6.5\n", "percent: 7\n"), encoding="utf-8")
    outcome = sync(own, encoder)
    assert outcome.changes.facts == ("platforms/etsy",)
    assert outcome.changes.changed == ("etsy-fees-per-sale",)  # the card takes the figure from the table
    assert adviser.refresh()
    (after,) = answers(adviser, [question], Profile("en"))
    assert (before["figures"][0]["amount"], after["figures"][0]["amount"]) == ("34.30", "34.10")
    card = adviser.more("etsy-fees-per-sale", 0, "en")
    assert card is not None
    assert "7%" in card.text.text
    adviser.close()


@pytest.mark.parametrize(
    "text",
    [
        "sold a 30 dollar bag on etsy, buyer says the parcel has not arrived, how long do i have to answer",
        "J'ai vendu un sac 40 euros sur eBay, l'acheteur dit que le colis n'est pas arrivé, combien de jours j'ai ?",
        "vendí un bolso de 40 dolares en ebay y el comprador dice que el paquete no llegó, cuantos dias tengo",
        "vendi uma bolsa de 40 dolares no ebay e o comprador diz que a encomenda não chegou, o que faço",
    ],
)
def test_a_sale_that_went_wrong_is_no_sum(adviser: Adviser, text: str) -> None:
    reply = adviser.advise(text).reply
    assert not reply.figures
    assert reply.intent == "disputes"
