import json

import pytest

from auria_bot.corpus import verses
from auria_bot.errors import InputError, NotFound


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
