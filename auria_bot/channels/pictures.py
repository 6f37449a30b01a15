"""Fits a picture to a platform's limits: ratio, pixels and bytes, in that order, as JPEG.

A JPEG that fits is sent unchanged, with its provenance metadata; otherwise EXIF and XMP are kept, without their
orientation. Pictures are not cropped: a ratio that a platform refuses is reached by a margin in the colour of the
corners. Of an animation the first frame is used; transparent areas become white.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.colour_profiles import in_srgb, is_srgb
from auria_bot.errors import Rejected

if TYPE_CHECKING:
    from PIL import Image

    from auria_bot.domain.interfaces import Limits
    from auria_bot.domain.post import Post

__all__ = ["FittedPicture", "fit_picture"]

_QUALITIES = (92, 88, 84, 80, 75, 70, 60)
_LEAST = 320  # pixels of the longest side: pictures are not reduced below this to save bytes
_MOST = 100_000_000  # pixels in all: more would need gigabytes of memory
_SEGMENT = 65_000  # bytes of one kind of metadata in a JPEG
_ORIENTATION = 0x0112  # EXIF tag
_XMP_ORIENTATION = re.compile(
    rb"""\s+tiff:Orientation\s*=\s*(?:"[^"]*"|'[^']*')|<tiff:Orientation\b[^>]*(?:/>|>.*?</tiff:Orientation\s*>)""",
    re.DOTALL,
)
_NO_PICTURE = (OSError, ValueError, SyntaxError, OverflowError)
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""What puts a picture upright, by its orientation in EXIF, as members of Pillow's Transpose."""
_DAMAGED_EXIF = (*_NO_PICTURE, struct.error, TypeError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPicture:
    """A picture within a platform's limits."""

    content: bytes
    media_type: str  # image/jpeg
    width: int
    height: int


def fit_picture(post: Post, limits: Limits) -> FittedPicture:
    """Fit the approved picture of a post; the same picture gives the same bytes.

    Raises:
        Rejected: the picture is missing, is not the approved one, or cannot be made to fit.
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
            warnings.simplefilter("ignore")  # too many pixels are refused below; damaged metadata is ignored
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > _MOST:
                    raise Rejected(
                        f"{path} has {image.width} x {image.height} pixels; at most {_MOST} in all are allowed"
                    )
                image.load()  # detects a truncated picture, even if it fits
                if _fits(image, len(content), limits):
                    return FittedPicture(
                        content=content, media_type="image/jpeg", width=image.width, height=image.height
                    )
                return _encoded(_plain(image), _metadata(image), limits, path)
    except Image.DecompressionBombError:
        raise Rejected(f"{path} is too large; at most {_MOST} pixels in all are allowed") from None
    except _NO_PICTURE:
        raise Rejected(f"{path} is not a readable picture") from None


def _fits(image: Image.Image, length: int, limits: Limits) -> bool:
    """Whether a picture can be sent unchanged: a JPEG in sRGB or grey, upright, within every limit."""
    if (
        image.format != "JPEG"
        or image.mode not in {"RGB", "L"}
        or not is_srgb(image)
        or _orientation(image) != 1
        or _XMP_ORIENTATION.search(_xmp(image))
    ):
        return False
    ratio = limits.ratios is None or limits.ratios[0] <= image.width / image.height <= limits.ratios[1]
    pixels = limits.picture_pixels is None or max(image.size) <= limits.picture_pixels
    return ratio and pixels and (limits.picture_bytes is None or length <= limits.picture_bytes)


def _exif(image: Image.Image) -> Image.Exif:
    from PIL import Image

    try:
        return image.getexif()
    except _DAMAGED_EXIF:
        return Image.Exif()  # damaged metadata is ignored


def _orientation(image: Image.Image) -> int:
    """How EXIF says that the picture is to be turned, 2 to 8; 1 for not at all."""
    try:
        found = _exif(image).get(_ORIENTATION, 1)
    except _DAMAGED_EXIF:
        return 1
    return found if isinstance(found, int) else 1


def _xmp(image: Image.Image) -> bytes:
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return xmp.encode() if isinstance(xmp, str) else bytes(xmp)


def _plain(image: Image.Image) -> Image.Image:
    """The picture upright, in sRGB, on white."""
    from PIL import Image

    turn = _TURNS.get(_orientation(image))
    upright = image if turn is None else image.transpose(Image.Transpose[turn])
    if upright.mode == "F":
        raise ValueError("pixels are floating point numbers without a defined white")
    if upright.mode.startswith("I"):  # 16 bits a pixel, which convert would clip at 255
        upright = upright.convert("I").point(lambda value: value / 257).convert("L")
    upright = in_srgb(upright, image.info.get("icc_profile"))
    if upright.has_transparency_data:
        seen = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
    plain = upright.convert("RGB")
    plain.info.clear()  # otherwise Pillow would write it
    return plain


def _metadata(image: Image.Image) -> dict[str, bytes]:
    """EXIF, XMP and the profile of sRGB, as far as a JPEG can hold them; orientation is removed."""
    exif = _exif(image)
    content = image.info.get("exif", b"")
    if exif and (not content or _ORIENTATION in exif):
        exif.pop(_ORIENTATION, None)
        try:
            content = exif.tobytes()
        except _DAMAGED_EXIF:
            content = b""
    profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA", "P"} and is_srgb(image) else None
    # A profile may be spread over many segments; EXIF and XMP have one each.
    found = {"exif": content, "xmp": _XMP_ORIENTATION.sub(b"", _xmp(image))}
    kept = {key: value for key, value in found.items() if value and len(value) <= _SEGMENT}
    return kept | ({"icc_profile": profile} if profile else {})


def _encoded(image: Image.Image, extra: dict[str, bytes], limits: Limits, path: Path) -> FittedPicture:
    framed = _framed(image.size, limits.ratios)
    longest = max(framed)
    side = min(longest, limits.picture_pixels or longest)
    least = min(_LEAST, side)
    while side >= least:
        scale = side / longest
        size = _framed(_scaled(framed, scale), limits.ratios)
        if size[0] * size[1] > _MOST:
            raise Rejected(
                f"{path} would take a margin of more than {_MOST} pixels; its ratio is too far from those allowed"
            )
        smaller = _on_margin(image, _scaled(image.size, scale), size)
        for quality in _QUALITIES:
            target = io.BytesIO()
            smaller.save(target, "JPEG", quality=quality, optimize=True, **extra)
            if limits.picture_bytes is None or target.tell() <= limits.picture_bytes:
                return FittedPicture(content=target.getvalue(), media_type="image/jpeg", width=size[0], height=size[1])
        side = int(side * 0.8)
    raise Rejected(f"{path} cannot be reduced to under {limits.picture_bytes} bytes, the maximum")


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _framed(size: tuple[int, int], ratios: tuple[float, float] | None) -> tuple[int, int]:
    """The smallest frame around a picture with an allowed ratio."""
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
    """The resized picture, centred on a margin in the mean colour of its corners."""
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
