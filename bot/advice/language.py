"""Which language a message is written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lingua import IsoCode639_1, Language, LanguageDetector, LanguageDetectorBuilder

from knowledge.lexicon import folded
from knowledge.models import LANGUAGES
from knowledge.normalise import fold, words

DETECTOR_WEIGHT, FUNCTION_WORD_WEIGHT, PRIOR_WEIGHT = 0.6, 1.5, 0.2
CLEAR_LEAD = 0.3
"""How far another language must lead the person's own when no function word speaks for it."""

SURE, FEWEST_WORDS = 0.9, 4
"""How sure the detector must be, and of how many words, before a message counts as one in a language that we do not
have: names and slips look like anything."""

SHARED_WEIGHT = 0.5
_SHARED = {language: folded("shared", language) - folded("function_words", language) for language in LANGUAGES}
_MARKERS = {language: folded("function_words", language) for language in LANGUAGES}
FUNCTION_WORDS = folded("function_words") | folded("shared")
"""Words, folded, that carry no subject of their own in one of the languages."""

SCRIPTS = {
    "ar": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
    "hi": "\u0900-\u097f",
    "bn": "\u0980-\u09ff",
    "ru": "\u0400-\u04ff",
    "zh": "\u3400-\u4dbf\u4e00-\u9fff",
}
"""Scripts that one of our languages is written in, by that language."""

OTHER_SCRIPTS = {
    "am": "\u1200-\u137f", "el": "\u0370-\u03ff", "gu": "\u0a80-\u0aff", "he": "\u0590-\u05ff", "hy": "\u0530-\u058f",
    "ja": "\u3040-\u30ff", "ka": "\u10a0-\u10ff", "km": "\u1780-\u17ff", "kn": "\u0c80-\u0cff", "ko": "\uac00-\ud7af",
    "lo": "\u0e80-\u0eff", "ml": "\u0d00-\u0d7f", "my": "\u1000-\u109f", "or": "\u0b00-\u0b7f", "pa": "\u0a00-\u0a7f",
    "si": "\u0d80-\u0dff", "ta": "\u0b80-\u0bff", "te": "\u0c00-\u0c7f", "th": "\u0e00-\u0e7f",
}  # fmt: skip
"""Scripts of languages that we do not have, by the language mostly written in them."""

FOREIGN_LETTERS = {
    "ar": {"ur": "ٹڈڑےں", "fa": "پچژ"},
    "bn": {"as": "ৰৱ"},
    "ru": {"kk": "әғқңұүһ", "uk": "їєґі", "tg": "ҳҷӣӯ", "uz": "ўҳ"},
}
FOREIGN_WORDS = {
    "ar": {"fa": "است چگونه می چطور را برای این هست", "ur": "ہے کیا میں کیسے سے کی کا"},
    "hi": {"mr": "आहे मी काय कसे मला आणि नाही माझे माझा", "ne": "छ मलाई कसरी गर्ने हुन्छ छैन मेरो गर्न भयो"},
    "ru": {"tg": "чӣ тавр мехоҳам", "ky": "кантип канча менин эмне болот", "kk": "қалай қанша менің болады сату"},
}
"""Letters and words of other languages in the scripts of ours, by that script and language."""
_FOREIGN_WORDS = {
    script: {language: frozenset(map(fold, text.split())) for language, text in languages.items()}
    for script, languages in FOREIGN_WORDS.items()
}

FOREIGN_LATIN = {
    "de": "der die das ich und wie nicht ist auf für mit mein kann was verkaufen wenn",
    "it": "il lo gli che come posso vendere mio mia con per sono della non quanto dove",
    "nl": "de het een ik hoe kan mijn niet van voor met verkopen wat zijn",
    "pl": "jak czy nie się mogę moje jest sprzedaż ile na dla przez",
    "ro": "cum pot să vând este nu cât și pentru din meu mea",
    "tr": "nasıl ne bir için mi nedir kadar satış yapmak ben var ile",
    "tl": "ang sa ng mga paano ko po magkano pwede ba ako kung yung naman",
    "so": "sidee waxaan ma iyo ka ku iska iibin karaa lacag aan",
    "yo": "bawo ni mo se le ta fun owo mi si",
    "ms": "macam mana boleh saya nak jual berapa dengan untuk kedai duit tak",
}
"""Languages in Latin letters that are told from ours, with words of each: one of them must stand in a message in it."""
_FOREIGN_LATIN = {language: frozenset(map(fold, text.split())) for language, text in FOREIGN_LATIN.items()}

