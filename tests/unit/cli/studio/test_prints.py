"""The commands `print` and `catalogue`, on a home of fakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.domain.pipeline import ROLES
from tests.applications import add_drafts

if TYPE_CHECKING:
    from collections.abc import Callable

    Auria = Callable[..., tuple[int, str, str]]


@pytest.fixture
def made(home: Path) -> Path:
    """A home with two drafts."""
    (home / "auria.toml").write_text("\n".join(f'[{role}]\nbackend = "fake"' for role in ROLES))
    add_drafts(home, 2)
    return home


def test_a_draft_is_printed(made: Path, auria: Auria, tmp_path: Path) -> None:
    """As PNG by default; what was written is said, and as JSON too."""
    target = tmp_path / "one.tif"
    code, shown, progress = auria("print", "1", "--size", "A6", "--dpi", "72", "-o", str(target))
    assert code == 0, progress
    assert "105 x 148 mm, 298 x 420 pixels at 72 dpi" in shown
    assert "making one.tif" in progress
    with Image.open(target) as picture:
        assert picture.format == "TIFF"
    target = tmp_path / "one"
    code, shown, _ = auria("print", "1", "--size", "A6", "--dpi", "72", "--landscape", "-o", str(target), "--json")
    assert json.loads(shown)["pixels"] == [420, 298]
    with Image.open(target) as picture:
        assert picture.format == "PNG"


def test_a_catalogue_is_written(made: Path, auria: Auria, tmp_path: Path) -> None:
    """Of the drafts that are named."""
    pytest.importorskip("fpdf")
    target = tmp_path / "all.pdf"
    code, shown, progress = auria("catalogue", "-o", str(target), "--ids", "1-2", "--size", "A6", "--dpi", "72")
    assert code == 0, progress
    assert "2 works on 5 pages" in shown
    assert target.read_bytes().startswith(b"%PDF")
    title = ("--title", "東京 snow \U0001f319")
    code, _, said = auria("catalogue", "-o", str(target), "--ids", "1", "--size", "A6", "--dpi", "72", *title)
    assert (code, "EB Garamond lacks 3 characters, left out: 東 京 \U0001f319" in said) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("print", "1", "--size", "A99"), "A99"),
        (("print", "9", "--size", "A6"), "9"),
        (("print", "1", "--size", "A6", "--format", "gif"), "png, tiff, pdf"),
        (("print", "1", "--size", "A6", "-o", "x.gif"), "png, tiff, pdf"),
        (("catalogue", "-o", "x.pdf"), "--ids"),
        (("catalogue", "-o", "x.pdf", "--ids", "1,x"), "3,5,8-12"),
        (("catalogue", "-o", "x.pdf", "--ids", "9" * 5000), "3,5,8-12"),
        (("catalogue", "-o", "x.pdf", "--from", "soon"), "2026-11-01"),
        (("catalogue", "-o", "x.pdf", "--state", "lost"), "published"),
    ],
)
def test_what_is_wrong_is_said(made: Path, auria: Auria, arguments: tuple[str, ...], words: str) -> None:
    """And nothing is written."""
    code, _, message = auria(*arguments)
    assert code != 0
    assert words in message
    assert not Path("x.pdf").exists()
