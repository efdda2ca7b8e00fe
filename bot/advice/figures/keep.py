"""What is left of one sale, and what a platform takes in general, as replies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from bot.advice.figures import wording
from bot.advice.figures.draft import Draft, Field, Wish, categories, fitting
from bot.advice.figures.guides import guides
from bot.advice.reply import UNKNOWN_DATE, Button, Figure, Reply, ReplyKind
from bot.advice.richtext import RichText, join
from bot.translation import Translate, country_name, translator
from knowledge.eligibility import Verdict, eligibility
from knowledge.facts import Facts, Platform, Store
from knowledge.fees import Breakdown, LeftOut, Line, Reason
from knowledge.models import Document, Topic
from knowledge.money import NoRateError, currency_of, exchange, rounded
from knowledge.tariff import Fee, Per, When

MOST_LEFT_OUT = 4
HUNDRED = Decimal(100)


def answer(facts: Facts, draft: Draft, breakdown: Breakdown, language: str, today: date) -> Reply:
    """Net first, then the lines, what was assumed, what is not included, and the sources."""
    _ = translator(language)
    blocks = [
        RichText.bold(_headline(breakdown, language)),
        RichText.plain(barred(breakdown.platform, breakdown.store, draft.seller, language)),
        join((*_conversions(facts, draft, breakdown, language), *_lines(draft, breakdown, language)), "\n"),
        RichText.plain(_assumed(facts, draft, breakdown, language)),
        RichText.plain(_left_out(breakdown, language)),
        join(wording.source_lines(breakdown.sources, language, today, official=breakdown.platform), "\n"),
    ]
    return Reply(
        join(blocks),
        ReplyKind.ANSWER,
        "fees",
        language,
        citations=breakdown.sources,
        confidence=0.6 if breakdown.is_at_most or breakdown.doubtful else 1.0,
        buttons=_steps(draft, breakdown, _),
        figures=figures(breakdown),
        draft=draft.settled().code,
        subject=f"fees-{breakdown.store.id}",
    )


def _headline(breakdown: Breakdown, language: str) -> str:
    _ = translator(language)
    net, gross = _net(breakdown, language), wording.money(breakdown.gross, breakdown.currency, language)
    name = breakdown.store.name
    if breakdown.is_at_most:
        return _("{store}: you keep at most {net} of {gross}, because not all fees are known.").format(
            store=name, net=net, gross=gross
        )
    share = wording.percent(rounded(breakdown.net_low * HUNDRED / breakdown.gross, "USD"), language)
    if breakdown.is_exact:
        return _("{store}: you keep {net} of {gross} ({share}).").format(store=name, net=net, gross=gross, share=share)
    return _("{store}: you keep between {low} and {high} of {gross}.").format(
        store=name,
        low=wording.money(breakdown.net_low, breakdown.currency, language),
        high=wording.money(breakdown.net_high, breakdown.currency, language),
        gross=gross,
    )


def barred(platform: Platform, store: Store | None, seller: str | None, language: str) -> str:
    """A warning when `platform` does not take sellers in `seller` (ISO 3166 alpha-2); empty otherwise."""
    if seller is None or eligibility(platform, seller, store).verdict is not Verdict.NO:
        return ""
    _ = translator(language)
    text = _("But {platform} does not take sellers in {country}.")
    return text.format(platform=platform.name, country=country_name(seller, language))


def _net(breakdown: Breakdown, language: str) -> str:
    return wording.span(breakdown.net_low, breakdown.net_high, breakdown.currency, language)


def _conversions(facts: Facts, draft: Draft, breakdown: Breakdown, language: str) -> Iterable[RichText]:
    """The price as the store sees it, and the net in the seller's own money, with the rate's date."""
    _ = translator(language)
    day = wording.day(facts.fx.as_of, language)
    if breakdown.exchanged_from and draft.price is not None:
        yield RichText.plain(
            _("{price} is about {exchanged} (rate of {date}).").format(
                price=wording.money(draft.price, breakdown.exchanged_from, language),
                exchanged=wording.money(breakdown.price, breakdown.currency, language),
                date=day,
            )
        )
    own = currency_of(draft.seller, facts)
    if own is None or own == breakdown.currency:
        return
    try:
        low = rounded(exchange(breakdown.net_low, breakdown.currency, own, facts.fx), own)
        high = rounded(exchange(breakdown.net_high, breakdown.currency, own, facts.fx), own)
    except NoRateError:
        return
    text = _("That is about {amount} at the mid rate of {date}; banks pay less.").format(
        amount=wording.span(low, high, own, language), date=day
    )
    if own in facts.fx.caution:
        text += " " + _("In {country} the rate that you really get can be quite different.").format(
            country=country_name(str(draft.seller), language)
        )
    yield RichText.plain(text)


def _lines(draft: Draft, breakdown: Breakdown, language: str) -> Iterable[RichText]:
    for line in breakdown.lines:
        fee = breakdown.store.fee(line.id)
        by_country = draft.seller is None and fee is not None and any(rate.sellers for rate in fee.rates)
        yield RichText.plain(f"• {_line(line, breakdown.currency, by_country, language)}")


def _line(line: Line, currency: str, by_country: bool, language: str) -> str:
    _ = translator(language)
    name = wording.fee_name(line.kind, line.name, language)
    if line.low is None or line.high is None:
        text = _("{fee}: depends on your country") if by_country else _("{fee}: the figure is not known")
        return text.format(fee=name)
    amount = wording.span(line.low, line.high, currency, language)
    worked = wording.formula(line, currency, language)
    is_plain = len(line.terms) == 1 and line.terms[0].percent is None and not line.shared_by
    if line.shared_by:
        worked = _("shared by {units} pieces").format(units=line.shared_by)
    return f"{name}: {amount}" if is_plain or not worked else f"{name}: {worked} = {amount}"


def _assumed(facts: Facts, draft: Draft, breakdown: Breakdown, language: str) -> str:
    """What the sum rests on, so that a wrong guess is seen and can be changed."""
    _ = translator(language)
    parts = [_("item {price}").format(price=wording.money(breakdown.price, breakdown.currency, language))]
    if breakdown.shipping:
        parts.append(
            _("shipping {price}").format(price=wording.money(breakdown.shipping, breakdown.currency, language))
        )
    else:
        parts.append(_("no shipping charged"))
    if draft.seller:
        parts.append(_("seller in {country}").format(country=country_name(draft.seller, language)))
    if breakdown.category_matters:
        parts.append(category_name(facts, draft.category, language) or _("goods of any other kind"))
    if breakdown.store.plans:
        plan = next((p for p in breakdown.store.plans if p.id == draft.plan), breakdown.store.plans[0])
        parts.append(_("plan {plan}").format(plan=plan.name))
    if breakdown.provider is not None:
        parts.append(_("payment through {service}").format(service=wording.service_name(breakdown.provider, language)))
    return _("Reckoned with: {assumptions}.").format(assumptions=wording.commas(parts, language))


def category_name(facts: Facts, id: str | None, language: str) -> str | None:
    """The name of a kind of goods; a store's own kind by its id."""
    if id is None:
        return None
    category = facts.category(id)
    return category.name[language] if category and language in category.name else id.replace("-", " ")


