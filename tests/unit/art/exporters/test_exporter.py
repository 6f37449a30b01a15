"""Tests of auria_bot.art.exporters.exporter and cropping."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from xml.etree import ElementTree  # noqa: ICN001 - the whole name says more

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.exporters.exporter import (
    SOURCE_TYPE,
    PrintExporter,
    exif,
    icc_profile,
    jpeg_within,
    png_chunks,
    record,
    xmp,
)
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
    """The files are a PNG of 1080 pixels, a JPEG of 1080 x 1350 under 950 kB and the card; no other file is left."""
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


PLAIN = Image.new("RGB", (16, 16), "teal")
SPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "ext": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "core": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
}


def description(packet: bytes) -> ElementTree.Element:
    """The one description in a packet."""
    found = ElementTree.fromstring(packet).find(".//rdf:Description", SPACES)  # noqa: S314 - our own packet
    assert found is not None
    return found


def test_the_xmp_packet_tells_how_the_picture_came_about() -> None:
    """It is XML, with the IPTC source type, creator, poem, alt text, seed, style and models."""
    fields = description(xmp(ARTWORK))
    assert fields.findtext("ext:DigitalSourceType", namespaces=SPACES) == SOURCE_TYPE
    poem = fields.find("dc:description/rdf:Alt/rdf:li", SPACES)
    assert poem is not None
    assert poem.text == ARTWORK.haiku.text
    alt = fields.find("core:AltTextAccessibility/rdf:Alt/rdf:li", SPACES)
    assert alt is not None
    assert alt.text == ARTWORK.alt_text
    text = xmp(ARTWORK).decode()
    for word in ("Auria", ">42<", "claude-monet-dusk", "ab" * 32, "hopeful"):
        assert word in text


def test_control_characters_and_markup_cannot_break_it() -> None:
    """A theme of NUL, surrogates and angle brackets still gives a packet that parses."""
    hostile = ARTWORK.evolve(theme="\x00]]><b>&\ud800\ufffe ok")
    assert "ok" in ElementTree.tostring(description(xmp(hostile)), "unicode")
    assert exif(hostile)


def test_a_sketch_of_almost_nothing_has_a_record() -> None:
    """Only what is known is told."""
    fields = record(ArtworkInProgress(key="x", seed=1))
    assert set(fields) == {"creator", "software", "digital_source_type", "seed"}
    assert description(xmp(ArtworkInProgress(key="x", seed=1))) is not None


def test_jpeg_carries_exif_and_xmp() -> None:
    """Read back by Pillow: description, artist, software, the record as user comment, the packet."""
    buffer = io.BytesIO()
    PLAIN.save(buffer, "JPEG", exif=exif(ARTWORK), xmp=xmp(ARTWORK), icc_profile=icc_profile())
    with Image.open(buffer) as picture:
        tags = picture.getexif()
        comment = tags.get_ifd(0x8769)[0x9286]
        assert tags[0x010E] == "orange dawn rising"
        assert "Auria" in tags[0x013B]
        assert json.loads(comment.removeprefix(b"UNICODE\0").decode("utf-16-be"))["seed"] == "42"
        assert SOURCE_TYPE.encode() in picture.info["xmp"]
        assert picture.info["icc_profile"] == icc_profile()


def test_png_carries_text_and_xmp() -> None:
    """Read back by Pillow: the registered keywords, the rest as JSON, the packet, the colour space."""
    buffer = io.BytesIO()
    PLAIN.save(buffer, "PNG", pnginfo=png_chunks(ARTWORK))
    with Image.open(buffer) as picture:
        picture.load()
        assert picture.text["Title"] == "orange dawn rising"
        assert picture.text["Source"] == SOURCE_TYPE
        assert json.loads(picture.text["Comment"])["mood"] == "hopeful"
        assert SOURCE_TYPE in picture.text["XML:com.adobe.xmp"]
        assert picture.info["srgb"] == 0


def test_the_colour_profile_knows_no_day() -> None:
    """The date in its header is fixed."""
    assert icc_profile()[24:36] == bytes((7, 229, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))
