"""Read the Markdown documents of the knowledge base from a folder, with their translations.

`<id>.md` is a document, `<id>.<language>.md` beside it a translation, which carries the fingerprint of the text that
was translated: when the original changes, its translations are known to be stale.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler
from pydantic import ValidationError

from knowledge.facts import Facts
from knowledge.models import LANGUAGES, TRANSLATED_CHARACTERS, Document, Kind, Translation
from knowledge.numerals import localised
from knowledge.references import REFERENCE, UnknownReferenceError, bare_figures, known_figures, resolve


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


def _body(path: Path) -> str:
    """The raw text of the valid document at `path`, without the YAML, which takes longest to read."""
    return path.read_text(encoding="utf-8").split("\n---\n", 1)[-1].strip()


def _problem(path: Path, field: str, message: str) -> Problem:
    message = message.removeprefix("Value error, ")
    if not field and ": " in message:  # faults of the whole document name their field in the message
        field, message = message.split(": ", 1)
    return Problem(path, field or "document", message)


def load_documents(folder: Path, facts: Facts) -> tuple[list[Document], list[Problem]]:
    """Read all `*.md` files below `folder`, in order of their paths, and give each document its translations.

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
    bodies = {id: _body(path) for id, path in first_at.items()}
    folders = {id: path.parent for id, path in first_at.items()}
    translations: dict[str, list[Translation]] = {}
    for path in _translation_files(folder):
        read = read_translation(path, documents, bodies, folders, facts)
        if isinstance(read, list):
            problems += read
        else:
            translations.setdefault(read.translation_of, []).append(read)
    whole = [
        document.model_copy(update={"translations": tuple(translations.get(document.id, ()))})
        for document in documents.values()
    ]
    return whole, problems


def fingerprint(title: str, body: str) -> str:
    """Tells one text of a document from another: the hash of its title and its raw body, in 12 hexadecimal digits."""
    return hashlib.sha256(f"{title.strip()}\n{body.strip()}".encode()).hexdigest()[:12]


def read_translation(
    path: Path, documents: dict[str, Document], bodies: dict[str, str], folders: dict[str, Path], facts: Facts
) -> Translation | list[Problem]:
    """Read one translation of one of `documents`; every fault comes back as a `Problem`.

    `bodies` are the raw texts of the documents, `folders` where they lie.

    A translation has just the figures, references and links of its original, else it would give other advice.
    """
    try:
        post = _post(path)
        original = documents.get(str(post.get("translation_of")))
        if original is None:
            return [Problem(path, "translation_of", f"there is no document {post.get('translation_of')!r}")]
        source = bodies[original.id]
        language = str(post.get("language"))
        body = localised(resolve(post.content, facts, language), language) if language in LANGUAGES else post.content
        fields = {**post.metadata, "body": body}
        is_stale = post.get("original") != fingerprint(original.title, source)
        translation = Translation.model_validate({**fields, "is_stale": is_stale})
    except UnknownReferenceError as error:
        return [Problem(path, "body", str(error))]
    except ValidationError as error:
        return [_problem(path, ".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors()]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        return [Problem(path, "file", f"cannot be read: {' '.join(str(error).split())}")]
    if path.name != f"{original.id}.{language}.md" or path.parent != folders[original.id]:
        return [Problem(path, "file", f"is to be named {original.id}.{language}.md, beside its original")]
    if original.kind is Kind.CARD and len(translation.body) > TRANSLATED_CHARACTERS:
        return [Problem(path, "body", f"{len(translation.body)} characters, {TRANSLATED_CHARACTERS} are the most")]
    if is_stale:
        return translation  # what it lacks is known to be lacking
    return [Problem(path, "body", fault) for fault in differences(source, post.content)] or translation


_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_NUMBERED_MONTH = re.compile(r"\d{1,2}\s?月|tháng \d{1,2}\b", re.IGNORECASE)
"""Months that English names have a number in Chinese and Vietnamese."""


def differences(original: str, translated: str) -> list[str]:
    """References, links and figures that stand in one of two texts and not in the other, each as a sentence."""
    faults = []
    for name, pattern in (("the reference", REFERENCE), ("the link", _LINK), ("the figure", _FIGURE)):
        texts = [original, translated]
        if pattern is _FIGURE:
            texts = [_NUMBERED_MONTH.sub(" ", REFERENCE.sub(" ", _LINK.sub(" ", text))) for text in texts]
        before, after = (Counter(match[0].rstrip(".,") for match in pattern.finditer(text)) for text in texts)
        faults += [f"{name} {found} of the original is missing" for found in before - after]
        faults += [f"{name} {found} is not in the original" for found in after - before]
    return faults


def stamp(path: Path, folder: Path) -> None:
    """Write the fingerprint of the original as it is now into the translation at `path`: somebody has read both.

    Raises:
        LookupError: it names no document below `folder`.
    """
    text = path.read_text(encoding="utf-8")
    post = _post(path)
    source = next((file for file in _files(folder) if file.stem == post.get("translation_of")), None)
    if source is None:
        raise LookupError(f"{path}: there is no document {post.get('translation_of')!r}")
    original = _post(source)
    now = fingerprint(str(original["title"]), original.content)
    path.write_text(re.sub(r"(?m)^original:.*$", f"original: '{now}'", text, count=1), encoding="utf-8")


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
    return (path for path in _markdown(folder) if "." not in path.stem)


def _translation_files(folder: Path) -> Iterable[Path]:
    return (path for path in _markdown(folder) if "." in path.stem)


def _markdown(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.md") if path.is_file() and not path.name.startswith("."))
