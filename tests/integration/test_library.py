"""Agencies add documents: roles, the way of a document through the chat, and every rule from its wrong side."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.advice.adviser import Adviser
from bot.app import App, build_application
from bot.settings import BotSettings
from ingest.catalogue import Catalogue, State
from knowledge.active import ActiveIndex
from knowledge.encoders import Encoder
from tests.integration.offline import OfflineRequest, Person, buttons

OWNER, STAFF, STRANGER, RIVAL = 1, 20, 30, 40
GUIDE = """# Sisal export permits 2026

Updated: 5 March 2026

## Who needs a sisal permit
Every weaver who sends more than twelve sisal baskets abroad needs the blue permit before the parcel leaves.

## Fees of the permit
| Permit | Fee | Time |
|---|---|---|
| Blue permit | KES 4,517 | 3 working days |
| Green permit | KES 1,283 | same day |

## Where to apply
Apply at desk 14 of the Nakuru office, Monday to Thursday, 08:15 to 12:40.
"""
QUESTION = "how much does the blue permit for sisal baskets cost?"


@pytest.fixture
async def desk(real_data_dir: Path, encoder: Encoder, request_: OfflineRequest, tmp_path: Path) -> AsyncIterator[App]:
    """The application on an index of its own, with one owner."""
    data_dir = tmp_path / "data"
    shutil.copytree(real_data_dir, data_dir)
    adviser = Adviser(ActiveIndex(data_dir, encoder))
    settings = BotSettings(data_dir=data_dir, owner_ids=(OWNER,))
    app = build_application(settings, adviser, request=request_, token="1:TEST")
    await app.initialize()
    assert app.post_init
    await app.post_init(app)
    yield app
    await app.shutdown()
    assert app.post_shutdown
    await app.post_shutdown(app)


def person(app: App, request: OfflineRequest, user: int, language: str = "en") -> Person:
    return Person(app, request, user, language)


def texts(sent: list[dict[str, Any]]) -> str:
    return "\n".join(message["text"] for message in sent)


async def agency(app: App, request: OfflineRequest, name: str, countries: str = "KE", staff: int = STAFF) -> str:
    """An agency with one contributor, made as an owner does it; returns its id."""
    owner = person(app, request, OWNER)
    listed = await owner.say("/agencies")
    await owner.press(buttons(listed[-1])["New agency"])
    made = await owner.say(f"{name}\n{countries}\nen, sw\nHarambee Avenue, desk 14\nhttps://example.org/{staff}")
    invite = buttons(made[-1])["Invite somebody"]
    await owner.press(invite)
    invited = await owner.say("Nairobi desk")
    token = re.search(r"start=(\S+)", texts(invited))
    assert token
    joined = await person(app, request, staff).say(f"/start {token[1]}")
    assert "You can now act for" in texts(joined)
    return invite.removeprefix("o:i:")


async def send_file(who: Person, content: bytes, name: str = "permits.md") -> list[dict[str, Any]]:
    who.request.files["F1"] = content
    document = {"file_id": "F1", "file_unique_id": "u", "file_name": name, "file_size": len(content)}
    return await who.update(message=who.message(document=document))


async def test_a_document_goes_from_a_file_to_answers_and_back(desk: App, request_: OfflineRequest) -> None:
    id = await agency(desk, request_, "Kenya Basket Board")
    staff, seller = person(desk, request_, STAFF), person(desk, request_, STRANGER)
    assert "4,517" not in texts(await seller.say(QUESTION))
    shown = await send_file(staff, GUIDE.encode())
    assert "Sisal export permits 2026" in texts(shown)
    assert "KES 4,517" in texts(shown), "the answers that sellers would get"
    steps = buttons(shown[-1])
    assert set(steps) == {"Publish", "Correct details", "Try a question", "Discard"}
    assert "4,517" not in texts(await seller.say(QUESTION)), "a draft answers nobody"

    await staff.press(steps["Try a question"])
    tried = await staff.say(QUESTION)
    assert "KES 4,517" in texts(tried)
    await staff.press(buttons(tried[-1])["Stop trying"])

    fields = await staff.press(steps["Correct details"])
    await staff.press(buttons(fields[-1])["Expiry"])
    assert "That does not fit" in texts(await staff.say("next year"))
    again = await staff.say("2099-12-31")
    assert "Valid until: 2099-12-31" in texts(again)
    assert "Published" in texts(await staff.press(buttons(again[-1])["Publish"]))
    answer = await seller.say(QUESTION)
    assert "KES 4,517" in texts(answer)
    assert "Kenya Basket Board" in texts(answer)

    listed = await staff.say("/library")
    assert "published · version 1" in texts(listed)
    assert "2099-12-31" in texts(listed)
    document = await staff.press(buttons(listed[-1])["Sisal export permits 2026"])
    await staff.press(buttons(document[-1])["Replace"])
    newer = await send_file(staff, GUIDE.replace("4,517", "5,021").encode(), "permits-2027.md")
    await staff.press(buttons(newer[-1])["Publish"])
    answer = await seller.say(QUESTION)
    assert "KES 5,021" in texts(answer)
    assert "4,517" not in texts(answer)
    listed = await staff.say("/library")
    document = await staff.press(buttons(listed[-1])["Sisal export permits 2026"])
    history = await staff.press(buttons(document[-1])["History"])
    assert "2. published" in texts(history)
    assert "1. replaced by a newer version" in texts(history)

    sure = await staff.press(buttons(document[-1])["Withdraw"])
    assert "5,021" in texts(await seller.say(QUESTION)), "asking for confirmation withdraws nothing"
    await staff.press(buttons(sure[-1])["Withdraw"])
    assert "5,021" not in texts(await seller.say(QUESTION))
    trail = texts(await staff.say("/audit"))
    assert [action for action in ("withdrawn", "published", "draft added", "joined") if action not in trail] == []
    with Catalogue.open(BotSettings(data_dir=desk.bot_data["services"].settings.data_dir)) as catalogue:
        assert [e.version.state for e in catalogue.library(id)] == [State.WITHDRAWN]
