from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus import verses
from auria_bot.corpus.item import from_row
from auria_bot.corpus.language.words import words
from auria_bot.corpus.sources.rows import Row
from auria_bot.corpus.sources.stream import zstandard
from auria_bot.corpus.verses import UnionFind, alike, described, digests, versions, write
from auria_bot.errors import BackendMissing, InputError, NotFound
from tests.scenarios.near_duplicates import FEW

if TYPE_CHECKING:
    from pathlib import Path


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


PIECES = [
    from_row(
        Row(text="an old silent pond/a frog jumps into the pond/splash! silence again", author="Basho"),
        origin="f",
        names=True,
    ),
    from_row(Row(text="first snow/on the half-finished/bridge", licence="CC0", collection="a book"), origin="f"),
]


@pytest.mark.parametrize("suffix", [".jsonl", ".gz", ".zst"])
def test_verses_are_written_and_read(tmp_path: Path, suffix: str):
    """However they are packed; the hash is of the rows alone."""
    made = []
    for name in ("a", "b"):
        file = io.BytesIO()
        made.append(write(file, iter(PIECES), suffix=suffix))
        (tmp_path / f"{name}{suffix}").write_bytes(file.getvalue())
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    rows = b"".join(
        json.dumps(described(piece), ensure_ascii=False, sort_keys=True).encode() + b"\n" for piece in PIECES
    )
    assert made == [(2, hashlib.sha256(rows).hexdigest())] * 2
    assert list(digests(tmp_path / f"a{suffix}")) == [(piece.digest, piece.lines) for piece in PIECES]
    if suffix == ".gz":
        assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == rows


def test_a_row_tells_what_training_needs_and_where_it_is_from():
    """A row has the fields that training needs and its source; an author's name only where it is stored."""
    first, second = map(described, PIECES)
    assert (first["form"], first["syllables"], first["tier"], first["nature"], first["author"]) == (
        "575",
        [5, 7, 5],
        "poets",
        1,
        "Basho",
    )
    assert (second["form"], second["licence"], second["subreddit"], second["season"]) == (
        "free",
        "CC0",
        "a book",
        "winter",
    )
    assert "author" not in second


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch):
    """With how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(BackendMissing, match=r"auria-bot\[corpus\]"):
        zstandard()
