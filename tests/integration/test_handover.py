"""A question passed to an agency, to and fro, in plain groups and in forums; and every wrong side."""

from __future__ import annotations

import asyncio
import types
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select, text, update

from bot.advice.adviser import Adviser
from bot.advice.reply import Reply, ReplyKind
from bot.advice.richtext import RichText
from bot.advice.understand import Profile, Turn
from bot.app import App, build_application
from bot.handlers import handover, patience
from bot.handlers.context import Services
from bot.handovers import MOST_AN_HOUR, MOST_OPEN, TEXT_LENGTH, HandoverMessageRow, HandoverRow
from bot.limits import CALLBACK_DATA_BYTES
from bot.members import Role
from bot.settings import BotSettings
from knowledge.gazetteer import Entities
from tests.integration.offline import ME, OfflineRequest, Person, buttons

QUESTION = "how many sellers are on poshmark and whats the cut"
OWNER, SELLER, MEMBER, COLLEAGUE, RIVAL, STRANGER = 1, 7, 21, 22, 31, 41
DESK, ELSEWHERE = -1001, -1002
AGENCY, OTHER = "nairobi-desk", "accra-desk"


@dataclass
class World:
    """A running bot, a seller in Kenya, an agency for Kenya with a group, another for Ghana with its own."""

    request: OfflineRequest
    data_dir: Path
    adviser: Adviser
    app: App = field(init=False)

    async def start(self) -> None:
        settings = BotSettings(data_dir=self.data_dir, owner_ids=(OWNER,))
        self.app = build_application(settings, self.adviser, request=self.request, token="1:TEST")
        await self.app.initialize()
        assert self.app.post_init
        await self.app.post_init(self.app)

    async def stop(self) -> None:
        await self.app.shutdown()
        self.services.catalogue.close()
        await self.services.people._engine.dispose()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def furnish(self) -> None:
        catalogue, members = self.services.catalogue, self.services.members
        for name, country, group in (("Nairobi Desk", "KE", DESK), ("Accra Desk", "GH", ELSEWHERE)):
            agency = catalogue.add_agency(name, [country], ["en"], f"+25 {name}", "https://example.org", actor="cli")
            catalogue.set_group(agency.id, group, actor="cli")
        for user, agency_id in ((MEMBER, AGENCY), (COLLEAGUE, AGENCY), (RIVAL, OTHER)):
            await members.redeem(await members.invite(Role.CONTRIBUTOR, agency_id, "x", by=OWNER), user)
        await self.services.people.update(SELLER, country="KE", product="sisal baskets", language="en")

    @property
    def services(self) -> Services:
        found: Services = self.app.bot_data["services"]
        return found

    def person(self, user: int) -> Person:
        return Person(self.app, self.request, user=user)

    async def ask(self, user: int = SELLER, question: str = QUESTION) -> dict[str, Any]:
        """Ask, press the agency's button; returns the preview."""
        seller = self.person(user)
        await seller.say(question)
        (preview,) = await seller.press(f"h:ask:{AGENCY}")
        return preview

    async def hand_over(self, question: str = QUESTION) -> tuple[int, dict[str, Any]]:
        """All the way into the group; the hand-over's number and the message in the group."""
        id = number(await self.ask(question=question), "Send")
        sent = await self.person(SELLER).press(f"h:send:{id}")
        return id, only(sent, DESK)

    async def in_group(
        self, user: int, text: str, to: dict[str, Any] | None = None, **fields: Any
    ) -> list[dict[str, Any]]:
        """Write in the agency's group, in reply to a message of the bot."""
        return await self.person(user).say(text, **self._in_group(user, to, fields))

    def _in_group(self, user: int, to: dict[str, Any] | None, fields: dict[str, Any]) -> dict[str, Any]:
        chat = {"id": fields.pop("group", DESK), "type": "supergroup", "title": "Desk"}
        if to is not None:
            replied = self.person(user).message(to["text"], chat=chat) | {"from": ME, "message_id": to["message_id"]}
            if "reply_markup" in to:
                replied["reply_markup"] = to["reply_markup"]
            fields["reply_to_message"] = replied
        return {"chat": chat, **fields}

    async def press_in_group(self, user: int, data: str, group: int = DESK) -> list[dict[str, Any]]:
        return await self.person(user).press(data, chat={"id": group, "type": "supergroup", "title": "Desk"})

    async def state(self, id: int) -> str | None:
        handover_ = await self.services.handovers.get(id)
        return handover_.state.value if handover_ else None

    async def age(self, hours: float) -> None:
        """Let all hand-overs wait for that long."""
        then = datetime.now(UTC) - timedelta(hours=hours)
        async with self.services.handovers._sessions.begin() as session:
            await session.execute(update(HandoverRow).values(waiting_since=then, created_at=then))
            await session.execute(update(HandoverRow).where(HandoverRow.closed_at.is_not(None)).values(closed_at=then))
            await session.execute(update(HandoverRow).where(HandoverRow.sent_at.is_not(None)).values(sent_at=then))
            await session.execute(update(HandoverMessageRow).values(created_at=then))

    async def job(self) -> list[dict[str, Any]]:
        """Run the job that looks after what waits; returns what was sent."""
        before = len(self.request.sent())
        context: Any = types.SimpleNamespace(bot=self.app.bot, bot_data=self.app.bot_data)
        await patience.look_after(context)
        await patience.tidy(context)
        return self.request.sent()[before:]


