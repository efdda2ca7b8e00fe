"""Figures in prose come from the tables."""

from __future__ import annotations

from pathlib import Path

import frontmatter
import pytest

from knowledge.documents import read_document
from knowledge.facts import load_facts
from knowledge.models import Document
from knowledge.references import UnknownReferenceError, bare_figures, known_figures, resolve
from knowledge.settings import ROOT

FACTS = load_facts()
DOCUMENTS = ROOT / "knowledge" / "documents"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{{etsy.transaction-fee}}", "6.5%"),
        ("{{etsy.payment-processing@BR}}", "6.5% + USD 0.30"),
        ("{{etsy.payment-processing.fixed@VN}}", "VND 11,550"),
        ("{{amazon-us.referral-fee.tier1.percent@clothing}} up to {{amazon-us.referral-fee.tier1.up-to@clothing}}",
         "5% up to USD 15"),
        ("{{ebay-us.per-order-fee.tier2.fixed}}", "USD 0.40"),
        ("{{pay/paypal.receiving}}", "4.4% + USD 0.30"),
        ("{{to/GB.duty-free-up-to}} and {{to/GB.tax}}", "GBP 135 and 20%"),
        ("{{jiji.sellers}}", "Ethiopia, Ghana, Kenya, Nigeria, Tanzania, and Uganda"),
        ("{{jumia.sellers-count}} countries", "8 countries"),
        ("{{etsy.currency-conversion.as-of}}", "October 2026"),
        ('{{"15%"}} aside', "15% aside"),
        ("no reference {here}", "no reference {here}"),
    ],
)  # fmt: skip
def test_references_are_written_out(text: str, written: str) -> None:
    assert resolve(text, FACTS) == written


@pytest.mark.parametrize(
    "path",
    ["etsy", "etsy.no-such-fee", "nowhere.fee", "pay/nobody.fee", "to/XX.tax", "etsy.payment-processing@KE",
     "etsy.transaction-fee.fixed", "to/US.duty-per-line", "etsy.vat-on-fees"],
)  # fmt: skip
def test_a_reference_to_nothing_names_itself(path: str) -> None:
    with pytest.raises(UnknownReferenceError, match=path.split(".", maxsplit=1)[0]):
        resolve(f"{{{{{path}}}}}", FACTS)


def test_bare_figures_are_found_and_bound_or_quoted_ones_are_not() -> None:
    known = known_figures(FACTS, ["etsy"], [], [])
    assert bare_figures("Etsy takes 6.5% and $0.20, or 6.5 percent, of USD 33.", known) == [
        "6.5%",
        "$0.20",
        "6.5 percent",
    ]
    assert not bare_figures('Etsy takes {{etsy.transaction-fee}}; keep {{"6.5%"}} aside.', known)


ORIGINALS = sorted(path for path in DOCUMENTS.rglob("*.md") if "." not in path.stem)  # translations have just theirs


@pytest.mark.parametrize("path", ORIGINALS, ids=lambda path: path.stem)
def test_no_document_repeats_a_figure_that_a_table_holds(path: Path) -> None:
    document = read_document(path, FACTS)
    assert isinstance(document, Document), document
    body = frontmatter.loads(path.read_text(encoding="utf-8")).content
    known = known_figures(FACTS, document.platforms, document.payments, document.markets)
    assert not bare_figures(body, known), 'write {{thing.fee}} instead, or {{"..."}} if it is another figure'
