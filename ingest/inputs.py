"""What an index is built from, read afresh: our documents, what agencies have in force, intents and fact tables."""

from __future__ import annotations

from ingest.catalogue import published_documents
from ingest.index import Inputs
from knowledge.documents import Problem, load_documents
from knowledge.facts import load_facts
from knowledge.intents import load_intents
from knowledge.models import Document
from knowledge.settings import Settings


def read_inputs(settings: Settings) -> tuple[Inputs, list[Problem]]:
    """All valid documents, with their references written out, and what agencies have in force; the intents and the
    fact tables; and the problems of the documents left out.

    Raises:
        FactsError: a fact table is not valid; without them no document can be trusted.
        DatabaseError: the catalogue cannot be read.
    """
    facts = load_facts(settings.facts_dir)
    documents, problems = load_documents(settings.documents_dir, facts)
    everything, clashes = with_agencies(documents, published_documents(settings))
    clashing = [
        Problem(settings.documents_dir / f"{id}.md", "id", "is used by an agency's document too") for id in clashes
    ]
    return Inputs(everything, load_intents(), facts), problems + clashing


def with_agencies(documents: list[Document], agencies: list[Document]) -> tuple[list[Document], list[str]]:
    """Our documents and those of agencies together, and the ids of agencies' documents left out for clashing."""
    ours = {document.id for document in documents}
    fitting = [document for document in agencies if document.id not in ours]
    return [*documents, *fitting], [document.id for document in agencies if document.id in ours]
