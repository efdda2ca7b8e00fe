"""The bot's settings, read once from the environment and `.env`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from knowledge.settings import Settings


class BotSettings(Settings):
    """The shared settings and those of the bot; see `.env.example`."""

    telegram_bot_token: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"
    conversation_hours: int = 24
    owner_ids: Annotated[tuple[int, ...], NoDecode] = ()
    chat_model: str | None = None
    handover_remind_hours: int = 24
    handover_escalate_hours: int = Field(default=72, validate_default=True)

    @field_validator("telegram_bot_token")
    @classmethod
    def _looks_like_a_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        number, colon, rest = value.get_secret_value().partition(":")
        if not (colon and number.isdigit() and rest) or " " in rest:
            raise ValueError("does not look like a bot token (123456:ABC...); get one from @BotFather")
        return value

    @field_validator("telegram_api_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("owner_ids", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not all(part.isdecimal() for part in parts):
            raise ValueError("must be Telegram user numbers with commas between (12345,67890)")
        return tuple(int(part) for part in parts)

    @field_validator("conversation_hours", "handover_remind_hours", "handover_escalate_hours")
    @classmethod
    def _at_least_one(cls, value: int) -> int:
        if not 1 <= value <= 24 * 30:
            raise ValueError("must be between 1 and 720 hours")
        return value

    @field_validator("handover_escalate_hours")
    @classmethod
    def _after_the_reminder(cls, value: int, info: ValidationInfo) -> int:
        if value <= info.data.get("handover_remind_hours", 0):
            raise ValueError("must be more than HANDOVER_REMIND_HOURS")
        return value
