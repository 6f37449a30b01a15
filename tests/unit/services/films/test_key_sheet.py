"""Tests of auria_bot.services.films.key_sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.art.pictures import open_picture
from auria_bot.errors import NotFound
from auria_bot.services.films.key_sheet import write_key_sheet
from tests.scenarios.films import planner

if TYPE_CHECKING:
    from pathlib import Path


def test_a_sheet_shows_numbered_key_frames(tmp_path: Path) -> None:
    """As JPEG; an unknown model is refused."""
    maker = planner(tmp_path / "models")
    write_key_sheet(maker, "drawn", tmp_path / "sheet.jpg", seed=5, count=12, truncation=0.8)
    assert open_picture(tmp_path / "sheet.jpg").width == 2000
    with pytest.raises(NotFound):
        write_key_sheet(maker, "oils", tmp_path / "sheet.jpg", seed=5, count=12, truncation=0.8)
