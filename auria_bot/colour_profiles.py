"""Pictures with an embedded ICC profile, shown in sRGB."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["in_srgb", "is_srgb"]


def is_srgb(picture: Image.Image) -> bool:
    """Whether `in_srgb` leaves a picture as it is: it has no profile, that of sRGB, or one that cannot be used."""
    return _source(picture, picture.info.get("icc_profile")) is None


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture with its embedded ICC profile applied; unchanged where the profile is damaged or of another kind.

    Transparency is kept. A picture that says it is in sRGB keeps its values exactly.
    """
    from PIL import ImageCms

    if (found := _source(picture, profile)) is None:
        return picture
    source, mode = found
    is_transparent = picture.mode != "CMYK" and picture.has_transparency_data
    alpha = picture.convert("RGBA").getchannel("A") if is_transparent else None
    seen = (picture.convert("RGBA") if alpha is not None else picture).convert(mode)
    try:
        seen = ImageCms.profileToProfile(seen, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or seen
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture
    if alpha is not None:
        seen.putalpha(alpha)
    return seen


def _source(picture: Image.Image, profile: bytes | None) -> tuple[Any, str] | None:
    """The profile, where it says something of a picture that is not in sRGB, and the mode of what it describes."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile or b""))
        kind, description = source.profile.xcolor_space.strip(), source.profile.profile_description or ""
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    mode = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}.get(kind)
    if (
        mode is None
        or (mode == "CMYK") != (picture.mode == "CMYK")
        or (mode == "RGB" and "srgb" in description.casefold())
    ):
        return None
    return None if mode == "L" and picture.mode not in {"L", "LA", "La", "1"} else (source, mode)
