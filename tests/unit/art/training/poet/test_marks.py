"""Tests of auria_bot.art.training.poet.marks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art.training.poet import marks
from auria_bot.art.training.poet.marks import FILE, PLACES, MarkedPoem, Marks, read_marks
from auria_bot.corpus.language.words import SPECIALS, Vocabulary
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

ROWS = (
    {"lines": ["old pond", "a frog", "rain"], "fit": 1},
    {"lines": ["rain", "a pond", "old frog"], "fit": 0},
    {"lines": ["a pond", "old frog", "frog rain"], "fit": 0, "corrected": ["a pond", "an old frog", "rain"]},
)
VOCABULARY = Vocabulary(words=(*SPECIALS, "old", "pond", "a", "frog", "rain"))


def packed(path: Path) -> None:
    """The rows as a file."""
    zstandard = pytest.importorskip("zstandard")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zstandard.ZstdCompressor().compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))


def test_marks_are_read_from_the_data_or_beside_the_poet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the data go first; without a file there are none."""
    monkeypatch.setattr(marks, "models_folder", lambda: tmp_path / "models")
    assert len(read_marks(tmp_path, VOCABULARY).fit) == 0
    packed(tmp_path / "models" / "poet" / FILE)
    found = read_marks(tmp_path, VOCABULARY)
    assert found.fit.tolist() == [True, False, False, True]
    assert found.original.tolist() == [-1, -1, -1, 2]
    assert VOCABULARY.decode(found.tokens[3].tolist())[0] == ["a", "pond"]
    packed(tmp_path / FILE)
    (tmp_path / "models" / "poet" / FILE).unlink()
    found = read_marks(tmp_path, VOCABULARY)
    assert VOCABULARY.decode(found.tokens[0].tolist()) == [["old", "pond"], ["a", "frog"], ["rain"]]


def test_what_is_too_long_is_left_out() -> None:
    """The scorer reads so many tokens."""
    long = [5] * (PLACES + 1)
    poems = [([1, 5, 3], True, ()), (long, True, ()), ([1, 6, 3], False, long), ([1, 7, 3], False, [1, 8, 3])]
    found = Marks.of([MarkedPoem(tokens=tokens, fit=fit, corrected=better) for tokens, fit, better in poems])
    assert found.tokens[:, 1].tolist() == [5, 6, 7, 8]
    assert found.original.tolist() == [-1, -1, -1, 2]
    assert found.fit.tolist() == [True, False, False, True]


def test_every_eighth_is_held_out_with_its_correction() -> None:
    """What is measured was not learned from."""
    found = Marks.of([MarkedPoem(tokens=[1, 4 + n, 3], fit=False, corrected=[1, 30 + n, 3]) for n in range(9)])
    assert np.flatnonzero(found.held).tolist() == [0, 1, 16, 17]


@pytest.mark.parametrize(
    "row",
    [
        "{",
        '{"lines": ["rain"]}',
        '{"lines": 5, "fit": 1}',
        "[1]",
        '{"lines": [1], "fit": 1}',
        '{"lines": ["rain"], "fit": 0, "corrected": 5}',
    ],
)
def test_a_row_that_is_no_marked_poem_is_named(tmp_path: Path, row: str) -> None:
    """With its number and its file."""
    zstandard = pytest.importorskip("zstandard")
    (tmp_path / FILE).write_bytes(zstandard.ZstdCompressor().compress(f"{json.dumps(ROWS[0])}\n{row}\n".encode()))
    with pytest.raises(InputError, match=f"row 2 of .*{FILE}"):
        read_marks(tmp_path, VOCABULARY)
