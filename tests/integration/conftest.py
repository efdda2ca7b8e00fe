"""What the tests of the application share: the app over an offline request, and a person who talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.advice.adviser import Adviser
from bot.app import App, build_application
from bot.settings import BotSettings
from tests.integration.offline import OfflineRequest, Person


@pytest.fixture
def request_() -> OfflineRequest:
    return OfflineRequest()


@pytest.fixture
async def app(adviser: Adviser, request_: OfflineRequest, tmp_path: Path) -> AsyncIterator[App]:
    app = build_application(BotSettings(data_dir=tmp_path / "data"), adviser, request=request_, token="1:TEST")
    await app.initialize()
    assert app.post_init
    await app.post_init(app)
    yield app
    await app.shutdown()
    await app.bot_data["services"].people._engine.dispose()


@pytest.fixture
def person(app: App, request_: OfflineRequest) -> Person:
    return Person(app, request_)
