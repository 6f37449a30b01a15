"""Numbers are said as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus.language.numerals import spoken_counts


@pytest.mark.parametrize(
    ("digits", "counts"),
    [
        ("0", (2,)),
        ("17", (3,)),
        ("21", (3,)),
        ("70", (3,)),
        ("365", (6,)),
        ("1000", (3,)),
        ("1000000", (3,)),
        ("2010", (3, 4)),
        ("2005", (4,)),
        ("123456789", (23,)),
        ("0123", (5,)),
    ],
)
def test_known_numbers(digits, counts):
    """Tens, hundreds, years."""
    assert spoken_counts(digits) == counts


@given(st.text("0123456789", min_size=1, max_size=50))
def test_every_number_has_a_syllable(digits):
    """However long it is."""
    assert min(spoken_counts(digits)) >= 1
