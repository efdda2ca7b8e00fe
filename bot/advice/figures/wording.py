"""How figures are written: money, percentages, names of fees, needs and payout ways, in the person's language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from bot.advice.richtext import RichText
from bot.translation import as_of_text, guidance, plurals, translator
from bot.translation import mark as _
from knowledge.facts import Facts, Payout, Service
from knowledge.fees import Line, Term
from knowledge.models import Confidence, Source
from knowledge.tariff import Charge, FeeKind, Per

FEE_NAMES = {
    FeeKind.LISTING: _("listing fee"),
    FeeKind.COMMISSION: _("commission"),
    FeeKind.CLOSING: _("closing fee"),
    FeeKind.ITEM: _("fee per item"),
    FeeKind.ORDER: _("fee per order"),
    FeeKind.PAYMENT: _("payment processing"),
    FeeKind.REGULATORY: _("regulatory fee"),
    FeeKind.INTERNATIONAL: _("fee for buyers abroad"),
    FeeKind.CONVERSION: _("currency conversion"),
    FeeKind.SUBSCRIPTION: _("subscription"),
    FeeKind.SETUP: _("set-up fee"),
    FeeKind.DEPOSIT: _("deposit"),
    FeeKind.FULFILMENT: _("storage and packing by the platform"),
    FeeKind.STORAGE: _("storage"),
    FeeKind.SHIPPING: _("share of shipping"),
    FeeKind.ADVERTISING: _("advertising"),
    FeeKind.AFFILIATE: _("commission of promoters"),
    FeeKind.TAX: _("tax on fees"),
    FeeKind.RECEIVING: _("fee for receiving money"),
    FeeKind.WITHDRAWAL: _("withdrawal fee"),
    FeeKind.PAYOUT: _("payout fee"),
    FeeKind.REFUND: _("fee on refunds"),
    FeeKind.DISPUTE: _("fee for a lost dispute"),
    FeeKind.MESSAGE: _("fee per message"),
}
PERIODS = {
    Per.ITEM: _("per item"),
    Per.ORDER: _("per order"),
    Per.PAYOUT: _("per payout"),
    Per.MONTH: _("a month"),
    Per.QUARTER: _("a quarter"),
    Per.HALF_YEAR: _("per half-year"),
    Per.YEAR: _("a year"),
    Per.ONCE: _("once"),
    Per.EVENT: _("each time"),
}
NEEDS = {
    "id-document": _("an identity document"),
    "address-proof": _("a proof of address"),
    "business-registration": _("a registered business"),
    "tax-number": _("a tax number"),
    "vat-number": _("a VAT number"),
    "local-company": _("a company in the platform's country"),
    "local-id": _("an identity document of the platform's country"),
    "local-bank-account": _("a bank account in the country of your shop"),
    "bank-account": _("a bank account"),
    "payoneer-account": _("a Payoneer account"),
    "paypal-account": _("a PayPal account"),
    "credit-card": _("a credit card"),
    "phone-number": _("a phone number"),
    "invitation": _("an invitation"),
    "selling-experience": _("selling experience"),
    "brand-ownership": _("your own brand"),
    "trademark": _("a registered trademark"),
    "product-certificates": _("product certificates"),
    "eu-returns-address": _("a returns address in the EU"),
    "local-returns-address": _("a returns address in the buyers' country"),
    "local-stock": _("stock in the buyers' country"),
    "deposit": _("a deposit"),
    "paid-plan": _("a paid plan"),
    "video-check": _("a video check"),
    "handmade-goods": _("handmade goods"),
    "own-website": _("your own website"),
    "payment-gateway": _("a payment service for cards"),
    "local-agent": _("a local agent"),
    "application": _("an application that is looked at"),
}
WAYS = {
    "bank-account": _("bank account"),
    "mobile-money": _("mobile money"),
    "card": _("card"),
    "cash": _("cash"),
}
RHYTHMS = {
    "day": _("every day"),
    "week": _("every week"),
    "two-weeks": _("every two weeks"),
    "ten-days": _("every ten days"),
    "month": _("every month"),
    "order": _("after each order"),
    "request": _("when you ask for it"),
}


def service_name(service: Service, language: str) -> str:
    """The name of a platform or payment service; a way of paying that is no firm has one in `language`."""
    return guidance(language)(service.name)


def money(amount: Decimal, currency: str, language: str) -> str:
    """`amount` with its ISO 4217 code, so that no dollar is taken for another: "USD 1,234.50"."""
    return str(format_currency(amount, currency, "¤¤ #,##0.00", locale=language))


def span(low: Decimal, high: Decimal, currency: str, language: str) -> str:
    """A sum, or the two ends of a range with the currency once."""
    if low == high:
        return money(low, currency, language)
    return f"{money(low, currency, language)}–{money(high, currency, language).split(' ', 1)[-1]}"


def percent(low: Decimal, language: str, high: Decimal | None = None) -> str:
    """A percentage, or the two ends of a range."""
    first = format_decimal(low, "#,##0.##", locale=language)
    return f"{first}–{format_decimal(high, '#,##0.##', locale=language)}%" if high is not None else f"{first}%"


def number(amount: Decimal, currency: str, language: str) -> str:
    """`amount` with the decimals of `currency`, without its code."""
    return money(amount, currency, language).split(" ", 1)[-1]


def day(of: date, language: str) -> str:
    """A date in full."""
    return str(format_date(of, "d MMM y", locale=language))


COMMA, SEMICOLON = {"ar": "، "}, {"ar": "؛ "}


def commas(items: Iterable[str], language: str) -> str:
    """Items with the comma of the language between them."""
    return COMMA.get(language, ", ").join(items)


def semicolons(items: Iterable[str], language: str) -> str:
    """Items with the semicolon of the language between them."""
    return SEMICOLON.get(language, "; ").join(items)


def listing(items: Iterable[str], language: str) -> str:
    """Items joined as people join them: "a, b and c"."""
    return str(format_list(list(items), "standard", locale=language))


def fee_name(kind: FeeKind, official: str, language: str) -> str:
    """The platform's own name of a fee; in another language than English what it is, then that name."""
    if language == "en":
        return official
    translated = translator(language)(FEE_NAMES[kind])
    return f"{translated[:1].upper()}{translated[1:]} ({official})"


