"""Tests of auria_bot.art.exporters.exporter and cropping."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.exporters.exporter import PrintExporter, jpeg_within
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
