"""Haiku that were set aside are seldom rejected wrongly."""

from __future__ import annotations

import pytest

from tests.scenarios.held_out_like import MOST_WRONG, data, measured, planted


@pytest.mark.skipif(not data().is_file(), reason="the folder of data is not here")
@pytest.mark.parametrize("which", ["first", "second"])
def test_few_haiku_are_rejected_wrongly(which: str) -> None:
    """At most three of each thousand, and what was labelled as rightly rejected still is."""
    count, wrong, missed = measured(data(), which)
    assert count == 1000
    assert len(wrong) <= MOST_WRONG * count, wrong
    assert not missed


@pytest.mark.skipif(not data().is_file(), reason="the folder of data is not here")
def test_what_must_be_caught_is_caught() -> None:
    """Personal data and slurs in otherwise good verses."""
    count, passed = planted(data())
    assert count == 50 * 23
    assert not passed
