"""Tests of auria_bot.services.prints.painting."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import InputError
from auria_bot.services.prints.painting import CanvasPainter
from tests.house import fake_house

if TYPE_CHECKING:
    from pathlib import Path


def test_a_draft_is_painted_at_any_size_and_kept_once(tmp_path: Path) -> None:
    """A kept picture has its size, its dpi and a profile, and is not painted again; what is old is deleted."""
    app = fake_house(tmp_path / "home")
    (draft,) = app.studio.make(ArtworkRequest(count=1, seed=1)).drafts
    painter = app.canvas_painter
    assert painter.paint(draft, (120, 150)).size == (120, 150)
    path = painter.kept(draft, (120, 150), 300)
    with Image.open(path) as picture:
        assert (picture.size, round(picture.info["dpi"][0])) == ((120, 150), 300)
        assert picture.info["icc_profile"]
    before = path.stat().st_mtime_ns
    assert painter.kept(draft, (120, 150), 300) == path
    assert path.stat().st_mtime_ns == before
    other = painter.kept(draft, (60, 75), 300)
    assert other != path
    os.utime(other, (time.time() - 30 * 86_400,) * 2)
    painter.tidy((path,))
    assert not path.exists()
    assert not other.exists()
    app.close()


def test_a_stylist_without_canvas_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the setting that helps."""
    app = fake_house(tmp_path / "home")
    (draft,) = app.studio.make(ArtworkRequest(count=1, seed=1)).drafts
    monkeypatch.delattr("auria_bot.testing.FakeStylist.painted")
    with pytest.raises(InputError, match="magenta"):
        app.canvas_painter.paint(draft, (60, 75))
    assert isinstance(app.canvas_painter, CanvasPainter)
    app.close()
