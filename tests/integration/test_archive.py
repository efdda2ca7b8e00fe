"""Export and import: the round trip, conflicts, crashes, and archives made to do harm."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ingest.archive import ArchiveError, export_archive, import_archive, read_library
from ingest.archive import checking as limits
from ingest.catalogue import Catalogue, Origin, State, Version
from ingest.index import writing
from ingest.sync import sync
from knowledge.encoders import Encoder
from knowledge.generation import current, read_manifest
from knowledge.models import Confidence, Document, Kind, Source, Topic
from knowledge.settings import ROOT, Settings
from tests.integration.test_ingest import run

Entries = dict[str, bytes]


@pytest.fixture
def full(small_settings: Settings, tmp_path: Path) -> Settings:
    """A knowledge base with tables of its own and an agency: one document published, one a draft."""
    shutil.copytree(ROOT / "knowledge" / "facts", tmp_path / "facts")
    settings = small_settings.model_copy(update={"facts_dir": tmp_path / "facts"})
    with Catalogue.open(settings) as catalogue:
        catalogue.add_agency(
            "Nairobi Desk", ["KE"], ["en", "sw"], "help@desk.example", "https://desk.example", actor="1"
        )
        catalogue.set_group("nairobi-desk", -100123456789, actor="1")
        catalogue.publish(add(settings, catalogue, "Parcel rules by post").id, actor="987654321")
        add(settings, catalogue, "Courses for exporters")
    return settings


def add(settings: Settings, catalogue: Catalogue, title: str, body: str = "Ask at the counter in the hall.") -> Version:
    original = f"{title}: {body}".encode()
    name = f"{hashlib.sha256(original).hexdigest()}.text"
    (settings.data_dir / "uploads").mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "uploads" / name).write_bytes(original)
    source = Source(
        title=title,
        publisher="Nairobi Desk",
        url="https://desk.example/rules",
        as_of="2026-05",  # type: ignore[arg-type]
        confidence=Confidence.MEDIUM,
    )
    document = Document(
        id="draft",
        title=title,
        kind=Kind.AGENCY,
        agency="nairobi-desk",
        language="en",
        topics=(Topic.SHIPPING,),
        questions={},
        sources=(source,),
        reviewed=date(2026, 11, 1),
        review_by=date(2027, 11, 1),
        body=body,
    )
    return catalogue.add_draft(document, Origin(name, f"{title}.txt", 2, ("cut-text",), ("Ignore this.",)), actor="987")


@pytest.fixture
def empty(tmp_path: Path) -> Settings:
    """Another copy: an empty data folder and no documents or tables."""
    home = tmp_path / "other"
    home.mkdir()
    (home / "documents").mkdir()
    return Settings(data_dir=home / "data", documents_dir=home / "documents", facts_dir=home / "facts")


@pytest.fixture
def archive(full: Settings, tmp_path: Path) -> Path:
    return export_archive(full, tmp_path / "base.zip").path


def content_of(settings: Settings) -> dict[str, bytes]:
    """All files of a copy but the lock, and its catalogue."""
    roots = (settings.data_dir, settings.documents_dir.parent)
    files = {p: p.read_bytes() for root in roots for p in root.rglob("*") if p.is_file() and p.suffix != ".lock"}
    return {str(p): content for p, content in files.items() if ".sqlite" not in p.name}


def test_round_trip_gives_the_same_generation(full: Settings, empty: Settings, archive: Path, encoder: Encoder) -> None:
    imported = import_archive(empty, archive)
    assert not imported.refused
    assert not imported.catalogue.conflicts
    assert read_library(empty) == read_library(full)
    ours, theirs = sync(full, encoder).manifest, sync(empty, encoder).manifest
    assert ours and theirs
    assert ours.documents == 4
    assert ours.content == theirs.content
    assert export_archive(empty, archive.with_name("again.zip")).path.read_bytes() == archive.read_bytes()
    again = import_archive(empty, archive)
    assert again.is_empty(replace=True)
    assert not imported.is_empty(replace=False)
    assert not any(change.differs for change in again.folders)
    assert again.originals == 0
    assert again.catalogue.documents.equal == tuple(read_library(full).documents)


def test_two_exports_are_equal_and_hold_nothing_of_people(full: Settings, archive: Path) -> None:
    for path in [*full.documents_dir.iterdir(), *(full.data_dir / "uploads").iterdir()]:
        path.touch()
    assert export_archive(full, archive.with_name("again.zip")).path.read_bytes() == archive.read_bytes()
    assert not list(archive.parent.glob(".*.new"))
    with zipfile.ZipFile(archive) as opened:
        everything = b"".join(opened.read(name) for name in opened.namelist())
        manifest = json.loads(opened.read("manifest.json"))
    assert manifest["counts"]["versions"] == manifest["counts"]["originals"] == 2
    for secret in (b"100123456789", b"987654321", b"group_chat", b"created_by"):
        assert secret not in everything


def test_what_is_faulty_is_left_out_and_named(full: Settings, empty: Settings, tmp_path: Path) -> None:
    (full.documents_dir / "bad.md").write_text("---\nid: bad\n---\ntext", encoding="utf-8")
    gone = sorted((full.data_dir / "uploads").iterdir())[0]
    gone.write_bytes(b"changed")
    exported = export_archive(full, tmp_path / "base.zip")
    assert {problem.path.name for problem in exported.problems} == {"bad.md"}
    assert exported.manifest.missing == (gone.name,)
    assert import_archive(empty, exported.path).originals == 1
    assert not (empty.documents_dir / "bad.md").exists()


def test_folders_that_differ_need_replace_and_are_kept(full: Settings, empty: Settings, archive: Path) -> None:
    import_archive(empty, archive)
    card = empty.documents_dir / "etsy-fees-per-sale.md"
    card.write_text(card.read_text(encoding="utf-8").replace("Etsy take", "Etsy really take"), encoding="utf-8")
    (empty.documents_dir / "paypal-receive-countries.md").rename(empty.documents_dir / "own.md")
    before = content_of(empty)
    refused = import_archive(empty, archive)
    assert refused.refused
    assert refused.folders[0].changed == ("etsy-fees-per-sale.md",)
    assert refused.folders[0].removed == ("own.md",)
    assert not refused.folders[1].differs
    assert content_of(empty) == before
    done = import_archive(empty, archive, replace=True)
    assert not done.refused
    assert {p.name: p.read_bytes() for p in empty.documents_dir.iterdir()} == {
        p.name: p.read_bytes() for p in full.documents_dir.iterdir()
    }
    kept = empty.documents_dir.with_name("documents.before-import")
    assert "really" in (kept / "etsy-fees-per-sale.md").read_text(encoding="utf-8")
    assert not empty.facts_dir.with_name("facts.before-import").exists()


def test_the_catalogue_is_merged(full: Settings, empty: Settings, archive: Path) -> None:
    import_archive(empty, archive)
    with Catalogue.open(empty) as catalogue:
        catalogue.set_group("nairobi-desk", -55, actor="cli")
        draft = catalogue.drafts()[0]
        catalogue.publish(draft.id, actor="cli")
        add(empty, catalogue, "Parcel rules by post", "Newer.")
        catalogue.add_agency("Lima Desk", ["PE"], ["es"], "", "", actor="cli")
    left = import_archive(empty, archive)
    differing = {"nairobi-desk-courses-for-exporters", "nairobi-desk-parcel-rules-by-post"}
    assert set(left.catalogue.documents.differing) == differing
    with Catalogue.open(empty) as catalogue:
        assert catalogue.version(draft.id).state is State.PUBLISHED
    import_archive(empty, archive, replace=True)
    with Catalogue.open(empty) as catalogue:
        assert catalogue.version(draft.id).state is State.DRAFT
        newer, published = catalogue.history("nairobi-desk-parcel-rules-by-post")
        assert (newer.state, published.state) == (State.DISCARDED, State.PUBLISHED)
        assert catalogue.agency("nairobi-desk").group_chat_id == -55
        assert catalogue.agency("lima-desk")
        assert sum(line.action == "imported" for line in catalogue.trail()) == 3 + 2


def test_a_dry_run_changes_nothing(empty: Settings, archive: Path) -> None:
    before = content_of(empty)
    shown = import_archive(empty, archive, dry_run=True)
    assert len(shown.folders[0].added) == 3
    assert shown.catalogue.agencies.added == ("nairobi-desk",)
    assert shown.originals == 2
    assert content_of(empty) == before
    assert not empty.data_dir.exists()


def test_a_crash_between_the_two_renames_heals(empty: Settings, archive: Path) -> None:
    import_archive(empty, archive)
    (empty.documents_dir / "etsy-fees-per-sale.md").write_text("---\n---\nours", encoding="utf-8")
    empty.documents_dir.rename(empty.documents_dir.with_name("documents.before-import"))
    shutil.copytree(empty.facts_dir, empty.documents_dir.with_name("documents.importing"))
    (empty.data_dir / ".import-dead").mkdir()
    assert import_archive(empty, archive).refused
    assert (empty.documents_dir / "etsy-fees-per-sale.md").read_text(encoding="utf-8").endswith("ours")
    assert import_archive(empty, archive, replace=True).folders[0].changed == ("etsy-fees-per-sale.md",)
    assert sorted(path.name for path in empty.documents_dir.parent.iterdir() if "import" in path.name) == [
        "documents.before-import"
    ]
    assert not list(empty.data_dir.glob(".import-*"))


def sealed(entries: Entries, **manifest: object) -> Entries:
    """The entries with a manifest that fits them, as somebody would make who means harm."""
    own = json.loads(entries["manifest.json"])
    listed = {name: content for name, content in entries.items() if name != "manifest.json"}
    own["entries"] = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in listed.items()
    }
    return {**listed, "manifest.json": json.dumps({**own, **manifest}).encode()}


def with_entry(name: str, content: bytes = b"x") -> Callable[[Entries], Entries]:
    return lambda entries: sealed({**entries, name: content})


def changed(name: str, old: str, new: str) -> Callable[[Entries], Entries]:
    def change(entries: Entries) -> Entries:
        assert old.encode() in entries[name]
        return sealed({**entries, name: entries[name].replace(old.encode(), new.encode())})

    return change


def without(start: str, *, resealed: bool = True) -> Callable[[Entries], Entries]:
    def change(entries: Entries) -> Entries:
        kept = {name: content for name, content in entries.items() if not name.startswith(start)}
        return sealed(kept) if resealed else kept

    return change


def damaged(entries: Entries) -> Entries:
    return {**entries, "facts/fx.yaml": entries["facts/fx.yaml"].replace(b"as_of", b"of_as")}


def twisted_name(entries: Entries) -> Entries:
    name = next(name for name in entries if name.startswith("uploads/"))
    return sealed({**entries, name: b"something else"})


def growing(levels: int) -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


CARD = "documents/etsy-fees-per-sale.md"
HOSTILE: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "no-manifest": (without("manifest.json", resealed=False), "manifest.json is missing"),
    "broken-manifest": (lambda e: {**e, "manifest.json": b"{" * 100_000}, "manifest.json: "),
    "other-format": (lambda e: sealed(e, format=2), "has the format 2"),
    "not-listed": (lambda e: {**e, "documents/more.md": b"x"}, "not in its manifest"),
    "listed-only": (without(CARD, resealed=False), "missing from the archive"),
    "no-catalogue": (without("catalogue/agencies"), "agencies.jsonl is missing"),
    "changed": (damaged, "not what the manifest says"),
    "wrong-counts": (lambda e: sealed(e, counts={"documents": 3}), "counts"),
    "absolute": (with_entry("/etc/cron.d/x"), "leads out of"),
    "dots": (with_entry("documents/../../x.md"), "leads out of"),
    "backslashes": (with_entry("documents\\..\\x.md"), "leads out of"),
    "drive": (with_entry("C:/x.md"), "leads out of"),
    "unknown": (with_entry("tradewind.sqlite"), "does not belong"),
    "hidden": (with_entry("documents/.x.md"), "does not belong"),
    "program": (with_entry("facts/x.py"), "does not belong"),
    "escape-sequence": (with_entry("documents/\x1b[2Jx.md"), "does not belong"),
    "upload-name": (with_entry("uploads/report.pdf"), "does not belong"),
    "upload-hash": (twisted_name, "not named by its hash"),
    "upload-of-nobody": (
        with_entry(f"uploads/{hashlib.sha256(b'x').hexdigest()}.pdf"),
        "belongs to no version",
    ),
    "upload-missing": (without("uploads/"), "missing from the archive"),
    "file-and-folder": (with_entry(f"{CARD}/x.md"), "a file and a folder"),
    "bad-document": (changed(CARD, "kind: card", "kind: leaflet"), "etsy-fees-per-sale.md: kind"),
    "bad-date": (changed(CARD, "review_by: '", "review_by: 2027-13-45 #"), "is not valid YAML: month"),
    "other-id": (changed(CARD, "id: etsy-fees-per-sale", "id: other"), "the file is named"),
    "bad-table": (changed("facts/fx.yaml", "as_of", "of_as"), "facts/fx.yaml"),
    "no-tables": (without("facts/categories"), "categories.yaml"),
    "growing-yaml": (with_entry("facts/platforms/x.yaml", growing(12)), "too large"),
    "endless-yaml": (with_entry("facts/platforms/x.yaml", b"a: &a [*a]"), "too large"),
    "deep-yaml": (with_entry("facts/platforms/x.yaml", b"[" * 5_000), "too deep|not valid YAML"),
    "deep-front-matter": (
        with_entry("documents/x.md", b"---\na: 1\n---b: 2\nc: " + b"[" * 500),
        "too deep|front matter",
    ),
    "not-utf-8": (with_entry("documents/x.md", b"\xff\xfe"), "not UTF-8"),
    "agency-id": (changed("catalogue/agencies.jsonl", '"nairobi-desk"', '"../desk"'), "agencies.jsonl: line 1: id"),
    "agency-country": (changed("catalogue/agencies.jsonl", '"KE"', '"Kenya"'), "countries"),
    "agency-field": (changed("catalogue/agencies.jsonl", '"url"', '"group_chat_id":1,"url"'), "group_chat_id"),
    "agency-unknown": (lambda e: sealed({**e, "catalogue/agencies.jsonl": b""}), "is not in the archive"),
    "deep-json": (lambda e: sealed({**e, "catalogue/agencies.jsonl": b"[" * 200_000}), "agencies.jsonl: line 1"),
    "version-content": (changed("catalogue/documents.jsonl", '"body"', '"text"'), "content.body"),
    "version-id": (
        changed("catalogue/documents.jsonl", 'nt":{"id":"nairobi-desk-c', 'nt":{"id":"nairobi-desk-d'),
        "content is of",
    ),
    "version-state": (changed("catalogue/documents.jsonl", '"state":"draft"', '"state":"live"'), "state"),
    "version-original": (changed("catalogue/documents.jsonl", '"original":"', '"original":"../'), "original"),
    "version-since": (changed("catalogue/documents.jsonl", '"state":"draft"', '"state":"published"'), "not since when"),
    "document-twice": (
        lambda e: sealed({**e, "catalogue/documents.jsonl": e["catalogue/documents.jsonl"] * 2}),
        "there twice",
    ),
}


def written(path: Path, entries: Entries, kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as made:
        for name, content in entries.items():
            made.writestr(zipfile.ZipInfo(name), content, kind)
    return path


def entries_of(archive: Path) -> Entries:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def refused(settings: Settings, path: Path, reason: str) -> None:
    before = content_of(settings)
    with pytest.raises(ArchiveError, match=reason) as raised:
        import_archive(settings, path, replace=True)
    assert "\n" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert content_of(settings) == before
    assert not read_library(settings).agencies


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_with_its_reason(empty: Settings, archive: Path, name: str) -> None:
    make, reason = HOSTILE[name]
    refused(empty, written(archive.with_name("hostile.zip"), make(entries_of(archive))), reason)


def test_an_untouched_archive_written_anew_is_accepted(empty: Settings, archive: Path) -> None:
    import_archive(empty, written(archive.with_name("fair.zip"), sealed(entries_of(archive))))
    assert len(read_library(empty).documents) == 2


def test_links_are_refused(empty: Settings, archive: Path) -> None:
    entries = entries_of(archive)
    path = archive.with_name("hostile.zip")
    with zipfile.ZipFile(path, "w") as made:
        for name, content in sealed({**entries, "documents/link.md": b"/etc/passwd"}).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK if name.endswith("link.md") else stat.S_IFREG) << 16
            made.writestr(entry, content)
    refused(empty, path, "is a link")


def test_an_entry_that_is_there_twice_is_refused(empty: Settings, archive: Path) -> None:
    with zipfile.ZipFile(archive, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr(CARD, b"another")
    refused(empty, archive, "twice")


def test_bombs_are_refused(empty: Settings, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = entries_of(archive)
    path = archive.with_name("hostile.zip")
    bomb = sealed({**entries, f"uploads/{'0' * 64}.pdf": bytes(100_000_000)})
    monkeypatch.setattr(limits, "MOST_RATIO", 20)  # the real one would take a bomb of a gigabyte to pass
    refused(empty, written(path, bomb), "that is no knowledge base")
    refused(empty, written(path, sealed({**entries, "documents/x.md": b"x" * 6_000_000})), "are the most")
    refused(empty, written(path, entries, zipfile.ZIP_LZMA), "packed in a way")
    monkeypatch.setattr(limits, "MOST_ENTRIES", 10)
    refused(empty, archive, "10 are the most")


def test_an_entry_that_lies_about_its_size_is_refused(empty: Settings, archive: Path) -> None:
    raw = bytearray(archive.read_bytes())
    with zipfile.ZipFile(io.BytesIO(raw)) as opened:
        size = opened.getinfo("catalogue/documents.jsonl").file_size
    at = raw.rfind(b"catalogue/documents.jsonl") - 46  # its record in the directory at the end
    assert int.from_bytes(raw[at + 24 : at + 28], "little") == size
    raw[at + 24 : at + 28] = (10).to_bytes(4, "little")
    archive.write_bytes(raw)
    refused(empty, archive, "documents.jsonl is (damaged|not what)")


def test_what_is_no_archive_is_refused(empty: Settings, archive: Path) -> None:
    whole = archive.read_bytes()
    for content in (b"", b"PK\x03\x04", b"hello" * 100, whole[:-100], whole[: len(whole) // 2]):
        archive.write_bytes(content)
        refused(empty, archive, "no zip archive|damaged")
    archive.write_bytes(whole[:200] + bytes(100) + whole[300:])
    refused(empty, archive, "damaged|not what")


def test_on_the_command_line(
    full: Settings, empty: Settings, clean_environment: dict[str, str], tmp_path: Path, encoder: Encoder
) -> None:
    def environment(settings: Settings) -> dict[str, str]:
        folders = {"DATA_DIR": settings.data_dir, "DOCUMENTS_DIR": settings.documents_dir}
        return clean_environment | {k: str(v) for k, v in (folders | {"FACTS_DIR": settings.facts_dir}).items()}

    file = str(tmp_path / "base.zip")
    exported = run(["export", file, "--json"], environment(full))
    assert exported.returncode == 0, exported.stderr
    assert json.loads(exported.stdout)["counts"]["agencies"] == 1
    dry = run(["import", file, "--dry-run", "--json"], environment(empty))
    assert json.loads(dry.stdout)["catalogue"]["agencies"]["added"] == ["nairobi-desk"]
    done = run(["import", file], environment(empty))
    assert done.returncode == 0, done.stderr
    assert "ingest sync" in done.stdout
    (empty.documents_dir / "etsy-fees-per-sale.md").unlink()
    differs = run(["import", file], environment(empty))
    assert differs.returncode == 2
    assert "etsy-fees-per-sale.md" in differs.stdout
    assert "--replace" in differs.stderr
    assert run(["import", file, "--replace"], environment(empty)).returncode == 0
    bad = run(["import", str(ROOT / "README.md")], environment(empty))
    assert bad.returncode == 2
    assert "README.md is no zip archive" in bad.stderr
    assert run(["import", str(tmp_path / "nothing.zip")], environment(empty)).returncode == 1
    assert run(["export", str(tmp_path)], environment(full)).returncode == 1
    with writing(empty.data_dir):
        busy = run(["import", file], environment(empty))
    assert busy.returncode == 1
    assert "another ingest" in busy.stderr
    assert "Traceback" not in exported.stderr + done.stderr + differs.stderr + bad.stderr + busy.stderr
    assert current(empty.data_dir) is None
    sync(empty, encoder)
    folder = current(empty.data_dir)
    assert folder
    assert read_manifest(folder).documents == 4
