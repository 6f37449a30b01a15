"""ICC profiles for pictures of tests."""

from __future__ import annotations

from PIL import ImageCms

__all__ = ["profile_of"]


def profile_of(*, swap: bool = False) -> bytes:
    """An RGB profile whose red and green are exchanged, or the sRGB profile under its own name."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    if swap:
        red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
        data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
        data = data.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    return bytes(data)
