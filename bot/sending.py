"""Replies to messages: split by Telegram's count, paced, and plain when formatting is refused.

A reply never fails for its form, and a passing fault of the service is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence

import structlog
from aiolimiter import AsyncLimiter
from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    MessageEntity,
)
from telegram.error import BadRequest, Forbidden, NetworkError, TelegramError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from bot.advice.reply import Button, Reply, ReplyKind
from bot.advice.richtext import RichText
from bot.limits import CAPTION_LENGTH, MESSAGE_LENGTH, TYPING_SECONDS

log = structlog.get_logger(__name__)

BURST = 3
PACED_CHATS = 10_000
NOTICEABLE_WAIT = 0.4
MOST_ROWS, SHORT_LABEL = 4, 24
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Pacer:
    """At most `BURST` messages in as many seconds to one chat; AIORateLimiter knows no private chats."""

    def __init__(self) -> None:
        self._limiters: OrderedDict[int, AsyncLimiter] = OrderedDict()

    async def wait(self, chat_id: int) -> None:
        """Return when the next message to `chat_id` may go."""
        limiter = self._limiters.pop(chat_id, None) or AsyncLimiter(BURST, BURST)
        self._limiters[chat_id] = limiter
        if len(self._limiters) > PACED_CHATS:
            self._limiters.popitem(last=False)
        await limiter.acquire()


class Sender:
    """Sends replies through a bot."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._pacer = Pacer()

    async def reply(self, chat_id: int, reply: Reply, *, answering: int | None = None) -> Message | None:
        """Send `reply`, with its buttons under the last part; None when the person has blocked the bot."""
        return await self.text(chat_id, reply.text, keyboard(reply), answering=answering)

    async def text(
        self,
        chat_id: int,
        text: RichText,
        markup: InlineKeyboardMarkup | None = None,
        *,
        answering: int | None = None,
        topic: int | None = None,
    ) -> Message | None:
        """Send `text` in as many messages as it takes; returns the last one, None when the chat is closed to us."""
        try:
            messages = await self.deliver(chat_id, text, markup, answering=answering, topic=topic)
        except Forbidden:
            log.info("chat_closed_to_us")
            return None
        return messages[-1] if messages else None

    async def deliver(
        self,
        chat_id: int,
        text: RichText,
        markup: InlineKeyboardMarkup | None = None,
        *,
        answering: int | None = None,
        topic: int | None = None,
    ) -> list[Message]:
        """Send `text` to a chat or to a `topic` of a group; returns all the messages that it took.

        Raises:
            Forbidden, BadRequest, ChatMigrated: the chat cannot be written to.
        """
        messages = []
        parts = text.split(MESSAGE_LENGTH)
        for number, part in enumerate(parts, 1):
            await self._pacer.wait(chat_id)
            messages.append(await self._part(chat_id, part, markup if number == len(parts) else None, answering, topic))
        return messages

    async def edit(self, query: CallbackQuery, reply: Reply) -> bool:
        """Put `reply` in the place of the message whose button was pressed; False when that cannot be done, as with
        one that is too long or too old."""
        if len(reply.text) > MESSAGE_LENGTH:
            return False
        entities = [MessageEntity(e.kind, e.offset, e.length, url=e.url) for e in reply.text.entities]
        try:
            await query.edit_message_text(
                reply.text.text, entities=entities, reply_markup=keyboard(reply), link_preview_options=_NO_PREVIEW
            )
        except BadRequest as error:
            log.info("message_not_edited", cause=str(error))
            return "not modified" in str(error)
        return True

    async def document(self, chat_id: int, data: bytes, name: str) -> Message | None:
        """Send a file; None when the person has blocked the bot."""
        await self._pacer.wait(chat_id)
        try:
            async for attempt in _attempts():
                with attempt:
                    return await self._bot.send_document(chat_id, data, filename=name)
        except Forbidden:
            log.info("chat_closed_to_us")
        return None

    async def picture(
        self, chat_id: int, png: bytes, caption: str, markup: InlineKeyboardMarkup | None = None
    ) -> Message | None:
        """Send a picture; None when the person has blocked the bot."""
        await self._pacer.wait(chat_id)
        try:
            async for attempt in _attempts():
                with attempt:
                    return await self._bot.send_photo(
                        chat_id, png, caption=caption[:CAPTION_LENGTH], filename="fees.png", reply_markup=markup
                    )
        except Forbidden:
            log.info("chat_closed_to_us")
        return None

    async def _part(
        self,
        chat_id: int,
        part: RichText,
        markup: InlineKeyboardMarkup | None,
        answering: int | None,
        topic: int | None,
    ) -> Message:
        async def send(entities: Sequence[MessageEntity] | None) -> Message:
            async for attempt in _attempts():
                with attempt:
                    return await self._bot.send_message(
                        chat_id,
                        part.text,
                        entities=entities,
                        reply_markup=markup,
                        link_preview_options=_NO_PREVIEW,
                        reply_to_message_id=answering,
                        allow_sending_without_reply=True,
                        message_thread_id=topic,
                    )
            raise AssertionError("unreachable")

        try:
            return await send([MessageEntity(e.kind, e.offset, e.length, url=e.url) for e in part.entities])
        except BadRequest as error:
            log.warning("sent_plain", cause=str(error))
            return await send(None)


def _attempts() -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception(_passes), stop=stop_after_attempt(4), wait=wait_exponential(0.3, max=3), reraise=True
    )


def _passes(error: BaseException) -> bool:
    # BadRequest is a NetworkError in the library's tree, but trying it again changes nothing.
    return isinstance(error, NetworkError) and not isinstance(error, BadRequest)


def keyboard(reply: Reply) -> InlineKeyboardMarkup | None:
    """A reply's next steps, one a row so that a small phone shows them whole; thumbs under an answer.

    Many short choices stand in two columns.
    """
    is_choice = len(reply.buttons) > MOST_ROWS and all(len(button.label) <= SHORT_LABEL for button in reply.buttons)
    rows = [list(row) for row in choices(reply.buttons, columns=2 if is_choice else 1).inline_keyboard]
    about = reply.judged_as
    if reply.kind is ReplyKind.ANSWER and about:
        rows.append([_button(Button("👍", f"f:1:{about}")), _button(Button("👎", f"f:-1:{about}"))])
    return InlineKeyboardMarkup(rows) if rows else None


def choices(buttons: Sequence[Button], columns: int = 2) -> InlineKeyboardMarkup:
    """Short buttons in `columns`."""
    made = [_button(button) for button in buttons]
    return InlineKeyboardMarkup([made[at : at + columns] for at in range(0, len(made), columns)])


def _button(button: Button) -> InlineKeyboardButton:
    return InlineKeyboardButton(button.label, callback_data=button.action)


@contextlib.asynccontextmanager
async def typing(bot: Bot, chat_id: int) -> AsyncIterator[None]:
    """Show "typing" while the block runs, once the wait gets noticeable."""

    async def show() -> None:
        await asyncio.sleep(NOTICEABLE_WAIT)
        while True:
            with contextlib.suppress(TelegramError):
                await bot.send_chat_action(chat_id, "typing")
            await asyncio.sleep(TYPING_SECONDS)

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
