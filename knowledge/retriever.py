"""LangChain's retriever interface to the hybrid search.

In a module of its own: the bot does not need it, and its imports take a second and 25 MB.
"""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from knowledge.gazetteer import Gazetteer
from knowledge.search import HybridSearch


class HybridRetriever(BaseRetriever):
    """LangChain's retriever interface to `HybridSearch`; entities are found in the question itself."""

    search: HybridSearch
    gazetteer: Gazetteer
    k: int = 5

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        evidence = self.search.search(query, self.gazetteer.find(query), limit=self.k)
        return [
            LangChainDocument(
                id=hit.passage.id,
                page_content=hit.passage.standing_alone,
                metadata={"document": hit.document.id, "score": hit.score, "confidence": evidence.confidence},
            )
            for hit in evidence.hits
        ]
