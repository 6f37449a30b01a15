"""Pictures are fitted: as they are where they fit, else remade with their provenance; nothing of them is cut off."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from auria_bot.art.exporters.exporter import SOURCE_TYPE, exif, icc_profile, xmp
from auria_bot.channels.pictures import fit_picture
from auria_bot.domain.artwork import ArtworkInProgress, Haiku
from auria_bot.domain.interfaces import Limits
from auria_bot.domain.post import Post, PostState
from auria_bot.errors import Rejected
from tests.scenarios.colour_profiles import profile_of

if TYPE_CHECKING:
    from pathlib import Path

ARTWORK = ArtworkInProgress(
    key="k",
    seed=7,
    theme="frost",
    mood="serene",
    haiku=Haiku(lines=("old pond", "a frog", "splash"), syllables=(2, 2, 1)),
    alt_text="A pond under trees.",
)


def post(path: Path, sha256: str | None = None) -> Post:
    """A post of that picture."""
    return Post(
        id=1,
        draft_id=1,
        channel="x",
        state=PostState.SENDING,
        due=datetime(2026, 11, 21, tzinfo=UTC),
        text="t",
        alt_text="a",
        picture=str(path),
        signature="s",
        key="k",
        picture_sha256=sha256 if sha256 is not None else hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def painting(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture with something in it."""
    image = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (image, image.transpose(Image.Transpose.ROTATE_180), image)).convert(mode)


def saved(path: Path, image: Image.Image, **options: Any) -> Post:
    """A post of a picture that is written to that path."""
    image.save(path, **options)
    return post(path)


def seen(content: bytes) -> Image.Image:
    """The picture as a platform's server reads it."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("over", [0, 1])
def test_a_byte_too_much_and_it_is_remade(tmp_path: Path, over: int) -> None:
    """At the limit it is sent byte for byte."""
    path = tmp_path / "picture.jpg"
    made = saved(path, painting(400, 500), quality=95)
    size = path.stat().st_size
    fitted = fit_picture(made, Limits(picture_bytes=size - over))
    assert len(fitted.content) <= size - over
    assert (fitted.content == path.read_bytes()) is (over == 0)
    assert (fitted.width, fitted.height, fitted.media_type) == (400, 500, "image/jpeg")


@pytest.mark.parametrize("over", [0, 1])
def test_a_pixel_too_much_and_it_is_made_smaller(tmp_path: Path, over: int) -> None:
    """The longest side counts, and the ratio stays."""
    made = saved(tmp_path / "picture.jpg", painting(400, 500))
    fitted = fit_picture(made, Limits(picture_pixels=500 - over))
    assert (fitted.width, fitted.height) == ((399, 499) if over else (400, 500))
    assert seen(fitted.content).size == (fitted.width, fitted.height)


@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    pixels=st.integers(1, 500) | st.none(),
    ratios=st.tuples(st.floats(0.3, 1), st.floats(1, 3)) | st.none() | st.just((0.8, 1.91)),
    weight=st.integers(2500, 20_000) | st.none(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_limit_is_kept(
    tmp_path: Path, width: int, height: int, pixels: int | None, ratios: tuple[float, float] | None, weight: int | None
) -> None:
    """Whatever the picture's size: pixels, ratio after rounding, and bytes; what cannot be is refused with the limit."""
    made = saved(tmp_path / "picture.jpg", painting(width, height), quality=90)
    limits = Limits(picture_pixels=pixels, ratios=ratios, picture_bytes=weight)
    try:
        fitted = fit_picture(made, limits)
    except Rejected as error:
        assert f"under {weight} bytes" in str(error)  # noqa: PT017
        return
    image = seen(fitted.content)
    assert image.size == (fitted.width, fitted.height)
    assert image.format == "JPEG"
    assert pixels is None or max(image.size) <= pixels
    assert ratios is None or ratios[0] <= image.width / image.height <= ratios[1]
    assert weight is None or len(fitted.content) <= weight
    assert fit_picture(made, limits) == fitted


@pytest.mark.parametrize(
    ("size", "framed"),
    [((1080, 1351), (1081, 1351)), ((1080, 1350), (1080, 1350)), ((191, 100), (191, 100)), ((192, 100), (192, 101))],
)
def test_a_ratio_one_over_is_put_right(tmp_path: Path, size: tuple[int, int], framed: tuple[int, int]) -> None:
    """By the narrowest margin there is."""
    made = saved(tmp_path / "picture.jpg", painting(*size))
    fitted = fit_picture(made, Limits(ratios=(0.8, 1.91)))
    assert (fitted.width, fitted.height) == framed


