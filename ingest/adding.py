"""From what an agency sends to a draft in the catalogue: read, keep the original, describe, enter."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from ingest.catalogue import Agency, Catalogue, CatalogueError, Origin, Version
from ingest.chunking import cut
from ingest.index import Progress
from ingest.loading import Loaded, fetch, load
from ingest.vectors import VectorCache
from knowledge.encoders import Encoder, Vectors
from knowledge.generation import Generation, sha256
from knowledge.models import AsOf, Confidence, Document, Kind, Source, Topic
from knowledge.settings import Settings

NEIGHBOURS = 5
MOST_TOPICS, LEAST_SHARE = 3, 0.2
TITLE_LENGTHS = (5, 120)
REVIEW_AFTER = timedelta(days=365)


@dataclass(frozen=True)
class Details:
    """What an agency says about a document; what is None is found in it, or left open."""

    title: str | None = None
    as_of: str | None = None
    expires: date | None = None
    countries: tuple[str, ...] | None = None
    source: str | None = None
    language: str | None = None


def add(
    settings: Settings,
    catalogue: Catalogue,
    encoder: Encoder,
    generation: Generation | None,
    source: str,
    agency: str,
    *,
    actor: str,
    details: Details = Details(),
    name: str | None = None,
    replaces: str | None = None,
    progress: Progress = lambda *_: None,
) -> Version:
    """Enter a file or web address as a draft of `agency`, its passages encoded; nothing of it is shown yet.

    `name` is the file's name as it was sent. With `generation` in use its topics are found by likeness.

    Raises:
        LoadError: the file cannot be read or the address not be fetched; the reason says why.
        CatalogueError: the agency is not known, or just this file is published already.
    """
    known = catalogue.agency(agency)
    uploads = settings.data_dir / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".incoming-", dir=uploads) as scratch:
        path, name, address = _obtain(source, name, Path(scratch))
        loaded = load(path, name, progress=_reading(progress))
        original = _keep(path, uploads, loaded)
    try:
        document = describe(loaded, known, name, address, details)
    except ValidationError as error:
        raise _refused(error) from None
    document = document.model_copy(
        update={"topics": topics(document, encode(settings, encoder, document, progress)[0], generation)}
    )
    origin = Origin(original, name, loaded.pages, loaded.notes, loaded.flagged)
    return catalogue.add_draft(document, origin, actor=actor, replaces=replaces)


def _obtain(source: str, name: str | None, scratch: Path) -> tuple[Path, str, str | None]:
    if source.startswith(("http://", "https://")):
        fetched = fetch(source, scratch)
        return fetched.path, fetched.name, fetched.url
    path = Path(source)
    if not path.is_file():
        raise CatalogueError(f"{source} is no file and no web address")
    return path, name or path.name, None


def _reading(progress: Progress) -> Callable[[int, int], None]:
    return lambda done, total: progress("reading", done, total)


def _keep(path: Path, uploads: Path, loaded: Loaded) -> str:
    """Keep the original, named by its hash: the same file is kept once."""
    original = f"{sha256(path)}.{loaded.kind}"
    if not (uploads / original).is_file():
        fresh = uploads / f".{original}.new"
        shutil.copyfile(path, fresh)
        fresh.replace(uploads / original)
    return original


def keep_text(uploads: Path, text: str) -> str:
    """Keep `text` as an original of its own; returns its name."""
    uploads.mkdir(parents=True, exist_ok=True)
    original = f"{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}.text"
    fresh = uploads / f".{original}.new"
    fresh.write_bytes(text.encode("utf-8", "replace"))
    fresh.replace(uploads / original)
    return original


def describe(loaded: Loaded, agency: Agency, name: str, address: str | None, details: Details) -> Document:
    """The document that `loaded` becomes. Its figures stand as the agency wrote them: references into our fact
    tables are not resolved in it."""
    today = datetime.now(UTC).date()
    title = title_of(details.title or loaded.title or Path(name).stem, agency)
    return Document(
        id="new",
        title=title,
        kind=Kind.AGENCY,
        language=details.language or loaded.language,
        topics=(Topic.SUPPORT,),
        countries=details.countries if details.countries is not None else _one_country(agency),
        questions={},
        sources=(
            Source(
                title=title,
                publisher=agency.name,
                url=details.source or address or agency.url,
                as_of=AsOf(details.as_of or loaded.as_of or "unknown"),
                confidence=Confidence.MEDIUM,
            ),
        ),
        reviewed=today,
        review_by=max(details.expires or today + REVIEW_AFTER, today + timedelta(days=1)),
        agency=agency.id,
        expires=details.expires,
        body=loaded.markdown,
    )


def corrected(document: Document, details: Details) -> Document:
    """`document` with the details that are given in the place of its own.

    Raises:
        CatalogueError: a detail is not valid (an address, a date, a country).
    """
    source = document.sources[0]
    title = details.title or document.title
    changed = document.model_dump() | {
        "title": title,
        "language": details.language or document.language,
        "countries": details.countries if details.countries is not None else document.countries,
        "expires": details.expires or document.expires,
        "sources": [
            source.model_dump()
            | {"title": title, "url": details.source or source.url, "as_of": details.as_of or str(source.as_of)}
        ],
    }
    try:
        return Document.model_validate(changed)
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> CatalogueError:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"] if not isinstance(part, int))
    return CatalogueError(f"{where}: {fault['msg'].removeprefix('Value error, ')}")


def title_of(text: str, agency: Agency) -> str:
    """A title for a document out of `text`, of the length that titles have."""
    title = " ".join(text.replace("_", " ").split())
    if len(title) < TITLE_LENGTHS[0]:
        title = f"{title} ({agency.name})"
    return title if len(title) <= TITLE_LENGTHS[1] else title[: TITLE_LENGTHS[1] - 1].rsplit(" ", 1)[0] + "…"


def _one_country(agency: Agency) -> tuple[str, ...]:
    """An agency of one country writes for its sellers; one of several says in the document whom it means."""
    return agency.countries if len(agency.countries) == 1 else ()


def encode(
    settings: Settings, encoder: Encoder, document: Document, progress: Progress = lambda *_: None
) -> tuple[Vectors, Vectors]:
    """The vectors of a document's passages and of their question forms; what was encoded before is not again."""
    passages = cut(document)
    texts = [passage.standing_alone for passage in passages]
    forms = [form for passage in passages for form in passage.questions]
    with VectorCache(settings.data_dir, encoder.fingerprint) as cache:
        text_vectors, form_vectors = cache.encode_all(encoder, [(texts, "passage"), (forms, "query")], progress)
    return text_vectors, form_vectors


def topics(document: Document, vectors: Vectors, generation: Generation | None) -> tuple[Topic, ...]:
    """The subjects of what lies nearest to the document's passages in the knowledge base, the main one first."""
    if generation is None:
        return document.topics
    votes: Counter[Topic] = Counter()
    for vector in vectors:
        for row in generation.nearest_passages(vector, NEIGHBOURS).rows:
            votes[generation.documents[generation.passages[int(row)].document].topic] += 1
    most = [topic for topic, count in votes.most_common(MOST_TOPICS) if count >= LEAST_SHARE * votes.total()]
    return tuple(most) or document.topics
