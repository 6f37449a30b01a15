"""The figure of what followers did."""

from __future__ import annotations

import importlib.util
import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.domain.engagement import Audience, Engagement, PostEngagement
from auria_bot.errors import BackendMissing, DiskError, InputError
from auria_bot.services.engagement import engagement_plot
from auria_bot.services.engagement.engagement_plot import FORMATS, draw
from auria_bot.services.engagement.report import EngagementReport
from tests.factories import NOW

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)


def _look(
    posts: int = 30, *, channels: tuple[str, ...] = ("bluesky", "x"), likes: int | None = 5, followers: bool = True
) -> EngagementReport:
    standings = [
        PostEngagement(
            post_id=number,
            draft_id=number,
            channel=channels[number % len(channels)],
            posted_at=NOW - number * DAY,
            url="",
            mood=("serene", "stormy", "awed")[number % 3],
            style="s",
            cost=0.0,
            vanished_at=None,
            followers=100 if followers else None,
            counts=None if likes is None else Engagement(at=NOW, likes=likes + number),
        )
        for number in range(posts)
    ]
    rows = {name: [Audience(at=NOW - day * DAY, followers=100 - day) for day in range(30, -1, -1)] for name in channels}
    return EngagementReport(posts=standings, followers=rows if followers else {}, zone=NOW.tzinfo)


def test_a_figure_has_its_panels_filled(tmp_path: Path):
    """A PNG of stated size, on paper, in which the channels' colours are found."""
    draw(_look(), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (1950, 1290)
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or ()}
    assert {(0xFB, 0xF8, 0xF1), (0x31, 0x68, 0x8E), (0xC8, 0x55, 0x3D)} <= colours
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize(
    "look",
    [
        _look(1, channels=("x",)),
        _look(2, likes=None, followers=False),
        _look(3, followers=False),
        _look(9, likes=0),
        EngagementReport(posts=_look(2).posts, followers={"bluesky": [Audience(at=NOW, followers=0)]}, zone=NOW.tzinfo),
    ],
)
def test_little_is_drawn_too(look: EngagementReport, tmp_path: Path):
    """One post, none measured, no followers known, no likes: a figure all the same, and no warning."""
    draw(look, tmp_path / "out.png")
    assert (tmp_path / "out.png").stat().st_size > 10_000


@pytest.mark.parametrize("form", [*FORMATS, "JPEG"])
def test_the_ending_decides_the_format(form: str, tmp_path: Path):
    """PNG, SVG, PDF and JPEG."""
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "jpg": b"\xff\xd8", "jpeg": b"\xff\xd8"}
    draw(_look(4), tmp_path / f"out.{form}")
    assert (tmp_path / f"out.{form}").read_bytes().startswith(starts[form.lower()])


def test_what_cannot_be_drawn_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An unknown ending, no posts, a file in the place of the folder, a missing package."""
    with pytest.raises(InputError, match=r"png, svg, pdf, jpg"):
        draw(_look(), tmp_path / "out.bmp")
    with pytest.raises(InputError, match="nothing was published yet"):
        draw(_look(0), tmp_path / "out.png")
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="cannot be written"):
        draw(_look(3), tmp_path / "file" / "out.png")
    (tmp_path / "file").unlink()
    monkeypatch.setattr(
        engagement_plot, "find_spec", lambda name: None if name == "matplotlib" else importlib.util.find_spec(name)
    )
    with pytest.raises(BackendMissing, match=r"auria-bot\[plot\]"):
        draw(_look(), tmp_path / "out.png")
    assert list(tmp_path.iterdir()) == []


def test_labels_never_overlap():
    """Names of channels of the same size stand under each other."""
    places = engagement_plot._spread([10.0, 10.0, 11.0, 90.0], 100.0)
    assert all(right - left >= 7.5 - 1e-9 for left, right in itertools.pairwise(places))
    assert places[-1] == 90.0


def test_without_its_typeface_it_is_drawn_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The package of the cards' typeface may be missing."""
    monkeypatch.setattr(
        engagement_plot,
        "find_spec",
        lambda name: None if name.startswith("fontpkg") else importlib.util.find_spec(name),
    )
    draw(_look(3), tmp_path / "out.png")
    assert (tmp_path / "out.png").exists()