@pytest.mark.parametrize("size", [(100, 400), (400, 100)])
def test_nothing_is_cut_off(tmp_path: Path, size: tuple[int, int]) -> None:
    """The whole picture stands in the middle of a margin in its corners' colour."""
    image = Image.new("RGB", size, (200, 30, 40))
    ImageDraw.Draw(image).rectangle(
        (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4), fill=(20, 40, 220)
    )
    fitted = fit_picture(saved(tmp_path / "picture.png", image), Limits(ratios=(0.8, 1.91)))
    shown = seen(fitted.content)
    left, top = (shown.width - size[0]) // 2, (shown.height - size[1]) // 2
    inner = shown.crop((left, top, left + size[0], top + size[1]))
    for at in ((5, 5), (size[0] // 2, size[1] // 2), (size[0] - 5, size[1] - 5)):
        assert max(abs(a - b) for a, b in zip(inner.getpixel(at), image.getpixel(at), strict=True)) < 12
    assert max(abs(a - b) for a, b in zip(shown.getpixel((1, 1)), (200, 30, 40), strict=True)) < 20


def test_an_endless_strip_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    """Its margin would be thousands of times its own size; made small, it is taken."""
    made = saved(tmp_path / "strip.png", Image.new("RGB", (1, 60_000)))
    with pytest.raises(Rejected, match="ratio is too far"):
        fit_picture(made, Limits(ratios=(0.8, 1.91)))
    fitted = fit_picture(made, Limits(ratios=(0.8, 1.91), picture_pixels=1080))
    assert (fitted.width, fitted.height) == (864, 1080)


def test_too_many_pixels_are_refused_unread(tmp_path: Path) -> None:
    """A picture of few bytes may be a wall of pixels."""
    path = tmp_path / "wall.png"
    painting(1, 1).save(path)
    small = path.read_bytes()
    for size in ((10_001, 10_000), (40_000, 20_000)):
        header = b"IHDR" + struct.pack(">II", *size) + small[24:29]
        path.write_bytes(small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:])
        with pytest.raises(Rejected, match="100000000"):
            fit_picture(post(path), Limits())


def test_a_picture_that_cannot_be_light_enough_is_refused_with_the_limit(tmp_path: Path) -> None:
    """After every quality and size was tried."""
    made = saved(tmp_path / "picture.jpg", Image.effect_noise((640, 640), 90))
    with pytest.raises(Rejected, match="under 900 bytes"):
        fit_picture(made, Limits(picture_bytes=900))
    assert fit_picture(made, Limits(picture_bytes=60_000)).width < 640


def test_provenance_is_kept(tmp_path: Path) -> None:
    """Remade from JPEG or PNG, the file still says that a machine made it, its poem and its seed."""
    told = {"exif": exif(ARTWORK), "icc_profile": icc_profile()}
    jpeg = saved(tmp_path / "picture.jpg", painting(400, 500), xmp=xmp(ARTWORK), **told)
    from auria_bot.art.exporters.exporter import png_chunks

    png = saved(tmp_path / "picture.png", painting(400, 500), pnginfo=png_chunks(ARTWORK), **told)
    for made in (jpeg, png):
        image = seen(fit_picture(made, Limits(picture_pixels=300)).content)
        assert SOURCE_TYPE.encode() in image.info["xmp"]
        assert b"A pond under trees." in image.info["xmp"]
        assert image.getexif()[0x0131].startswith("auria_bot")
        assert image.info["icc_profile"] == icc_profile()


def test_metadata_that_does_not_fit_is_left_out(tmp_path: Path) -> None:
    """A JPEG's segment ends at 64 KiB; the picture is sent all the same."""
    made = saved(tmp_path / "picture.png", painting(40, 50), exif=b"Exif\0\0" + b"x" * 70_000)
    assert seen(fit_picture(made, Limits()).content).size == (40, 50)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK", "RGB"])
def test_every_kind_of_picture_becomes_one_for_screens(tmp_path: Path, mode: str) -> None:
    """Printing inks, palettes, greys and transparent ones; a red square stays red where the kind has colours."""
    red = Image.new("RGB", (64, 64), (220, 20, 30)).convert(mode)
    suffix = "tiff" if mode == "CMYK" else "png"
    image = seen(fit_picture(saved(tmp_path / f"picture.{suffix}", red), Limits()).content)
    assert image.mode == "RGB"
    if mode not in {"LA", "L", "1"}:
        shown = image.getpixel((32, 32))
        assert shown[0] > 180
        assert shown[1] < 70


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    """Not black, as it would be by dropping the channel."""
    image = seen(
        fit_picture(saved(tmp_path / "clear.png", Image.new("RGBA", (40, 40), (0, 0, 0, 0))), Limits()).content
    )
    assert min(image.getpixel((20, 20))) > 250


def test_sixteen_bits_keep_their_greys(tmp_path: Path) -> None:
    """They are scaled, not cut off at 255."""
    grey = Image.new("I;16", (40, 40), 32768)
    image = seen(fit_picture(saved(tmp_path / "deep.png", grey), Limits()).content)
    assert abs(image.getpixel((20, 20))[0] - 127) < 3


def test_a_moving_picture_is_its_first_moment(tmp_path: Path) -> None:
    """In every format that moves."""
    frames = [Image.new("RGB", (60, 60), (250, 0, 0)), Image.new("RGB", (60, 60), (0, 0, 250))]
    for suffix in ("gif", "png", "webp"):
        path = tmp_path / f"moving.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
        shown = seen(fit_picture(post(path), Limits()).content)
        assert getattr(shown, "n_frames", 1) == 1
        assert shown.getpixel((30, 30))[0] > 200


def test_a_jpeg_in_printing_inks_is_remade(tmp_path: Path) -> None:
    """Platforms show it in wrong colours or not at all; its profile does not go with it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = saved(tmp_path / "inks.jpg", Image.new("CMYK", (40, 40), (0, 255, 255, 0)), icc_profile=profile)
    image = seen(fit_picture(made, Limits()).content)
    assert image.mode == "RGB"
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("limits", [Limits(), Limits(picture_pixels=32)])
def test_colours_of_another_profile_become_those_of_srgb(tmp_path: Path, suffix: str, limits: Limits) -> None:
    """Some platforms drop profiles, and a picture in Display P3 would be pale there."""
    profile = profile_of(swap=True)
    made = saved(tmp_path / f"wide.{suffix}", Image.new("RGB", (64, 64), (200, 40, 60)), icc_profile=profile)
    image = seen(fit_picture(made, limits).content)
    assert np.abs(np.asarray(image)[16, 16].astype(int) - (40, 200, 60)).max() <= 6
    assert "icc_profile" not in image.info


def test_a_turned_picture_is_sent_upright(tmp_path: Path) -> None:
    """The tag that says so is gone, and the limits are those of what is seen."""
    tags = Image.Exif()
    tags[0x0112] = 6
    tags[0x0131] = "auria_bot"
    made = saved(tmp_path / "turned.jpg", painting(300, 100), exif=tags)
    image = seen(fit_picture(made, Limits()).content)
    assert image.size == (100, 300)
    assert image.getexif().get(0x0112, 1) == 1
    assert image.getexif()[0x0131] == "auria_bot"


def test_damaged_metadata_makes_no_bad_picture(tmp_path: Path) -> None:
    """It is sent as it is, or without."""
    made = saved(tmp_path / "picture.jpg", painting(80, 100), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert fit_picture(made, Limits()).width == 80
    assert fit_picture(made, Limits(picture_pixels=50)).height == 50


@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
def test_a_turned_picture_with_a_damaged_tag_is_sent_upright(tmp_path: Path, suffix: str) -> None:
    """The tag of the computer holds a fraction instead of a text; such metadata is left out."""
    tags = Image.Exif()
    tags[0x0112], tags[0x011A] = 6, 72.0
    damaged = tags.tobytes().replace(b"\x01\x1a\0\x05", b"\x01\x3c\0\x05")
    made = saved(tmp_path / f"turned.{suffix}", painting(300, 100), exif=damaged)
    image = seen(fit_picture(made, Limits()).content)
    assert image.size == (100, 300)
    assert image.getexif().get(0x0112, 1) == 1


def test_what_is_no_picture_or_not_the_approved_one_is_refused(tmp_path: Path) -> None:
    """Missing, changed, broken off, or something else altogether."""
    whole = tmp_path / "picture.jpg"
    painting(200, 200).save(whole)
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole.read_bytes()[:1500])
    text = tmp_path / "text.jpg"
    text.write_text("a poem")
    floating = tmp_path / "floating.tiff"
    Image.new("F", (9, 9)).save(floating)
    wrong = [
        post(tmp_path / "gone.jpg", ""),
        post(whole, "0" * 64),
        post(cut),
        post(text),
        post(floating),
        post(tmp_path, ""),
    ]
    for one, words in zip(
        wrong, ("cannot be read", "not the picture", *["not a readable"] * 3, "cannot be read"), strict=True
    ):
        with pytest.raises(Rejected, match=words):
            fit_picture(one, Limits())


@pytest.mark.parametrize(
    "orientation",
    ['tiff:Orientation="6"', "tiff:Orientation='6'", "", "element"],
    ids=["quoted", "single", "none", "element"],
)
def test_no_orientation_is_left_in_any_metadata(tmp_path: Path, orientation: str) -> None:
    """A turned picture is made upright; neither EXIF nor XMP says any more that it is to be turned, and the rest stays."""
    inner = "<tiff:Orientation>6</tiff:Orientation>" if orientation == "element" else ""
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" {"" if inner else orientation} tiff:Make="Auria">{inner}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
    exif_data = Image.Exif()
    exif_data[0x0112], exif_data[0x010E] = 6, "a pond"
    path = tmp_path / "turned.jpg"
    fitted = fit_picture(saved(path, painting(400, 200), exif=exif_data, xmp=packet), Limits())
    image = seen(fitted.content)
    assert image.size == (200, 400)
    assert 0x0112 not in image.getexif()
    assert image.getexif()[0x010E] == "a pond"
    assert b"Orientation" not in fitted.content
    assert b'tiff:Make="Auria"' in fitted.content


def test_an_orientation_in_xmp_alone_counts_too(tmp_path: Path) -> None:
    """The picture is made upright, once."""
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><d xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></x:xmpmeta>'
    fitted = fit_picture(saved(tmp_path / "turned.jpg", painting(400, 200), xmp=packet), Limits())
    assert seen(fitted.content).size == (200, 400)
    assert b"Orientation" not in fitted.content
