"""Tests of auria_bot.services.footage.contact_sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import NotFound
from auria_bot.services.footage.contact_sheet import write_sheet
from auria_bot.services.footage.library import Footage, FootageLibrary

if TYPE_CHECKING:
    from pathlib import Path


def test_a_set_without_frames_has_no_sheet(tmp_path: Path) -> None:
    """The message names the command that says why."""
    library = FootageLibrary(tmp_path)
    library.save(Footage(name="sea", width=64, height=64, shape="square"))
    with pytest.raises(NotFound, match="auria footage show sea"):
        write_sheet(library, "sea", tmp_path / "a.jpg", count=3)
