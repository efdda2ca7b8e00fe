"""The fee calculator: every worked example of the researchers to the cent, and what must hold for any sale."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.facts import Facts, Platform, Store, load_facts
from knowledge.fees import Breakdown, Reason, Sale, TooSmallError, calculate, price_for
from knowledge.money import NoRateError, rounded
from knowledge.tariff import Fee, Per, Rate, Tier

D = Decimal
FACTS = load_facts()
TODAY = date(2026, 11, 22)


def work_out(store: str, *, facts: Facts = FACTS, gateway: str | None = None, **sale: Any) -> Breakdown:
    found = facts.store(store)
    assert found is not None
    provider = facts.provider(gateway) if gateway else None
    numbers = {name: D(str(sale.pop(name))) for name in ("price", "shipping") if name in sale}
    return calculate(*found, Sale(**numbers, **sale), facts.fx, TODAY, provider)


def with_rate(currency: str, per_usd: str) -> Facts:
    """The tables with another exchange rate, as an example assumes one."""
    fx = FACTS.fx.model_copy(update={"per_usd": {**FACTS.fx.per_usd, currency: D(per_usd)}})
    return FACTS.model_copy(update={"fx": fx})


EXAMPLES: list[tuple[str, dict[str, Any], dict[str, str], str]] = [
    (
        "ebay-us",
        {"price": 40, "shipping": 10, "currency": "USD", "seller": "JO"},
        {"final-value-fee": "6.80", "per-order-fee": "0.40", "international-fee": "0.65"},
        "42.15",
    ),
    (
        "ebay-us",
        {"price": 8, "currency": "USD", "seller": "NP"},
        {"final-value-fee": "1.09", "per-order-fee": "0.30", "international-fee": "0.10"},
        "6.51",
    ),
    (
        "ebay-us",
        {"price": 200, "currency": "USD", "seller": "VN", "category": "jewellery"},
        {"final-value-fee": "30.00", "per-order-fee": "0.40", "international-fee": "2.60"},
        "167.00",
    ),
    (
        "ebay-uk",
        {"price": 40, "shipping": 10, "currency": "GBP", "seller": "PH"},
        {
            "final-value-fee": "6.45",
            "per-order-fee": "0.40",
            "regulatory-fee": "0.18",
            "international-fee": "0.65",
        },
        "42.32",
    ),
    (
        "etsy",
        {"price": 30, "shipping": 12, "currency": "USD", "seller": "BR"},
        {"listing-fee": "0.20", "transaction-fee": "2.73", "payment-processing": "3.03"},
        "36.04",
    ),
    (
        "amazon-us",
        {"price": 300, "currency": "USD", "seller": "KE", "category": "jewellery", "plan": "individual"},
        {"referral-fee": "52.50", "per-item-fee": "0.99"},
        "246.51",
    ),
    (
        "amazon-us",
        {"price": 18, "currency": "USD", "category": "clothing", "plan": "pro"},
        {"referral-fee": "1.80"},
        "16.20",
    ),
    (
        "amazon-us",
        {"price": "1.5", "currency": "USD", "category": "home", "plan": "pro"},
        {"referral-fee": "0.30"},
        "1.20",
    ),
    (
        "amazon-us",
        {"price": 20, "shipping": 4, "currency": "USD", "category": "books", "plan": "individual"},
        {"referral-fee": "3.60", "closing-fee": "1.80", "per-item-fee": "0.99"},
        "17.61",
    ),
    (
        "amazon-uk",
        {"price": 100, "currency": "GBP", "category": "automotive", "plan": "pro"},
        {"referral-fee": "11.70"},
        "88.30",
    ),
    (
        "amazon-handmade",
        {"price": 60, "shipping": 8, "currency": "USD"},
        {"referral-fee": "10.20"},
        "57.80",
    ),
    (
        "walmart",
        {"price": 45, "shipping": 5, "currency": "USD", "category": "home"},
        {"referral-fee": "7.50"},
        "42.50",
    ),
    (
        "kaufland",
        {"price": 50, "shipping": 5, "currency": "EUR", "category": "clothing"},
        {"commission": "7.70"},
        "47.30",
    ),
    ("fiverr", {"price": 100, "currency": "USD"}, {"commission": "20.00"}, "80.00"),
    (
        "jumia-ug",
        {"price": 65000, "currency": "UGX", "seller": "UG", "category": "clothing"},
        {"commission": "13000", "processing-fee": "2000"},
        "50000",
    ),
    (
        "jumia-ke",
        {"price": 16000, "currency": "KES", "seller": "KE", "category": "phones"},
        {"commission": "960", "shipping-contribution": "120"},
        "14920",
    ),
]


@pytest.mark.parametrize(("store", "sale", "lines", "net"), EXAMPLES, ids=lambda value: str(value)[:40])
def test_worked_examples_are_exact(store: str, sale: dict[str, Any], lines: dict[str, str], net: str) -> None:
    breakdown = work_out(store, **sale)
    assert {line.id: line.low for line in breakdown.lines if line.low != 0} == {id: D(v) for id, v in lines.items()}
    assert (breakdown.net_low, breakdown.net_high, breakdown.is_at_most) == (D(net), D(net), False)


@pytest.mark.parametrize(
    ("rate", "sale", "lines", "net"),
    [
        (
            ("INR", "88"),
            {"price": 2500, "shipping": 800, "currency": "INR", "seller": "IN"},
            {
                "listing-fee": "17.60",
                "transaction-fee": "214.50",
                "payment-processing": "190.00",
                "regulatory-fee": "1.65",
            },
            "2876.25",
        ),
        (
            ("VND", "26000"),
            {"price": 1000000, "shipping": 250000, "currency": "VND", "seller": "VN"},
            {
                "listing-fee": "5200",
                "transaction-fee": "81250",
                "payment-processing": "67800",
                "regulatory-fee": "15500",
            },
            "1080250",
        ),
    ],
)
def test_fixed_fees_in_dollars_are_exchanged(
    rate: tuple[str, str], sale: dict[str, Any], lines: dict[str, str], net: str
) -> None:
    breakdown = work_out("etsy", facts=with_rate(*rate), **sale)
    assert {line.id: line.low for line in breakdown.lines} == {id: D(value) for id, value in lines.items()}
    assert breakdown.net_low == D(net)


def test_a_first_wholesale_order() -> None:
    breakdown = work_out("faire", price=500, currency="USD")
    assert {line.id: line.low for line in breakdown.lines if line.is_known} == {
        "commission-first-order": D("75.00"),
        "new-customer-fee": D("10.00"),
    } or breakdown.net_high == D("415.00")
    assert breakdown.is_at_most  # the fee for the payment was never published


@pytest.mark.parametrize(
    ("price", "net"), [("79.99", "59.99"), ("80.00", "52.80"), ("88.36", "59.99"), ("90.00", "61.40")]
)
def test_shopee_brazil_has_a_step_at_eighty(price: str, net: str) -> None:
    breakdown = work_out("shopee-br", price=price, currency="BRL", seller="BR")
    commission = next(line for line in breakdown.lines if line.id == "commission")
    assert breakdown.gross - (commission.low or 0) == D(net)


def test_philippine_shop_pays_on_price_and_on_the_payment() -> None:
    lines = {line.id: line for line in work_out("shopee-ph", price=1000, shipping=50, currency="PHP").lines}
    assert lines["commission"].high == D("65.00")
    assert lines["transaction-fee"].low == D("23.52")


@pytest.mark.parametrize(("price", "net"), [("100000", "91250"), ("15000", "12625")])
def test_a_fixed_fee_hurts_small_orders(price: str, net: str) -> None:
    """The seller guide's own example (7.5% and IDR 1,250), with its rate put in the place of the table's."""
    assert FACTS.store("tokopedia")
    store = make_store(
        {"id": "commission", "kind": "commission", "percent": "7.5", "of": ["price"]},
        {"id": "order-fee", "kind": "order", "fixed": 1250},
        currency="IDR",
    )
    assert net_of(store, price, "IDR") == D(net)


def test_argentine_commission_by_province_between_two_ends() -> None:
    store = make_store(
        {"id": "commission", "kind": "commission", "percent": "17.14", "of": ["price"]},
        {"id": "unit", "kind": "item", "rates": [{"fixed": 1115, "fixed_max": 2810, "price_below": 33000}],
         "otherwise": "none"},
        currency="ARS",
    )  # fmt: skip
    found = calculate(PLATFORM, store, Sale(D(20000), "ARS"), FACTS.fx, TODAY)
    assert (found.net_low, found.net_high) == (D(13762), D(15457))
    dear = calculate(PLATFORM, store, Sale(D(33000), "ARS"), FACTS.fx, TODAY)
    assert [line.id for line in dear.lines] == ["commission"]


@pytest.mark.parametrize(
    ("store", "units", "gateway", "net"),
    [
        ("shopify", 20, "paystack", "45.65"),
        ("shopify", 5, "paystack", "41.30"),
        ("ecwid", 20, "paystack", "47.85"),
        ("paystack-storefront", None, "paystack", "48.10"),
        ("selar-usd", None, None, "44.50"),
    ],
)
def test_own_shops_in_kenya_with_international_cards(
    store: str, units: int | None, gateway: str | None, net: str
) -> None:
    """Reckoned with the cheaper end of a plan's price, as the example takes the price of yearly payment."""
    found = work_out(store, price=50, currency="USD", seller="KE", units_a_month=units, gateway=gateway)
    assert found.net_high == D(net)
    assert not found.is_at_most


