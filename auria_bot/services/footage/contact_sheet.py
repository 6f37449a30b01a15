"""The contact sheet of a set of footage: frames spread evenly over it, each with its source and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.services.footage.library import FootageLibrary

__all__ = ["write_sheet"]


def write_sheet(library: FootageLibrary, name: str, target: Path, *, count: int) -> int:
    """Write a contact sheet as JPEG; how many frames it shows.

    Raises:
        NotFound: there is no such set, or it has no frames.
        PictureError: a frame is missing or damaged.
        DiskError: the sheet cannot be written.
    """
    from auria_bot.art.exporters.contact_sheet import write_contact_sheet

    footage = library.get(name)
    if not footage.frames:
        raise NotFound(f"footage {name!r} has no frames; auria footage show {name} says why")
    count = min(count, len(footage.frames))
    folder = library.folder(name) / "frames"
    chosen = [footage.frames[(2 * number + 1) * len(footage.frames) // (2 * count)] for number in range(count)]
    shown = []
    for frame in chosen:
        source = footage.sources[frame.source]
        minutes, tenths = divmod(round(10 * frame.time), 600)
        time = f" {minutes}:{tenths / 10:04.1f}" if source.every is not None else ""
        shown.append((folder / frame.file, f"{source.name}{time}"))
    title = f"{name}: {len(footage.frames)} frames of {footage.width} x {footage.height} pixels"
    write_contact_sheet(title, shown, target)
    return count
