"""Telegram's own limits (https://core.telegram.org/bots/api, https://limits.tginfo.me), each with its meaning."""

from __future__ import annotations

from telegram.constants import FloodLimit, InlineKeyboardButtonLimit, MessageLimit

MESSAGE_LENGTH = MessageLimit.MAX_TEXT_LENGTH
"""UTF-16 units in a message, counted after entities are parsed."""

CAPTION_LENGTH = MessageLimit.CAPTION_LENGTH
"""UTF-16 units under a picture."""

CALLBACK_DATA_BYTES = InlineKeyboardButtonLimit.MAX_CALLBACK_DATA
"""Bytes of a button's callback data."""

MESSAGES_PER_CHAT = FloodLimit.MESSAGES_PER_SECOND_PER_CHAT
"""Messages a second to one private chat; short bursts are tolerated."""

TYPING_SECONDS = 4.5
"""A chat action is shown for at most 5 seconds; it is renewed a little before."""
