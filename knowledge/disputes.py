"""Decision guides for trouble after a sale: one file a situation, read into typed shapes.

A situation has questions that lead to outcomes, and the procedures of platforms and payment services with their
deadlines. Who a sale went through decides the procedure, the answers decide the outcome.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from knowledge.models import LANGUAGES, CountryCode, Identifier, Strict
from knowledge.normalise import one_form
from knowledge.sourced import Area, Label, Prose, Sourced, WithSources

Key = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=16)]
"""A name within a guide, short enough for a button's data."""

Term = Literal["respond", "inspect", "appeal", "claim"]
"""What a deadline is for: the first answer; the report on goods that came back, before the refund; the appeal against a
decision; the seller's own claim for money."""

Since = Literal["opened", "notice", "decided", "returned", "received", "sold", "paid", "charged"]
"""The day from which a deadline counts: a case was opened against the seller; a notice came; a decision was made; goods
came back to the seller; the seller received goods; the seller sold, paid, or was charged."""

Unit = Literal["days", "business-days", "hours"]

Blank = Literal["order", "item", "amount", "tracking", "date", "other_party", "shop", "reference"]
"""What a letter is filled with; every one has a translated question."""

FIELD = re.compile(r"{(\w+)}")
"""A blank in the body of a letter."""


class Option(Strict):
    """An answer to a question; `goes_to` is a question or an outcome."""

    id: Key
    label: Label
    goes_to: Key


class Question(Strict):
    """A question with two to five answers."""

    id: Key
    ask: Prose
    options: tuple[Option, ...] = Field(min_length=2, max_length=5)


class Outcome(Sourced):
    """Where a way through the questions ends: what to do now, in this order.

    `deadline` is the term of the procedure that counts here; None where nothing runs out. `letter` is the id of the
    draft that fits.
    """

    id: Key
    do: tuple[Prose, ...] = Field(min_length=1, max_length=5)
    deadline: Term | None = None
    letter: Key | None = None


class Tick(Strict):
    """A piece of evidence to tick off."""

    id: Key
    label: Label


class Letter(Strict):
    """A message or appeal to copy. `body` has fields in braces, such as `{order}`."""

    id: Key
    to: Literal["buyer", "platform", "bank", "supplier", "carrier", "complainant"]
    body: Annotated[Prose, Field(max_length=1200)]

    @model_validator(mode="after")
    def _blanks_are_known(self) -> Letter:
        unknown = set(FIELD.findall(self.body)) - set(get_args(Blank))
        if unknown:
            raise ValueError(f"letters.{self.id}.body: {min(unknown)!r} is no blank")
        return self


