"""The poem scorer that ships beside the poet: how much likelier a human wrote a poem than the poet's net did.

Serves the exported network of `art.nets.poem_scorer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art import runtime as runtimes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.poets.decode_state import DecodedPoem
    from auria_bot.corpus.language.words import Vocabulary

__all__ = ["PoemScorer"]

_PLACES = 24  # tokens that the net reads, see nets.poem_scorer


class PoemScorer:
    """Scores poems.

    Args:
        path: critic.onnx.
        vocabulary: the poet's.
        runtime: see art.runtime.

    Raises:
        ModelMissing, ModelCorrupt: the file cannot be used.
    """

    def __init__(self, path: Path, vocabulary: Vocabulary, *, runtime: str = "auto") -> None:
        self._network, self._vocabulary = runtimes.load(path, runtime=runtime), vocabulary

    def __call__(self, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        """(rows,) logits of word numbers (rows, tokens): <start> first, 0 after the end of the poem or beginning."""
        read = np.zeros((len(tokens), _PLACES), np.int64)
        places = min(_PLACES, tokens.shape[1])
        read[:, :places] = tokens[:, :places]
        logits: NDArray[np.float64] = self._network.run({"tokens": read})["logits"].astype(np.float64)
        return logits

    def judge(self, poems: Sequence[DecodedPoem]) -> NDArray[np.float64]:
        """(poems,) logits of finished poems."""
        tokens = np.zeros((len(poems), _PLACES), np.int64)
        for row, poem in enumerate(poems):
            numbers = self._vocabulary.encode(poem.lines)[:_PLACES]
            tokens[row, : len(numbers)] = numbers
        return self(tokens)
