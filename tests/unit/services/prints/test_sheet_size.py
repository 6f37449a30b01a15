"""Tests of auria_bot.services.prints.sheet_size."""

from __future__ import annotations

import pytest

from auria_bot.errors import InputError, UnknownName
from auria_bot.services.prints.sheet_size import length, sheet


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("A2", (420, 594)),
        ("a4", (210, 297)),
        ("letter", (215.9, 279.4)),
        ("600x800mm", (600, 800)),
        ("50 x 70cm", (500, 700)),
        ("24x36in", (609.6, 914.4)),
        ("300x200", (300, 200)),
    ],
)
def test_sizes_are_read_as_operators_write_them(text: str, sides: tuple[float, float]) -> None:
    """By name or by both sides, in millimetres, centimetres or inches."""
    found = sheet(text)
    assert (found.width, found.height) == pytest.approx(sides)


def test_landscape_turns_a_sheet_and_a_bleed_surrounds_it() -> None:
    """And pixels count the bleed."""
    found = sheet("A2", landscape=True, bleed="3mm")
    assert (found.width, found.height, found.bleed) == (594, 420, 3)
    assert found.pixels(300) == (7087, 5031)
    assert sheet("A2").pixels(300) == (4961, 7016)


def test_what_cannot_be_printed_is_said() -> None:
    """No such name, a side too small, a wide bleed, too many pixels, no length."""
    with pytest.raises(UnknownName, match="A3"):
        sheet("A99")
    with pytest.raises(InputError, match="50 to 2000 mm"):
        sheet("1x1mm")
    with pytest.raises(InputError, match="at most 20 mm"):
        sheet("A4", bleed="1in")
    with pytest.raises(InputError, match="lower --dpi"):
        sheet("A0").pixels(1200)
    with pytest.raises(InputError, match="3mm"):
        length("wide")
