"""Take what can name or reach a person out of a question, and leave what it asks.

Mail addresses, links, handles, telephone, account, card, order and tracking numbers and the names with which people
introduce themselves go; amounts, prices and years stay where they can be told from these. In doubt it goes.
"""

from __future__ import annotations

import re
import unicodedata

from knowledge.normalise import fold, visible

MOST_CHARACTERS = 300
MOST_READ = 2_000
"""Of a longer message only so much is read: nobody asks in more, and time must stay bounded."""

MAIL, LINK, NAME, NUMBER = "[mail]", "[link]", "[name]", "[number]"
PLACEHOLDER = re.compile(r"\[(?:mail|link|name|number)\]")

LONG_NUMBER, PHONE, CODE = 5, 7, 8
"""From so many digits on a number, so many in groups a telephone number, so many characters a code is personal."""

MOST_AMOUNT = 8
"""Digits of a price, with its currency beside it."""

_KEYCAPS = re.compile("[\ufe0e\ufe0f\u20e3]")
_SITES = (
    r"(?:amazon|ebay|etsy|shopify|alibaba|aliexpress|jumia|noon|daraz|shopee|lazada|mercadolibre|mercadolivre|walmart|"
    r"facebook|instagram|tiktok|whatsapp|paypal|payoneer|wise|stripe|temu|shein|google|dhl|fedex|ups|usps)"
)
_KNOWN_SITE = re.compile(rf"{_SITES}\.(?:com?|org|net|[a-z]{{2}})(?:\.[a-z]{{2}})?", re.I)
_MAIL = re.compile(r"\S*\w\s?@\s?\w[^\s@]*\.\w\S*|\S+@\S+")
_SPELT_MAIL = re.compile(
    r"[\w.+-]+\s*[\[(]?\s*\b(?:at|arroba|arobase)\b\s*[\])]?\s*"
    r"(?:gmail|yahoo|hotmail|outlook|icloud|live|proton(?:mail)?|[\w-]+\s*[\[(]?\s*\b(?:dot|punto|point|ponto)\b)\S*"
    r"(?:\s*[\[(]?\s*\b(?:dot|punto|point|ponto)\b\s*[\])]?\s*\w+)*",
    re.I,
)
_HANDLE = re.compile(r"@\s?[\w.]+|\S*@\S*")
_LINK = re.compile(r"\b(?:https?|ftp|tg)://\S+|\bwww\.\S+", re.I)
_SITE = re.compile(r"\b(?:[\w-]{1,63}\.)+(?:[a-z]{2,12})\b(?:[/?#]\S*)?", re.I)
_TOP_LEVEL = re.compile(
    r"\.(?:com?|org|net|info|biz|shop|store|online|site|africa|io|me|app|link|ly|xyz|[a-z]{2})$", re.I
)

_CURRENCY_WORDS = (
    r"(?:us\s?)?dollars?|d[oó]la(?:r|res)|d[oó]lares|dola|usd|euros?|eur|pounds?|gbp|livres?|libras?|pauni|francs?|"
    r"f\s?cfa|cfa|xof|xaf|fcfa|shillings?|shilingi|ksh|kes|kshs|tsh|tzs|ugx|ush|sh|bob|naira|ngn|cedis?|ghs|"
    r"rupees?|rs|inr|pkr|lkr|npr|taka|bdt|dirhams?|mad|aed|dinars?|dt|tnd|dzd|jod|pesos?|mxn|cop|clp|php|"
    r"sole?s|pen|reais|real|brl|quetzales|gtq|bolivianos|guaran[ií]es|meticais|metical|mzn|kwanzas?|aoa|birr|etb|"
    r"rands?|zar|kwacha|zmw|mwk|ariary|mga|yuan|rmb|cny|dong|vnd|baht|thb|rupiah|idr|ringgit|myr|lira|try|egp|"
    r"escudos?|cve|rwf|xaf|gnf|dhs?|"
    r"دولار(?:ات)?|يورو|جنيه(?:ات)?|درهم|دراهم|دينار|دنانير|ريال|ليرة|فرنك"
)
_CURRENCY_BEFORE = re.compile(rf"(?:[$€£¥₦₵₹₱₫₺₴₽﷼]|(?<![^\W\d_])(?:{_CURRENCY_WORDS})\.?)\s?$", re.I)
_CURRENCY_AFTER = re.compile(
    rf"^\s?(?:(?:k|mil|mille|thousand|elfu|million(?:s|es)?|milhões|ألف|الف)\s)?(?:de\s|of\s|za\s)?"
    rf"(?:[$€£¥₦₵₹₱₫₺₴₽﷼]|(?:{_CURRENCY_WORDS}|f)(?![^\W\d_]))",
    re.I,
)
_NUMBER = re.compile(r"(?:\+\s?|\(\+?)?\d(?:[\s.,()\-/·_*]{0,2}\d)*")
_GROUPED = re.compile(r"\d{1,3}(?:([ .,\u00a0\u202f'])\d{3})(?:\1\d{3})*(?:[.,]\d{1,2})?$")
_PLAIN_AMOUNT = re.compile(r"[1-9]\d*(?:[.,]\d{1,2})?$")
_RANGE = re.compile(r"[1-9]\d{0,5}\s?[-/]\s?[1-9]\d{0,5}$")
_TARIFF_BEFORE = re.compile(r"\b(?:hs|hts|htsus|sh|ncm|taric)\b[\s-]*(?:code|codes|n°|no)?[\s:]*$", re.I)
_SIZE = re.compile(r"\d{1,4}(?:x\d{1,4}){1,2}[a-z]{0,2}", re.I)
_YEARS = re.compile(r"(?:19|20)\d\d(?:[\s/-]{1,2}(?:19|20)?\d\d)*$")
_WRITTEN_TOGETHER = re.compile(
    rf"\d{{1,{MOST_AMOUNT}}}(?:{_CURRENCY_WORDS}|f|k)|(?:{_CURRENCY_WORDS})\d{{1,{MOST_AMOUNT}}}", re.I
)
_CODE = re.compile(r"\w+(?:[-_/]\w+)*")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?\b", re.I)

