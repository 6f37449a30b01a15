"""Fits a picture to a platform's limits: ratio, pixels and bytes, in that order, as JPEG.

A JPEG that fits is sent as it is, byte for byte, with its provenance inside; else EXIF and XMP are kept. Nothing of
a picture is cut off: a ratio that a platform does not take is reached by a margin in the colour of its corners. Of a
moving picture the first moment is taken; where one is transparent, white shines through.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.errors import Rejected

if TYPE_CHECKING:
    from PIL import Image

    from auria_bot.domain.interfaces import Limits
    from auria_bot.domain.post import Post

__all__ = ["FittedPicture", "fit_picture"]

_QUALITIES = (92, 88, 84, 80, 75, 70, 60)
_LEAST = 320  # pixels of the longest side: a picture is not made smaller than this for the sake of its bytes
_MOST = 100_000_000  # pixels in all: more would take gigabytes of memory
_SEGMENT = 65_000  # bytes that a JPEG's metadata of one kind may have
_ORIENTATION = 0x0112  # EXIF's tag for a picture that is to be turned
_NO_PICTURE = (OSError, ValueError, SyntaxError, OverflowError)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPicture:
    """A picture as a platform takes it."""

    content: bytes
    media_type: str  # image/jpeg
    width: int
    height: int


def fit_picture(post: Post, limits: Limits) -> FittedPicture:
    """The approved picture of a post, made to fit; the same picture gives the same bytes.

    Raises:
        Rejected: the picture is missing, is not the one that was approved, or cannot be made to fit.
    """
    from PIL import Image

    path = Path(post.picture)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Rejected(f"the picture {path} cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(content).hexdigest() != post.picture_sha256:
        raise Rejected(f"{path} is not the picture that was approved")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # too many pixels are told below; damaged metadata is no fault of the picture
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > _MOST:
                    raise Rejected(
                        f"{path} has {image.width} x {image.height} pixels; at most {_MOST} in all are taken"
                    )
                image.load()  # a picture that breaks off is found out here, also where it fits
                if _fits(image, len(content), limits):
                    return FittedPicture(
                        content=content, media_type="image/jpeg", width=image.width, height=image.height
                    )
                return _remade(_plain(image), _metadata(image), limits, path)
    except Image.DecompressionBombError:
        raise Rejected(f"{path} is too large; at most {_MOST} pixels in all are taken") from None
    except _NO_PICTURE:
        raise Rejected(f"{path} is not a readable picture") from None


def _fits(image: Image.Image, length: int, limits: Limits) -> bool:
    """Whether a picture can be sent as it is: a JPEG in the colours of a screen, upright, within every limit."""
    if image.format != "JPEG" or image.mode not in {"RGB", "L"} or _is_turned(image):
        return False
    ratio = limits.ratios is None or limits.ratios[0] <= image.width / image.height <= limits.ratios[1]
    pixels = limits.picture_pixels is None or max(image.size) <= limits.picture_pixels
    return ratio and pixels and (limits.picture_bytes is None or length <= limits.picture_bytes)


def _exif(image: Image.Image) -> Image.Exif:
    from PIL import Image

    try:
        return image.getexif()
    except (*_NO_PICTURE, struct.error):
        return Image.Exif()  # damaged metadata makes no bad picture


def _is_turned(image: Image.Image) -> bool:
    return bool(_exif(image).get(_ORIENTATION, 1) != 1)


def _plain(image: Image.Image) -> Image.Image:
    """The picture upright, in RGB, on white, in the colours of a screen."""
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(image) if _is_turned(image) else image
    if upright.mode == "CMYK" and (profile := image.info.get("icc_profile")):
        upright = _printed(upright, profile)
    if upright.mode == "F":
        raise ValueError("floating point numbers have no agreed white")
    if upright.mode.startswith("I"):  # 16 bits a pixel, which would be cut off at 255
        upright = upright.convert("I").point(lambda value: value / 257).convert("L")
    if upright.has_transparency_data:
        seen = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
    plain = upright.convert("RGB")
    plain.info.clear()  # else Pillow would write it, fit or unfit
    return plain


def _printed(image: Image.Image, profile: bytes) -> Image.Image:
    """A picture in printing inks, as its profile says that they look; without one that can be used, by rule of thumb."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        seen = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return seen if seen is not None else image


def _metadata(image: Image.Image) -> dict[str, bytes]:
    """What the picture tells of itself, as far as a JPEG can hold it: EXIF, XMP, and a profile that still holds."""
    exif = _exif(image)
    told = image.info.get("exif", b"")
    if exif and (not told or _is_turned(image)):
        exif.pop(_ORIENTATION, None)
        told = exif.tobytes()
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA", "P"} else None
    # A profile may be spread over many segments; EXIF and XMP have one each.
    found = {"exif": told, "xmp": xmp.encode() if isinstance(xmp, str) else xmp}
    kept = {key: value for key, value in found.items() if value and len(value) <= _SEGMENT}
    return kept | ({"icc_profile": profile} if profile else {})


def _remade(image: Image.Image, extra: dict[str, bytes], limits: Limits, path: Path) -> FittedPicture:
    framed = _framed(image.size, limits.ratios)
    longest = max(framed)
    side = min(longest, limits.picture_pixels or longest)
    least = min(_LEAST, side)
    while side >= least:
        scale = side / longest
        size = _framed(_scaled(framed, scale), limits.ratios)
        if size[0] * size[1] > _MOST:
            raise Rejected(
                f"{path} would take a margin of more than {_MOST} pixels; its ratio is too far from any allowed"
            )
        smaller = _on_margin(image, _scaled(image.size, scale), size)
        for quality in _QUALITIES:
            target = io.BytesIO()
            smaller.save(target, "JPEG", quality=quality, optimize=True, **extra)
            if limits.picture_bytes is None or target.tell() <= limits.picture_bytes:
                return FittedPicture(content=target.getvalue(), media_type="image/jpeg", width=size[0], height=size[1])
        side = int(side * 0.8)
    raise Rejected(f"{path} cannot be brought under {limits.picture_bytes} bytes, which is the most that is taken")


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _framed(size: tuple[int, int], ratios: tuple[float, float] | None) -> tuple[int, int]:
    """The least size around a picture whose ratio is taken."""
    width, height = size
    if ratios is None:
        return size
    least, greatest = ratios
    if width / height < least:
        width = max(width, math.floor(height * least) - 1)
        while width / height < least:
            width += 1
    elif width / height > greatest:
        height = max(height, math.floor(width / greatest) - 1)
        while width / height > greatest:
            height += 1
    return width, height


def _on_margin(image: Image.Image, inner: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """The picture in its new size, in the middle of a margin in the mean colour of its corners."""
    from PIL import Image

    if image.width * size[1] == image.height * size[0] or abs(inner[0] - size[0]) + abs(inner[1] - size[1]) <= 1:
        return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
    smaller = image if inner == image.size else image.resize(inner, Image.Resampling.LANCZOS)
    edge = image.resize((3, 3), Image.Resampling.BOX).tobytes()
    corners = [edge[3 * number : 3 * number + 3] for number in (0, 2, 6, 8)]
    margin = (sum(c[0] for c in corners) // 4, sum(c[1] for c in corners) // 4, sum(c[2] for c in corners) // 4)
    canvas = Image.new("RGB", size, margin)
    canvas.paste(smaller, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return canvas
