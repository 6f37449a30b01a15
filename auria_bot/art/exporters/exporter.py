"""Write the three files of a finished artwork: the full-size PNG, the JPEG that is posted, and the card."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageFilter

from auria_bot.art.cropping import POST_SIZE, crop
from auria_bot.art.exporters.card import card
from auria_bot.art.exporters.provenance import exif, icc_profile, png_chunks, xmp
from auria_bot.art.exposure import correct_exposure
from auria_bot.art.pictures import open_picture, save_picture, write_bytes
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auria_bot.domain.artwork import ArtworkInProgress

__all__ = ["PrintExporter", "jpeg_within"]

_QUALITIES = (95, 93, 91, 88, 85, 81, 76, 70, 60, 45, 30)


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
