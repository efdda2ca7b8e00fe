"""The desk for figures: has a message read, asks back for what is missing, and has the answer worked out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from bot.advice.figures import compare, eligible, keep, paid, wording
from bot.advice.figures.draft import Draft, Field, Wish, fitting, place
from bot.advice.figures.reading import Reader, Unclear, with_profile
from bot.advice.reply import Button, Reply, ReplyKind, label
from bot.advice.richtext import RichText, join
from bot.advice.understand import Profile, Question, Turn
from bot.translation import country_name, translator
from knowledge.facts import Facts, Store
from knowledge.fees import TooSmallError
from knowledge.gazetteer import Gazetteer
from knowledge.models import Document
from knowledge.money import NoRateError, currency_of
from knowledge.payouts import with_gateway

MOST_QUESTIONS = 2
"""Asked back before the rest is assumed."""

MOST_READINGS = 4
USUAL_PRICES = {"USD": (10, 25, 50, 100)}
POPULAR = ("etsy", "amazon-us", "ebay-us", "shopify", "jumia", "alibaba", "daraz", "shopee", "mercadolibre", "facebook")
NEARBY = {
    "en": ("KE", "NG", "GH", "PK", "BD", "IN"),
    "fr": ("SN", "CI", "CM", "MA", "TN", "MG"),
    "es": ("MX", "CO", "PE", "EC", "GT", "BO"),
    "pt": ("BR", "MZ", "CV"),
    "ar": ("EG", "MA", "TN", "JO", "LB", "PS"),
    "sw": ("TZ", "KE", "UG", "RW"),
    "hi": ("IN", "NP", "AE"),
    "bn": ("BD", "IN"),
    "id": ("ID", "MY", "SG"),
    "vi": ("VN", "KH", "LA"),
    "ru": ("KZ", "UZ", "KG", "TJ", "GE", "AM"),
    "zh": ("CN", "MY", "SG", "TH"),
}


@dataclass
class Desk:
    """Answers questions about figures out of the fact tables."""

    facts: Facts
    gazetteer: Gazetteer
    documents: Callable[[], Iterable[Document]]
    today: Callable[[], date]
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = Reader(self.facts, self.gazetteer)

    def reply(self, question: Question, profile: Profile, earlier: Turn | None = None) -> Reply | None:
        """The answer to `question`, a question back, or None when it is not about figures."""
        read = self.reader.read(question, profile, earlier)
        if isinstance(read, Unclear):
            return self._clarify(read, question.language)
        return self.answer(read, question.language, question.asked.platforms) if read is not None else None

    def press(self, code: str, profile: Profile, language: str) -> Reply | None:
        """The answer to a button; None when it names something that is gone."""
        draft = Draft.read(code, self.facts)
        return None if draft is None else self.answer(with_profile(draft, profile), language)

    def start(self, profile: Profile, language: str) -> Reply:
        """The guided way: /fees."""
        return self.answer(with_profile(Draft(Wish.KEEP), profile), language)

    def answer(self, draft: Draft, language: str, named: Sequence[str] = ()) -> Reply:
        """Answer `draft`, or ask for what it lacks; `named` are the ids of the platforms in the question."""
        if draft.awaiting is Field.ANY:
            return self._changes(draft, language)
        if draft.awaiting is not None:
            return self._ask(draft, draft.awaiting, language)
        missing = self._missing(draft)
        if missing is not None:
            return self._ask(draft.ask(missing), missing, language)
        return self._work_out(draft, language, named)

    # Asking back

    def _missing(self, draft: Draft) -> Field | None:
        """The next thing to ask for. What is needed is always asked, the rest only while few questions were."""
        if draft.wish in (Wish.ELIGIBLE, Wish.PAYOUT):
            return Field.SELLER if draft.seller is None else None
        if draft.wish is Wish.RATES:
            return Field.PLATFORM if draft.target is None else None
        if draft.wish is Wish.KEEP and draft.target is None:
            return Field.PLATFORM
        found = place(draft, self.facts) if draft.wish is Wish.KEEP else None
        if draft.wish is Wish.KEEP and found is None:
            return None
        if draft.price is None:
            return Field.PRICE
        if draft.currency is None and not (found and found[1].currency):
            return Field.CURRENCY
        if draft.wish is Wish.COMPARE:
            return Field.SELLER if draft.seller is None else None
        assert found is not None, "a sale that is worked out has its store"
        if draft.asked < MOST_QUESTIONS and draft.seller is None and _seller_matters(found[1]):
            return Field.SELLER
        if draft.asked < MOST_QUESTIONS and draft.category is None and _category_is_needed(found[1]):
            return Field.CATEGORY
        return None

    def _clarify(self, unclear: Unclear, language: str) -> Reply:
        """Ask back about a message that can be read in several ways, or in none."""
        _ = translator(language)
        draft = unclear.draft
        if unclear.prices:
            buttons = [
                Button(
                    wording.money(price.amount, price.currency, language) if price.currency else str(price.amount),
                    draft.settled(price=price.amount, currency=price.currency or None).code,
                )
                for price in unclear.prices[:MOST_READINGS]
            ]
            return _asking(_("Which of these is the price of one piece?"), buttons, draft, language)
        lead = _("A price has to be above zero.") if unclear.is_impossible else ""
        return self._ask(draft, draft.awaiting or Field.PRICE, language, lead, unclear.currencies)

    def _ask(self, draft: Draft, wanted: Field, language: str, lead: str = "", options: Sequence[str] = ()) -> Reply:
        """Ask for `wanted`, with buttons; `options` are the currencies that a price can be in."""
        _ = translator(language)
        draft = draft.but(awaiting=wanted)
        answered = draft.settled
        if wanted is Field.PLATFORM:
            text = _("Which platform? Tap or type its name.")
            buttons = [
                Button(self._store_name(id), answered(target=id).code)
                for id in POPULAR
                if self.facts.store(id) or ((p := self.facts.platform(id)) and p.stores)
            ][:6]
            if draft.wish is Wish.KEEP:
                compare_all = answered(wish=Wish.COMPARE)
                buttons.append(Button(_("All that are open to me"), compare_all.code))
        elif wanted is Field.PRICE:
            text, buttons = _("What is the price of one piece? Type it with its currency, for example 40 USD."), []
            currency = draft.currency or self._default_currency(draft)
            buttons = [
                Button(
                    wording.money(Decimal(p), currency, language), answered(price=Decimal(p), currency=currency).code
                )
                for p in USUAL_PRICES.get(currency, ())
            ]
        elif wanted is Field.CURRENCY:
            text = _("In which currency is that price?")
            buttons = [
                Button(code, answered(currency=code).code) for code in options[:8] or self._likely_currencies(draft)
            ]
        elif wanted in (Field.SELLER, Field.BUYER):
            is_seller = wanted is Field.SELLER
            text = _("Which country do you sell from?") if is_seller else _("Which country is the buyer in?")
            key = "seller" if is_seller else "buyer"
            near = NEARBY[language] if is_seller else ("US", "GB", "DE", "FR", "CA", "AE")
            buttons = [Button(country_name(iso, language), answered(**{key: iso}).code) for iso in near]
        elif wanted is Field.CATEGORY:
            text = _("What kind of goods is it? The fee depends on that.")
            found = place(draft, self.facts)
            known = keep.kinds(found[1], self.facts, language, 11) if found else []
            buttons = [Button(name, answered(category=id, asked=9).code) for id, name in known]
            buttons.append(Button(_("Something else"), answered(category=None, asked=9).code))
        elif wanted is Field.SHIPPING:
            text, buttons = _("How much does the buyer pay for shipping? Type a number, 0 for none."), []
        elif wanted is Field.UNITS:
            text = _("How many pieces do you sell a month? Monthly fees are then shared out.")
            buttons = [Button(str(n), answered(units=n).code) for n in (5, 20, 50, 100)]
        elif wanted is Field.PLAN:
            found = place(draft, self.facts)
            text = _("Which plan?")
            buttons = [Button(p.name, answered(plan=p.id).code) for p in (found[1].plans if found else ())]
        else:
            text = _("Which store?")
            buttons = self._stores(draft)
        return _asking(join((RichText.plain(lead), RichText.plain(text)), "\n").text, buttons, draft, language)

    def _stores(self, draft: Draft) -> list[Button]:
        found = place(draft, self.facts)
        stores: tuple[Store, ...] = found[0].stores if found else ()
        return [Button(label(store.name), draft.settled(target=store.id, plan=None).code) for store in stores][:11]

    def _changes(self, draft: Draft, language: str) -> Reply:
        """What can be changed about a sale."""
        _ = translator(language)
        found = place(draft, self.facts) if draft.wish is Wish.KEEP else None
        names: list[tuple[str, Field]] = [(_("Price"), Field.PRICE), (_("Shipping"), Field.SHIPPING)]
        names += [(_("My country"), Field.SELLER), (_("Buyer's country"), Field.BUYER)]
        names.append((_("Kind of goods"), Field.CATEGORY))
        if found and len(found[0].stores) > 1:
            names.append((_("Store"), Field.STORE))
        if found and found[1].plans:
            names.append((_("Plan"), Field.PLAN))
        if draft.wish is Wish.KEEP:
            names += [(_("Pieces a month"), Field.UNITS), (_("Platform"), Field.PLATFORM)]
        buttons = [Button(name, draft.but(awaiting=field).code) for name, field in names]
        return _asking(_("What shall I change?"), buttons, draft, language)

    def _default_currency(self, draft: Draft) -> str:
        found = place(draft, self.facts)
        return (found[1].currency if found else None) or "USD"

    def _likely_currencies(self, draft: Draft) -> list[str]:
        own = currency_of(draft.seller, self.facts)
        return list(dict.fromkeys((*([own] if own else []), "USD", "EUR", "GBP")))

    def _store_name(self, id: str) -> str:
        store, platform = self.facts.store(id), self.facts.platform(id)
        return store[1].name if store else platform.name if platform else id

    # Working out

    def _work_out(self, draft: Draft, language: str, named: Sequence[str]) -> Reply:
        today = self.today()
        if draft.wish is Wish.PAYOUT:
            return paid.answer(self.facts, draft, self.documents(), language, today)
        if draft.wish is Wish.COMPARE:
            return self._with_rates(draft, language, lambda: compare.answer(self.facts, draft, language, today, named))
        platform = self.facts.platform(draft.target or "")
        found = place(draft, self.facts)
        if platform is None and found is not None:
            platform = found[0]
        assert platform is not None, "a draft's target is a platform or a store"
        if draft.wish is Wish.ELIGIBLE:
            meant = self.facts.store(draft.target or "")
            store = meant[1] if meant and meant[1].sellers else None
            if store is None and platform.sellers is None and platform.stores and found is not None:
                store = found[1]
            return eligible.answer(self.facts, draft, platform, store, self.documents(), language, today)
        if platform.status == "closed" or found is None:
            return self._no_fees(draft, platform.name, platform.status == "closed", language)
        if draft.wish is Wish.RATES:
            return keep.rates(self.facts, draft, platform, found[1], self.documents(), language, today)
        settled = draft.but(currency=draft.currency or found[1].currency)

        def work() -> Reply:
            breakdown = with_gateway(self.facts, *found, settled.sale(), today)
            if not any(line.is_known for line in breakdown.lines):
                return replace(self._no_fees(draft, found[1].name, False, language), figures=keep.figures(breakdown))
            return keep.answer(self.facts, settled, breakdown, language, today)

        return self._with_rates(settled, language, work)

    def _with_rates(self, draft: Draft, language: str, work: Callable[[], Reply]) -> Reply:
        try:
            return work()
        except NoRateError as error:
            _ = translator(language)
            lead = _("I have no exchange rate for {currency}.").format(currency=error)
            return self._ask(draft.but(price=None, currency=None).ask(Field.PRICE), Field.PRICE, language, lead)
        except TooSmallError:
            return self._clarify(Unclear(draft.but(price=None).ask(Field.PRICE), is_impossible=True), language)

    def _no_fees(self, draft: Draft, name: str, is_closed: bool, language: str) -> Reply:
        _ = translator(language)
        text = _("{platform} has closed: nothing can be sold there any more.") if is_closed else _(
            "I have no fees for {platform}, and I do not want to guess."
        )  # fmt: skip
        compared = draft.settled(wish=Wish.COMPARE, target=None, plan=None, asked=0)
        return Reply(
            RichText.plain(text.format(platform=name)),
            ReplyKind.DECLINE,
            "fees",
            language,
            buttons=(Button(_("Compare platforms"), compared.code),),
            draft=draft.settled().code,
        )


def _asking(text: str, buttons: list[Button], draft: Draft, language: str) -> Reply:
    return Reply(
        RichText.plain(text),
        ReplyKind.ASK_BACK,
        "fees",
        language,
        buttons=fitting(buttons),
        confidence=1.0,
        draft=draft.code,
    )


def _seller_matters(store: Store) -> bool:
    return store.processing == "gateway" or any(rate.sellers for fee in store.fees for rate in fee.rates)


def _category_is_needed(store: Store) -> bool:
    """True when the platform has no rate for "everything else", or the kinds differ much."""
    return any(any(rate.category for rate in fee.rates) for fee in store.fees)
