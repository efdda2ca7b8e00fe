"""The terminal's stand-in for the Bot API keeps files and says where they are."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from rich.console import Console
from telegram import Bot

from bot.terminal import TOKEN, YOU, Terminal


async def send(terminal: Terminal, method: str, name: str) -> None:
    async with Bot(TOKEN, request=terminal, get_updates_request=terminal) as bot:
        sent = await getattr(bot, method)(YOU, b"the file itself", filename=name)
    assert sent.message_id


@pytest.mark.parametrize(("method", "name"), [("send_document", "case.pdf"), ("send_photo", "fees.png")])
def test_files_are_kept_and_named(method: str, name: str) -> None:
    console = Console(record=True, width=200)
    asyncio.run(send(Terminal(console), method, name))
    found = re.search(r"\[(\S+)\]", console.export_text())
    assert found
    kept = Path(found[1])
    assert kept.read_bytes() == b"the file itself"
    assert kept.suffix == Path(name).suffix
    kept.unlink()
