"""Fits a picture to a platform's limits: ratio, pixels and bytes, in that order, as JPEG.

A picture that fits is sent as it is, byte for byte, with its provenance inside; else its metadata is kept. Nothing of
a picture is cut off: a ratio that a platform does not take is reached by a margin in the colour of its edges.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.errors import Refused

if TYPE_CHECKING:
    from PIL import Image

    from auria_bot.domain.post import Post
    from auria_bot.domain.roles import Limits

__all__ = ["FittedPicture", "fit_picture"]

_QUALITIES = (92, 88, 84, 80, 75, 70, 60)
_LEAST = 320  # pixels of the longest side: below this a picture is not worth posting


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPicture:
    """A picture as a platform takes it."""

    content: bytes
    media_type: str  # image/jpeg, or what the file was when it fitted as it was
    width: int
    height: int


def fit_picture(post: Post, limits: Limits) -> FittedPicture:
    """The approved picture of a post, made to fit; the same picture gives the same bytes.

    Raises:
        Refused: the picture is missing, is not the one that was approved, or cannot be made to fit.
    """
    from PIL import Image

    path = Path(post.picture)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"the picture {path} cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(content).hexdigest() != post.picture_sha256:
        raise Refused(f"{path} is not the picture that was approved")
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind = Image.MIME.get(image.format or "", "")
            if _fits(image.size, len(content), limits) and kind == "image/jpeg":
                return FittedPicture(content=content, media_type=kind, width=image.width, height=image.height)
            image.load()
            extra = {key: image.info[key] for key in ("exif", "xmp", "icc_profile") if image.info.get(key)}
            return _remade(image.convert("RGB"), extra, limits, path)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Refused(f"{path} is not a readable picture") from None


def _fits(size: tuple[int, int], length: int, limits: Limits) -> bool:
    width, height = size
    ratio = limits.ratios is None or limits.ratios[0] - 1e-3 <= width / height <= limits.ratios[1] + 1e-3
    pixels = limits.picture_pixels is None or max(size) <= limits.picture_pixels
    return ratio and pixels and (limits.picture_bytes is None or length <= limits.picture_bytes)


def _remade(image: Image.Image, extra: dict[str, bytes], limits: Limits, path: Path) -> FittedPicture:
    from PIL import Image

    if limits.ratios is not None:
        image = _with_margin(image, *limits.ratios)
    side = min(max(image.size), limits.picture_pixels or max(image.size))
    while side >= min(_LEAST, max(image.size)):
        scale = side / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        smaller = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
        for quality in _QUALITIES:
            target = io.BytesIO()
            smaller.save(target, "JPEG", quality=quality, optimize=True, **extra)
            if limits.picture_bytes is None or target.tell() <= limits.picture_bytes:
                return FittedPicture(
                    content=target.getvalue(), media_type="image/jpeg", width=smaller.width, height=smaller.height
                )
        side = int(side * 0.8)
    raise Refused(f"{path} cannot be made smaller than {limits.picture_bytes} bytes")


def _with_margin(image: Image.Image, least: float, greatest: float) -> Image.Image:
    from PIL import Image

    ratio = image.width / image.height
    if least <= ratio <= greatest:
        return image
    width = max(image.width, -(-int(image.height * least * 1e6) // 1_000_000)) if ratio < least else image.width
    height = image.height if ratio < least else max(image.height, -(-int(image.width / greatest * 1e6) // 1_000_000))
    edge = image.resize((3, 3), Image.Resampling.BOX).tobytes()
    corners = [edge[3 * number : 3 * number + 3] for number in (0, 2, 6, 8)]
    margin = (sum(c[0] for c in corners) // 4, sum(c[1] for c in corners) // 4, sum(c[2] for c in corners) // 4)
    canvas = Image.new("RGB", (width, height), margin)
    canvas.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return canvas
