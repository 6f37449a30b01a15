"""Write the three files of a finished artwork: the full-size PNG, the JPEG that is posted, and the card."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from auria_bot.art.colour import from_lab, to_lab
from auria_bot.art.exporters.card import card
from auria_bot.art.exporters.provenance import exif, icc_profile, png_chunks, xmp
from auria_bot.art.pictures import open_picture, save_picture, to_picture, write_bytes
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.domain.artwork import ArtworkInProgress

__all__ = ["POST_SIZE", "PrintExporter", "correct_exposure", "crop", "jpeg_within"]

POST_SIZE = (1080, 1350)  # pixels, 4:5, the tallest format of Instagram
_QUALITIES = (95, 93, 91, 88, 85, 81, 76, 70, 60, 45, 30)
_CENTRE = 0.6  # how much the middle is preferred over the detail at the rim

_MEAN = 33.0  # least mean L; below it, a picture looks black in a feed
_HIGHLIGHTS, _SHARE = 66.0, 97.0  # L that the lightest 3 % should reach
_MOST_GAIN = 1.35  # most gain of the highlights; more shows steps
_LEAST_GAMMA = 0.6  # least gamma of the shadows; less turns black to grey
_DEPTH, _ENDS = 66.0, (2.0, 98.0)  # range of L that a picture should have between these percentiles
_MOST_DEPTH = 1.25  # most factor on that range, so that mist stays mist
_BLANK = 8.0  # range of L below which a picture is left flat
_BLACK, _WHITE = 4.0, 96.0  # L beyond which the range is not extended
_CHROMA, _MOST_CHROMA = 12.0, 1.25  # mean chroma below which colours are strengthened, and the most factor


def jpeg_within(picture: Image.Image, most_bytes: int, artwork: ArtworkInProgress) -> bytes:
    """A JPEG in the best quality that stays within a size, metadata included.

    Raises:
        InputError: even the lowest quality is larger.
    """
    size = 0
    extras = {"icc_profile": icc_profile(), "exif": exif(artwork), "xmp": xmp(artwork)}
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        full_chroma = quality > 85
        try:
            picture.save(
                buffer,
                "JPEG",
                quality=quality,
                optimize=True,
                progressive=True,
                subsampling=0 if full_chroma else 2,
                **extras,
            )
        except OSError:  # Pillow's buffer holds a byte a pixel: a picture of pure noise overflows it
            continue
        size = buffer.tell()
        if size <= most_bytes:
            return buffer.getvalue()
    raise InputError(f"the JPEG has {size:,} bytes in the lowest quality; at most {most_bytes:,} are allowed")


def crop(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Crop a picture to the shape of `size`, at that size, where it has the most detail, the middle preferred.

    Args:
        picture: RGB.
        size: (width, height) in pixels.
    """
    width, height = size
    ratio = min(picture.width / width, picture.height / height)
    window = (max(1, round(width * ratio)), max(1, round(height * ratio)))
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


class PrintExporter:
    """The exporter that ships."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Sizes of the finished files, and what their metadata says."""

        full: int = 1080  # least pixels of the full-size picture's short side; larger pictures are not reduced
        most_bytes: int = 950_000  # of a JPEG; older Bluesky servers accept 1,000,000
        theme: bool = True  # whether the metadata says what theme the operator gave

    def __init__(self, config: Config, models: Path) -> None:  # noqa: ARG002 - no model is needed
        self.config = config

    def models(self) -> Mapping[str, str]:
        """No models."""
        return {}

    def export(self, artwork: ArtworkInProgress, picture: Path, folder: Path) -> dict[str, Path]:
        """Write full.png, post.jpg and card.jpg into `folder` from the styled picture.

        Raises:
            PictureError: the picture cannot be read.
            InputError: the artwork has no poem yet.
            DiskError: a file cannot be written.
        """
        if not self.config.theme:
            artwork = artwork.evolve(theme=None)
        if artwork.haiku is None:
            raise InputError("the artwork has no poem yet; it cannot be finished")
        styled = correct_exposure(open_picture(picture))
        ratio = self.config.full / min(styled.size)
        full = styled
        if ratio > 1:
            size = (round(styled.width * ratio), round(styled.height * ratio))
            full = styled.resize(size, Image.Resampling.LANCZOS)
            full = full.filter(
                ImageFilter.UnsharpMask(radius=1.2, percent=60, threshold=2)
            )  # compensate for the softness of enlarging
        files = {"full": folder / "full.png", "post": folder / "post.jpg", "card": folder / "card.jpg"}
        credit = artwork.style.credit if artwork.style else ""
        with ThreadPoolExecutor(1) as pool:  # the PNG takes as long as both JPEGs
            writing = pool.submit(save_picture, full, files["full"], pnginfo=png_chunks(artwork), compress_level=2)
            write_bytes(files["post"], jpeg_within(crop(full, POST_SIZE), self.config.most_bytes, artwork))
            poem = card(full, artwork.haiku.lines, credit, mood=artwork.mood or "")
            write_bytes(files["card"], jpeg_within(poem, self.config.most_bytes, artwork))
            writing.result()
        return files
