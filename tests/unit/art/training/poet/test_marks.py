"""Tests of auria_bot.art.training.poet.marks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auria_bot.art.training.poet import marks
from auria_bot.art.training.poet.marks import FILE, PLACES, Marks, read_marks
from auria_bot.corpus.language.words import SPECIALS, Vocabulary
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

ROWS = ({"lines": ["old pond", "a frog", "rain"], "fit": 1}, {"lines": ["rain", "a pond", "old frog"], "fit": 0})
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
    assert read_marks(tmp_path, VOCABULARY).fit.tolist() == [True, False]
    packed(tmp_path / FILE)
    (tmp_path / "models" / "poet" / FILE).unlink()
    found = read_marks(tmp_path, VOCABULARY)
    assert VOCABULARY.decode(found.tokens[0].tolist()) == [["old", "pond"], ["a", "frog"], ["rain"]]


def test_what_is_too_long_is_left_out() -> None:
    """The scorer reads so many tokens."""
    found = Marks.of([([1, 5, 3], True), ([5] * (PLACES + 1), True), ([1, 6, 3], False)])
    assert found.tokens.shape == (2, PLACES)
    assert found.part(found.fit).tokens[0, :4].tolist() == [1, 5, 3, 0]


@pytest.mark.parametrize(
    "row", ["{", '{"lines": ["rain"]}', '{"lines": 5, "fit": 1}', "[1]", '{"lines": [1], "fit": 1}']
)
def test_a_row_that_is_no_marked_poem_is_named(tmp_path: Path, row: str) -> None:
    """With its number and its file."""
    zstandard = pytest.importorskip("zstandard")
    (tmp_path / FILE).write_bytes(zstandard.ZstdCompressor().compress(f"{json.dumps(ROWS[0])}\n{row}\n".encode()))
    with pytest.raises(InputError, match=f"row 2 of .*{FILE}"):
        read_marks(tmp_path, VOCABULARY)
