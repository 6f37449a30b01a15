"""Tests of auria_bot.art.exporters.exporter and cropping."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.exporters.exporter import PrintExporter, correct_exposure, crop, jpeg_within
from auria_bot.domain import interfaces
from auria_bot.domain.artwork import ArtworkInProgress, Haiku, Style
from auria_bot.errors import InputError, PictureError

MODELS = Path("unused")
ARTWORK = ArtworkInProgress(
    key="one",
    seed=42,
    theme="dawn",
    mood="hopeful",
    mood_source="read",
    models=(("poet:word-lstm", "ab" * 32),),
    haiku=Haiku(
        lines=("orange dawn rising", "the sea holds its breath & waits", "a gull <calls> my name"), syllables=(5, 7, 5)
    ),
    style=Style(key="claude-monet-dusk", title="Dusk", artist="Claude Monet", year="1908"),
    alt_text="A sunset over the sea, in orange and blue.",
)


@pytest.fixture
def styled(tmp_path: Path) -> Path:
    """A styled picture."""
    path = tmp_path / "styled.png"
    invented_scene(2, 300).save(path)
    return path


def test_three_files_of_the_right_kind(styled: Path, tmp_path: Path) -> None:
    """PNG of 1080 pixels, JPEG of 1080 x 1350 under 950 kB, card; nothing else is left lying."""
    exporter = PrintExporter(PrintExporter.Config(), MODELS)
    assert isinstance(exporter, interfaces.Exporter)
    files = exporter.export(ARTWORK, styled, tmp_path / "out")
    with Image.open(files["full"]) as full, Image.open(files["post"]) as post, Image.open(files["card"]) as poem:
        assert (full.format, full.size) == ("PNG", (1080, 1080))
        assert (post.format, post.size, post.mode) == ("JPEG", (1080, 1350), "RGB")
        assert (poem.format, poem.size) == ("JPEG", (1600, 1000))
    assert files["post"].stat().st_size <= 950_000
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["card.jpg", "full.png", "post.jpg"]


def test_the_same_artwork_is_the_same_bytes(styled: Path, tmp_path: Path) -> None:
    """No clock and no chance gets into a file."""
    exporter = PrintExporter(PrintExporter.Config(full=300), MODELS)
    digests = []
    for name in ("a", "b"):
        files = exporter.export(ARTWORK, styled, tmp_path / name)
        digests.append(
            [hashlib.sha256(path.read_bytes()).hexdigest() for path in (files["full"], files["post"], files["card"])]
        )
    assert digests[0] == digests[1]


def test_the_theme_can_be_left_out_of_the_metadata(styled: Path, tmp_path: Path) -> None:
    """A theme may be private; no file then contains it."""
    artwork = ARTWORK.evolve(theme="a private theme")
    for theme in (True, False):
        files = PrintExporter(PrintExporter.Config(full=300, theme=theme), MODELS).export(artwork, styled, tmp_path)
        assert any(b"a private theme" in file.read_bytes() for file in files.values()) is theme


def test_a_large_picture_is_not_made_smaller(tmp_path: Path) -> None:
    """The full-size file keeps what the stylist made."""
    invented_scene(1, 320).save(tmp_path / "a.png")
    files = PrintExporter(PrintExporter.Config(full=64), MODELS).export(ARTWORK, tmp_path / "a.png", tmp_path)
    with Image.open(files["full"]) as full:
        assert full.size == (320, 320)


def test_quality_gives_way_to_size() -> None:
    """White noise is squeezed under the limit; an impossible limit is an error."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8))
    assert len(jpeg_within(noise, 60_000, ARTWORK)) <= 60_000
    with pytest.raises(InputError, match="lowest quality"):
        jpeg_within(noise, 2_000, ARTWORK)


def test_bad_input_has_its_errors(tmp_path: Path) -> None:
    """No picture, and no poem."""
    (tmp_path / "a.png").write_text("x")
    with pytest.raises(PictureError):
        PrintExporter(PrintExporter.Config(), MODELS).export(ARTWORK, tmp_path / "a.png", tmp_path)
    with pytest.raises(InputError, match="no poem"):
        PrintExporter(PrintExporter.Config(), MODELS).export(ARTWORK.evolve(haiku=None), tmp_path / "a.png", tmp_path)


