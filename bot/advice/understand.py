"""What a message asks: its language, what it names, and what it takes over from the turn before."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from bot.advice.language import FUNCTION_WORDS, detect
from knowledge.facts import Facts, Service
from knowledge.gazetteer import Entities, Gazetteer
from knowledge.lexicon import folded, whole
from knowledge.normalise import QUESTION_MARKS, fold, length_in_words, visible, words

MAX_QUESTION = 600
"""Longer messages are read for the questions in them; nobody asks in more than this."""

PRODUCT_LENGTH, PRODUCT_WORDS = 120, 8
LONGEST_FOLLOW_UP = 14
SUBJECT_WORDS = 2
"""A follow-up with no more words of its own than these names a new subject; a longer one goes on with the old."""

_FOLLOW_UP = re.compile("^" + whole(folded("opens_follow_up")))
_POINTING = re.compile(whole(folded("points")))
_FOLLOW_UP_WORDS = folded("fills_follow_up")


_SMALL_CHINESE = re.compile(
    whole(word for word in FUNCTION_WORDS | _FOLLOW_UP_WORDS if "\u3400" <= word[0] <= "\u9fff")
)


def content_words(text: str) -> list[str]:
    """The words of `text`, folded, that carry a subject of their own."""
    return [word for word in words(_SMALL_CHINESE.sub(" ", fold(text))) if word not in FUNCTION_WORDS]


@dataclass(frozen=True)
class Profile:
    """What is known of the person: ISO 3166 `country` and `market`, `product` in their words, ISO 639-1 `language`."""

    language: str | None = None
    country: str | None = None
    product: str | None = None
    market: str | None = None


@dataclass(frozen=True)
class Turn:
    """An earlier question of the same conversation, as it was understood.

    `draft` is the code of a question about figures that was answered or asked back for.
    """

    question: str
    entities: Entities = Entities()
    draft: str | None = None


@dataclass(frozen=True)
class Question:
    """A message understood.

    `text` is what the search is asked; `asked` are the entities of the message itself or taken over from
    the turn before, `entities` those with the profile's country and market added. `language` (ISO 639-1) is that of
    the answer, `foreign` that of the message when it is none of ours.
    """

    original: str
    text: str
    language: str
    asked: Entities = Entities()
    entities: Entities = Entities()
    is_follow_up: bool = False
    was_long: bool = False
    foreign: str | None = None

    @property
    def is_wordless(self) -> bool:
        """True for emoji, punctuation or nothing at all."""
        return not any(any(c.isalpha() for c in word) for word in words(fold(self.original)))


@dataclass
class Understanding:
    """Turns messages into questions."""

    facts: Facts
    gazetteer: Gazetteer
    _names: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        things: tuple[Service, ...] = (*self.facts.platforms, *self.facts.payments)
        self._names = {thing.id: thing.name for thing in things}

    def name_of(self, id: str) -> str:
        """The name of a platform or payment service by its id."""
        return self._names[id]

    def understand(self, message: str, profile: Profile = Profile(), earlier: Turn | None = None) -> Question:
        """Read `message`, written by a person with `profile` after the turn `earlier`."""
        original = visible(message).strip()
        text = " ".join(original.split())
        was_long = len(text) > MAX_QUESTION
        if was_long:
            text = _the_questions_in(text)
        detected = detect(text, profile.language or "en")
        named = self.gazetteer.find(text, detected.language)
        question = Question(
            original, text, detected.language, named, named, was_long=was_long, foreign=detected.foreign
        )
        if earlier is not None:
            question = self._follow_up(question, earlier)
        return replace(question, entities=_with_profile(question.asked, profile))

    def _follow_up(self, question: Question, earlier: Turn) -> Question:
        folded = fold(question.text)
        content = [word for word in content_words(question.text) if word not in _FOLLOW_UP_WORDS]
        named = self.gazetteer.names_in(question.text, question.language)
        content = [word for word in content if word not in named]
        opens = bool(_FOLLOW_UP.match(folded)) or folded.rstrip("?？ ").endswith("呢")
        points = _POINTING.search(folded) is not None
        if not (opens or points or not content) or length_in_words(folded) > LONGEST_FOLLOW_UP:
            return question
        entities = question.asked.or_else(earlier.entities)
        if not content:
            kept = self.gazetteer.without(earlier.question, replaced=question.asked)
            return replace(question, text=f"{kept} {question.text}", asked=entities, is_follow_up=True)
        inherited = [self._names[id] for id in (*entities.platforms, *entities.payments) if id in self._names]
        missing = [name for name in inherited if fold(name) not in fold(question.text)]
        if missing and len(content) <= SUBJECT_WORDS and not points:
            text = " ".join((question.text, *missing))  # a new subject about the same thing: "what about fees?"
        else:
            kept = self.gazetteer.without(earlier.question, replaced=question.asked)
            text = f"{kept} {question.text}"
        return replace(question, text=text[-MAX_QUESTION:], asked=entities, is_follow_up=True)


def is_product(text: str) -> bool:
    """True when `text` can be the name of what somebody sells, and no question."""
    short = 2 <= len(text.strip()) <= PRODUCT_LENGTH and len(text.split()) <= PRODUCT_WORDS
    return short and not any(mark in text for mark in QUESTION_MARKS)


def _with_profile(named: Entities, profile: Profile) -> Entities:
    return named.or_else(
        Entities(
            countries=(profile.country,) if profile.country else (),
            markets=(profile.market,) if profile.market else (),
        )
    )


def _the_questions_in(text: str) -> str:
    """The sentences of a long message that ask something, else its beginning."""
    sentences = re.findall(r"[^.!?؟。।？！\n]+[.!?؟。।？！]*", text)
    asking = [sentence.strip() for sentence in sentences if sentence.rstrip().endswith(QUESTION_MARKS)]
    chosen = " ".join(asking) if asking else text
    return chosen[-MAX_QUESTION:] if asking else chosen[:MAX_QUESTION]
