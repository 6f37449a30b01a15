"""The contact sheet."""

from __future__ import annotations

import pytest
from PIL import Image

from auria_bot.art.exporters.contact_sheet import Frame, write
from auria_bot.errors import InputError, PictureError


def _frames(folder, count: int) -> list[Frame]:
    frames = []
    for number in range(count):
        path = folder / f"{number}.png"
        Image.new("RGB", (80, 100), (250, 20 * number, 10)).save(path)
        frames.append(Frame(picture=path, poem=("first snow", "on the hill", "no one"), caption="after nobody"))
    return frames


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (3, 3, 1), (4, 4, 1), (6, 3, 2), (12, 4, 3)])
def test_pictures_hang_in_even_rows(tmp_path, count, columns, rows):
    """Each 432 by 540 pixels, its poem beneath, on paper all around."""
    write(_frames(tmp_path, count), tmp_path / "sheets" / "sheet.jpg")
    with Image.open(tmp_path / "sheets" / "sheet.jpg") as sheet:
        assert sheet.size == (columns * 476 + 44, rows * 734 + 44)
        red = sheet.getpixel((44 + 200, 44 + 200))
        paper = sheet.getpixel((10, 10))
    assert red[0] > 230
    assert red[1] < 30
    assert min(paper) > 225


def test_a_poem_is_written_under_its_picture_and_a_long_line_stays_within(tmp_path):
    """Ink beneath the picture, none beside it."""
    (frame,) = _frames(tmp_path, 1)
    write([Frame(picture=frame.picture, poem=("snow " * 60,) * 3, caption="w" * 300)], tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg").convert("L") as sheet:
        assert min(sheet.crop((44, 600, 476, 700)).tobytes()) < 90
        assert min(sheet.crop((0, 600, 40, 760)).tobytes()) > 200
        assert min(sheet.crop((480, 600, 520, 760)).tobytes()) > 200


def test_nothing_and_a_broken_picture_are_refused(tmp_path):
    """A clear error, and no half-written sheet."""
    with pytest.raises(InputError):
        write([], tmp_path / "sheet.jpg")
    (tmp_path / "x.png").write_bytes(b"x")
    with pytest.raises(PictureError, match="cannot be read"):
        write([Frame(picture=tmp_path / "x.png", poem=(), caption="")], tmp_path / "sheet.jpg")
    assert not (tmp_path / "sheet.jpg").exists()
