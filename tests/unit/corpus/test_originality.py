import random

import pytest

from auria_bot.corpus.originality import CopyGuard
from auria_bot.errors import ModelCorrupt, ModelMissing

POEM = [["an", "old", "pond"], ["a", "frog", "leaps", "in", "again"], ["the", "sound", "of", "water"]]


def test_long_lines_and_pairs_are_copies():
    """A line of five words, or two short lines together, are known again; a short line alone is free."""
    guard = CopyGuard(CopyGuard.build([POEM]))
    assert guard.copied([["x"], POEM[1], ["y"]]) == ["a frog leaps in again"]
    assert guard.copied([["an", "old", "pond"], ["b"], ["the", "sound", "of", "water"]]) == []
    short = [["cold", "moon"], ["the", "gate", "stands"], ["open"]]
    assert CopyGuard(CopyGuard.build([short])).copied([["cold", "moon"], ["the", "gate", "stands"], ["shut"]])


def test_of_some_poems_only_pairs_are_copies():
    """A line of theirs is free, two neighbouring ones are not."""
    guard = CopyGuard(CopyGuard.build([], paired=[POEM]))
    assert guard.copied([["x"], POEM[1], ["y"]]) == []
    assert guard.copied([["x"], *POEM[1:]]) == ["a frog leaps in again / the sound of water"]


def test_it_knows_all_and_hardly_anything_else():
    """Every line given is known; of lines never given none is, in some thousands."""
    rng = random.Random(1)
    lines = [[rng.choice("abcdefgh") * rng.randint(1, 4) for _ in range(7)] for _ in range(4000)]
    known, strange = lines[:2000], [line for line in lines[2000:] if line not in lines[:2000]]
    guard = CopyGuard(CopyGuard.build([[line] for line in known]))
    assert all(guard.copied([line]) for line in known)
    assert not any(guard.copied([line]) for line in strange)


@pytest.mark.parametrize("data", [b"", b"nonsense" * 40_000, CopyGuard.build([POEM])[:-1]])
def test_a_broken_guard_is_told(data):
    """A guard that is cut short or something else raises ModelCorrupt."""
    with pytest.raises(ModelCorrupt):
        CopyGuard(data)


def test_a_missing_guard_is_told(tmp_path):
    """A guard that is not there raises ModelMissing."""
    with pytest.raises(ModelMissing):
        CopyGuard.load(tmp_path / "none.bin")
