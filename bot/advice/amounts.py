"""Sums of money and counts in what people write: "40 dollars", "1.000,50 €", "40k naira", "KSh 5,000/=", "٤٠ دولار"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import get_currency_precision
from price_parser.parser import parse_number
from text_to_num import alpha2digit

from knowledge.facts import ExchangeRates
from knowledge.lexicon import folded, gathered, inside, whole
from knowledge.models import LANGUAGES
from knowledge.normalise import fold, visible, western_digits, words

SPELLED = ("en", "fr", "es", "pt")
"""Languages whose numbers in words are understood."""

AT_HOME = {"bn": "BDT", "hi": "INR", "id": "IDR", "vi": "VND"}
"""Where a sum in thousands or lakhs needs no currency, for there is but one: "250rb" is rupiah."""

MOST = Decimal(10) ** 9
"""Nobody sells one piece for more, in any currency that the tables hold."""

_UNITS = gathered("units")
"""Names that several currencies share; which one is meant depends on the country."""

_UNIT_NAMES = {"Riyal": ("Riyal", "Rial"), "Krona": ("Krona", "Krone", "Koruna"), "CFA": ("CFA Franc",)}
_USUAL = {"Dollar": "USD", "Pound": "GBP", "Krona": "SEK"}
"""What a shared name means when nothing speaks for another currency."""

_SEVERAL = {"kwacha": ("ZMW", "MWK"), "som": ("KGS", "UZS"), "¥": ("JPY", "CNY"), "manat": ("AZN", "TMT")}
_LETTERS = {"r": ("ZAR",), "p": ("PHP",), "q": ("GTQ",), "k": ("ZMW",)}
"""One letter before a sum: only at home, but for the rand."""
_EVERYDAY = frozenset(["all", "try", "top", "cup", "pen", "gel", "bam", "sos", "mop", "rub", "ang", "den", "par"])
"""Currency codes that are also words: they count only in capitals."""

_PESO_SIGN = frozenset(["MXN", "COP", "CLP", "ARS", "UYU", "DOP"])
"""Currencies that are written with a bare `$` at home."""

_MAGNITUDES = {word: factor for factor, words in gathered("magnitudes").items() for word in words}

_SHIPPING = re.compile(inside(folded("shipping")))
_FREE = re.compile(inside(folded("free")))
_WITHOUT = re.compile(inside(folded("without")))
_INCLUDED = re.compile(rf"\s?(?:is |est |esta )?{inside(folded('included'))}")
_JOINED = re.compile(rf"{whole(folded('and_with') - {'و'})}|(?:^|\s)و")
_PIECES = re.compile(rf"\s?{inside(folded('pieces'))}")
_MONTH = re.compile(inside(folded("month")))
_PER_MONTH = whole(folded("per_month"))
_A_MONTH = re.compile(
    rf"\W*(?:\w+\s){{0,2}}(?:(?:{whole(folded('every'))}\s?|ب)?(?:/\s?)?{whole(folded('month'))}|{_PER_MONTH})"
)
_MONTH_BEFORE = re.compile(rf"{_PER_MONTH}\W*(?:[^\W\d]+\s?){{0,2}}$")
_BEFORE_PRICE = re.compile(rf"(?:{whole(folded('before_price'))}\s?|@\s?|^)[-−]?$")
_AFTER_PRICE = re.compile(rf"\s*(?:$|[?!,;.؟।。，？])|\s?{whole(folded('after_price'))}")
_PRICED_BY = re.compile(rf"\s?{whole(folded('priced_by'))}")
_NUMBER = re.compile(r"(?<!\d)(?<!\d[.,])(?:\d{1,3}(?:[ '\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d(?:[\d.,]*\d)?)(?!\d)")
_SIGN_INSIDE = re.compile(r"(\d)\s?([€$£])(\d\d)\b")
_DONG = re.compile(r"(\d)\s?[đĐ](?!\w)")
_SPACED_CFA = re.compile(r"\b(?:f\.?\s?c\.?f\.?a\b\.?|(?:francs?|francos?|faranga)\s+(?:de\s+la\s+)?cfa\b)|فرنك\s+سيفا")
_SINCE = re.compile(rf"{whole(folded('since'))}\s$")
_PERCENT = re.compile(rf"\s?(?:%|{whole(folded('percent'))})")
_LEFT = re.compile(r"([^\s\d.,;:()\[\]\"?!،؛؟]+(?:\.[a-z]+)?[./$]?)\s?$")
_RIGHT = re.compile(
    r"^\s?([^\s\d;:()\[\]\"?!,،؛؟]+)(?:\s([^\s\d;:()\[\]\"?!,.،؛؟]+))?(?:\s([^\s\d;:()\[\]\"?!,.،؛؟]+))?"
)
_RANGE = re.compile(rf"\s?(?:-|–|~|{whole(folded('range'))})\s?")
_AFTER_NUMBER = re.compile(r"\s?(?:[\u3400-\u9fff]|(?:(?![\u3400-\u9fff])[^\W\d_]|[\u0900-\u0dff])+\.?)")
_CHINESE = re.compile(r"[\u3400-\u9fff]+")


@dataclass(frozen=True)
class Mention:
    """One number in a text. `currencies` are those it can mean (ISO 4217), likeliest first; none for a bare number.

    `others` are further readings of the digits ("12.500 dinar" is 12.5 or 12,500). `is_shipping`: it is what
    the buyer pays for delivery. `is_a_month`: it counts pieces a month. `is_priced`: it has a currency, or stands
    where a price does ("sell for 40 on ...").
    """

    amount: Decimal
    currencies: tuple[str, ...] = ()
    others: tuple[Decimal, ...] = ()
    is_negative: bool = False
    is_shipping: bool = False
    is_a_month: bool = False
    is_priced: bool = False


def mentions(text: str, rates: ExchangeRates, home: str | None = None, language: str = "en") -> list[Mention]:
    """The amounts in `text`, in order; percentages, years and numbers inside words are not among them.

    `home` is the currency of the seller's country: it decides what "pesos" or "francs" are. Numbers written out
    in words of `language` count too when the text has no digits.
    """
    is_spelled = language in SPELLED and not any(char.isdigit() for char in text)
    if is_spelled:
        text = alpha2digit(text, language)
    text = _DONG.sub(r"\1 VND", visible(text))  # folded it would be "3d"
    plain = fold(western_digits(text))
    plain = _SPACED_CFA.sub("fcfa", _SIGN_INSIDE.sub(r"\1.\3\2", plain))
    shown = western_digits(text)
    found: list[Mention] = []
    ends = 0
    for match in _NUMBER.finditer(plain):
        left, right = plain[: match.start()], plain[match.end() :]
        if _PERCENT.match(right):
            continue
        after, (magnitude, right) = right, _magnitude(right)
        if magnitude == 1 and re.match(r"[a-z]", right) and not _leading_currency(right, rates, home):
            continue  # "3d", "4k video", "2nd"
        amount = parse_number(match[0].replace("'", ""))
        if amount is None or (magnitude == 1 and not left.rstrip().endswith(("$", "€")) and _is_year(match[0], left)):
            continue
        amount *= magnitude
        if amount > MOST:
            continue
        before = _trailing_currency(left, rates, home)
        if re.search(r"[a-z]$", left) and not before:
            continue  # "MADE51"
        currencies = _leading_currency(right, rates, home) or before or _foreign_code(shown, match[0])
        if not currencies and magnitude > 1 and language in AT_HOME:
            currencies = (home or AT_HOME[language],)
        currencies = _in_capitals(shown, currencies)
        if (
            found
            and ends
            and _RANGE.fullmatch(plain[ends : match.start()])
            and found[-1].currencies in ((), currencies)
        ):
            first = found.pop()  # "40-50 dollars": both may be meant
            found.append(replace(first, currencies=currencies, others=(amount,), is_negative=False, is_priced=True))
            continue
        ends = match.end()
        found.append(
            Mention(
                amount,
                currencies,
                _other_readings(match[0], amount, currencies),
                is_negative=bool(re.search(r"(?:^|[\s$€£(])[-−]\s?[$€£]?$", left)) or amount <= 0,
                is_shipping=_is_shipping(left, right),
                is_a_month=not currencies and (_is_a_month(right) or bool(_MONTH_BEFORE.search(left))),
                is_priced=bool(currencies)
                or _stands_as_price(left, right)
                or bool(amount > 9 and _PRICED_BY.match(after)),
            )
        )
    return [mention for mention in found if mention.currencies] if is_spelled else found  # not "a three piece"


def _magnitude(right: str) -> tuple[int, str]:
    match = _AFTER_NUMBER.match(right)
    word = match[0].strip().rstrip(".") if match else ""
    if match and word in _MAGNITUDES and not (word in ("m", "k") and right.startswith(" ")):
        rest = right[match.end() :]
        return int(_MAGNITUDES[word]), re.sub(r"^\s(?:de|of|d'|ya|za)\s", " ", rest)
    return 1, right


def _is_year(digits: str, left: str) -> bool:
    return bool(re.fullmatch(r"20[0-4]\d", digits) and _SINCE.search(left))


def _other_readings(digits: str, amount: Decimal, currencies: tuple[str, ...]) -> tuple[Decimal, ...]:
    """In a currency of three decimals "12.500" may be twelve and a half."""
    if currencies and get_currency_precision(currencies[0]) == 3 and re.fullmatch(r"\d{1,3}[.,]\d{3}", digits):
        return (amount / 1000,)
    return ()


def _stands_as_price(left: str, right: str) -> bool:
    return bool(_BEFORE_PRICE.search(left) and _AFTER_PRICE.match(right))


def is_shipping_free(text: str) -> bool:
    """True when `text` says that the buyer pays nothing for delivery."""
    plain = fold(text)
    return bool(_SHIPPING.search(plain) and _FREE.search(plain))


def _is_a_month(right: str) -> bool:
    near = re.split(r"\d|[.;?!؟।。]", right, maxsplit=1)[0]
    return bool(_A_MONTH.match(right) or (_PIECES.match(right) and _MONTH.search(near)))


def names_money(text: str, rates: ExchangeRates) -> bool:
    """True when `text` names a currency, even without a number that can be read."""
    lexicon = _lexicon(tuple(sorted(rates.per_usd)))
    return any(len(word) > 3 and word in lexicon for word in words(fold(text)))


def _is_shipping(left: str, right: str) -> bool:
    near_right = " ".join(re.split(r"\d|[,;.?!؟]", right, maxsplit=1)[0].split()[:5])
    near_left = " ".join(re.split(r"\d|[,;.?!؟]\s", left)[-1].split()[-4:])
    after = _SHIPPING.search(near_right)
    if after:
        between = near_right[: after.start()]
        included = _INCLUDED.match(near_right[after.end() :])
        return not (included or _JOINED.search(between) or _WITHOUT.search(between))
    return bool(_SHIPPING.search(near_left)) and not _FREE.search(near_left)


def _leading_currency(right: str, rates: ExchangeRates, home: str | None) -> tuple[str, ...]:
    if chinese := _CHINESE.match(right.lstrip()):
        found = (_meaning(chinese[0][:length], rates, home) for length in range(min(len(chinese[0]), 5), 0, -1))
        return next(filter(None, found), ())
    match = _RIGHT.match(right)
    if match is None:
        return ()
    parts = [part for part in match.groups() if part]
    for length in range(len(parts), 0, -1):
        phrase = " ".join(parts[:length])
        codes = _meaning(phrase, rates, home) or _meaning(phrase.strip(".'’!"), rates, home)
        if codes:
            return codes
    return ()


def _trailing_currency(left: str, rates: ExchangeRates, home: str | None) -> tuple[str, ...]:
    if chinese := re.search(r"[\u3400-\u9fff]+$", left.rstrip()):
        found = (_meaning(chinese[0][-length:], rates, home) for length in range(min(len(chinese[0]), 5), 0, -1))
        return next(filter(None, found), ())
    match = _LEFT.search(re.sub(r"[-−]\s?$", "", left))
    if match is None:
        return ()
    return _meaning(match[1], rates, home) or _meaning(match[1].rstrip("./"), rates, home)


def _foreign_code(shown: str, digits: str) -> tuple[str, ...]:
    """The code of a currency that we have no rate for, written in capitals beside the number."""
    number = re.escape(digits)
    match = re.search(rf"{number}\s?([A-Z]{{3}})\b|\b([A-Z]{{3}})\s?{number}", shown)
    code = (match[1] or match[2]) if match else ""
    return (code,) if code in Locale("en").currencies else ()


def _in_capitals(shown: str, currencies: tuple[str, ...]) -> tuple[str, ...]:
    """Drop a code that is also a word unless it was written in capitals."""
    code = currencies[0] if len(currencies) == 1 else ""
    is_word = code.casefold() in _EVERYDAY and re.search(rf"\b{code}\b", shown, re.IGNORECASE)
    if is_word and code not in shown:
        return ()
    return currencies


def _meaning(word: str, rates: ExchangeRates, home: str | None) -> tuple[str, ...]:
    """The currencies that `word` can mean, likeliest first."""
    if word == "$":
        return (home, "USD") if home in _PESO_SIGN and home else ("USD",)
    if word == "bob":
        return ("KES",) if home != "BOB" else ("BOB",)
    if word in _LETTERS:
        return _LETTERS[word] if home in _LETTERS[word] or word == "r" else ()
    codes = _lexicon(tuple(sorted(rates.per_usd))).get(word, ())
    if len(codes) <= 1:
        return codes
    unit = next((unit for unit, names in _UNITS.items() if word in names), None)
    usual = _USUAL.get(unit or "")
    if unit == "Dollar":
        return ("USD",)
    if home in codes:
        is_foreign_word = usual is not None and usual != home and word.isascii()
        return (str(home), str(usual)) if is_foreign_word else (str(home),)
    return (usual,) if usual else codes


@lru_cache(maxsize=2)
def _lexicon(codes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Folded names of currencies in all languages, with the codes they stand for."""
    words: dict[str, tuple[str, ...]] = {}
    english = Locale("en").currencies
    for unit, names in _UNITS.items():
        heads = _UNIT_NAMES.get(unit, (unit,))
        meant = tuple(code for code in codes if str(english.get(code, "")).endswith(heads))
        words |= dict.fromkeys(names, meant)
    for language in LANGUAGES:
        for code, name in _names(language, codes):
            words.setdefault(fold(name), (code,))
    for code, names in gathered("currencies").items():
        words |= dict.fromkeys(names, (code,))
    words |= {fold(word): meant for word, meant in _SEVERAL.items()}
    words |= {code.casefold(): (code,) for code in codes}
    return words


def _names(language: str, codes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    locale = Locale(language)
    plurals = locale._data.get("currency_names_plural", {})  # Babel has no public list of plural names
    for code in codes:
        if code in locale.currencies:
            yield code, locale.currencies[code]
        for name in (plurals.get(code) or {}).values():
            yield code, name
