"""Poems of the word LSTM that a reader marked as fit to post or not, from which the poem scorer learns.

The shipped ones were marked by a language model, to the rule of `art.evaluation.poem_reading`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.corpus.language.words import models_folder, words
from auria_bot.corpus.sources import stream
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.corpus.language.words import Vocabulary

__all__ = ["FILE", "PLACES", "Marks", "read_marks"]

FILE = "haiku_marks.jsonl.zst"
"""Rows with `lines`, and `fit`: 1 for a poem fit to post, else 0."""

PLACES = 24
"""Tokens of a poem that the scorer reads, <start> and <end> included; padded with 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Poems that a reader marked."""

    tokens: NDArray[np.int64]  # (poems, PLACES)
    fit: NDArray[np.bool_]  # whether each is fit to post

    @classmethod
    def of(cls, marked: Sequence[tuple[Sequence[int], bool]]) -> Marks:
        """Those of word numbers; what is longer than PLACES is left out."""
        short = [(tokens, fit) for tokens, fit in marked if len(tokens) <= PLACES]
        padded = [[*tokens, *[0] * (PLACES - len(tokens))] for tokens, _ in short]
        return cls(
            tokens=np.array(padded, np.int64).reshape(len(short), PLACES), fit=np.array([fit for _, fit in short], bool)
        )

    def part(self, rows: NDArray[np.bool_]) -> Marks:
        """Some of them."""
        return Marks(tokens=self.tokens[rows], fit=self.fit[rows])


def read_marks(data: Path, vocabulary: Vocabulary) -> Marks:
    """The marks in the folder of data, or those that ship; none where neither is there.

    Raises:
        InputError: a row is not a marked poem.
    """
    own = data / FILE
    path = own if own.is_file() else models_folder() / "poet" / FILE
    if not path.is_file():
        return Marks.of(())
    found = []
    for number, (_, text) in enumerate(stream.lines(path, tally=stream.Tally()), start=1):
        try:
            row = json.loads(text)
            found.append((vocabulary.encode([words(line) for line in row["lines"]]), bool(row["fit"])))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"row {number} of {path} is not a poem with its lines and whether it is fit") from None
    return Marks.of(found)
