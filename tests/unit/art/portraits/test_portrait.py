"""Portraits by the packaged networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from auria_bot.art.portraits.portrait import PortraitPainter, PortraitRequest
from auria_bot.art.stylists.style_bank import StyleBank
from auria_bot.errors import UnknownName

MODELS = Path(__file__).resolve().parents[4] / "models"


@pytest.fixture(scope="module")
def painter() -> PortraitPainter:
    """The packaged networks and styles."""
    return PortraitPainter(MODELS, bank=lambda: StyleBank.load_all([MODELS / "styles"]), threads=1)


def test_a_seed_decides_about_everything(painter: PortraitPainter) -> None:
    """The same request gives the same bytes; ink has no colour but the seal's, and mountains stand in the lower half."""
    one, again = (np.asarray(painter.paint(PortraitRequest(seed=6)), np.float32) for _ in range(2))
    assert np.array_equal(one, again)
    foot = one[600:760, 300:720]
    assert foot.mean() < one[140:185, 480:540].mean() - 30
    assert np.ptp(foot.mean(axis=(0, 1))) < 30


def test_a_painting_gives_its_colours(painter: PortraitPainter) -> None:
    """Blue for a starry night; what is not known is refused with what is."""
    night = np.asarray(painter.paint(PortraitRequest(seed=5, medium="oil", style="The Starry Night")), np.float32)
    red, _, blue = night[560:760, 300:720].mean(axis=(0, 1))
    assert blue > red + 20
    with pytest.raises(UnknownName, match="known: ink, watercolour, woodblock, oil"):
        painter.paint(PortraitRequest(seed=1, medium="crayon"))
    with pytest.raises(UnknownName, match="no mood"):
        painter.paint(PortraitRequest(seed=1, mood="grumpy"))
