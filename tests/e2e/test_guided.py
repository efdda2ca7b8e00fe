"""Thirty conversations that lead step by step, over HTTP, in three languages; five of them through a `kill -9`."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.translation import guidance, translator
from tests.e2e.botapi import TOKEN, BotApi
from tests.e2e.phone import Phone, start

LANGUAGES = ("en", "fr", "es")
Script = Generator[None, None, None]
"""A conversation; it yields where the bot may be killed."""

REPORTED = {
    "en": "buyer says the parcel never arrived, i sold it on ebay",
    "fr": "l'acheteur dit qu'il n'a pas reçu le colis, vendu sur ebay",
    "es": "el comprador dice que no le llegó el paquete, lo vendí en ebay",
}
SUSPENDED = {
    "en": "my etsy account was suspended yesterday",
    "fr": "mon compte etsy a été suspendu hier",
    "es": "me suspendieron la cuenta de etsy ayer",
}
WHERE = {
    "en": "where should I sell my baskets?",
    "fr": "où puis-je vendre mes paniers ?",
    "es": "¿dónde puedo vender mis canastas?",
}
FREE = {
    "en": "how much does etsy take from a sale?",
    "fr": "combien prend etsy sur une vente ?",
    "es": "¿cuánto cobra etsy por una venta?",
}
SHUT = {
    "en": "can i sell on etsy from kenya?",
    "fr": "est-ce que je peux vendre sur etsy depuis le kenya ?",
    "es": "¿puedo vender en etsy desde kenia?",
}
THREE_DAYS_AGO = {"en": "3 days ago", "fr": "il y a 3 jours", "es": "hace 3 días"}
LONG_AGO = {"en": "1 march 2026", "fr": "1er mars 2026", "es": "1 de marzo de 2026"}
BASKETS = {"en": "baskets", "fr": "paniers", "es": "canastas"}
BANK = {"en": "bank account", "fr": "compte bancaire", "es": "cuenta bancaria"}


class Talk:
    """A phone with the words of its language."""

    def __init__(self, phone: Phone) -> None:
        self.phone, self.language = phone, phone.language
        self.t, self.g = translator(phone.language), guidance(phone.language)

    def said(self, text: str) -> str:
        """What the newest message says has to hold the English `text` in this language; returns that message."""
        newest = str(self.phone.newest()["text"])
        assert self.t(text).split("{")[0] in newest, (self.language, text, newest)
        return newest

    def wait(self, until: Callable[[], bool]) -> None:
        """Wait for a change that is no new message."""
        deadline = time.monotonic() + 20
        while not until():
            assert time.monotonic() < deadline, self.phone.newest()
            time.sleep(0.02)


def to_the_page(talk: Talk, since: str = "-") -> None:
    """Answer the questions of a parcel that eBay has an open case about."""
    for option in ("delivered", "yes", "open"):
        talk.phone.tap(f":{option}")
    if since == "-":
        talk.phone.tap(f":{datetime.now(UTC).date().isoformat()}")
    else:
        talk.phone.say(since)


def reported(talk: Talk) -> Script:
    """A report in one's own words, the date in words, the proof ticked."""
    opening, _question = talk.phone.say(REPORTED[talk.language], expect=2)
    assert "eBay" in opening["text"]
    yield
    to_the_page(talk, THREE_DAYS_AGO[talk.language])
    talk.said("Do this now:")
    talk.phone.tap(":list")
    talk.phone.press_data(talk.phone.buttons()[0], talk.phone.newest()["result"], expect=0)
    talk.wait(lambda: "☑" in talk.phone.newest()["text"])


def by_tapping(talk: Talk) -> Script:
    """All by buttons, there and back."""
    talk.phone.say("/dispute")
    talk.phone.tap(":suspended")
    talk.phone.tap(":etsy")
    yield
    talk.phone.tap(":b2")
    talk.said("Where did the sale or payment go through? Tap, or type the name.")
    talk.phone.tap(":amazon")
    assert talk.phone.newest()["reply_markup"]["inline_keyboard"]


