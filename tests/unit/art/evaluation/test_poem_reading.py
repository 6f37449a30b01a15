"""Sheets of poems to be read blind, and their marks."""

from __future__ import annotations

import json

import pytest

from auria_bot.art.evaluation.poem_reading import HUMAN, Marks, count_marks, poem_requests, poems_of, write_sheet
from auria_bot.errors import InputError
from auria_bot.testing.makers import FakePoet


def _mark(folder, marks) -> None:
    header, *rows = (folder / "sheet.tsv").read_text().splitlines()
    marked = [f"{mark}{row}" for mark, row in zip(marks, rows, strict=True)]
    (folder / "sheet.tsv").write_text("\n".join([header, *marked]) + "\n")


def test_wishes_are_the_same_in_every_run_and_of_three_kinds():
    """A third has a seed alone, a third a mood, a third season words."""
    asked = poem_requests(60)
    assert asked == poem_requests(60)
    assert len({one.seed for one in asked}) == 60
    assert sum(one.mood is not None for one in asked) == sum(one.theme is not None for one in asked) == 20
    assert not any(one.mood and one.theme for one in asked)


def test_a_poet_answers_every_wish(tmp_path):
    """One poem of three lines for each."""
    poems = poems_of(FakePoet(FakePoet.Config(), tmp_path), poem_requests(4))
    assert [poem.count(" / ") for poem in poems] == [2] * 4


def test_the_sheet_does_not_tell_who_wrote_a_poem_and_the_key_does(tmp_path):
    """All poems of all sources stand in one shuffled list."""
    poems = {"lstm": [f"lstm {n} / a / b" for n in range(20)], HUMAN: [f"someone {n} / a / b" for n in range(20)]}
    write_sheet(poems, tmp_path / "sheet")
    header, *rows = (tmp_path / "sheet/sheet.tsv").read_text().splitlines()
    assert header == "mark\tnumber\tpoem"
    assert sorted(row.split("\t")[2] for row in rows) == sorted(poems["lstm"] + poems[HUMAN])
    key = json.loads((tmp_path / "sheet/key.json").read_text())
    assert [key[row.split("\t")[1]] for row in rows] != sorted(key.values())
    for row in rows:
        mark, number, poem = row.split("\t")
        assert mark == ""
        assert poem in poems[key[number]]


def test_marks_are_counted_by_source(tmp_path):
    """Marks go to the source that the key names."""
    write_sheet({"lstm": ["a / b / c"] * 3, HUMAN: ["d / e / f"] * 2}, tmp_path)
    rows = (tmp_path / "sheet.tsv").read_text().splitlines()[1:]
    _mark(tmp_path, ["1" if "d / e" in row else "0" for row in rows])
    assert count_marks(tmp_path) == {HUMAN: Marks(fit=2, read=2), "lstm": Marks(fit=0, read=3)}


def test_the_interval_is_wilsons():
    """Of 45 of 60 it is 62.8 to 84.2 %, by his formula."""
    assert Marks(fit=45, read=60).interval == pytest.approx((0.6277, 0.8422), abs=1e-4)


def test_what_cannot_be_counted_is_refused(tmp_path):
    """A missing sheet, an unmarked poem, and a sheet whose marks would be lost."""
    with pytest.raises(InputError, match="holds no sheet"):
        count_marks(tmp_path)
    write_sheet({"lstm": ["a / b / c"]}, tmp_path)
    with pytest.raises(InputError, match=r"poem 1 .* write 1 or 0"):
        count_marks(tmp_path)
    with pytest.raises(InputError, match="exists already"):
        write_sheet({"lstm": ["a / b / c"]}, tmp_path)
