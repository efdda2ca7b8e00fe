"""Documents that go with a computed answer, found by their tags alone."""

from __future__ import annotations

from collections.abc import Iterable

from bot.advice.reply import Button, opening
from knowledge.models import Document, Topic


def guides(
    documents: Iterable[Document],
    topics: tuple[Topic, ...],
    service: str | None,
    country: str | None,
    language: str,
    most: int = 1,
) -> list[Button]:
    """Buttons that open the documents nearest to a platform or payment `service` and a seller's `country`.

    A document of another service or country never counts; one must at least be about the service, or the country.
    """

    def worth(document: Document) -> int:
        services = (*document.platforms, *document.payments)
        about = 4 * (service in services) - len(services) + 3 * (country in document.countries)
        return about + 2 * (document.topic in topics) + any(topic in topics for topic in document.topics)

    def fits(document: Document) -> bool:
        services = (*document.platforms, *document.payments)
        if not any(topic in topics for topic in document.topics):
            return False
        if service is not None and services and service not in services:
            return False
        if document.countries and country not in document.countries:
            return False
        return service in services or country in document.countries

    found = sorted((document for document in documents if fits(document)), key=worth, reverse=True)
    return [opening(document, language) for document in found[:most]]
