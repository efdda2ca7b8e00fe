"""Step-by-step help through the application: by tapping and by typing, left and taken up, with everything that can go
wrong on the way."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pdfplumber
import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from bot.advice.adviser import Adviser
from bot.advice.guided.case import CaseKind
from bot.advice.guided.standing import standing_of
from bot.app import App, build_application
from bot.cases import CaseRow
from bot.handlers import reminders
from bot.handlers.context import Services
from bot.outcomes import FEWEST, Result
from bot.people import PersonRow
from bot.reminders import MOST_WAITING, ReminderKind, ReminderRow, TooManyRemindersError
from bot.settings import BotSettings
from tests.integration.offline import OfflineRequest, Person, buttons

SELLER, STRANGER = 7, 8
ANSWERS = ("/dispute", "did not arrive", "ebay", "delivered", "yes", "it is open")


class Bot:
    """A bot that can be stopped and started again on the same data."""

    def __init__(self, adviser: Adviser, data_dir: Path) -> None:
        self.request = OfflineRequest()
        self._adviser, self._data_dir = adviser, data_dir
        self.app: App

    async def start(self) -> None:
        settings = BotSettings(data_dir=self._data_dir, owner_ids=(1,))
        self.app = build_application(settings, self._adviser, request=self.request, token="1:TEST")
        await self.app.initialize()
        assert self.app.post_init
        await self.app.post_init(self.app)

    async def stop(self) -> None:
        await self.app.shutdown()
        await self.services.people._engine.dispose()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @property
    def services(self) -> Services:
        found: Services = self.app.bot_data["services"]
        return found

    def person(self, user: int = SELLER, language: str = "en") -> Person:
        return Person(self.app, self.request, user=user, language=language)

    async def look(self) -> None:
        """What the job queue does every few seconds."""
        await reminders.look_after(context(self.app))

    async def shift(self, **by: float) -> None:
        """Let time pass for all reminders."""
        async with self.services.people._engine.begin() as connection:
            for row in (await connection.execute(ReminderRow.__table__.select())).all():
                moved = {"due_at": row.due_at - timedelta(**by)}
                if row.taken_at:
                    moved["taken_at"] = row.taken_at - timedelta(**by)
                await connection.execute(update(ReminderRow).where(ReminderRow.id == row.id).values(**moved))


def context(app: App) -> Any:
    return app.context_types.context(app)


@pytest.fixture
async def bot(adviser: Adviser, tmp_path: Path) -> Any:
    bot = Bot(adviser, tmp_path / "data")
    await bot.start()
    await bot.services.people.update(SELLER, country="KE", product="sisal baskets", market="US", language="en")
    yield bot
    await bot.stop()


async def talk(person: Person, *texts: str) -> dict[str, Any]:
    """Say all `texts`; returns the last message."""
    for text in texts:
        sent = await person.say(text)
        assert sent, text
    return sent[-1]


async def opened(person: Person, since: str = "yesterday") -> dict[str, Any]:
    """The page of a dispute at eBay about a parcel that did not arrive."""
    return await talk(person, *ANSWERS, since)


def action(message: dict[str, Any], label: str) -> str:
    found = [data for name, data in buttons(message).items() if label in name]
    assert found, (label, list(buttons(message)))
    return found[0]


# Disputes


async def test_a_dispute_by_typing(bot: Bot) -> None:
    page = await opened(bot.person(), "3 days ago")
    assert "eBay" in page["text"]
    assert "Do this now:" in page["text"]
    assert "3 days (Monday to Friday only)" in page["text"]


async def test_a_dispute_by_tapping(bot: Bot) -> None:
    person = bot.person()
    (message,) = await person.say("/dispute")
    for label in ("did not arrive", "eBay", "Delivered", "Yes", "it is open", "Today"):
        (message,) = await person.press(action(message, label), message)
    assert "Do this now:" in message["text"]
    assert bot.request.sent("answerCallbackQuery")


@pytest.mark.parametrize(
    ("text", "service", "first"),
    [
        ("buyer says parcel not arrived, i sold on ebay", "eBay", "What does the tracking show"),
        ("my account is suspended", None, "Where did the sale"),
        ("got a chargeback from PayPal", "PayPal", "How far is it"),
    ],
)
async def test_a_report_begins_its_guide(bot: Bot, text: str, service: str | None, first: str) -> None:
    opening, question = await bot.person().say(text)
    assert first in question["text"]
    if service:
        assert service in opening["text"]
        assert "Source:" in opening["text"]
    assert not buttons(opening)


async def test_a_second_trouble_in_the_same_message_is_a_button(bot: Bot) -> None:
    opening, _question = await bot.person().say("My Amazon account is deactivated and they are holding 900 dollars")
    assert "suspended" in opening["text"]
    assert opening["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "b:dispute:payment-held:amazon"


async def test_a_report_in_a_group_is_answered_and_begins_nothing(bot: Bot) -> None:
    group = {"id": -55, "type": "supergroup", "title": "G"}
    sent = await bot.person().say("@tradewind_bot buyer says parcel not arrived on ebay", chat=group)
    assert len(sent) == 1
    assert not await bot.services.cases.open(SELLER)


async def test_going_back_leads_through_the_same_questions(bot: Bot) -> None:
    person = bot.person()
    message = await talk(person, *ANSWERS)
    asked = []
    while any("Back" in name for name in buttons(message)):
        asked.append(message["text"])
        (message,) = await person.press(action(message, "Back"), message)
    assert len(asked) == 5
    assert "What has happened?" in message["text"]
    assert "Do this now:" in (await talk(person, *ANSWERS[1:], "today"))["text"]


async def test_leaving_and_coming_back_after_a_restart(bot: Bot) -> None:
    person = bot.person()
    message = await talk(person, *ANSWERS[:4])
    await person.press(action(message, "Go on later"), message)
    await bot.restart()
    person = bot.person()
    listed = await talk(person, "/cases")
    (message,) = await person.press(action(listed, "eBay"), listed)
    assert "delivered to the address" in message["text"]
    assert "Do this now:" in (await talk(person, "yes", "it is open", "today"))["text"]


async def test_a_free_question_is_answered_and_the_guide_goes_on(bot: Bot) -> None:
    person = bot.person()
    await talk(person, *ANSWERS[:3])
    answer, question = await person.say("how much does etsy take from a sale?")
    assert "6.5" in answer["text"]
    assert "What does the tracking show" in question["text"]
    assert "Was it delivered" in (await talk(person, "delivered"))["text"]


async def test_a_question_back_in_the_middle_is_settled_first(bot: Bot) -> None:
    person = bot.person()
    await talk(person, *ANSWERS[:3])
    (asked,) = await person.say("what do i keep of a sale on etsy?")
    assert "price" in asked["text"]
    answer, question = await person.say("40 USD")
    assert "keep" in answer["text"]
    assert "What does the tracking show" in question["text"]


async def test_commands_in_the_middle_lose_nothing(bot: Bot) -> None:
    person = bot.person()
    await talk(person, *ANSWERS[:3], "/help", "/fees", "/cases")
    assert [each.case.answer("service") for each in await bot.services.cases.open(SELLER)] == ["ebay"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("12/12/2035", "still to come"), ("1/1/2019", "more than two years ago"), ("i do not know", "act today")],
)
async def test_dates_that_cannot_be(bot: Bot, text: str, says: str) -> None:
    assert says in (await talk(bot.person(), *ANSWERS, text))["text"]


async def test_a_deadline_that_is_gone(bot: Bot) -> None:
    long_ago = (datetime.now(UTC).date() - timedelta(days=60)).strftime("%d/%m/%Y")
    page = await opened(bot.person(), long_ago)
    assert "The time ended on" in page["text"]
    assert "Still possible:" in page["text"]
    assert not any("Remind" in name for name in buttons(page))


async def test_another_date_is_counted_anew(bot: Bot) -> None:
    person = bot.person()
    page = await opened(person, "today")
    (asked,) = await person.press(action(page, "Another date"), page)
    assert "On which day" in asked["text"]
    again = await talk(person, "yesterday")
    assert "Do this now:" in again["text"]


async def test_a_platform_that_is_not_covered(bot: Bot) -> None:
    message = await talk(bot.person(), "/dispute", "did not arrive", "zorbamart", "delivered", "yes", "it is open")
    assert "last day does the notice give" in message["text"]
    page = await talk(bot.person(), "it gives none")
    assert "no checked procedure" in page["text"]
    assert "Who can help" in "".join(buttons(page))


async def test_a_stale_button_changes_nothing_and_shows_where_things_stand(bot: Bot) -> None:
    person = bot.person()
    old = await talk(person, *ANSWERS[:3])
    await talk(person, "delivered")
    (message,) = await person.press(action(old, "Held by customs"), old)
    assert "settled already" in message["text"]
    assert "Was it delivered" in message["text"]
    (case,) = await bot.services.cases.open(SELLER)
    assert case.case.answer("?tracking") == "delivered"


async def test_two_devices_at_once(bot: Bot) -> None:
    person = bot.person()
    message = await talk(person, *ANSWERS[:3])
    first, second = action(message, "Delivered"), action(message, "Held by customs")
    await asyncio.gather(person.press(first, message), person.press(second, message))
    (case,) = await bot.services.cases.open(SELLER)
    assert case.case.version == 3
    assert case.case.answer("?tracking") in ("delivered", "customs")
    assert len(bot.request.sent("answerCallbackQuery")) == 2


async def test_the_store_lets_only_one_answer_through(bot: Bot) -> None:
    await opened(bot.person())
    ((case),) = [each.case for each in await bot.services.cases.open(SELLER)]
    both = await asyncio.gather(
        bot.services.cases.proceed(case, SELLER, [("a", "1")]), bot.services.cases.proceed(case, SELLER, [("a", "2")])
    )
    assert sum(each is not None for each in both) == 1


@pytest.mark.parametrize("data", ["c:1:now", "c:1:pdf", "c:1:close", "c:1:=6:x", "c:1:give:desk", "c:1:out:helped:1"])
async def test_nobody_reaches_the_case_of_another(bot: Bot, data: str) -> None:
    await opened(bot.person())
    before = await bot.services.cases.open(SELLER)
    (message,) = await bot.person(STRANGER).press(data)
    assert "out of date" in message["text"]
    assert await bot.services.cases.open(SELLER) == before
    assert not bot.request.sent("sendDocument")


@pytest.mark.parametrize(
    "data",
    ["c:1:nosuch", "c:1:body:nosuch", "c:1:tick", "c:1:fill:x:y", "c:1:at:d9", "c:1:in:999", "c:1:=6:nosuch",
     "c:1:b999", "c:1:t1:nosuch", "c:1:go:nosuch", "c:1:give", "c:1:out:helped:99", "c:1:zone:99", "c:1:redo",
     "c:1:letter:nosuch"],
)  # fmt: skip
async def test_forged_buttons_are_answered_and_do_no_harm(bot: Bot, data: str) -> None:
    await opened(bot.person())
    (before,) = await bot.services.cases.open(SELLER)
    sent = await bot.person().press(data.replace("c:1:", f"c:{before.case.id}:"))
    assert len(bot.request.sent("answerCallbackQuery")) == 1
    (after,) = await bot.services.cases.open(SELLER)
    assert after.case.answer("service") == "ebay"
    assert sent or data == "c:1:tick" or data == "c:1:go:nosuch"


async def test_evidence_is_ticked_in_place_and_kept(bot: Bot) -> None:
    person = bot.person()
    page = await opened(person)
    (list_,) = await person.press(action(page, "Proof to collect (0/"), page)
    await person.press(action(list_, "Order page"), list_)
    (edited,) = bot.request.sent("editMessageText")
    assert "1 of" in edited["text"]
    assert "☑ Order page" in edited["text"]
    await bot.restart()
    again = await talk(bot.person(), "back to the steps")
    assert any("(1/" in name for name in buttons(again))


async def test_a_letter_is_filled_with_the_sellers_own_details(bot: Bot) -> None:
    person = bot.person()
    page = await opened(person)
    (letter,) = await person.press(action(page, "Letter"), page)
    (asked,) = await person.press(action(letter, "Order number"), letter)
    assert "order number" in asked["text"]
    answer, *_rest = await person.say("how much does etsy take?")  # a question is not what was asked for
    assert "Etsy" in answer["text"]
    (asked,) = await person.press(action(letter, "Order number"), letter)
    letter = await talk(person, "12-345 *<b>&")
    assert "12-345 *<b>&" in letter["text"]
    assert {entity["type"] for entity in letter["entities"]} >= {"pre"}


async def test_the_letter_comes_in_english_with_what_it_says(bot: Bot) -> None:
    await bot.services.people.update(SELLER, language="fr")
    person = bot.person(language="fr")
    opening, question = await person.say("l'acheteur dit qu'il n'a pas reçu le colis, vendu sur ebay")
    assert "eBay" in opening["text"]
    for _step in range(8):
        question = (await person.press(next(iter(buttons(question).values())), question))[-1]
        if any(":letter" in data for data in buttons(question).values()):
            break
    (letter,) = await person.press(next(d for d in buttons(question).values() if d.endswith(":letter")), question)
    assert "Hello" in letter["text"] or "Dear" in letter["text"]
    assert "Bonjour" in letter["text"]


async def test_what_can_follow_and_who_helps(bot: Bot) -> None:
    person = bot.person()
    page = await opened(person)
    (following,) = await person.press(action(page, "What can follow"), page)
    assert "How it ends" in following["text"]
    body = next(data for data in buttons(following).values() if ":body:" in data)
    (helper,) = await person.press(body, following)
    assert "What it costs" in helper["text"]
    (more,) = await person.press(action(page, "Who can help"), page)
    assert "Kenya" in more["text"] or "KEPROBA" in more["text"]


async def test_a_case_is_saved_as_one_page(bot: Bot) -> None:
    person = bot.person()
    page = await opened(person)
    (more,) = await person.press(action(page, "Who can help"), page)
    await person.press(action(more, "PDF"), more)
    await person.press(action(more, "as text"), more)
    pdf, text = (sent["sent_files"][0] for sent in bot.request.sent("sendDocument"))
    with pdfplumber.open(io.BytesIO(pdf)) as opened_pdf:
        assert len(opened_pdf.pages) == 1
        words = opened_pdf.pages[0].extract_text()
    for content in (words, text.decode()):
        assert "eBay" in content
        assert "sisal baskets" in content
        assert "Seller Hub" in content


async def test_a_case_goes_to_an_agency_only_after_a_preview(bot: Bot) -> None:
    agency = bot.services.catalogue.add_agency("Nairobi Desk", ["KE"], ["en"], "+254", "https://e.org", actor="cli")
    bot.services.catalogue.set_group(agency.id, -1001, actor="cli")
    person = bot.person()
    page = await opened(person)
    (more,) = await person.press(action(page, "Who can help"), page)
    (preview,) = await person.press(action(more, "Nairobi Desk"), more)
    assert "what I would send" in preview["text"]
    assert "The buyer says the parcel did not arrive (eBay)" in preview["text"]
    assert not [sent for sent in bot.request.sent() if sent["chat_id"] == -1001]
    await person.press(action(preview, "Send"), preview)
    assert "eBay" in next(sent for sent in bot.request.sent() if sent["chat_id"] == -1001)["text"]


async def test_closing_takes_reminders_back_and_can_be_undone(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await opened(person))
    (case,) = await bot.services.cases.open(SELLER)
    (closed,) = await person.press(f"c:{case.case.id}:close")
    assert "Closed" in closed["text"]
    assert not await bot.services.cases.open(SELLER)
    assert not await bot.services.reminders.waiting(SELLER)
    (again,) = await person.press(action(closed, "Open it again"), closed)
    assert "Do this now:" in again["text"]


async def test_forgetting_deletes_cases_and_reminders(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await opened(person))
    (asked,) = await person.say("/forget")
    await person.press(action(asked, "Delete"), asked)
    async with bot.services.people._engine.begin() as connection:
        for table in (CaseRow, ReminderRow, PersonRow):
            rows = (await connection.execute(table.__table__.select())).all()
            assert not [row for row in rows if row.telegram_id == SELLER]


async def test_many_cases_do_not_pile_up(bot: Bot) -> None:
    person = bot.person()
    for _again in range(3):
        await person.say("/dispute")
    assert len(await bot.services.cases.open(SELLER)) == 1
    for number in range(25):
        await bot.services.cases.create(
            SELLER, (await bot.services.cases.open(SELLER))[0].case.kind, [("n", str(number))]
        )
    assert len(await bot.services.cases.open(SELLER)) == 20


async def test_an_answer_about_a_dispute_offers_its_guide(bot: Bot) -> None:
    person = bot.person()
    (answer,) = await person.say("how long does ebay give me to answer an item not received request?")
    assert "Source:" in answer["text"]
    (question,) = await person.press(action(answer, "Step by step"), answer)
    assert "What does the tracking show" in question["text"]
    (case,) = await bot.services.cases.open(SELLER)
    assert case.case.answers == (("situation", "not-received"), ("service", "ebay"))


@pytest.mark.parametrize(
    ("data", "says"),
    [("b:choice", "How many pieces"), ("b:dispute", "What has happened"), ("b:dispute:suspended", "Where did the sale"),
     ("b:dispute:nosuch", "out of date"), ("b:nosuch", "out of date")],
)  # fmt: skip
async def test_buttons_that_begin(bot: Bot, data: str, says: str) -> None:
    (message,) = await bot.person().press(data)
    assert says in message["text"]


async def test_nothing_begins_by_a_button_in_a_group(bot: Bot) -> None:
    group = {"id": -55, "type": "supergroup", "title": "G"}
    assert not await bot.person().press("b:dispute", chat=group)
    assert not await bot.services.cases.open(SELLER)


async def test_who_never_chose_a_language_is_led_in_that_of_their_words(bot: Bot) -> None:
    person = bot.person(STRANGER)
    opening, question = await person.say("mteja anasema hajapokea mzigo, niliuza ebay")
    assert "siku 3" in opening["text"]
    assert "Tracking inaonyesha nini leo?" in question["text"]
    assert (await bot.services.people.get(STRANGER)).profile.language == "sw"
    await person.say("/language")
    await person.say("English")
    assert (await person.say("buyer says parcel not arrived on ebay"))[-1][
        "text"
    ] == "What does the tracking show today?"


async def test_who_goes_on_with_a_closed_case_opens_it_again(bot: Bot) -> None:
    person = bot.person()
    page = await far(person)
    (case,) = await bot.services.cases.open(SELLER)
    await person.press(f"c:{case.case.id}:close")
    await remind(person, page, "Two days before")
    assert await bot.services.cases.open(SELLER)
    await bot.shift(days=60)
    await bot.look()
    assert len(fired(bot)) == 1


async def test_a_case_with_a_reminder_is_not_closed_for_others(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    for number in range(25):
        await bot.services.cases.create(SELLER, CaseKind.DISPUTE, [("n", str(number))])
    await bot.shift(days=60)
    await bot.look()
    assert len(fired(bot)) == 1


async def test_another_day_takes_back_the_reminders_of_the_old_one(bot: Bot) -> None:
    person = bot.person()
    page = await far(person)
    await remind(person, page, "Two days before")
    (asked,) = await person.press(action(page, "Another date"), page)
    assert "took back its reminders" in asked["text"]
    assert not await bot.services.reminders.waiting(SELLER)


async def test_what_another_command_asks_comes_before_the_case(bot: Bot) -> None:
    person = bot.person()
    await talk(person, "/dispute", "did not arrive")  # which platform?
    (asked,) = await person.say("/fees")
    assert "Which platform?" in asked["text"]
    (price,) = await person.say("etsy")
    assert "price" in price["text"]
    answer, question = await person.say("40 USD")
    assert "keep" in answer["text"]
    assert "Where did the sale" in question["text"]
    (case,) = await bot.services.cases.open(SELLER)
    assert case.case.answer("service") is None


@pytest.mark.parametrize("text", ["thank you", "hello", "ok"])
async def test_small_talk_is_no_platform(bot: Bot, text: str) -> None:
    sent = await talk(bot.person(), "/dispute", "did not arrive", text)
    assert "Where did the sale" in sent["text"]


async def test_some_word_of_a_button_does_not_press_it(bot: Bot) -> None:
    person = bot.person()
    await opened(person)
    for word in ("another", "date", "me", "you"):
        await person.say(word)
    (case,) = await bot.services.cases.open(SELLER)
    assert case.case.answer("since")


async def test_an_answer_that_is_edited_is_not_answered_twice(bot: Bot) -> None:
    person = bot.person()
    await talk(person, *ANSWERS[:4])
    sent = await person.update(edited_message=person.message("deliverd") | {"edit_date": 1_800_000_000})
    assert [("delivered to the address" in message["text"]) for message in sent] == [True]


async def test_a_report_is_no_order_number(bot: Bot) -> None:
    person = bot.person()
    page = await opened(person)
    (letter,) = await person.press(action(page, "Letter"), page)
    await person.press(action(letter, "Order number"), letter)
    await person.say("my account was suspended by amazon")
    assert not any(each.case.blanks for each in await bot.services.cases.open(SELLER))


async def test_a_fault_of_the_database_names_nothing_that_was_said(bot: Bot) -> None:
    async with bot.services.people._engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE reminders")
        await connection.exec_driver_sql("DROP TABLE cases")
    with pytest.raises(DBAPIError) as raised:
        await bot.services.cases.create(SELLER, CaseKind.CHOICE, [("product", "SECRETGOODS")])
    assert "cases" in str(raised.value)
    assert "SECRETGOODS" not in str(raised.value)


# Choosing


CHOICE = ("/choose", "20", "bank account, english")


async def test_choosing_asks_only_what_the_profile_lacks(bot: Bot) -> None:
    person = bot.person()
    (units,) = await person.say("/choose")
    assert "How many pieces" in units["text"]
    (have,) = await person.say("20")
    assert "What do you have already?" in have["text"]
    (top,) = await person.say("bank account and some english")
    assert "1. Amazon" in top["text"]
    assert top["text"].count("Main risk:") == 3


async def test_choosing_asks_at_most_five_questions(bot: Bot) -> None:
    person = bot.person(STRANGER)
    asked = [(await person.say(text))[-1]["text"] for text in ("/choose", "Kenya", "baskets", "USA", "20", "none")]
    assert [text.count("?") for text in asked[:5]] == [1, 1, 1, 1, 1]
    assert "1. " in asked[5]
    known = (await bot.services.people.get(STRANGER)).profile
    assert (known.country, known.product, known.market) == ("KE", "baskets", "US")


async def test_choosing_is_understood_from_words(bot: Bot) -> None:
    sent = await bot.person().say("where should I sell my baskets?")
    assert "How many pieces" in sent[-1]["text"]


async def test_several_things_are_ticked_in_place(bot: Bot) -> None:
    person = bot.person()
    message = await talk(person, *CHOICE[:2])
    await person.press(action(message, "Bank account"), message)
    first = bot.request.sent("editMessageText")[-1]
    await person.press(action(first, "English"), message)
    second = bot.request.sent("editMessageText")[-1]
    assert [name for name in buttons(second) if name.startswith("☑")] == ["☑ Bank account", "☑ I write some English"]
    (top,) = await person.press(action(second, "Done"), message)
    assert "Amazon" in top["text"]


async def test_an_option_says_all_that_is_needed(bot: Bot) -> None:
    person = bot.person()
    top = await talk(person, *CHOICE)
    (one,) = await person.press(action(top, "1. Amazon"), top)
    for part in ("Why:", "Cost:", "To start you need:", "You are paid by:", "Main risk:", "When not:", "First step:"):
        assert part in one["text"]
    assert "Source:" in one["text"]
    (why,) = await person.press(action(top, "Why this order"), top)
    assert "Open to your country: 15/15" in why["text"]
    assert "Source:" in why["text"]


async def test_the_plan_goes_one_step_at_a_time(bot: Bot) -> None:
    person = bot.person()
    top = await talk(person, *CHOICE)
    (one,) = await person.press(action(top, "1. Amazon"), top)
    (step,) = await person.press(action(one, "Plan the first month"), one)
    seen = []
    while "Done" in buttons(step):
        seen.append(step["text"])
        for part in ("Cost:", "Risk:", "When not:", "Source:"):
            assert part in step["text"]
        (step,) = await person.press(action(step, "Skip" if len(seen) == 2 else "Done"), step)
    assert len(seen) == len(set(seen)) > 8
    assert "settled" in step["text"]
    (whole,) = await person.press(action(step, "whole plan"), step)
    assert whole["text"].count("☑") == len(seen) - 1
    assert whole["text"].count("–") == 1


async def test_a_plan_for_another_platform_begins_anew(bot: Bot) -> None:
    person = bot.person()
    top = await talk(person, *CHOICE)
    case = action(top, "1. ").split(":")[1]
    for label in list(buttons(top))[:2]:
        (one,) = await person.press(buttons(top)[label], top)
        (step,) = await person.press(action(one, "Plan the first month"), one)
        assert "step 1 of" in step["text"]
        (step,) = await person.press(action(step, "Done"), step)
        assert "step 2 of" in step["text"]
    (back,) = await person.press(f"c:{case}:go:nosuch")
    assert "step 2 of" in back["text"]


async def test_a_plan_whose_platform_is_gone_leads_back_to_the_options(bot: Bot) -> None:
    person = bot.person()
    await talk(person, *CHOICE)
    (case,) = [each.case for each in await bot.services.cases.open(SELLER)]
    await bot.services.cases.proceed(case, SELLER, case.answered("plan", "gone"))
    (top,) = await person.press(f"c:{case.id}:now")
    assert "1. Amazon" in top["text"]


async def test_a_plan_is_saved_as_one_page(bot: Bot) -> None:
    person = bot.person()
    top = await talk(person, *CHOICE)
    (more,) = await person.press(action(top, "Who can help"), top)
    await person.press(action(more, "PDF"), more)
    with pdfplumber.open(io.BytesIO(bot.request.sent("sendDocument")[0]["sent_files"][0])) as pdf:
        assert len(pdf.pages) == 1
        assert "Amazon" in pdf.pages[0].extract_text()


# Alternatives


async def test_other_ways_are_those_of_the_country(bot: Bot) -> None:
    person = bot.person()
    (ways,) = await person.say("/alternatives")
    assert "Kenya" in ways["text"]
    texts = [(await person.press(data, ways))[0]["text"] for data in buttons(ways).values() if data != "w:list"]
    assert len(texts) >= 6
    for text in texts:
        for part in ("First steps", "Risks, and how to guard against them", "Who did it:", "Source:"):
            assert part in text
    assert any("Jumia" in text and "Open to sellers in Kenya" in text for text in texts)


async def test_a_no_leads_to_other_ways(bot: Bot) -> None:
    person = bot.person()
    (no,) = await person.say("can i sell on etsy from kenya?")
    (ways,) = await person.press(action(no, "Other ways"), no)
    assert "Other ways to sell from Kenya" in ways["text"]
    (asked,) = await person.say("what are alternatives to etsy for selling?")
    assert "Other ways to sell from Kenya" in asked["text"]


# Reminders


async def remind(person: Person, page: dict[str, Any], when: str = "") -> dict[str, Any]:
    (offered,) = await person.press(action(page, "Remind me"), page)
    assert "When shall I remind you" in offered["text"]
    (set_,) = await person.press(action(offered, when) if when else next(iter(buttons(offered).values())), offered)
    return set_


async def far(person: Person) -> dict[str, Any]:
    """A dispute with weeks to go."""
    return await talk(person, "/dispute", "did not arrive", "ebay", "delivered", "yes", "decided against me", "today")


async def test_a_reminder_two_days_before_by_the_sellers_clock(bot: Bot) -> None:
    person = bot.person()
    set_ = await remind(person, await far(person), "Two days before")
    (waiting,) = await bot.services.reminders.waiting(SELLER)
    (case,) = await bot.services.cases.open(SELLER)
    standing = standing_of(bot.services.adviser.facts, case.case)
    assert standing is not None
    assert standing.end is not None
    assert waiting.due_at == datetime.combine(standing.end - timedelta(days=2), datetime.min.time(), UTC) + timedelta(
        hours=6
    )
    assert "09:00" in set_["text"]  # in Nairobi
    listed = await talk(person, "/reminders")
    assert "09:00" in listed["text"]
    assert "eBay" in listed["text"]
    await person.press(action(listed, "Take back"), listed)
    assert not await bot.services.reminders.waiting(SELLER)


@pytest.mark.parametrize(
    ("text", "days"),
    [("remind me two days before the deadline", 2), ("please remind me 1 day before", 1), ("remind me", None)],
)
async def test_a_reminder_is_wished_for_in_words(bot: Bot, text: str, days: int | None) -> None:
    person = bot.person()
    await far(person)
    sent = await talk(person, text)
    if days is None:
        assert "When shall I remind you" in sent["text"]
        sent = await talk(person, "the day before")
    assert "I write to you on" in sent["text"]
    (waiting,) = await bot.services.reminders.waiting(SELLER)
    assert (datetime.fromisoformat(waiting.about).date() - waiting.due_at.date()).days == (days or 1)


async def test_the_other_pages_work_by_typing_too(bot: Bot) -> None:
    person = bot.person()
    await opened(person)
    await talk(person, "who can help", "ask me later if it helped", "in 7 days")
    (waiting,) = await bot.services.reminders.waiting(SELLER)
    assert waiting.kind is ReminderKind.FOLLOW_UP
    await talk(person, "/cases")
    await person.press(f"c:{waiting.case_id}:more")
    await person.say("save as text")
    assert len(bot.request.sent("sendDocument")) == 1
    assert "Closed" in (await talk(person, "close it"))["text"]


async def test_the_clock_is_asked_for_where_a_country_has_several(bot: Bot) -> None:
    await bot.services.people.update(SELLER, country="BR")
    person = bot.person()
    page = await far(person)
    (asked,) = await person.press(action(page, "Remind me"), page)
    assert "What time is it" in asked["text"]
    (offered,) = await person.press(action(asked, "Manaus"), asked)
    assert "When shall I remind you" in offered["text"]
    await person.press(action(offered, "The day before"), offered)
    (waiting,) = await bot.services.reminders.waiting(SELLER)
    assert waiting.due_at.hour == 13


async def test_a_reminder_fires_once_after_the_bot_was_down(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    await bot.look()
    assert not fired(bot)
    await bot.stop()
    await bot.start()
    await bot.shift(days=60)
    await asyncio.gather(bot.look(), bot.look(), bot.look())
    await bot.look()
    (reminder,) = fired(bot)
    assert "eBay" in reminder["text"]
    assert "Go on with it" in buttons(reminder)
    await bot.restart()
    await bot.look()
    assert len(fired(bot)) == 1


def fired(bot: Bot) -> list[dict[str, Any]]:
    return [sent for sent in bot.request.sent() if "Reminder:" in sent["text"]]


async def test_a_reminder_comes_by_the_job_queue_itself(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    await bot.shift(days=60)
    assert reminders.LOOK_SECONDS <= 30
    await bot.app.start()
    for _wait in range(100):
        if fired(bot):
            break
        await asyncio.sleep(0.1)
    await bot.app.stop()
    assert len(fired(bot)) == 1


async def test_a_reminder_that_was_being_sent_when_the_bot_died_is_sent(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    await bot.shift(days=60)
    (waiting,) = await bot.services.reminders.waiting(SELLER)
    assert await bot.services.reminders.take(waiting.id, datetime.now(UTC))
    assert not await bot.services.reminders.take(waiting.id, datetime.now(UTC))
    await bot.look()
    assert not fired(bot)
    await bot.shift(minutes=3)
    await bot.look()
    await bot.look()
    assert len(fired(bot)) == 1
    await bot.shift(minutes=3)
    assert not await bot.services.reminders.take(waiting.id, datetime.now(UTC))  # it is sent, and stays so


async def test_many_reminders_of_one_minute_go_side_by_side(bot: Bot) -> None:
    await far(bot.person())
    (case,) = await bot.services.cases.open(SELLER)
    for number in range(20):
        at = datetime.now(UTC) - timedelta(minutes=number)
        await bot.services.reminders.add(SELLER, case.case.id, ReminderKind.DEADLINE, "2027-01-01", at)
    await bot.look()
    assert len(fired(bot)) == 20


async def test_a_clock_of_another_country_does_not_count(bot: Bot) -> None:
    await bot.services.people.update(SELLER, timezone="America/Manaus")  # and the country is Kenya
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    (waiting,) = await bot.services.reminders.waiting(SELLER)
    assert waiting.due_at.hour == 6


async def test_a_chat_that_is_gone_is_not_tried_for_ever(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    await bot.shift(days=60)
    gone = {"description": "Bad Request: chat not found"}
    bot.request.fault = lambda name, _: (400, gone) if name == "sendMessage" else None
    await bot.look()
    bot.request.fault = None
    await bot.look()
    assert not fired(bot)


async def test_a_seller_who_blocked_the_bot(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    await bot.shift(days=60)

    def blocked(name: str, _: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        return (403, {"description": "Forbidden: bot was blocked by the user"}) if name == "sendMessage" else None

    bot.request.fault = blocked
    await bot.look()
    bot.request.fault = None
    await bot.look()
    assert not fired(bot)
    assert not await bot.services.reminders.waiting(SELLER)


async def test_a_passing_fault_only_delays_a_reminder(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    await bot.shift(days=60)
    bot.request.fault = lambda name, _: (500, {"description": "Internal"}) if name == "sendMessage" else None
    await bot.look()
    bot.request.fault = None
    await bot.look()
    assert len(fired(bot)) == 1


async def test_a_reminder_of_a_closed_case_is_silent(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    await bot.shift(days=60)
    (case,) = await bot.services.cases.open(SELLER)
    await bot.services.cases.set_open(case.case.id, SELLER, is_open=False)
    await bot.look()
    assert not fired(bot)


async def test_reminders_have_a_limit_and_do_not_double(bot: Bot) -> None:
    await opened(bot.person())
    (case,) = await bot.services.cases.open(SELLER)
    at, store = datetime.now(UTC) + timedelta(days=1), bot.services.reminders
    first = await store.add(SELLER, case.case.id, ReminderKind.DEADLINE, "2026-12-01", at)
    assert await store.add(SELLER, case.case.id, ReminderKind.DEADLINE, "2026-12-01", at) == first
    for minute in range(1, MOST_WAITING):
        later = at + timedelta(minutes=minute)
        await store.add(SELLER, case.case.id, ReminderKind.DEADLINE, "2026-12-01", later)
    with pytest.raises(TooManyRemindersError):
        await store.add(SELLER, case.case.id, ReminderKind.DEADLINE, "2026-12-01", at + timedelta(days=9))


async def test_only_ones_own_reminder_can_be_taken_back(bot: Bot) -> None:
    person = bot.person()
    await remind(person, await far(person), "Two days before")
    (waiting,) = await bot.services.reminders.waiting(SELLER)
    await bot.person(STRANGER).press(f"n:{waiting.id}")
    assert await bot.services.reminders.waiting(SELLER)


# Coming back


async def asked_later(bot: Bot) -> dict[str, Any]:
    """A plan whose seller agreed to be asked; the question that came."""
    person = bot.person()
    top = await talk(person, *CHOICE)
    (one,) = await person.press(action(top, "1. Amazon"), top)
    (step,) = await person.press(action(one, "Plan the first month"), one)
    (when,) = await person.press(action(step, "Ask me later"), step)
    await person.press(action(when, "in 7 days"), when)
    await bot.look()
    await bot.shift(days=8)
    await bot.look()
    await bot.look()
    questions = [sent for sent in bot.request.sent() if "You wanted me to ask" in sent["text"]]
    assert len(questions) == 1
    return questions[0]


@pytest.mark.parametrize("label", ["it helped", "did not help", "Not yet", "let it be"])
async def test_it_asks_once_whether_the_step_helped(bot: Bot, label: str) -> None:
    question = await asked_later(bot)
    person = bot.person()
    (following,) = await person.press(action(question, label), question)
    assert "step 2 of" in following["text"] if "help" in label else "step 1 of" in following["text"]
    await person.press(action(question, label), question)  # a second press counts nothing
    async with bot.services.people._engine.begin() as connection:
        (count,) = (await connection.exec_driver_sql("SELECT count(*) FROM outcomes")).one()
        (row,) = (await connection.exec_driver_sql("SELECT * FROM outcomes")).all()
    assert count == 1
    assert set(row[1:-1]) == {
        "plan:papers",
        "KE",
        {"it helped": "helped", "did not help": "no-help"}.get(label, row[3]),
    }


async def test_results_are_sums_for_members_only(bot: Bot) -> None:
    outcomes = bot.services.outcomes
    for result in (Result.HELPED, Result.HELPED, Result.NO_HELP, Result.NOT_YET):
        await outcomes.add("plan:papers", "KE", result)
    assert not await outcomes.sums()
    assert FEWEST == 5
    await outcomes.add("plan:papers", "KE", Result.HELPED)
    (shown,) = await outcomes.sums(["KE"])
    assert (shown.total, shown.counts[Result.HELPED]) == (5, 3)
    assert not await outcomes.sums(["GH"])
    (owner,) = await bot.person(1).say("/results")
    assert "5 answers" in owner["text"]
    (stranger,) = await bot.person(STRANGER).say("/results")
    assert "do not know that command" in stranger["text"]
