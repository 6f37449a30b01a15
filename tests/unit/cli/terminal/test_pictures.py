"""Pictures in a terminal."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from auria_bot.cli.terminal.pictures import Drawing, choose, draw
from auria_bot.errors import PictureError

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-kitty"}, Drawing.KITTY),
        ({**XTERM, "TERM_PROGRAM": "ghostty"}, Drawing.KITTY),
        ({**XTERM, "TERM_PROGRAM": "iTerm.app"}, Drawing.ITERM),
        ({**XTERM, "TERM_PROGRAM": "WezTerm"}, Drawing.ITERM),
        ({"TERM": "foot"}, Drawing.SIXEL),
        ({**XTERM, "COLORTERM": "truecolor"}, Drawing.BLOCKS),
        (XTERM, Drawing.BLOCKS_256),
        (
            {"TERM": "tmux-256color", "TMUX": "socket,1,0", "KITTY_WINDOW_ID": "1", "COLORTERM": "truecolor"},
            Drawing.BLOCKS,
        ),
        ({"TERM": "vt100"}, Drawing.NONE),
        ({"TERM": "dumb"}, Drawing.NONE),
        ({}, Drawing.NONE),
        ({**XTERM, "COLORTERM": "truecolor", "NO_COLOR": "1"}, Drawing.NONE),
    ],
)
def test_the_way_to_draw_follows_what_the_terminal_says_of_itself(environment, expected):
    """A multiplexer swallows graphics, and who wants no colour gets none."""
    assert choose(environment, terminal=True) is expected
    assert choose(environment, terminal=False) is Drawing.NONE


@pytest.fixture
def picture(tmp_path):
    """2 x 4 pixels of known colours."""
    image = Image.new("RGB", (2, 4))
    image.putdata(
        [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 0, 0), (255, 255, 255), (9, 9, 9), (1, 2, 3)]
    )
    image.save(tmp_path / "small.png")
    return tmp_path / "small.png"


def test_a_half_block_shows_two_pixels(picture):
    """The upper pixel is the ink, the lower the paper, and each line ends without colour."""
    assert draw(picture, Drawing.BLOCKS, columns=2, rows=2) == (
        "\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[38;2;0;255;0;48;2;255;255;0m▀\x1b[0m\n"
        "\x1b[38;2;0;0;0;48;2;9;9;9m▀\x1b[38;2;255;255;255;48;2;1;2;3m▀\x1b[0m\n"
    )


def test_older_terminals_get_the_nearest_of_256_colours(picture):
    """Red, green, blue, yellow, black and white stand in the colour cube itself."""
    assert draw(picture, Drawing.BLOCKS_256, columns=2, rows=2).startswith(
        "\x1b[38;5;196;48;5;21m▀\x1b[38;5;46;48;5;226m▀"
    )


@pytest.mark.parametrize(
    ("size", "columns", "rows"), [((400, 500), 80, 20), ((1000, 100), 80, 20), ((10, 900), 30, 40)]
)
def test_a_picture_keeps_its_shape_and_stays_in_the_room_it_was_given(tmp_path, size, columns, rows):
    """A cell counts as twice as high as wide."""
    Image.new("RGB", size).save(tmp_path / "x.png")
    lines = draw(tmp_path / "x.png", Drawing.BLOCKS, columns=columns, rows=rows).splitlines()
    wide = lines[0].count("▀")
    assert wide <= columns
    assert len(lines) <= rows
    assert wide / (2 * len(lines)) == pytest.approx(size[0] / size[1], rel=0.25)


def test_kitty_gets_the_picture_as_png_in_small_chunks(tmp_path):
    """The protocol allows 4,096 characters a command; put together they are the picture."""
    noise = np.random.default_rng(1).integers(0, 255, (60, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "x.png")
    commands = re.findall(
        r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", draw(tmp_path / "x.png", Drawing.KITTY, columns=20, rows=10)
    )
    assert all(len(data) <= 4096 for _, data in commands)
    assert "c=20,r=10" in commands[0][0]
    assert [head.rpartition("m=")[2] for head, _ in commands] == ["1"] * (len(commands) - 1) + ["0"]
    sent = Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in commands))))
    assert np.array_equal(np.asarray(sent), noise)


def test_iterm_gets_the_picture_inline(picture):
    """One sequence, with the room it may take."""
    drawn = draw(picture, Drawing.ITERM, columns=4, rows=4)
    head, _, data = drawn.partition(":")
    assert head.startswith("\x1b]1337;File=inline=1;width=4;height=4;")
    assert Image.open(io.BytesIO(base64.b64decode(data.rstrip("\x07\n")))).size == (2, 4)


def test_sixel_draws_the_picture(tmp_path):
    """Decoded by the standard's rules, every pixel has its colour to within the palette's steps of 1 %."""
    image = Image.new("RGB", (90, 90), (200, 30, 40))
    image.paste((10, 90, 220), (0, 40, 50, 90))
    image.save(tmp_path / "x.png")
    shown = _decoded(draw(tmp_path / "x.png", Drawing.SIXEL, columns=10, rows=5))
    assert shown.shape == (90, 90, 3)
    assert np.abs(shown.astype(int) - np.asarray(image).astype(int)).max() <= 4


def _decoded(drawn: str) -> np.ndarray:
    """A small sixel reader: raster size, palette, repeats, carriage returns and new lines."""
    body = re.fullmatch(r'\x1bP0;1q"1;1;(\d+);(\d+)(.*)\x1b\\\n', drawn, re.DOTALL)
    width, height = int(body[1]), int(body[2])
    canvas, palette, colour, x, top = np.zeros((height + 6, width, 3), np.uint8), {}, 0, 0, 0
    for number, setting, repeat, char in re.findall(r"#(\d+)((?:;\d+)*)|(?:!(\d+))?([?-~$-])", body[3]):
        if number:
            colour = int(number)
            if setting:
                palette[colour] = [round(int(part) * 255 / 100) for part in setting.split(";")[2:]]
        elif char == "$":
            x = 0
        elif char == "-":
            x, top = 0, top + 6
        else:
            length = int(repeat or 1)
            for bit in range(6):
                if (ord(char) - 63) >> bit & 1:
                    canvas[top + bit, x : x + length] = palette[colour]
            x += length
    return canvas[:height]


def test_nothing_is_drawn_where_nothing_can_be(picture):
    """Without a terminal or colours only text is printed."""
    assert draw(picture, Drawing.NONE, columns=10, rows=10) == ""


def test_a_file_that_is_no_picture_is_told_as_such(tmp_path):
    """A damaged file must not end in a traceback."""
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match=r"x\.png cannot be drawn"):
        draw(tmp_path / "x.png", Drawing.BLOCKS, columns=10, rows=10)
