"""Restyles pictures for others, one at a time: a network or a painter of strokes already uses every core.

The stylist is loaded with the first picture, so that a server of captions alone needs no memory for it, and anew when
styles were trained, added or promoted since.
"""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image

from auria_bot.art.pictures import decode_picture
from auria_bot.art.stylists.magenta import Magenta
from auria_bot.art.stylists.media import STROKE_MODES
from auria_bot.errors import AuriaError, ModelServerBusy
from auria_bot.telemetry import Metric, Sample, exposition

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from auria_bot.domain.restyling import StyleWish

__all__ = ["LONGEST_SIDE", "METRICS", "ServedStyles", "StylePool"]

LONGEST_SIDE: Final = 2048
"""Pixels of the longer side to which a larger picture is scaled down, so that memory is bounded."""

_QUALITY: Final = 92  # of the JPEG

METRICS = (
    Metric(name="auria_serve_restyled_total", kind="counter", labels=(), help="Pictures that were restyled."),
    Metric(name="auria_serve_restyle_seconds_total", kind="counter", labels=(), help="Seconds that restyling took."),
    Metric(name="auria_serve_restyle_refused_total", kind="counter", labels=("reason",), help="Pictures not restyled."),
)
"""The metrics of restyling."""

_REFUSED: Final = ("busy", "late", "wrong")


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
        jpeg = pool.submit(content, wish, deadline=time.monotonic() + 30).result()
    """

    def __init__(self, *, find: Callable[[], ServedStyles], waiting: int, most_pixels: int) -> None:
        """Prepare a pool.

        Args:
            find: the styles; asked before each picture.
            waiting: most pictures that wait beside the one being restyled.
            most_pixels: of a picture.
        """
        self._find, self._most, self._most_pixels = find, 1 + waiting, most_pixels
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="restyle")
        self._lock, self._inside, self._done, self._seconds = threading.Lock(), 0, 0, 0.0
        self._refused = dict.fromkeys(_REFUSED, 0)
        self._loaded: tuple[ServedStyles, Magenta] | None = None

    def close(self) -> None:
        """Finish what was begun."""
        self._worker.shutdown(wait=True, cancel_futures=False)

    def submit(self, content: bytes, wish: StyleWish, *, deadline: float) -> Future[bytes]:
        """Restyle a picture in the thread.

        Args:
            content: a picture file.
            wish: the style, and how it is painted.
            deadline: on `time.monotonic`'s clock; whose turn comes later is not restyled any more.

        Returns:
            A JPEG without metadata in the future, of the picture's size or of `LONGEST_SIDE`. The future raises
            PictureError or UnknownName where picture or style cannot be used, and ModelServerBusy where its turn came
            too late.

        Raises:
            ModelServerBusy: too many pictures wait.
        """
        with self._lock:
            if self._inside >= self._most:
                self._refused["busy"] += 1
                mean = self._seconds / self._done if self._done else 1.0
                wait = max(1, round(self._inside * mean))
                raise ModelServerBusy(f"{self._inside} pictures are waiting; come back in {wait} s", seconds=wait)
            self._inside += 1
        future = self._worker.submit(self._restyle, content, wish, deadline)
        future.add_done_callback(self._leave)
        return future

    def metrics(self) -> str:
        """All metrics in Prometheus' text format."""
        with self._lock:
            values = {"restyled_total": self._done, "restyle_seconds_total": self._seconds}
            refused = dict(self._refused)
        samples = [Sample(metric=f"auria_serve_{name}", labels={}, value=value) for name, value in values.items()]
        samples += [
            Sample(metric="auria_serve_restyle_refused_total", labels={"reason": reason}, value=count)
            for reason, count in refused.items()
        ]
        return exposition(samples, METRICS)

    def _leave(self, _: Future[bytes]) -> None:
        with self._lock:
            self._inside -= 1

    def _restyle(self, content: bytes, wish: StyleWish, deadline: float) -> bytes:
        begun = time.monotonic()
        try:
            if begun >= deadline:
                raise ModelServerBusy("the picture's turn came too late; come back later", seconds=1)
            picture = decode_picture(content, most_pixels=self._most_pixels)
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            stylist = self._stylist()
            style = stylist.named(wish.style, mode=wish.mode, strength=wish.strength)
            if style.mode in STROKE_MODES:
                restyled = stylist.painted(picture, style, size=picture.size, seed=wish.seed)
            else:
                restyled = stylist.restyled(picture, style)
        except AuriaError as error:
            with self._lock:
                self._refused["late" if isinstance(error, ModelServerBusy) else "wrong"] += 1
            raise
        written = io.BytesIO()
        restyled.save(written, "JPEG", quality=_QUALITY)
        with self._lock:
            self._done += 1
            self._seconds += time.monotonic() - begun
        return written.getvalue()

    def _stylist(self) -> Magenta:
        found = self._find()
        if self._loaded is None or self._loaded[0] != found:
            banks = tuple(str(folder) for folder in found.banks)
            self._loaded = found, Magenta(Magenta.Config(banks=banks), found.models)
        return self._loaded[1]