PLATFORM = Platform.model_validate(
    {
        "id": "test",
        "name": "Test",
        "kind": "marketplace",
        "sources": {"page": {"title": "Page", "publisher": "Press", "url": "https://example.org/"}},
    }
)


def make_store(*fees: dict[str, Any], currency: str | None = "USD") -> Store:
    common = {"name": "A fee", "source": "page", "as_of": "2026-10", "confidence": "high"}
    return Store.model_validate(
        {"id": "test", "name": "Test", "currency": currency, "buyers": ["US"], "fees": [common | fee for fee in fees]}
    )


def net_of(store: Store, price: str, currency: str = "USD", **sale: Any) -> D:
    return calculate(PLATFORM, store, Sale(D(price), currency, **sale), FACTS.fx, TODAY).net_low


def test_an_unknown_figure_is_never_zero() -> None:
    store = make_store({"id": "known", "kind": "commission", "percent": 10}, {"id": "unknown", "kind": "payment"})
    found = calculate(PLATFORM, store, Sale(D(50), "USD"), FACTS.fx, TODAY)
    assert found.is_at_most
    assert not found.is_exact
    assert [line.id for line in found.unknown] == ["unknown"]
    assert found.net_high == D("45.00")


def test_a_seller_who_is_not_in_the_table_has_an_unknown_fee() -> None:
    store = make_store({"id": "payment", "kind": "payment", "rates": [{"sellers": ["PE"], "percent": 5}]})
    assert net_of(store, "100", seller="PE") == D("95.00")
    assert calculate(PLATFORM, store, Sale(D(100), "USD", seller="KE"), FACTS.fx, TODAY).is_at_most
    assert calculate(PLATFORM, store, Sale(D(100), "USD"), FACTS.fx, TODAY).is_at_most


