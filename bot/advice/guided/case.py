"""What is remembered of somebody who is led step by step, free of database and Telegram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.advice.reply import Button

PREFIX = "c"
"""Of the codes that buttons of a case carry."""


class CaseKind(StrEnum):
    """What somebody is led through."""

    DISPUTE = "dispute"
    CHOICE = "choice"


@dataclass(frozen=True)
class Case:
    """One matter of one person.

    `answers` are pairs of a question's id and the value given, in the order they were given; `marks` what was ticked
    off; `blanks` what letters are filled with. `version` grows with every answer, so that a button knows whether it is
    still the newest.
    """

    id: int
    kind: CaseKind
    answers: tuple[tuple[str, str], ...] = ()
    marks: frozenset[str] = frozenset()
    blanks: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    is_open: bool = True

    def answer(self, question: str) -> str | None:
        """The value given to `question`."""
        return next((value for asked, value in self.answers if asked == question), None)

    def answered(self, question: str, value: str) -> tuple[tuple[str, str], ...]:
        """The answers with one more; an earlier one to the same question, and what came after it, go."""
        kept = []
        for pair in self.answers:
            if pair[0] == question:
                break
            kept.append(pair)
        return (*kept, (question, value))

    def button(self, label: str, page: str, *arguments: object) -> Button:
        """A button that opens `page` of this case."""
        return Button(label, ":".join((PREFIX, str(self.id), page, *map(str, arguments))))

    def choice(self, label: str, value: str) -> Button:
        """A button that answers the question the case stands at."""
        return Button(label, f"{PREFIX}:{self.id}:={self.version}:{value}")


class Takes(StrEnum):
    """What kind of answer a question takes when it is typed."""

    CHOICE = "choice"
    MANY = "many"
    SITUATION = "situation"
    SERVICE = "service"
    COUNTRY = "country"
    MARKET = "market"
    PRODUCT = "product"
    NUMBER = "number"
    DAY = "day"
    COMING_DAY = "coming-day"


@dataclass(frozen=True)
class Ask:
    """A question to the person; `choices` are pairs of label and value. `lead` comes before it."""

    id: str
    text: str
    choices: Sequence[tuple[str, str]]
    takes: Takes = Takes.CHOICE
    lead: str = ""
