"""The adviser: understand, consult, compose, check."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

import structlog
from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.advice import compose, smalltalk
from bot.advice.check import faults
from bot.advice.figures.desk import Desk
from bot.advice.guided.guides import Guides
from bot.advice.machine import MachineTranslator
from bot.advice.reply import Reply, ReplyKind
from bot.advice.understand import Profile, Question, Turn, Understanding
from knowledge.active import Index
from knowledge.calibration import Boundaries
from knowledge.facts import Facts
from knowledge.gazetteer import Gazetteer
from knowledge.models import Document, Passage
from knowledge.normalise import fold, length_in_words, words
from knowledge.search import Evidence

log = structlog.get_logger(__name__)

WORKERS = 2
"""Threads for encoding and searching: the encoder itself uses all cores."""

CHATTY = ("greeting", "thanks", "about-bot", "human")
UNKNOWN_NAME_LENGTH = 6
CHATTY_WORDS = 8
"""A longer message is more than a greeting."""


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Consultation:
    """A reply with the question as it was understood, to be remembered as the turn before the next one."""

    question: Question
    reply: Reply
    seconds: float
    steps: dict[str, float] = field(default_factory=dict)

    @property
    def turn(self) -> Turn:
        """What the next message may refer to."""
        return Turn(self.question.text, self.question.asked, self.reply.draft)


class Adviser:
    """Answers messages out of the active index, which holds the fact tables too. One for a process; thread-safe."""

    def __init__(
        self, index: Index, today: Callable[[], date] = _today, translator: MachineTranslator | None = None
    ) -> None:
        self.index = index
        self._today = today
        self._translator = translator
        self.executor = ThreadPoolExecutor(WORKERS, thread_name_prefix="advice")
        self._prepare()

    def _prepare(self) -> None:
        """Make what depends on the generation, and put it in place when it is whole and warm: questions go on
        meanwhile."""
        generation = self.index.generation
        vocabulary = generation.vocabulary
        gazetteer = Gazetteer(generation.facts, vocabulary)
        understanding = Understanding(generation.facts, gazetteer)
        desk = Desk(generation.facts, gazetteer, generation.documents.values, self._today)
        guides = Guides(generation.facts, gazetteer)
        understanding.understand("how much does etsy take in kenya?", Profile(), None)
        desk.reader.warm()
        guides.reported("the buyer says that nothing came", "en")  # so that its patterns are compiled
        documents = generation.documents.values()
        self._covered = frozenset(id for document in documents for id in (*document.platforms, *document.payments))
        self._long_words = [word for word in vocabulary if len(word) >= UNKNOWN_NAME_LENGTH - 1]
        self._vocabulary = vocabulary
        self.facts: Facts = generation.facts
        self.gazetteer = gazetteer
        self._understanding = understanding
        self.desk = desk
        self.guides = guides
        gc.freeze()  # a full collection over a generation would stop questions for a fifth of a second

    def refresh(self) -> bool:
        """Follow the index to a new generation; see `ActiveIndex.refresh`."""
        if not self.index.refresh():
            return False
        self._prepare()
        return True

    def close(self) -> None:
        """Let the workers finish."""
        self.executor.shutdown()

    def advise(
        self, message: str, profile: Profile = Profile(), earlier: Turn | None = None, *, figures: bool = True
    ) -> Consultation:
        """Answer `message`. Blocks for some tens of milliseconds: call it in `executor` from asyncio.

        Without `figures` all is answered out of the documents, as the evaluation of the search needs it, and no
        guided way begins.
        """
        consultation = self._consulted(message, profile, earlier, figures)
        question = consultation.question
        if question.foreign is None or consultation.reply.intent == "unsupported-language":
            return consultation
        return replace(consultation, reply=smalltalk.in_another_language(consultation.reply, question.foreign))

    def _consulted(self, message: str, profile: Profile, earlier: Turn | None, figures: bool) -> Consultation:
        started = time.perf_counter()
        search = self.index.search  # one generation for the whole question
        question = self._understanding.understand(message, profile, earlier)
        understood = time.perf_counter()
        computed = self._computed(question, profile, earlier) if figures else None
        if computed is not None:
            ended = time.perf_counter()
            steps = {"understand": understood - started, "figures": ended - understood}
            return Consultation(question, computed, ended - started, steps)
        if question.is_wordless:  # only after the desk: to "what price?" a bare number is an answer
            return Consultation(question, smalltalk.reply("wordless", question), time.perf_counter() - started)
        evidence = search.search(question.text, question.entities, language=question.language)
        evidence, fits = self._fitting(question, evidence)
        found = time.perf_counter()
        reply = self._decide(question, evidence, search.boundaries, fits)
        wrong = faults(reply, evidence, allowed=self._today().isoformat())
        if wrong:
            log.error("reply_failed_check", faults=wrong, passage=reply.passage)
            reply = compose.decline(question, evidence, self.facts, "check-failed")
        ranking = tuple((hit.passage.id, hit.score) for hit in evidence.hits)
        reply = replace(reply, ranking=ranking, features=evidence.features, intents=evidence.intents)
        ended = time.perf_counter()
        steps = {"understand": understood - started, **evidence.seconds, "compose": ended - found}
        return Consultation(question, reply, ended - started, steps)

    def _computed(self, question: Question, profile: Profile, earlier: Turn | None) -> Reply | None:
        """What the fact tables answer by themselves: the beginning of a guided way, or figures."""
        begun = self.guides.begin(question, profile, self._today())
        return begun or self.desk.reply(question, profile, earlier)

    def _decide(self, question: Question, evidence: Evidence, limits: Boundaries, fits: bool) -> Reply:
        intent = self._intent(question, evidence, limits)
        if intent == "human":
            country = next(iter(question.entities.countries), None)
            return smalltalk.reply(intent, question, (), compose.institutions(self.facts, country, question.language))
        if intent in CHATTY or intent in ("instructions", "abuse", "live-lookup", "out-of-scope"):
            return smalltalk.reply(intent, question, evidence.hits[:2] if intent == "live-lookup" else ())
        if intent == "vague":
            return replace(
                compose.ask_which(question, evidence), intent="vague", text=smalltalk.reply(intent, question).text
            )
        if intent is not None:
            return smalltalk.reply(intent, question, evidence.hits[:2])
        if evidence.confidence >= limits.answer_above and fits:
            return self.guides.offered(compose.answer(question, evidence, self._today(), self._translator), question)
        if question.was_long:
            return smalltalk.reply("too-long", question, evidence.hits)
        if not self._has_known_words(question) and not question.asked:
            return smalltalk.reply("unsupported-language" if question.foreign else "gibberish", question)
        if evidence.confidence >= limits.ask_above:
            return compose.ask_which(question, evidence)
        return compose.decline(question, evidence, self.facts, "unknown")

    def _intent(self, question: Question, evidence: Evidence, limits: Boundaries) -> str | None:
        """The intent that is no question for us and nearer than the knowledge, if any."""
        if not evidence.intents:
            return None
        name, similarity = max(evidence.intents.items(), key=lambda item: item[1])
        if name in CHATTY and (question.asked or length_in_words(fold(question.text)) > CHATTY_WORDS):
            return None
        if name == "vague" and (question.asked or question.is_follow_up):
            return None
        return name if similarity > evidence.features["dense"] + limits.lead(name) else None

    def _fitting(self, question: Question, evidence: Evidence) -> tuple[Evidence, bool]:
        """The evidence with hits about the service that was named first, and whether the first hit fits."""
        if not (question.asked.platforms or question.asked.payments):
            return evidence, self._is_about(question, evidence.hits[0].document)
        fitting = [hit for hit in evidence.hits if self._is_about(question, hit.document)]
        others = [hit for hit in evidence.hits if hit not in fitting]
        return replace(evidence, hits=(*fitting, *others)), bool(fitting)

    def _is_about(self, question: Question, document: Document) -> bool:
        """False when `document` is about other platforms or payment services than the one that is asked about.

        That is so when the question names one that no document covers, or has a word that looks like such a
        name: a wrong platform's fee is worse than no answer.
        """
        services = {*document.platforms, *document.payments}
        named = {*question.asked.platforms, *question.asked.payments}
        if not named:
            return not (services and self._unknown_names(question.text))
        if named & services or (not services and named & self._covered):
            return True
        text = fold(f"{document.title} {document.body}")
        return any(fold(self._understanding.name_of(id)) in text for id in named)

    def _unknown_names(self, text: str) -> list[str]:
        """Words of `text` that stand in no document and are no slip for one that does."""
        unknown = [word for word in words(fold(text)) if word not in self._vocabulary]
        return [
            word
            for word in unknown
            if len(word) >= UNKNOWN_NAME_LENGTH
            and word.isascii()
            and word.isalpha()
            and process.extractOne(word, self._long_words, scorer=OSA.distance, score_cutoff=2) is None
        ]

    def _has_known_words(self, question: Question) -> bool:
        return any(word in self._vocabulary for word in words(fold(question.text)) if len(word) > 2)

    def more(self, document_id: str, number: int, language: str) -> Reply | None:
        """The long form of passage `number` of a document, or None when it is gone. Blocks, as `advise` does."""
        found = self._passages(document_id)
        if found is None or not 0 <= number < len(found[1]):
            return None
        return compose.long_form(found[0], found[1], number, language, self._today(), self._translator)

    def _passages(self, document_id: str) -> tuple[Document, list[Passage]] | None:
        generation = self.index.generation
        document = generation.documents.get(document_id)
        if document is None or not self.index.shows(document):
            return None
        return document, [passage for passage in generation.passages if passage.document == document_id]

    def institutions(self, country: str | None, language: str) -> Reply:
        """Who helps exporters in `country` (ISO 3166 alpha-2), as a reply."""
        text = compose.institutions(self.facts, country, language)
        return Reply(text, ReplyKind.ANSWER, "support", language)