def with_a_letter(talk: Talk) -> Script:
    """A letter filled with one's own details."""
    talk.phone.say(REPORTED[talk.language], expect=2)
    to_the_page(talk)
    talk.phone.tap(":letter")
    talk.phone.tap(":order")
    yield
    (letter,) = talk.phone.say("AB-12345")
    assert "AB-12345" in letter["text"]
    talk.phone.tap(":shop")
    (letter,) = talk.phone.say("Duka la Amina & Co <1>")
    assert "Duka la Amina & Co <1>" in letter["text"]


def choosing(talk: Talk) -> Script:
    """From a question to a platform and the first steps of the plan."""
    talk.phone.say(WHERE[talk.language], expect=2)
    talk.phone.say("Kenya")
    yield
    talk.phone.tap(":US")
    talk.phone.say("20")
    talk.phone.say(BANK[talk.language])
    talk.said("Tap one for what you need, how you are paid and the first step.")
    talk.phone.press("1. ")
    talk.said("To start you need")
    talk.phone.press_data(talk.phone.buttons()[0], talk.phone.newest()["result"])
    talk.phone.press(talk.t("Done"))
    assert "2" in talk.said("Cost")


def alternatives(talk: Talk) -> Script:
    """A no leads to other ways."""
    talk.phone.say(SHUT[talk.language])
    talk.phone.tap("w:list")
    yield
    talk.said("Other ways to sell")
    talk.phone.tap("w:social-chat")
    talk.said("Risks, and how to guard against them")
    talk.phone.say("/alternatives")


def asking_between(talk: Talk) -> Script:
    """A free question in the middle is answered, and the guide goes on."""
    talk.phone.say(REPORTED[talk.language], expect=2)
    answer, question = talk.phone.say(FREE[talk.language], expect=2)
    assert "Etsy" in answer["text"]
    yield
    situation = talk.g("What does the tracking show today?")
    assert situation in question["text"]
    to_the_page(talk)
    talk.said("Do this now:")


def reminded(talk: Talk) -> Script:
    """A reminder is set, listed, and comes once although the bot was down at its time."""
    talk.phone.say("/profile")
    talk.phone.press(talk.t("Country"))
    talk.phone.say("Kenya")
    talk.phone.say(REPORTED[talk.language], expect=2)
    for option in ("delivered", "yes", "lost"):
        talk.phone.tap(f":{option}")
    talk.phone.tap(f":{datetime.now(UTC).date().isoformat()}")
    talk.phone.tap(":remind")
    talk.phone.tap(":at:d2")
    talk.said("Good: I write to you on {time}. /reminders shows all and takes them back.")
    yield
    (listed,) = talk.phone.say("/reminders")
    assert "eBay" in listed["text"]


def too_late(talk: Talk) -> Script:
    """A deadline that is gone, then another date, in other forms."""
    talk.phone.say(REPORTED[talk.language], expect=2)
    to_the_page(talk, LONG_AGO[talk.language])
    talk.said("The time ended on {day}.")
    yield
    talk.phone.tap(":since")
    talk.phone.say("31/12/2039")
    assert "2039" in talk.phone.newest()["text"]
    talk.phone.say((datetime.now(UTC).date() - timedelta(days=1)).strftime("%d.%m.%Y"))
    talk.said("Do this now:")


def saved(talk: Talk) -> Script:
    """The case as a file, closed and opened again."""
    talk.phone.say(SUSPENDED[talk.language], expect=2)
    while not any(data.endswith(":more") for data in talk.phone.buttons()):
        talk.phone.press_data(talk.phone.buttons()[0], talk.phone.newest()["result"])
    talk.phone.tap(":more")
    before = len([1 for name, _p in talk.phone.api.calls if name == "sendDocument"])
    talk.phone.tap(":pdf", expect=0)
    talk.phone.tap(":text", expect=0)
    talk.phone.api.wait_for("sendDocument", before + 2)
    yield
    talk.phone.tap(":close")
    talk.said("Closed. Its reminders are off.")
    talk.phone.say("/cases")
    talk.said("Nothing is open. /dispute leads you through trouble with a sale, /choose to a platform.")
    talk.phone.tap(":open")


