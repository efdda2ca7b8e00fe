"""The generation in use, opened, and followed when `CURRENT` moves on."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import structlog

from knowledge.calibration import Calibration, load_calibration
from knowledge.encoders import Encoder
from knowledge.generation import Generation, GenerationError, current, open_current, withdrawn
from knowledge.models import Document
from knowledge.search import HybridSearch

log = structlog.get_logger(__name__)

QUESTION_SECONDS = 30
"""No question reads a generation for longer than this after the switch to the next one."""


class Index(Protocol):
    """What answers are made from."""

    encoder: Encoder
    search: HybridSearch

    @property
    def generation(self) -> Generation:
        """The generation that questions are answered from now."""

    def refresh(self) -> bool:
        """Follow what is in use; True when the index changed."""

    def shows(self, document: Document) -> bool:
        """Whether `document` may be shown."""


@dataclass
class FixedIndex:
    """A search that never changes: over a draft that is tried."""

    encoder: Encoder
    search: HybridSearch

    @property
    def generation(self) -> Generation:
        """The generation under the search."""
        return self.search.generation

    def refresh(self) -> bool:
        """There is nothing to follow."""
        return False

    def shows(self, document: Document) -> bool:
        """What is tried is shown."""
        return True


@dataclass
class ActiveIndex:
    """Holds the open search; `refresh` swaps it in one step, so that a question under way ends on the old one.

    Raises on creation what `open_current` raises.
    """

    data_dir: Path
    encoder: Encoder

    def __post_init__(self) -> None:
        self._calibration: Calibration = load_calibration(self.encoder.fingerprint)
        self._refreshing = threading.Lock()
        self._pointer = current(self.data_dir)
        self._retired: list[tuple[float, Generation]] = []
        self.search = self._open()

    @property
    def generation(self) -> Generation:
        """The generation that questions are answered from now."""
        return self.search.generation

    def refresh(self) -> bool:
        """Open the generation that `CURRENT` names when it is another one; True when the index changed.

        Takes up to a second when it changed: call it off the event loop. When the new one cannot be
        opened, the old one goes on serving and the log says so.
        """
        self._hide()
        pointer = current(self.data_dir)
        if (pointer == self._pointer and not self._retired) or not self._refreshing.acquire(blocking=False):
            return False
        try:
            self._close_retired()
            if pointer == self._pointer:
                return False
            self._pointer = pointer
            if pointer is None or pointer.name == self.generation.manifest.name:
                return False
            old = self.generation
            self.search = self._open()
            self._retired.append((time.monotonic(), old))  # a question may still be reading it
        except GenerationError as error:
            log.error("new_generation_not_opened", cause=str(error))
            return False
        else:
            log.info("generation_switched", generation=self.generation.manifest.name)
            return True
        finally:
            self._refreshing.release()

    def shows(self, document: Document) -> bool:
        """False when `document` was withdrawn or has expired, whether or not the generation still holds it."""
        return document.id not in self.search.hidden and not document.is_expired(datetime.now(UTC).date())

    def _hide(self) -> None:
        """Follow the list of withdrawn documents; reading it is so little work that each look at it does so."""
        self.search.hidden = withdrawn(self.data_dir)

    def _close_retired(self) -> None:
        due = [item for item in self._retired if time.monotonic() - item[0] >= QUESTION_SECONDS]
        self._retired = [item for item in self._retired if item not in due]
        for _, generation in due:
            generation.close()

    def _open(self) -> HybridSearch:
        generation = open_current(self.data_dir, self.encoder.fingerprint)
        search = HybridSearch(generation, self.encoder, self._calibration)
        search.hidden = withdrawn(self.data_dir)
        return search
