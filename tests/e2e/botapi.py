"""A small stand-in for the Telegram Bot API over HTTP, for the end-to-end test. Standard library only.

It keeps a queue of updates for `getUpdates`, records every call, and refuses what the real service refuses
of the things this bot does: too long texts, entities outside the text, callback data over 64 bytes.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

TOKEN = "4242:TEST"
KINDS = {"PNG": b"\x89PNG", "PDF": b"%PDF"}
ME = {"id": 4242, "is_bot": True, "first_name": "Tradewind", "username": "tradewind_bot"}


class BotApi:
    """The service; `url` is where it listens. Use as a context manager."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[str] = []
        self._updates: list[dict[str, Any]] = []
        self._ids = itertools.count(1)
        self._changed = threading.Condition()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                _, token, method = self.path.split("/", 2)
                if token != f"bot{TOKEN}":
                    return self._answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
                try:
                    return self._answer(
                        200, {"ok": True, "result": service.serve(method, _parameters(body, self.headers))}
                    )
                except ValueError as error:
                    service.refused.append(f"{method}: {error}")
                    return self._answer(400, {"ok": False, "error_code": 400, "description": f"Bad Request: {error}"})

            def _answer(self, code: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> BotApi:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, method: str, parameters: dict[str, Any]) -> Any:
        """One call of the Bot API; raises ValueError for what the service would refuse."""
        if method == "getUpdates":
            return self._wait_for_updates(int(parameters.get("offset", 0)), float(parameters.get("timeout", 0)))
        if method == "getMe":
            return ME
        result: Any = True
        if method == "sendMessage":
            _check(parameters)
            result = {"message_id": next(self._ids), "date": int(time.time()), "from": ME}
            result["chat"] = {"id": int(parameters["chat_id"]), "type": "private"}
            result |= {name: parameters[name] for name in ("text", "entities", "reply_markup") if name in parameters}
        if method in ("editMessageText", "editMessageReplyMarkup"):
            result = self._edit(parameters)
        if method == "answerCallbackQuery":
            self._answered(str(parameters["callback_query_id"]))
        if method == "sendDocument":
            if not parameters.get("document"):
                raise ValueError("file must be non-empty")
            result = {"message_id": next(self._ids), "date": int(time.time()), "from": ME}
            result["chat"] = {"id": int(parameters["chat_id"]), "type": "private"}
            result["document"] = {"file_id": "d", "file_unique_id": "d"}
        if method == "sendPhoto":
            if not str(parameters.get("photo", "")).startswith("PNG"):
                raise ValueError("IMAGE_PROCESS_FAILED")
            chat = {"id": int(parameters["chat_id"]), "type": "private"}
            size = {"file_id": "p", "file_unique_id": "p", "width": 720, "height": 600}
            result = {
                "message_id": next(self._ids),
                "date": int(time.time()),
                "from": ME,
                "chat": chat,
                "photo": [size],
            }
        with self._changed:
            self.calls.append((method, parameters | ({"result": result} if method == "sendMessage" else {})))
            self._changed.notify_all()
        return result

    def _edit(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Change a message as the service would; what is not there or stays the same is refused."""
        for name, sent in self.calls:
            if name == "sendMessage" and str(sent["result"]["message_id"]) == str(parameters["message_id"]):
                if "text" in parameters:
                    _check(parameters)
                new = {key: parameters.get(key) for key in ("text", "reply_markup") if key in parameters}
                new.setdefault("reply_markup", {"inline_keyboard": []})
                if all(sent["result"].get(key) == value for key, value in new.items()):
                    raise ValueError("message is not modified")
                sent.update(new)
                sent["result"].update(new)
                return dict(sent["result"])
        raise ValueError("message to edit not found")

    def _answered(self, query: str) -> None:
        if any(name == "answerCallbackQuery" and str(p["callback_query_id"]) == query for name, p in self.calls):
            raise ValueError("query is too old and response timeout expired or query ID is invalid")

    def _wait_for_updates(self, offset: int, timeout: float) -> list[dict[str, Any]]:
        with self._changed:
            self._updates = [update for update in self._updates if update["update_id"] >= offset]
            self._changed.wait_for(lambda: bool(self._updates), min(timeout, 2))
            return list(self._updates)

    def deliver(self, **content: Any) -> None:
        """Queue an update."""
        with self._changed:
            self._updates.append({"update_id": next(self._ids), **content})
            self._changed.notify_all()

    def wait_for(self, method: str, count: int, seconds: float = 30) -> list[dict[str, Any]]:
        """The parameters of the calls of `method` once there are at least `count`."""

        def found() -> list[dict[str, Any]]:
            return [parameters for name, parameters in self.calls if name == method]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, seconds), f"{len(found())} calls of {method}"
            return found()


def _check(parameters: dict[str, Any]) -> None:
    length = len(parameters.get("text", "").encode("utf-16-le")) // 2
    if not 0 < length <= 4096:
        raise ValueError(f"text of {length} units")
    for entity in parameters.get("entities", []):
        if entity["offset"] + entity["length"] > length or entity["length"] <= 0:
            raise ValueError("entity outside the text")
    for row in parameters.get("reply_markup", {}).get("inline_keyboard", []):
        for button in row:
            if not 1 <= len(button["callback_data"].encode()) <= 64:
                raise ValueError("BUTTON_DATA_INVALID")


def _parameters(body: bytes, headers: Message) -> dict[str, Any]:
    kind = headers.get("Content-Type", "")
    if kind.startswith("multipart/form-data"):
        return _of_form(kind, body)
    found = {}
    for name, (value, *_) in parse_qs(body.decode()).items():
        try:
            found[name] = json.loads(value) if value[:1] in "[{" else value
        except ValueError:
            found[name] = value
    return found


def _of_form(kind: str, body: bytes) -> dict[str, Any]:
    """The fields of a form with files; of a file only its kind is kept."""
    form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    fields: dict[str, Any] = {}
    for part in form.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = next((kind for kind, mark in KINDS.items() if content.startswith(mark)), None) or (
                content.decode(errors="replace")
            )
    photo = fields.get("photo")
    if isinstance(photo, str) and photo.startswith("attach://"):
        fields["photo"] = fields.get(photo.removeprefix("attach://"), "")
    return fields
