"""Decode untrusted picture files safely, write picture files atomically; crop pictures and correct their exposure."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from auria_bot.art.colour import from_lab, to_lab
from auria_bot.colour_profiles import in_srgb
from auria_bot.errors import PictureError
from auria_bot.files import disk_errors, readable_name, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "FORMATS",
    "KINDS",
    "MOST_PIXELS",
    "POST_SIZE",
    "at_most",
    "correct_exposure",
    "crop",
    "crop_size",
    "decode_picture",
    "middle",
    "open_picture",
    "resized",
    "save_picture",
    "to_array",
    "to_picture",
    "write_bytes",
]

MOST_PIXELS = 60_000_000  # of one picture; 60 megapixels of RGB take 180 MB in memory
MOST_BYTES = 200_000_000  # of one file
SMALLEST_SIDE = 8  # pixels
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
"""The formats that are read; Pillow's other decoders are never used."""


def open_picture(path: Path) -> Image.Image:
    """Decode a picture file completely, upright, as 8-bit sRGB.

    Transparency is composited over white, 16-bit channels are scaled down, CMYK and palettes are converted. An
    embedded ICC profile is applied. Of the pictures of an MPO file, which some cameras write, the first is taken.

    Raises:
        PictureError: the file is no picture, is truncated, animated, too large or too small; the message says which.
    """
    name = readable_name(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise PictureError(f"{name}: cannot be opened ({error.strerror or error})") from None
    if not path.is_file():
        raise PictureError(f"{name}: is not a file")
    if size > MOST_BYTES:
        raise PictureError(f"{name}: the file has {size:,} bytes; at most {MOST_BYTES:,} are read")
    return _opened(path, name, MOST_PIXELS)


def decode_picture(content: bytes, *, name: str = "the picture", most_pixels: int = MOST_PIXELS) -> Image.Image:
    """Decode a picture that is in memory, as `open_picture` does with a file.

    Raises:
        PictureError: as `open_picture`; `most_pixels` is the limit here.
    """
    return _opened(BytesIO(content), name, most_pixels)


def _opened(source: Path | BytesIO, name: str, most_pixels: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's warnings about size, which is checked here, and odd EXIF
            with Image.open(source, formats=FORMATS) as picture:
                return _decoded(picture, name, most_pixels)
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError(f"{name}: is not a picture in a known format ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise PictureError(f"{name}: is too large; at most {most_pixels:,} pixels are read") from None
    except MemoryError:
        raise PictureError(f"{name}: is too large for the memory of this machine") from None
    except Exception as error:  # noqa: BLE001 - decoders raise OSError, SyntaxError, ValueError, struct.error ...
        raise PictureError(f"{name}: is damaged or unreadable ({str(error)[:120] or type(error).__name__})") from None


def _decoded(picture: Image.Image, name: str, most_pixels: int) -> Image.Image:
    width, height = picture.size
    if width * height > most_pixels:
        raise PictureError(f"{name}: has {width} x {height} pixels; at most {most_pixels:,} in all are read")
    if min(width, height) < SMALLEST_SIDE:
        raise PictureError(f"{name}: has {width} x {height} pixels; each side needs at least {SMALLEST_SIDE}")
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":  # whose first picture is the main one
        raise PictureError(f"{name}: is animated or has several pages; give a single picture")
    picture.load()
    upright = _upright(picture)
    profile = picture.info.get("icc_profile")
    if upright.mode in {"I", "F", "I;16", "I;16B", "I;16L", "I;16N"}:
        upright = _eight_bits(upright, name)
    if profile:
        upright = in_srgb(upright, profile)
    if upright.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("RGB")
    return upright.convert("RGB")


def _upright(picture: Image.Image) -> Image.Image:
    """A decoded picture, turned as its EXIF says; as it is stored where that is damaged."""
    try:
        picture.getexif()  # kept by Pillow, which would write the block anew and stumble over what is damaged in it
        for name in ("exif", "Raw profile type exif"):
            picture.info.pop(name, None)
        return ImageOps.exif_transpose(picture)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - SyntaxError, struct.error, TypeError ...
        return picture


def _eight_bits(picture: Image.Image, name: str) -> Image.Image:
    """Scale 16-bit integers by 1/257, and larger ones and floats by their range, to 8 bits."""
    values = np.array(picture, np.float32)  # changed in place: 240 MB for the largest picture
    if not np.isfinite(values).all():
        raise PictureError(f"{name}: holds values that are not numbers")
    most = float(values.max())
    values *= 255.0 / (max(most, 1e-9) if picture.mode == "F" else max(most, 65535.0))
    values += 0.5
    return Image.fromarray(np.clip(values, 0.0, 255.0, out=values).astype(np.uint8))


def to_array(picture: Image.Image) -> NDArray[np.float32]:
    """(height, width, 3) float32 from 0 to 1."""
    return np.asarray(picture.convert("RGB"), np.float32) / np.float32(255.0)


def to_picture(values: NDArray[Any]) -> Image.Image:
    """An RGB picture of (height, width, 3) values from 0 to 1; values outside are clipped."""
    return Image.fromarray((np.clip(values, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8))


KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Pillow's formats of the files that are written, by suffix."""


def save_picture(picture: Image.Image, path: Path, **options: Any) -> None:
    """Write a picture in the format of its suffix, atomically.

    Args:
        path: where; missing folders are made.
        options: as for `PIL.Image.Image.save`.

    Raises:
        DiskError: the disk is full, read-only or not writable.
    """
    buffer = BytesIO()
    picture.save(buffer, format=KINDS[path.suffix.lower()], **options)
    write_bytes(path, buffer.getvalue())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it.

    Raises:
        DiskError: the disk is full, read-only or not writable.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data, mode=0o644)


POST_SIZE = (1080, 1350)  # pixels, 4:5, the tallest format of Instagram
_CENTRE = 0.6  # how much the middle is preferred over the detail at the rim


def crop_size(picture: tuple[int, int], canvas: tuple[int, int]) -> tuple[int, int]:
    """The largest size, (width, height), of the canvas's proportions that a picture holds."""
    ratio = min(picture[0] / canvas[0], picture[1] / canvas[1])
    return max(1, round(canvas[0] * ratio)), max(1, round(canvas[1] * ratio))


def middle(picture: tuple[int, int], canvas: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest centred box (left, top, right, bottom) of the canvas's proportions that a picture holds."""
    width, height = crop_size(picture, canvas)
    left, top = (picture[0] - width) // 2, (picture[1] - height) // 2
    return left, top, left + width, top + height


def at_most(size: tuple[int, int], longest: int, *, least: int = 1) -> tuple[int, int]:
    """A size (width, height), smaller where its longer side has more than so many pixels; no side below `least`."""
    scale = min(1.0, longest / max(size))
    return max(least, round(size[0] * scale)), max(least, round(size[1] * scale))


def resized(values: NDArray[np.float32], size: tuple[int, int], method: Image.Resampling) -> NDArray[np.float32]:
    """(height, width, channels) floats at another size, (width, height)."""
    layers = [
        np.asarray(Image.fromarray(np.ascontiguousarray(values[..., channel])).resize(size, method))
        for channel in range(values.shape[2])
    ]
    return np.stack(layers, axis=-1)


def crop(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Crop a picture to the shape of `size`, at that size, where it has the most detail, the middle preferred.

    Args:
        picture: RGB.
        size: (width, height) in pixels.
    """
    window = crop_size(picture.size, size)
    luma = np.asarray(picture.convert("L").resize((128, 128), Image.Resampling.BOX), np.float64)
    detail = np.abs(np.diff(luma, axis=0))[:, :-1] + np.abs(np.diff(luma, axis=1))[:-1]  # (127, 127)
    left = _place(detail.sum(axis=0), window[0] / picture.width) * (picture.width - window[0])
    top = _place(detail.sum(axis=1), window[1] / picture.height) * (picture.height - window[1])
    box = (round(left), round(top), round(left) + window[0], round(top) + window[1])
    return picture.crop(box).resize(size, Image.Resampling.LANCZOS)


def _place(detail: np.ndarray[tuple[int, ...], np.dtype[np.float64]], share: float) -> float:
    """Where a window of a share of the length should start, from 0 (beginning) to 1 (end)."""
    length = max(1, min(len(detail), round(share * len(detail))))
    places = len(detail) - length + 1
    if places <= 1:
        return 0.5
    sums = np.convolve(detail, np.ones(length), "valid")
    aside = np.abs(np.linspace(-1.0, 1.0, places))
    worth = sums / max(float(sums.max()), 1e-9) - _CENTRE * 0.5 * aside
    return float(np.argmax(worth)) / (places - 1)


_MEAN = 33.0  # least mean L; below it, a picture looks black in a feed
_HIGHLIGHTS, _SHARE = 66.0, 97.0  # L that the lightest 3 % should reach
_MOST_GAIN = 1.35  # most gain of the highlights; more shows steps
_LEAST_GAMMA = 0.6  # least gamma of the shadows; less turns black to grey
_DEPTH, _ENDS = 66.0, (2.0, 98.0)  # range of L that a picture should have between these percentiles
_MOST_DEPTH = 1.25  # most factor on that range, so that mist stays mist
_BLANK = 8.0  # range of L below which a picture is left flat
_BLACK, _WHITE = 4.0, 96.0  # L beyond which the range is not extended
_CHROMA, _MOST_CHROMA = 12.0, 1.25  # mean chroma below which colours are strengthened, and the most factor


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToneCurve:
    """A correction of L and chroma."""

    gain: float  # of L
    gamma: float  # applied after the gain
    depth: float  # contrast factor applied after gamma, around `middle`
    middle: float  # L that `depth` leaves unchanged
    shift: float  # added to L last, so that black and white are not clipped
    chroma: float

    def apply(self, lightness: NDArray[np.float32]) -> NDArray[np.float32]:
        """Corrected L of 0 to 100."""
        gained = np.clip(lightness * np.float32(self.gain / 100), 0.0, 1.0)
        lit = 100 * gained ** np.float32(self.gamma)
        deep: NDArray[np.float32] = np.clip(self.middle + (lit - self.middle) * self.depth + self.shift, 0.0, 100.0)
        return deep.astype(np.float32)

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return (self.gain, self.gamma, self.depth, self.chroma) != (1.0, 1.0, 1.0, 1.0)


def correct_exposure(picture: Image.Image) -> Image.Image:
    """Lighten a picture that is too dark and add contrast to a flat one; black and hues stay.

    A picture that is light, contrasty and colourful enough is returned unchanged.
    """
    pixels = np.asarray(picture.convert("RGB"))
    curve = _curve(to_lab(pixels[::4, ::4]))
    if not curve.changes:
        return picture
    lab = to_lab(pixels)
    lightness = np.clip(lab[..., 0], 0.0, 100.0)
    lit = curve.apply(lightness)
    # Chroma grows only where lightness does.
    stretch = (np.sqrt(np.maximum(lit / np.maximum(lightness, 2.0), 1.0)) * np.float32(curve.chroma))[..., None]
    return to_picture(from_lab(np.concatenate([lit[..., None], lab[..., 1:] * stretch], -1).astype(np.float32)))


def _curve(lab: NDArray[np.float32]) -> _ToneCurve:
    """The correction that a picture needs, computed from some of its CIELAB pixels."""
    small = np.clip(lab[..., 0] / 100, 0.0, 1.0)
    gain = min(max(_HIGHLIGHTS / max(100 * float(np.percentile(small, _SHARE)), 1.0), 1.0), _MOST_GAIN)
    small = np.clip(small * gain, 0.0, 1.0)
    steps = np.arange(1.0, _LEAST_GAMMA - 0.01, -0.02)
    gamma = next((float(step) for step in steps if 100 * float((small**step).mean()) >= _MEAN), _LEAST_GAMMA)
    low, high = (100 * float(end) for end in np.percentile(small, _ENDS) ** gamma)
    middle, depth, shift = (low + high) / 2, 1.0, 0.0
    if high - low > _BLANK:
        depth = min(max(_DEPTH / (high - low), 1.0), _MOST_DEPTH)
        darkest, lightest = (middle + (end - middle) * depth for end in (low, high))
        shift = max(min(low, _BLACK) - darkest, 0.0) - max(lightest - max(high, _WHITE), 0.0)
    chroma = float(np.hypot(lab[..., 1], lab[..., 2]).mean())
    colour = min(max(_CHROMA / max(chroma, 1.0), 1.0), _MOST_CHROMA)
    return _ToneCurve(gain=gain, gamma=gamma, depth=depth, middle=middle, shift=shift, chroma=colour)
