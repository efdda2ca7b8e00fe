"""Gaps: questions that found no answer, without anything of who asked them, and grouped by meaning.

Blocking, on the database that the bot uses too: from an event loop call it in a thread. A question is redacted before
it is kept; of the time only the day is, and ids are random, so that no row can be laid beside one of another table by
its order or hour.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Date, String, delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from ingest.grouping import Measure, average_link
from ingest.redaction import MOST_CHARACTERS, PLACEHOLDER, redact
from ingest.vectors import VectorCache
from knowledge.database import Base, BlockingStore, DatabaseError, explain
from knowledge.encoders import Encoder, Vectors
from knowledge.generation import GenerationError, current
from knowledge.normalise import fold, words
from knowledge.settings import Settings

KEPT_DAYS = 180
MOST_ROWS = 5_000
"""So many are grouped at most, the newest first: time and memory grow with the square."""

MOST_WORDINGS = 3


class Reason(StrEnum):
    """Why a question is a gap."""

    DECLINED = "declined"
    ASKED_BACK = "asked-back"
    THUMBS_DOWN = "thumbs-down"


class GapRow(Base):
    """A question without an answer; `document` is what was shown instead, where a thumb went down."""

    __tablename__ = "gaps"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # a row number would tell the order

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    question: Mapped[str] = mapped_column(String(MOST_CHARACTERS))
    reason: Mapped[str] = mapped_column(String(12))
    language: Mapped[str] = mapped_column(String(2))
    country: Mapped[str | None] = mapped_column(String(2))
    document: Mapped[str | None] = mapped_column(String(48))
    day: Mapped[date] = mapped_column(Date, index=True)


@dataclass(frozen=True)
class GapGroup:
    """Questions about the same thing. `countries` counts those of an unknown country under ``""``."""

    question: str
    wordings: tuple[str, ...]
    count: int
    reasons: Mapping[str, int]
    countries: Mapping[str, int]
    languages: Mapping[str, int]
    first: date
    last: date
    documents: Mapping[str, int]


class Gaps(BlockingStore):
    """The store; the index and the kept vectors, by which questions are grouped, lie in the data folder."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._data_dir = settings.data_dir
        self._measure: tuple[tuple[Path, str], Measure] | None = None
        self._measuring = threading.Lock()

    def record(
        self, question: str, reason: Reason, language: str, country: str | None, document: str | None = None
    ) -> bool:
        """Keep a question, redacted; False when nothing of it is left to keep.

        Raises:
            DatabaseError: the database does not take it.
        """
        text = redact(question)
        if not any(any(map(str.isalpha, word)) for word in words(PLACEHOLDER.sub("", text))):
            return False
        row = GapRow(
            id=secrets.randbits(62),
            question=text,
            reason=Reason(reason).value,
            language=language[:2],
            country=country,
            document=document[:48] if document else None,
            day=_today(),
        )
        with self._writing() as session:
            session.add(row)
        return True

    def expire(self) -> int:
        """Delete what is older than `KEPT_DAYS`; returns how many."""
        with self._writing() as session:
            result: Any = session.execute(delete(GapRow).where(GapRow.day < _today() - timedelta(days=KEPT_DAYS)))
            return int(result.rowcount)

    def groups(
        self,
        encoder: Encoder,
        since: date,
        countries: Collection[str | None] | None = None,
        languages: Collection[str] | None = None,
        *,
        language: str | None = None,
        progress: Callable[[str, int, int], None] = lambda _step, _done, _total: None,
    ) -> list[GapGroup]:
        """What was asked from `since` on, by meaning, the most asked first.

        Of `countries` (None in it: of an unknown country) and `languages` only, where given. A group is represented
        by a question in `language` where it has one. Encodes what is new, which takes some 20 ms a question.

        Raises:
            GenerationError: there is no index, or one of another encoder.
        """
        rows = self._rows(since, countries, languages)
        if not rows:
            return []
        same: dict[tuple[str, str], list[GapRow]] = defaultdict(list)
        for row in rows:
            same[fold(row.question), row.language].append(row)
        texts = [found[0].question for found in same.values()]
        spoken = [of for _, of in same]
        with VectorCache(self._data_dir, encoder.fingerprint) as cache:
            measure = self._measured(encoder, cache)
            (vectors,) = cache.encode_all(encoder, [(texts, "query")], progress)
        centred = measure.centred(vectors, spoken)
        counts = [len(found) for found in same.values()]
        groups = average_link(measure.likeness(centred, texts, spoken), counts)
        members = list(same.values())
        made = [
            _group([members[at] for at in places], centred[places], language)
            for places in (np.flatnonzero(groups == number) for number in np.unique(groups))
        ]
        return sorted(made, key=lambda group: (-group.count, -group.last.toordinal(), group.question))

    def _rows(
        self, since: date, countries: Collection[str | None] | None, languages: Collection[str] | None
    ) -> Sequence[GapRow]:
        statement = select(GapRow).where(GapRow.day >= since).order_by(GapRow.day.desc(), GapRow.id).limit(MOST_ROWS)
        if countries is not None:
            wanted = GapRow.country.in_([country for country in countries if country])
            statement = statement.where(wanted | GapRow.country.is_(None) if None in countries else wanted)
        if languages is not None:
            statement = statement.where(GapRow.language.in_(languages))
        try:
            with self._sessions() as session:
                return session.scalars(statement).all()
        except DBAPIError as error:
            raise DatabaseError(explain(error, self._engine)) from error

    def _measured(self, encoder: Encoder, cache: VectorCache) -> Measure:
        folder = current(self._data_dir)
        if folder is None:
            raise GenerationError("there is no index yet: run `python -m ingest sync`")
        wanted = (folder, encoder.fingerprint.key)
        with self._measuring:
            if self._measure is None or self._measure[0] != wanted:
                self._measure = (wanted, Measure.of(folder, cache))
            return self._measure[1]


def _group(members: Sequence[Sequence[GapRow]], centred: Vectors, language: str | None) -> GapGroup:
    """The group of `members`, each a question with all the rows in which it stands in these words."""
    centre = np.average(centred, axis=0, weights=[len(rows) for rows in members])
    nearest = [members[at][0] for at in np.argsort(-(centred @ centre), kind="stable")]
    shown = next((row for row in nearest if row.language == language), nearest[0])
    rows = [row for same in members for row in same]
    disliked = [row.document for row in rows if row.reason == Reason.THUMBS_DOWN and row.document]
    return GapGroup(
        question=shown.question,
        wordings=tuple(row.question for row in nearest if row is not shown)[:MOST_WORDINGS],
        count=len(rows),
        reasons=_counted(row.reason for row in rows),
        countries=_counted(row.country or "" for row in rows),
        languages=_counted(row.language for row in rows),
        first=min(row.day for row in rows),
        last=max(row.day for row in rows),
        documents=_counted(disliked),
    )


def _counted(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))


def _today() -> date:
    return datetime.now(UTC).date()
