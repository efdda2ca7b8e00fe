"""May somebody in a country sell on a platform? Yes, no, or not known: what no list says is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from knowledge.facts import Facts, Payout, Platform, Reach, Sellers, Store
from knowledge.models import Source


class Verdict(StrEnum):
    """`limited`: only with an invitation, a programme or another limit."""

    YES = "yes"
    LIMITED = "limited"
    NO = "no"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """What a verdict rests on."""

    LISTED = "listed"
    EVERYWHERE = "everywhere"
    LIMITED = "limited"
    REFUSED = "refused"
    LIST_IS_WHOLE = "list-is-whole"
    NOT_LISTED = "not-listed"
    NO_LIST = "no-list"
    PLATFORM_CLOSED = "platform-closed"


@dataclass(frozen=True)
class Eligibility:
    """The verdict for sellers in `country` (ISO 3166) on `platform`, its ground and its source.

    `payouts` are the ways by which sellers there get their money from this platform.
    """

    platform: Platform
    country: str
    verdict: Verdict
    why: Why
    sellers: Sellers | None = None
    source: Source | None = None
    payouts: tuple[Payout, ...] = ()


def reach(where: Reach | None, country: str) -> tuple[Verdict, Why]:
    """What `where` says about `country`. A country that is missing is refused only if the list is whole."""
    if where is None:
        return Verdict.UNKNOWN, Why.NO_LIST
    if country in where.closed_to:
        return Verdict.NO, Why.REFUSED
    if country in where.limited_in:
        return Verdict.LIMITED, Why.LIMITED
    if country in where.open_to:
        return Verdict.YES, Why.LISTED
    if "*" in where.open_to:
        return Verdict.YES, Why.EVERYWHERE
    if where.complete:
        return Verdict.NO, Why.LIST_IS_WHOLE
    known = where.open_to or where.limited_in or where.closed_to
    return Verdict.UNKNOWN, Why.NOT_LISTED if known else Why.NO_LIST


def eligibility(platform: Platform, country: str, store: Store | None = None) -> Eligibility:
    """Whether sellers in `country` may sell on `platform`, or in one `store` of it with rules of its own."""
    sellers = (store.sellers if store else None) or platform.sellers
    source = platform.source_of(sellers.source, sellers.as_of, sellers.confidence) if sellers else None
    if platform.status == "closed":
        return Eligibility(platform, country, Verdict.NO, Why.PLATFORM_CLOSED, sellers, source)
    verdict, why = reach(sellers, country)
    paid = tuple(payout for payout in platform.payouts if country in payout.sellers)
    paid = paid or tuple(payout for payout in platform.payouts if "*" in payout.sellers)
    return Eligibility(platform, country, verdict, why, sellers, source, paid)


def open_stores(facts: Facts, country: str, verdicts: Sequence[Verdict]) -> list[tuple[Platform, Store, Eligibility]]:
    """All stores of platforms that are not closed whose verdict for `country` is one of `verdicts`."""
    found = []
    for platform in facts.platforms:
        for store in platform.stores:
            answer = eligibility(platform, country, store)
            if answer.verdict in verdicts:
                found.append((platform, store, answer))
    return found
