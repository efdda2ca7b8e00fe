"""What the picture of a comparison shows."""

from __future__ import annotations

from dataclasses import dataclass

from babel import Locale

from bot.advice.figures import compare, wording
from bot.advice.figures.chart import Bar
from bot.advice.figures.desk import Desk
from bot.advice.figures.draft import Draft, Wish
from bot.translation import translator

MOST_BARS = 8


@dataclass(frozen=True)
class Picture:
    """The texts and bars of a chart."""

    title: str
    note: str
    bars: list[Bar]
    right_to_left: bool


def comparison(desk: Desk, code: str, language: str) -> Picture | None:
    """The comparison that `code` stands for, or None when it is gone or nothing can be compared."""
    _ = translator(language)
    draft = Draft.read(code, desk.facts)
    if draft is None or draft.wish is not Wish.COMPARE or None in (draft.price, draft.currency, draft.seller):
        return None
    found, _unknown = compare.places(desk.facts, draft, desk.today())
    if not found:
        return None
    sale, currency = draft.sale(), draft.currency or ""
    gross = sale.price + sale.shipping
    bars = []
    for place in sorted(found, key=lambda one: one.breakdown.platform.kind not in compare.MARKETPLACES)[:MOST_BARS]:
        low, high = place.net_low, place.net_high
        shown = wording.span(low, high, currency, language)
        if place.breakdown.is_at_most:
            shown = f"≤ {wording.money(high, currency, language)}"
            low = high * 0
        kept, at_most = (max(float(net / gross), 0.0) for net in (low, high))
        bars.append(Bar(place.breakdown.store.name, kept, at_most, shown))
    title = _("What you keep of {gross}").format(gross=wording.money(gross, currency, language))
    note = _("Green: kept. Orange: not sure. Mid rates of {date}.").format(
        date=wording.day(desk.facts.fx.as_of, language)
    )
    return Picture(title, note, bars, Locale(language).text_direction == "rtl")
