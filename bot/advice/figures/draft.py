"""What is known so far of a question about figures: a draft that fills up until it can be answered.

A draft is written as a short code that fits into a button (Telegram takes 64 bytes), so that a press says by
itself what it means, after a restart and on an old message too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from bot.advice.reply import Button
from knowledge.facts import Facts, PaymentProvider, Platform, Store
from knowledge.fees import Sale
from knowledge.gazetteer import EU

PREFIX = "q"
CODE_BYTES = 64
CATEGORY_CODE, PLAN_CODE = 8, 4
"""Characters of a category's or plan's id that a code carries; within a store they are unique so."""


class Wish(StrEnum):
    """What is asked: what is left of a sale, a platform's fees, the same sale on many platforms, whether one may
    sell there, how one is paid."""

    KEEP = "k"
    RATES = "r"
    COMPARE = "c"
    ELIGIBLE = "e"
    PAYOUT = "p"


class Field(StrEnum):
    """What can be asked back or changed."""

    PLATFORM = "f"
    PRICE = "p"
    CURRENCY = "m"
    SELLER = "s"
    BUYER = "b"
    CATEGORY = "g"
    SHIPPING = "h"
    PLAN = "l"
    UNITS = "u"
    STORE = "t"
    ANY = "a"


@dataclass(frozen=True)
class Draft:
    """A question about figures. Ids are those of the fact tables, codes ISO 4217 and ISO 3166.

    `target` is the id of a store or platform, `provider` of a payment service. `awaiting` is the field that
    the person was asked for, after `asked` questions.
    """

    wish: Wish
    target: str | None = None
    provider: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    shipping: Decimal = Decimal(0)
    seller: str | None = None
    buyer: str | None = None
    category: str | None = None
    plan: str | None = None
    units: int | None = None
    awaiting: Field | None = None
    asked: int = 0

    def but(self, **changes: Any) -> Draft:
        """A copy with `changes`."""
        return replace(self, **changes)

    def ask(self, field: Field) -> Draft:
        """A copy that waits for `field`."""
        return replace(self, awaiting=field, asked=self.asked + 1)

    def settled(self, **changes: Any) -> Draft:
        """A copy with `changes` that waits for nothing."""
        return replace(self, **changes, awaiting=None)

    def sale(self, default_currency: str | None = None) -> Sale:
        """The sale of a draft with a price and a currency."""
        currency = self.currency or default_currency
        if self.price is None or currency is None:
            raise ValueError("the draft has no price yet")
        return Sale(
            self.price,
            currency,
            shipping=self.shipping,
            seller=self.seller,
            buyer=self.buyer,
            category=self.category,
            plan=self.plan,
            units_a_month=self.units,
        )

    @property
    def code(self) -> str:
        """The draft as a button's data."""
        target = self.target or (f"${self.provider}" if self.provider else "")
        price = f"{_short(self.price)}{self.currency or ''}" if self.price is not None else (self.currency or "")
        parts = (
            PREFIX,
            self.wish.value,
            target,
            price,
            _short(self.shipping) if self.shipping else "",
            self.seller or "",
            self.buyer or "",
            (self.category or "")[:CATEGORY_CODE],
            (self.plan or "")[:PLAN_CODE],
            str(self.units or ""),
            f"{self.awaiting.value if self.awaiting else ''}{self.asked or ''}",
        )
        return ":".join(parts).rstrip(":")

    @classmethod
    def read(cls, code: str, facts: Facts) -> Draft | None:
        """The draft that `code` stands for, or None when it is none or names what is gone."""
        prefix, *parts = code.split(":")
        if prefix != PREFIX or not 1 <= len(parts) <= 10:
            return None
        wish, target, price, shipping, seller, buyer, category, plan, units, state = parts + [""] * (10 - len(parts))
        try:
            draft = cls(
                Wish(wish),
                price=_number(price.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
                currency=price.lstrip("0123456789.") or None,
                shipping=_number(shipping) or Decimal(0),
                seller=seller or None,
                buyer=buyer or None,
                units=int(units) if units else None,
                awaiting=Field(state[0]) if state and not state[0].isdigit() else None,
                asked=int(state.lstrip("abcdefghijklmnopqrstuvwxyz") or 0),
            )
        except (ValueError, InvalidOperation):
            return None
        if draft.price is not None and draft.price <= 0:
            return None
        return draft._with_things(facts, target, category, plan)

    def _with_things(self, facts: Facts, target: str, category: str, plan: str) -> Draft | None:
        if target.startswith("$"):
            return self.but(provider=target[1:]) if facts.provider(target[1:]) else None
        if not target:
            return self.but(category=_whole(category, [each.id for each in facts.categories]))
        found = facts.store(target)
        if found is None and facts.platform(target) is None:
            return None
        named = self.but(target=target)
        place_found = place(named, facts)
        store = place_found[1] if place_found else None
        return named.but(
            category=_whole(category, [*(each.id for each in facts.categories), *(categories(store) if store else ())]),
            plan=_whole(plan, [each.id for each in store.plans]) if store else None,
        )


def categories(store: Store) -> tuple[str, ...]:
    """Ids of all kinds of goods that the fees of `store` tell apart, in their order."""
    return tuple(dict.fromkeys(category for fee in store.fees for rate in fee.rates for category in rate.category))


def place(draft: Draft, facts: Facts) -> tuple[Platform, Store] | None:
    """The platform and store that `draft` means: the store itself, or the platform's that fits buyer, currency and
    seller best. None when it names none, or a platform whose fees are not known."""
    if draft.target is None:
        return None
    found = facts.store(draft.target)
    platform = facts.platform(draft.target)
    if platform is None or len(platform.stores) < 2:
        return found or ((platform, platform.stores[0]) if platform and platform.stores else None)
    return platform, best_store(platform, draft)


def best_store(platform: Platform, draft: Draft) -> Store:
    """The store of `platform` that fits the draft best: by the buyer's country, the currency, the seller's country."""

    def fit(store: Store) -> tuple[bool, bool, bool]:
        sells_to_buyer = draft.buyer in store.buyers or (draft.buyer == "EU" and bool(EU & set(store.buyers)))
        same_money = draft.currency is not None and draft.currency == store.currency
        return sells_to_buyer, same_money, draft.seller in store.buyers

    return max(platform.stores, key=fit)  # of equals the first, which is the platform's main one


def provider(draft: Draft, facts: Facts) -> PaymentProvider | None:
    """The payment service that `draft` names."""
    return facts.provider(draft.provider) if draft.provider else None


def fitting(buttons: Iterable[Button]) -> tuple[Button, ...]:
    """Those of `buttons` whose code is not too long for one."""
    return tuple(button for button in buttons if len(button.action.encode()) <= CODE_BYTES)


def _short(amount: Decimal | None) -> str:
    return format(amount.normalize(), "f") if amount is not None else ""


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _whole(prefix: str, ids: list[str]) -> str | None:
    """The id that `prefix` is the beginning of; an exact one first."""
    if not prefix:
        return None
    return next((id for id in ids if id == prefix), next((id for id in ids if id.startswith(prefix)), None))
