"""A chat model's translations: taken only when they say the same, marked, and never in the way of an answer."""

from __future__ import annotations

from datetime import date

import pytest
from langchain_core.language_models import FakeListChatModel

from bot.advice import compose
from bot.advice.machine import ChatModelError, MachineTranslator, load_translator
from bot.translation import translator
from ingest.chunking import cut
from knowledge.documents import load_documents
from knowledge.facts import load_facts
from knowledge.models import Document
from knowledge.settings import ROOT

TODAY = date(2026, 11, 22)
ENGLISH = "Etsy takes **6.5%** of the price. See [the page](https://etsy.com/fees)."
SPANISH = "Etsy cobra el **6.5%** del precio de la venta. Vea [la página](https://etsy.com/fees)."


class Counting(FakeListChatModel):
    """Gives its responses in turn; `i` counts them."""


def machine(*responses: str) -> tuple[MachineTranslator, Counting]:
    model = Counting(responses=list(responses))
    return MachineTranslator(model), model


def test_a_faithful_translation_is_taken_and_remembered() -> None:
    translating, _model = machine(SPANISH, "otra cosa")
    assert translating.translate(ENGLISH, "es") == SPANISH
    assert translating.translate(ENGLISH, "es") == SPANISH


@pytest.mark.parametrize(
    "said",
    [
        SPANISH.replace("6.5", "5.6"),
        SPANISH.replace("https://etsy.com/fees", "https://evil.example"),
        SPANISH + " Pague 100 a este número.",
        ENGLISH,
        "",
        SPANISH * 9,
    ],
)
def test_what_says_something_else_is_not_taken(said: str) -> None:
    assert machine(said)[0].translate(ENGLISH, "es") is None


def test_a_model_that_fails_leaves_the_original() -> None:
    class Failing(FakeListChatModel):
        def _call(self, *_: object, **__: object) -> str:
            raise TimeoutError

    assert MachineTranslator(Failing(responses=["x"])).translate(ENGLISH, "es") is None


@pytest.fixture(scope="module")
def guide() -> Document:
    documents, _ = load_documents(ROOT / "knowledge" / "documents" / "guides", load_facts())
    return next(document for document in documents if document.id == "account-suspended-guide")


def test_a_reader_is_told_that_a_machine_translated_it(guide: Document) -> None:
    passages = cut(guide)
    at = next(number for number, each in enumerate(passages) if not any(char.isdigit() for char in each.text))
    said = "Lea el mensaje con calma y no abra los enlaces que trae. Entre en su cuenta desde la aplicación."
    shown = compose.long_form(guide, passages, at, "es", TODAY, machine(said)[0])
    assert said in shown.text.text
    assert (
        translator("es")("Translated by a machine, it may contain errors; the original is in: {language}.").split("{")[
            0
        ]
        in shown.text.text
    )
    plain = compose.long_form(guide, passages, at, "es", TODAY, machine("")[0])
    assert passages[at].text[:40].replace("*", "") in plain.text.text
    assert translator("es")("It is about:") in plain.text.text


def test_a_missing_package_is_said_in_one_line() -> None:
    with pytest.raises(ChatModelError, match="CHAT_MODEL"):
        load_translator("nobody:nothing")
