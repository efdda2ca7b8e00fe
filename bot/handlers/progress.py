"""Show in a message how far a long piece of work is."""

from __future__ import annotations

import contextlib
import time

from telegram import Message
from telegram.error import TelegramError

from bot.drafts import Step
from bot.translation import Translate, mark

EDIT_SECONDS = 1.5
"""Between two edits of the message that shows progress: edits count as messages for the service's limits."""

STEPS = {
    "reading": mark("Reading: {done} of {total}"),
    "encoding": mark("Preparing for search: {done} of {total}"),
    "trying questions": mark("Trying questions: {done} of {total}"),
}


def progress(message: Message | None, _: Translate) -> Step:
    """A function that edits `message` to show how far the work is, not more often than the service likes."""
    last = time.monotonic()

    async def on_step(step: str, done: int, total: int) -> None:
        nonlocal last
        if message is None or step not in STEPS or total == 0 or time.monotonic() - last < EDIT_SECONDS:
            return
        last = time.monotonic()
        with contextlib.suppress(TelegramError):
            await message.edit_text(_(STEPS[step]).format(done=done, total=total))

    return on_step
