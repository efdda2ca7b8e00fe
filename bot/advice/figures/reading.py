"""From a message to a draft: which figure is asked for, and what the message says about the sale.

All of it is decided by words and tables, without the encoder. What is not clearly a question about figures is
left to the search.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal

from rapidfuzz.distance import OSA

from bot.advice.amounts import Mention, is_shipping_free, mentions, names_money
from bot.advice.cues import cues_of, has
from bot.advice.figures.draft import Draft, Field, Wish, place
from bot.advice.figures.goods import Goods
from bot.advice.understand import Profile, Question, Turn, content_words
from knowledge.eligibility import Verdict, eligibility
from knowledge.facts import ExchangeRates, Facts, Store
from knowledge.gazetteer import Entities, Gazetteer
from knowledge.money import Money, NoRateError, currency_of, exchange, rounded
from knowledge.normalise import QUESTION_MARKS, fold, length_in_words, words

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

RESTRICTED = ("food", "health", "beauty", "baby", "digital", "services", "electronics", "phones")
"""Kinds of goods with rules of their own: a list of countries does not say whether they may be sold."""


@dataclass(frozen=True)
class Unclear:
    """A message that has to be asked back about. `draft` waits for the field in question.

    `prices` are the readings of the price to choose from (their currency is empty where none was named),
    `currencies` those of the price's currency. `is_impossible`: the price cannot be one.
    """

    draft: Draft
    prices: tuple[Money, ...] = ()
    currencies: tuple[str, ...] = ()
    is_impossible: bool = False


@dataclass
class Reader:
    """Reads messages against the fact tables."""

    facts: Facts
    gazetteer: Gazetteer
    goods: Goods = field(init=False)

    def __post_init__(self) -> None:
        self.goods = Goods(self.facts)

    def warm(self) -> None:
        """Load what the first question would otherwise wait for: the names of currencies and goods."""
        mentions("1 USD", self.facts.fx)
        self.goods.find("-")

    def read(self, question: Question, profile: Profile, earlier: Turn | None) -> Draft | Unclear | None:
        """The draft that `question` makes or changes; None when it is not about figures."""
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
        draft = self._filled(with_profile(Draft(wish), profile), question, sums)
        if draft.category is None and profile.product:
            draft = draft.but(category=self.goods.find(profile.product, question.language))
        return self._checked(draft, sums)

    def _home(self, question: Question, profile: Profile, before: Draft | None) -> str | None:
        """The currency of the seller's country."""
        said = next(iter((*question.asked.origins, *question.asked.countries)), None)
        iso = said or (before.seller if before else None) or profile.country
        return currency_of(iso, self.facts)

    def _wish(self, folded: str, question: Question, sums: list[Mention], profile: Profile) -> Wish | None:
        """What kind of figure is asked for, if any. Trouble, tax and advertising have answers of their own."""
        shows, named, length = cues_of(folded, question.language), question.asked, length_in_words(folded)
        if shows("other-matters") or has("other-matters", fold(question.text), question.language):
            return None
        if self._asks_for_a_net(folded, question, sums):
            several = len(named.platforms) > 1 or (not named.platforms and shows("comparing"))
            return Wish.COMPARE if several else Wish.KEEP
        if shows("conditions") or length > MOST_WORDS:
            return None
        where = named.platforms or named.payments or named.countries or (shows("abroad") and profile.country)
        if shows("paid") and where and not (named.platforms and sums):
            return Wish.PAYOUT
        if shows("allowed") and not (sums or shows("how") or shows("fee-words")):
            joins = shows("joining") or length <= SHORT
            if named.platforms and joins and not self._is_restricted(question, profile):
                return Wish.ELIGIBLE
            if named.payments and not named.platforms and (named.countries or profile.country):
                return Wish.PAYOUT
        if shows("fee-words") and len(named.platforms) == 1 and not sums and not named.payments:
            return Wish.RATES
        return None

    def _asks_for_a_net(self, folded: str, question: Question, sums: list[Mention]) -> bool:
        """True when the message speaks of a price and of what is left of it, or sells something somewhere."""
        shows, named, length = cues_of(folded, question.language), question.asked, length_in_words(folded)
        is_sale = shows("selling") or self.goods.find(question.text, question.language) is not None
        if not any(s.is_priced and not (s.is_shipping or s.is_a_month) for s in sums):
            is_spelled = not shows("comparing") and names_money(question.original, self.facts.fx)
            speaks_of_price = shows("a-lot") or is_spelled or (shows("left") and shows("how-much"))
            asks = speaks_of_price and shows("net") and not shows("fee-words")
            return bool(asks and is_sale and named.platforms)
        asks = shows("net") or shows("how-much")
        if shows("paid") and named.payments:
            return False
        if not named.platforms:
            return (shows("net") and shows("selling")) or (shows("comparing") and shows("places"))
        if is_sale:
            return asks or length <= FEW_MORE
        return (shows("net") and length <= MOST_WORDS) or (asks and length <= FEW_MORE)

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
        customers = draft.wish is Wish.PAYOUT and has("abroad", fold(question.original), question.language)
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

    def _checked(self, draft: Draft, sums: list[Mention]) -> Draft | Unclear:
        """Ask back where the message names a price that cannot be, or that can be read in two ways."""
        prices = [s for s in sums if s.is_priced and not (s.is_shipping or s.is_a_month)]
        if any(s.is_negative for s in sums):
            return Unclear(draft.but(price=None).ask(Field.PRICE), is_impossible=True)
        is_one_price = draft.wish in (Wish.KEEP, Wish.COMPARE)
        if is_one_price and prices and (prices[0].others or len(prices) > 1):
            return Unclear(draft.ask(Field.PRICE), prices=_readings(prices, draft.currency))
        if prices and len(prices[0].currencies) > 1:
            found = place(draft, self.facts)
            own = found[1].currency if found else None
            if own in prices[0].currencies:
                return draft.but(currency=own)
            return Unclear(draft.ask(Field.CURRENCY), currencies=prices[0].currencies)
        return draft

    def _taken(self, before: Draft, question: Question, sums: list[Mention]) -> Draft | Unclear | None:
        """The draft with the message as the answer to what was asked; None when it is something else."""
        is_long = length_in_words(fold(question.text)) > LONGEST_ANSWER
        if is_long or any(mark in question.text for mark in QUESTION_MARKS):
            return None
        awaited, text = before.awaiting, question.text
        plain = [s for s in sums if not s.is_a_month]
        if awaited in (Field.PRICE, Field.SHIPPING, Field.CURRENCY) and (plain or awaited is Field.CURRENCY):
            if any(s.is_negative for s in plain) and not (awaited is Field.SHIPPING and plain[0].amount == 0):
                return self._checked(before, plain)
            if awaited is Field.CURRENCY:
                code = self._currency_named(text)
                return before.settled(currency=code) if code else None
            if awaited is Field.SHIPPING:
                return before.settled(shipping=plain[0].amount)
            price = plain[0]
            return self._checked(before.settled(**_amounts(plain[:1], self.facts.fx, bare=True)), [price])
        if awaited is Field.PRICE and has("a-lot", fold(text), question.language):
            return Unclear(before)
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

    def _follow_up(self, before: Draft, question: Question, sums: list[Mention]) -> Draft | Unclear | None:
        """ "And for 60 dollars?", "and on eBay?", "and from Kenya?": the same question with something changed."""
        length = length_in_words(fold(question.original))
        # In a conversation about services "wise" is the service, also without a capital letter.
        own = self.gazetteer.find(question.original, question.language) or self.gazetteer.find(
            question.original.title(), question.language
        )
        content = [word for word in content_words(question.original) if len(word) > 1 or not word.isascii()]
        only_a_sum = bool(sums) and not own.platforms and before.wish in (Wish.KEEP, Wish.COMPARE)
        if length > LONGEST_ANSWER + 4 or not (question.is_follow_up or only_a_sum or len(content) <= FEW_WORDS):
            return None
        is_free = is_shipping_free(question.original)
        says = own or sums or is_free or self.goods.find(question.original, question.language)
        if not says or has("other-matters", fold(question.original), question.language):
            return None
        if own.payments and not own.platforms:
            before = Draft(Wish.PAYOUT, seller=before.seller, price=before.price, currency=before.currency)
        changed = self._filled(before.settled(asked=0), _only(question, own), sums)
        if only_a_sum:
            changed = changed.but(**_amounts(sums, self.facts.fx, bare=True))
        if is_free:
            changed = changed.but(shipping=Decimal(0))
        if own.platforms and before.wish is Wish.COMPARE:
            changed = changed.but(wish=Wish.KEEP, target=own.platforms[0])
        if own.platforms and before.plan:
            changed = changed.but(plan=None)
        if not own.countries and own.markets and before.wish in (Wish.KEEP, Wish.COMPARE):
            changed = changed.but(seller=before.seller, buyer=own.markets[0])
        return self._checked(changed, sums)


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


def _readings(prices: list[Mention], currency: str | None) -> tuple[Money, ...]:
    """All sums that the price can be."""
    shared = next((each.currencies[0] for each in prices if each.currencies), currency) or ""
    return tuple(
        Money(amount, each.currencies[0] if each.currencies else shared)
        for each in prices
        for amount in (each.amount, *each.others)
    )


def _amounts(sums: list[Mention], rates: ExchangeRates, *, bare: bool = False) -> dict[str, object]:
    """Price, shipping and units out of the numbers of a message; shipping in the currency of the price.

    With `bare` a number without a currency is a price too, as in an answer to "what price?".
    """
    changes: dict[str, object] = {}
    prices = [s for s in sums if (s.is_priced or bare) and not (s.is_shipping or s.is_a_month)]
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


def with_profile(draft: Draft, profile: Profile) -> Draft:
    """`draft` with the person's country and market where it names none."""
    return draft.but(seller=draft.seller or profile.country, buyer=draft.buyer or profile.market)


def _only(question: Question, entities: Entities) -> Question:
    """The question with only what its own words name."""
    return replace(question, asked=entities)
