"""Tests of auria_bot.art.exporters.contact_sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.art.exporters.contact_sheet import write_contact_sheet
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_sheet_shows_every_frame(tmp_path: Path) -> None:
    """In rows of equal pictures beneath a title, however long the text of one is."""
    frames = []
    for number in range(7):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (64, 36), (30 * number, 200, 90)).save(path)
        frames.append((path, f"{'a long name ' * 30}{number}"))
    write_contact_sheet("seven", frames, tmp_path / "new" / "sheet.jpg")
    with Image.open(tmp_path / "new" / "sheet.jpg") as sheet:
        assert sheet.width == 2000
        colours = {colour[0] // 30 for _, colour in sheet.convert("RGB").getcolors(10_000_000) if 190 < colour[1] < 210}
    assert colours >= set(range(7))


def test_a_text_of_several_lines_is_written_in_one(tmp_path: Path) -> None:
    """A file's name may hold line breaks."""
    Image.new("RGB", (64, 36)).save(tmp_path / "a.png")
    for name in ("one", "two"):
        text = "a name" if name == "one" else "a\nname\r"
        write_contact_sheet("texts", [(tmp_path / "a.png", text)], tmp_path / f"{name}.jpg")
    assert (tmp_path / "one.jpg").read_bytes() == (tmp_path / "two.jpg").read_bytes()


def test_a_sheet_of_nothing_is_refused(tmp_path: Path) -> None:
    """One needs a frame."""
    with pytest.raises(InputError, match="1 to 400 frames, not 0"):
        write_contact_sheet("none", [], tmp_path / "a.jpg")
