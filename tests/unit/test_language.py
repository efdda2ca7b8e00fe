"""Which language a message is in, and what is read in it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import yaml

from bot.advice.amounts import mentions
from bot.advice.guided.days import read_day
from bot.advice.language import detect
from knowledge.facts import load_facts
from knowledge.gazetteer import Gazetteer
from knowledge.lexicon import language_called, lexicons
from knowledge.models import LANGUAGES
from knowledge.settings import ROOT

FACTS = load_facts()
GAZETTEER = Gazetteer(FACTS)
TODAY = date(2026, 11, 22)
QUESTIONS = [
    (question["lang"], text)
    for path in sorted((ROOT / "tests/eval/questions").glob("*.yaml"))
    if path.stem != "decline"
    for question in yaml.safe_load(path.read_text(encoding="utf-8"))
    for text in question["turns"][:1]
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_native_questions_are_read_in_their_language_without_knowing_the_person(language: str) -> None:
    texts = [text for of, text in QUESTIONS if of == language]
    wrong = [text for text in texts if detect(text).language != language]
    assert len(wrong) <= 0.1 * len(texts), wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_and_surely_when_it_is_the_persons_own(language: str) -> None:
    texts = [text for of, text in QUESTIONS if of == language]
    wrong = [text for text in texts if detect(text, language).language != language]
    assert len(wrong) <= 0.02 * len(texts) + 0.5, wrong


@pytest.mark.parametrize("prior", LANGUAGES)
@pytest.mark.parametrize(
    "text", ["ok", "OK!", "Amazon", "eBay?", "PayPal", "Etsy fees", "👍", "", "123", "12/11", "\u202e\u200f"]
)
def test_small_words_and_names_never_turn_the_language(text: str, prior: str) -> None:
    if text == "Etsy fees" and prior != "en":
        assert detect(text, prior).language in (prior, "en")
    else:
        assert detect(text, prior).language == prior


@pytest.mark.parametrize(
    ("text", "nearest", "foreign"),
    [
        ("wie kann ich auf etsy verkaufen und was kostet das", "en", "de"),
        ("come posso vendere su amazon dall'italia", "es", "it"),
        ("paano ako magbebenta sa etsy mula pilipinas", "en", "tl"),
        ("Etsy'de satış yapmak için ne kadar ödüyorum", "en", "tr"),
        ("қалай сатуға болады etsy менің дүкенім", "ru", "kk"),
        ("як мені продавати на etsy, їх комісія", "ru", "uk"),
        ("میں etsy پر کیسے بیچ سکتا ہوں", "hi", "ur"),
        ("چگونه می توانم در اتسی بفروشم", "ar", "fa"),
        ("मी etsy वर कसे विकू शकतो मला सांगा", "hi", "mr"),
        ("म नेपालबाट कसरी etsy मा बेच्न गर्ने", "hi", "ne"),
        ("etsyでどうやって売りますか", "en", "ja"),
        ("Etsy에서 어떻게 판매하나요", "en", "ko"),
        ("ኢትዮጵያ ውስጥ እንዴት እሸጣለሁ", "en", "am"),
        ("எட்ஸியில் எப்படி விற்பது", "en", "ta"),
    ],
)
def test_a_language_that_we_do_not_have_is_named_with_the_nearest(text: str, nearest: str, foreign: str) -> None:
    found = detect(text)
    assert (found.language, found.foreign) == (nearest, foreign)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("mera paypal ka paisa kab milega", "hi"),
        ("amar etsy dokan kivabe khulbo", "bn"),
        ("kifach nbi3 f etsy men maroc", "ar"),
        ("toi muon ban hang tren etsy thi lam the nao", "vi"),
        ("etsy\u200b pe \u202ekaise\u202c beche bhai", "hi"),
    ],
)
def test_latin_letters_and_invisible_marks(text: str, language: str) -> None:
    assert detect(text).language == language


@pytest.mark.parametrize("letter", ["a", "ж", "क", "ব", "م", "中", "ไ", "あ", "Ω"])
def test_a_long_row_of_one_letter_is_read_without_fault(letter: str) -> None:
    assert detect(letter * 4096).language in LANGUAGES


@pytest.mark.parametrize(
    ("text", "language", "home", "amount", "currency"),
    [
        ("४० डॉलर में बेचा", "hi", None, "40", "USD"),
        ("₹1,50,000 की साड़ी", "hi", "INR", "150000", "INR"),
        ("2 lakh rupees", "hi", "INR", "200000", "INR"),
        ("৫০০ টাকায় বিক্রি", "bn", "BDT", "500", "BDT"),
        ("2 হাজার টাকা", "bn", "BDT", "2000", "BDT"),
        ("Rp 250.000 per pcs", "id", "IDR", "250000", "IDR"),
        ("250rb rupiah", "id", "IDR", "250000", "IDR"),
        ("500.000đ", "vi", "VND", "500000", "VND"),
        ("bán 40 đô", "vi", "VND", "40", "USD"),
        ("20 тыс тенге", "ru", "KZT", "20000", "KZT"),
        ("1500 руб", "ru", None, "1500", "RUB"),
        ("40万人民币", "zh", "CNY", "400000", "CNY"),
        ("卖40美元", "zh", "CNY", "40", "USD"),
        ("٤٠ دولار", "ar", "EGP", "40", "USD"),
        ("40 mil pesos", "es", "COP", "40000", "COP"),
        ("1.500,00 reais", "pt", "BRL", "1500.00", "BRL"),
    ],
)
def test_sums_in_every_script(text: str, language: str, home: str | None, amount: str, currency: str) -> None:
    (found,) = mentions(text, FACTS.fx, home, language)
    assert (found.amount, found.currencies[0]) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text", ["20 pcs per bulan", "в месяц 20 штук", "每月卖20件", "महीने में 20 पीस", "20 pieces a month"]
)
def test_pieces_a_month_are_no_price(text: str) -> None:
    (found,) = mentions(text, FACTS.fx)
    assert found.is_a_month


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("कल", "hi", 21), ("३ दिन पहले", "hi", 19), ("12 नवंबर", "hi", 12),
        ("গতকাল", "bn", 21), ("১২ নভেম্বর", "bn", 12),
        ("kemarin", "id", 21), ("3 hari lalu", "id", 19), ("hôm qua", "vi", 21), ("ngày 12 tháng 11", "vi", 12),
        ("позавчера", "ru", 20), ("12 ноября", "ru", 12),
        ("昨天", "zh", 21), ("包裹11月12号到了", "zh", 12), ("上周五", "zh", 20),
        ("٣ أيام", "ar", 19), ("siku 3 zilizopita", "sw", 19),
    ],
)  # fmt: skip
def test_days_in_every_script(text: str, language: str, day: int) -> None:
    assert read_day(text, language, TODAY) == date(2026, 11, day)


@pytest.mark.parametrize(
    ("text", "language", "platforms", "countries", "markets"),
    [
        ("我在印度尼西亚，想把篮子卖到美国亚马逊", "zh", ("amazon",), ("ID",), ("US",)),
        ("Живу в Казахстане, хочу продавать на этси", "ru", ("etsy",), ("KZ",), ()),
        ("jualan di tokopedia dari Bandung ke Amerika", "id", ("tokopedia",), ("ID",), ("US",)),
        ("toi o Sai Gon muon ban qua etsy sang My", "vi", ("etsy",), ("VN",), ("US",)),
        ("मैं भारत से अमेज़न पर अमेरिका में बेचता हूं", "hi", ("amazon",), ("IN",), ("US",)),
        ("আমি বাংলাদেশ থেকে ইটসিতে বিক্রি করি", "bn", ("etsy",), ("BD",), ()),
        ("my shop is at uc davis", "en", (), (), ()),
        ("bulan lalu surat saya belum sampai", "id", (), (), ()),
    ],
)
def test_names_in_every_script(
    text: str, language: str, platforms: tuple[str, ...], countries: tuple[str, ...], markets: tuple[str, ...]
) -> None:
    found = GAZETTEER.find(text, language)
    assert (found.platforms, found.countries, found.markets) == (platforms, countries, markets)


def test_a_language_is_called_by_its_name_in_any_language() -> None:
    assert language_called("Français") == language_called("french") == language_called("fr") == "fr"
    assert language_called("русский") == language_called("Rusia") == "ru"
    assert language_called("中文") == language_called("Chinese") == "zh"
    assert language_called("klingon") is None
    assert language_called("") is None


def test_every_language_has_its_words() -> None:
    for language, lexicon in lexicons().items():
        assert len(lexicon.function_words) >= 20, language
        assert lexicon.points and lexicon.opens_follow_up and lexicon.shipping and lexicon.before_price, language