def stale(talk: Talk) -> Script:
    """An unknown platform, a button from an old message, and leaving to come back."""
    talk.phone.say("/dispute")
    talk.phone.tap(":not-received")
    old = talk.phone.newest()
    talk.phone.say("zorbamart")
    yield
    talk.phone.press_data(old["reply_markup"]["inline_keyboard"][0][0]["callback_data"], old["result"])
    talk.said("That was settled already. Here is where we are:")
    talk.phone.tap(":later")
    talk.phone.say("/cases")
    talk.phone.tap(":now")
    talk.phone.tap(":customs")


SCRIPTS: tuple[Callable[[Talk], Script], ...] = (
    reported, by_tapping, with_a_letter, choosing, alternatives, asking_between, reminded, too_late, saved, stale,
)  # fmt: skip
KILLED = {(reported, "fr"), (with_a_letter, "es"), (choosing, "en"), (asking_between, "es"), (reminded, "en")}


class Running:
    """The bot's own process, which can be killed and started again."""

    def __init__(self, api: BotApi, environment: dict[str, str], log: Path) -> None:
        self._api, self._environment, self._log = api, environment, log
        self._process = start(api, environment, log)

    def kill(self) -> None:
        """`kill -9`: nothing is tidied up."""
        self._process.kill()
        self._process.wait()

    def start(self) -> None:
        self._process = start(self._api, self._environment, self._log)


@pytest.fixture
def running(
    real_data_dir: Path, clean_environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[BotApi, Running, Path]]:
    shutil.copytree(real_data_dir / "generations", tmp_path / "data" / "generations")
    shutil.copy(real_data_dir / "CURRENT", tmp_path / "data" / "CURRENT")
    with BotApi() as api:
        bot = Running(api, {**clean_environment, "DATA_DIR": str(tmp_path / "data")}, tmp_path / "bot.log")
        yield api, bot, tmp_path
        bot.kill()


def test_thirty_conversations_in_three_languages_five_of_them_through_a_kill(
    running: tuple[BotApi, Running, Path],
) -> None:
    api, bot, folder = running
    talks = {
        (script, language): Talk(Phone(api, 100 + 10 * number + at, language))
        for number, script in enumerate(SCRIPTS)
        for at, language in enumerate(LANGUAGES)
    }
    assert len(talks) == 30
    under_way = {key: key[0](talk) for key, talk in talks.items()}
    with ThreadPoolExecutor(6) as people:
        list(people.map(next, under_way.values()))
        others = [key for key in under_way if key not in KILLED]
        list(people.map(lambda key: next(under_way[key], None), others))
    assert all(not talk.phone.unread() for talk in talks.values())
    bot.kill()
    let_reminders_be_due(folder / "data" / "tradewind.sqlite", talks[(reminded, "en")].phone.user)
    began = time.monotonic()
    bot.start()
    (fired,) = talks[(reminded, "en")].phone._wait(1)
    assert time.monotonic() - began < 60
    assert "Reminder:" in fired["text"]
    with ThreadPoolExecutor(5) as people:
        finished = {key: under_way[key] for key in KILLED if key != (reminded, "en")}
        list(people.map(lambda script: next(script, None), finished.values()))
    talks[(reminded, "en")].phone.say("/reminders")
    talks[(reminded, "en")].said("No reminder waits. A case with a deadline offers one.")
    time.sleep(1)
    assert all(not talk.phone.unread() for talk in talks.values()), "something was sent twice"
    assert not api.refused
    answered = [str(p["callback_query_id"]) for name, p in api.calls if name == "answerCallbackQuery"]
    pressed = [id for talk in talks.values() for id in talk.phone.pressed]
    assert sorted(answered) == sorted(pressed)
    assert len(pressed) > 100
    written = (folder / "bot.log").read_text(encoding="utf-8")
    assert "Traceback" not in written
    assert TOKEN not in written
    assert "zorbamart" not in written


def let_reminders_be_due(database: Path, user: int) -> None:
    """As if the bot had been down for weeks."""
    with sqlite3.connect(database) as connection:
        (before,) = connection.execute("SELECT due_at FROM reminders WHERE telegram_id = ?", (user,)).fetchone()
        past = (datetime.fromisoformat(before) - timedelta(days=60)).isoformat(sep=" ")
        connection.execute("UPDATE reminders SET due_at = ? WHERE telegram_id = ?", (past, user))
    connection.close()
