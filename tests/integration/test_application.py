"""The real application over an offline request: every handler, and what goes wrong."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from telegram import Update

from bot.advice import smalltalk
from bot.advice.adviser import Adviser
from bot.advice.reply import PHONE_SIZE
from bot.advice.richtext import utf16_length
from bot.advice.understand import Profile
from bot.app import App
from bot.limits import CALLBACK_DATA_BYTES, MESSAGE_LENGTH
from bot.ordering import ChatOrder
from knowledge.models import LANGUAGES
from tests.integration.offline import ME, OfflineRequest, Person, buttons

GROUP = {"id": -100123, "type": "supergroup", "title": "Sellers"}


async def test_a_question_is_answered_on_one_screen_with_a_dated_source(person: Person) -> None:
    (sent,) = await person.say("how do i avoid the etsy currency conversion fee?")
    assert "Source: " in sent["text"]
    assert "checked " in sent["text"]
    assert utf16_length(sent["text"]) <= PHONE_SIZE + 100
    assert sent["link_preview_options"] == {"is_disabled": True}
    assert any(entity["type"] == "text_link" for entity in sent["entities"])
    made = buttons(sent)
    assert 2 <= len([data for data in made.values() if data[:2] in ("d:", "m:")]) <= 4
    assert {"👍", "👎"} <= made.keys()


async def test_all_callback_data_fit(person: Person, adviser: Adviser) -> None:
    for document in adviser.index.generation.documents:
        for prefix in ("f:-1:", "r:unclear:", "d:", "m:"):
            assert len(f"{prefix}{document}:99".encode()) <= CALLBACK_DATA_BYTES
    opened = [action.removeprefix("d:") for _, action in smalltalk.STARTERS if action.startswith("d:")]
    assert opened
    assert all(id in adviser.index.generation.documents for id in opened)
    begun = [action for _, action in smalltalk.STARTERS if not action.startswith("d:")]
    assert all(adviser.guides.begun_by(action, Profile()) for action in begun)


async def test_the_welcome_can_be_walked_and_shapes_answers(person: Person, request_: OfflineRequest) -> None:
    hello, first = await person.say("/start")
    assert "Tradewind" in hello["text"]
    assert buttons(first)["Français"] == "s:language:fr"
    (country,) = await person.press("s:language:en")
    assert "country" in country["text"]
    (product,) = await person.say("I sell from Mombasa in Kenya")
    (market,) = await person.say("woven baskets")
    (done,) = await person.press("s:market:DE")
    assert "Kenya" in done["text"]
    (profile,) = await person.say("/profile")
    for part in ("English", "Kenya", "woven baskets", "Germany"):
        assert part in profile["text"]
    assert product and market


async def test_every_step_can_be_skipped_and_a_question_in_between_is_answered(person: Person) -> None:
    await person.say("/start")
    await person.press("s:language:-")
    answer, again = await person.say("how much does etsy take from a sale?")
    assert "Etsy" in answer["text"]
    assert "country" in again["text"]
    assert len(await person.say("how do I get paid by etsy?")) == 1, "one reminder is enough"
    await person.press("s:country:-")
    await person.press("s:product:-")
    (done,) = await person.press("s:market:-")
    assert "Thank you" in done["text"]
    assert len(await person.say("how much does etsy take from a sale?")) == 1


async def test_one_field_can_be_changed_alone(person: Person) -> None:
    await person.say("/start")
    for step in ("language", "country", "product", "market"):
        await person.press(f"s:{step}:-")
    (asked,) = await person.press("p:country")
    assert "country" in asked["text"]
    (done,) = await person.say("Ghana")
    assert "Ghana" in done["text"]


@pytest.mark.parametrize(
    ("language", "question", "word"),
    [
        ("fr", "combien prend etsy sur une vente ?", "Source :"),
        ("es", "¿cuánto cobra etsy por venta?", "Fuente:"),
        ("pt", "quanto a etsy cobra por venda?", "Fonte:"),
        ("ar", "كم تأخذ إيتسي من كل بيعة", "المصدر:"),
        ("sw", "Etsy wanakata ada kiasi gani kwa mauzo?", "Chanzo:"),
    ],
)
async def test_the_frame_of_an_answer_is_in_the_sellers_language(
    app: App, request_: OfflineRequest, language: str, question: str, word: str
) -> None:
    person = Person(app, request_, user=100, language=language)
    (sent,) = await person.say(question)
    assert word in sent["text"].replace("\u00a0", " ").replace("\u202f", " ")


async def test_a_follow_up_uses_the_turn_before(person: Person) -> None:
    await person.say("how much does etsy take from a sale?")
    (sent,) = await person.say("and ebay?")
    assert "eBay" in sent["text"]
    assert "percent" in sent["text"] or "%" in sent["text"], "the fees, not eBay in general"
    (elsewhere,) = await Person(person.app, person.request, user=8).say("and ebay?")
    assert elsewhere["text"] != sent["text"]


async def test_a_follow_up_about_fees_stays_with_the_platform(person: Person) -> None:
    await person.say("كيف أبيع على إيتسي من مصر؟")
    (sent,) = await person.say("وكم العمولة؟")
    assert "Jumia" not in sent["text"]
    assert "Etsy" in sent["text"]


async def test_more_and_related_open_documents_also_after_a_restart(person: Person) -> None:
    (opened,) = await person.press("m:choose-your-first-marketplace:1")
    assert "Source" in opened["text"]
    (other,) = await person.press("d:etsy-fees-per-sale")
    assert "6.5" in other["text"]
    (gone,) = await person.press("d:no-longer-there")
    assert "replaced" in gone["text"]
    (odd,) = await person.press("m:etsy-fees-per-sale:99")
    assert "replaced" in odd["text"]
    assert len(person.request.sent("answerCallbackQuery")) == 4


@pytest.mark.parametrize("data", ["zzz", "s:", "s:colour:red", "p:height", "f:", "f:1", "r:x", "m:", "x:maybe", "d:"])
async def test_forged_and_stale_buttons_are_answered_and_harm_nothing(person: Person, data: str) -> None:
    await person.press(data)
    assert person.request.sent("answerCallbackQuery")
    assert not any("went wrong" in sent["text"] for sent in person.request.sent())


async def test_feedback_is_kept_once_with_its_reason(person: Person) -> None:
    from sqlalchemy import select

    from bot.people import FeedbackRow

    (sent,) = await person.say("how do i avoid the etsy currency conversion fee?")
    up = buttons(sent)["👍"]
    await person.press(up, sent)
    await person.press(up.replace(":1:", ":-1:"), sent)
    reasons = person.request.sent("editMessageReplyMarkup")[-1]["reply_markup"]["inline_keyboard"]
    data = [button["callback_data"] for row in reasons for button in row]
    assert "r:wrong:etsy-currency-conversion-fee" in data
    assert any(item.startswith("d:") for item in data), "next steps stay"
    await person.press("r:wrong:etsy-currency-conversion-fee", sent)
    people = person.app.bot_data["services"].people
    async with people._sessions() as session:
        rows = (await session.scalars(select(FeedbackRow))).all()
    assert [(row.document, row.vote, row.reason) for row in rows] == [("etsy-currency-conversion-fee", -1, "wrong")]


async def test_forget_deletes_for_good(person: Person, tmp_path: Path) -> None:
    await person.say("/start")
    await person.press("s:language:-")
    await person.press("s:country:KE")
    await person.say("zebra striped xylophones")
    await person.press("s:market:-")
    await person.say("can I sell zebra striped xylophones on etsy?")
    (asked,) = await person.say("/forget")
    assert set(buttons(asked).values()) == {"x:yes", "x:no"}
    (kept,) = await person.press("x:no")
    assert "nothing" in kept["text"].lower()
    (done,) = await person.press("x:yes")
    assert "deleted" in done["text"]
    (profile,) = await person.say("/profile")
    assert "Kenya" not in profile["text"]
    database = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("tradewind.sqlite*"))
    assert b"xylophones" not in database


async def test_privacy_says_what_is_kept(person: Person) -> None:
    (sent,) = await person.say("/privacy")
    assert "24 hours" in sent["text"]
    assert "/forget" in sent["text"]


async def test_help_and_unknown_commands(person: Person) -> None:
    (sent,) = await person.say("/help")
    assert "/privacy" in sent["text"]
    (unknown,) = await person.say("/fly")
    assert "/help" in unknown["text"]


async def test_commands_are_registered_in_every_language(app: App, request_: OfflineRequest) -> None:
    menus = request_.sent("setMyCommands")
    assert {menu.get("language_code", "en") for menu in menus} == set(LANGUAGES)
    assert len({menu["commands"][0]["description"] for menu in menus}) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"voice": {"file_id": "1", "file_unique_id": "1", "duration": 3}}, "voice"),
        ({"photo": [{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}]}, "pictures"),
        ({"document": {"file_id": "1", "file_unique_id": "1"}}, "files"),
        ({"sticker": {"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1, "is_animated": False,
                      "is_video": False, "type": "regular"}}, "Nice"),
        ({"location": {"latitude": 1.0, "longitude": 1.0}}, "question"),
    ],
)  # fmt: skip
async def test_what_is_not_text_gets_a_kind_reply(person: Person, fields: dict[str, Any], part: str) -> None:
    (sent,) = await person.update(message=person.message(**fields))
    assert part in sent["text"]


async def test_a_caption_is_a_question(person: Person) -> None:
    photo = [{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}]
    (sent,) = await person.update(message=person.message(photo=photo, caption="how much does etsy take?"))
    assert "Etsy" in sent["text"]


async def test_an_edited_question_is_answered_again(person: Person) -> None:
    (sent,) = await person.update(edited_message=person.message("how much does etsy take?", edit_date=int(time.time())))
    assert "Etsy" in sent["text"]


async def test_groups_are_answered_only_when_addressed(person: Person) -> None:
    assert not await person.say("how much does etsy take?", chat=GROUP)
    (sent,) = await person.say("@Tradewind_Bot how much does etsy take?", chat=GROUP)
    assert sent["reply_parameters"]["message_id"]
    reply_to = person.message("earlier", chat=GROUP) | {"from": ME}
    (again,) = await person.say("how much does ebay take?", chat=GROUP, reply_to_message=reply_to)
    assert "eBay" in again["text"]
    sticker = {"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1, "is_animated": False, "is_video": False,
               "type": "regular"}  # fmt: skip
    assert not await person.update(message=person.message(sticker=sticker, chat=GROUP))


@pytest.mark.parametrize("text", ["👍", "....", "🧺 🌍", "asdkj qwpoe zzxcv", "x" * 4096, "\u202e\u200b"])
async def test_odd_messages_get_one_fitting_reply(person: Person, text: str) -> None:
    (sent,) = await person.say(text)
    assert sent["text"].strip()
    assert "Source:" not in sent["text"]


async def test_messages_that_only_look_like_markup_arrive(person: Person) -> None:
    for text in ("<b>etsy</b> *fees* _x_ [a](b)", "```etsy```", "/", "etsy `fees` | ~x~ #1 {y}"):
        assert await person.say(text)


async def test_formatting_that_is_refused_goes_plain(person: Person, request_: OfflineRequest) -> None:
    def refuse(name: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if name == "sendMessage" and parameters.get("entities"):
            return 400, {"description": "Bad Request: can't parse entities"}
        return None

    request_.fault = refuse
    (sent,) = await person.say("how much does etsy take?")
    assert "Etsy" in sent["text"]
    assert "entities" not in sent


async def test_a_passing_fault_is_tried_again(person: Person, request_: OfflineRequest) -> None:
    refusals = iter([502, 500])

    def refuse(name: str, _: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        code = next(refusals, None) if name == "sendMessage" else None
        return (code, {"description": "Bad Gateway"}) if code else None

    request_.fault = refuse
    (sent,) = await person.say("how much does etsy take?")
    assert "Etsy" in sent["text"]


async def test_who_blocked_the_bot_raises_no_alarm(
    person: Person, request_: OfflineRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str, _: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        return (403, {"description": "Forbidden: bot was blocked by the user"}) if name == "sendMessage" else None

    request_.fault = refuse
    assert await person.say("how much does etsy take?") == []
    assert "handler_failed" not in capsys.readouterr().err


async def test_a_broken_handler_says_one_clear_sentence(
    person: Person, adviser: Adviser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(adviser, "advise", broken)
    (sent,) = await person.say("how much does etsy take?")
    assert "Reference" in sent["text"]
    assert "boom" not in sent["text"]


async def test_without_a_database_questions_are_still_answered(person: Person) -> None:
    people = person.app.bot_data["services"].people
    async with people._engine.begin() as connection:
        from sqlalchemy import text

        await connection.execute(text("DROP TABLE turns"))
    (sent,) = await person.say("how much does etsy take?")
    assert "Etsy" in sent["text"]


async def test_chats_run_side_by_side_and_each_in_order() -> None:
    order, running, log, at_once = ChatOrder(), set[int](), list[tuple[int, int]](), list[int]()

    async def work(chat: int, number: int) -> None:
        assert chat not in running
        running.add(chat)
        at_once.append(len(running))
        await asyncio.sleep(0.02)
        running.discard(chat)
        log.append((chat, number))

    def update(number: int, chat: int) -> Update:
        message = {"message_id": 1, "date": 0, "chat": {"id": chat, "type": "private"}}
        made = Update.de_json({"update_id": number, "message": message}, None)
        assert made
        return made

    jobs = [(chat, number) for number in range(5) for chat in range(10)]
    await asyncio.gather(
        *(order.process_update(update(i, chat), work(chat, number)) for i, (chat, number) in enumerate(jobs))
    )
    assert max(at_once) == 10, "chats waited for each other"
    for chat in range(10):
        assert [number for of, number in log if of == chat] == list(range(5))
    await order.process_update(update(0, 0), work(0, 99))
    assert (0, 99) not in log, "an update that comes twice is dropped"
    assert not order._locks


async def test_long_texts_arrive_in_parts(person: Person) -> None:
    from bot.advice.richtext import RichText

    before = len(person.request.sent())
    text = RichText.plain("word " * 2000)
    await person.app.bot_data["services"].sender.text(7, text)
    parts = person.request.sent()[before:]
    assert len(parts) == 3
    assert "".join(part["text"] for part in parts) == text.text
    assert all(utf16_length(part["text"]) <= MESSAGE_LENGTH for part in parts)
