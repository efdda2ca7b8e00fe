"""Figures in prose by reference to the fact tables, so that one edit changes every card and guide.

`{{etsy.transaction-fee}}` becomes "6.5%". The parts, from left to right:
- the thing: the id of a store, or of a platform with one store; `pay/<id>` a payment service; `to/<ISO>` a destination;
- the id of a fee, or a fact of the thing (see `_FACTS` and `_destination_facts`);
- after a dot which part of the charge: `percent`, `percent-max`, `fixed`, `fixed-max`, `minimum`, `maximum`,
  `tier2.percent`, `tier1.up-to`, `as-of`; without one the whole charge ("6.5% + USD 0.30");
- after `@` for whom: a seller's country, a category or a plan; without one the rate for everybody else.

`{{"15%"}}` stands for itself: a figure that only happens to equal one of the tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_skeleton
from babel.lists import format_list

from knowledge.facts import Destination, Facts, PaymentProvider, Platform, Store
from knowledge.models import AsOf
from knowledge.tariff import Charge, Fee, Rate

REFERENCE = re.compile(r"\{\{\s*(?P<path>[^{}\s]+|\"[^\"{}]*\")\s*\}\}")
_PATH = re.compile(r"(?P<thing>(?:pay/|to/)?[\w-]+)\.(?P<name>[\w-]+)(?:\.(?P<part>[\w.-]+))?(?:@(?P<whom>[\w-]+))?")


class UnknownReferenceError(Exception):
    """A reference names nothing that the tables hold; the message says what."""


RANGES = {"ar": "{0} إلى {1}", "bn": "{0} থেকে {1}", "en": "{0} to {1}", "es": "{0} a {1}", "fr": "{0} à {1}",
          "hi": "{0} से {1}", "id": "{0} sampai {1}", "pt": "{0} a {1}", "ru": "{0}–{1}", "sw": "{0} hadi {1}",
          "vi": "{0} đến {1}", "zh": "{0} 至 {1}"}  # fmt: skip
"""From one figure to another, in each language (ISO 639-1)."""


def resolve(text: str, facts: Facts, language: str = "en") -> str:
    """`text` with all its references written out in `language` (ISO 639-1).

    Figures look the same in every language, as the sites of platforms show them; words around them do not.

    Raises:
        UnknownReferenceError: a reference is misspelt, or its figure is not known.
    """
    return REFERENCE.sub(lambda match: _written(match["path"], facts, language), text)


def _written(path: str, facts: Facts, language: str) -> str:
    if path.startswith('"'):
        return path.strip('"')
    match = _PATH.fullmatch(path)
    if match is None:
        raise UnknownReferenceError(f"{{{{{path}}}}}: write thing.fee, thing.fee.part or thing.fee.part@whom")
    thing, name, part, whom = match["thing"], match["name"], match["part"], match["whom"]
    if thing.startswith("to/"):
        return _of_destination(path, facts, thing.removeprefix("to/"), name)
    owner, fees, currency = _fees_of(thing, facts, path)
    fee = next((fee for fee in fees if fee.id == name), None)
    if fee is None:
        return _fact(path, owner, name, whom, language)
    rate = _rate(fee, whom)
    if rate is None:
        raise UnknownReferenceError(f"{{{{{path}}}}}: the fee has no rate for {whom or 'everybody'}")
    if part == "as-of":
        return _month(rate.as_of or fee.as_of, language)
    shown = _part(rate, part, rate.currency or currency, language)
    if not shown:
        raise UnknownReferenceError(f"{{{{{path}}}}}: the figure is not known")
    return shown


def _fees_of(thing: str, facts: Facts, path: str) -> tuple[Platform | PaymentProvider, tuple[Fee, ...], str | None]:
    if thing.startswith("pay/"):
        provider = facts.provider(thing.removeprefix("pay/"))
        if provider is not None:
            return provider, provider.fees, None
    else:
        found = facts.store(thing)
        if found is not None:
            return found[0], found[1].fees, found[1].currency
        platform = facts.platform(thing)
        if platform is not None:
            return platform, (), None
    raise UnknownReferenceError(f"{{{{{path}}}}}: there is no store, platform or service {thing!r}")


def _rate(fee: Fee, whom: str | None) -> Rate | None:
    if whom is not None:
        return next(
            (rate for rate in fee.charges if whom in rate.sellers or whom in rate.category or whom in rate.plans), None
        )
    general = (rate for rate in fee.charges if not (rate.sellers or rate.category or rate.buyers or rate.plans))
    return next(general, None)


def _part(rate: Charge, part: str | None, currency: str | None, language: str = "en") -> str:
    if part is None:
        percent = _span(rate.percent, rate.percent_max, _percent, language)
        fixed = _span(rate.fixed, rate.fixed_max, lambda amount: _money(amount, currency), language)
        return " + ".join(shown for shown in (percent, fixed) if shown)
    tier = re.fullmatch(r"tier(\d)\.(percent|fixed|up-to)", part)
    if tier and int(tier[1]) <= len(rate.tiers):
        value = getattr(rate.tiers[int(tier[1]) - 1], tier[2].replace("-", "_"))
        return "" if value is None else _percent(value) if tier[2] == "percent" else _money(value, currency)
    if part not in ("percent", "percent-max", "fixed", "fixed-max", "minimum", "maximum"):
        return ""
    value = getattr(rate, part.replace("-", "_"))
    return "" if value is None else _percent(value) if part.startswith("percent") else _money(value, currency)


def _span(low: Decimal | None, high: Decimal | None, shown: Callable[[Decimal], str], language: str) -> str:
    if low is None:
        return ""
    return RANGES[language].format(shown(low), shown(high)) if high is not None and high != low else shown(low)


def _percent(value: Decimal) -> str:
    return f"{_plain(value)}%"


def _money(amount: Decimal, currency: str | None) -> str:
    return f"{currency} {_amount(amount)}" if currency else _amount(amount)


def _amount(amount: Decimal) -> str:
    return f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}".replace(".00", "")


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _month(as_of: AsOf, language: str) -> str:
    day: date | None = as_of.earliest
    if day is None:
        raise UnknownReferenceError("the date of the figure is not known")
    return str(format_skeleton("y" if as_of.precision == "year" else "yMMMM", day, locale=language))


def _fact(path: str, owner: Platform | PaymentProvider, name: str, whom: str | None, language: str) -> str:
    """A platform's fact that is no fee: `sellers` (countries whose sellers it takes), `sellers-count`, `hold-days`,
    and `paid-by@payoneer` (countries whose sellers it pays in that way)."""
    if isinstance(owner, Platform) and owner.sellers and name in ("sellers", "sellers-count"):
        open_to = [code for code in owner.sellers.open_to if code != "*"]
        if open_to:
            return str(len(open_to)) if name == "sellers-count" else _countries(open_to, language)
    if isinstance(owner, Platform) and name == "hold-days":
        holds = [payout.hold_days for payout in owner.payouts if payout.hold_days]
        if holds:
            return str(max(holds))
    if isinstance(owner, Platform) and name == "paid-by":
        paid = [code for payout in owner.payouts if payout.to == whom for code in payout.sellers if code != "*"]
        if paid:
            return _countries(paid, language)
    raise UnknownReferenceError(f"{{{{{path}}}}}: {owner.id} has no fee or fact {name!r}")


def _countries(codes: list[str], language: str) -> str:
    names = Locale(language).territories
    return str(format_list(sorted(str(names[code]) for code in codes), "standard", locale=language))


def _of_destination(path: str, facts: Facts, iso: str, name: str) -> str:
    destination = next((each for each in facts.destinations if each.iso == iso), None)
    if destination is None:
        raise UnknownReferenceError(f"{{{{{path}}}}}: there is no destination {iso!r}")
    shown = _destination_facts(destination).get(name)
    if not shown:
        raise UnknownReferenceError(f"{{{{{path}}}}}: {iso} has no fact {name!r}, or it is not known")
    return shown


def _destination_facts(destination: Destination) -> dict[str, str]:
    duty, tax = destination.duty, destination.tax

    def sum_of(amount: Decimal | None, currency: str) -> str:
        return _money(amount, currency) if amount is not None else ""

    return {
        "duty-free-up-to": sum_of(duty.free_up_to, duty.currency),
        "duty-per-line": sum_of(duty.per_line, duty.currency),
        "duty-per-line-up-to": sum_of(duty.per_line_up_to, duty.currency),
        "duty": _percent(duty.flat_percent) if duty.flat_percent is not None else "",
        "duty-up-to": sum_of(duty.flat_up_to, duty.currency),
        "tax": _percent(tax.percent) if tax.percent is not None else "",
        "tax-max": _percent(tax.percent_max) if tax.percent_max is not None else "",
        "tax-free-up-to": sum_of(tax.free_up_to, tax.currency),
        "registration-from": sum_of(destination.registration_from, tax.currency),
    }


@dataclass(frozen=True)
class TableFigure:
    """One figure of the tables as prose writes it, with the reference that stands for it."""

    shown: str
    reference: str


def table_figures(facts: Facts, platform: str | None = None, provider: str | None = None) -> Iterator[TableFigure]:
    """All figures of the fees of one platform or payment service, percentages and sums, zero excepted."""
    if platform is not None and (found := facts.platform(platform)):
        for store in found.stores:
            yield from _fee_figures(store.id, store.fees, store)
    if provider is not None and (service := facts.provider(provider)):
        yield from _fee_figures(f"pay/{service.id}", service.fees, None)


def _fee_figures(thing: str, fees: tuple[Fee, ...], store: Store | None) -> Iterator[TableFigure]:
    for fee in fees:
        for rate in fee.charges:
            whom = next(iter((*rate.sellers, *rate.category, *rate.plans)), None)
            if _rate(fee, whom) != rate:
                continue
            currency = rate.currency or (store.currency if store else None)
            parts = ["percent", "percent-max", "fixed", "fixed-max", "minimum", "maximum"]
            parts += [
                f"tier{n}.{part}" for n in range(1, len(rate.tiers) + 1) for part in ("percent", "fixed", "up-to")
            ]
            for part in parts:
                shown = _part(rate, part, currency)
                if shown and not re.fullmatch(r"(0%|[A-Z]{3} 0)", shown):
                    yield TableFigure(shown, f"{{{{{thing}.{fee.id}.{part}{'@' + whom if whom else ''}}}}}")


_BARE = re.compile(
    r"(?<![\w{.\"])(?:(?P<currency>[A-Z]{3}|R\$|\$|€|£|₹)[ \u00a0]?(?P<amount>\d(?:[\d,]*\d)?(?:\.\d+)?)"
    r"|(?P<percent>\d+(?:\.\d+)?)(?:%| percent\b| per cent\b))"
)
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "R$": "BRL"}


def bare_figures(body: str, known: Collection[str]) -> list[str]:
    """Figures that stand in the raw `body` of a document although `known` (see `known_figures`) holds them."""
    found = []
    for match in _BARE.finditer(REFERENCE.sub(" ", body)):
        if match["percent"]:
            shown = _percent(Decimal(match["percent"]))
        else:
            code = _SIGNS.get(match["currency"], match["currency"])
            shown = _money(Decimal(match["amount"].replace(",", "")), code)
        if shown in known:
            found.append(match[0])
    return found


def known_figures(
    facts: Facts, platforms: Iterable[str], payments: Iterable[str], markets: Iterable[str]
) -> dict[str, list[str]]:
    """What the tables hold about these platforms, payment services and destinations: figure to references."""
    found: dict[str, list[str]] = {}
    for id in platforms:
        for figure in table_figures(facts, platform=id):
            found.setdefault(figure.shown, []).append(figure.reference)
    for id in payments:
        for figure in table_figures(facts, provider=id):
            found.setdefault(figure.shown, []).append(figure.reference)
    for destination in facts.destinations:
        if destination.iso in markets:
            for name, shown in _destination_facts(destination).items():
                if shown and not re.fullmatch(r"(0%|[A-Z]{3} 0)", shown):
                    found.setdefault(shown, []).append(f"{{{{to/{destination.iso}.{name}}}}}")
    return found
