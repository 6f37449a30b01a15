"""Tests of auria_bot.art.pictures."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.pictures import (
    correct_exposure,
    crop,
    decode_picture,
    open_picture,
    save_picture,
    to_array,
    to_picture,
    write_bytes,
)
from auria_bot.errors import DiskError, PictureError
from tests.scenarios.colour_profiles import profile_of

if TYPE_CHECKING:
    from pathlib import Path

RAMP = np.linspace(0, 255, 32 * 24 * 3).reshape(24, 32, 3).astype(np.uint8)


@pytest.fixture
def plain() -> Image.Image:
    """A picture of many colours."""
    return Image.fromarray(RAMP)


def test_a_picture_comes_back_as_it_was_saved(tmp_path: Path, plain: Image.Image) -> None:
    """PNG keeps every pixel, and nothing but the picture stands in the folder."""
    save_picture(plain, tmp_path / "new" / "a.png")
    assert np.array_equal(np.asarray(open_picture(tmp_path / "new" / "a.png")), RAMP)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        ("L", "png"),
        ("1", "png"),
        ("P", "png"),
        ("RGBA", "png"),
        ("LA", "png"),
        ("CMYK", "jpg"),
        ("CMYK", "tiff"),
        ("YCbCr", "jpg"),
    ],
)
def test_every_colour_mode_becomes_rgb(tmp_path: Path, plain: Image.Image, mode: str, suffix: str) -> None:
    """Grey, palette, alpha and CMYK pictures come out as 8-bit RGB of the same size."""
    path = tmp_path / f"a.{suffix}"
    plain.convert(mode).save(path)
    opened = open_picture(path)
    assert (opened.mode, opened.size) == ("RGB", (32, 24))


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    """Half of 16-bit white becomes half of 8-bit white."""
    Image.fromarray(np.full((16, 16), 32768, np.uint16)).save(tmp_path / "a.png")
    assert np.asarray(open_picture(tmp_path / "a.png"))[0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize(("kind", "most"), [(np.int32, 2_000_000_000), (np.float32, 1e30), (np.int32, 65_535)])
def test_wider_values_are_scaled_by_their_range(tmp_path: Path, kind: type, most: float) -> None:
    """A scientific picture is no white area."""
    ramp = np.linspace(0, most, 16 * 24).reshape(16, 24).astype(kind)
    Image.fromarray(ramp).save(tmp_path / "a.tif")
    found = np.asarray(open_picture(tmp_path / "a.tif"))[..., 0].astype(float)
    assert np.abs(found - ramp * (255.0 / most)).max() <= 0.51


def test_values_that_are_no_numbers_are_refused_by_name(tmp_path: Path) -> None:
    """The message says which file it is."""
    Image.fromarray(np.full((16, 16), np.nan, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(PictureError, match=r"a\.tif: holds values that are not numbers"):
        open_picture(tmp_path / "a.tif")


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    """A fully transparent picture is white."""
    Image.new("RGBA", (16, 16), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert np.asarray(open_picture(tmp_path / "a.png")).min() == 255


def test_orientation_is_applied(tmp_path: Path, plain: Image.Image) -> None:
    """A picture stored on its side stands upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    plain.save(tmp_path / "a.jpg", exif=exif)
    assert open_picture(tmp_path / "a.jpg").size == (24, 32)


@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
@pytest.mark.parametrize("block", [b"Exif\0\0no TIFF at all", b"Exif\0\0MM\0*\0\0\0"])
def test_damaged_exif_is_ignored(tmp_path: Path, plain: Image.Image, suffix: str, block: bytes) -> None:
    """The picture itself is sound."""
    plain.save(tmp_path / f"a.{suffix}", exif=block)
    assert open_picture(tmp_path / f"a.{suffix}").size == plain.size


@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
def test_an_orientation_beside_a_damaged_tag_is_applied(tmp_path: Path, plain: Image.Image, suffix: str) -> None:
    """The tag of the computer holds a fraction instead of a text."""
    exif = Image.Exif()
    exif[0x0112], exif[0x011A] = 6, 72.0
    plain.save(tmp_path / f"a.{suffix}", exif=exif.tobytes().replace(b"\x01\x1a\0\x05", b"\x01\x3c\0\x05"))
    assert open_picture(tmp_path / f"a.{suffix}").size == (24, 32)