class Deadline(Strict):
    """`length` days, business days (Monday to Friday) or hours, counted from the day `since`.

    `then` says what happens when it passes.
    """

    term: Term
    length: int = Field(ge=1, le=730)
    unit: Unit
    since: Since
    then: Prose | None = None

    def end(self, start: date) -> date:
        """The last day, rather too early than too late: days count from the day after `start`, public holidays are not
        taken off, and hours are taken to begin with that day, for nobody says at what o'clock it was."""
        if self.unit == "hours":
            return start + timedelta(days=(self.length - 1) // 24)
        if self.unit == "days":
            return start + timedelta(days=self.length)
        day, left = start, self.length
        while left:
            day += timedelta(days=1)
            left -= day.weekday() < 5
        return day


NOBODY = ("bank-card", "bank-transfer", "cash")
"""Ways to be paid that are no service of the tables: a card of any bank, a transfer, cash or mobile money by hand."""


class Procedure(Sourced):
    """How one platform or payment service handles the situation.

    `service` is an id of the tables of platforms and payments, or one of `NOBODY`.
    """

    service: Identifier
    decided_by: Label
    first: Prose
    steps: tuple[Prose, ...] = Field(default=(), max_length=4)
    deadlines: tuple[Deadline, ...] = ()
    evidence: tuple[Tick, ...] = Field(default=(), max_length=4)
    ends: Prose
    appeal: Prose | None = None
    cost: Prose | None = None

    def deadline(self, term: Term | None) -> Deadline | None:
        """The deadline for `term`, if the service has one."""
        return next((each for each in self.deadlines if each.term == term), None)

    @model_validator(mode="after")
    def _one_deadline_a_term(self) -> Procedure:
        terms = [each.term for each in self.deadlines]
        if len(terms) != len(set(terms)):
            raise ValueError(f"procedures.{self.service}.deadlines: a term is used twice")
        return self


class Situation(WithSources):
    """One kind of trouble; the most common has the first `place` in lists.

    `said` are patterns (by language, on folded text) of how sellers report it, `unless` those of the same language that
    say it is something else; `documents` the cards and guides about it; `recourse` the ids of bodies outside that fit
    it, the nearest first.
    """

    id: Key
    title: Label
    place: int = Field(ge=1)
    aim: Prose
    documents: tuple[Identifier, ...] = Field(min_length=1)
    said: dict[str, tuple[str, ...]]
    unless: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    questions: tuple[Question, ...] = Field(min_length=1)
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    evidence: tuple[Tick, ...] = Field(min_length=3, max_length=9)
    letters: tuple[Letter, ...] = Field(min_length=1)
    watch_out: tuple[Prose, ...] = Field(min_length=1, max_length=4)
    recourse: tuple[Identifier, ...] = Field(min_length=1)
    procedures: tuple[Procedure, ...] = ()

    def question(self, id: str) -> Question | None:
        """The question with that id."""
        return next((each for each in self.questions if each.id == id), None)

    def outcome(self, id: str) -> Outcome | None:
        """The outcome with that id."""
        return next((each for each in self.outcomes if each.id == id), None)

    def letter(self, id: str | None) -> Letter | None:
        """The letter with that id."""
        return next((each for each in self.letters if each.id == id), None)

    def procedure(self, service: str | None) -> Procedure | None:
        """How `service` handles it, if that is known."""
        return next((each for each in self.procedures if each.service == service), None)

    def reported_in(self, folded: str, languages: Sequence[str]) -> int:
        """How many characters of `folded` text report this trouble, in one of `languages` (ISO 639-1); 0 when none
        do."""
        found = [
            len(match[0])
            for language, said in self._patterns.items()
            if language in languages and (match := said[0].search(folded)) and not (said[1] and said[1].search(folded))
        ]
        return max(found, default=0)

    @cached_property
    def _patterns(self) -> dict[str, tuple[re.Pattern[str], re.Pattern[str] | None]]:
        def one(patterns: tuple[str, ...]) -> re.Pattern[str]:
            return re.compile(one_form("|".join(patterns)))

        vetoes = {language: one(patterns) for language, patterns in self.unless.items()}
        return {language: (one(patterns), vetoes.get(language)) for language, patterns in self.said.items()}

    def paths(self) -> Iterator[tuple[tuple[str, str], ...]]:
        """All ways through the questions: pairs of question and option, each way up to its outcome."""

        def from_(question: Question) -> Iterator[tuple[tuple[str, str], ...]]:
            for option in question.options:
                step, following = ((question.id, option.id),), self.question(option.goes_to)
                if following is None:
                    yield step
                else:
                    yield from (step + rest for rest in from_(following))

        yield from from_(self.questions[0])

    @model_validator(mode="after")
    def _whole(self) -> Situation:
        names = [each.id for each in self.questions] + [each.id for each in self.outcomes]
        _once("questions and outcomes", names)
        _once("evidence", [each.id for each in self.evidence])
        _once("letters", [each.id for each in self.letters])
        _once("procedures", [each.service for each in self.procedures])
        reached = {self.questions[0].id}
        for at, question in enumerate(self.questions):
            later = {each.id for each in self.questions[at + 1 :]} | {each.id for each in self.outcomes}
            _once(f"questions.{question.id}.options", [each.id for each in question.options])
            for option in question.options:
                if option.goes_to not in later:
                    raise ValueError(f"questions.{question.id}.{option.id}.goes_to: {option.goes_to!r} does not follow")
                reached.add(option.goes_to)
        for unreached in set(names) - reached:
            raise ValueError(f"{unreached}: no answer leads there")
        for outcome in self.outcomes:
            if outcome.letter and self.letter(outcome.letter) is None:
                raise ValueError(f"outcomes.{outcome.id}.letter: {outcome.letter!r} is no letter of this file")
        for procedure in self.procedures:
            own = {each.id for each in self.evidence} & {each.id for each in procedure.evidence}
            if own:
                raise ValueError(f"procedures.{procedure.service}.evidence: {min(own)!r} is asked for already")
        for language in LANGUAGES:
            if not self.said.get(language):
                raise ValueError(f"said.{language}: is missing")
        return self


class Body(Sourced):
    """Somebody outside the platform who can help to settle: a law to quote, a mediator, a regulator, a court.

    `sellers` and `buyers` are the countries of which one has to match; `services` limits it to those.
    """

    id: Identifier
    name: Label
    kind: Literal["law", "mediation", "odr", "regulator", "court", "arbitration", "chamber", "police", "carrier"]
    who: Prose
    how: tuple[Prose, ...] = Field(min_length=1, max_length=4)
    cost: Prose
    sellers: tuple[Area, ...] = ("*",)
    buyers: tuple[Area, ...] = ("*",)
    services: tuple[Identifier, ...] = ()

    def fits(self, seller: CountryCode | None, buyer: CountryCode | None, service: str | None) -> bool:
        """True when it is there for a seller in `seller` with a buyer in `buyer`; what is not known does not count
        against it, except where it is for some countries only."""
        of_seller = "*" in self.sellers or seller in self.sellers
        of_buyer = "*" in self.buyers or buyer in self.buyers
        return of_seller and of_buyer and (not self.services or service in self.services)


class Recourse(WithSources):
    """What there is outside the platforms."""

    bodies: tuple[Body, ...] = ()

    def body(self, id: str) -> Body | None:
        """The body with that id."""
        return next((each for each in self.bodies if each.id == id), None)


def _once(where: str, ids: list[str]) -> None:
    twice = {id for id in ids if ids.count(id) > 1}
    if twice:
        raise ValueError(f"{where}: {min(twice)!r} is used twice")
