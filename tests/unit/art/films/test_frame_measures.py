"""Tests of auria_bot.art.films.frame_measures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.films import frame_measures
from auria_bot.art.films.frame_measures import KnownFrames, evenly_coloured, evenness, is_blurred, measure

BLUE, RED, GREY = (50.0, 5.0, -40.0), (50.0, 45.0, 20.0), (50.0, 0.0, 0.0)


@pytest.mark.parametrize(("level", "fault"), [(4, "black"), (120, "blank")])
def test_a_frame_that_shows_nothing_has_a_fault(level: int, fault: str) -> None:
    """Black with a little noise is black; one grey is blank; a landscape has no fault."""
    noise = np.random.default_rng(1).integers(0, 2, (90, 160, 3))
    assert measure(Image.fromarray((level + noise).astype(np.uint8))).fault == fault
    assert measure(invented_scene(1, 160)).fault == ""


def test_a_frame_out_of_focus_is_blurred_beside_its_clip() -> None:
    """Sharp frames of a clip are not; the same frame, softened, is; and what is very soft is so by itself."""
    sharp = [measure(invented_scene(seed, 256)).sharpness for seed in range(8)]
    soft = measure(invented_scene(1, 256).filter(ImageFilter.GaussianBlur(4))).sharpness
    assert not any(is_blurred(one, sharp) for one in sharp[:2])
    assert is_blurred(soft, sharp)
    assert is_blurred(measure(invented_scene(1, 256).filter(ImageFilter.GaussianBlur(14))).sharpness, [])


def test_a_near_duplicate_is_found_among_thousands() -> None:
    """A frame compressed and a little darker repeats itself; another one, or the same under another light, does not."""
    known = KnownFrames(5)
    for seed in range(40):
        one = measure(invented_scene(seed, 96))
        known.add(one.fingerprint, one.light, one.colour)
    for number in range(2000):
        known.add(f"{number:016x}", "00" * 64, (99.0, 0.0, 0.0))
    scene = invented_scene(7, 96)
    again = measure(scene.resize((128, 128)).resize((96, 96)))
    assert known.repeats(again.fingerprint, again.light, again.colour) == 7
    dark = measure(Image.eval(scene, lambda value: value // 3))
    assert known.repeats(dark.fingerprint, dark.light, dark.colour) is None
    new = measure(invented_scene(99, 96))
    assert known.repeats(new.fingerprint, new.light, new.colour) is None


def test_without_a_difference_nothing_is_a_duplicate() -> None:
    """Zero bits keep every frame."""
    known = KnownFrames(0)
    one = measure(invented_scene(1, 96))
    known.add(one.fingerprint, one.light, one.colour)
    assert known.repeats(one.fingerprint, one.light, one.colour) is None


def test_common_colours_are_thinned_evenly() -> None:
    """No colour keeps more than its even share, rare ones keep all, and what stays is spread over time."""
    colours = [BLUE] * 90 + [RED] * 20 + [GREY] * 10
    stay = evenly_coloured(colours)
    assert [int(part.sum()) for part in (stay[:90], stay[90:110], stay[110:])] == [40, 20, 10]
    assert np.diff(np.flatnonzero(stay[:90])).max() <= 3
    kept = [colour for colour, one in zip(colours, stay, strict=True) if one]
    assert evenness(kept) > evenness(colours)


def test_evenness_is_one_where_all_colours_are_equally_common() -> None:
    """And falls as one takes over; a single colour is even."""
    assert evenness([BLUE, RED, GREY] * 3) == pytest.approx(1.0)
    assert evenness([BLUE] * 98 + [RED, GREY]) < 0.2
    assert evenness([BLUE]) == 1.0
    assert frame_measures.evenly_coloured([]).tolist() == []


def test_colours_fall_into_classes() -> None:
    """By lightness in steps of 20, and by hue where there is one."""
    classes = {frame_measures.colour_class(one) for one in (BLUE, RED, GREY, (90.0, 0.0, 0.0))}
    assert len(classes) == 4
    assert frame_measures.colour_class((101.0, 0.0, 1.0)) == (4, -1)
