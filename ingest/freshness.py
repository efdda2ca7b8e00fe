"""What of the fact tables needs a look: old, unconfirmed or missing figures, and a fresh table of exchange rates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import yaml

from knowledge.facts import Facts, FactsError, load_facts
from knowledge.models import AsOf, Confidence
from knowledge.tariff import Fee

RATES_URL = "https://cdn.jsdelivr.net/npm/@fawazahmed0/currency-api@latest/v1/currencies/usd.json"
"""The daily table of all currencies for one US dollar (CC0, https://github.com/fawazahmed0/exchange-api)."""

SIGNIFICANT_DIGITS = 6
MOST_BYTES = 1_000_000
TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Finding:
    """One figure that needs a look: its file, the name of the fact, and what is wrong with it."""

    file: str
    fact: str
    trouble: str


def findings(facts: Facts, today: date) -> Iterator[Finding]:
    """All figures that are older than a year or undated, unconfirmed, or without an amount; old exchange rates."""
    for platform in facts.platforms:
        file = f"platforms/{platform.id}.yaml"
        for store in platform.stores:
            yield from _of_fees(file, f"{store.id}.", store.fees, today)
        for name, fact in (("sellers", platform.sellers), *((f"payouts.{p.to}", p) for p in platform.payouts)):
            if fact is not None:
                yield from _of(file, name, fact.as_of, fact.confidence, today)
    for provider in facts.payments:
        file = f"payments/{provider.id}.yaml"
        yield from _of_fees(file, "", provider.fees, today)
        for name, reach in (("receive", provider.receive), ("withdraw", provider.withdraw)):
            if reach is not None:
                yield from _of(file, name, reach.as_of, reach.confidence, today)
    for country in facts.countries:
        for row in country.providers:
            yield from _of(
                f"countries/{country.iso}.yaml", f"providers.{row.provider}", row.as_of, row.confidence, today
            )
    for destination in facts.destinations:
        for name, rule in (("duty", destination.duty), ("tax", destination.tax)):
            yield from _of(f"destinations/{destination.iso}.yaml", name, rule.as_of, rule.confidence, today)
    if (today - facts.fx.as_of).days > 90:
        yield Finding("fx.yaml", "per_usd", f"of {facts.fx.as_of}: run `python -m ingest rates`")


def _of_fees(file: str, prefix: str, fees: tuple[Fee, ...], today: date) -> Iterator[Finding]:
    for fee in fees:
        yield from _of(file, prefix + fee.id, fee.as_of, fee.confidence, today)
        if not any(rate.is_known for rate in fee.charges):
            yield Finding(file, prefix + fee.id, "no figure")


def _of(file: str, fact: str, as_of: AsOf, confidence: Confidence, today: date) -> Iterator[Finding]:
    if as_of.is_stale(today):
        yield Finding(file, fact, "undated" if as_of == "unknown" else f"of {as_of}")
    if confidence in (Confidence.LOW, Confidence.UNVERIFIED):
        yield Finding(file, fact, confidence.value)


def wrong_names(facts: Facts) -> Iterator[Finding]:
    """Names in the tables that lead nowhere: payment services, and kinds of goods claimed by two rates of a fee."""
    services = {provider.id for provider in facts.payments} | {"bank-account", "mobile-money", "card", "cash"}
    for platform in facts.platforms:
        for payout in platform.payouts:
            if payout.to not in services:
                yield Finding(f"platforms/{platform.id}.yaml", "payouts.to", f"{payout.to!r} is no payment service")
    for country in facts.countries:
        named = [row.provider for row in country.providers] + list(country.local_options)
        for id in named:
            if id not in services:
                yield Finding(f"countries/{country.iso}.yaml", "local_options", f"{id!r} is no payment service")


def refresh_rates(folder: Path, source: str = RATES_URL) -> tuple[date, date]:
    """Replace the rates in `folder`/fx.yaml by those at `source` (a web address or a file); which currencies are
    listed stays as it is.

    Returns the dates before and after.

    Raises:
        FactsError: the table cannot be read, is older than ours, or lacks a currency that we need.
    """
    before = load_facts(folder).fx
    table, day = _table(source)
    if day < before.as_of:
        raise FactsError(f"{source}: is of {day}, ours is of {before.as_of}")
    rates: dict[str, float] = {}
    for currency in before.per_usd:
        try:
            rate = Decimal(str(table[currency.lower()]))
        except (KeyError, InvalidOperation):
            raise FactsError(f"{source}: has no rate for {currency}") from None
        if not rate.is_finite() or rate <= 0:
            raise FactsError(f"{source}: the rate for {currency} is {rate}")
        rates[currency] = float(f"{rate:.{SIGNIFICANT_DIGITS}g}")
    path = folder / "fx.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["as_of"] = day.isoformat()
    content["per_usd"] = rates
    fresh = path.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    fresh.replace(path)
    return before.as_of, day


def _table(source: str) -> tuple[dict[str, Any], date]:
    try:
        if source.startswith(("https://", "http://")):
            with urlopen(source, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  (only the two schemes above)
                raw = answer.read(MOST_BYTES)
        else:
            raw = Path(source).read_bytes()[:MOST_BYTES]
        content = json.loads(raw)
        return dict(content["usd"]), date.fromisoformat(content["date"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FactsError(f"{source}: cannot be read as a table of rates ({type(error).__name__}: {error})") from error
