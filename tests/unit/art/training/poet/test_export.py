"""Tests of auria_bot.art.training.poet.export."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")

from auria_bot.art.training.poet.export import describe

SHIPPED = Path(__file__).resolve().parents[5] / "models" / "poet"


def test_the_card_that_ships_follows_from_its_figures(tmp_path: Path) -> None:
    """Written anew from config.json and metrics.json, it is the same."""
    for name in ("config.json", "metrics.json"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    describe(tmp_path, {})
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == (SHIPPED / "card.md").read_text(encoding="utf-8")
