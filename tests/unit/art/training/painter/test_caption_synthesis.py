"""Captions whose colour and light words are true."""

from __future__ import annotations

import numpy as np
import pytest

from auria_bot.art.painters.prompt_vocabulary import LIGHT_PHRASES, NOUNS, SCENES
from auria_bot.art.training.painter.caption_synthesis import captions, colour_name, light_of


def plain(*colour):
    """A picture of one colour, with faint grain."""
    return np.clip(
        np.full((64, 64, 3), colour, np.float32) + np.random.default_rng(0).normal(0, 0.01, (64, 64, 3)), 0, 1
    ).astype(np.float32)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0.8, 0.1, 0.1), "red"),
        ((0.95, 0.95, 0.95), "white"),
        ((0.3, 0.5, 0.85), "blue"),
        ((0.02, 0.02, 0.03), "black"),
    ],
)
def test_colour_name(colour, name):
    """A plain area gets its plain name."""
    assert colour_name(plain(*colour)) == name


@pytest.mark.parametrize(
    ("colour", "scene", "light"),
    [
        ((0.05, 0.06, 0.12), "sea", "night"),
        ((0.9, 0.5, 0.2), "sea", "sunset"),
        ((0.5, 0.35, 0.15), "forest", "autumn"),
        ((0.6, 0.6, 0.62), "mountain", "mist"),
    ],
)
def test_light_of(colour, scene, light):
    """The light is read off the picture's colours."""
    assert light_of(plain(*colour), scene) == light


@pytest.mark.parametrize("scene", SCENES)
def test_captions(scene):
    """As many captions as asked, the same for the same seed, each naming the light or the scene, never another scene."""
    picture = plain(0.3, 0.5, 0.85)
    made = captions(picture, scene, "moon", np.random.default_rng(7), 6)
    assert made == captions(picture, scene, "moon", np.random.default_rng(7), 6)
    assert len(made) == 6
    assert any(noun in made[0] for noun in NOUNS[scene])
    for text in made:
        assert any(light in text for light in LIGHT_PHRASES["moon"])
