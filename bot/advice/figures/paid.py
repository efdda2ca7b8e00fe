"""How the money comes home: services that work in the seller's country, what they take, what reaches the bank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from bot.advice.figures import wording
from bot.advice.figures.draft import Draft, Field, Wish
from bot.advice.figures.guides import guides
from bot.advice.reply import UNKNOWN_DATE, Button, Figure, Reply, ReplyKind
from bot.advice.richtext import RichText, join
from bot.translation import country_name, translator
from knowledge.eligibility import Verdict, Why, eligibility
from knowledge.facts import Country, Facts, PaymentProvider, Platform, Service
from knowledge.models import Document, Source, Topic
from knowledge.money import NoRateError
from knowledge.payouts import Option, Settlement, option, options, settle
from knowledge.tariff import FeeKind

EXAMPLE = Decimal(100)
MOST_OPTIONS = 6


def answer(facts: Facts, draft: Draft, documents: Iterable[Document], language: str, today: date) -> Reply:
    """Ways to be paid: of one platform, by one service, or all that work in the country; with one of `documents`."""
    assert draft.seller is not None, "the desk asks for the country first"
    platform = facts.platform(draft.target) if draft.target else None
    if platform is None and draft.target and (found := facts.store(draft.target)):
        platform = found[0]
    provider = facts.provider(draft.provider) if draft.provider else None
    if provider is not None:
        reply = _by_service(facts, draft, provider, language, today)
    elif platform is not None:
        reply = _by_platform(facts, draft, platform, language, today)
    else:
        reply = _in_country(facts, draft, language, today)
    about = provider or platform
    more = guides(documents, (Topic.GETTING_PAID,), about.id if about else None, draft.seller, language)
    return replace(reply, buttons=(*more, *reply.buttons))


def _by_service(facts: Facts, draft: Draft, provider: PaymentProvider, language: str, today: date) -> Reply:
    _ = translator(language)
    found = option(facts, provider, str(draft.seller))
    country = country_name(str(draft.seller), language)
    blocks = [RichText.bold(_headline(found, country, language))]
    reached, figures, used = _reached(facts, draft, [provider] if found.receive is not Verdict.NO else [], language)
    blocks.append(reached)
    if not found.works:
        blocks.append(_others(facts, draft, provider, language))
    sources = [found.source] if found.source else []
    sources += used
    figures.insert(0, Figure("eligibility", as_of=sources[0].as_of if sources else UNKNOWN_DATE,
                             verdict=found.receive.value))  # fmt: skip
    return _reply(
        blocks, sources, figures, draft, language, today, 0.5 if found.receive is Verdict.UNKNOWN else 1.0, provider
    )


def _headline(found: Option, country: str, language: str) -> str:
    _ = translator(language)
    name = wording.service_name(found.provider, language)
    if found.by_invitation:
        return _("Only by invitation: {service} is not open to everybody in {country}.").format(
            service=name, country=country
        )
    texts = {
        Verdict.YES: _("Yes: sellers in {country} can be paid through {service}."),
        Verdict.LIMITED: _("With limits: {service} works in {country} only in part."),
        Verdict.NO: _("No: sellers in {country} cannot be paid through {service}."),
        Verdict.UNKNOWN: _("Not known: I cannot say whether {service} works for sellers in {country}."),
    }
    return texts[found.receive].format(service=name, country=country)


def _by_platform(facts: Facts, draft: Draft, platform: Platform, language: str, today: date) -> Reply:
    _ = translator(language)
    country = country_name(str(draft.seller), language)
    found = eligibility(platform, str(draft.seller))
    blocks: list[RichText] = []
    sources: list[Source] = []
    if found.verdict is Verdict.NO:
        text = _("{platform} does not take sellers in {country}, so it pays nobody there.")
        if found.why is Why.PLATFORM_CLOSED:
            text = _("{platform} has closed: it pays nobody any more.")
        blocks.append(RichText.bold(text.format(platform=platform.name, country=country)))
    elif found.payouts:
        blocks.append(RichText.bold(_("{platform} pays sellers in {country} by:").format(
            platform=platform.name, country=country)))  # fmt: skip
        ways = [RichText.plain(f"• {wording.payout_way(payout, facts, language)}") for payout in found.payouts]
        blocks.append(join(dict.fromkeys(ways), "\n"))
        sources += [platform.source_of(p.source, p.as_of, p.confidence) for p in found.payouts[:1]]
    else:
        text = _("I do not know how {platform} pays sellers in {country}.")
        blocks.append(RichText.bold(text.format(platform=platform.name, country=country)))
    if found.verdict is Verdict.UNKNOWN:
        text = _("Whether {platform} takes sellers in {country} at all is not known to me.")
        blocks.append(RichText.plain(text.format(platform=platform.name, country=country)))
    if found.source and found.source not in sources:
        sources.append(found.source)
    providers = [provider for payout in found.payouts if (provider := facts.provider(payout.to))]
    usable = [p for p in providers if option(facts, p, str(draft.seller)).receive is not Verdict.NO]
    reached, figures, used = _reached(facts, draft, usable if found.verdict is not Verdict.NO else [], language)
    blocks.append(reached)
    sources += used
    if found.verdict is Verdict.NO or not found.payouts:
        blocks.append(_others(facts, draft, None, language))
    verdict = Figure("payout", verdict=", ".join(dict.fromkeys(p.to for p in found.payouts)) or "unknown",
                     as_of=sources[0].as_of if sources else UNKNOWN_DATE)  # fmt: skip
    if found.verdict is Verdict.NO:
        verdict = Figure("payout", verdict="no", as_of=verdict.as_of)
    return _reply(blocks, sources, [verdict, *figures], draft, language, today, 1.0 if found.payouts else 0.5, platform)


def _in_country(facts: Facts, draft: Draft, language: str, today: date) -> Reply:
    _ = translator(language)
    country = country_name(str(draft.seller), language)
    found = options(facts, str(draft.seller))
    working = [each for each in found if each.works][:MOST_OPTIONS]
    if not working:
        text = _("I know of no payment service that surely works for sellers in {country}. A bank transfer does.")
        return _reply([RichText.plain(text.format(country=country))], [], [], draft, language, today, 0.5)
    lines = []
    for each in working:
        limits = _("with limits")
        limit = f" ({limits})" if each.receive is Verdict.LIMITED else ""
        lines.append(RichText.plain(f"• {wording.service_name(each.provider, language)}{limit}"))
    title = _("In {country} sellers can be paid from abroad through:").format(country=country)
    blocks = [RichText.bold(title), join(lines, "\n"), _closed(facts, draft, language)]
    first = [each.provider for each in working if each.provider.fee("receiving") or each.provider.fee("withdrawal")]
    reached, figures, used = _reached(facts, draft, first[:2], language)
    blocks.append(reached)
    sources = [*list(dict.fromkeys(each.source for each in working if each.source))[:1], *used]
    verdict = Figure("payout", verdict=", ".join(each.provider.id for each in working),
                     as_of=sources[0].as_of if sources else UNKNOWN_DATE)  # fmt: skip
    return _reply(blocks, sources, [verdict, *figures], draft, language, today, 1.0)


def _closed(facts: Facts, draft: Draft, language: str) -> RichText:
    _ = translator(language)
    entry = facts.country(draft.seller)
    shut = [row.provider for row in entry.providers if row.status == "no"] if entry else []
    names = [wording.service_name(provider, language) for id in shut if (provider := facts.provider(id))]
    if not names:
        return RichText()
    return RichText.plain(_("Not open there: {services}.").format(services=wording.listing(names, language)))


def _others(facts: Facts, draft: Draft, without: PaymentProvider | None, language: str) -> RichText:
    _ = translator(language)
    found = [
        wording.service_name(o.provider, language)
        for o in options(facts, str(draft.seller))
        if o.works and o.provider is not without
    ]
    if not found:
        return RichText()
    text = _("What works in your country: {services}.")
    return RichText.plain(text.format(services=wording.listing(found[:4], language)))


def _reached(
    facts: Facts, draft: Draft, providers: Sequence[PaymentProvider], language: str
) -> tuple[RichText, list[Figure], list[Source]]:
    """What of the draft's sum, or of a hundred dollars, reaches the bank through each of `providers`, with the
    sources of what they take."""
    country = facts.country(draft.seller)
    if country is None or not providers:
        return RichText(), [], []
    amount, currency = draft.price or EXAMPLE, draft.currency or "USD"
    lines: list[RichText] = []
    figures: list[Figure] = []
    sources: list[Source] = []
    for provider in {each.id: _with_exit(facts, each, country) for each in providers}.values():
        try:
            found = settle(amount, currency, provider, country, facts.fx)
        except NoRateError:
            continue
        lines.append(RichText.plain(_settlement(found, language)))
        sources += [line.source for line in found.lines if line.is_known]
        name = "in_bank_at_most" if found.is_at_most else "in_bank"
        figures.append(
            Figure(f"{name}_{provider.id}", found.low if not found.is_at_most else found.high, found.currency)
        )
    return join(lines, "\n"), figures, sources


def _with_exit(facts: Facts, provider: PaymentProvider, country: Country) -> PaymentProvider:
    """PayPal in Kenya leaves through M-PESA: its fees, with M-PESA's conversion in place of PayPal's."""
    way_out = facts.provider("mpesa-paypal")
    if provider.id != "paypal" or way_out is None or "mpesa-paypal" not in country.local_options:
        return provider
    kept = tuple(fee for fee in provider.fees if fee.kind.value not in ("conversion", "withdrawal"))
    return provider.model_copy(
        update={
            "name": f"{provider.name} + {way_out.name}",
            "fees": (*kept, *way_out.fees),
            "sources": {**provider.sources, **way_out.sources},
        }
    )


def _settlement(found: Settlement, language: str) -> str:
    _ = translator(language)
    start = wording.money(found.start, found.start_currency, language)
    shown = wording.span(found.low, found.high, found.currency, language)
    cuts = [
        f"{wording.fee_name(line.kind, line.name, language)} "
        + (wording.span(line.low, line.high, found.start_currency, language)
           if line.low is not None and line.high is not None else _("not known"))
        for line in found.lines
        if line.high != 0
    ]  # fmt: skip
    if found.exit_is_unknown:
        unknown = _("not known")
        cuts.append(f"{_(wording.FEE_NAMES[FeeKind.WITHDRAWAL])} {unknown}")
    if found.margin:
        margin = wording.percent(found.margin, language, found.margin_max)
        cuts.append(_("{margin} hidden in the exchange rate").format(margin=margin))
    text = _("Through {service}, of {start} about {amount} reach you")
    if found.is_at_most:
        text = _("Through {service}, of {start} at most {amount} reach you, because not all fees are known")
        shown = wording.money(found.high, found.currency, language)
    detail = f" ({wording.semicolons(cuts, language)})" if cuts else ""
    return text.format(service=wording.service_name(found.provider, language), start=start, amount=shown) + detail + "."


def _reply(
    blocks: Iterable[RichText],
    sources: Sequence[Source],
    figures: Sequence[Figure],
    draft: Draft,
    language: str,
    today: date,
    confidence: float,
    official: Service | None = None,
) -> Reply:
    _ = translator(language)
    settled = draft.settled(asked=0)
    steps = [
        Button(_("Another amount"), settled.but(awaiting=Field.PRICE).code),
        Button(_("Another country"), settled.but(awaiting=Field.SELLER).code),
    ]
    if draft.target or draft.provider:
        everything = Draft(Wish.PAYOUT, seller=draft.seller)
        steps.insert(0, Button(_("All services in my country"), everything.code))
    return Reply(
        join((*blocks, join(wording.source_lines(sources, language, today, official=official), "\n"))),
        ReplyKind.ANSWER,
        "getting-paid",
        language,
        citations=tuple(sources),
        confidence=confidence,
        buttons=tuple(steps),
        figures=tuple(figures),
        draft=settled.code,
        subject=f"payout-{draft.provider or draft.target or str(draft.seller).lower()}",
    )