NEAREST = {
    "as": "bn", "be": "ru", "fa": "ar", "gu": "hi", "hy": "ru", "it": "es", "ka": "ru", "kk": "ru", "ky": "ru",
    "ml": "hi", "mr": "hi", "ms": "id", "ne": "hi", "or": "hi", "pa": "hi", "ro": "fr", "so": "sw", "te": "hi",
    "tg": "ru", "uk": "ru", "ur": "hi", "uz": "ru",
}  # fmt: skip
"""Of our languages the one that most who write in another can also read; where none is near, it is the person's own, or
English."""


@dataclass(frozen=True)
class Detected:
    """The `language` (ISO 639-1, one of `LANGUAGES`) to answer in, and the `foreign` one that the message is in when
    that is none of ours."""

    language: str
    foreign: str | None = None


@lru_cache(maxsize=1)
def _detector() -> LanguageDetector:
    # The low-accuracy models take 25 MB instead of some hundreds; the function words make up for it on short texts.
    latin = [code for code in (*LANGUAGES, *FOREIGN_LATIN) if code not in SCRIPTS]
    languages = [Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper())) for code in latin]
    return LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode().build()


def detect(text: str, prior: str = "en") -> Detected:
    """The language of `text`.

    `prior` is the person's own language: it stands when the text says too little ("ok", "Amazon?").
    """
    tokens = words(fold(text))
    script = _script(text)
    if not tokens or script == "":
        return Detected(prior)
    if script in OTHER_SCRIPTS:
        return Detected(NEAREST.get(script, prior), script)
    if script in SCRIPTS:
        foreign = _foreign_in(script, text, tokens)
        return Detected(NEAREST[foreign], foreign) if foreign else Detected(script)
    return _latin(text, tokens, prior)


def _script(text: str) -> str | None:
    """The language whose script most letters are in; None for Latin, "" for no letters at all.

    A name in Latin letters among words of another script counts little: people write "Amazon" everywhere.
    """
    counts = {code: len(re.findall(f"[{letters}]", text)) for code, letters in (OTHER_SCRIPTS | SCRIPTS).items()}
    best = max(counts, key=counts.__getitem__)
    latin = sum(char.isalpha() for char in text) - sum(counts.values())
    if not latin and not counts[best]:
        return ""
    if counts["ja"] and best == "zh":
        best = "ja"
    weight = 3 if best in ("zh", "ja", "ko") else 2  # a character there is a syllable or a word
    return best if counts[best] * weight >= latin else None


def _foreign_in(script: str, text: str, tokens: list[str]) -> str | None:
    """The language of a text in the script of one of ours, when it is another one."""
    own = sum(token in _MARKERS[script] for token in tokens)
    for language, letters in FOREIGN_LETTERS.get(script, {}).items():
        if sum(text.casefold().count(letter) for letter in letters) >= 2 * max(1, own):
            return language
    for language, known in _FOREIGN_WORDS.get(script, {}).items():
        if sum(token in known for token in tokens) >= max(2, own + 1):
            return language
    return None


def _latin(text: str, tokens: list[str], prior: str) -> Detected:
    scores = dict.fromkeys(LANGUAGES, 0.0)
    foreign, sure = "", 0.0
    for found in _detector().compute_language_confidence_values(text):
        code = found.language.iso_code_639_1.name.lower()
        if code in scores:
            scores[code] += DETECTOR_WEIGHT * found.value
        elif found.value > sure:
            foreign, sure = code, found.value
    told = {
        language: sum(token in markers for token in tokens)
        + SHARED_WEIGHT * sum(token in _SHARED[language] for token in tokens)
        for language, markers in _MARKERS.items()
    }
    for language, count in told.items():
        # The detector does not know Hindi or Arabic in Latin letters, so their words count twice.
        weight = FUNCTION_WORD_WEIGHT * (2 if language in SCRIPTS else 1)
        scores[language] += weight * count / len(tokens)
    scores[prior] += PRIOR_WEIGHT
    best = max(scores, key=scores.__getitem__)
    if sure >= SURE and len(tokens) >= FEWEST_WORDS:
        theirs = sum(token in _FOREIGN_LATIN[foreign] for token in tokens)
        if theirs and theirs > told[best] and theirs > told[prior]:
            return Detected(NEAREST.get(foreign, prior), foreign)
    if best == prior or told.get(best, 0) > told.get(prior, 0):
        return Detected(best)
    # Names and slips alone do not turn the conversation into another language.
    is_clear = len(tokens) >= FEWEST_WORDS and scores[best] >= scores[prior] + CLEAR_LEAD
    return Detected(best if is_clear else prior)
