"""The code of a draft fits into a button and comes back as it was."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.advice.figures.draft import CODE_BYTES, Draft, Field, Wish, categories, place
from knowledge.facts import load_facts

FACTS = load_facts()
STORES = [store for platform in FACTS.platforms for store in platform.stores]


@given(
    store=st.sampled_from(STORES),
    cents=st.integers(1, 99_999_999),
    currency=st.sampled_from(["USD", "KES", "VND"]),
    shipping=st.integers(0, 9999),
    seller=st.sampled_from([None, "KE", "PE"]),
    buyer=st.sampled_from([None, "DE"]),
    units=st.one_of(st.none(), st.integers(1, 9999)),
    data=st.data(),
)
def test_a_draft_survives_its_code(
    store: object, cents: int, currency: str, shipping: int, seller: str, buyer: str, units: int, data: st.DataObject
) -> None:
    store = next(each for each in STORES if each is store)
    kinds = [None, *(category.id for category in FACTS.categories), *categories(store)]
    draft = Draft(
        Wish.KEEP,
        target=store.id,
        price=Decimal(cents) / 100,
        currency=currency,
        shipping=Decimal(shipping),
        seller=seller,
        buyer=buyer,
        category=data.draw(st.sampled_from(kinds)),
        plan=data.draw(st.sampled_from([None, *(plan.id for plan in store.plans)])),
        units=units,
        awaiting=data.draw(st.sampled_from([None, *Field])),
        asked=data.draw(st.integers(0, 9)),
    )
    assert Draft.read(draft.code, FACTS) == draft


def test_usual_drafts_fit_into_a_button() -> None:
    """Price, shipping, both countries, the longest kind of goods and plan, in every store."""
    longest = max((category.id for category in FACTS.categories), key=len)
    for store in STORES:
        draft = Draft(
            Wish.KEEP,
            target=store.id,
            price=Decimal("12345.99"),
            currency="USD",
            shipping=Decimal("12.5"),
            seller="KE",
            buyer="US",
            category=longest,
            plan=store.plans[-1].id if store.plans else None,
            awaiting=Field.CATEGORY,
            asked=2,
        )
        assert len(draft.code.encode()) <= CODE_BYTES, draft.code


@pytest.mark.parametrize(
    "code",
    [
        "", "q", "q:", "q:z", "q:k:nowhere:40USD", "q:k:etsy:-5USD", "q:k:etsy:0USD", "q:k:etsy:4.4.4USD",
        "q:k:etsy:40USD:::::::z1", "q:k:etsy:40USD::::::x", "x:k:etsy", "q:k" + ":a" * 20, "q:p:$nothing",
    ],
)  # fmt: skip
def test_a_code_that_nobody_wrote_is_refused(code: str) -> None:
    assert Draft.read(code, FACTS) is None


@given(st.text(alphabet="qkrcep:abc123.$USDKE-", max_size=64))
def test_no_code_breaks_it(code: str) -> None:
    draft = Draft.read(code, FACTS)
    assert draft is None or draft.price is None or draft.price > 0


@pytest.mark.parametrize(
    ("target", "changes", "store"),
    [
        ("amazon", {}, "amazon-us"),
        ("amazon", {"buyer": "GB"}, "amazon-uk"),
        ("amazon", {"buyer": "DE"}, "amazon-eu"),
        ("amazon", {"currency": "AUD"}, "amazon-au"),
        ("jumia", {"seller": "KE"}, "jumia-ke"),
        ("shopee", {"seller": "BR"}, "shopee-br"),
        ("amazon-ca", {"buyer": "GB"}, "amazon-ca"),
        ("etsy", {}, "etsy"),
    ],
)
def test_the_store_that_fits(target: str, changes: dict[str, str], store: str) -> None:
    found = place(Draft(Wish.KEEP, target=target).but(**changes), FACTS)
    assert found is not None
    assert found[1].id == store
