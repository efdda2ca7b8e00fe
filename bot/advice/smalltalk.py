"""Replies to what is no question for the knowledge base."""

from __future__ import annotations

from dataclasses import replace

from babel.lists import format_list

from bot.advice.reply import BEGINS, Button, Reply, ReplyKind, related
from bot.advice.richtext import RichText, join
from bot.advice.understand import Question
from bot.translation import SOURCE_LANGUAGE, language_named, translator
from bot.translation import mark as _
from knowledge.models import LANGUAGES
from knowledge.search import Hit

ANSWERS = {
    "greeting": _(
        "Hello! I help small firms to sell across borders. Ask me about platforms, fees, getting paid, shipping or "
        "disputes."
    ),
    "thanks": _("You are welcome. Come back any time with the next question."),
    "about-bot": _(
        "I am Tradewind, a free adviser for small firms that sell across borders. I am a program, not a person: "
        "I answer from checked documents, show their source and date, and say so when I do not know."
    ),
    "human": _("I am a program and cannot call a person for you yet. These bodies have people who advise exporters."),
}
HUMAN_AT_AN_AGENCY = _(
    "I am a program, but I can pass your question on to people: tap below. These bodies have people who advise "
    "exporters, too."
)
"""The answer to "human" where there is an agency that can be asked."""
DECLINES = {
    "out-of-scope": _(
        "I can only help with selling across borders: platforms, fees, getting paid, shipping, customs, disputes. "
        "What would you like to know about that?"
    ),
    "live-lookup": _(
        "I cannot look into live systems such as parcel tracking, today's rates or your account. Check it in the "
        "platform's or carrier's own app. I can explain how it works and what to do when something goes wrong."
    ),
    "instructions": _("I only answer questions about selling across borders, from documents that have been checked."),
    "abuse": _("I am sorry that this was no help. Tell me in one sentence what you need, and I will try again."),
    "gibberish": _("I could not read that. Please write your question in one or two sentences."),
    "unsafe-customs": _(
        "I cannot help with wrong values or papers: it can cost you the goods, a fine and the right to export. "
        "I can help you to keep duty and tax low within the law."
    ),
    "unsafe-reviews": _(
        "I cannot help with bought or invented reviews: platforms close accounts for it and it breaks the law in "
        "many countries. I can show you honest ways to get more reviews."
    ),
    "unsafe-counterfeit": _(
        "I cannot help with selling copies of brands: goods are seized, accounts closed, and you can be sued. "
        "I can help you to sell your own design or become a lawful reseller."
    ),
    "unsafe-documents": _(
        "I cannot help with false papers: they end the account and can be a crime. I can tell you which papers are "
        "asked for and who issues them."
    ),
    "unsafe-accounts": _(
        "I cannot help with bought, borrowed or hidden accounts: platforms find them, keep the money and close the "
        "shop. I can show you what to do when an account is closed or a platform does not take your country."
    ),
    "unsafe-fraud": _(
        "I cannot help with cheating buyers, banks or platforms. If somebody cheats you, I can help you to defend "
        "yourself."
    ),
}
ASKS = {
    "vague": _("Tell me a little more, please: which platform or payment service, and which country do you sell from?"),
    "wordless": _("I see no words in that. What would you like to know about selling across borders?"),
    "too-long": _("That is a long message and I found no question in it. Please ask in one or two sentences."),
    "voice": _("I cannot listen to voice messages yet. Please write your question in one or two sentences."),
    "photo": _("I cannot look at pictures or files yet. Please write your question in one or two sentences."),
    "sticker": _("Nice one! What would you like to know about selling across borders?"),
    "unsupported-language": _("I cannot read that language yet. I understand {languages}."),
}
STARTERS = (
    (_("Choose a platform"), f"{BEGINS}:choice"),
    (_("Compare fees"), "d:compare-platform-fees-fairly"),
    (_("Get paid from abroad"), "d:getting-paid-when-paypal-is-closed"),
    (_("Trouble with a sale"), f"{BEGINS}:dispute"),
)
"""What is offered when there is nothing to go by: label and action."""


def reply(intent: str, question: Question, hits: tuple[Hit, ...] = (), extra: RichText = RichText()) -> Reply:
    """The reply to a message of `intent`.

    The `hits` that show the lawful or nearest way become buttons; without any, the starting subjects do.
    """
    translate = translator(question.language)
    for texts, kind in ((ANSWERS, ReplyKind.ANSWER), (DECLINES, ReplyKind.DECLINE), (ASKS, ReplyKind.ASK_BACK)):
        if intent in texts:
            text = join((RichText.plain(_said(texts[intent], question.language)), extra))
            if intent == "unsupported-language" and question.language != SOURCE_LANGUAGE:
                text = join((RichText.plain(_said(texts[intent], SOURCE_LANGUAGE)), text))
            starters = [Button(translate(label), action) for label, action in STARTERS]
            buttons = related(hits, 3, question.language) or starters
            return Reply(text, kind, intent, question.language, buttons=tuple(buttons))
    raise KeyError(intent)


def _said(text: str, language: str) -> str:
    names = [language_named(code, language) for code in LANGUAGES]
    return translator(language)(text).replace("{languages}", str(format_list(names, locale=language)))


IN_ANOTHER_LANGUAGE = _("I do not speak {theirs} yet, so I answer in {mine}.")


def in_another_language(reply: Reply, foreign: str) -> Reply:
    """`reply` with a first line, in English and in the reply's language, that the message was in `foreign` (ISO 639-1),
    which we do not speak."""
    lines = [
        translator(language)(IN_ANOTHER_LANGUAGE).format(
            theirs=language_named(foreign, language), mine=language_named(reply.language, language)
        )
        for language in dict.fromkeys((SOURCE_LANGUAGE, reply.language))
    ]
    return replace(reply, text=join((RichText.italic("\n".join(lines)), reply.text)))


def with_people(reply: Reply) -> Reply:
    """The reply to "human" where there is an agency that can be asked."""
    translate = translator(reply.language)
    usual = translate(ANSWERS["human"])
    rest = reply.text.cut(len(usual), len(reply.text.text))
    return replace(reply, text=RichText.plain(translate(HUMAN_AT_AN_AGENCY)) + rest)
