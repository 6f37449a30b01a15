"""Tests of auria_bot.art.exporters.provenance."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree  # noqa: ICN001 - the whole name says more

from PIL import Image

from auria_bot.art.exporters.provenance import SOURCE_TYPE, exif, icc_profile, png_chunks, record, xmp
from auria_bot.domain.artwork import ArtworkInProgress
from tests.unit.art.exporters.test_exporter import ARTWORK

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