def _left_out(breakdown: Breakdown, language: str) -> str:
    """The costs that are not in the sum, with their figures."""
    _ = translator(language)
    parts = [_("your costs, postage and tax")]
    order = (Reason.GATEWAY, Reason.RECURRING, Reason.CONVERSION, Reason.SALES_TAX, Reason.PAYOUT, Reason.ONCE,
             Reason.OPTIONAL)  # fmt: skip
    found = sorted(breakdown.left_out, key=lambda cost: order.index(cost.reason))
    for cost in found[:MOST_LEFT_OUT]:
        parts.append(_cost(cost, language))
    return _("Not included: {costs}.").format(costs=wording.semicolons(parts, language))


def _cost(cost: LeftOut, language: str) -> str:
    _ = translator(language)
    if cost.reason is Reason.GATEWAY:
        return _("the payment service that your shop needs")
    if cost.reason is Reason.SALES_TAX:
        return _("the platform's percentage on the buyer's sales tax")
    assert cost.kind is not None and cost.per is not None, "a cost that stands for a fee has its kind"
    name = wording.fee_name(cost.kind, cost.name, language)
    shown = wording.charge(cost.charge, cost.currency, language) if cost.charge and cost.charge.is_known else ""
    period = "" if cost.per in (Per.ORDER, Per.ITEM) else " " + _(wording.PERIODS[cost.per])
    if cost.reason is Reason.CONVERSION:
        return _("{fee} {amount} if your money is changed").format(fee=name, amount=shown).replace("  ", " ")
    return f"{name} {shown}{period if shown else ''}".strip()


