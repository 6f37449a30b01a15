from __future__ import annotations

import pytest

from auria_bot.corpus.sources.listing import Mark, halves, listings, slice_of, slices
from auria_bot.errors import InputError


def test_a_mark_is_read_as_it_was_written():
    """Every field survives."""
    mark = Mark(seen=5.5, newest="t3_a", top=9.0, top_name="t3_c", anchors=("t3_b", "t3_x"), count=7)
    assert Mark.read(mark.text()) == mark
    assert mark.under_way
    assert Mark.read(None) == Mark()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seen": "x"}', '{"anchors": 5}', "null", '{"seen": null}'])
def test_a_mark_that_cannot_be_read_is_as_none(text: str):
    """The listing is then read from its beginning."""
    assert Mark.read(text) == Mark()


def test_a_finished_walk_lifts_the_mark_and_never_lowers_it():
    """A listing whose newest post is older than before does not make us read all again."""
    assert Mark(seen=5.0, newest="t3_a", top=9.0, top_name="t3_c", anchors=("t3_b",)).finished() == Mark(
        seen=9.0, newest="t3_c"
    )
    assert Mark(seen=5.0, newest="t3_a", top=4.0, top_name="t3_0").finished() == Mark(seen=5.0, newest="t3_a")


def test_listings_by_kind():
    """Top has one for each time, search one for each word, newest first."""
    assert [one.name for one in listings("top")] == ["top day", "top week", "top month", "top year", "top all"]
    assert [dict(one.params)["t"] for one in listings("top", times=["hour"])] == ["hour"]
    (rain,) = listings("search", searches=["rain"])
    assert (dict(rain.params)["sort"], rain.newest_first) == ("new", True)


@pytest.mark.parametrize(("kind", "more"), [("hot", {}), ("top", {"times": ["decade"]}), ("search", {})])
def test_what_is_not_there_is_named(kind: str, more: dict[str, list[str]]):
    """The message lists what there is."""
    with pytest.raises(InputError, match=r"known: |no search terms"):
        listings(kind, **more)


def test_slices_cover_a_stretch_without_gap_or_overlap():
    """The newest first; each begins where the next ends."""
    found = list(slices(1_000.0, 10_000.0, widest=4_000.0))
    assert [(one.since, one.until) for one in found] == [(6_000.0, 10_000.0), (2_000.0, 6_000.0), (1_000.0, 2_000.0)]
    assert dict(found[0].params)["q"] == "timestamp:6000..9999"


def test_a_slice_is_halved_until_it_is_an_hour():
    """The halves meet; the newer comes first."""
    newer, older = halves(slice_of(0.0, 10_001.0))
    assert (older.since, older.until, newer.since, newer.until) == (0.0, 5_000.0, 5_000.0, 10_001.0)
    assert halves(older) == ()
