"""Tests of auria_bot.art.films.steady_style."""

from __future__ import annotations

import itertools

import numpy as np
from PIL import Image

from auria_bot.art.films.steady_style import SteadyStyle, luma_for_flow
from tests.scenarios.films import DrawnMaker

MAKER = DrawnMaker()
STYLES = MAKER.map(MAKER.latents(3, 2), 0.8)


def scene(share: float) -> Image.Image:
    """A frame of 256 x 144 pixels between two key frames."""
    w = ((1 - share) * STYLES[:1] + share * STYLES[1:]).astype(np.float32)
    return Image.fromarray(MAKER.frames(w, 1)[0]).resize((256, 144), Image.Resampling.BICUBIC)


class Boiling:
    """A style whose texture is another in every frame."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, frame: Image.Image) -> Image.Image:
        self.calls += 1
        noise = np.random.default_rng(self.calls).normal(0, 25, (144, 256, 1))
        return Image.fromarray(np.clip(np.asarray(frame, float) + noise, 0, 255).astype(np.uint8))


def change(frames: list[Image.Image]) -> float:
    """Mean squared difference of successive frames."""
    values = [np.asarray(frame, float) for frame in frames]
    return float(np.mean([(two - one) ** 2 for one, two in itertools.pairwise(values)]))


def test_a_style_that_boils_becomes_steady() -> None:
    """Frames change less than half as much, and every other one is not restyled at all."""
    frames = [scene(number / 400) for number in range(8)]
    style, steady = Boiling(), Boiling()
    made = SteadyStyle(steady, every=2)
    assert change([made.restyle(frame) for frame in frames]) < 0.5 * change([style(frame) for frame in frames])
    assert steady.calls == 4


def test_at_a_cut_the_new_frame_is_taken_whole() -> None:
    """Nothing of the earlier shot is left."""
    made = SteadyStyle(lambda frame: frame, every=3)
    made.restyle(scene(0))
    other = Image.fromarray(np.random.default_rng(1).integers(0, 255, (144, 256, 3)).astype(np.uint8))
    assert np.array_equal(np.asarray(made.restyle(other)), np.asarray(other))


def test_a_change_of_light_is_followed() -> None:
    """Where a scene grows dark, so does the restyled one, within two frames."""
    made = SteadyStyle(lambda frame: frame, every=1)
    bright, dark = scene(0), scene(0).point(lambda value: value // 2)
    made.restyle(bright)
    made.restyle(dark)
    found = np.asarray(made.restyle(dark), float)
    assert np.abs(found - np.asarray(dark, float)).mean() < 6


def test_what_is_left_for_later_frames_can_be_kept() -> None:
    """Restored, the next frames are the same bytes."""
    frames = [scene(number / 100) for number in range(6)]
    whole = SteadyStyle(lambda frame: frame.transpose(Image.Transpose.FLIP_TOP_BOTTOM), every=3)
    wanted = [np.asarray(whole.restyle(frame)) for frame in frames]
    first, second = (SteadyStyle(lambda frame: frame.transpose(Image.Transpose.FLIP_TOP_BOTTOM), every=3) for _ in "ab")
    for frame in frames[:3]:
        first.restyle(frame)
    second.restore(first.state())
    assert all(
        np.array_equal(np.asarray(second.restyle(frame)), one)
        for frame, one in zip(frames[3:], wanted[3:], strict=True)
    )
    second.restore(SteadyStyle(lambda frame: frame).state())
    assert second.state() == b""


def test_motion_is_measured_on_a_small_copy() -> None:
    """Of the frame's proportions; a small frame is not enlarged."""
    assert luma_for_flow(Image.new("RGB", (1920, 1080))).shape == (90, 160)
    assert luma_for_flow(Image.new("RGB", (64, 36))).shape == (36, 64)
