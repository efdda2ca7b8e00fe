"""Sums of money and counts in what people write: "40 dollars", "1.000,50 €", "40k naira", "KSh 5,000/=", "٤٠ دولار"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import get_currency_precision
from price_parser.parser import parse_number
from text_to_num import alpha2digit

from knowledge.facts import ExchangeRates
from knowledge.models import LANGUAGES
from knowledge.normalise import fold, visible, words

SPELLED = ("en", "fr", "es", "pt")
"""Languages whose numbers in words are understood."""

MOST = Decimal(10) ** 9
"""Nobody sells one piece for more, in any currency that the tables hold."""

_UNITS = {
    "Dollar": "dollar dollars buck bucks dolar dolares dola دولار دولارات دولارا",
    "Peso": "peso pesos بيزو",
    "Franc": "franc francs franco francos faranga فرنك",
    "CFA": "cfa fcfa f.cfa franccfa سيفا",
    "Dinar": "dinar dinars dinares دينار دنانير",
    "Dirham": "dirham dirhams dh dhs dhm درهم دراهم",
    "Rupee": "rupee rupees rs rs. re roupie roupies rupia rupias روبيه rupaye ₨",
    "Riyal": "riyal riyals rial rials riales ريال ريالات",
    "Shilling": "shilling shillings shilingi shilings sh chelin chelines xelim xelins شلن /= /-",
    "Pound": "pound pounds quid livre livres libra libras pauni جنيه جنيهات",
    "Lira": "lira liras lire ليره ليرات",
    "Krona": "krona kronor krone kroner couronne couronnes corona coronas",
}
"""Names that several currencies share; which one is meant depends on the country."""

_UNIT_NAMES = {"Riyal": ("Riyal", "Rial"), "Krona": ("Krona", "Krone", "Koruna"), "CFA": ("CFA Franc",)}
_USUAL = {"Dollar": "USD", "Pound": "GBP", "Krona": "SEK"}
"""What a shared name means when nothing speaks for another currency."""

_OWN_WORDS = {
    "EUR": "euro euros يورو اورو yuro €",
    "USD": "us$ usd$ u$s u$d dlls dls usdollars",
    "GBP": "£ sterling باوند",
    "NGN": "naira nairas ₦ نايرا",
    "GHS": "cedi cedis ₵ gh₵ gh¢ سيدي",
    "KES": "ksh kshs ksh. kes/= bob",
    "TZS": "tsh tshs tzs/=",
    "UGX": "ush ushs ugx/=",
    "ETB": "birr بر",
    "BDT": "taka takas tk ৳ تاكا",
    "INR": "₹ inr/-",
    "VND": "dong dongs ₫ vnđ",
    "THB": "baht bahts ฿",
    "MYR": "ringgit rm",
    "IDR": "rupiah rupiahs rp rp.",
    "PHP": "₱ php.",
    "ZAR": "rand rands راند",
    "ZMW": "zmk",
    "BWP": "pula",
    "PEN": "soles s/ s/.",
    "GTQ": "quetzal quetzales",
    "HNL": "lempira lempiras",
    "PYG": "guarani guaranies ₲",
    "BRL": "reais r$ real",
    "BOB": "bolivianos boliviano bs",
    "KZT": "tenge ₸",
    "UZS": "soum sums",
    "GEL": "lari ₾",
    "AMD": "dram drams ֏",
    "LAK": "kip",
    "KHR": "riel riels ៛",
    "MMK": "kyat kyats",
    "MNT": "tugrik tugriks ₮",
    "MGA": "ariary",
    "MZN": "metical meticais mt",
    "AOA": "kwanza kwanzas",
    "UAH": "hryvnia ₴",
    "CNY": "yuan rmb يوان",
    "JPY": "yen يين",
    "KRW": "won ₩",
    "PLN": "zloty zlotys zł",
    "TRY": "₺ tl",
    "RUB": "rouble roubles ruble rubles rublo rublos روبل ₽",
    "RWF": "frw rwf",
    "ILS": "shekel shekels ₪ شيكل شيقل",
    "CRC": "colones colon ₡",
    "CVE": "escudo escudos",
    "MVR": "rufiyaa",
    "PGK": "kina",
    "TOP": "paanga",
    "WST": "tala",
    "VUV": "vatu",
    "LSL": "maloti loti",
    "GMD": "dalasi",
    "SLE": "leone leones",
    "HTG": "gourde gourdes",
    "CAD": "c$ ca$",
    "AUD": "a$ au$",
    "SGD": "s$",
    "NZD": "nz$",
    "HKD": "hk$",
}
_SEVERAL = {"kwacha": ("ZMW", "MWK"), "som": ("KGS", "UZS"), "¥": ("JPY", "CNY"), "manat": ("AZN", "TMT")}
_LETTERS = {"r": ("ZAR",), "p": ("PHP",), "q": ("GTQ",), "k": ("ZMW",)}
"""One letter before a sum: only at home, but for the rand."""
_EVERYDAY = frozenset(["all", "try", "top", "cup", "pen", "gel", "bam", "sos", "mop", "rub", "ang", "den", "par"])
"""Currency codes that are also words: they count only in capitals."""

_PESO_SIGN = frozenset(["MXN", "COP", "CLP", "ARS", "UYU", "DOP"])
"""Currencies that are written with a bare `$` at home."""

_MAGNITUDES = {
    1_000: "k thousand mille mil elfu الف الاف",
    1_000_000: "m mio million millions millon millones milhao milhoes milioni مليون ملايين",
    100_000: "lakh lakhs lac lacs laki",
    10_000_000: "crore crores",
}
_SHIPPING = re.compile(
    r"\b(shipping|postage|delivery|freight|livraison|envoi|port|frais de port|envio|envios|flete|frete|portes|entrega|"
    r"usafirishaji|usafiri|kusafirisha|kutuma|posta)\b|شحن|توصيل"
)
_PIECES = re.compile(
    r"^\s?(pieces?|pcs|pc|units?|items?|sales|orders|unites?|articles|ventes|commandes|unidades?|piezas?|ventas|pedidos|pecas|"
    r"vendas|vipande|bidhaa|oda)\b|^\s?(قطعه|قطع|حبه|طلب|مبيعات)"
)
_MONTH = re.compile(r"\b(months?|monthly|mois|mes|mensual(es)?|mensais|mwezi)\b|شهر")
_BEFORE_PRICE = re.compile(
    r"(\b(for|at|price|priced|costs?|prix|à|a|pour|por|precio|en|preco|de|kwa|bei|ni)\s|\bب|سعر\s?|@\s?|^)[-−]?$"
)
_AFTER_PRICE = re.compile(
    r"^\s*($|[?!,;.؟])|^\s(on|in|at|from|via|sur|chez|en|na|no|da|por|kwenye|katika|plus|\+)\b|^\s(في|علي|على|ع)\b"
)
_FREE = re.compile(r"\b(free|gratuite?|offerte?|offert|gratis|bure)\b|مجان|بلاش|باطل")
_WITHOUT = re.compile(r"\b(no|without|free|sans|sin|sem|bila|hakuna)\b|بدون|بلا|مجان")
_INCLUDED = re.compile(
    r"\s(is |est |esta )?(included|incl|compris|inclus|incluid[oa]|incluso|pamoja)\b|\s(شامل|محسوب|داخل)"
)
_JOINED = re.compile(r"\b(with|plus|and|avec|mas|con|com|y|e|et|na|pamoja)\b|(?:^|\s)و")
_A_MONTH = re.compile(
    r"^\W*(?:\w+\s){0,2}(?:a|per|each|every|par|al|por|a cada|cada|kwa|kila|في|بال|كل)?\s?(?:/\s?)?"
    r"(?:month|months|monthly|mois|mes|mensuel|mensuales|mwezi|الشهر|شهريا|بالشهر|شهر)\b"
)
_NUMBER = re.compile(r"(?<!\d)(?<!\d[.,])(?:\d{1,3}(?:[ '\u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d(?:[\d.,]*\d)?)(?!\d)")
_SIGN_INSIDE = re.compile(r"(\d)\s?([€$£])(\d\d)\b")
_SPACED_CFA = re.compile(r"\b(?:f\.?\s?c\.?f\.?a\b\.?|(?:francs?|francos?|faranga)\s+(?:de\s+la\s+)?cfa\b)|فرنك\s+سيفا")
_SINCE = re.compile(r"\b(in|en|em|since|depuis|desde|mwaka|عام|سنه)\s$")
_PERCENT = re.compile(r"\s?(%|(percent|per cent|pour cent|por ciento|por cento|asilimia)\b)")
_LEFT = re.compile(r"([^\s\d.,;:()\[\]\"?!،؛؟]+(?:\.[a-z]+)?[./$]?)\s?$")
_RIGHT = re.compile(
    r"^\s?([^\s\d;:()\[\]\"?!,،؛؟]+)(?:\s([^\s\d;:()\[\]\"?!,.،؛؟]+))?(?:\s([^\s\d;:()\[\]\"?!,.،؛؟]+))?"
)
_RANGE = re.compile(r"^\s?(?:-|–|to|a|hadi|الي)\s?$")


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
    plain = fold(_western_digits(visible(text)).replace("٫", ".").replace("٬", ","))
    plain = _SPACED_CFA.sub("fcfa", _SIGN_INSIDE.sub(r"\1.\3\2", plain))
    shown = _western_digits(visible(text))
    found: list[Mention] = []
    ends = 0
    for match in _NUMBER.finditer(plain):
        left, right = plain[: match.start()], plain[match.end() :]
        if _PERCENT.match(right):
            continue
        magnitude, right = _magnitude(right)
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
        currencies = _in_capitals(shown, currencies)
        if found and ends and _RANGE.match(plain[ends : match.start()]) and found[-1].currencies in ((), currencies):
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
                is_a_month=not currencies and _is_a_month(right),
                is_priced=bool(currencies) or _stands_as_price(left, right),
            )
        )
    return [mention for mention in found if mention.currencies] if is_spelled else found  # not "a three piece"


def _western_digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) if not c.isascii() and c.isdigit() else c for c in text)


def _magnitude(right: str) -> tuple[int, str]:
    match = re.match(r"\s?([^\W\d_]+)\b", right)
    if match:
        for factor, names in _MAGNITUDES.items():
            if match[1] in names.split() and not (match[1] in ("m", "k") and right.startswith(" ")):
                rest = right[match.end() :]
                return factor, re.sub(r"^\s(?:de|of|d'|ya|za)\s", " ", rest)
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
    near = re.split(r"\d|[.;?!؟]", right, maxsplit=1)[0]
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
    return bool(_SHIPPING.search(near_left)) and not re.search(
        r"\b(free|gratis|gratuit|gratuite|bure)\b|مجان", near_left
    )


def _leading_currency(right: str, rates: ExchangeRates, home: str | None) -> tuple[str, ...]:
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
    if len(currencies) == 1 and currencies[0].casefold() in _EVERYDAY and currencies[0] not in shown:
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
    unit = next((unit for unit, names in _UNITS.items() if word in fold(names).split()), None)
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
        words |= dict.fromkeys(fold(names).split(), meant)
    for language in LANGUAGES:
        for code, name in _names(language, codes):
            words.setdefault(fold(name), (code,))
    for code, names in _OWN_WORDS.items():
        words |= dict.fromkeys(fold(names).split(), (code,))
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
