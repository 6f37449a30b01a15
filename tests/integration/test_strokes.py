"""The benchmarks strokes, hands and sharpness in small."""

from __future__ import annotations

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.stylists.hands import hand_of
from auria_bot.art.stylists.media import render
from tests.scenarios.strokes import finest_octave, odd_inputs, recognise, shipped_bank


def test_no_odd_input_fails() -> None:
    """One pixel, 1:20, grey, flat, transparent, in every medium."""
    assert odd_inputs(64) == []


def test_hands_are_recognised() -> None:
    """Far more often than by chance, which is one family of seven, and one in twenty."""
    scenes = [invented_scene(seed, 160) for seed in (1, 7, 8)]
    found = recognise(scenes[:1], scenes[1:], every=40, canvas=(216, 270))
    assert found.asked >= 4
    assert found.family >= 0.4
    assert found.right > 0


def test_paintings_are_sharp_where_pictures_are_soft() -> None:
    """A soft picture gets the finest detail of paint."""
    soft = invented_scene(4, 64)
    hand = hand_of(shipped_bank().find("starry night").hand)
    painted = render(soft, size=(540, 675), hand=hand, seed=1)
    assert finest_octave(painted) > 3 * finest_octave(soft.resize((540, 675)))
