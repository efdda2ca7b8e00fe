"""Example utterances of messages that are no question for the knowledge base, by intent.

They are encoded with the documents' question forms, so that one vector of a message tells both what it
asks and whether it is greeting, chat about something else, too vague, or a wish we must not serve.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field

from knowledge.models import Strict
from knowledge.settings import ROOT

INTENTS = ROOT / "knowledge" / "intents"


class Intent(Strict):
    """One intent with its examples: language (ISO 639-1) to utterances as people type them."""

    name: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)
    description: str
    examples: dict[str, tuple[str, ...]]

    @property
    def all_examples(self) -> tuple[str, ...]:
        """The examples of all languages."""
        return tuple(example for examples in self.examples.values() for example in examples)


def load_intents(folder: Path = INTENTS) -> list[Intent]:
    """Read all intents, one YAML file each, in the order of their file names.

    Raises:
        pydantic.ValidationError, yaml.YAMLError: a file is not valid (the files are part of the program).
    """
    return [
        Intent.model_validate(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
        for path in sorted(folder.glob("*.yaml"))
    ]