_INTRODUCTION = re.compile(
    r"(?:\b(?:(?:and|et|y|e|na)\s+)?(?:"
    r"my (?:full |first |business )?names? (?:is|are)|my name'?s|i am (?:called|named)|i'm (?:called|named)|"
    r"this is m(?:r|rs|s)\.?|"
    r"je m[' ]?app?ell?e|mon (?:pr[ée])?nom est|mon nom c'est|moi c'est|appelez[- ]moi|"
    r"me llamo|mi nombre (?:completo )?es|ll[aá]m[ae]me|"
    r"meu nome(?: completo)? [ée]|o meu nome [ée]|me chamo|chamo[- ]me|"
    r"jina langu (?:ni|naitwa)|naitwa|ninaitwa|mimi naitwa|jina ni|nitwa"
    r")\b|(?<!\w)و?(?:أنا |انا )?(?:اسمي|إسمي|أسمي|ادعى|أدعى|اسمى)(?:\s+(?:هو|هي))?(?!\w))\s*[:,]?\s*",
    re.I,
)
_CALLED = re.compile(  # "I'm Amina, ...": only where it greets, and only what is written like a name
    r"(?:(?:^|[.!,;]\s*)(?:(?:hello|hi|hey|dear sir|good (?:morning|day|evening)|bonjour|salut|bonsoir|hola|buenas|"
    r"ol[aá]|oi|bom dia|boa tarde|habari(?: yako| zenu)?|jambo|hujambo|mambo|salaam|السلام عليكم)[\s,!.]+)?)"
    r"((?i:i am|i'm|this is|je suis|c'est|soy|sou(?: o| a)?|aqui [ée](?: o| a)?|mimi ni|ni mimi)\s+)"
    r"(?=[^\W\d_]*[A-ZÀ-ÖØ-Þ])((?:[A-ZÀ-ÖØ-Þ][\w'’-]+)(?:\s+[A-ZÀ-ÖØ-Þ][\w'’-]+){0,2})"
    r"(?=\s*(?:[,.!;]|$)|\s+(?i:from|and|of|i|de|du|da|do|des|et|y|e|je|from|kutoka|na|wa)\b)"
)
_MOST_NAMES = 4
_FOLLOWING = """
and i i'm im from in at of a an the we my you your can could how what which where when why who do does is are am
have has had want need sell make live work to for with please on but not
et je j'ai j'habite nous mon ma mes de du des le la les un une en au aux a comment combien quel quelle quels ou
quand pourquoi qui que est peux puis peut veux vends fais fabrique pour avec dans sur mais
y yo e soy estoy tengo vendo hago quiero puedo como cuanto cuanta que cual donde cuando por para con mi mis el los
las una desde vivo del pero se
eu sou tenho faco quero posso quanto quanta qual onde quando o os as um uma em no na do da dos das com meu minha
moro mas estou nao
na ni wa ya za la kwa kutoka nina ninauza nauza nataka naomba natoka ninatoka nimetoka niko je nini gani vipi
jinsi kiasi wapi lini naweza ninaweza mimi sisi ninaishi naishi kama
من في على عن الى انا وانا وابيع ابيع اريد واريد كيف كم هل ما ماذا متي اين لماذا عندي وعندي اعيش واعيش ومن وكيف
وكم وهل اسكن ساكن ساكنه عايز عايزه بدي نحب و
"""
_NO_NAME = frozenset(fold(_FOLLOWING).split())
"""Words that follow a name and are none."""

_JOINING = "de da do das dos del di du van von bin ben bint ibn abu al el la"
_PARTICLES = frozenset(_JOINING.split())
"""Between the parts of a name."""

