import json
from collections import Counter

import pytest

from auria_bot.art.training.haiku_lm import selection
from auria_bot.art.training.haiku_lm.selection import Floors, kept, reasons
from auria_bot.corpus import verses

GOOD = {
    "lines": ["old house in the wind", "a crow waits on the fence post", "for the winter moon"],
    "form": "575",
    "tier": "machine",
    "nature": 1,
    "likelihood": -2.8,
    "lowest": -6.0,
    "breaks": -0.2,
}


def test_poems_are_dropped_for_reasons():
    """Likelihoods under a floor and more than one abstraction each are a reason; a good poem has none."""
    assert reasons(GOOD, Floors()) == []
    for name in ("likelihood", "lowest", "breaks"):
        assert reasons(GOOD | {name: -20.0}, Floors()) == [name]
    assert "abstract" in reasons(
        GOOD | {"lines": ["love in the wind", "a soul waits on the fence post", "forever"]}, Floors()
    )
    assert "nothing to see" in reasons(GOOD | {"lines": ["it is what it is", "and there you are", "again"]}, Floors())


def test_a_line_comes_back_only_so_often():
    """The same poem is kept a few times at most, and everything is counted."""
    tally = Counter()
    rows = list(kept([GOOD, {"batch": 0, "poems": 1}] * 9, Floors(again=2), tally))
    assert len(rows) == 2
    assert tally == {"poems": 9, "kept": 2, "again": 7}


def test_the_file_is_what_the_poet_reads(tmp_path, monkeypatch, capsys):
    """The command writes a compressed file of verse."""
    pytest.importorskip("zstandard")
    (tmp_path / "in.jsonl").write_text(json.dumps(GOOD) + "\n" + json.dumps({"batch": 0, "poems": 1}) + "\n")
    out = tmp_path / "haiku_machine.jsonl.zst"
    monkeypatch.setattr("sys.argv", ["selection", str(tmp_path / "in.jsonl"), "--out", str(out)])
    selection.main()
    assert "kept 1 of 1" in capsys.readouterr().out
    assert [verse.lines for verse in verses.read(out)] == [tuple(GOOD["lines"])]
