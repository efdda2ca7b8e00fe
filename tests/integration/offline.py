"""A request object that never touches the network: it records calls and answers as the Bot API would."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

from telegram import Update
from telegram.request import BaseRequest, RequestData

from bot.app import App

ME = {"id": 99, "is_bot": True, "first_name": "Tradewind", "username": "tradewind_bot"}
Fault = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]] | None]


class OfflineRequest(BaseRequest):
    """Records every call; `fault` may answer instead, as the service does when it refuses."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.fault: Fault | None = None
        self.photos: list[bytes] = []
        self.files: dict[str, bytes] = {}
        """What people have sent, by file id."""
        self.forums: set[int] = set()
        """Groups that have topics."""
        self._ids = itertools.count(1_000_000)

    @property
    def read_timeout(self) -> float | None:
        return None

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        name = url.rsplit("/", 1)[-1]
        if "/file/bot" in url:
            return 200, self.files[name]
        parameters = dict(request_data.parameters) if request_data else {}
        refused = self.fault(name, parameters) if self.fault else _refused(parameters)
        if refused:
            code, body = refused
            return code, json.dumps({"ok": False, "error_code": code, **body}).encode()
        self.calls.append((name, parameters))
        files = (request_data.multipart_data or {}) if request_data else {}
        result = self._result(name, parameters)
        if name == "sendMessage":
            parameters["message_id"] = result["message_id"]  # so that tests can reply to what was sent
        self.photos += [content[1] for content in files.values() if isinstance(content[1], bytes)]
        parameters.setdefault("sent_files", [content[1] for content in files.values() if isinstance(content[1], bytes)])
        return 200, json.dumps({"ok": True, "result": result}).encode()

    def _result(self, name: str, parameters: dict[str, Any]) -> Any:
        if name == "getMe":
            return ME
        if name == "sendMessage":
            sent = {"message_id": next(self._ids), "date": int(time.time()), "from": ME}
            sent["chat"] = self._chat(parameters["chat_id"])
            kept = ("text", "entities", "reply_markup", "message_thread_id")
            return sent | {key: parameters[key] for key in kept if key in parameters}
        if name == "getChat":
            full = {"accent_color_id": 0, "max_reaction_count": 11}
            gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
            return self._chat(parameters["chat_id"]) | full | {"accepted_gift_types": dict.fromkeys(gifts, False)}
        if name == "getFile":
            return {"file_id": parameters["file_id"], "file_unique_id": "u", "file_path": parameters["file_id"]}
        if name == "createForumTopic":
            return {"message_thread_id": next(self._ids), "name": parameters["name"], "icon_color": 0}
        if name == "sendDocument":
            sent = {"message_id": next(self._ids), "date": int(time.time()), "from": ME}
            file = {"file_id": "d", "file_unique_id": "d"}
            return sent | {"chat": self._chat(parameters["chat_id"]), "document": file}
        if name == "sendPhoto":
            size = {"file_id": "p", "file_unique_id": "p", "width": 720, "height": 600}
            chat = {"id": parameters["chat_id"], "type": "private"}
            return {"message_id": next(self._ids), "date": int(time.time()), "from": ME, "chat": chat, "photo": [size]}
        return True

    def _chat(self, id: int) -> dict[str, Any]:
        if id > 0:
            return {"id": id, "type": "private"}
        return {"id": id, "type": "supergroup", "title": "G"} | ({"is_forum": True} if id in self.forums else {})

    def sent(self, method: str = "sendMessage") -> list[dict[str, Any]]:
        """The parameters of all calls of `method`, oldest first."""
        return [parameters for name, parameters in self.calls if name == method]


def _refused(parameters: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
    """What the service refuses whatever the test is about."""
    rows = parameters.get("reply_markup", {}).get("inline_keyboard", [])
    if any(not 1 <= len(button["callback_data"].encode()) <= 64 for row in rows for button in row):
        return 400, {"description": "Bad Request: BUTTON_DATA_INVALID"}
    return None


class Person:
    """Somebody with a phone: makes updates and hands them to the application."""

    _updates = itertools.count(1)

    def __init__(self, app: App, request: OfflineRequest, user: int = 7, language: str = "en") -> None:
        self.app, self.request, self.user, self.language = app, request, user, language

    def message(self, text: str | None = None, *, chat: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """A message of this person; `fields` are added as they are."""
        made: dict[str, Any] = {"message_id": next(self._updates), "date": int(time.time())}
        made["from"] = {"id": self.user, "is_bot": False, "first_name": "P", "language_code": self.language}
        made["chat"] = chat or {"id": self.user, "type": "private"}
        if text is not None:
            made["text"] = text
            if text.startswith("/"):
                made["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        return made | fields

    async def update(self, **content: Any) -> list[dict[str, Any]]:
        """Hand an update over; returns what was sent meanwhile."""
        before = len(self.request.sent())
        update = Update.de_json({"update_id": next(self._updates), **content}, self.app.bot)
        await self.app.process_update(update)
        return self.request.sent()[before:]

    async def say(self, text: str, **fields: Any) -> list[dict[str, Any]]:
        """Write `text`."""
        return await self.update(message=self.message(text, **fields))

    async def press(
        self, data: str, under: dict[str, Any] | None = None, chat: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Press a button with callback `data` under a sent message."""
        message = self.message("x", chat=chat) | {"from": ME, "message_id": (under or {}).get("message_id", 5000)}
        if under and "reply_markup" in under:
            message["reply_markup"] = under["reply_markup"]
        query = {"id": str(next(self._updates)), "from": self.message()["from"], "chat_instance": "1", "data": data}
        return await self.update(callback_query=query | {"message": message})


def buttons(sent: dict[str, Any]) -> dict[str, str]:
    """Label to callback data of the buttons under a sent message."""
    rows = sent.get("reply_markup", {}).get("inline_keyboard", [])
    return {button["text"]: button["callback_data"] for row in rows for button in row}
