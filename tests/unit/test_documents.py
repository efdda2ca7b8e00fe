"""Documents: what is valid, and errors that name file and field."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from ingest.chunking import PASSAGE_CHARACTERS, cut
from knowledge.documents import load_documents, read_document
from knowledge.facts import load_facts
from knowledge.models import AsOf, Document, Kind, Topic
from knowledge.settings import ROOT

DOCUMENTS = ROOT / "knowledge" / "documents"
FACTS = load_facts()
BODY = " ".join(["word"] * 90)
SOURCE = {"title": "Page", "publisher": "Etsy", "url": "https://etsy.com", "as_of": "2026-03", "confidence": "high"}


def front_matter(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": "a-card",
        "title": "A card about something",
        "kind": "card",
        "language": "en",
        "topics": ["fees"],
        "questions": {"en": ["one", "two", "three"]},
        "sources": [SOURCE],
        "reviewed": date(2026, 11, 21),
        "review_by": date(2027, 5, 21),
    }
    return {**fields, **changes}


def write(folder: Path, name: str = "a-card", body: str = BODY, **changes: object) -> Path:
    path = folder / f"{name}.md"
    path.write_text(f"---\n{yaml.safe_dump(front_matter(**changes))}---\n\n{body}\n", encoding="utf-8")
    return path


def test_a_valid_document_is_read(tmp_path: Path) -> None:
    document = read_document(write(tmp_path), FACTS)
    assert isinstance(document, Document)
    assert document.topic is Topic.FEES
    assert document.sources[0].as_of.earliest == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("changes", "field", "part"),
    [
        ({"sources": []}, "sources", "at least 1"),
        ({"sources": [{**SOURCE, "url": "ftp://x"}]}, "sources.0.url", "pattern"),
        ({"sources": [{**SOURCE, "as_of": "May"}]}, "sources.0.as_of", "YYYY"),
        ({"sources": [{"title": "Page"}]}, "sources.0.publisher", "required"),
        ({"kind": "poem"}, "kind", "card"),
        ({"topics": ["weather"]}, "topics.0", "fees"),
        ({"questions": {"en": ["one"]}}, "questions.en", "3 to 6"),
        ({"questions": {"en": ["a", "b", "c"], "xx": ["d"]}}, "questions", "unknown language"),
        ({"countries": ["Kenya"]}, "countries.0", "pattern"),
        ({"colour": "red"}, "colour", "not permitted"),
        ({"review_by": date(2020, 1, 1)}, "review_by", "after reviewed"),
        ({"id": "another"}, "id", "file is named"),
    ],
)
def test_a_fault_names_file_and_field(tmp_path: Path, changes: dict[str, object], field: str, part: str) -> None:
    path = write(tmp_path, **changes)
    problems = read_document(path, FACTS)
    assert isinstance(problems, list)
    assert any(p.path == path and p.field == field and part in p.message for p in problems), list(map(str, problems))


@pytest.mark.parametrize("words", [79, 151])
def test_a_card_has_the_length_of_a_card(tmp_path: Path, words: int) -> None:
    problems = read_document(write(tmp_path, body=" ".join(["w"] * words)), FACTS)
    assert isinstance(problems, list)
    assert problems[0].field == "body"


def test_broken_files_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "b.md").write_bytes(b"\xff\xfe\x00broken")
    (tmp_path / "c.md").write_text("---\na: [unclosed\n---\ntext", encoding="utf-8")
    (tmp_path / "d.md").write_text("no front matter", encoding="utf-8")
    documents, problems = load_documents(tmp_path, FACTS)
    assert [document.id for document in documents] == ["a-card"]
    assert {(problem.path.name, problem.field) for problem in problems} == {
        ("b.md", "file"),
        ("c.md", "front matter"),
        ("d.md", "front matter"),
    }


def test_of_two_documents_with_one_id_the_first_is_kept(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, title=f"Title in {folder}")
    documents, problems = load_documents(tmp_path, FACTS)
    assert [document.title for document in documents] == ["Title in one"]
    assert [(problem.path.parent.name, problem.field) for problem in problems] == [("two", "id")]


def test_the_repository_holds_what_was_promised() -> None:
    documents, problems = load_documents(DOCUMENTS, FACTS)
    assert not problems
    kinds = [document.kind for document in documents]
    assert kinds.count(Kind.CARD) >= 150
    assert kinds.count(Kind.GUIDE) + kinds.count(Kind.SESSION) >= 25
    assert {document.topic for document in documents} == set(Topic)
    questions = [form.casefold() for d in documents for forms in d.questions.values() for form in forms]
    assert len(questions) == len(set(questions)), "a question form stands in two documents"


def test_tags_name_things_in_the_fact_tables() -> None:
    documents, _ = load_documents(DOCUMENTS, FACTS)
    facts = FACTS
    platforms = {platform.id for platform in facts.platforms}
    payments = {provider.id for provider in facts.payments}
    for document in documents:
        assert set(document.platforms) <= platforms, document.id
        assert set(document.payments) <= payments, document.id


@pytest.mark.parametrize(
    ("text", "earliest", "stale"),
    [
        ("2026-03-05", date(2026, 3, 5), False),
        ("2025-12", date(2025, 12, 1), False),
        ("2025", date(2025, 1, 1), True),
        ("unknown", None, True),
    ],
)
def test_age_is_never_understated(text: str, earliest: date | None, stale: bool) -> None:
    as_of = AsOf(text)
    assert as_of.earliest == earliest
    assert as_of.is_stale(date(2026, 11, 21)) is stale


@pytest.mark.parametrize("text", ["2026-13", "2026-02-31", "20260301", "soon", ""])
def test_impossible_dates_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Document.model_validate(front_matter(body=BODY, sources=[{**SOURCE, "as_of": text}]))


def test_a_card_is_one_passage_and_a_guide_one_for_each_section() -> None:
    documents, _ = load_documents(DOCUMENTS, FACTS)
    for document in documents:
        passages = cut(document)
        assert passages[0].id == document.id
        assert [passage.number for passage in passages] == list(range(len(passages)))
        assert len({passage.id for passage in passages}) == len(passages)
        assert all(passage.path[0] == document.title for passage in passages)
        assert all(len(passage.text) <= PASSAGE_CHARACTERS for passage in passages)
        if document.kind is Kind.CARD:
            assert len(passages) == 1
            assert passages[0].text == document.body
        else:
            assert len(passages) >= 4
            assert all(len(passage.path) == 2 for passage in passages[1:])


def test_a_date_that_does_not_exist_is_named(tmp_path: Path) -> None:
    source = next(DOCUMENTS.rglob("etsy-fees-per-sale.md")).read_text(encoding="utf-8")
    path = tmp_path / "etsy-fees-per-sale.md"
    path.write_text(re.sub(r"review_by: .*", "review_by: 2027-13-45", source), encoding="utf-8")
    (problem,) = load_documents(tmp_path, FACTS)[1]
    assert problem.path == path
    assert "month" in problem.message
