"""Tests of auria_bot.art.real_esrgan, with the model that ships."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.real_esrgan import RealEsrgan
from auria_bot.domain import interfaces
from auria_bot.errors import InputError, ModelCorrupt, ModelMissing, PictureError, UnknownName

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.fixture(scope="module")
def enlarger() -> RealEsrgan:
    """The enlarger that ships, aiming low to be quick."""
    return RealEsrgan(RealEsrgan.Config(network="fast", last_pass=128), MODELS)


def test_the_short_side_is_what_was_asked_for(enlarger: RealEsrgan, tmp_path: Path) -> None:
    """Larger, smaller and odd sizes; the shape of the picture stays; the same bytes again."""
    assert isinstance(enlarger, interfaces.Enlarger)
    invented_scene(1, 32).resize((32, 40)).save(tmp_path / "a.png")
    for size in (8, 32, 101, 200):
        enlarger.enlarge(tmp_path / "a.png", tmp_path / "b.png", size=size)
        with Image.open(tmp_path / "b.png") as large:
            assert min(large.size) == size
            assert large.size[1] == pytest.approx(size * 40 / 32, abs=1)
    first = (tmp_path / "b.png").read_bytes()
    enlarger.enlarge(tmp_path / "a.png", tmp_path / "b.png", size=200)
    assert (tmp_path / "b.png").read_bytes() == first


def test_a_picture_that_is_too_narrow_is_refused(enlarger: RealEsrgan) -> None:
    """It would have thousands of millions of pixels."""
    with pytest.raises(PictureError, match=r"8 x 20000 pixels is too narrow .* 1080 x 2700000"):
        enlarger.enlarged(Image.new("RGB", (8, 20_000)), 1080)


def test_enlarging_keeps_the_picture(enlarger: RealEsrgan) -> None:
    """Made small again, the large picture is the small one without its grain."""
    scene = invented_scene(1, 32)
    back = enlarger.enlarged(scene, 128).resize((32, 32), Image.Resampling.BOX)
    assert (
        np.abs(np.asarray(back, np.float64) - np.asarray(scene, np.float64)).mean() < 10
    )  # the net takes the grain out


def test_tiles_leave_no_seam() -> None:
    """In tiles or at once: the same picture within a step of 8 bits."""
    scene = invented_scene(2, 48)
    config = RealEsrgan.Config(network="fast", last_pass=192)
    whole = RealEsrgan(config, MODELS).enlarged(scene, 192)
    tiled = RealEsrgan(replace(config, tile=20), MODELS).enlarged(scene, 192)
    gap = np.abs(np.asarray(whole, np.int16) - np.asarray(tiled, np.int16))
    assert gap.mean() < 0.1
    assert gap.max() <= 12


def test_x4plus_draws_more_detail_and_keeps_the_colours() -> None:
    """Also in tiles, which fit together; made small again, its picture is the small one."""
    scene = invented_scene(1, 32)
    fine = RealEsrgan(RealEsrgan.Config(last_pass=128), MODELS)
    large, plain = fine.enlarged(scene, 128), scene.resize((128, 128), Image.Resampling.BICUBIC)
    back = np.asarray(large.resize((32, 32), Image.Resampling.BOX), np.float64)
    assert np.abs(back - np.asarray(scene, np.float64)).mean() < 12
    assert _detail(large) > 1.3 * _detail(plain)
    tiled = RealEsrgan(RealEsrgan.Config(last_pass=128, tile=20), MODELS).enlarged(scene, 128)
    assert np.abs(np.asarray(large, np.float64) - np.asarray(tiled, np.float64)).mean() < 6
    assert list(fine.models()) == ["enlarger-x4plus"]


def _detail(picture: Image.Image) -> float:
    light = np.asarray(picture.convert("L"), np.float64)
    return float(np.abs(np.diff(light, 2, axis=0)).mean() + np.abs(np.diff(light, 2, axis=1)).mean())


def test_the_small_network_stands_in(tmp_path: Path) -> None:
    """Where the models folder has no x4plus; a network that does not exist is refused."""
    (tmp_path / "enlarger").symlink_to(MODELS / "enlarger")
    assert list(RealEsrgan(RealEsrgan.Config(), tmp_path).models()) == ["enlarger"]
    with pytest.raises(UnknownName, match="x4plus, fast"):
        RealEsrgan(RealEsrgan.Config(network="x9"), MODELS)


def test_bad_input_has_its_errors(enlarger: RealEsrgan, tmp_path: Path) -> None:
    """No picture, an impossible size, a missing and a corrupt model."""
    (tmp_path / "a.png").write_text("x")
    with pytest.raises(PictureError):
        enlarger.enlarge(tmp_path / "a.png", tmp_path / "b.png", size=64)
    for size in (0, 100_000):
        with pytest.raises(InputError, match="cannot be enlarged"):
            enlarger.enlarge(tmp_path / "a.png", tmp_path / "b.png", size=size)
    with pytest.raises(ModelMissing):
        RealEsrgan(RealEsrgan.Config(), tmp_path)
    copy = tmp_path / "models" / "enlarger"
    copy.mkdir(parents=True)
    for file in (MODELS / "enlarger").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / "model.onnx").write_bytes(b"broken")
    with pytest.raises(ModelCorrupt):
        RealEsrgan(RealEsrgan.Config(network="fast"), tmp_path / "models")


def test_it_names_its_model(enlarger: RealEsrgan) -> None:
    """By hash."""
    assert len(enlarger.models()["enlarger"]) == 64
