"""Tests of auria_bot.art.exporters.card."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.exporters.card import (
    LEAST_CONTRAST,
    Frame,
    card,
    contrast,
    drawable,
    palette_of_card,
    poem_rows,
    unset_characters,
    write_sheet,
)
from auria_bot.errors import InputError, PictureError

POEM = ("orange dawn rising", "the sea holds its breath and waits", "a gull calls my name")
CREDIT = "after \u201cImpression, Sunrise\u201d by Claude Monet, 1872"


@pytest.mark.parametrize("colour", ["black", "white", "navy", "red", "lime", "yellow", "#777777", "#202020", "magenta"])
def test_ink_can_be_read_on_every_paper(colour: str) -> None:
    """Whatever the picture, poem and credit have a contrast of 7 at least."""
    inks = palette_of_card(Image.new("RGB", (64, 64), colour))
    assert contrast(inks.ink, inks.paper) >= LEAST_CONTRAST
    assert contrast(inks.quiet, inks.paper) >= LEAST_CONTRAST


def test_contrast_is_wcags() -> None:
    """Black on white is 21, a colour on itself 1."""
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((9, 90, 200), (9, 90, 200)) == pytest.approx(1)


def test_a_night_piece_lies_on_dark_paper() -> None:
    """Dark pictures get dark paper, light ones light paper."""
    assert sum(palette_of_card(Image.new("RGB", (64, 64), "#0a1024")).paper) < 150
    assert sum(palette_of_card(Image.new("RGB", (64, 64), "#e0b080")).paper) > 600


def test_the_poem_stands_beside_the_picture() -> None:
    """Ink lies in the column of the poem, none in the margins."""
    sheet = card(invented_scene(2, 200), POEM, CREDIT, mood="hopeful")
    assert (sheet.size, sheet.mode) == ((1600, 1000), "RGB")
    values = np.asarray(sheet).astype(int)
    ink = np.abs(values - values[2, 2]).sum(axis=2) > 60
    assert ink[380:560, 1008:1512].any()
    assert not ink[:88].any()
    assert not ink[912:].any()
    assert not ink[:, :88].any()
    assert not ink[:, 1512:].any()
    assert not ink[:, 914:1004].any()


@pytest.mark.parametrize(
    "lines",
    [
        ("", "", ""),
        ("w" * 300, "breathtakingly beautiful thoughtfulness straightens through the night", "x"),
        ("\u202e\u200b\x00", "\u53e4\u6c60\u3084", "\U0001f31a"),
        ("can't", "won\u2019t", "it's"),
    ],
)
def test_any_text_stays_inside_the_margins(lines: tuple[str, str, str]) -> None:
    """Endless words, none, and signs the font has not: nothing runs over the right margin."""
    values = np.asarray(card(invented_scene(1, 100), lines, "credit " * 60, mood="m" * 200)).astype(int)
    assert (np.abs(values[:, 1530:] - values[2, 2]).sum(axis=2) < 60).all()


def test_the_same_card_twice() -> None:
    """Setting type draws no lots."""
    one, two = (card(invented_scene(1, 100), POEM, CREDIT) for _ in range(2))
    assert np.array_equal(np.asarray(one), np.asarray(two))


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
    write_sheet(_frames(tmp_path, count), tmp_path / "sheets" / "sheet.jpg")
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
    write_sheet([Frame(picture=frame.picture, poem=("snow " * 60,) * 3, caption="w" * 300)], tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg").convert("L") as sheet:
        assert min(sheet.crop((44, 600, 476, 700)).tobytes()) < 90
        assert min(sheet.crop((0, 600, 40, 760)).tobytes()) > 200
        assert min(sheet.crop((480, 600, 520, 760)).tobytes()) > 200


@pytest.mark.parametrize(("name", "kind"), [("sheet.PNG", "PNG"), ("sheet.webp", "WEBP")])
def test_a_sheet_has_the_format_of_its_name(tmp_path, name: str, kind: str) -> None:
    """A name of no picture is refused before anything is drawn."""
    frames = _frames(tmp_path, 1)
    write_sheet(frames, tmp_path / name)
    with Image.open(tmp_path / name) as sheet:
        assert sheet.format == kind
    with pytest.raises(InputError, match=r"let it end with \.jpeg, \.jpg, \.png, \.webp"):
        write_sheet(frames, tmp_path / "sheet.pdf")


def test_nothing_and_a_broken_picture_are_refused(tmp_path):
    """A clear error, and no half-written sheet."""
    with pytest.raises(InputError):
        write_sheet([], tmp_path / "sheet.jpg")
    (tmp_path / "x.png").write_bytes(b"x")
    with pytest.raises(PictureError, match="cannot be read"):
        write_sheet([Frame(picture=tmp_path / "x.png", poem=(), caption="")], tmp_path / "sheet.jpg")
    assert not (tmp_path / "sheet.jpg").exists()


@pytest.mark.parametrize(
    ("text", "shown", "unset"),
    [
        ("after “神奈川沖浪裏” by 葛飾北斎, 1831", "after “…” by …, 1831", "神奈川沖浪裏葛飾北斎"),
        ("東京 大阪 snow", "… snow", "東京大阪"),
        ("שלום", "…", "שלום"),
        ("moon \U0001f319 rises", "moon rises", "\U0001f319"),
        ("Čapek, Łódź, Ελλάδα, Москва — Vie\u0323\u0302t ½", "Čapek, Łódź, Ελλάδα, Москва — Việt ½", ""),
    ],
)
def test_what_the_font_lacks_is_no_box(text: str, shown: str, unset: str):
    """Words become an ellipsis, signs go; both can be named."""
    assert (drawable(text), unset_characters(text)) == (shown, unset)


def test_a_card_says_what_it_leaves_out(caplog: pytest.LogCaptureFixture):
    """In the log of its step."""
    with caplog.at_level("WARNING"):
        card(Image.new("RGB", (64, 64)), ("first snow", "\U0001f319", "on 東京"), "a credit")
    assert [record.getMessage() for record in caplog.records] == [
        "EB Garamond lacks these characters, which the card leaves out: \U0001f319東京"
    ]


def test_spaces_of_other_kinds_part_words():
    """A no-break space, a tab, a line break and a wide space are spaces."""
    assert drawable("snow\u00a0on\tthe\nold\u3000roof\u200b") == "snow on the old roof"


@pytest.mark.parametrize(("name", "count", "room"), [("s.webp", 89, 88), ("s.jpg", 357, 356), ("s.png", 357, 356)])
def test_a_sheet_that_its_format_cannot_hold_is_refused(tmp_path, name: str, count: int, room: int) -> None:
    """Before anything is drawn; the message says how many pictures fit."""
    with pytest.raises(InputError, match=f"room for {room} pictures, not {count}"):
        write_sheet(_frames(tmp_path, 1) * count, tmp_path / name)


def test_a_poem_of_many_rows_says_that_it_is_cut():
    """Nine rows at most, the last with an ellipsis; a shorter one is whole, the rest of a long line indented."""

    def wrapped(line, measure):
        return [line[at : at + int(measure)] for at in range(0, len(line), int(measure))]

    assert poem_rows(["rain", "x" * 12, "sun"], wrapped, 1, 10) == [
        ("rain", False),
        ("x" * 8, False),
        ("x" * 4, True),
        ("sun", False),
    ]
    rows = poem_rows(["x" * 100, "sun"], wrapped, 1, 10)
    assert len(rows) == 9
    assert rows[-1] == ("x" * 8 + " \u2026", True)
