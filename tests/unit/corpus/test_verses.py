from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus import verses
from auria_bot.corpus.language.words import words
from auria_bot.corpus.verses import UnionFind, alike, versions
from auria_bot.errors import InputError, NotFound
from tests.scenarios.near_duplicates import FEW


def test_rows_that_are_no_poems_are_passed_over(tmp_path):
    """Broken rows, and rows without lines, do not stop the reading."""
    good = {"lines": ["Old pond", "a frog"], "form": "free", "tier": "poets", "nature": 2}
    path = tmp_path / "verse.jsonl"
    path.write_text("\n".join(["{", "[]", '{"lines": 3}', '{"lines": []}', json.dumps(good)]))
    (verse,) = verses.read(path)
    assert verse.tokens == [["old", "pond"], ["a", "frog"]]
    assert (verse.form, verse.tier, verse.nature) == ("free", "poets", 2)


def test_files_that_cannot_be_read_are_told(tmp_path):
    """A missing file and a false .zst file raise errors of their own."""
    with pytest.raises(NotFound):
        list(verses.read(tmp_path / "none.jsonl"))
    pytest.importorskip("zstandard")
    (tmp_path / "false.jsonl.zst").write_bytes(b"not zstandard at all")
    with pytest.raises(InputError):
        list(verses.read(tmp_path / "false.jsonl.zst"))


def test_versions_of_a_poem_share_a_split():
    """Poems with a long line or five words in common, or the same words, stay together; others may part."""
    poems = [
        [["the", "old", "pond"], ["a", "frog", "leaps", "in"], ["splash"]],
        [["at", "dusk"], ["a", "frog", "leaps", "in"], ["again"]],
        [["splash"], ["leaps", "in", "a", "frog"], ["the", "old", "pond"]],
        [["winter", "moon"], ["nothing", "moves"], ["but", "breath"]],
    ]
    assert verses.clusters(poems) == [0, 0, 0, 3]
    assert len(set(verses.splits(poems)[:3])) == 1


def test_the_split_depends_on_the_words_alone():
    """The same poems in another order have the same splits, in the stated shares."""
    poems = [[[f"word{number}", "falls"], ["on", f"leaf{number * 7}"]] for number in range(4000)]
    forward = verses.splits(poems)
    assert forward == verses.splits(poems[::-1])[::-1]
    assert 0.03 < forward.count("test") / 4000 < 0.05
    assert 0.90 < forward.count("train") / 4000 < 0.94


def poem(*lines: str) -> list[list[str]]:
    """Lines of words."""
    return [words(line) for line in lines]


POND = poem("an old silent pond", "a frog jumps into the pond", "splash! silence again")


@pytest.mark.parametrize(
    "other",
    [
        poem("AN OLD, SILENT POND...", "a frog jumps into the pond", "Splash - silence; again"),
        poem("an old silent pond", "a toad jumps into the pond", "splash! silence again"),
        poem("an old silent pond a frog", "jumps into the pond", "splash silence again"),
        poem("an old silent pond", "a frog jumps into the pond", "the sound of water"),
        poem("an old and silent pond", "a frog jumps into the pond", "splash! silence again"),
        poem("old silent pond", "a frog jumps into the pond", "splash! silence again"),
    ],
)
def test_a_version_is_found(other: list[list[str]]) -> None:
    """Case and marks, one word changed, added or left out, other breaks, one line changed."""
    strangers = [
        poem("first snow", "on the half finished bridge", "falling"),
        poem("an old silent house", "the rain", "again"),
    ]
    assert versions([strangers[0], POND, strangers[1], other]) == [0, 1, 2, 1]


def test_strangers_that_share_a_line_stay_apart() -> None:
    """One line in common is chance; two short ones are an idiom."""
    assert versions([POND, poem("an old silent pond", "the moon comes out to look", "at its own face")]) == [0, 1]
    assert versions([poem("i wait", "for you", "to call me back"), poem("i wait", "for you", "under a cold moon")]) == [
        0,
        1,
    ]


def test_many_planted_versions_among_many_poems() -> None:
    """Of 300 planted ones nearly all are found, and nothing else."""
    rng = random.Random(7)
    poems = [[rng.choices(FEW, k=count) for count in (3, 5, 3)] for _ in range(3000)]
    planted = []
    for number in rng.sample(range(3000), 300):
        copy = [list(line) for line in poems[number]]
        line = rng.randrange(3)
        copy[line][rng.randrange(len(copy[line]))] = "zebra"
        planted.append((number, copy))
    found = versions([*poems, *(copy for _, copy in planted)])
    right = sum(found[3000 + place] == found[number] for place, (number, _) in enumerate(planted))
    wrong = sum(found[number] != number for number in range(3000))
    assert right == 300
    assert wrong == 0


def test_nothing_is_like_nothing() -> None:
    """Empty poems do no harm."""
    assert versions([]) == []
    assert alike([["a"]], [["a"]])
    assert not alike([["a", "b"]], [["c", "d"]])


_PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20)


@given(_PAIRS)
def test_a_group_is_named_by_its_first_member_and_is_what_the_pairs_connect(pairs: list[tuple[int, int]]) -> None:
    """As a search through the pairs finds it, in whatever order they come."""
    groups = UnionFind(12)
    for pair in pairs:
        groups.join(*pair)
    wanted = []
    for start in range(12):
        reached, waiting = {start}, [start]
        while waiting:
            at = waiting.pop()
            new = {b if a == at else a for a, b in pairs if at in {a, b}} - reached
            reached |= new
            waiting += new
        wanted.append(min(reached))
    assert groups.roots() == wanted
