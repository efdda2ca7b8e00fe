"""Somebody with a phone who talks with a running bot through the stand-in for the Bot API; and starting that bot."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from knowledge.settings import ROOT
from tests.e2e.botapi import TOKEN, BotApi

_messages = itertools.count(1)


class Phone:
    """A person: writes, presses, reads what came."""

    def __init__(self, api: BotApi, user: int, language: str) -> None:
        self.api, self.user, self.language, self.read = api, user, language, 0
        self.pressed: list[str] = []

    def _sender(self) -> dict[str, Any]:
        return {"id": self.user, "is_bot": False, "first_name": "P", "language_code": self.language}

    def _mine(self) -> list[dict[str, Any]]:
        return [p for name, p in self.api.calls if name == "sendMessage" and str(p["chat_id"]) == str(self.user)]

    def _wait(self, count: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 30
        while len(self._mine()) < self.read + count:
            assert time.monotonic() < deadline, f"waited for {count} messages, got {len(self._mine()) - self.read}"
            time.sleep(0.02)
        new = self._mine()[self.read :]
        self.read += len(new)
        return new

    def say(self, text: str, expect: int = 1) -> list[dict[str, Any]]:
        chat = {"id": self.user, "type": "private"}
        message = {"message_id": next(_messages), "date": int(time.time()), "chat": chat, "from": self._sender()}
        message["text"] = text
        if text.startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text)}]
        self.api.deliver(message=message)
        return self._wait(expect)

    def press(self, label: str, expect: int = 1) -> list[dict[str, Any]]:
        """Press the newest button with `label` in its text."""
        return self._press(lambda button: label in button["text"], label, expect)

    def tap(self, action: str, expect: int = 1) -> list[dict[str, Any]]:
        """Press the newest button whose data end with `action`, whatever the language of its text."""
        return self._press(lambda button: button["callback_data"].endswith(action), action, expect)

    def _press(self, fits: Callable[[dict[str, Any]], bool], name: str, expect: int) -> list[dict[str, Any]]:
        for sent in reversed(self._mine()):
            for row in sent.get("reply_markup", {}).get("inline_keyboard", []):
                for button in row:
                    if fits(button):
                        return self.press_data(button["callback_data"], sent["result"], expect)
        raise AssertionError(f"no button {name}")

    def press_data(self, data: str, message: dict[str, Any], expect: int = 1) -> list[dict[str, Any]]:
        """Press a button with `data` under `message`, be it still there or not."""
        query = {"id": str(next(_messages)), "from": self._sender(), "chat_instance": "1"}
        self.pressed.append(str(query["id"]))
        self.api.deliver(callback_query=query | {"data": data, "message": message})
        return self._wait(expect)

    def newest(self) -> dict[str, Any]:
        """The last message that came."""
        return self._mine()[-1]

    def buttons(self) -> list[str]:
        """The data of the newest message's buttons."""
        rows = self.newest().get("reply_markup", {}).get("inline_keyboard", [])
        return [button["callback_data"] for row in rows for button in row]

    def unread(self) -> list[dict[str, Any]]:
        """What came that nobody waited for."""
        return self._mine()[self.read :]


def start(api: BotApi, environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    settings = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": api.url}
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", "run"], cwd=ROOT, env={**environment, **settings}, stdout=file, stderr=file
        )