_WORD_AT = re.compile(r"\s*([\w'’.-]*\w)")


def redact(text: str) -> str:
    """`text` on one line without what is personal, at most `MOST_CHARACTERS` long; idempotent in what it hides."""
    text = " ".join(_KEYCAPS.sub("", unicodedata.normalize("NFKC", visible(text))).split())
    if len(text) > MOST_READ:
        text = text[:MOST_READ].rpartition(" ")[0]  # half an address or number would not be known for one
    text = _without_introductions(text)
    text = _LINK.sub(LINK, text)
    text = _HANDLE.sub(NAME, _SPELT_MAIL.sub(MAIL, _MAIL.sub(MAIL, text)))
    text = _SITE.sub(_site, text)
    text = _IBAN.sub(_iban, text)
    text = _NUMBER.sub(_number, text)
    text = _CODE.sub(_code, text)
    text = re.sub(r"\d{9,}", NUMBER, text)
    return _bounded(" ".join(text.split()).strip(" ,;:"))


def _bounded(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return (text[: MOST_CHARACTERS - 1].rpartition(" ")[0] or text[: MOST_CHARACTERS - 1]) + "…"


def _without_introductions(text: str) -> str:
    kept, at = [], 0
    for found in _INTRODUCTION.finditer(text):
        if found.start() < at:
            continue
        kept.append(text[at : found.start()])
        at = _end_of_name(text, found.end())
    text = " ".join((*kept, text[at:])) if kept else text
    return _CALLED.sub(lambda found: found[0][: found.start(1) - found.start()], text)


def _end_of_name(text: str, start: int) -> int:
    """Where the name that begins at `start` ends: at a mark, at a word that is no name, or after a few words."""
    at = start
    for number in range(_MOST_NAMES):
        word = _WORD_AT.match(text, at)
        if word and number and fold(word[1]) in _PARTICLES:
            word = _WORD_AT.match(text, word.end())
        if word is None or (number and fold(word[1]).strip(".") in _NO_NAME):
            break
        at = word.end()
        if text[at : at + 1] in (",", ";", ":", "!", "?", ".", "،", "؟", "(", ")"):
            break
    while text[at : at + 1] in (",", ".", ";", "،", " "):
        at += 1
    return at


def _site(found: re.Match[str]) -> str:
    address = found[0]
    host = re.split(r"[/?#]", address, maxsplit=1)[0]
    if _KNOWN_SITE.fullmatch(address):
        return address
    is_site = _TOP_LEVEL.search(host) and not host.replace(".", "").isdigit()
    # "sale.is it" is a missing space, "maria.shop" and "shop.co.ke" are addresses.
    is_address = host != address or re.search(r"\.(?:co\.\w\w|com|org|net|shop|store|online|site|me|io|ly)\b", host)
    return LINK if is_site and is_address else address


def _iban(found: re.Match[str]) -> str:
    return NUMBER if sum(c.isdigit() for c in found[0]) >= CODE else found[0]


def _number(found: re.Match[str]) -> str:
    shown = found[0]
    digits = sum(c.isdigit() for c in shown)
    if digits < LONG_NUMBER:
        return shown
    longest = max(map(len, re.findall(r"\d+", shown)))
    is_grouped = bool(_GROUPED.match(shown))
    before = found.string[max(0, found.start() - 24) : found.start()]
    after = found.string[found.end() : found.end() + 40]
    is_price = bool(_CURRENCY_BEFORE.search(before) or _CURRENCY_AFTER.match(after))
    looks_like_one = is_grouped or _PLAIN_AMOUNT.match(shown) or _RANGE.match(shown)
    if is_price and looks_like_one and longest <= MOST_AMOUNT and digits <= MOST_AMOUNT + 2:
        return shown
    if is_grouped and digits < PHONE:
        return shown
    if _YEARS.match(shown) or (digits <= MOST_AMOUNT and _TARIFF_BEFORE.search(before)):
        return shown
    return NUMBER if longest >= LONG_NUMBER or digits >= PHONE else shown


def _code(found: re.Match[str]) -> str:
    """Letters and digits mixed: an order, a parcel, an account. "15000FCFA" and "covid-19" are none."""
    shown = found[0]
    digits = sum(c.isdigit() for c in shown)
    if not digits or not any(c.isalpha() for c in shown):
        return shown
    if _WRITTEN_TOGETHER.fullmatch(shown) or _SIZE.fullmatch(shown):
        return shown
    parts = re.split(r"[-_/]", shown)
    whole = max((part for part in parts if any(map(str.isdigit, part))), key=len)
    is_mixed = any(map(str.isalpha, whole)) and len(whole) >= CODE
    is_joined = len(parts) > 1 and digits >= 3 and len(shown) - len(parts) + 1 >= CODE
    return NUMBER if is_mixed or is_joined or re.search(rf"\d{{{LONG_NUMBER},}}", shown) else shown
