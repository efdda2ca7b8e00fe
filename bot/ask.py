"""The machine contract: questions in, answers out as JSON, through the same advice code as the chat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.advice.adviser import Adviser, Consultation
from bot.advice.reply import Figure
from bot.advice.understand import Profile, Turn
from knowledge.models import LANGUAGES
from knowledge.normalise import visible


class AskedProfile(BaseModel):
    """The optional profile of a question: ISO codes, product in words."""

    model_config = ConfigDict(extra="forbid")

    country: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    product: str | None = Field(default=None, max_length=120)
    market: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    lang: str | None = Field(default=None, pattern=f"^({'|'.join(LANGUAGES)})$")

    def profile(self) -> Profile:
        """The adviser's shape of it."""
        return Profile(language=self.lang, country=self.country, product=self.product, market=self.market)


class Asked(BaseModel):
    """One line of input: `turns`, or `question` for a single one."""

    model_config = ConfigDict(extra="ignore")

    id: str
    turns: list[str] = Field(default_factory=list)
    question: str | None = None
    profile: AskedProfile = AskedProfile()

    @model_validator(mode="after")
    def _one_of_both(self) -> Asked:
        if bool(self.turns) == (self.question is not None):
            raise ValueError("give either turns or question")
        return self

    @property
    def messages(self) -> list[str]:
        """All turns, the last one last."""
        return self.turns or [self.question or ""]


def answer_lines(
    adviser: Adviser, lines: Iterable[str], *, explain: bool = False, figures: bool = True
) -> Iterator[dict[str, Any]]:
    """One JSON object for each non-empty line: the answers, or `{"id", "error"}` for a line that is wrong."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked = Asked.model_validate_json(line)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            yield {"id": _id_of(line, number), "error": f"{where}: {fault['msg']}" if where else fault["msg"]}
            continue
        profile = asked.profile.profile()
        given = answers(adviser, asked.messages, profile, explain=explain, figures=figures)
        yield {"id": asked.id, "answers": given}


def answers(
    adviser: Adviser, messages: Iterable[str], profile: Profile, *, explain: bool = False, figures: bool = True
) -> list[dict[str, Any]]:
    """The answers to the messages of one conversation, in order; without `figures` out of the documents alone."""
    earlier: Turn | None = None
    given = []
    for message in messages:
        consultation = adviser.advise(message, profile, earlier, figures=figures)
        earlier = consultation.turn
        given.append(as_json(consultation, explain=explain))
    return given


def as_json(consultation: Consultation, *, explain: bool = False) -> dict[str, Any]:
    """An answer in the form of the machine contract; `explain` adds what led to it."""
    reply = consultation.reply
    answer: dict[str, Any] = {
        "text": "\n\n".join(filter(None, (reply.text.text, reply.begins.question if reply.begins else ""))),
        "language": reply.language,
        "kind": reply.kind.value,
        "intent": reply.intent,
        "citations": [
            {"title": s.title, "publisher": s.publisher, "url": s.url, "as_of": str(s.as_of)} for s in reply.citations
        ],
        "figures": [figure_json(figure) for figure in reply.figures],
        "confidence": round(reply.confidence, 3),
        "buttons": [button.label for button in reply.buttons],
        "seconds": round(consultation.seconds, 4),
    }
    if explain:
        answer["explain"] = {
            "searched": consultation.question.text,
            "evidence": [{"passage": passage, "score": round(score, 3)} for passage, score in reply.ranking],
            "features": {name: round(value, 4) for name, value in reply.features.items()},
            "intents": {name: round(value, 4) for name, value in reply.intents.items()},
            "steps": {name: round(value, 5) for name, value in consultation.steps.items()},
        }
    return answer


def figure_json(figure: Figure) -> dict[str, Any]:
    """A figure in the form of the machine contract; amounts are decimal strings."""
    shown: dict[str, Any] = {
        "name": figure.name,
        "amount": str(figure.amount) if figure.amount is not None else None,
        "currency": figure.currency,
        "as_of": str(figure.as_of),
    }
    return shown if figure.verdict is None else shown | {"verdict": figure.verdict}


def _id_of(line: str, number: int) -> str:
    import json

    try:
        found = json.loads(line)
    except ValueError:
        return f"line {number}"
    return visible(str(found.get("id", f"line {number}")))[:80] if isinstance(found, dict) else f"line {number}"
