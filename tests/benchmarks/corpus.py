"""A knowledge base of any size, made by a script: documents of an agency out of our own vocabulary.

Their vectors are drawn at random and put into the cache: what is measured is the index, not the encoder's speed.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np

from ingest.catalogue import Catalogue, Origin
from ingest.chunking import cut
from ingest.vectors import VectorCache, key
from knowledge.encoders import Encoder
from knowledge.generation import current, read_vocabulary
from knowledge.models import AsOf, Confidence, Document, Kind, Source, Topic
from knowledge.settings import Settings

SECTIONS = 20
WORDS = 70
"""Words a section: one passage."""


def grow(settings: Settings, encoder: Encoder, passages: int) -> None:
    """Publish documents in the catalogue until there are about `passages` more; the index is not touched."""
    folder = current(settings.data_dir)
    assert folder is not None
    chance = random.Random(1)
    vocabulary = sorted(word for word in read_vocabulary(folder) if word.isascii() and word.isalpha() and len(word) > 3)
    today = date.today()
    with Catalogue.open(settings) as catalogue, VectorCache(settings.data_dir, encoder.fingerprint) as cache:
        agency = catalogue.add_agency("Bulk", ["KE"], ["en"], "nobody", "https://example.org", actor="cli").id
        for number in range(passages // SECTIONS):
            body = "\n\n".join(
                f"## {' '.join(chance.choices(vocabulary, k=3))} {number}-{section}\n"
                + " ".join(chance.choices(vocabulary, k=WORDS))
                + "."
                for section in range(SECTIONS)
            )
            document = Document(
                id="new",
                title=f"Made guide number {number}",
                kind=Kind.AGENCY,
                language="en",
                topics=(Topic.SUPPORT,),
                questions={},
                sources=(
                    Source(
                        title="Made guide",
                        publisher="Bulk",
                        url="https://example.org",
                        as_of=AsOf("2026"),
                        confidence=Confidence.LOW,
                    ),
                ),
                reviewed=today,
                review_by=today + timedelta(days=365),
                agency=agency,
                body=body,
            )
            version = catalogue.add_draft(document, Origin(f"{number}.text", "made"), actor="cli")
            catalogue.publish(version.id, actor="cli")
            _remember(cache, encoder.fingerprint.dimension, version.document)


def _remember(cache: VectorCache, dimension: int, document: Document) -> None:
    passages = cut(document)
    texts = [(passage.standing_alone, "passage") for passage in passages]
    texts += [(form, "query") for passage in passages for form in passage.questions]
    # Around a common centre, as the encoder's own vectors lie.
    vectors = np.random.default_rng(len(document.body)).normal(0.05, 0.03, (len(texts), dimension)).astype(np.float16)
    with cache._database:
        cache._database.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
            [(key(text, role), v.tobytes()) for (text, role), v in zip(texts, vectors, strict=True)],  # type: ignore[arg-type]
        )