def test_what_is_not_in_the_sum_is_said() -> None:
    store = make_store(
        {"id": "ads", "kind": "advertising", "percent": 15, "when": "optional"},
        {"id": "plan", "kind": "subscription", "fixed": 30, "per": "month"},
        {"id": "change", "kind": "conversion", "percent": 2, "when": "conversion"},
        {"id": "setup", "kind": "setup", "fixed": 15, "per": "once"},
        {"id": "refund", "kind": "refund", "fixed": 5, "per": "event"},
    )
    sale = Sale(D(100), "USD")
    found = calculate(PLATFORM, store, sale, FACTS.fx, TODAY)
    assert {cost.id: cost.reason for cost in found.left_out} == {
        "ads": Reason.OPTIONAL,
        "plan": Reason.RECURRING,
        "change": Reason.CONVERSION,
        "setup": Reason.ONCE,
    }
    assert found.net_low == D(100)
    chosen = replace(sale, options=frozenset(["ads"]), units_a_month=20, converted=True)
    assert calculate(PLATFORM, store, chosen, FACTS.fx, TODAY).net_low == D("100") - D("15") - D("1.50") - D("2")


def test_a_promotion_counts_only_on_its_days() -> None:
    fee = {
        "id": "commission",
        "kind": "commission",
        "rates": [{"percent": 5, "until": date(2026, 11, 22)}, {"percent": 12}],
    }
    store = make_store(fee)
    sale = Sale(D(100), "USD")
    assert calculate(PLATFORM, store, sale, FACTS.fx, date(2026, 11, 22)).net_low == D(95)
    assert calculate(PLATFORM, store, sale, FACTS.fx, date(2026, 11, 23)).net_low == D(88)


