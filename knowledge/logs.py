"""Logging: one line an event, with times in UTC, and never a secret or a message text."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_TOKEN = re.compile(r"(?<!\d)\d{3,12}:[A-Za-z0-9_-]{4,}|(?<=/bot)[^/\s]+(?=/)")


def redact(text: str) -> str:
    """`text` with anything that looks like a bot token masked."""
    return _TOKEN.sub("<token>", text)


def _redact_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


class _RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _without_traceback(record: logging.LogRecord) -> bool:
    """Keep python-telegram-bot's notes on failed connections to one line; the start says the cause itself."""
    if "Retry Loop" in record.getMessage():
        record.exc_info = None
    return True


def configure_logs(level: str = "INFO") -> None:
    """Send structlog and the standard library's logging to standard error, tokens masked.

    httpx logs request addresses, which hold the bot's token, at INFO: it is held at WARNING.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("httpx", "httpcore", "apscheduler", "chromadb", "bm25s", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("telegram.ext").addFilter(_without_traceback)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_event,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
