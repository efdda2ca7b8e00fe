"""The fact tables: size, faults that name file and field, and what needs a look."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.advice.figures.wording import FEE_NAMES, NEEDS, PERIODS, RHYTHMS, WAYS
from ingest.freshness import findings, refresh_rates, wrong_names
from knowledge.facts import FACTS, FactsError, Need, Payout, load_facts
from knowledge.tariff import FeeKind, Per

TABLES = load_facts()
TODAY = date(2026, 11, 22)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FACTS, tmp_path / "facts")
    return tmp_path / "facts"


def edit(path: Path, **changes: Any) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def test_there_is_enough_of_everything() -> None:
    assert sum(any(store.fees for store in platform.stores) for platform in TABLES.platforms) >= 60
    assert sum(bool(provider.fees) for provider in TABLES.payments) >= 35
    assert sum(bool(country.providers) for country in TABLES.countries) >= 45
    assert len(TABLES.destinations) >= 20
    kinds = {platform.kind for platform in TABLES.platforms if platform.stores}
    assert {"marketplace", "social", "own-store", "b2b-marketplace"} <= kinds


def test_names_in_the_tables_lead_somewhere() -> None:
    assert not list(wrong_names(TABLES))
    for platform in TABLES.platforms:
        assert platform.website or platform.status != "active" or not platform.stores, platform.id


def test_every_country_has_an_exchange_rate() -> None:
    missing = {country.currency for country in TABLES.countries} - set(TABLES.fx.per_usd)
    assert missing <= {"ZWG"}  # the table of rates has none that can be trusted for it


def test_all_that_is_shown_has_a_translated_name() -> None:
    assert set(FEE_NAMES) == set(FeeKind)
    assert set(PERIODS) == set(Per)
    assert set(NEEDS) == set(Need.__args__)  # type: ignore[attr-defined]
    providers = {provider.id for provider in TABLES.payments}
    assert {payout.to for platform in TABLES.platforms for payout in platform.payouts} <= providers | set(WAYS)
    rhythms = Payout.model_fields["every"].annotation.__args__[0].__args__  # type: ignore[union-attr]
    assert set(rhythms) == set(RHYTHMS)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stores": [{"id": "etsy", "name": "Etsy", "currency": "dollars"}]}, "stores.0.currency"),
        ({"colour": "orange"}, "colour"),
        ({"id": "other"}, "etsy.yaml: id"),
        ({"sources": {}}, "is not among the file's sources"),
        ({"status": "asleep"}, "status"),
    ],
)
def test_a_fault_names_file_and_field(folder: Path, changes: dict[str, Any], expected: str) -> None:
    edit(folder / "platforms" / "etsy.yaml", **changes)
    with pytest.raises(FactsError, match=r"etsy\.yaml") as caught:
        load_facts(folder)
    assert expected in str(caught.value)


FEE = {"id": "f", "name": "Fee", "kind": "commission", "source": "page", "as_of": "2026", "confidence": "high"}


@pytest.mark.parametrize(
    ("fee", "expected"),
    [
        ({"percent": 120}, "percent"),
        ({"percent": 5, "percent_max": 4}, "percent_max"),
        ({"tiers": [{"percent": 5}]}, "tiers"),
        ({"tiers": [{"percent": 5}, {"up_to": 10}], "mode": "by-slice"}, "only the last one"),
        ({"tiers": [{"up_to": 20}, {"up_to": 10}, {}], "mode": "by-slice"}, "must rise"),
        ({"percent": 5, "rates": [{"percent": 4}]}, "either rates or one charge"),
        ({"fixed": 5, "kind": "order", "inside_rate": True}, "inside_rate"),
        ({"plans": ["gold"], "percent": 5}, "'gold' is no plan"),
        ({"percent": 5, "as_of": "last year"}, "as_of"),
    ],
)
def test_a_fee_that_cannot_be_is_refused(folder: Path, fee: dict[str, Any], expected: str) -> None:
    page = {"title": "Page", "publisher": "Press", "url": "https://example.org/"}
    store = {"id": "etsy", "name": "Etsy", "currency": "USD", "fees": [FEE | fee]}
    edit(folder / "platforms" / "etsy.yaml", sources={"page": page}, sellers=None, payouts=[], stores=[store])
    with pytest.raises(FactsError, match=r"etsy\.yaml") as caught:
        load_facts(folder)
    assert expected in str(caught.value)


def test_broken_yaml_and_a_store_that_stands_twice(folder: Path) -> None:
    shutil.copy(folder / "platforms" / "etsy.yaml", folder / "platforms" / "etsy-two.yaml")
    edit(folder / "platforms" / "etsy-two.yaml", id="etsy-two", name="Etsy two")
    with pytest.raises(FactsError, match="etsy is used twice"):
        load_facts(folder)
    (folder / "platforms" / "etsy-two.yaml").write_text("id: [", encoding="utf-8")
    with pytest.raises(FactsError, match=r"etsy-two\.yaml"):
        load_facts(folder)


def test_what_is_old_unconfirmed_or_missing_is_found(folder: Path) -> None:
    page = {"title": "Page", "publisher": "Press", "url": "https://example.org/"}
    fees = [
        FEE | {"id": "old", "percent": 5, "as_of": "2024"},
        FEE | {"id": "weak", "percent": 5, "confidence": "low"},
        FEE | {"id": "missing"},
        FEE | {"id": "sound", "percent": 5},
    ]
    store = {"id": "etsy", "name": "Etsy", "currency": "USD", "fees": fees}
    edit(folder / "platforms" / "etsy.yaml", sources={"page": page}, sellers=None, payouts=[], stores=[store])
    found = {(f.fact, f.trouble) for f in findings(load_facts(folder), TODAY) if f.file == "platforms/etsy.yaml"}
    assert found == {("etsy.old", "of 2024"), ("etsy.weak", "low"), ("etsy.missing", "no figure")}


def rates_file(tmp_path: Path, day: str, **changes: Any) -> str:
    usd = {code.lower(): float(rate) for code, rate in TABLES.fx.per_usd.items()} | changes
    path = tmp_path / "usd.json"
    path.write_text(json.dumps({"date": day, "usd": {k: v for k, v in usd.items() if v is not None}}), encoding="utf-8")
    return str(path)


def test_rates_are_replaced_by_newer_ones(folder: Path, tmp_path: Path) -> None:
    before, after = refresh_rates(folder, rates_file(tmp_path, "2026-11-20", kes=131.5))
    fresh = load_facts(folder).fx
    assert (before, after) == (TABLES.fx.as_of, date(2026, 11, 20))
    assert (str(fresh.per_usd["KES"]), fresh.as_of) == ("131.5", after)
    assert fresh.caution == TABLES.fx.caution


@pytest.mark.parametrize(
    ("day", "changes", "expected"),
    [
        ("2020-01-01", {}, "is of 2020-01-01"),
        ("2026-11-20", {"kes": None}, "has no rate for KES"),
        ("2026-11-20", {"kes": 0}, "the rate for KES is 0"),
        ("yesterday", {}, "cannot be read"),
    ],
)
def test_a_table_of_rates_that_cannot_be_right_changes_nothing(
    folder: Path, tmp_path: Path, day: str, changes: dict[str, Any], expected: str
) -> None:
    before = (folder / "fx.yaml").read_bytes()
    with pytest.raises(FactsError, match=expected):
        refresh_rates(folder, rates_file(tmp_path, day, **changes))
    with pytest.raises(FactsError, match="cannot be read"):
        refresh_rates(folder, str(tmp_path / "none.json"))
    assert (folder / "fx.yaml").read_bytes() == before
