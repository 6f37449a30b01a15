"""Tests of auria_bot.art.training.haiku_lm.export."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch")

from auria_bot.art.training.haiku_lm.export import describe

SHIPPED = Path(__file__).resolve().parents[5] / "models" / "haiku-lm"
MEASURED = {
    "test_haiku": 431,
    "perplexity_test": 180.4,
    "perplexity_told_test": 120.2,
    "perplexity_test_without": 21000.0,
    "perplexity_told_test_without": 18000.0,
}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The model that ships, without its weights."""
    for name in ("config.json", "metrics.json"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    return tmp_path


def test_the_card_that_ships_follows_from_its_figures(copied: Path) -> None:
    """Written anew from config.json and metrics.json, it is the same."""
    describe(copied, {})
    assert (copied / "card.md").read_text(encoding="utf-8") == (SHIPPED / "card.md").read_text(encoding="utf-8")


def test_figures_of_the_test_split_replace_those_of_validation(copied: Path) -> None:
    """The card names the command that repeats the figures it states."""
    known = describe(copied, MEASURED)
    card = (copied / "card.md").read_text(encoding="utf-8")
    assert "431 test haiku 180, 120 when told" in card
    assert "`auria evaluate haiku-lm --data DIR` repeats it" in card
    assert f"{known['perplexity_validation']:.0f}" not in card
    assert "remarks" not in known
