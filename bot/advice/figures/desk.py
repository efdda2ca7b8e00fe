"""The desk for figures: recognises what is asked, asks back for what is missing, and has the answer worked out.

All of it is decided by words and tables, without the encoder. What is not clearly a question about figures is
left to the search.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from rapidfuzz.distance import OSA

from bot.advice.amounts import SPELLED, Mention, is_shipping_free, mentions, names_money
from bot.advice.figures import compare, eligible, keep, paid, wording
from bot.advice.figures.cues import has
from bot.advice.figures.draft import Draft, Field, Wish, place
from bot.advice.figures.goods import Goods
from bot.advice.language import FUNCTION_WORDS
from bot.advice.reply import Button, Reply, ReplyKind, label
from bot.advice.richtext import RichText, join
from bot.advice.understand import Profile, Question, Turn
from bot.translation import country_name, translator
from knowledge.eligibility import Verdict, eligibility
from knowledge.facts import ExchangeRates, Facts, Store
from knowledge.gazetteer import Entities, Gazetteer
from knowledge.models import Document
from knowledge.money import NoRateError, currency_of, exchange, rounded
from knowledge.normalise import fold, words

MOST_QUESTIONS = 2
"""Asked back before the rest is assumed."""

LONGEST_QUESTION = 45
"""Words; who writes more tells a story, and the search reads it better."""

MOST_WORDS, FEW_MORE, SHORT = 22, 12, 9
"""Words of a question about eligibility, payouts or fees in general: a longer one holds more than that. In short
ones few words are left that could mean something else."""

STORE_WORD = 5
FEW_WORDS = 3
"""Content words of "hmm ok, and ebay?": so few go on with the question before."""

LONGEST_ANSWER = 6
"""Words of a reply to "what price?"; a longer one is a new question."""

USUAL_PRICES = {"USD": (10, 25, 50, 100)}
POPULAR = ("etsy", "amazon-us", "ebay-us", "shopify", "jumia", "alibaba", "daraz", "shopee", "mercadolibre", "facebook")
NEARBY = {
    "en": ("KE", "NG", "GH", "PK", "BD", "IN"),
    "fr": ("SN", "CI", "CM", "MA", "TN", "MG"),
    "es": ("MX", "CO", "PE", "EC", "GT", "BO"),
    "pt": ("BR", "MZ", "CV"),
    "ar": ("EG", "MA", "TN", "JO", "LB", "PS"),
    "sw": ("TZ", "KE", "UG", "RW"),
}
RESTRICTED = ("food", "health", "beauty", "baby", "digital", "services", "electronics", "phones")
"""Kinds of goods with rules of their own: a list of countries does not say whether they may be sold."""


@dataclass
class Desk:
    """Answers questions about figures out of the fact tables."""

    facts: Facts
    gazetteer: Gazetteer
    documents: Callable[[], Iterable[Document]]
    today: Callable[[], date]
    goods: Goods = field(init=False)

    def __post_init__(self) -> None:
        self.goods = Goods(self.facts)

    def warm(self) -> None:
        """Load what the first question would otherwise wait for: the names of currencies and goods."""
        mentions("1 USD", self.facts.fx)
        self.goods.find("-")

    def reply(self, question: Question, profile: Profile, earlier: Turn | None = None) -> Reply | None:
        """The answer to `question`, a question back, or None when it is not about figures."""
        draft = self._draft(question, profile, earlier)
        return self.answer(draft, question.language) if isinstance(draft, Draft) else draft

    def press(self, code: str, profile: Profile, language: str) -> Reply | None:
        """The answer to a button; None when it names something that is gone."""
        draft = Draft.read(code, self.facts)
        return None if draft is None else self.answer(_with_profile(draft, profile), language)

    def start(self, profile: Profile, language: str) -> Reply:
        """The guided way: /fees."""
        return self.answer(_with_profile(Draft(Wish.KEEP), profile), language)

    def answer(self, draft: Draft, language: str) -> Reply:
        """Answer `draft`, or ask for what it lacks."""
        if draft.awaiting is Field.ANY:
            return self._changes(draft, language)
        if draft.awaiting is not None:
            return self._ask(draft, draft.awaiting, language)
        missing = self._missing(draft)
        if missing is not None:
            return self._ask(draft.ask(missing), missing, language)
        return self._work_out(draft, language)

    # Understanding

    def _draft(self, question: Question, profile: Profile, earlier: Turn | None) -> Draft | Reply | None:
        folded = fold(question.original)
        if len(words(folded)) > LONGEST_QUESTION or question.was_long:
            return None
        before = Draft.read(earlier.draft, self.facts) if earlier and earlier.draft else None
        home = self._home(question, profile, before)
        sums = _prices_first(mentions(question.original, self.facts.fx, home, question.language))
        if before is not None and before.awaiting is not None:
            taken = self._taken(before, question, sums)
            if taken is not None:
                return taken
        wish = self._wish(folded, question, sums, profile)
        own = self.gazetteer.find(question.original, question.language)
        is_new = wish is not None and bool(own.platforms or own.payments or not question.is_follow_up)
        if before is not None and not is_new:
            changed = self._follow_up(before, question, sums)
            if changed is not None:
                return changed
        if wish is None:
            return None
        draft = self._filled(_with_profile(Draft(wish), profile), question, sums)
        if draft.category is None and profile.product:
            draft = draft.but(category=self.goods.find(profile.product, question.language))
        return self._checked(draft, sums, question.language)

    def _home(self, question: Question, profile: Profile, before: Draft | None) -> str | None:
        """The currency of the seller's country."""
        iso = next(iter(question.asked.countries), None) or (before.seller if before else None) or profile.country
        return currency_of(iso, self.facts)

    def _wish(self, folded: str, question: Question, sums: list[Mention], profile: Profile) -> Wish | None:
        """What kind of figure is asked for, if any. Trouble, tax and advertising have answers of their own."""
        if has("other-matters", folded) or has("other-matters", fold(question.text)):
            return None
        named, length = question.asked, len(words(folded))
        if self._asks_for_a_net(folded, question, sums):
            several = len(named.platforms) > 1 or (not named.platforms and has("comparing", folded))
            return Wish.COMPARE if several else Wish.KEEP
        if has("conditions", folded) or length > MOST_WORDS:
            return None
        where = named.platforms or named.payments or named.countries or (has("abroad", folded) and profile.country)
        if has("paid", folded) and where and not (named.platforms and sums):
            return Wish.PAYOUT
        if has("allowed", folded) and not sums and not has("how", folded):
            joins = has("joining", folded) or length <= SHORT
            if named.platforms and joins and not self._is_restricted(question, profile):
                return Wish.ELIGIBLE
            if named.payments and not named.platforms and (named.countries or profile.country):
                return Wish.PAYOUT
        if has("fee-words", folded) and len(named.platforms) == 1 and not sums and not named.payments:
            return Wish.RATES
        return None

    def _asks_for_a_net(self, folded: str, question: Question, sums: list[Mention]) -> bool:
        """True when the message speaks of a price and of what is left of it, or sells something somewhere."""
        named, length = question.asked, len(words(folded))
        is_sale = has("selling", folded) or self.goods.find(question.text, question.language) is not None
        if not any(s.is_priced and not (s.is_shipping or s.is_a_month) for s in sums):
            is_spelled = question.language not in SPELLED and names_money(question.original, self.facts.fx)
            speaks_of_price = has("a-lot", folded) or is_spelled
            return bool(speaks_of_price and is_sale and has("net", folded) and named.platforms)
        asks = has("net", folded) or has("how-much", folded)
        if has("paid", folded) and named.payments:
            return False
        if not named.platforms:
            return (has("net", folded) and has("selling", folded)) or (
                has("comparing", folded) and has("places", folded)
            )
        if is_sale:
            return asks or length <= FEW_MORE
        return (has("net", folded) and length <= MOST_WORDS) or (asks and length <= FEW_MORE)

    def _is_restricted(self, question: Question, profile: Profile) -> bool:
        """True when the goods have rules of their own, so that a list of countries does not say yes."""
        category = self.goods.find(question.text, question.language)
        platform = self.facts.platform(question.asked.platforms[0])
        if category not in RESTRICTED or platform is None:
            return False
        if platform.kind == "services" and category in ("services", "digital"):
            return False
        country = next(iter((*question.asked.origins, *question.asked.countries)), profile.country)
        return country is None or eligibility(platform, country).verdict is not Verdict.NO

    def _filled(self, draft: Draft, question: Question, sums: list[Mention]) -> Draft:
        """`draft` with all that the message says."""
        named = question.asked
        changes: dict[str, object] = {}
        if named.platforms and draft.wish is not Wish.COMPARE:
            changes["target"] = self._store_named(named.platforms[0], question.original) or named.platforms[0]
        if draft.wish is Wish.PAYOUT and named.payments and not named.platforms:
            changes["provider"] = named.payments[0]
        places = (*named.countries, *(iso for iso in named.markets if iso not in named.countries))
        seller = next(iter((*named.origins, *named.countries)), None)
        customers = draft.wish is Wish.PAYOUT and has("abroad", fold(question.original))
        if seller is None and draft.seller is None and draft.wish in (Wish.ELIGIBLE, Wish.PAYOUT) and not customers:
            seller = next((iso for iso in named.markets if iso != "EU"), None)
        if seller is not None:
            changes["seller"] = seller
        buyers = [iso for iso in places if iso != seller]
        if buyers:
            changes["buyer"] = buyers[0]
        category = self.goods.find(
            self.gazetteer.without(question.original, named, question.language), question.language
        )
        if category is not None:
            changes["category"] = category
        return draft.but(**changes, **_amounts(sums, self.facts.fx))

    def _store_named(self, platform_id: str, text: str) -> str | None:
        """The store of a platform whose own name stands in `text`: Amazon Handmade, Fiverr, Global Selling."""
        platform = self.facts.platform(platform_id)
        if platform is None or len(platform.stores) < 2:
            return None
        said = words(fold(text))
        for store in platform.stores:
            site = store.id.split("-")[-1]  # "jumia ci", "amazon uk"
            at = [n for n, word in enumerate(said) if word == site and site != platform_id]
            if any(n > 0 and platform_id in self.gazetteer.find(said[n - 1]).platforms for n in at):
                return store.id
        common = Counter(word for store in platform.stores for word in set(_name_words(store)))
        for store in platform.stores:
            own = [word for word in _name_words(store) if common[word] == 1]
            if any(_is_like(word, token) for word in own for token in said):
                return store.id
        return None

    def _checked(self, draft: Draft, sums: list[Mention], language: str) -> Draft | Reply:
        """Ask back where the message names a price that cannot be, or that can be read in two ways."""
        prices = [s for s in sums if s.is_priced and not (s.is_shipping or s.is_a_month)]
        if any(s.is_negative for s in sums):
            _ = translator(language)
            lead = _("A price has to be above zero.")
            return self._ask(draft.but(price=None).ask(Field.PRICE), Field.PRICE, language, lead)
        is_one_price = draft.wish in (Wish.KEEP, Wish.COMPARE)
        if is_one_price and prices and (prices[0].others or len(prices) > 1):
            return self._ask_which_price(draft, prices, language)
        if prices and len(prices[0].currencies) > 1:
            found = place(draft, self.facts)
            own = found[1].currency if found else None
            if own in prices[0].currencies:
                return draft.but(currency=own)
            return self._ask(draft.ask(Field.CURRENCY), Field.CURRENCY, language, options=prices[0].currencies)
        return draft

    def _ask_which_price(self, draft: Draft, prices: list[Mention], language: str) -> Reply:
        _ = translator(language)
        text = _("Which of these is the price of one piece?")
        buttons = []
        shared = next((s.currencies[0] for s in prices if s.currencies), draft.currency)
        for mention in prices:
            for amount in (mention.amount, *mention.others):
                currency = mention.currencies[0] if mention.currencies else shared
                shown = wording.money(amount, currency, language) if currency else str(amount)
                buttons.append(
                    Button(shown, draft.settled(price=amount, currency=currency, asked=draft.asked + 1).code)
                )
        return _asking(text, buttons[:4], draft.ask(Field.PRICE), language)

    def _taken(self, before: Draft, question: Question, sums: list[Mention]) -> Draft | Reply | None:
        """The draft with the message as the answer to what was asked; None when it is something else."""
        if len(question.text.split()) > LONGEST_ANSWER or "?" in question.text or "؟" in question.text:
            return None
        awaited, text = before.awaiting, question.text
        plain = [s for s in sums if not s.is_a_month]
        if awaited in (Field.PRICE, Field.SHIPPING, Field.CURRENCY) and (plain or awaited is Field.CURRENCY):
            if any(s.is_negative for s in plain) and not (awaited is Field.SHIPPING and plain[0].amount == 0):
                return self._checked(before, plain, question.language)
            if awaited is Field.CURRENCY:
                code = self._currency_named(text)
                return before.settled(currency=code) if code else None
            if awaited is Field.SHIPPING:
                return before.settled(shipping=plain[0].amount)
            price = plain[0]
            return self._checked(before.settled(**_amounts(plain[:1], self.facts.fx)), [price], question.language)
        if awaited is Field.PRICE and has("a-lot", fold(text)):
            return self._ask(before, Field.PRICE, question.language)
        if awaited in (Field.SELLER, Field.BUYER):
            iso = self.gazetteer.country(text)
            key = "seller" if awaited is Field.SELLER else "buyer"
            return before.settled(**{key: iso}) if iso else None
        if awaited is Field.PLATFORM and question.asked.platforms:
            return before.settled(target=question.asked.platforms[0])
        if awaited is Field.CATEGORY:
            category = self.goods.find(text, question.language)
            return before.settled(category=category) if category else None
        if awaited is Field.UNITS and sums and sums[0].amount == sums[0].amount.to_integral_value() > 0:
            return before.settled(units=min(int(sums[0].amount), 9999))
        return None

    def _currency_named(self, text: str) -> str | None:
        found = mentions(f"1 {text}", self.facts.fx)
        return found[0].currencies[0] if found and found[0].currencies else None

    def _follow_up(self, before: Draft, question: Question, sums: list[Mention]) -> Draft | Reply | None:
        """ "And for 60 dollars?", "and on eBay?", "and from Kenya?": the same question with something changed."""
        said = words(fold(question.original))
        # In a conversation about services "wise" is the service, also without a capital letter.
        own = self.gazetteer.find(question.original, question.language) or self.gazetteer.find(
            question.original.title(), question.language
        )
        content = [word for word in said if word not in FUNCTION_WORDS and len(word) > 1]
        only_a_sum = bool(sums) and not own.platforms and before.wish in (Wish.KEEP, Wish.COMPARE)
        if len(said) > LONGEST_ANSWER + 4 or not (question.is_follow_up or only_a_sum or len(content) <= FEW_WORDS):
            return None
        is_free = is_shipping_free(question.original)
        says = own or sums or is_free or self.goods.find(question.original, question.language)
        if not says or has("other-matters", fold(question.original)):
            return None
        if own.payments and not own.platforms:
            before = Draft(Wish.PAYOUT, seller=before.seller, price=before.price, currency=before.currency)
        changed = self._filled(before.settled(asked=0), _only(question, own), sums)
        if is_free:
            changed = changed.but(shipping=Decimal(0))
        if own.platforms and before.wish is Wish.COMPARE:
            changed = changed.but(wish=Wish.KEEP, target=own.platforms[0])
        if own.platforms and before.plan:
            changed = changed.but(plan=None)
        if not own.countries and own.markets and before.wish in (Wish.KEEP, Wish.COMPARE):
            changed = changed.but(seller=before.seller, buyer=own.markets[0])
        return self._checked(changed, sums, question.language)

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
            near = NEARBY.get(language, NEARBY["en"]) if is_seller else ("US", "GB", "DE", "FR", "CA", "AE")
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

    def _work_out(self, draft: Draft, language: str) -> Reply:
        today = self.today()
        if draft.wish is Wish.PAYOUT:
            return paid.answer(self.facts, draft, self.documents(), language, today)
        if draft.wish is Wish.COMPARE:
            return self._with_rates(draft, language, lambda: compare.answer(self.facts, draft, language, today))
        platform = self.facts.platform(draft.target or "")
        found = place(draft, self.facts)
        if platform is None and found is not None:
            platform = found[0]
        assert platform is not None, "a draft's target is a platform or a store"
        if draft.wish is Wish.ELIGIBLE:
            named = self.facts.store(draft.target or "")
            store = named[1] if named and named[1].sellers else None
            if store is None and platform.sellers is None and platform.stores and found is not None:
                store = found[1]
            return eligible.answer(self.facts, draft, platform, store, self.documents(), language, today)
        if platform.status == "closed" or found is None:
            return self._no_fees(draft, platform.name, platform.status == "closed", language)
        if draft.wish is Wish.RATES:
            return keep.rates(self.facts, draft, platform, found[1], self.documents(), language, today)
        settled = draft.but(currency=draft.currency or found[1].currency)

        def work() -> Reply:
            breakdown = keep.with_gateway(self.facts, *found, settled.sale(), today)
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
    fitting = tuple(button for button in buttons if len(button.action.encode()) <= 64)
    return Reply(
        RichText.plain(text), ReplyKind.ASK_BACK, "fees", language, buttons=fitting, confidence=1.0, draft=draft.code
    )


