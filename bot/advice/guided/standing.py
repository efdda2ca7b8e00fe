"""Where a dispute stands: which way the answers have led, and the last day to act."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bot.advice.guided.case import Case
from knowledge.disputes import Deadline, Option, Outcome, Procedure, Question, Situation
from knowledge.facts import Facts

UNKNOWN = "-"
"""A date that the person does not know."""


GENERAL_BY_SERVICE = {"bank-wire": "bank-transfer", "cash-on-delivery": "cash"}
GENERAL_BY_KIND = {"card-acquirer": "bank-card", "instant-payment": "bank-transfer", "mobile-money": "cash"}
"""The procedure for that way of paying, where a payment service has none of its own."""


def procedure_of(facts: Facts, situation: Situation, service: str | None) -> Procedure | None:
    """How `service` handles the situation: its own procedure, else the one for that way of paying, else None."""
    provider = facts.provider(service or "")
    general = GENERAL_BY_SERVICE.get(provider.id, GENERAL_BY_KIND.get(provider.kind)) if provider else None
    return situation.procedure(service) or situation.procedure(general)


@dataclass(frozen=True)
class Standing:
    """Where a dispute stands once all questions are answered.

    `end` is the last day to act, counted by `rule` or read from the notice; None where it is not known.
    """

    situation: Situation
    procedure: Procedure | None
    outcome: Outcome
    rule: Deadline | None
    end: date | None
    ways: tuple[tuple[Question, Option], ...]

    def is_gone(self, today: date) -> bool:
        """True when the time has run out."""
        return self.end is not None and self.end < today


def standing_of(facts: Facts, case: Case) -> Standing | None:
    """Where the case stands; None while questions are open."""
    situation = facts.situation(case.answer("situation"))
    if situation is None or case.answer("service") is None:
        return None
    outcome = walk(situation, case)
    if isinstance(outcome, Question):
        return None
    procedure = procedure_of(facts, situation, case.answer("service"))
    rule = procedure.deadline(outcome.deadline) if procedure and outcome.deadline else None
    since, until = day_of(case, "since"), day_of(case, "until")
    end = (rule.end(since) if since else None) if rule else until
    return Standing(situation, procedure, outcome, rule, end, tuple(_ways(situation, case)))


def walk(situation: Situation, case: Case) -> Question | Outcome:
    """The first question without an answer, or the outcome that the answers lead to."""
    question = situation.questions[0]
    while True:
        value = case.answer(f"?{question.id}")
        option = next((each for each in question.options if each.id == value), None)
        if option is None:
            return question
        outcome = situation.outcome(option.goes_to)
        if outcome is not None:
            return outcome
        following = situation.question(option.goes_to)
        assert following is not None, "the tables are checked when they are read"
        question = following


def _ways(situation: Situation, case: Case) -> Iterable[tuple[Question, Option]]:
    question: Question | None = situation.questions[0]
    while question is not None:
        value = case.answer(f"?{question.id}")
        option = next(each for each in question.options if each.id == value)
        yield question, option
        question = situation.question(option.goes_to)


def day_of(case: Case, question: str) -> date | None:
    """The day that was given as the answer to `question`; None when there is none, or it is not known."""
    value = case.answer(question)
    return date.fromisoformat(value) if value and value != UNKNOWN else None
