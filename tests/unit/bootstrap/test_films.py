"""Tests of auria_bot.bootstrap.films."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.settings.loading import load

if TYPE_CHECKING:
    from pathlib import Path


def test_footage_lies_in_the_home(tmp_path: Path) -> None:
    """And needs no database."""
    app = build(load({"AURIA_HOME": str(tmp_path)}))
    assert app.footage.folder("waves") == tmp_path / "footage" / "waves"
    assert app.footage.names() == ()
    app.close()
    assert list(tmp_path.iterdir()) == []