def _prices_first(sums: list[Mention]) -> list[Mention]:
    """Without bare numbers where a sum with a currency is named: they count something else."""
    if any(s.currencies and not s.is_shipping for s in sums):
        return [s for s in sums if s.currencies or s.is_shipping or s.is_a_month or s.others]
    return sums


def _name_words(store: Store) -> list[str]:
    """The words of a store's name and id that could tell it from its siblings; names of countries do so elsewhere."""
    spelled = " ".join((store.name, store.id.replace("-", " "), *store.aliases))
    return [word for word in words(fold(spelled)) if len(word) >= STORE_WORD]


def _is_like(name: str, word: str) -> bool:
    return name == word or (len(word) >= STORE_WORD and name.startswith(word[:4]) and OSA.distance(name, word) <= 1)


def _amounts(sums: list[Mention], rates: ExchangeRates) -> dict[str, object]:
    """Price, shipping and units out of the numbers of a message; shipping in the currency of the price."""
    changes: dict[str, object] = {}
    prices = [s for s in sums if not (s.is_shipping or s.is_a_month)]
    prices = [s for s in prices if s.is_priced] or prices[:1]
    if prices:
        # Among bare numbers a sum with a currency is the price.
        price = next((s for s in prices if s.currencies), prices[0])
        if not price.is_negative:
            changes["price"] = price.amount
        if price.currencies:
            changes["currency"] = price.currencies[0] if len(price.currencies) == 1 else None
    for mention in sums:
        if mention.is_shipping:
            changes["shipping"] = _in_currency(mention, changes.get("currency"), rates)
        if mention.is_a_month and mention.amount == mention.amount.to_integral_value() and mention.amount > 0:
            changes["units"] = min(int(mention.amount), 9999)
    return changes


def _in_currency(mention: Mention, currency: object, rates: ExchangeRates) -> Decimal:
    """The amount of `mention` in `currency`: a sale may name its price in dollars and its shipping in euros."""
    if not isinstance(currency, str) or not mention.currencies or currency in mention.currencies:
        return mention.amount
    try:
        return rounded(exchange(mention.amount, mention.currencies[0], currency, rates), currency)
    except NoRateError:
        return mention.amount


def _with_profile(draft: Draft, profile: Profile) -> Draft:
    return draft.but(seller=draft.seller or profile.country, buyer=draft.buyer or profile.market)


def _only(question: Question, entities: Entities) -> Question:
    """The question with only what its own words name."""
    return replace(question, asked=entities)


def _seller_matters(store: Store) -> bool:
    return store.processing == "gateway" or any(rate.sellers for fee in store.fees for rate in fee.rates)


def _category_is_needed(store: Store) -> bool:
    """True when the platform has no rate for "everything else", or the kinds differ much."""
    return any(any(rate.category for rate in fee.rates) for fee in store.fees)
