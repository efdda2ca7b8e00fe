"""The kind of goods that people name in their own words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.facts import Facts
from knowledge.normalise import fold, words

LONGEST_PHRASE = 3
FORGIVING_LENGTH = 6
"""Shorter words are taken as they are written: a slip in them makes another word."""


@dataclass
class Goods:
    """Looks up categories by the words of `facts/categories.yaml`, in all languages at once."""

    facts: Facts

    @cached_property
    def _names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for category in self.facts.categories:
            for spellings in (*category.words.values(), *((name,) for name in category.name.values())):
                for spelling in spellings:
                    names.setdefault(" ".join(words(fold(spelling))), category.id)
        return names

    @cached_property
    def _long(self) -> list[str]:
        return [name for name in self._names if " " not in name and len(name) >= FORGIVING_LENGTH]

    def find(self, text: str) -> str | None:
        """The id of the first kind of goods that `text` names, the longest phrase first; None when there is none."""
        tokens = words(fold(text))
        for length in range(LONGEST_PHRASE, 0, -1):
            for at in range(len(tokens) - length + 1):
                found = self._category(" ".join(tokens[at : at + length]))
                if found:
                    return found
        near = (self._misspelt(token) for token in tokens)
        return next((found for found in near if found), None)

    def _category(self, phrase: str) -> str | None:
        found = self._names.get(phrase)
        if found or " " in phrase or len(phrase) < 4:
            return found
        stems = [phrase.removesuffix(ending) for ending in ("s", "es") if phrase.endswith(ending)]
        for article in ("ال", "بال", "لل"):
            if phrase.startswith(article):
                stems.append(phrase.removeprefix(article))
        return next((self._names[stem] for stem in stems if stem in self._names), None)

    def _misspelt(self, word: str) -> str | None:
        if len(word) < FORGIVING_LENGTH or not word.isalpha():
            return None
        near = process.extractOne(word, self._long, scorer=OSA.distance, score_cutoff=1)
        return self._names[near[0]] if near and near[0][0] == word[0] else None