def _steps(draft: Draft, breakdown: Breakdown, _: Translate) -> tuple[Button, ...]:
    settled = draft.settled(asked=0)
    compare = settled.but(wish=Wish.COMPARE, target=None, plan=None)
    steps = [
        Button(_("Change something"), settled.but(awaiting=Field.ANY).code),
        Button(_("Compare platforms"), compare.code),
    ]
    if draft.seller is None:
        steps.insert(0, Button(_("Set my country"), settled.but(awaiting=Field.SELLER).code))
    paid = Draft(Wish.PAYOUT, target=breakdown.platform.id, seller=draft.seller)
    steps.append(Button(_("How do I get the money?"), paid.code))
    return fitting(steps)


def figures(breakdown: Breakdown) -> tuple[Figure, ...]:
    """The sums of a breakdown for machines: the net under a name that says how sure it is, the gross, each line."""
    return tuple(_figures(breakdown))


def _figures(breakdown: Breakdown) -> Iterable[Figure]:
    dates = [line.source.as_of for line in breakdown.lines if line.is_known]
    oldest = min(dates, key=lambda as_of: as_of.earliest or date.min, default=UNKNOWN_DATE)
    currency = breakdown.currency
    if breakdown.is_at_most:
        yield Figure("net_at_most", breakdown.net_high, currency, oldest)
    elif breakdown.is_exact:
        yield Figure("net", breakdown.net_low, currency, oldest)
    else:
        yield Figure("net_from", breakdown.net_low, currency, oldest)
        yield Figure("net_to", breakdown.net_high, currency, oldest)
    yield Figure("gross", breakdown.gross, currency, oldest)
    for line in breakdown.lines:
        yield Figure(line.id, line.low, currency, line.source.as_of)
        if line.high != line.low:
            yield Figure(f"{line.id}_to", line.high, currency, line.source.as_of)


def rates(
    facts: Facts,
    draft: Draft,
    platform: Platform,
    store: Store,
    documents: Iterable[Document],
    language: str,
    today: date,
) -> Reply:
    """What a store takes in general, for sellers in the draft's country; one of `documents` goes with it."""
    _ = translator(language)
    lines, left_out, used = [], [], []
    for fee in store.fees:
        if fee.per is Per.EVENT or (fee.sellers and draft.seller not in fee.sellers):
            continue
        shown = _general(facts, fee, draft, store, language)
        if shown is None:
            continue
        if fee.when in (When.OPTIONAL, When.CONVERSION):
            left_out.append(shown)
            continue
        lines.append(RichText.plain(f"• {shown}"))
        used.append(platform.source_of(fee.source, fee.as_of, fee.confidence))
    if not lines:
        lines.append(RichText.plain("• " + _("I know of no fee that it takes itself.")))
    title = _("{store}: what it takes").format(store=store.name)
    if draft.seller:
        where = _("seller in {country}").format(country=country_name(draft.seller, language))
        title = f"{title} ({where})"
    blocks = [RichText.bold(title), join(lines, "\n")]
    if left_out:
        blocks.append(
            RichText.plain(_("Only in some cases: {costs}.").format(costs=wording.semicolons(left_out[:3], language)))
        )
    sources = tuple({source.url: source for source in reversed(used)}.values())[::-1]
    blocks.append(join(wording.source_lines(sources, language, today, official=platform), "\n"))
    settled = draft.settled(asked=0, target=store.id)
    steps = [Button(_("Work it out for my price"), settled.but(wish=Wish.KEEP, awaiting=Field.PRICE).code)]
    if draft.seller is None and any(rate.sellers for fee in store.fees for rate in fee.rates):
        steps.append(Button(_("Set my country"), settled.but(awaiting=Field.SELLER).code))
    if len(platform.stores) > 1:
        steps.append(Button(_("Another store"), settled.but(awaiting=Field.STORE).code))
    steps += guides(documents, (Topic.FEES,), platform.id, draft.seller, language)
    return Reply(
        join(blocks),
        ReplyKind.ANSWER,
        "fees",
        language,
        citations=sources,
        confidence=1.0,
        buttons=tuple(steps),
        figures=tuple(_rate_figures(store, draft, platform)),
        draft=settled.code,
        subject=f"fees-{store.id}",
    )


