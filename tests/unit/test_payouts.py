"""From a balance abroad to the bank: the researchers' worked examples, and what works where."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from knowledge.eligibility import Verdict
from knowledge.facts import Country, ExchangeRates, PaymentProvider, load_facts
from knowledge.money import NoRateError
from knowledge.payouts import gateways, option, options, settle

FACTS = load_facts()


def provider(*fees: dict[str, Any], kind: str = "card-acquirer") -> PaymentProvider:
    common = {"name": "A fee", "source": "page", "as_of": "2026", "confidence": "low", "of": ["net"]}
    page = {"title": "Page", "publisher": "Press", "url": "https://example.org/"}
    return PaymentProvider.model_validate(
        {"id": "test", "name": "Test", "kind": kind, "sources": {"page": page}, "fees": [common | f for f in fees]}
    )


def rates(**per_usd: str) -> ExchangeRates:
    known = {"USD": Decimal(1), **{code: Decimal(value) for code, value in per_usd.items()}}
    return FACTS.fx.model_copy(update={"per_usd": known})


def country(iso: str) -> Country:
    found = FACTS.country(iso)
    assert found is not None
    return found


RECEIVING = {"id": "receiving", "kind": "receiving", "percent": "4.4", "fixed": "0.30", "currency": "USD"}


def test_kenya_paypal_to_mpesa_with_the_margin_as_a_fee() -> None:
    service = provider(RECEIVING, {"id": "conversion", "kind": "conversion", "percent": 3, "when": "conversion"})
    found = settle(Decimal(100), "USD", service, country("KE"), rates(KES="129.75"))
    assert [line.low for line in found.lines] == [Decimal("4.70"), Decimal("2.86")]
    assert (found.low, found.currency) == (Decimal("11994.09"), "KES")


def test_india_paypal_with_tax_on_the_fee_and_a_margin_inside_the_rate() -> None:
    service = provider(
        RECEIVING,
        {"id": "tax", "kind": "tax", "percent": 18, "of": ["fees"], "sellers": ["IN"]},
        {"id": "conversion", "kind": "conversion", "percent": 4, "when": "conversion", "inside_rate": True},
    )
    found = settle(Decimal(100), "USD", service, country("IN"), rates(INR="96.32"))
    assert [line.low for line in found.lines] == [Decimal("4.70"), Decimal("0.85")]
    assert (found.low, found.margin) == (Decimal("8733.53"), Decimal(4))


def test_bangladesh_payoneer_out_of_the_shipped_table() -> None:
    payoneer = FACTS.provider("payoneer")
    assert payoneer is not None
    found = settle(Decimal(200), "USD", payoneer, country("BD"), rates(BDT="123.14"))
    assert [line.low for line in found.lines] == [Decimal("2.00"), Decimal("5.94")]
    assert (found.low, found.is_at_most) == (Decimal("23650.27"), False)


@pytest.mark.parametrize(
    ("fee", "amount", "currency", "taken", "left"),
    [
        ({"percent": "3.9"}, "250", "USD", "9.75", "240.25"),
        ({"percent": "4.8"}, "250", "USD", "12.00", "238.00"),
        ({"percent": "3.9", "fixed": 100, "currency": "NGN"}, "332747.50", "NGN", "13077.15", "319670.35"),
    ],
)
def test_nigeria_three_ways_of_charging_a_card(
    fee: dict[str, Any], amount: str, currency: str, taken: str, left: str
) -> None:
    service = provider({"id": "receiving", "kind": "receiving", **fee})
    found = settle(Decimal(amount), currency, service, country("NG"), rates(NGN="1330.99"))
    assert found.lines[0].low == Decimal(taken)
    assert found.start - Decimal(taken) == Decimal(left)


def test_ethiopia_wire_half_sold_under_the_mid_rate() -> None:
    wire = provider(
        {"id": "bank-abroad", "kind": "receiving", "fixed": 25, "currency": "USD"},
        {"id": "own-bank", "kind": "receiving", "fixed": 15, "currency": "USD"},
    )
    arrived = settle(Decimal(1500), "USD", wire, country("ET"), rates(ETB="161.34"))
    balance = arrived.start - sum((line.low or Decimal(0) for line in arrived.lines), Decimal(0))
    assert balance == Decimal(1460)
    sale = provider({"id": "c", "kind": "conversion", "percent": 2, "when": "conversion", "inside_rate": True})
    sold = settle(balance / 2, "USD", sale, country("ET"), rates(ETB="161.34"))
    assert sold.low == Decimal("115422.64")


def test_an_unknown_fee_makes_the_sum_at_most() -> None:
    found = settle(
        Decimal(100), "USD", provider({"id": "w", "kind": "withdrawal", "per": "payout"}), country("KE"), FACTS.fx
    )
    assert found.is_at_most


def test_a_balance_abroad_whose_way_out_is_not_known() -> None:
    fee = {"id": "receiving", "kind": "receiving", "percent": 4}
    assert settle(Decimal(100), "USD", provider(fee, kind="wallet"), country("KE"), FACTS.fx).is_at_most
    assert not settle(Decimal(100), "USD", provider(fee), country("KE"), FACTS.fx).is_at_most


def test_a_fee_for_other_countries_is_not_taken() -> None:
    service = provider({"id": "tax", "kind": "tax", "percent": 18, "of": ["price"], "sellers": ["IN"]})
    assert settle(Decimal(100), "USD", service, country("KE"), FACTS.fx).lines == ()


def test_a_currency_without_a_rate() -> None:
    with pytest.raises(NoRateError, match="XTS"):
        settle(Decimal(100), "XTS", provider(), country("KE"), FACTS.fx)


@pytest.mark.parametrize(
    ("id", "iso", "expected"),
    [
        ("paypal", "KE", Verdict.YES),
        ("paypal", "TZ", Verdict.NO),
        ("stripe", "KE", Verdict.NO),
        ("stripe", "IN", Verdict.LIMITED),
        ("mpesa-paypal", "KE", Verdict.YES),
    ],
)
def test_the_countrys_own_table_comes_first(id: str, iso: str, expected: Verdict) -> None:
    service = FACTS.provider(id)
    assert service is not None
    assert option(FACTS, service, iso).receive is expected


def test_options_never_name_a_service_that_is_closed_there() -> None:
    for entry in FACTS.countries:
        found = options(FACTS, entry.iso)
        shut = {row.provider for row in entry.providers if row.status == "no"}
        assert not {each.provider.id for each in found} & shut, entry.iso


def test_gateways_have_a_known_fee_for_the_country() -> None:
    assert "paystack" in [service.id for service in gateways(FACTS, "KE")]
    assert "stripe" not in [service.id for service in gateways(FACTS, "KE")]
    assert "paypal" in [service.id for service in gateways(FACTS, "MA")]
    assert "paypal" not in [service.id for service in gateways(FACTS, "BR")]  # its rate there is not known
