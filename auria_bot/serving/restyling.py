"""Restyles pictures for others, one at a time: a network or a painter of strokes already uses every core.

The stylist is loaded with the first picture, so that a server of captions alone needs no memory for it, and anew when
styles were trained, added or promoted since.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image

from auria_bot.art.pictures import decode_picture
from auria_bot.art.stylists.magenta import Magenta
from auria_bot.art.stylists.media import STROKE_MODES
from auria_bot.serving.work_queue import WorkQueue, work_metrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from auria_bot.domain.model_requests import StyleRequest

__all__ = ["LONGEST_SIDE", "METRICS", "ServedStyles", "StylePool", "as_jpeg"]

LONGEST_SIDE: Final = 2048
"""Pixels of the longer side to which a larger picture is scaled down, so that memory is bounded."""

_QUALITY: Final = 92  # of the JPEG

METRICS = work_metrics("pictures", "restyled", "restyle", verb="restyled")
"""The metrics of restyling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedStyles:
    """The styles on disk."""

    models: Path  # the folder of all models
    banks: tuple[Path, ...]  # the operator's own style banks
    state: tuple[str, ...]  # what changes when a style does


class StylePool:
    """A thread that restyles pictures.

    Usage::

        pool = StylePool(find=styles_on_disk, waiting=8, most_pixels=30_000_000)
        jpeg = pool.submit(content, request, deadline=time.monotonic() + 30).result()
    """

    def __init__(self, *, find: Callable[[], ServedStyles], waiting: int, most_pixels: int) -> None:
        """Prepare a pool.

        Args:
            find: the styles; asked before each picture.
            waiting: most pictures that wait beside the one being restyled.
            most_pixels: of a picture.
        """
        self._find, self._most_pixels = find, most_pixels
        self._queue = WorkQueue(METRICS, waiting=waiting)
        self.metrics, self.close = self._queue.metrics, self._queue.close
        self._loaded: tuple[ServedStyles, Magenta] | None = None

    def submit(self, content: bytes, request: StyleRequest, *, deadline: float) -> Future[bytes]:
        """Restyle a picture in the thread.

        Args:
            content: a picture file.
            request: the style, and how it is painted.
            deadline: on `time.monotonic`'s clock; whose turn comes later is not restyled any more.

        Returns:
            A JPEG without metadata in the future, of the picture's size or of `LONGEST_SIDE`. The future raises
            PictureError or UnknownName where picture or style cannot be used, and ModelServerBusy where its turn came
            too late.

        Raises:
            ModelServerBusy: too many pictures wait.
        """
        return self._queue.submit(lambda: self._restyle(content, request), deadline=deadline)

    def _restyle(self, content: bytes, request: StyleRequest) -> bytes:
        picture = decode_picture(content, most_pixels=self._most_pixels)
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
        stylist = self._stylist()
        style = stylist.named(request.style, mode=request.mode, strength=request.strength)
        if style.mode in STROKE_MODES:
            restyled = stylist.painted(picture, style, size=picture.size, seed=request.seed)
        else:
            restyled = stylist.restyled(picture, style)
        return as_jpeg(restyled)

    def _stylist(self) -> Magenta:
        found = self._find()
        if self._loaded is None or self._loaded[0] != found:
            banks = tuple(str(folder) for folder in found.banks)
            self._loaded = found, Magenta(Magenta.Config(banks=banks), found.models)
        return self._loaded[1]


def as_jpeg(picture: Image.Image) -> bytes:
    """A picture as a JPEG file without metadata."""
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()
