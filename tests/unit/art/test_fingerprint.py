"""Tests of auria_bot.art.fingerprint."""

from __future__ import annotations

from PIL import ImageEnhance

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.fingerprint import difference, fingerprint
from auria_bot.art.safety_filter import StandardSafetyFilter


def test_different_scenes_differ() -> None:
    """Of 28 pairs of made-up scenes none is within the bits that count as a repetition."""
    marks = [fingerprint(invented_scene(seed)) for seed in range(8)]
    gaps = [difference(one, other) for at, one in enumerate(marks) for other in marks[:at]]
    assert min(gaps) >= StandardSafetyFilter.Config().least_difference


def test_the_same_scene_stays_the_same() -> None:
    """Smaller and darker, its hash hardly changes."""
    scene = invented_scene(5)
    assert difference(fingerprint(scene), fingerprint(ImageEnhance.Brightness(scene.resize((70, 70))).enhance(0.8))) < 5
