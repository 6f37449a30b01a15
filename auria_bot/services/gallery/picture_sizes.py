"""Published pictures in several widths and formats, made when they are first asked for and kept on the disk; films."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from auria_bot.domain.artwork import FILM
from auria_bot.errors import NotFound, StorageAway
from auria_bot.files import atomic_path, disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PIL import Image

    from auria_bot.domain.draft import Draft
    from auria_bot.store.files import Pictures

__all__ = ["FORMATS", "FORMER_WIDTHS", "WIDTHS", "PictureSizes", "widths_below"]

WIDTHS: Final = (320, 720, 960, 1440, 1920)
"""Widths in pixels; those above a picture's own are replaced by its own. Phones with two pixels for one need 720."""

FORMER_WIDTHS: Final = (640,)
"""Widths of earlier versions, to which feeds and other sites still refer; `nearest` takes their place."""

FORMATS: Final = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
"""File suffixes with their media types, the smallest files first."""

_LOOK_AGAIN: Final = 60.0  # seconds after which a missing picture may be there again

_SAVE: Final = {
    "avif": ("AVIF", {"quality": 62, "speed": 7}),
    "webp": ("WEBP", {"quality": 80, "method": 4}),
    "jpg": ("JPEG", {"quality": 84, "optimize": True, "progressive": True}),
}


class PictureSizes:
    """Smaller copies of the drafts' pictures. Safe for use by several threads; one picture is resized at a time."""

    def __init__(self, *, pictures: Pictures, cache: Path, seconds: Callable[[], float] = time.monotonic) -> None:
        """Copies are kept in the folder `cache`, which may be deleted at any time; `seconds` only grow."""
        self._pictures, self._cache, self._seconds = pictures, cache, seconds
        self._lock = threading.Lock()
        self._sizes: dict[str, tuple[int, int]] = {}  # by folder; a published picture never changes
        self._missing: dict[str, float] = {}  # by folder: when to look again for its picture

    def size(self, draft: Draft) -> tuple[int, int]:
        """Width and height of a draft's picture in pixels; (0, 0) if its file is missing or damaged."""
        return self.size_of(draft.folder, draft.artwork.files["full"].name)

    def size_of(self, folder: str, name: str) -> tuple[int, int]:
        """As `size`, of the picture with this name in the folder of a draft."""
        if (known := self._sizes.get(folder)) is not None:
            return known
        now = self._seconds()
        if self._missing.get(folder, now) > now:
            return 0, 0
        try:
            with self._open(folder, name, whose=folder) as image:
                found = self._sizes[folder] = image.size
        except NotFound:
            self._missing[folder] = now + _LOOK_AGAIN
            return 0, 0
        self._missing.pop(folder, None)
        return found

    def widths(self, draft: Draft) -> tuple[int, ...]:
        """The widths in which a draft's picture is offered, the smallest first."""
        return widths_below(self.size(draft)[0])

    def nearest(self, draft: Draft, width: int) -> int:
        """The smallest offered width of at least `width`, else the widest; `width` where the picture is missing."""
        offered = self.widths(draft)
        return next((one for one in offered if one >= width), offered[-1] if offered else width)

    def file(self, draft: Draft, width: int, suffix: str) -> Path:
        """The file of a draft's picture in one of its `widths` and one of FORMATS.

        Raises:
            NotFound: the width or the format is not offered, or the picture is missing or damaged.
            DiskError: the copy cannot be written.
        """
        if suffix not in FORMATS or width not in self.widths(draft):
            raise NotFound(f"the picture of artwork {draft.id} is not offered as {width}.{suffix[:8]}")
        target = self._cache / draft.picture_sha256 / f"{width}.{suffix}"
        if not target.is_file():
            with self._lock:
                if not target.is_file():
                    self._make(draft, target, width, suffix)
        return target

    def film(self, draft: Draft) -> Path:
        """The video of a draft that is a film.

        Raises:
            NotFound: it is none, or its file is missing; visitors read the message, so it names no path.
        """
        try:
            return self._pictures.path(draft.folder, draft.artwork.files[FILM].name)
        except (KeyError, NotFound, StorageAway):
            raise NotFound(f"artwork {draft.id} has no film") from None

    @contextmanager
    def _open(self, folder: str, name: str, *, whose: str) -> Iterator[Image.Image]:
        """A picture in full size.

        Raises:
            NotFound: it is missing, damaged or out of reach; visitors read the message, so it names no path.
        """
        from PIL import Image

        try:
            with Image.open(self._pictures.path(folder, name)) as image:
                yield image
        except (NotFound, StorageAway, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            raise NotFound(f"{whose} has no readable picture; put it back from a backup") from None

    def _make(self, draft: Draft, target: Path, width: int, suffix: str) -> None:
        from PIL import Image

        form, options = _SAVE[suffix]
        with self._open(draft.folder, draft.artwork.files["full"].name, whose=f"artwork {draft.id}") as image:
            height = max(1, round(image.height * width / image.width))
            small = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(target, durable=False) as scratch:
                small.save(scratch, form, **options)


def widths_below(own: int) -> tuple[int, ...]:
    """The widths in which a picture of that width is offered, the smallest first; none for 0."""
    return (*(width for width in WIDTHS if width < own), own) if own else ()
