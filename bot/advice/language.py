"""Which language a message is written in."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from lingua import IsoCode639_1, Language, LanguageDetector, LanguageDetectorBuilder

from knowledge.models import LANGUAGES
from knowledge.normalise import fold, words

DETECTOR_WEIGHT, FUNCTION_WORD_WEIGHT, PRIOR_WEIGHT = 0.6, 1.5, 0.2
CLEAR_LEAD = 0.3
"""How far another language must lead the person's own when no function word speaks for it."""

_FUNCTION_WORDS = {
    "en": "the how much what can i is are do does to my for from and with about where which who when why not they them "
    "it in need",
    "fr": "le la les des en au aux je est comment combien par prend que quoi pour depuis puis mon ma mes et avec dans "
    "une un du sur quel quelle sans pas peux c'est il ils",
    "es": "el los las como cuanto que puedo para desde mi mis y con en una un del por donde sin no es se me cual",
    "pt": "o os as como quanto que posso para desde meu minha e com em uma um do da dos por onde sem nao eu se me qual "
    "pra no na",
    "sw": "na ya wa kwa ni je nini vipi gani naomba nataka naweza kutoka kwenda yangu wangu ngapi wapi jinsi lini hii "
    "hiyo kama nifanye nifanyeje mimi",
}
_MARKERS = {language: frozenset(fold(text).split()) for language, text in _FUNCTION_WORDS.items()}
FUNCTION_WORDS = frozenset(word for markers in _MARKERS.values() for word in markers)
"""Words, folded, that carry no subject of their own in one of the languages."""


@lru_cache(maxsize=1)
def _detector() -> LanguageDetector:
    # The low-accuracy models take 20 MB instead of 160 MB; the function words make up for it on short texts.
    languages = [Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper())) for code in LANGUAGES]
    return LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode().build()


def detect(text: str, prior: str = "en") -> str:
    """The ISO 639-1 code of the language of `text`, one of `LANGUAGES`.

    `prior` is the person's own language: it stands when the text says too little ("ok", "Amazon?").
    """
    tokens = words(fold(text))
    if not tokens:
        return prior
    scores = dict.fromkeys(LANGUAGES, 0.0)
    for found in _detector().compute_language_confidence_values(text):
        scores[found.language.iso_code_639_1.name.lower()] += DETECTOR_WEIGHT * found.value
    told = {language: sum(token in markers for token in tokens) for language, markers in _MARKERS.items()}
    for language, count in told.items():
        scores[language] += FUNCTION_WORD_WEIGHT * count / len(tokens)
    scores[prior] += PRIOR_WEIGHT
    best = max(scores, key=scores.__getitem__)
    if best in (prior, "ar") or told.get(best, 0) > told.get(prior, 0):
        return best
    # Names and slips alone do not turn the conversation into another language.
    return best if len(tokens) >= 4 and scores[best] >= scores[prior] + CLEAR_LEAD else prior


def is_readable_script(text: str) -> bool:
    """True when most letters of `text` are Latin or Arabic, the scripts of the supported languages."""
    letters = [char for char in text if char.isalpha()]
    known = sum(unicodedata.name(char, "").startswith(("LATIN", "ARABIC")) for char in letters)
    return not letters or known * 2 >= len(letters)
