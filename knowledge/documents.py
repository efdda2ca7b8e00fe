"""Read the Markdown documents of the knowledge base from a folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler
from pydantic import ValidationError

from knowledge.facts import Facts
from knowledge.models import Document
from knowledge.references import UnknownReferenceError, bare_figures, known_figures, resolve


@dataclass(frozen=True)
class Problem:
    """One fault in one file: where (`path`, `field`) and what (`message`)."""

    path: Path
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.field}: {self.message}"


def read_document(path: Path, facts: Facts) -> Document | list[Problem]:
    """Read one file and write out its references to `facts`; every fault comes back as a `Problem` that names file
    and field."""
    try:
        post = _post(path)
    except (OSError, UnicodeDecodeError) as error:
        return [Problem(path, "file", f"cannot be read: {error}")]
    except (yaml.YAMLError, ValueError) as error:  # a date that does not exist is no fault of YAML's grammar
        return [Problem(path, "front matter", f"is not valid YAML: {' '.join(str(error).split())}")]
    if not post.metadata:
        return [Problem(path, "front matter", "is missing")]
    try:
        document = Document.model_validate({**post.metadata, "body": resolve(post.content, facts)})
    except UnknownReferenceError as error:
        return [Problem(path, "body", str(error))]
    except ValidationError as error:
        return [_problem(path, ".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors()]
    if document.id != path.stem:
        return [Problem(path, "id", f"is {document.id!r} but the file is named {path.name}")]
    return document


class _Yaml(YAMLHandler):
    """Front matter by libyaml, which is ten times faster than PyYAML's own parser."""

    def load(self, fm: str, **_: object) -> Any:
        return yaml.load(fm, yaml.CSafeLoader)


def _post(path: Path) -> frontmatter.Post:
    return frontmatter.loads(path.read_text(encoding="utf-8"), handler=_Yaml())


def _problem(path: Path, field: str, message: str) -> Problem:
    message = message.removeprefix("Value error, ")
    if not field and ": " in message:  # faults of the whole document name their field in the message
        field, message = message.split(": ", 1)
    return Problem(path, field or "document", message)


def load_documents(folder: Path, facts: Facts) -> tuple[list[Document], list[Problem]]:
    """Read all `*.md` files below `folder`, in order of their paths.

    A faulty file is left out and reported; of two documents with one id the first is kept.
    """
    documents: dict[str, Document] = {}
    first_at: dict[str, Path] = {}
    problems: list[Problem] = []
    for path in _files(folder):
        result = read_document(path, facts)
        if isinstance(result, list):
            problems += result
        elif result.id in documents:
            problems.append(Problem(path, "id", f"{result.id!r} is already used by {first_at[result.id]}"))
        else:
            documents[result.id] = result
            first_at[result.id] = path
    return list(documents.values()), problems


def bare_problems(folder: Path, facts: Facts) -> list[Problem]:
    """Figures written out in documents below `folder` although a table holds them: they would not follow an edit."""
    problems = []
    for path in _files(folder):
        document = read_document(path, facts)
        if isinstance(document, list):
            continue
        known = known_figures(facts, document.platforms, document.payments, document.markets)
        body = _post(path).content
        for figure in dict.fromkeys(bare_figures(body, known)):
            problems.append(
                Problem(path, "body", f'{figure} stands in a fact table: write its reference, or {{{{"{figure}"}}}}')
            )
    return problems


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*.md") if path.is_file() and not path.name.startswith("."))