def test_tax_on_fees_is_taken_of_the_fees() -> None:
    store = make_store(
        {"id": "vat", "kind": "tax", "percent": 20, "of": ["fees"]}, {"id": "c", "kind": "commission", "percent": 10}
    )
    assert net_of(store, "100") == D("88.00")


def test_another_currency_is_exchanged_once_and_said() -> None:
    store = make_store({"id": "c", "kind": "commission", "percent": 10})
    found = calculate(PLATFORM, store, Sale(D(100), "EUR"), FACTS.fx, TODAY)
    assert found.exchanged_from == "EUR"
    assert found.price == rounded(D(100) / FACTS.fx.per_usd["EUR"], "USD")
    with pytest.raises(NoRateError, match="XTS"):
        calculate(PLATFORM, store, Sale(D(100), "XTS"), FACTS.fx, TODAY)


def test_the_price_that_leaves_a_wanted_sum() -> None:
    dress = work_out("jumia-ug", price=1, currency="UGX", seller="UG", category="clothing")
    found = price_for(D(50000), dress.platform, dress.store, dress.sale, FACTS.fx, TODAY)
    assert found is not None
    assert found.price == D(65000)
    below_the_step = work_out("shopee-br", price=1, currency="BRL")
    found = price_for(D("59.99"), below_the_step.platform, below_the_step.store, below_the_step.sale, FACTS.fx, TODAY)
    assert found is not None
    assert found.price == D("79.99")


def test_a_price_below_the_smallest_unit_is_refused() -> None:
    with pytest.raises(TooSmallError, match="USD"):
        work_out("fiverr", price=5, currency="VND")
    with pytest.raises(TooSmallError, match="USD"):
        work_out("etsy", price="0.001", currency="USD")


@pytest.mark.parametrize("bad", [{"price": D(0)}, {"price": D(-5)}, {"price": D(5), "shipping": D(-1)}])
def test_an_impossible_sale_is_refused(bad: dict[str, D]) -> None:
    with pytest.raises(ValueError, match="zero"):
        Sale(currency="USD", **bad)


prices = st.decimals(min_value="0.01", max_value="100000", places=2)
percents = st.decimals(min_value=0, max_value=60, places=2)


@given(price=prices, percent=percents, fixed=st.decimals(min_value=0, max_value=5, places=2))
def test_lines_add_up_and_each_is_rounded(price: D, percent: D, fixed: D) -> None:
    store = make_store(
        {"id": "a", "kind": "commission", "percent": percent},
        {"id": "b", "kind": "payment", "percent": percent, "fixed": fixed},
    )
    found = calculate(PLATFORM, store, Sale(price, "USD"), FACTS.fx, TODAY)
    assert found.net_low == found.gross - sum(line.low for line in found.lines if line.low is not None)
    assert all(line.low == rounded(line.low, "USD") for line in found.lines if line.low is not None)
    assert abs((found.lines[0].low or D(0)) - price * percent / 100) <= D("0.005")


bounds = st.lists(st.integers(1, 1000), min_size=1, max_size=4, unique=True).map(sorted)