@pytest.fixture
async def world(adviser: Adviser, request_: OfflineRequest, tmp_path: Path) -> AsyncIterator[World]:
    world = World(request_, tmp_path / "data", adviser)
    await world.start()
    await world.furnish()
    yield world
    await world.stop()


def number(message: dict[str, Any], label: str) -> int:
    return int(buttons(message)[label].split(":")[2])


def only(sent: list[dict[str, Any]], chat: int) -> dict[str, Any]:
    (found,) = [message for message in sent if message["chat_id"] == chat]
    return found


def to(sent: list[dict[str, Any]], chat: int) -> list[str]:
    return [message["text"] for message in sent if message["chat_id"] == chat]


def refuse(*chats: int, code: int = 403, description: str = "Forbidden: bot was kicked", **parameters: Any) -> Any:
    def fault(name: str, sent: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if sent.get("chat_id") in chats and name != "editMessageReplyMarkup":
            return code, {"description": description, **({"parameters": parameters} if parameters else {})}
        return None

    return fault


# The offer


async def test_an_agency_is_offered_only_where_one_can_answer(world: World) -> None:
    (answered,) = await world.person(SELLER).say(QUESTION)
    assert buttons(answered)["Ask Nairobi Desk"] == f"h:ask:{AGENCY}"
    (sure,) = await world.person(SELLER).say("how do i avoid the etsy currency conversion fee?")
    assert not any(data.startswith("h:") for data in buttons(sure).values())
    abroad = world.person(STRANGER)
    await world.services.people.update(STRANGER, country="UG")
    (unchanged,) = await abroad.say(QUESTION)
    assert not any(data.startswith("h:") for data in buttons(unchanged).values())
    assert unchanged["text"] == answered["text"]
    group = {"id": -55, "type": "supergroup", "title": "Sellers"}
    (public,) = await world.person(SELLER).say(f"@tradewind_bot {QUESTION}", chat=group)
    assert not any(data.startswith("h:") for data in buttons(public).values())


@pytest.mark.parametrize(
    ("kind", "intent", "is_offered"),
    [
        (ReplyKind.DECLINE, "unknown", True),
        (ReplyKind.DECLINE, "check-failed", True),
        (ReplyKind.DECLINE, "fees", True),
        (ReplyKind.ASK_BACK, "unclear", True),
        (ReplyKind.DECLINE, "out-of-scope", False),
        (ReplyKind.DECLINE, "unsafe-fraud", False),
        (ReplyKind.ASK_BACK, "vague", False),
        (ReplyKind.ANSWER, "fees", False),
    ],
)
async def test_which_replies_carry_the_offer(world: World, kind: ReplyKind, intent: str, is_offered: bool) -> None:
    context: Any = types.SimpleNamespace(bot_data=world.app.bot_data)
    reply = Reply(RichText.plain("x"), kind, intent, "en")
    offered = await handover.offer(context, reply, Profile(country="KE"), Turn("x"))
    assert bool(offered.buttons) is is_offered
    from_question = Turn("x", Entities(countries=("KE",)))
    assert bool((await handover.offer(context, reply, Profile(), from_question)).buttons) is is_offered
    assert not (await handover.offer(context, reply, Profile(), Turn("x"))).buttons


async def test_the_sellers_language_comes_first_and_names_fit_a_button(world: World) -> None:
    catalogue = world.services.catalogue
    for name, group in (("Chambre " + "d'artisanat " * 8, -1003), ("Third", -1004)):
        made = catalogue.add_agency(name, ["KE"], ["fr" if group == -1003 else "en"], "c", "u", actor="cli")
        catalogue.set_group(made.id, group, actor="cli")
    catalogue.add_agency("Without a group", ["KE"], ["fr"], "c", "u", actor="cli")
    world.services.agencies._read_at = None
    context: Any = types.SimpleNamespace(bot_data=world.app.bot_data)
    reply = Reply(RichText.plain("x"), ReplyKind.DECLINE, "unknown", "fr")
    first, second = (await handover.offer(context, reply, Profile(country="KE"), Turn("x"))).buttons
    assert first.action.startswith("h:ask:chambre")
    assert second.action == f"h:ask:{AGENCY}"
    assert len(first.label) <= 60
    assert all(len(button.action.encode()) <= CALLBACK_DATA_BYTES for button in (first, second))


async def test_who_wants_a_person_is_asked_for_the_question(world: World) -> None:
    (reply,) = await world.person(SELLER).say("can i talk to a person")
    assert "cannot call a person" not in reply["text"]
    assert "In Kenya you can ask:" in reply["text"]
    (asked,) = await world.person(SELLER).press(buttons(reply)["Ask Nairobi Desk"])
    assert "Write your question" in asked["text"]
    (preview,) = await world.person(SELLER).say("who certifies my sisal?")
    assert "who certifies my sisal?" in preview["text"]
    assert not to(world.request.sent(), DESK)
    await world.services.people.update(STRANGER, country="UG")
    (unchanged,) = await world.person(STRANGER).say("can i talk to a person")
    assert "cannot call a person" in unchanged["text"]


async def test_without_the_agencies_table_questions_are_answered(world: World) -> None:
    async with world.services.people._engine.begin() as connection:
        await connection.execute(text("ALTER TABLE agencies RENAME TO lost"))
        await connection.execute(text("ALTER TABLE handovers RENAME TO lost_too"))
    world.services.agencies._known, world.services.agencies._read_at = [], None
    (answered,) = await world.person(SELLER).say(QUESTION)
    assert "Ask Nairobi Desk" not in buttons(answered)
    (again,) = await world.person(SELLER).say(
        QUESTION, reply_to_message=world.person(SELLER).message("x") | {"from": ME}
    )
    assert again["text"] == answered["text"]


# Consent


async def test_nothing_is_sent_before_send_is_pressed(world: World) -> None:
    preview = await world.ask()
    for part in (QUESTION, "Nairobi Desk", "Kenya", "sisal baskets", "English", "+25 Nairobi Desk", "not shown"):
        assert part in preview["text"]
    assert not to(world.request.sent(), DESK)
    seller = world.person(SELLER)
    (asked,) = await seller.press(buttons(preview)["Change words"])
    assert "Cancel" in buttons(asked)
    (reworded,) = await seller.say("what does poshmark take from a sale?")
    assert "what does poshmark take" in reworded["text"]
    assert QUESTION not in reworded["text"]
    assert not await seller.press(buttons(preview)["Send"]), "what the old preview shows is not what would be sent"
    sent = await seller.press(buttons(reworded)["Send"])
    posted = only(sent, DESK)
    for part in ("what does poshmark take from a sale?", "Kenya", "sisal baskets", "English", "Reply to this message"):
        assert part in posted["text"]
    assert str(SELLER) not in posted["text"]
    assert not any(entity["type"] not in ("bold", "italic") for entity in posted["entities"])
    assert "Sent to Nairobi Desk" in to(sent, SELLER)[0]


async def test_a_draft_can_be_dropped_and_changing_it_left(world: World) -> None:
    seller = world.person(SELLER)
    preview = await world.ask()
    (asked,) = await seller.press(buttons(preview)["Change words"])
    (shown,) = await seller.press(buttons(asked)["Cancel"])
    assert QUESTION in shown["text"]
    await seller.press(buttons(shown)["Change words"])
    (shown,) = await seller.say("/cancel")
    assert QUESTION in shown["text"]
    (dropped,) = await seller.press(buttons(shown)["Cancel"])
    assert "nothing was sent" in dropped["text"]
    assert not await seller.press(buttons(shown)["Send"])
    assert not to(world.request.sent(), DESK)
    (nothing,) = await seller.say("/cancel")
    assert "nothing to cancel" in nothing["text"]


async def test_a_second_press_sends_nothing(world: World) -> None:
    id, _posted = await world.hand_over()
    assert not await world.person(SELLER).press(f"h:send:{id}")
    assert len(to(world.request.sent(), DESK)) == 1


async def test_of_two_who_press_at_once_one_sends(world: World) -> None:
    id = number(await world.ask(), "Send")
    begun = await asyncio.gather(*(world.services.handovers.begin(id) for _ in range(5)))
    assert len([one for one in begun if one]) == 1


async def test_without_a_question_it_is_asked_for(world: World) -> None:
    seller = world.person(SELLER)
    (asked,) = await seller.press(f"h:ask:{AGENCY}")
    assert "Write your question" in asked["text"]
    (too_long,) = await seller.say("x" * (TEXT_LENGTH + 1))
    assert str(TEXT_LENGTH) in too_long["text"]
    photo = [{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}]
    (only_text,) = await seller.update(message=seller.message(photo=photo, caption="this one"))
    assert "only carry text" in only_text["text"]
    (preview,) = await seller.say("who weighs my parcels?")
    assert "who weighs my parcels?" in preview["text"]


# To and fro


async def test_the_whole_way_in_a_plain_group(world: World) -> None:
    id, posted = await world.hand_over()
    assert await world.state(id) == "waiting"
    answered = await world.in_group(MEMBER, "The cut is 20 percent. <b>*_really_*</b>", posted)
    carried = only(answered, SELLER)
    assert "Answer from Nairobi Desk (a person wrote this):" in carried["text"]
    assert "<b>*_really_*</b>" in carried["text"]
    confirmed = only(answered, DESK)
    assert confirmed["text"] == "Delivered."
    assert await world.state(id) == "answered"
    seller = world.person(SELLER)
    (asked,) = await seller.press(buttons(carried)["Write back"])
    back = await seller.say("And for small parcels?")
    assert "And for small parcels?" in only(back, DESK)["text"]
    assert only(back, DESK)["reply_parameters"]["message_id"], "messages hang together"
    assert await world.state(id) == "waiting"
    again = await world.in_group(COLLEAGUE, "The same.", only(back, DESK))
    assert "The same." in only(again, SELLER)["text"]
    (free,) = await seller.say("how much does etsy take from a sale?")
    assert free["chat_id"] == SELLER
    assert "Etsy" in free["text"], "what is not written back goes to the adviser"
    closed = await seller.press(buttons(only(again, SELLER))["This settles it"])
    assert len(to(closed, SELLER)) == 1
    assert len(to(closed, DESK)) == 1
    assert await world.state(id) == "closed"
    assert asked


async def test_the_whole_way_in_a_forum(world: World) -> None:
    world.request.forums.add(DESK)
    id, posted = await world.hand_over()
    (made,) = world.request.sent("createForumTopic")
    assert made["name"].startswith("Kenya: how many sellers")
    assert len(made["name"]) <= 128
    topic = posted["message_thread_id"]
    found = await world.services.handovers.get(id)
    assert found is not None
    assert found.topic_id == topic
    made_by_us = {"message_id": topic, "date": 0, "chat": {"id": DESK, "type": "supergroup"}, "from": ME,
                  "forum_topic_created": {"name": "x", "icon_color": 0}}  # fmt: skip
    inside = {"message_thread_id": topic, "is_topic_message": True, "reply_to_message": made_by_us}
    answered = await world.in_group(MEMBER, "It is 20 percent.", **inside)
    assert "It is 20 percent." in only(answered, SELLER)["text"]
    assert only(answered, DESK)["message_thread_id"] == topic
    back = await world.person(SELLER).say(
        "Thanks, and in June?", reply_to_message=reply_to(world, only(answered, SELLER))
    )
    assert only(back, DESK)["message_thread_id"] == topic
    assert "in June?" in only(back, DESK)["text"]
    (advised,) = await world.in_group(MEMBER, "@tradewind_bot how much does etsy take?", **inside)
    assert advised["chat_id"] == DESK
    assert "Etsy" in advised["text"], "the adviser can be asked in a topic, too"
    assert not await world.in_group(MEMBER, "hello", message_thread_id=77, is_topic_message=True,
                                    reply_to_message=made_by_us)  # fmt: skip
    second, other = await world.hand_over("do you know a weaver in Kisumu for poshmark")
    assert other["message_thread_id"] != topic
    await world.person(SELLER).press(f"h:done:{second}")
    assert world.request.sent()[-1]["message_thread_id"] in (topic, other["message_thread_id"])


def reply_to(world: World, sent: dict[str, Any]) -> dict[str, Any]:
    return world.person(SELLER).message(sent["text"]) | {"from": ME, "message_id": sent["message_id"]}


async def test_a_reply_to_a_carried_message_goes_back_without_a_button(world: World) -> None:
    id, posted = await world.hand_over()
    carried = only(await world.in_group(MEMBER, "Yes.", posted), SELLER)
    back = await world.person(SELLER).say("Are you sure?", reply_to_message=reply_to(world, carried))
    assert "Are you sure?" in only(back, DESK)["text"]
    assert await world.state(id) == "waiting"


async def test_writing_back_can_be_left(world: World) -> None:
    id, _posted = await world.hand_over()
    seller = world.person(SELLER)
    await seller.press(f"h:write:{id}")
    await seller.say("/cancel")
    (free,) = await seller.say("how much does etsy take from a sale?")
    assert "Etsy" in free["text"]
    (asked,) = await seller.press(f"h:write:{id}")
    await seller.press(buttons(asked)["Cancel"])
    (free,) = await seller.say("how much does etsy take from a sale?")
    assert free["chat_id"] == SELLER


async def test_an_edit_is_carried_as_a_correction(world: World) -> None:
    _id, posted = await world.hand_over()
    member, seller = world.person(MEMBER), world.person(SELLER)
    message = member.message("It is 2 percent.", **world._in_group(MEMBER, posted, {}))
    await member.update(message=message)
    edited = message | {"text": "It is 20 percent.", "edit_date": 1}
    sent = await member.update(edited_message=edited)
    assert "Correction from Nairobi Desk" in only(sent, SELLER)["text"]
    assert "20 percent" in only(sent, SELLER)["text"]
    assert not await member.update(edited_message=edited), "what did not change is not carried again"
    words = seller.message("And in May?", reply_to_message=reply_to(world, only(sent, SELLER)))
    await seller.update(message=words)
    corrected = await seller.update(edited_message=words | {"text": "And in June?", "edit_date": 1})
    assert "And in June?" in only(corrected, DESK)["text"]


async def test_only_text_is_carried(world: World) -> None:
    _id, posted = await world.hand_over()
    member = world.person(MEMBER)
    voice = {"file_id": "1", "file_unique_id": "1", "duration": 3}
    sent = await member.update(message=member.message(**world._in_group(MEMBER, posted, {"voice": voice})))
    assert "only carry text" in only(sent, DESK)["text"]
    assert not to(sent, SELLER)


async def test_a_long_answer_arrives_whole(world: World) -> None:
    _id, posted = await world.hand_over()
    sent = await world.in_group(MEMBER, "word " * 819, posted)
    parts = [message for message in sent if message["chat_id"] == SELLER]
    assert len(parts) == 2
    back = await world.person(SELLER).say("To the first part", reply_to_message=reply_to(world, parts[0]))
    assert to(back, DESK), "each part leads back"


async def test_an_update_that_comes_again_after_a_restart_is_not_carried_twice(world: World) -> None:
    _id, posted = await world.hand_over()
    member = world.person(MEMBER)
    message = member.message("Once.", **world._in_group(MEMBER, posted, {}))
    await member.update(message=message)
    await world.restart()
    assert not await world.person(MEMBER).update(message=message)


# Cards


async def test_an_answer_becomes_a_draft_card_once(world: World) -> None:
    id, posted = await world.hand_over()
    confirmed = only(await world.in_group(MEMBER, "The cut is 20 percent of the price.", posted), DESK)
    data = buttons(confirmed)["Make it a draft card"]
    await world.press_in_group(STRANGER, data)
    await world.press_in_group(RIVAL, data)
    await world.press_in_group(RIVAL, data, group=ELSEWHERE)
    await world.person(SELLER).press(data)
    await world.press_in_group(MEMBER, f"h:card:{id}:99999")
    catalogue = world.services.catalogue
    assert not catalogue.drafts()
    sent = await world.press_in_group(MEMBER, data)
    (draft,) = catalogue.drafts()
    assert draft.document.agency == AGENCY
    assert "20 percent" in draft.document.body
    assert QUESTION in draft.document.questions["en"]
    assert to(sent, MEMBER), "the draft is shown to who pressed"
    assert "in the library" in to(sent, DESK)[0]
    left = world.request.sent("editMessageReplyMarkup")[-1]["reply_markup"]["inline_keyboard"]
    assert [button["text"] for row in left for button in row] == ["Close"]


# The wrong side


async def test_others_cannot_touch_a_sellers_hand_over(world: World) -> None:
    preview = await world.ask()
    id = number(preview, "Send")
    for action in ("send", "edit", "drop", "write", "done", "open", "close", "card"):
        assert not await world.person(STRANGER).press(f"h:{action}:{id}")
        assert not await world.press_in_group(MEMBER, f"h:{action}:{id}")
    assert await world.state(id) == "draft"
    await world.person(SELLER).press(f"h:send:{id}")
    for user in (STRANGER, MEMBER, OWNER):
        for action in ("send", "write", "done", "close"):
            assert not await world.person(user).press(f"h:{action}:{id}")
    for user, group in ((STRANGER, DESK), (RIVAL, DESK), (RIVAL, ELSEWHERE), (SELLER, DESK)):
        for action in ("close", "done", "open", "send", "write"):
            assert not await world.press_in_group(user, f"h:{action}:{id}", group)
    assert await world.state(id) == "waiting"


@pytest.mark.parametrize(
    "data",
    ["h:", "h:send", "h:send:x", "h:send:0", "h:send:999999999", "h:send:99999999999999999999", "h:fly:1", "h:card:1",
     "h:ask:", "h:ask:nobody", "h:ask:accra-desk", "h:ask:../x", "h:done:-1", "h:stop:1", "h:ask:nairobi-desk:x"],
)  # fmt: skip
async def test_forged_buttons_are_acknowledged_and_do_nothing(world: World, data: str) -> None:
    assert not await world.person(SELLER).press(data)
    assert not await world.press_in_group(STRANGER, data)
    assert len(world.request.sent("answerCallbackQuery")) == 2


async def test_only_members_of_this_agency_answer(world: World) -> None:
    id, posted = await world.hand_over()
    for user in (STRANGER, RIVAL, SELLER):
        sent = await world.in_group(user, "Buy at my shop", posted)
        assert "Only members" in only(sent, DESK)["text"]
        assert not [t for t in to(sent, SELLER) if "Buy" in t]
    (member,) = [m for m in await world.services.members.of_agency(AGENCY) if m.telegram_id == MEMBER]
    await world.services.members.revoke(member.id, by=OWNER)
    sent = await world.in_group(MEMBER, "Still here", posted)
    assert "Only members" in only(sent, DESK)["text"]
    assert not await world.press_in_group(MEMBER, f"h:close:{id}")
    assert await world.state(id) == "waiting"
    assert "Hello" in only(await world.in_group(OWNER, "Hello", posted), SELLER)["text"], "maintainers may"


async def test_talk_in_the_group_that_is_for_nobody_is_let_be(world: World) -> None:
    _id, posted = await world.hand_over()
    assert not await world.in_group(MEMBER, "Lunch?")
    between = world.person(MEMBER).message("x", chat={"id": DESK, "type": "supergroup"})
    between |= {"message_id": posted["message_id"], "from": {"id": COLLEAGUE, "is_bot": False, "first_name": "C"}}
    assert not await world.in_group(MEMBER, "I think this one is dull", reply_to_message=between)
    (advised,) = await world.in_group(MEMBER, "@tradewind_bot how much does etsy take?")
    assert "Etsy" in advised["text"]
    (followed,) = await world.in_group(MEMBER, "how much does ebay take?", advised)
    assert "eBay" in followed["text"]


async def test_another_group_does_not_answer_for_the_agency(world: World) -> None:
    _id, posted = await world.hand_over()
    sent = await world.in_group(MEMBER, "From elsewhere", posted, group=ELSEWHERE)
    assert not to(sent, SELLER)


# What cannot be reached


@pytest.mark.parametrize(
    ("code", "description"),
    [(403, "Forbidden: bot was kicked from the supergroup chat"), (400, "Bad Request: chat not found")],
)
async def test_a_group_that_is_gone_loses_nothing(world: World, code: int, description: str) -> None:
    id = number(await world.ask(), "Send")
    world.request.fault = refuse(DESK, code=code, description=description)
    sent = await world.person(SELLER).press(f"h:send:{id}")
    (told,) = [message for message in sent if message["chat_id"] == SELLER]
    assert "could not be sent" in told["text"]
    assert "+25 Nairobi Desk" in told["text"]
    assert len(to(sent, OWNER)) == 1
    assert QUESTION not in to(sent, OWNER)[0]
    assert await world.state(id) == "draft"
    again = await world.person(SELLER).press(buttons(told)["Send again"])
    assert not to(again, OWNER), "maintainers hear of it once"
    world.request.fault = None
    assert QUESTION in only(await world.person(SELLER).press(buttons(told)["Send again"]), DESK)["text"]
    assert await world.state(id) == "waiting"


async def test_a_group_that_became_a_supergroup_is_followed(world: World) -> None:
    id = number(await world.ask(), "Send")
    description = "Bad Request: group chat was upgraded to a supergroup chat"
    world.request.fault = refuse(DESK, code=400, description=description, migrate_to_chat_id=-1009)
    sent = await world.person(SELLER).press(f"h:send:{id}")
    assert QUESTION in only(sent, -1009)["text"]
    assert world.services.catalogue.agency(AGENCY).group_chat_id == -1009
    message = world.person(MEMBER).message(chat={"id": -1009, "type": "group"}, migrate_to_chat_id=-1010)
    await world.person(MEMBER).update(message=message)
    assert world.services.catalogue.agency(AGENCY).group_chat_id == -1010
    back = await world.person(SELLER).say("more", reply_to_message=reply_to(world, only(sent, SELLER)))
    assert len(to(back, -1010)) == 2, "the question is put there first"


async def test_a_topic_that_was_deleted_is_made_anew(world: World) -> None:
    world.request.forums.add(DESK)
    id, posted = await world.hand_over()

    def fault(name: str, sent: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        gone = name == "sendMessage" and sent.get("message_thread_id") == posted["message_thread_id"]
        return (400, {"description": "Bad Request: message thread not found"}) if gone else None

    world.request.fault = fault
    await world.person(SELLER).press(f"h:write:{id}")
    sent = await world.person(SELLER).say("Are you there?")
    question, more = to(sent, DESK)
    assert QUESTION in question
    assert "Are you there?" in more


async def test_a_forum_without_the_right_to_make_topics_is_a_plain_group(world: World) -> None:
    world.request.forums.add(DESK)

    def fault(name: str, _sent: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        return (400, {"description": "Bad Request: not enough rights"}) if name == "createForumTopic" else None

    world.request.fault = fault
    _id, posted = await world.hand_over()
    assert "message_thread_id" not in posted
    assert to(await world.in_group(MEMBER, "Yes.", posted), SELLER)


async def test_a_seller_who_blocked_the_bot_is_named_in_the_group(world: World) -> None:
    id, posted = await world.hand_over()
    world.request.fault = refuse(SELLER, description="Forbidden: bot was blocked by the user")
    sent = await world.in_group(MEMBER, "Yes.", posted)
    assert "did not reach" in only(sent, DESK)["text"]
    assert await world.state(id) == "waiting"


async def test_a_follow_up_that_cannot_go_says_so(world: World) -> None:
    id, posted = await world.hand_over()
    carried = only(await world.in_group(MEMBER, "Yes.", posted), SELLER)
    world.services.catalogue.set_group(AGENCY, None, actor="cli")
    sent = await world.person(SELLER).say("Really?", reply_to_message=reply_to(world, carried))
    assert "could not be passed on" in to(sent, SELLER)[0]
    assert await world.state(id) == "answered"


async def test_what_was_being_sent_when_the_program_ended_comes_back(world: World) -> None:
    id = number(await world.ask(), "Send")
    assert await world.services.handovers.begin(id)
    assert not await world.job()
    await world.age(1)
    await world.restart()
    (told,) = await world.job()
    assert told["chat_id"] == SELLER
    assert await world.state(id) == "draft"
    assert to(await world.person(SELLER).press(buttons(told)["Send again"]), DESK)


# Waiting


async def test_a_reminder_and_an_escalation_come_once_each(world: World) -> None:
    id, posted = await world.hand_over()
    assert not await world.job()
    await world.age(25)
    (reminder,) = await world.job()
    assert reminder["chat_id"] == DESK
    assert reminder["reply_parameters"]["message_id"] == posted["message_id"]
    await world.restart()
    assert not await world.job()
    await world.age(73)
    escalated = await world.job()
    told = only(escalated, SELLER)
    assert "has not answered" in told["text"]
    assert "+25 Nairobi Desk" in told["text"]
    assert "In Kenya you can ask:" in told["text"]
    assert QUESTION not in only(escalated, OWNER)["text"]
    assert not to(escalated, DESK)
    await world.restart()
    assert not await world.job()
    await world.in_group(MEMBER, "Sorry, yes.", posted)
    await world.age(200)
    assert not await world.job(), "who was answered waits no more"
    await world.person(SELLER).press(f"h:write:{id}")
    await world.person(SELLER).say("And now?")
    await world.age(25)
    assert [message["chat_id"] for message in await world.job()] == [DESK], "a new wait is reminded of anew"


async def test_a_bot_that_was_down_makes_up_for_both(world: World) -> None:
    await world.hand_over()
    await world.age(100)
    await world.restart()
    assert sorted(message["chat_id"] for message in await world.job()) == [DESK, OWNER, SELLER]
    assert not await world.job()


async def test_a_reminder_that_meets_a_passing_fault_comes_later(world: World) -> None:
    await world.hand_over()
    await world.age(25)
    world.request.fault = refuse(DESK, code=429, description="Too Many Requests", retry_after=1)
    assert not await world.job()
    world.request.fault = None
    assert len(await world.job()) == 1


@pytest.mark.parametrize("values", [{"handover_remind_hours": 0}, {"handover_escalate_hours": 721},
                                    {"handover_remind_hours": 72}, {"handover_escalate_hours": 24}])  # fmt: skip
def test_hours_that_make_no_sense_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        BotSettings(**values)  # type: ignore[arg-type]


# Closing


async def test_closing_and_opening_again(world: World) -> None:
    id, posted = await world.hand_over()
    closed = await world.press_in_group(MEMBER, f"h:close:{id}")
    assert "closed your question" in only(closed, SELLER)["text"]
    assert len(to(closed, DESK)) == 1
    assert not await world.press_in_group(MEMBER, f"h:close:{id}")
    late = only(await world.in_group(MEMBER, "One more thing", posted), DESK)
    assert "closed" in late["text"]
    await world.press_in_group(MEMBER, buttons(late)["Open it again"])
    assert "One more thing" in only(await world.in_group(MEMBER, "One more thing", posted), SELLER)["text"]
    carried = only(await world.in_group(MEMBER, "Good luck", posted), SELLER)
    seller = world.person(SELLER)
    await seller.press(f"h:done:{id}")
    (told,) = await seller.say("Wait", reply_to_message=reply_to(world, carried))
    assert "closed" in told["text"]
    await seller.press(buttons(told)["Open it again"])
    assert "Wait" in only(await seller.say("Wait"), DESK)["text"]


async def test_drafts_and_words_go_after_their_time(world: World) -> None:
    draft = number(await world.ask(question="does poshmark like drums"), "Send")
    id, posted = await world.hand_over()
    await world.in_group(MEMBER, "It is 20 percent.", posted)
    await world.person(SELLER).press(f"h:done:{id}")
    await world.age(24 * 91)
    await world.job()
    assert await world.state(draft) is None
    async with world.services.handovers._sessions() as session:
        assert not any(row.text for row in await session.scalars(select(HandoverMessageRow)))
        (row,) = await session.scalars(select(HandoverRow))
        assert (row.question, row.product) == ("", None)
    late = only(await world.in_group(MEMBER, "late", posted), DESK)
    assert "long ago" in late["text"]
    assert not await world.person(SELLER).press(f"h:open:{id}")


async def test_what_is_quiet_for_long_is_closed(world: World) -> None:
    id, posted = await world.hand_over()
    await world.in_group(MEMBER, "Yes.", posted)
    await world.age(24 * 91)
    assert not await world.job()
    assert await world.state(id) == "closed"


# Limits


async def test_a_seller_has_few_open_and_writes_only_so_much(world: World) -> None:
    for index in range(MOST_OPEN):
        id, _posted = await world.hand_over(f"{QUESTION} {index}")
    more = number(await world.ask(question=f"{QUESTION} more"), "Send")
    (full,) = await world.person(SELLER).press(f"h:send:{more}")
    assert len(buttons(full)) == MOST_OPEN
    await world.person(SELLER).press(next(iter(buttons(full).values())))
    assert to(await world.person(SELLER).press(f"h:send:{more}"), DESK)
    await world.services.people.update(SELLER, step=None)
    for index in range(MOST_AN_HOUR):
        await world.person(SELLER).press(f"h:write:{id}")
        assert to(await world.person(SELLER).say(f"line {index}"), DESK)
    await world.person(SELLER).press(f"h:write:{id}")
    (much,) = await world.person(SELLER).say("one more line")
    assert "a lot" in much["text"]


# Forgetting


async def test_forget_deletes_both_sides_words_and_tells_the_group(world: World) -> None:
    seller = world.person(SELLER)
    await seller.press(f"h:ask:{AGENCY}:type")  # what the adviser never saw is no gap either
    id = number(only(await seller.say("who dries zebrafish?"), SELLER), "Send")
    posted = only(await seller.press(f"h:send:{id}"), DESK)
    carried = only(await world.in_group(MEMBER, "Ask for xylophones.", posted), SELLER)
    await seller.say("I want ukuleles", reply_to_message=reply_to(world, carried))
    sent = await seller.press("x:yes")
    (told,) = to(sent, DESK)
    assert told == "The seller has deleted their data. This question is closed."
    assert await world.state(id) is None
    database = b"".join(path.read_bytes() for path in world.data_dir.glob("tradewind.sqlite*"))
    for word in (b"zebrafish", b"xylophones", b"ukuleles"):
        assert word not in database
    lost = await world.in_group(MEMBER, "Are you there?", posted)
    assert "Nothing was sent" in only(lost, DESK)["text"]
    (free,) = await world.person(SELLER).say("how much does etsy take?", reply_to_message=reply_to(world, carried))
    assert "Etsy" in free["text"]
    await world.services.people.update(SELLER, country="KE")
    later, _posted = await world.hand_over()
    assert later > id, "numbers are not given twice"


async def test_privacy_names_hand_overs(world: World) -> None:
    (sent,) = await world.person(SELLER).say("/privacy")
    assert "passed to an agency" in sent["text"]


async def test_logs_hold_no_words(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _id, posted = await world.hand_over("how many zebrafish sellers are on poshmark")
    carried = only(await world.in_group(MEMBER, "Ask for xylophones.", posted), SELLER)
    world.request.fault = refuse(DESK)
    await world.person(SELLER).say("I want ukuleles", reply_to_message=reply_to(world, carried))
    written = capsys.readouterr()
    assert "not_handed_over" in written.out + written.err
    for word in ("zebrafish", "xylophones", "ukuleles"):
        assert word not in written.out + written.err


# /group


async def test_a_group_is_bound_by_those_who_may(world: World) -> None:
    chat = {"id": -77, "type": "supergroup", "title": "New"}
    for user in (STRANGER, RIVAL):
        assert not await world.person(user).say(f"/group {AGENCY}", chat=chat)
    (hint,) = await world.person(STRANGER).say(f"/group {AGENCY}")
    assert "do not know that command" in hint["text"]
    (bound,) = await world.person(MEMBER).say(f"/group {AGENCY}", chat=chat)
    assert "privacy mode" in bound["text"]
    assert "manage topics" in bound["text"]
    assert world.services.catalogue.agency(AGENCY).group_chat_id == -77
    assert not await world.person(RIVAL).say(f"/group {OTHER}", chat=chat), "not over somebody else's group"
    assert not await world.person(RIVAL).say("/group off", chat=chat)
    (unknown,) = await world.person(OWNER).say("/group nobody", chat=chat)
    assert AGENCY in unknown["text"]
    await world.person(OWNER).say("/group off", chat=chat)
    assert world.services.catalogue.agency(AGENCY).group_chat_id is None
    (away,) = await world.person(SELLER).press(f"h:ask:{AGENCY}")
    assert "takes no questions" in away["text"]
