"""A whole conversation over HTTP: the bot's own process against a stand-in for the Bot API."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.settings import ROOT
from tests.e2e.botapi import TOKEN, BotApi
from tests.e2e.phone import Phone, start


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as api:
        yield api


def test_conversations_in_two_languages_with_a_restart(
    api: BotApi, real_data_dir: Path, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    shutil.copytree(real_data_dir / "generations", tmp_path / "data" / "generations")
    shutil.copy(real_data_dir / "CURRENT", tmp_path / "data" / "CURRENT")
    log = tmp_path / "bot.log"
    bot = start(api, clean_environment, log)
    try:
        amina, kofi = Phone(api, 11, "fr"), Phone(api, 12, "en")
        hello, question = amina.say("/start", expect=2)
        assert "Tradewind" in hello["text"]
        assert "langue" in question["text"]
        amina.press("Français")
        amina.press("Sénégal")
        amina.say("sacs en cuir")
        (done,) = amina.press("Union européenne")
        assert "Sénégal" in done["text"]
        (answer,) = amina.say("combien prend etsy par vente ?")
        assert "6,5" in answer["text"]
        assert "Source" in answer["text"]
        (sale,) = amina.say("je vends un sac à 40 dollars sur etsy depuis le Pérou, combien je garde ?")
        assert "34,30" in sale["text"]
        (compared,) = amina.press("Comparer les plateformes")
        amina.press(compared["reply_markup"]["inline_keyboard"][0][0]["text"], expect=0)
        (picture,) = api.wait_for("sendPhoto", 1)
        assert "40,00" in picture["caption"]
        (english,) = kofi.say("can i open an etsy shop from ghana?")
        assert "Etsy" in english["text"]
        (related,) = amina.press(answer["reply_markup"]["inline_keyboard"][0][0]["text"])
        assert related["text"]

        bot.send_signal(signal.SIGINT)
        assert bot.wait(20) == 0
        bot = start(api, clean_environment, log)
        (follow_up,) = kofi.say("and from morocco?")
        assert follow_up["text"].startswith("Yes: ")
        (profile,) = amina.say("/profile")
        assert "sacs en cuir" in profile["text"]
        amina.press("👍", expect=0)
        amina.say("/forget")
        (forgotten,) = amina.press("Tout")
        assert forgotten["text"]
        (declined,) = kofi.say("what will the weather be in accra tomorrow")
        assert "Source:" not in declined["text"]
    finally:
        bot.kill()
        bot.wait()
    assert not api.refused
    answered = {str(p["callback_query_id"]) for name, p in api.calls if name == "answerCallbackQuery"}
    assert len(answered) >= 5
    written = log.read_text(encoding="utf-8")
    assert TOKEN not in written
    assert "sacs en cuir" not in written
    assert "etsy shop from ghana" not in written
    assert "Traceback" not in written


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"TELEGRAM_BOT_TOKEN": ""}, "TELEGRAM_BOT_TOKEN: is missing"),
        ({"TELEGRAM_BOT_TOKEN": "nonsense"}, "TELEGRAM_BOT_TOKEN: does not look like"),
        ({"TELEGRAM_BOT_TOKEN": "1:WRONG"}, "TELEGRAM_BOT_TOKEN: Telegram does not accept it"),
        ({"TELEGRAM_BOT_TOKEN": TOKEN, "CONVERSATION_HOURS": "-1"}, "CONVERSATION_HOURS: must be between"),
        ({"TELEGRAM_BOT_TOKEN": TOKEN, "DATA_DIR": "no-index-here"}, "there is no index yet"),
    ],
)
def test_a_start_that_cannot_work_stops_with_one_line(
    api: BotApi,
    real_data_dir: Path,
    clean_environment: dict[str, str],
    tmp_path: Path,
    settings: dict[str, str],
    expected: str,
) -> None:
    data_dir = str(tmp_path / "none") if "DATA_DIR" in settings else str(real_data_dir)
    environment = {**clean_environment, "TELEGRAM_API_URL": api.url, **settings, "DATA_DIR": data_dir}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "run"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
