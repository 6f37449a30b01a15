"""Makes the three files of a finished artwork: the full-size PNG, the JPEG that is posted, the card.

Knows sizes, qualities and where files go; how a card looks and what metadata say is beside it.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageFilter

from auria_bot.art.exporters.card import card
from auria_bot.art.exporters.cropping import cut
from auria_bot.art.exporters.exposure import lifted
from auria_bot.art.exporters.provenance import exif, icc_profile, png_chunks, xmp
from auria_bot.art.pictures import open_picture, save_picture, write_bytes
from auria_bot.domain.interfaces import Finished
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auria_bot.domain.artwork import ArtworkInProgress

__all__ = ["POST_SIZE", "PrintExporter", "PrintExporterConfig", "jpeg_within"]

POST_SIZE = (1080, 1350)  # pixels: 4:5, what fills most of a telephone on Instagram
_QUALITIES = (95, 93, 91, 88, 85, 81, 76, 70, 60, 45, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintExporterConfig:
    """Sizes of the finished files."""

    full: int = 1080  # pixels of the full-size picture's short side, at least; a larger picture stays as it is
    most_bytes: int = 950_000  # of the JPEG that is posted: older Bluesky servers take 1,000,000


def jpeg_within(picture: Image.Image, most_bytes: int, sketch: ArtworkInProgress) -> bytes:
    """A JPEG in the best quality that keeps within a size, metadata included.

    Raises:
        InputError: not even the lowest quality does.
    """
    size = 0
    extras = {"icc_profile": icc_profile(), "exif": exif(sketch), "xmp": xmp(sketch)}
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        fine = quality > 85
        try:
            picture.save(
                buffer, "JPEG", quality=quality, optimize=True, progressive=True, subsampling=0 if fine else 2, **extras
            )
        except OSError:  # Pillow's buffer holds a byte a pixel: a picture of pure noise overflows it
            continue
        size = buffer.tell()
        if size <= most_bytes:
            return buffer.getvalue()
    raise InputError(f"the JPEG has {size:,} bytes in the lowest quality; at most {most_bytes:,} are allowed")


class PrintExporter:
    """The exporter that ships."""

    Config = PrintExporterConfig

    def __init__(self, config: PrintExporterConfig, models: Path) -> None:  # noqa: ARG002 - no model is needed
        self.config = config

    def models(self) -> Mapping[str, str]:
        """None."""
        return {}

    def finish(self, sketch: ArtworkInProgress, picture: Path, folder: Path) -> Finished:
        """Write full.png, post.jpg and card.jpg into `folder` from the styled picture.

        Raises:
            PictureError: the picture cannot be read.
            InputError: the sketch has no poem yet.
            DiskError: a file cannot be written.
        """
        if sketch.haiku is None:
            raise InputError("the artwork has no poem yet; it cannot be finished")
        styled = lifted(open_picture(picture))
        ratio = self.config.full / min(styled.size)
        full = styled
        if ratio > 1:
            size = (round(styled.width * ratio), round(styled.height * ratio))
            full = styled.resize(size, Image.Resampling.LANCZOS)
            full = full.filter(ImageFilter.UnsharpMask(radius=1.2, percent=60, threshold=2))  # what enlarging softened
        files = Finished(full=folder / "full.png", post=folder / "post.jpg", card=folder / "card.jpg")
        credit = sketch.style.credit if sketch.style else ""
        with ThreadPoolExecutor(1) as beside:  # packing the PNG takes as long as the two others together
            packed = beside.submit(save_picture, full, files.full, pnginfo=png_chunks(sketch), compress_level=2)
            write_bytes(files.post, jpeg_within(cut(full, POST_SIZE), self.config.most_bytes, sketch))
            poem = card(full, sketch.haiku.lines, credit, mood=sketch.mood or "")
            write_bytes(files.card, jpeg_within(poem, self.config.most_bytes, sketch))
            packed.result()
        return files
