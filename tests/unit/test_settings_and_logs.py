"""Settings that are wrong stop with one line; the token never reaches a log."""

from __future__ import annotations

import logging

import pytest
import structlog

from bot.settings import BotSettings
from knowledge.logs import configure_logs, redact
from knowledge.settings import ROOT, Settings, SettingsError

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", "no token"),
        ("TELEGRAM_API_URL", "ftp://x"),
        ("CONVERSATION_HOURS", "soon"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "mysql://x"),
        ("DATA_DIR", str(ROOT / "README.md")),
    ],
)
def test_the_line_names_the_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        BotSettings.load()
    assert "\n" not in str(caught.value)


def test_empty_values_are_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "")
    assert BotSettings.load().telegram_bot_token is None


def test_every_setting_is_explained() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in BotSettings.model_fields:
        assert f"#{name.upper()}=" in example


def test_the_token_is_masked_everywhere(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    settings = BotSettings(telegram_bot_token=TOKEN)
    assert TOKEN not in repr(settings)
    assert redact(f"https://api.telegram.org/bot{TOKEN}/getMe").count("<token>") == 1
    configure_logs("DEBUG")
    logging.getLogger("any").warning("calling https://x/bot%s/sendMessage", TOKEN)
    structlog.get_logger().error("failed", url=f"https://x/bot{TOKEN}/getMe")
    try:
        raise RuntimeError(f"bot{TOKEN} failed")
    except RuntimeError:
        structlog.get_logger().exception("broken")
        logging.getLogger("any").exception("broken")
    written = capsys.readouterr().err
    assert TOKEN not in written
    assert "<token>" in written
    configure_logs("INFO")


def test_copies_with_their_own_folder_never_meet() -> None:
    assert Settings(data_dir="a").data_dir != Settings(data_dir="b").data_dir