def _general(facts: Facts, fee: Fee, draft: Draft, store: Store, language: str) -> str | None:
    """One fee without a sale: its charge for this seller and kind of goods, or the span over kinds."""
    _ = translator(language)
    name = wording.fee_name(fee.kind, fee.name, language)
    if fee.plans:
        plans = [plan.name for plan in store.plans if plan.id in fee.plans]
        plan = _("plan {plan}").format(plan=wording.listing(plans, language))
        name = f"{name} ({plan})"
    period = f" {_(wording.PERIODS[fee.per])}" if fee.per not in (Per.ORDER,) else ""
    fitting = [rate for rate in fee.charges if not rate.sellers or draft.seller in rate.sellers]
    if not fitting and fee.otherwise == "none":
        return None
    if not fitting or not any(rate.is_known for rate in fitting):
        by_country = draft.seller is None and any(rate.sellers for rate in fee.rates)
        text = _("{fee}: depends on your country") if by_country else _("{fee}: the figure is not known")
        return text.format(fee=name)
    of_kind = [rate for rate in fitting if draft.category in rate.category] or [r for r in fitting if not r.category]
    if draft.category and of_kind:
        return f"{name}: {wording.charge(of_kind[0], store.currency, language)}{period}"
    if len(fitting) == 1 or not any(rate.category for rate in fitting):
        return f"{name}: {wording.charge(fitting[0], store.currency, language)}{period}"
    if all(rate.category for rate in fitting) and fee.otherwise == "none":
        kinds = dict.fromkeys(category_name(facts, id, language) or id for rate in fitting for id in rate.category)
        shown = wording.charge(fitting[0], store.currency, language)
        return _("{fee}: {amount}, only for {goods}").format(
            fee=name, amount=shown, goods=wording.listing(kinds, language)
        )
    ends = [end for rate in fitting for end in _ends(rate.percent, rate.percent_max)]
    ends += [tier.percent for rate in fitting for tier in rate.tiers if tier.percent]
    usual = next((rate for rate in fitting if not rate.category and rate.is_known), None)
    if not ends and usual is not None:
        return f"{name}: {wording.charge(usual, store.currency, language)}{period}"
    if not ends:
        return _("{fee}: depends on the kind of goods").format(fee=name)
    span = wording.percent(min(ends), language, max(ends))
    return _("{fee}: {span} by kind of goods").format(fee=name, span=span) + period


def _ends(*values: Decimal | None) -> list[Decimal]:
    return [value for value in values if value is not None]


def _rate_figures(store: Store, draft: Draft, platform: Platform) -> Iterable[Figure]:
    for fee in store.fees:
        for rate in fee.charges:
            if rate.category and draft.category not in rate.category:
                continue
            if not rate.sellers or draft.seller in rate.sellers:
                as_of = rate.as_of or fee.as_of
                if rate.percent is not None:
                    yield Figure(f"{fee.id}_percent", rate.percent, None, as_of)
                if rate.fixed is not None:
                    yield Figure(fee.id, rate.fixed, rate.currency or store.currency, as_of)
                break


def kinds(store: Store, facts: Facts, language: str, most: int) -> list[tuple[str, str]]:
    """Ids and names of the kinds of goods that a store tells apart, in the order of the table of kinds."""
    told_apart = categories(store)
    known = [category.id for category in facts.categories if category.id in told_apart]
    return [(id, category_name(facts, id, language) or id) for id in known[:most]]
