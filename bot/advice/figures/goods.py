"""The kind of goods that people name in their own words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.facts import Facts
from knowledge.models import LANGUAGES
from knowledge.normalise import fold, words

LONGEST_PHRASE = 4
FORGIVING_LENGTH = 6
"""Shorter words are taken as they are written: a slip in them makes another word."""


@dataclass
class Goods:
    """Looks up categories by the words of `facts/categories.yaml`, in all languages at once."""

    facts: Facts

    @cached_property
    def _by_language(self) -> dict[str, dict[str, str]]:
        names: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
        for category in self.facts.categories:
            for language in LANGUAGES:
                for spelling in (*category.words.get(language, ()), category.name[language]):
                    names[language].setdefault(" ".join(words(fold(spelling))), category.id)
        return names

    @cached_property
    def _of_others(self) -> dict[str, dict[str, str]]:
        """For each language the words of all others, but for those it has itself."""
        return {
            language: {
                name: id for names in self._by_language.values() for name, id in names.items() if name not in own
            }
            for language, own in self._by_language.items()
        }

    @cached_property
    def _long(self) -> dict[int, dict[str, list[str]]]:
        """Single words that are long enough to be misspelt, by their first letter, of each table above."""
        found: dict[int, dict[str, list[str]]] = {}
        for names in (*self._by_language.values(), *self._of_others.values()):
            by_letter = found[id(names)] = {}
            for name in names:
                if " " not in name and len(name) >= FORGIVING_LENGTH:
                    by_letter.setdefault(name[0], []).append(name)
        return found

    def find(self, text: str, language: str = "en") -> str | None:
        """The id of the first kind of goods that `text` names, the longest phrase first; None when there is none.

        Words of `language` (ISO 639-1) come first: French "baskets" are shoes, English ones are not.
        """
        named = self.named(text, language)
        return named[0] if named else None

    def named(self, text: str, language: str = "en") -> tuple[str, str] | None:
        """The id of the kind of goods as `find` gives it, and the words of `text` that name it (folded)."""
        return self._named(text, self._by_language[language]) or self._named(text, self._of_others[language])

    def _named(self, text: str, names: dict[str, str]) -> tuple[str, str] | None:
        tokens = words(fold(text))
        for length in range(LONGEST_PHRASE, 0, -1):
            for at in range(len(tokens) - length + 1):
                phrase = " ".join(tokens[at : at + length])
                if found := _category(phrase, names):
                    return found, phrase
        near = ((self._misspelt(token, names), token) for token in tokens)
        return next(((found, token) for found, token in near if found), None)

    def _misspelt(self, word: str, names: dict[str, str]) -> str | None:
        if len(word) < FORGIVING_LENGTH or not word.isalpha():
            return None
        long = self._long[id(names)].get(word[0], ())
        near = process.extractOne(word, long, scorer=OSA.distance, score_cutoff=1)
        return names[near[0]] if near else None


def _category(phrase: str, names: dict[str, str]) -> str | None:
    found = names.get(phrase)
    if found or " " in phrase or len(phrase) < 4:
        return found
    stems = [phrase.removesuffix(ending) for ending in ("s", "es") if phrase.endswith(ending)]
    stems += [phrase.removeprefix(article) for article in ("ال", "بال", "لل") if phrase.startswith(article)]
    return next((names[stem] for stem in stems if stem in names), None)