def test_a_lack_of_memory_is_not_taken_for_damaged_exif(plain: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that cannot be turned for want of memory is refused, not left on its side."""

    def fail(picture: Image.Image) -> Image.Image:
        raise MemoryError

    content = BytesIO()
    plain.save(content, "PNG")
    monkeypatch.setattr("auria_bot.art.pictures.ImageOps.exif_transpose", fail)
    with pytest.raises(PictureError, match="memory"):
        decode_picture(content.getvalue())


def test_the_main_picture_of_a_camera_file_is_taken(tmp_path: Path, plain: Image.Image) -> None:
    """An MPO file holds a preview or a second view beside the picture itself, which comes first."""
    plain.save(tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=[Image.new("RGB", (16, 12), "red")])
    with Image.open(tmp_path / "phone.jpg") as stored:
        assert (stored.format, stored.tell()) == ("MPO", 0)
    assert open_picture(tmp_path / "phone.jpg").size == plain.size


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_an_embedded_profile_is_applied(tmp_path: Path, mode: str) -> None:
    """The colours are those the profile describes; one that says sRGB changes nothing, a damaged one is ignored."""
    flat = Image.new("RGB", (16, 16), (200, 40, 60))
    flat = flat.quantize(4) if mode == "P" else flat.convert(mode)
    seen = {}
    for name, profile in {
        "swapped": profile_of(swap=True),
        "same": profile_of(),
        "damaged": b"not a profile",
    }.items():
        flat.save(tmp_path / f"{name}.png", icc_profile=profile)
        seen[name] = np.asarray(open_picture(tmp_path / f"{name}.png"))[0, 0].astype(int)
    assert np.abs(seen["swapped"] - (40, 200, 60)).max() <= 4
    assert seen["same"].tolist() == seen["damaged"].tolist() == [200, 40, 60]


def printing_profile() -> bytes:
    """A CMYK profile whose first ink is a medium grey and whose last is black; the others are not seen."""
    table = b"mft2" + bytes(4) + bytes([4, 3, 2, 0])  # 4 inks to Lab, by a grid of 2 points a side
    table += struct.pack(">9i", *(65536 * (row == column) for row in range(3) for column in range(3)))
    table += struct.pack(">2H", 2, 2) + struct.pack(">8H", *(0, 65535) * 4)
    for corner in range(16):  # the first ink varies slowest
        table += struct.pack(">3H", 0 if corner % 2 else 0x8000 if corner >= 8 else 0xFF00, 0x8000, 0x8000)
    table += struct.pack(">6H", *(0, 65535) * 3)
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"inks\0" + bytes(78)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags, start = [(b"A2B0", table), (b"desc", name), (b"wtpt", white)], 128 + 4 + 36
    index, body = struct.pack(">I", 3), b""
    for key, data in tags:
        index += key + struct.pack(">2I", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + index + body


def test_printing_inks_look_as_their_profile_says(tmp_path: Path) -> None:
    """CMYK is converted through the embedded profile; here full cyan is grey, and full magenta is paper white."""
    for ink, wanted in (((255, 0, 0, 0), 119), ((0, 255, 0, 0), 255)):
        path = tmp_path / f"{wanted}.tiff"
        Image.new("CMYK", (16, 16), ink).save(path, icc_profile=printing_profile())
        assert np.abs(np.asarray(open_picture(path))[0, 0].astype(int) - wanted).max() <= 3


def test_a_profile_of_another_kind_is_ignored(tmp_path: Path) -> None:
    """Grey and CMYK pictures with an RGB profile are converted as if they had none."""
    for mode, suffix in (("L", "png"), ("CMYK", "jpg"), ("I;16", "png")):
        Image.new(mode, (16, 16)).save(tmp_path / f"with.{suffix}", icc_profile=profile_of(swap=True))
        Image.new(mode, (16, 16)).save(tmp_path / f"without.{suffix}")
        with_profile, without = (np.asarray(open_picture(tmp_path / f"{n}.{suffix}")) for n in ("with", "without"))
        assert np.array_equal(with_profile, without)


def test_hostile_files_are_refused_with_their_name_and_reason(tmp_path: Path, plain: Image.Image) -> None:
    """Truncated, animated, unsupported, tiny, empty and missing files are each refused with a reason."""
    plain.save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    plain.save(tmp_path / "moving.gif", save_all=True, append_images=[plain.transpose(Image.Transpose.FLIP_TOP_BOTTOM)])
    (tmp_path / "words.jpg").write_text("not a picture")
    (tmp_path / "empty.png").write_bytes(b"")
    plain.resize((3, 3)).save(tmp_path / "tiny.png")
    for name, words in {
        "cut.png": "damaged",
        "moving.gif": "animated",
        "words.jpg": "not a picture",
        "empty.png": "not a picture",
        "tiny.png": "at least 8",
        "gone.png": "cannot be opened",
    }.items():
        with pytest.raises(PictureError, match=f"{name}.*{words}"):
            open_picture(tmp_path / name)
    with pytest.raises(PictureError, match="not a file"):
        open_picture(tmp_path)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """A header that promises 40,000 x 40,000 pixels costs nothing."""
    header = b"\x00\x00\x9c\x40\x00\x00\x9c\x40\x08\x02\x00\x00\x00"
    import struct
    import zlib

    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    idat = zlib.compress(b"\0" * 1000)
    body = struct.pack(">I", len(idat)) + b"IDAT" + idat + struct.pack(">I", zlib.crc32(b"IDAT" + idat))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + body)
    with pytest.raises(PictureError, match=r"bomb\.png.*pixels"):
        open_picture(tmp_path / "bomb.png")


def test_a_folder_that_cannot_be_made_is_a_disk_error(tmp_path: Path) -> None:
    """Writing below a file raises DiskError and names the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="cannot be written"):
        write_bytes(tmp_path / "file" / "a.png", b"x")


def test_arrays_and_pictures_are_the_same_thing(plain: Image.Image) -> None:
    """There and back keeps every value; values outside 0 to 1 are clipped."""
    assert np.array_equal(np.asarray(to_picture(to_array(plain))), RAMP)
    assert np.asarray(to_picture(np.full((8, 8, 3), 1.7)))[0, 0].tolist() == [255, 255, 255]


def test_the_cut_goes_where_something_is() -> None:
    """Detail on the right is retained, a plain picture is cropped in the middle, and the ratio is exact."""
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


def test_a_picture_in_memory_is_checked_like_a_file() -> None:
    """Bytes are decoded as a file is, within the pixels that the caller allows."""
    content = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(content, format="PNG")
    assert decode_picture(content.getvalue()).size == (40, 30)
    with pytest.raises(PictureError, match="at most 1,000 in all"):
        decode_picture(content.getvalue(), most_pixels=1000)
    with pytest.raises(PictureError, match="not a picture"):
        decode_picture(b"no picture at all")
