"""Tests of auria_bot.art.evaluation.stylist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.evaluation.stylist import edges_kept, evaluate, invented_scene, pictures_of
from auria_bot.art.real_esrgan import RealEsrgan
from auria_bot.art.stylists.magenta import Magenta

MODELS = Path(__file__).resolve().parents[4] / "models"


def test_edges_are_told_from_no_edges() -> None:
    """All stay in a recoloured picture, few in a turned one, none in a flat one."""
    scene = invented_scene(1, 128)
    recoloured = Image.fromarray(np.asarray(scene) // 2 + 60)
    assert edges_kept(scene, recoloured) > 0.9
    assert edges_kept(scene, scene.transpose(Image.Transpose.ROTATE_90)) < 0.7
    assert edges_kept(scene, invented_scene(9, 128)) < 0.75


def test_scenes_are_made_up_where_there_are_none(tmp_path: Path) -> None:
    """By seed, the same each time."""
    assert len(pictures_of(None, 3)) == 3
    assert pictures_of(tmp_path, 2)[1].tobytes() == invented_scene(1).tobytes()


def test_the_bar_in_small() -> None:
    """Three made-up scenes at 128 pixels: every colour distance halves and most edges stay."""
    stylist = Magenta(Magenta.Config(work=128, strokes=128), MODELS)
    enlarger = RealEsrgan(RealEsrgan.Config(last_pass=64), MODELS)
    figures = evaluate(stylist, enlarger, pictures_of(None, 3), size=128)
    assert figures.pairs == 3
    assert figures.halved == pytest.approx(1.0)
    assert figures.edges > 0.7
    assert figures.seconds > 0
