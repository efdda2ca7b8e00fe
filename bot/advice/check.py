"""The last look at a reply before it is sent: claims, numbers, length, sources, private data."""

from __future__ import annotations

import re

from bot.advice.reply import PHONE_SIZE, Reply
from knowledge.models import Passage
from knowledge.normalise import western_digits
from knowledge.numerals import localised
from knowledge.search import Evidence

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PRIVATE = re.compile(r"[\w.+-]+@[\w-]+\.\w+|\+\d[\d\s().-]{7,}\d")


def faults(reply: Reply, evidence: Evidence, allowed: str = "") -> list[str]:
    """What is wrong with `reply` as an answer out of `evidence`; empty when it may be sent.

    Every number has to stand in the cited documents or in `allowed` (interface texts, dates), and so must
    every mail address and telephone number.
    """
    found = []
    text = reply.text.text
    if not text.strip():
        found.append("empty")
    if reply.passage is None:  # interface texts claim nothing about the world
        return found
    if not reply.citations:
        found.append("no source")
    if len(reply.text) > PHONE_SIZE + 300:
        found.append(f"{len(reply.text)} characters")
    cited = [hit for hit in evidence.hits if any(source in reply.citations for source in hit.document.sources)]
    if not cited:
        found.append("cites what was not found")
    grounds = allowed + " ".join(
        " ".join(
            (_said(hit.passage, reply.language), *(f"{s.title} {s.publisher} {s.as_of}" for s in hit.document.sources))
        )
        for hit in cited
    )
    known = {*_numbers(grounds), *_numbers(localised(grounds, reply.language))}
    found += [f"number {number} without evidence" for number in _numbers(text) if number not in known]
    found += [f"private data: {item}" for item in _PRIVATE.findall(text) if item not in grounds]
    return found


def _said(passage: Passage, language: str) -> str:
    translated = passage.translations.get(language)
    return f"{passage.standing_alone}\n{translated.standing_alone if translated else ''}"


def _numbers(text: str) -> list[str]:
    return [number.strip(".,").lstrip("0") or "0" for number in _NUMBER.findall(western_digits(text))]
