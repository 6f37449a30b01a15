"""Styles with a network of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx")

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.stylists.style_networks import StyleNetworks
from auria_bot.errors import ModelCorrupt, UnknownName
from tests.style_networks import MODELS, write_inverting_network

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def networks(tmp_path: Path) -> StyleNetworks:
    """One network, which inverts, beside other models."""
    write_inverting_network(tmp_path, "negative")
    (tmp_path / "stylist").mkdir()
    (tmp_path / "style-unfinished").mkdir()
    return StyleNetworks(tmp_path, side=64)


def test_networks_are_found_by_their_names_alone(networks: StyleNetworks):
    """Whatever the case; not by artist or title, which mean paintings of the style bank."""
    assert networks.names() == ("negative",)
    found = networks.find(" NEGATIVE ")
    assert found is not None
    assert (found.key, found.artist) == ("negative", "Vincent van Gogh")
    assert [each.key for each in networks.paintings()] == ["negative"]
    assert networks.find("Vincent van Gogh") is None
    with pytest.raises(UnknownName, match="known: negative"):
        networks.restyle(Image.new("RGB", (8, 8)), "positive", strength=1.0)


def test_a_network_paints_on_the_graded_picture(networks: StyleNetworks):
    """Where the picture's colours stay, the network's result is that of the picture."""
    picture = invented_scene(1, 48)
    restyled = networks.restyle(picture, "negative", strength=0.0)
    difference = np.asarray(restyled, int) - (255 - np.asarray(picture, int))
    assert np.abs(difference).mean() < 2
    assert networks.restyle(picture, "negative", strength=1.0).tobytes() != restyled.tobytes()


@pytest.mark.parametrize(
    ("mode", "size"),
    [("RGB", (1, 1)), ("RGB", (33, 47)), ("L", (40, 30)), ("RGBA", (31, 32)), ("RGB", (200, 3)), ("P", (90, 120))],
)
def test_every_size_and_mode_gives_rgb_of_the_same_size(networks: StyleNetworks, mode: str, size: tuple[int, int]):
    """One pixel, odd sides, grey, transparency, palettes, and more pixels than the network paints at once."""
    picture = invented_scene(1, 64).convert(mode).resize(size)
    restyled = networks.restyle(picture, "negative", strength=0.7)
    assert (restyled.mode, restyled.size) == ("RGB", size)
    assert restyled.tobytes() == networks.restyle(picture, "negative", strength=0.7).tobytes()


def test_the_networks_that_were_used_are_named_by_hash(networks: StyleNetworks, tmp_path: Path):
    """Only those; one whose files were changed is refused."""
    assert networks.used() == {}
    networks.restyle(Image.new("RGB", (8, 8)), "negative", strength=1.0)
    assert list(networks.used()) == ["style-negative"]
    (tmp_path / "style-negative" / "model.onnx").write_bytes(b"other")
    with pytest.raises(ModelCorrupt, match="checksum"):
        StyleNetworks(tmp_path).restyle(Image.new("RGB", (8, 8)), "negative", strength=1.0)


@pytest.mark.parametrize("name", ["starry-night", "great-wave"])
def test_the_networks_that_ship_paint(name: str):
    """Each takes less than a megabyte, is not a painting of the style bank, and changes a picture without darkening it."""
    networks = StyleNetworks(MODELS, threads=1)
    painting = networks.find(name)
    assert painting is not None
    assert painting.licence.startswith("public domain")
    assert sum(path.stat().st_size for path in (MODELS / f"style-{name}").iterdir()) < 1_000_000
    scene = invented_scene(3, 96)
    restyled = networks.restyle(scene, name, strength=0.0)
    difference = np.asarray(restyled, float) - np.asarray(scene, float)
    assert 4 < np.abs(difference).mean() < 60
    assert abs(difference.mean()) < 20
