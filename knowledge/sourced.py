"""Facts with the page they rest on, and prose that is shown to people in their language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, model_validator

from knowledge.models import Confidence, Identifier, PartialDate, Source, Strict

Area = Annotated[str, Field(pattern=r"^([A-Z]{2}|\*)$")]
"""An ISO 3166 alpha-2 code, or `*` for everywhere."""


@dataclass(frozen=True)
class Shown:
    """Marks a text of a fact table that people read, so that it is translated."""


Label = Annotated[str, Field(min_length=2, max_length=60), Shown()]
"""A few words, short enough for a button."""

Prose = Annotated[str, Field(min_length=2, max_length=600), Shown()]
"""One to three plain sentences."""


class Page(Strict):
    """A page that facts rest on; each fact says by itself how old it is and how sure."""

    title: str = Field(min_length=3, max_length=200)
    publisher: str = Field(min_length=2, max_length=120)
    url: str = Field(pattern=r"^https?://[^\s]+$", max_length=500)


class Sourced(Strict):
    """A fact with its page (a key of the file's `sources`), date and confidence."""

    source: Identifier
    as_of: PartialDate
    confidence: Confidence


class WithSources(Strict):
    """A file of facts with the pages they rest on."""

    sources: dict[Identifier, Page] = Field(default_factory=dict)

    def source_of(self, fact: Sourced) -> Source:
        """The page of this file that `fact` rests on, with the fact's own date and confidence."""
        page = self.sources[fact.source]
        return Source(
            title=page.title, publisher=page.publisher, url=page.url, as_of=fact.as_of, confidence=fact.confidence
        )

    @model_validator(mode="after")
    def _sources_are_there(self) -> WithSources:
        for key in source_keys(self.model_dump()):
            if key not in self.sources:
                raise ValueError(f"source: {key!r} is not among the file's sources")
        return self


def source_keys(value: object) -> set[str]:
    """All keys of pages that `value`, a model as plain data, and what is in it name."""
    if isinstance(value, dict):
        own = {value["source"]} if isinstance(value.get("source"), str) else set()
        return own.union(*(source_keys(item) for key, item in value.items() if key != "sources"))
    if isinstance(value, list | tuple):
        return set().union(*map(source_keys, value))
    return set()


def shown_texts(value: object) -> Iterator[str]:
    """All texts in `value` and below it that people read."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            found = getattr(value, name)
            if isinstance(found, str) or (isinstance(found, tuple) and found and isinstance(found[0], str)):
                if any(isinstance(each, Shown) for each in field.metadata) or _is_shown(field.annotation):
                    yield from (found,) if isinstance(found, str) else found
            else:
                yield from shown_texts(found)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from shown_texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from shown_texts(item)


def _is_shown(annotation: Any) -> bool:
    """True when `annotation` is marked as shown, or holds what is: `Prose | None`, `tuple[Prose, ...]`."""
    marks = getattr(annotation, "__metadata__", ())
    inner = getattr(annotation, "__args__", ())
    return any(isinstance(each, Shown) for each in marks) or any(_is_shown(each) for each in inner)