@given(price=prices, limits=bounds, rates=st.lists(percents, min_size=5, max_size=5))
def test_slices_charge_each_part_of_the_price_once(price: D, limits: list[int], rates: list[D]) -> None:
    """A slice fee is the integral of its rates: between the least and the dearest rate, and continuous at a bound."""
    tiers = [Tier(up_to=D(limit), percent=rate) for limit, rate in zip(limits, rates, strict=False)]
    tiers.append(Tier(percent=rates[-1]))
    fee = Fee.model_validate(
        {"id": "f", "name": "Fee", "kind": "commission", "mode": "by-slice", "tiers": tiers, "source": "page",
         "as_of": "2026", "confidence": "high"}
    )  # fmt: skip
    store = Store(id="test", name="Test", currency="USD", fees=(fee,))
    taken = calculate(PLATFORM, store, Sale(price, "USD"), FACTS.fx, TODAY).fees_low
    assert price * min(t.percent for t in tiers) / 100 - D("0.01") <= taken
    assert taken <= price * max(t.percent for t in tiers) / 100 + D("0.01")
    at = calculate(PLATFORM, store, Sale(D(limits[0]), "USD"), FACTS.fx, TODAY).fees_low
    above = calculate(PLATFORM, store, Sale(D(limits[0]) + D("0.01"), "USD"), FACTS.fx, TODAY).fees_low
    assert abs(above - at) <= D("0.02")


@given(price=prices, low=percents, more=percents)
def test_a_range_has_both_its_ends(price: D, low: D, more: D) -> None:
    high = min(low + more, D(100))
    store = make_store({"id": "c", "kind": "commission", "percent": low, "percent_max": high})
    found = calculate(PLATFORM, store, Sale(price, "USD"), FACTS.fx, TODAY)
    assert found.net_low <= found.net_high
    assert found.net_high == net_of(make_store({"id": "c", "kind": "commission", "percent": low}), str(price))
    assert found.net_low == net_of(make_store({"id": "c", "kind": "commission", "percent": high}), str(price))


@given(price=prices, percent=percents, least=st.decimals(0, 5, places=2), most=st.decimals(5, 50, places=2))
def test_minimum_and_maximum_bound_the_line(price: D, percent: D, least: D, most: D) -> None:
    fee = {"id": "c", "kind": "commission", "percent": percent, "minimum": least, "maximum": most}
    line = calculate(PLATFORM, make_store(fee), Sale(price, "USD"), FACTS.fx, TODAY).lines[0]
    assert line.low is not None
    assert least <= line.low <= most
    if line.bound is None:
        assert line.low == rounded(price * percent / 100, "USD")


@given(wanted=st.decimals(min_value=1, max_value=5000, places=2), percent=st.decimals(0, 40, places=1))
def test_the_price_for_a_sum_is_the_lowest(wanted: D, percent: D) -> None:
    store = make_store({"id": "c", "kind": "commission", "percent": percent}, {"id": "f", "kind": "item", "fixed": 1})
    found = price_for(wanted, PLATFORM, store, Sale(D(1), "USD"), FACTS.fx, TODAY)
    assert found is not None
    assert found.net_low >= wanted
    cent_less = found.price - D("0.01")
    assert cent_less <= 0 or net_of(store, str(cent_less)) < wanted


STORES = [store.id for platform in FACTS.platforms for store in platform.stores]


@given(
    store=st.sampled_from(STORES),
    price=prices,
    seller=st.sampled_from([country.iso for country in FACTS.countries]),
    category=st.sampled_from([None, *(category.id for category in FACTS.categories)]),
)
def test_no_store_takes_less_than_nothing_or_crashes(store: str, price: D, seller: str, category: str | None) -> None:
    found = work_out(store, price=price, currency="USD", seller=seller, category=category)
    assert all(line.low is None or 0 <= line.low <= (line.high or line.low) for line in found.lines)
    assert all(line.source.url.startswith("http") for line in found.lines)
    assert found.net_low <= found.net_high <= found.gross


def test_every_store_has_a_name_for_each_fee_and_recurring_ones_are_not_per_sale() -> None:
    for platform in FACTS.platforms:
        for store in platform.stores:
            for fee in store.fees:
                assert fee.kind.value != "subscription" or fee.per in (
                    Per.MONTH,
                    Per.QUARTER,
                    Per.HALF_YEAR,
                    Per.YEAR,
                ), (store.id, fee.id)
                assert len({rate.model_dump_json() for rate in fee.rates}) == len(fee.rates), (store.id, fee.id)
                assert all(isinstance(rate, Rate) for rate in fee.charges)
