"""Languages in the chat: chosen at any time, offered once, answered in; and what is in none of ours."""

from __future__ import annotations

import pytest

from bot.advice.adviser import Adviser
from bot.advice.understand import Profile
from bot.app import App
from bot.translation import translator
from knowledge.models import LANGUAGES
from tests.integration.offline import OfflineRequest, Person, buttons


def actions(message: dict[str, object]) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])  # type: ignore[attr-defined]
    return [button["callback_data"] for row in rows for button in row]


async def test_the_language_is_chosen_by_a_button(person: Person) -> None:
    (asked,) = await person.say("/language")
    assert set(actions(asked)) == {f"l:{code}" for code in LANGUAGES}
    assert "Tiếng Việt" in buttons(asked)
    (said,) = await person.press("l:sw", asked)
    assert "Kiswahili" in said["text"]
    answer = (await person.say("Etsy"))[-1]
    assert translator("sw")("Hello! I am Tradewind.") not in answer["text"]
    profile = (await person.say("/profile"))[0]["text"]
    assert "Lugha" in profile


@pytest.mark.parametrize(("named", "code"), [("français", "fr"), ("Russian", "ru"), ("हिन्दी", "hi"), ("zh", "zh")])
async def test_or_by_its_name_behind_the_command(person: Person, named: str, code: str) -> None:
    (said,) = await person.say(f"/language {named}")
    assert said["text"].startswith(translator(code)("From now on I write in {language}. /language changes it.")[:4])


async def test_what_is_open_goes_on_in_the_new_language(person: Person) -> None:
    await person.say("/dispute")
    said = await person.say("/language es")
    assert said[-1]["reply_markup"]["inline_keyboard"]
    assert "¿" in said[-1]["text"]


async def test_a_message_clearly_in_another_language_offers_the_switch_once(person: Person) -> None:
    first = await person.say("combien etsy prend sur chaque vente ?")
    assert actions(first[-1]) == ["l:fr", "l:-"]
    assert "français" in first[-1]["text"]
    second = await person.say("est-ce que je peux vendre sur amazon depuis le Mali ?")
    assert "l:fr" not in [action for message in second for action in actions(message)]


async def test_leaving_it_leaves_it(person: Person) -> None:
    first = await person.say("combien etsy prend sur chaque vente ?")
    assert await person.press("l:-", first[-1]) == []
    assert "Language: not set" in (await person.say("/profile"))[0]["text"]


@pytest.mark.parametrize("text", ["ok", "Amazon", "eBay?", "PayPal 40 USD", "👍"])
async def test_small_words_and_names_offer_nothing(person: Person, text: str) -> None:
    assert not [action for message in await person.say(text) for action in actions(message) if action.startswith("l:")]


async def test_the_menu_and_the_page_of_the_bot_are_in_every_language(app: App, request_: OfflineRequest) -> None:
    for method, field in (("setMyDescription", "description"), ("setMyShortDescription", "short_description")):
        sent = {call.get("language_code") or "en": call[field] for call in request_.sent(method)}
        assert set(sent) == set(LANGUAGES)
        assert len(set(sent.values())) == len(LANGUAGES)
        assert all(len(text) <= (512 if field == "description" else 120) for text in sent.values())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wie kann ich auf etsy verkaufen und was kostet das", ["I do not speak German yet, so I answer in English."]),
        (
            "қалай сатуға болады etsy менің дүкенім",
            ["I do not speak Kazakh yet, so I answer in Russian.", "казахский"],
        ),
    ],
)
def test_a_language_that_we_do_not_have_is_answered_in_the_nearest(
    adviser: Adviser, text: str, says: list[str]
) -> None:
    shown = adviser.advise(text, Profile()).reply.text.text
    for said in says:
        assert said in shown


@pytest.mark.parametrize(
    "text",
    [
        "\u202eetsy fees\u202c\u200b" * 20,
        "क" * 4096,
        "Etsy 中文 हिन्दी العربية русский বাংলা " * 40,
        "\u2066\u2067\u2068\u2069\ufeff",
        "🙂" * 500,
        "etsy\u0000\ud800 fees",
    ],
)
@pytest.mark.parametrize("language", ["en", "ar", "zh"])
def test_bad_input_gets_a_whole_answer(adviser: Adviser, text: str, language: str) -> None:
    reply = adviser.advise(text, Profile(language)).reply
    assert reply.text.text.strip()
    assert reply.language in LANGUAGES
    assert not set(reply.text.text) & set("\u202a\u202b\u202d\u202e")


def test_what_only_another_language_holds_is_shown_with_its_gist(adviser: Adviser) -> None:
    """A section of a guide, which is in English only: title and heading in the reader's words, and its figures."""
    reply = adviser.more("account-suspended-guide", 1, "vi")
    assert reply
    assert "tiếng anh" in reply.text.text.casefold()
    assert translator("vi")("It is about:") in reply.text.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_is_shown_in_the_readers_language(adviser: Adviser, language: str) -> None:
    reply = adviser.more("etsy-fees-per-sale", 0, language)
    document = adviser.index.generation.documents["etsy-fees-per-sale"]
    translation = document.translation(language)
    assert reply
    assert (translation.title if translation else document.title) in reply.text.text


def test_of_equals_what_the_seller_can_read_comes_first(adviser: Adviser) -> None:
    search = adviser.index.search
    question = "etsy fees"
    weights = {hit.passage.id: hit.score for hit in search.search(question, language="hi").hits}
    english = {hit.passage.id: hit.score for hit in search.search(question, language="en").hits}
    both = [
        (id, bool(adviser.index.generation.documents[id.split("#")[0]].translation("hi")))
        for id in weights.keys() & english.keys()
    ]
    gains = {
        translated: [weights[id] - english[id] for id, t in both if t is translated] for translated in (True, False)
    }
    assert gains[True] and gains[False]
    assert min(gains[True]) > max(gains[False])
