"""Sentences in a document that speak to a program instead of a reader.

They are shown to the person who publishes the document; nothing here decides. Orders alone do not count ("follow the
instructions of customs"): a sentence is flagged when it speaks of the model, of its orders, or of hiding from the user.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MOST_CHARACTERS = 200
MOST_SENTENCES = 50

# Matched against sentences folded by `_fold`: small letters, no accents, one form of each Arabic letter.
_ENGLISH = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:previous|prior|above|earlier|preceding|other|system|"
    r"your|these|those)\b.{0,30}\b(?:instruction|prompt|rule|direction|message|guideline|context|training)",
    r"\b(?:ignore|disregard|forget) (?:everything|all|anything)\b.{0,20}\b(?:above|before|previous|told|said)",
    r"\byou are (?:now|no longer) (?:a|an|the|my|dan|free|chatgpt|gpt|bound|restricted|called|acting)\b"
    r"(?!.{0,30}\b(?:registered|exporter|member|customer|client|seller|trader|supplier|holder|owner|user|firm)\b)",
    r"\byou are (?:now|no longer) in (?:\w+ )?mode\b",
    r"\bfrom now on,? (?:you (?:are|will|must|should)|act|answer|respond|reply|behave)\b",
    r"\b(?:system|developer|hidden|initial) (?:prompt|message to the (?:model|assistant))\b",
    r"\bas an? (?:ai|artificial intelligence|language model|llm|chatbot|assistant model)\b",
    r"\b(?:note|message|instruction|attention|important|hey|dear)s?\b.{0,20}\b(?:to|for)?\b.{0,8}\b(?:ai|llm|"
    r"chatbot|chatgpt"
    r"|language model|bot|assistant)s?\b.{0,40}\b(?:must|should|always|never|answer|say|tell|reply|respond|"
    r"reading|:)",
    r"\b(?:if you are|you are) an? (?:ai|llm|large language|language model|chatbot|bot|virtual assistant|"
    r"ai assistant)\b",
    r"\b(?:act|behave|roleplay|pretend)\b.{0,15}\b(?:as|to be|like)\b.{0,15}\b(?:ai|dan|chatbot|assistant|"
    r"jailbroken|model)\b",
    r"\b(?:reply|respond|answer) (?:only|always|exclusively) (?:with|by|in the (?:form|words))\b",
    r"\b(?:do not|don't|never|must not) (?:tell|inform|reveal|mention|disclose|show)\b.{0,25}\b(?:the )?(?:user|"
    r"human|"
    r"this (?:instruction|prompt|message)|your (?:instructions|prompt|rules))",
    r"\b(?:tell|inform|convince|persuade) (?:the |every |all )?users? (?:that|to|they)\b",
    r"\b(?:reveal|print|repeat|output|show) (?:your|the) (?:system |hidden |initial )?(?:prompt|instructions|"
    r"api key|token)",
    r"\b(?:jailbreak|prompt injection|do anything now)\b",
    r"(?:<\|im_(?:start|end)\||\[/?inst\]|<</?sys>>|^#{0,3} ?(?:system|assistant) ?:)",
)
_FRENCH = (
    r"\b(?:ignor(?:e|ez|er)|oubli(?:e|ez|er)|ne ten(?:ez|ir|s) pas compte)\b.{0,40}\b(?:instruction|consigne|"
    r"directive|"
    r"regle)s?\b.{0,25}\b(?:precedent|anterieur|ci-dessus|plus haut|recu|systeme)",
    r"\b(?:ignor(?:e|ez)|oubli(?:e|ez))\b.{0,20}\b(?:tout ce qui precede|tes|vos)\b.{0,15}(?:instruction|"
    r"consigne|regle|$)",
    r"\b(?:tu es|vous etes) (?:maintenant|desormais) (?:une?|le|la|mon|libre|en mode)\b",
    r"\b(?:invite|prompt|message) (?:du )?systeme\b",
    r"\ben tant qu(?:e |')(?:ia|intelligence artificielle|modele de langage|assistant virtuel|chatbot)\b",
    r"\b(?:reponds|repondez) (?:uniquement|seulement|toujours|exclusivement) (?:par|avec)\b",
    r"\bne (?:dis|dites|revele|revelez|mentionne|mentionnez)\b.{0,20}\b(?:a l'utilisateur|aux utilisateurs)",
)
_SPANISH = (
    r"\b(?:ignor(?:a|e|ar|en)|olvid(?:a|e|ar)|no hagas caso)\b.{0,40}\b(?:instruccion|indicacion|regla|"
    r"orden)(?:es|s)?\b"
    r".{0,25}\b(?:anterior|previa|sistema|de arriba|recibid)",
    r"\b(?:ignora|olvida)\b.{0,20}\b(?:todo lo anterior|tus (?:instrucciones|reglas))\b",
    r"\b(?:ahora eres (?:una?|el|la|mi|libre)|a partir de ahora (?:eres|responde|actua|debes))\b",
    r"\b(?:prompt|mensaje|indicacion) del? sistema\b",
    r"\bcomo (?:una? )?(?:ia|inteligencia artificial|modelo de lenguaje|asistente virtual|"
    r"chatbot)\b.{0,30}\b(?:debes|eres|no puedes|responde)",
    r"\brespond(?:e|a) (?:solo|solamente|unicamente|siempre) (?:con|que)\b",
    r"\bno (?:le )?(?:digas|diga|reveles|menciones)\b.{0,25}\busuarios?\b",
)
_PORTUGUESE = (
    r"\b(?:ignor(?:e|a|ar|em)|esquec(?:a|e|er)|desconsider(?:e|a|ar))\b.{0,40}\b(?:instruc(?:ao|oes)|"
    r"orientac(?:ao|oes)|"
    r"regras?|ordens)\b.{0,25}\b(?:anterior|previa|sistema|acima|recebid)",
    r"\b(?:ignore|esqueca|desconsidere)\b.{0,20}\b(?:tudo o que|tudo acima|suas (?:instrucoes|regras))",
    r"\b(?:(?:voce agora e|agora voce e) (?:uma?|o|a|meu|livre)|a partir de agora,? (?:voce|responda|aja))\b",
    r"\b(?:prompt|mensagem) d[eo] sistema\b",
    r"\bcomo (?:uma? )?(?:ia|inteligencia artificial|modelo de linguagem|assistente virtual|"
    r"chatbot)\b.{0,30}\b(?:voce|deve|responda)",
    r"\brespond(?:a|e) (?:apenas|somente|so|sempre) (?:com|que)\b",
    r"\bnao (?:diga|conte|revele|mencione)\b.{0,25}\busuarios?\b",
)
_ARABIC = (
    r"(?:تجاهل|انس|اهمل|تجاوز).{0,30}(?:التعليمات|الاوامر|القواعد|الارشادات|التوجيهات).{0,25}(?:السابقه|اعلاه|"
    r"النظام|السالفه|قبل)",
    r"(?:تجاهل|انس) (?:كل|جميع) ما (?:سبق|قبل)",
    r"انت الان.{0,12}(?:مساعد|روبوت|نموذج|ذكاء|خبير|وضع|شخصيه)",
    r"من الان فصاعدا.{0,20}(?:اجب|رد |انت |تصرف|قل )",
    r"(?:موجه|رساله|تعليمات) النظام",
    r"(?:بصفتك|باعتبارك|كونك) .{0,15}(?:ذكاء|نموذج|مساعد|روبوت)",
    r"(?:اجب|رد) (?:فقط|دائما|حصرا) (?:ب|ان)",
    r"لا (?:تخبر|تقل|تكشف|تذكر).{0,15}(?:المستخدم|للمستخدم)",
)
_SWAHILI = (
    r"\b(?:puuza|sahau|usifuate|achana na)\b.{0,30}\b(?:maagizo|maelekezo|kanuni|amri)\b.{0,25}\b(?:awali|"
    r"yaliyotangulia|"
    r"hapo juu|mfumo|yote|zilizopita|yaliyopita)",
    r"\b(?:puuza|sahau) (?:maagizo|maelekezo) (?:yote|yako)\b",
    r"\b(?:sasa wewe ni|kuanzia sasa wewe|wewe sasa ni)\b",
    r"\b(?:maagizo|ujumbe) (?:ya|wa) mfumo\b.{0,20}\b(?:wa ai|wako|yako|prompt)?",
    r"\bkama (?:ai|akili bandia|akili mnemba|roboti|modeli ya lugha)\b",
    r"\bjibu (?:tu|pekee|daima) (?:kwa|kuwa|kwamba)\b",
    r"\busim(?:wambie|waambie|jibu) (?:mtumiaji|watumiaji)\b|\busi(?:mwambie|waambie) (?:mtumiaji|watumiaji)\b",
)
_PATTERNS = tuple(
    re.compile(pattern, re.M)
    for patterns in (_ENGLISH, _FRENCH, _SPANISH, _PORTUGUESE, _ARABIC, _SWAHILI)
    for pattern in patterns
)
_SENTENCE_END = re.compile(r"(?<=[.!?؟。！])\s+|\n+|\s*\|\s*")
_LONGEST = 600
_ARABIC_FORMS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ة": "ه", "ى": "ي", "ـ": ""})


def flagged(text: str) -> tuple[str, ...]:
    """The sentences of `text` that try to instruct a program, in order, without repetition."""
    found: dict[str, None] = {}
    for sentence in _sentences(text):
        folded = _fold(sentence)
        if any(pattern.search(folded) for pattern in _PATTERNS):
            found.setdefault(sentence[:MOST_CHARACTERS])
            if len(found) >= MOST_SENTENCES:
                break
    return tuple(found)


def _sentences(text: str) -> Iterator[str]:
    for sentence in _SENTENCE_END.split(text):
        stripped = sentence.strip(" \t#>*-|")
        # Pieces overlap, so that an order across the cut of a very long one is still seen.
        for start in range(0, len(stripped), _LONGEST - 100):
            yield stripped[start : start + _LONGEST]
            if start + _LONGEST >= len(stripped):
                break


def _fold(sentence: str) -> str:
    text = unicodedata.normalize("NFKD", sentence).casefold().replace("’", "'")
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).translate(_ARABIC_FORMS).split())
