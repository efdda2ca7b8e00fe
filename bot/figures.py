"""The calculator for scripts and agencies: `python -m bot fees`, without an index and without a conversation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.advice.figures import compare, keep
from bot.advice.figures.draft import Draft, Wish, categories, place
from bot.advice.reply import Reply
from bot.ask import figure_json
from knowledge.eligibility import eligibility
from knowledge.facts import Facts, Platform, Store
from knowledge.fees import Breakdown, TooSmallError, price_for
from knowledge.money import NoRateError
from knowledge.payouts import with_gateway
from knowledge.tariff import When


class BadInputError(Exception):
    """An argument is wrong; the message names it and says what can be given."""


@dataclass(frozen=True)
class Asked:
    """The arguments of the command, as they were typed."""

    platform: str
    price: str
    currency: str
    country: str | None = None
    buyer: str | None = None
    shipping: str = "0"
    category: str | None = None
    plan: str | None = None
    units: int | None = None
    keep: bool = False
    options: tuple[str, ...] = ()


def draft_of(asked: Asked, facts: Facts) -> tuple[Draft, Platform, Store]:
    """The sale that is asked for, and where it happens.

    Raises:
        BadInputError: an argument is not known or not possible.
    """
    currency = asked.currency.upper()
    if currency not in facts.fx.per_usd:
        raise BadInputError(f"--currency {asked.currency}: no exchange rate; give an ISO 4217 code such as USD or KES")
    draft = Draft(
        Wish.KEEP,
        target=asked.platform,
        price=_amount("--price", asked.price, above_zero=True),
        currency=currency,
        shipping=_amount("--shipping", asked.shipping, above_zero=False),
        seller=_country("--country", asked.country),
        buyer=_country("--buyer", asked.buyer),
        category=asked.category,
        plan=asked.plan,
        units=asked.units,
    )
    found = place(draft, facts)
    if found is None:
        known = facts.platform(asked.platform)
        if known is not None:
            closed = "has closed" if known.status == "closed" else "has no fees in the tables"
            raise BadInputError(f"--platform {asked.platform}: {known.name} {closed}")
        names = ", ".join(store.id for platform in facts.platforms for store in platform.stores)
        raise BadInputError(f"--platform {asked.platform}: not known; known: {names}")
    platform, store = found
    kinds = [*(category.id for category in facts.categories), *categories(store)]
    if asked.category is not None and asked.category not in kinds:
        raise BadInputError(f"--category {asked.category}: not known; known: {', '.join(dict.fromkeys(kinds))}")
    plans = [plan.id for plan in store.plans]
    if asked.plan is not None and asked.plan not in plans:
        raise BadInputError(f"--plan {asked.plan}: not known; {store.name} has {', '.join(plans) or 'no plans'}")
    optional = [fee.id for fee in store.fees if fee.when is not When.ALWAYS]
    for option in asked.options:
        if option not in optional:
            raise BadInputError(f"--with {option}: not known; {store.name} has {', '.join(optional) or 'none'}")
    if asked.units is not None and asked.units < 1:
        raise BadInputError("--units: at least 1")
    return draft.but(target=store.id), platform, store


def _is_converted(store: Store, options: tuple[str, ...]) -> bool:
    return any(fee.id in options and fee.when is When.CONVERSION for fee in store.fees)


def _amount(name: str, text: str, *, above_zero: bool) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise BadInputError(f"{name} {text}: write a number such as 40 or 1000.50") from None
    if not amount.is_finite() or amount < 0 or (above_zero and amount == 0) or amount > 10**9:
        raise BadInputError(f"{name} {text}: must be above zero and at most a thousand million")
    return amount


def _country(name: str, code: str | None) -> str | None:
    if code is None:
        return None
    if len(code) != 2 or not code.isalpha():
        raise BadInputError(f"{name} {code}: give an ISO 3166 code of two letters, such as KE")
    return code.upper()


def reckon(asked: Asked, facts: Facts, language: str, today: date) -> tuple[Reply, Breakdown]:
    """The answer in words and its breakdown; with `keep` at the lowest price that leaves the sum that was given.

    Raises:
        BadInputError: an argument is not known or not possible.
    """
    draft, platform, store = draft_of(asked, facts)
    try:
        sale = replace(draft.sale(), options=frozenset(asked.options), converted=_is_converted(store, asked.options))
        breakdown = with_gateway(facts, platform, store, sale, today)
        if asked.keep:
            found = price_for(sale.price, platform, store, sale, facts.fx, today, breakdown.provider)
            if found is None:
                raise BadInputError(f"--keep: {store.name} reckons in {store.currency}; give the sum in that currency")
            breakdown, draft = found, draft.but(price=found.price)
    except NoRateError as error:
        raise BadInputError(f"--currency {error}: there is no exchange rate for it") from None
    except TooSmallError as error:
        raise BadInputError(f"--price {asked.price}: is less than the smallest unit of {error}") from None
    return keep.answer(facts, draft, breakdown, language, today), breakdown


def as_json(reply: Reply, breakdown: Breakdown, today: date) -> dict[str, Any]:
    """The breakdown for machines; sums are decimal strings."""
    seller = breakdown.sale.seller
    return {
        "platform": breakdown.platform.id,
        "store": breakdown.store.id,
        "currency": breakdown.currency,
        "price": str(breakdown.price),
        "shipping": str(breakdown.shipping),
        "gross": str(breakdown.gross),
        "net_low": str(breakdown.net_low),
        "net_high": str(breakdown.net_high),
        "at_most": breakdown.is_at_most,
        "eligible": eligibility(breakdown.platform, seller, breakdown.store).verdict.value if seller else None,
        "payment_service": breakdown.provider.id if breakdown.provider else None,
        "lines": [
            {
                "id": line.id,
                "name": line.name,
                "kind": line.kind.value,
                "taken_by": line.service,
                "low": str(line.low) if line.low is not None else None,
                "high": str(line.high) if line.high is not None else None,
                "as_of": str(line.source.as_of),
                "confidence": line.source.confidence.value,
                "source": line.source.url,
            }
            for line in breakdown.lines
        ],
        "not_included": [
            {"reason": cost.reason.value, "id": cost.id, "name": cost.name} for cost in breakdown.left_out
        ],
        "warnings": {
            "unknown": [line.id for line in breakdown.unknown],
            "old_or_undated": [line.id for line in breakdown.stale(today)],
            "not_confirmed": [line.id for line in breakdown.doubtful],
        },
        "text": reply.text.text,
        "figures": [figure_json(figure) for figure in reply.figures],
    }


def compared(asked: Asked, facts: Facts, language: str, today: date) -> Reply:
    """The same sale on all platforms that are open to the seller.

    Raises:
        BadInputError: the country is missing, or an argument is wrong.
    """
    if asked.country is None:
        raise BadInputError("--country: is needed to compare, for it decides which platforms are open")
    first = next(store.id for platform in facts.platforms for store in platform.stores)
    draft, _platform, _store = draft_of(
        Asked(first, asked.price, asked.currency, asked.country, asked.buyer, asked.shipping, asked.category), facts
    )
    return compare.answer(facts, draft.but(wish=Wish.COMPARE, target=None), language, today)