def test_the_cut_goes_where_something_is() -> None:
    """Detail on the right is kept, a plain picture is cut in the middle, the shape is exact."""
    values = np.full((200, 200, 3), 120, np.uint8)
    values[:, 150:] = np.random.default_rng(0).integers(0, 256, (200, 50, 3))
    right = np.asarray(crop(Image.fromarray(values), (80, 200)))
    assert right[:, -20:].std() > 20
    middle = Image.fromarray(np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 200, 0).repeat(3, 2))
    assert abs(float(np.asarray(crop(middle, (80, 100))).mean()) - 99.5) < 2
    assert crop(middle, (33, 77)).size == (33, 77)


def scene(lightest: int, darkest: int = 0) -> Image.Image:
    """A warm ramp from dark to light."""
    ramp = np.linspace(darkest, lightest, 128)[None, :, None] * np.array([1.0, 0.85, 0.7])
    return Image.fromarray(np.broadcast_to(ramp, (96, 128, 3)).astype(np.uint8))


def lightness(picture: Image.Image) -> np.ndarray:
    """Of each pixel."""
    return to_lab(np.asarray(picture))[..., 0]


@pytest.mark.parametrize("lightest", [210, 255])
def test_a_picture_that_is_light_enough_is_left_alone(lightest: int) -> None:
    """It is the very same picture."""
    picture = scene(lightest, 20)
    assert correct_exposure(picture) is picture


@pytest.mark.parametrize("lightest", [25, 60, 90])
def test_a_dark_picture_becomes_lighter_and_black_stays_black(lightest: int) -> None:
    """Order is kept, hue too."""
    dark = scene(lightest)
    light = correct_exposure(dark)
    before, after = lightness(dark), lightness(light)
    assert after.mean() > before.mean() * 1.25
    assert after[:, 0].max() < 3
    assert (np.diff(after[0]) > -0.6).all()
    hues = [np.arctan2(*to_lab(np.asarray(one))[0, 100, :0:-1]) for one in (dark, light)]
    assert abs(hues[0] - hues[1]) < 0.2


@pytest.mark.parametrize(("darkest", "lightest"), [(90, 170), (130, 220), (60, 120)])
def test_a_flat_picture_gets_depth(darkest: int, lightest: int) -> None:
    """From dark to light it is wider by a tenth or more, by no more than the third that lifting may add, and nothing is cut off."""
    flat = scene(lightest, darkest)
    deep = correct_exposure(flat)
    before, after = (np.ptp(lightness(one)) for one in (flat, deep))
    assert 1.1 * before < after < 1.7 * before
    assert lightness(deep).min() > 3
    assert lightness(deep).max() < 97


def test_pale_colours_are_strengthened_and_greys_stay_grey() -> None:
    """Little colour becomes a little more, of the same hue; none stays none."""
    ramp = np.linspace(20, 240, 128)[None, :, None] * np.ones((96, 1, 3))
    grey = Image.fromarray(ramp.astype(np.uint8))
    assert np.abs(to_lab(np.asarray(correct_exposure(grey)))[..., 1:]).max() < 1
    pale = Image.fromarray((ramp * [1.0, 0.97, 0.92]).astype(np.uint8))
    before, after = (to_lab(np.asarray(one))[0, 100, 1:] for one in (pale, correct_exposure(pale)))
    assert 1.1 < np.hypot(*after) / np.hypot(*before) < 1.4
    assert abs(np.arctan2(*after) - np.arctan2(*before)) < 0.15


def test_an_even_picture_stays_even() -> None:
    """What is flat on purpose gets no steps."""
    assert np.ptp(lightness(correct_exposure(scene(150, 148)))) < 4


def test_black_alone_stays_black() -> None:
    """Nothing is made of nothing."""
    assert not np.asarray(correct_exposure(Image.new("RGB", (64, 64)))).any()
