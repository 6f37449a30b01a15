"""Portraits: files and sheets of candidates, and the one in use, kept in the home in the sizes that are needed.

The folder `portrait` of the home holds `1024.png`, `512.jpg` and `400.jpg`, `icon.png` (round, on transparency), and
`portrait.json`, which is replaced last and says how the portrait was made.
"""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import ArtworkInProgress
from auria_bot.errors import NotFound, UsageError
from auria_bot.files import check_target, disk_errors, output_path, scratch_folder, sha256_of, write_atomic, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from PIL import Image

    from auria_bot.art.portraits.portrait import PortraitPainter, PortraitRequest

__all__ = ["ALT_TEXT", "FILES", "SIZES", "Portrait", "Portraits"]

SIZES = (400, 512, 1024)
"""Sides in pixels of the files that are written."""

FILES = ("400.jpg", "512.jpg", "1024.png", "icon.png")
"""What is kept of the portrait in use; the icon is round."""

ALT_TEXT = (
    "Auria's emblem: mountains within a brushed ring of black ink, and above them a round vermilion seal with the"
    " letter A."
)
"""Describes every portrait."""

_ICON = 96  # pixels of the icon's side
_QUALITY = 92
_MODE = 0o644  # the web server's user may be another


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """The portrait in use."""

    folder: Path
    version: str  # begins with the SHA-256 of the largest file
    facts: Mapping[str, Any]  # what portrait.json says

    def file(self, name: str) -> Path:
        """One of FILES.

        Raises:
            NotFound: it is none of them.
        """
        if name not in FILES:
            raise NotFound(f"there is no portrait {name[:40]!r}")
        return self.folder / name


class Portraits:
    """Makes portraits, and keeps the one in use."""

    def __init__(self, home: Path, painter: Callable[[], PortraitPainter]) -> None:
        self._folder, self._load = home / "portrait", painter

    @cached_property
    def _painter(self) -> PortraitPainter:
        return self._load()

    def write(self, request: PortraitRequest, target: Path, *, size: int) -> None:
        """Write one portrait as PNG or JPEG, with its provenance.

        Raises:
            UsageError: the size is not one of SIZES, or the file's name ends otherwise.
            UnknownName: there is no such painting or mood.
            DiskError: the file cannot be written.
        """
        if size not in SIZES:
            raise UsageError(f"no size {size}; known: {', '.join(map(str, SIZES))}")
        if target.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
            raise UsageError(f"{target.name[:60]!r}: a portrait is written as .png or .jpg")
        check_target(target)
        content = _encoded(self._painter.paint(request), self._record(request), size, target.suffix.lower())
        with output_path(target) as scratch:
            scratch.write_bytes(content)

    def write_sheet(
        self, requests: tuple[PortraitRequest, ...], target: Path, progress: Callable[[int, int], None]
    ) -> None:
        """Write a sheet of candidates as JPEG, each with its seed.

        Args:
            progress: called with (painted, all).

        Raises:
            UsageError: the file's name ends otherwise.
            UnknownName: there is no such painting or mood.
            DiskError: the sheet cannot be written.
        """
        from auria_bot.art.exporters.contact_sheet import write_contact_sheet

        if target.suffix.lower() not in {".jpg", ".jpeg"}:
            raise UsageError(f"{target.name[:60]!r}: a sheet of portraits is written as .jpg")
        check_target(target)
        with scratch_folder() as scratch:
            shown = []
            for number, request in enumerate(requests):
                progress(number, len(requests))
                path = scratch / f"{request.seed}.png"
                self._painter.paint(request).save(path, compress_level=1)
                shown.append((path, f"seed {request.seed}"))
            progress(len(requests), len(requests))
            write_contact_sheet("Portraits", shown, target)

    def use(self, request: PortraitRequest) -> Portrait:
        """Make a portrait, and use it from now on.

        Raises:
            UnknownName: there is no such painting or mood.
            DiskError: it cannot be kept.
        """
        picture, record = self._painter.paint(request), self._record(request)
        with disk_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            for size in SIZES:
                suffix = ".png" if size == max(SIZES) else ".jpg"
                write_atomic(self._folder / f"{size}{suffix}", _encoded(picture, record, size, suffix), mode=_MODE)
            write_atomic(self._folder / "icon.png", _icon(picture), mode=_MODE)
            facts = {**asdict(request), "models": dict(record.models), "sha256": sha256_of(self._folder / "1024.png")}
            write_json(self._folder / "portrait.json", facts, pretty=True, mode=_MODE)
        return self.require()

    def current(self) -> Portrait | None:
        """The portrait in use; None where there is none."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            facts = json.loads((self._folder / "portrait.json").read_text("utf-8"))
            return Portrait(folder=self._folder, version=str(facts["sha256"])[:10], facts=facts)
        return None

    @property
    def stamp(self) -> int:
        """A number that changes with the portrait in use; 0 where there is none. No file is read."""
        try:
            return (self._folder / "portrait.json").stat().st_mtime_ns
        except OSError:
            return 0

    def require(self) -> Portrait:
        """The portrait in use.

        Raises:
            NotFound: there is none.
        """
        if (found := self.current()) is None:
            raise NotFound("no portrait is in use; look at some: auria portrait; then: auria portrait use SEED")
        return found

    def _record(self, request: PortraitRequest) -> ArtworkInProgress:
        models = tuple((f"portrait:{name}", sha256) for name, sha256 in self._painter.models().items())
        return ArtworkInProgress(
            key="portrait", seed=request.seed, mood=request.mood or None, alt_text=ALT_TEXT, models=models
        )


def _encoded(picture: Image.Image, record: ArtworkInProgress, size: int, suffix: str) -> bytes:
    """A PNG or JPEG of a portrait in a size, which says how it was made."""
    from PIL import Image

    from auria_bot.art.exporters.exporter import exif, icc_profile, png_chunks, xmp

    shown = picture if size == picture.width else picture.resize((size, size), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if suffix == ".png":
        shown.save(buffer, "PNG", pnginfo=png_chunks(record), compress_level=9)
    else:
        extras = {"icc_profile": icc_profile(), "exif": exif(record), "xmp": xmp(record)}
        shown.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, optimize=True, **extras)
    return buffer.getvalue()


def _icon(picture: Image.Image) -> bytes:
    """The portrait as a small round PNG on transparency."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", (4 * _ICON, 4 * _ICON), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, 4 * _ICON - 1, 4 * _ICON - 1), fill=255)
    icon = picture.resize((_ICON, _ICON), Image.Resampling.LANCZOS)
    icon.putalpha(mask.resize((_ICON, _ICON), Image.Resampling.LANCZOS))
    buffer = io.BytesIO()
    icon.save(buffer, "PNG", compress_level=9)
    return buffer.getvalue()