def formula(line: Line, currency: str, language: str) -> str:
    """How a line was worked out: "6.5% × 40.00 + 0.30"; a bound that counted instead is named."""
    t = translator(language)
    parts = [_term(term, currency, language) for term in line.terms]
    if line.bound:
        *worked, _bound = parts
        lead = t(_("at least")) if line.bound == "minimum" else t(_("at most"))
        return f"{' + '.join(worked)}, {lead} {number(line.low or Decimal(0), currency, language)}"
    return " + ".join(parts)


def _term(term: Term, currency: str, language: str) -> str:
    if term.percent is not None:
        base = number(term.base or Decimal(0), currency, language)
        return f"{percent(term.percent, language, term.percent_max)} × {base}"
    low = term.fixed or Decimal(0)
    shown = number(low, currency, language)
    return f"{shown}–{number(term.fixed_max, currency, language)}" if term.fixed_max is not None else shown


def charge(rate: Charge, currency: str | None, language: str) -> str:
    """A charge without a sale: "6.5% + USD 0.30", "5% up to 15.00, 17% above"; empty when it is not known."""
    t = translator(language)
    code = rate.currency or currency or ""
    if rate.tiers:
        bands = []
        for tier in rate.tiers:
            shown = _plain(tier.percent or None, None, tier.fixed or None, None, code, language)
            if tier.up_to is not None:
                limit = money(tier.up_to, code, language)
                bands.append(t(_("{rate} up to {limit}")).format(rate=shown or "0", limit=limit))
            else:
                bands.append(t(_("{rate} above")).format(rate=shown or "0"))
        shown = commas(bands, language)
    else:
        shown = _plain(rate.percent, rate.percent_max, rate.fixed, rate.fixed_max, code, language)
    if rate.minimum is not None:
        shown += ", " + t(_("at least {amount}")).format(amount=money(rate.minimum, code, language))
    if rate.maximum is not None:
        shown += ", " + t(_("at most {amount}")).format(amount=money(rate.maximum, code, language))
    return shown


def _plain(
    low: Decimal | None,
    high: Decimal | None,
    fixed: Decimal | None,
    fixed_max: Decimal | None,
    code: str,
    language: str,
) -> str:
    parts = []
    if low is not None and not (low == 0 and fixed):
        parts.append(percent(low, language, high))
    if fixed is not None and not (fixed == 0 and parts):
        parts.append(span(fixed, fixed_max if fixed_max is not None else fixed, code, language))
    return " + ".join(parts)


def needs(wanted: Iterable[str], language: str) -> str:
    """What a platform asks for, joined."""
    t = translator(language)
    return listing([t(NEEDS[need]) for need in wanted], language)


def payout_way(payout: Payout, facts: Facts, language: str) -> str:
    """One way of being paid: "Payoneer, every week, may be held up to 21 days"."""
    t = translator(language)
    provider = facts.provider(payout.to)
    parts = [service_name(provider, language) if provider else t(WAYS.get(payout.to, payout.to))]
    if payout.every:
        parts.append(t(RHYTHMS[payout.every[0]]))
    if payout.hold_days:
        ngettext = plurals(language)
        text = ngettext("held up to {days} day", "held up to {days} days", payout.hold_days)
        parts.append(text.format(days=payout.hold_days))
    return commas(parts, language)


def source_lines(
    sources: Iterable[Source], language: str, today: date, most: int = 3, official: Service | None = None
) -> list[RichText]:
    """The sources with their dates, then what is to be said about their age and sureness, with the `official` site."""
    t = translator(language)
    lines, shown = [], list({source.url: source for source in sources}.values())
    for source in shown[:most]:
        date_text = as_of_text(source.as_of, language)
        dated = t(_("of {date}")).format(date=date_text) if date_text else t(_("date not shown"))
        lines.append(
            RichText.plain(t(_("Source:")) + " ")
            + RichText.link(source.title, source.url)
            + RichText.plain(f", {dated}")
        )
    if any(source.as_of.is_stale(today) for source in shown):
        lines.append(
            RichText.plain(t(_("Some figures are older than a year or undated: check the page before you act.")))
        )
    if any(source.confidence in (Confidence.LOW, Confidence.UNVERIFIED) for source in shown):
        lines.append(RichText.plain(t(_("We could not confirm some figures: treat them with care."))))
    if official is not None and official.website and len(lines) > len(shown[:most]):
        lines.append(RichText.plain(t(_("Official site:")) + " ") + RichText.link(official.name, official.website))
    return lines
