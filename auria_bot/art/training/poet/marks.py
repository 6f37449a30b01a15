"""Poems of the word LSTM that a reader marked as fit to post or not, and corrected: scorer and poet learn from them.

The shipped ones were marked by a language model, to the rule of `art.evaluation.poem_reading`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.corpus.language.words import models_folder, words
from auria_bot.corpus.sources import stream
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.corpus.language.words import Vocabulary

__all__ = ["FILE", "PLACES", "MarkedPoem", "Marks", "read_marks"]

FILE = "haiku_marks.jsonl.zst"
"""Rows with `lines`; `fit`: 1 for a poem fit to post, else 0; and, where a reader corrected it, `corrected`."""

PLACES = 24
"""Tokens of a poem that the scorer reads, <start> and <end> included; padded with 0."""

_HELD = 8  # one of so many marked poems is held out


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedPoem:
    """A poem that a reader marked, in word numbers."""

    tokens: Sequence[int]
    fit: bool
    corrected: Sequence[int] = ()  # empty: not corrected


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Poems that a reader marked, and the corrected ones, which are fit."""

    tokens: NDArray[np.int64]  # (poems, PLACES)
    fit: NDArray[np.bool_]  # whether each is fit to post
    held: NDArray[np.bool_]  # whether each is held out, for measuring; a corrected one with what it corrects
    original: NDArray[np.int64]  # the row of the poem that each corrects; -1: it is as the poet wrote it

    @classmethod
    def of(cls, marked: Sequence[MarkedPoem]) -> Marks:
        """Those that are not longer than PLACES; every eighth is held out."""
        rows: list[Sequence[int]] = []
        fit: list[bool] = []
        held: list[bool] = []
        original: list[int] = []
        for number, poem in enumerate(poem for poem in marked if len(poem.tokens) <= PLACES):
            rows.append(poem.tokens)
            fit.append(poem.fit)
            original.append(-1)
            if 0 < len(poem.corrected) <= PLACES:
                original.append(len(rows) - 1)
                rows.append(poem.corrected)
                fit.append(True)
            held += [number % _HELD == 0] * (len(rows) - len(held))
        return cls(
            tokens=np.array([[*row, *[0] * (PLACES - len(row))] for row in rows], np.int64).reshape(len(rows), PLACES),
            fit=np.array(fit, bool),
            held=np.array(held, bool),
            original=np.array(original, np.int64),
        )


def read_marks(data: Path, vocabulary: Vocabulary) -> Marks:
    """The marks in the folder of data, or those that ship; none where neither is there.

    Raises:
        InputError: a row is not a marked poem.
    """
    own = data / FILE
    path = own if own.is_file() else models_folder() / "poet" / FILE
    if not path.is_file():
        return Marks.of(())

    def encoded(lines: Any) -> list[int]:
        return vocabulary.encode([words(line) for line in lines])

    found = []
    for number, (_, text) in enumerate(stream.lines(path, tally=stream.Tally()), start=1):
        try:
            row = json.loads(text)
            corrected = encoded(row["corrected"]) if "corrected" in row else ()
            found.append(MarkedPoem(tokens=encoded(row["lines"]), fit=bool(row["fit"]), corrected=corrected))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"row {number} of {path} is not a poem with its lines and whether it is fit") from None
    return Marks.of(found)
