"""Which language a document is written in."""

from __future__ import annotations

import re

_LANGUAGES = ["ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "nl", "pt", "ru", "sw", "tr", "vi", "zh"]
_SAMPLE = 2_000
_NOT_PROSE = re.compile(r"https?://\S+|[|#*_`\d]+|-{3,}")


def language_of(text: str) -> str:
    """The ISO 639-1 code of the language of `text`; English if it says too little."""
    from lingua import IsoCode639_1, Language, LanguageDetectorBuilder

    # Beginning, middle and end: a document may open with a letter or a law in another language.
    middle = max(0, (len(text) - _SAMPLE) // 2)
    sample = " ".join(
        _NOT_PROSE.sub(" ", piece) for piece in (text[:_SAMPLE], text[middle:][:_SAMPLE], text[-_SAMPLE:])
    )
    known = [Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper())) for code in _LANGUAGES]
    # Low accuracy takes a tenth of the memory; on whole pages it errs as little.
    found = LanguageDetectorBuilder.from_languages(*known).with_low_accuracy_mode().build().detect_language_of(sample)
    return found.iso_code_639_1.name.lower() if found else "en"
