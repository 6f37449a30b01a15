"""Oil strokes: the same seed gives the same bytes, any picture can be painted, and the picture stays what it is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.stylists.oil_strokes import HANDS, hand_for, paint

SIZE = (216, 270)


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    """A made-up landscape."""
    return invented_scene(2, 192)


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of the blurred pictures, 0 to 255."""
    first, second = (
        np.asarray(picture.resize(SIZE).filter(ImageFilter.GaussianBlur(8)), np.float32) for picture in (one, other)
    )
    return float(np.abs(first - second).mean())


@pytest.mark.parametrize("name", HANDS)
def test_a_painting_keeps_the_pictures_forms_and_colours(scene: Image.Image, name: str) -> None:
    """From a distance it is the picture; near by it has strokes, which another seed lays otherwise."""
    painted = paint(scene, SIZE, HANDS[name], seed=1)
    assert painted.size == SIZE
    assert distance(painted, scene) < 14
    assert paint(scene, SIZE, HANDS[name], seed=1).tobytes() == painted.tobytes()
    assert paint(scene, SIZE, HANDS[name], seed=2).tobytes() != painted.tobytes()


def test_strokes_are_sharp_at_any_size(scene: Image.Image) -> None:
    """A large canvas has more detail than the picture enlarged."""

    def detail(picture: Image.Image) -> float:
        light = np.asarray(picture.convert("L"), np.float32)
        return float(np.abs(np.diff(light, axis=0)).mean() + np.abs(np.diff(light, axis=1)).mean())

    large = (864, 1080)
    assert detail(paint(scene, large, HANDS["long"], seed=1)) > 1.25 * detail(
        scene.resize(large, Image.Resampling.LANCZOS)
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (7, 140), (2, 2)])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (120, 40, 200)])
def test_odd_pictures_are_painted(size: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """One pixel, stripes and flat colours."""
    assert paint(Image.new("RGB", size, colour), size, HANDS["dabs"], seed=0).size == size


def test_the_hand_suits_the_picture() -> None:
    """Flat light is painted smoothly, stripes in long strokes, and noise is not."""
    chance = np.random.default_rng(3)
    stripes = np.repeat(np.where(np.arange(300) // 20 % 2, 220, 30)[None], 300, 0)
    noise = chance.integers(0, 2, (30, 30)).repeat(10, 0).repeat(10, 1) * 200
    grey = np.full((300, 300), 120)
    names = [hand_for(Image.fromarray(values.astype(np.uint8)).convert("RGB")) for values in (grey, stripes, noise)]
    assert names[:2] == ["smooth", "long"]
    assert names[2] in {"dabs", "bold"}
    assert hand_for(Image.new("RGB", (1, 1))) == "smooth"
