"""Words that tell what a message is after, read from `cues.yaml`. Matched on folded text."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from knowledge.normalise import one_form

Cue = Literal[
    "selling", "net", "fee-words", "comparing", "allowed", "joining", "how", "paid", "other-matters", "conditions",
    "a-lot", "places", "abroad", "how-much", "left", "choosing", "alternatives",
    "remind-me", "two-days", "one-day",
]  # fmt: skip
"""`selling` something; what is left (`net`); `fee-words` alone; `comparing` places; being `allowed` to and `joining`;
asking `how`; being `paid`; `other-matters` that have answers of their own; `conditions` that a list of countries
does not answer; a price that is no number (`a-lot`); `places` to sell in general; money from
`abroad`; `how-much`; what is `left`, said outright; wanting to be led to a platform (`choosing`); other ways to sell
(`alternatives`); wanting a reminder (`remind-me`) `two-days` or `one-day` before."""


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    listed = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return {
        cue: re.compile(
            one_form("|".join(dict.fromkeys(pattern for patterns in by_language.values() for pattern in patterns)))
        )
        for cue, by_language in listed.items()
    }


def has(cue: Cue, folded: str) -> bool:
    """True when the folded text shows `cue`."""
    return _patterns()[cue].search(folded) is not None
