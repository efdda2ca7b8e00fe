"""The chat in a terminal: the same application over an in-process stand-in for the Bot API."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text
from telegram import Update
from telegram.request import BaseRequest, RequestData

from bot.advice.adviser import Adviser
from bot.app import build_application
from bot.settings import BotSettings
from knowledge.models import LANGUAGES

TOKEN = "1:TERMINAL"  # noqa: S105  (no secret: nothing outside this process ever sees it)
BOT = {"id": 1, "is_bot": True, "first_name": "Tradewind", "username": "tradewind_bot"}
YOU = 2
_PREFIXES = {"bold": "bold", "italic": "italic", "text_link": "underline"}


class Terminal(BaseRequest):
    """Answers the Bot API's methods by showing messages on a console, and remembers the buttons."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ids = itertools.count(1)
        self._messages: dict[int, dict[str, Any]] = {}
        self._name, self._file = "", b""
        self.buttons: list[tuple[int, dict[str, Any]]] = []

    @property
    def read_timeout(self) -> float | None:
        """There is nothing to wait for."""
        return None

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = None,
        write_timeout: Any = None,
        connect_timeout: Any = None,
        pool_timeout: Any = None,
    ) -> tuple[int, bytes]:
        """Serve one call of the Bot API."""
        name = url.rsplit("/", 1)[-1]
        parameters = request_data.parameters if request_data else {}
        if parameters.get("chat_id", YOU) != YOU:
            # Agencies' groups and other people are not in this terminal: what is meant for them is not lost silently.
            refusal = {"ok": False, "error_code": 403, "description": "Forbidden: only you are in this terminal"}
            return 403, json.dumps(refusal).encode()
        files = (request_data.multipart_data or {}) if request_data else {}
        for file_name, data, *_rest in files.values():
            if isinstance(data, bytes):
                self._name, self._file = str(file_name), data
        serve = getattr(self, f"_{name.lower()}", None)
        result = serve(parameters) if serve else True
        return 200, json.dumps({"ok": True, "result": result}).encode()

    def _getme(self, _: dict[str, Any]) -> dict[str, Any]:
        return BOT

    def _sendmessage(self, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._ids)
        message: dict[str, Any] = {"message_id": number, "date": int(time.time()), "chat": _chat(), "from": BOT}
        message |= {name: parameters[name] for name in ("text", "entities", "reply_markup") if parameters.get(name)}
        self._messages[number] = message
        self._show(message)
        return message

    def _sendphoto(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """A terminal shows no pictures: keep it in a file and say where."""
        with tempfile.NamedTemporaryFile(prefix="tradewind-", suffix=".png", delete=False) as file:
            file.write(self._file)
        message = self._sendmessage({**parameters, "text": f"[{file.name}]\n{parameters.get('caption', '')}"})
        size = {"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}
        return message | {"photo": [size]}

    def _senddocument(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Keep the file and say where."""
        with tempfile.NamedTemporaryFile(prefix="tradewind-", suffix=Path(self._name).suffix, delete=False) as file:
            file.write(self._file)
        message = self._sendmessage({**parameters, "text": f"[{file.name}]"})
        return message | {"document": {"file_id": "d", "file_unique_id": "d"}}

    def _editmessagetext(self, parameters: dict[str, Any]) -> dict[str, Any]:
        message = self._messages[int(parameters["message_id"])]
        message |= {name: parameters.get(name) for name in ("text", "entities", "reply_markup")}
        message["entities"] = message["entities"] or []
        self._show(message)
        return message

    def _editmessagereplymarkup(self, parameters: dict[str, Any]) -> dict[str, Any]:
        message = self._messages[int(parameters["message_id"])]
        message["reply_markup"] = parameters.get("reply_markup") or {"inline_keyboard": []}
        self._number_buttons(message)
        if any(row for row in message["reply_markup"]["inline_keyboard"]):
            self._show_buttons()
        return message

    def _answercallbackquery(self, parameters: dict[str, Any]) -> bool:
        if parameters.get("text"):
            self._console.print(f"({parameters['text']})", style="dim", markup=False)
        return True

    def _show(self, message: dict[str, Any]) -> None:
        self._console.print(Panel(_styled(message), border_style="cyan", title="Tradewind", title_align="left"))
        self._number_buttons(message)
        self._show_buttons()

    def _number_buttons(self, message: dict[str, Any]) -> None:
        rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
        self.buttons = [(message["message_id"], button) for row in rows for button in row]

    def _show_buttons(self) -> None:
        for number, (_, button) in enumerate(self.buttons, 1):
            self._console.print(f"  {number}  {button['text']}", style="green", markup=False, highlight=False)

    def typed(self, text: str, language: str) -> dict[str, Any]:
        """The update that a person causes who types `text`; a number presses the button of that number."""
        update_id = next(self._ids)
        if text.isdecimal() and 0 < int(text) <= len(self.buttons):
            message_id, button = self.buttons[int(text) - 1]
            query = {
                "id": str(update_id),
                "from": _you(language),
                "chat_instance": "1",
                "data": button["callback_data"],
            }
            return {"update_id": update_id, "callback_query": query | {"message": self._messages[message_id]}}
        message: dict[str, Any] = {
            "message_id": update_id,
            "date": int(time.time()),
            "chat": _chat(),
            "from": _you(language),
            "text": text,
        }
        if text.startswith("/"):
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}]
        return {"update_id": update_id, "message": message}


def _chat() -> dict[str, Any]:
    return {"id": YOU, "type": "private", "first_name": "You"}


def _you(language: str) -> dict[str, Any]:
    return {"id": YOU, "is_bot": False, "first_name": "You", "language_code": language}


def _styled(message: dict[str, Any]) -> Text:
    units = message["text"].encode("utf-16-le")
    text = Text(message["text"])
    for entity in message.get("entities", []):
        start = len(units[: entity["offset"] * 2].decode("utf-16-le"))
        end = len(units[: (entity["offset"] + entity["length"]) * 2].decode("utf-16-le"))
        style = _PREFIXES.get(entity["type"], "")
        text.stylize(f"{style} link {entity['url']}" if entity.get("url") else style, start, end)
    return text


async def chat(settings: BotSettings, adviser: Adviser, language: str = "en", console: Console | None = None) -> None:
    """Talk in the terminal until end of input; `language` plays the language that Telegram is set to."""
    console = console or Console()
    terminal = Terminal(console)
    app = build_application(settings, adviser, request=terminal, token=TOKEN)
    await app.initialize()
    try:
        if app.post_init:
            await app.post_init(app)
        await app.start()
        await app.process_update(Update.de_json(terminal.typed("/start", language), app.bot))
        while (line := await asyncio.to_thread(_read, console)) is not None:
            if line.strip() in ("/quit", "/exit"):
                break
            if line.strip():
                await app.process_update(Update.de_json(terminal.typed(line.strip(), language), app.bot))
    finally:
        if app.running:
            await app.stop()
        await app.shutdown()
        if app.post_shutdown:
            await app.post_shutdown(app)


def _read(console: Console) -> str | None:
    try:
        return console.input("[bold]> [/bold]") if sys.stdin.isatty() else input()
    except (EOFError, KeyboardInterrupt):
        return None


def system_language(environment: str | None) -> str:
    """The language (ISO 639-1) of a POSIX locale name such as `fr_SN.UTF-8`, if it is one of ours."""
    code = (environment or "")[:2].lower()
    return code if code in LANGUAGES else "en"
