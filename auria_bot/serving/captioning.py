"""Captions several pictures at once with the newest promoted captioner, and takes a newer one up between two pictures.

Each processor core captions one picture at a time; batches of several gain nothing on a processor, where one picture
already fills a core (the image encoder takes as long for four as for four times one). A model is loaded beside the one
in use and replaces it when it is ready: pictures that were begun are finished with the model they were begun with.
"""

from __future__ import annotations

import base64
import io
import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from auria_bot.art.captioners.attention import region_veil
from auria_bot.art.captioners.show_attend_tell import ShowAttendTell
from auria_bot.art.pictures import decode_picture
from auria_bot.errors import AuriaError, ModelServerBusy
from auria_bot.redaction import redacted_error
from auria_bot.serving.work_queue import WorkMetrics, WorkQueue
from auria_bot.telemetry import Metric, Sample, exposition

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from auria_bot.art.captioners.attention import AttendedCaption

__all__ = ["METRICS", "WORK", "CaptionPool", "ServedModel"]

log = logging.getLogger(__name__)

_SHOWN: Final = 480  # pixels of the longer side of the copy that a page shows
_POLL: Final = 1.0  # seconds between two looks for a newer version
_RETRY: Final = 60.0  # seconds after which a version that could not be loaded is tried again
_USUAL: Final = 0.1  # seconds that a caption takes

WORK = WorkMetrics(
    noun="pictures",
    done=Metric(name="auria_serve_captions_total", kind="counter", help="Pictures that were captioned."),
    seconds=Metric(name="auria_serve_caption_seconds_total", kind="counter", help="Seconds that captioning took."),
    refused=Metric(
        name="auria_serve_refused_total", kind="counter", labels=("reason",), help="Pictures without a caption."
    ),
    unusable="picture",
)
"""The metrics of captioning."""

METRICS = (
    Metric(name="auria_serve_ready", kind="gauge", help="Whether a model is loaded."),
    Metric(name="auria_serve_model", kind="gauge", labels=("version", "sha256"), help="The version in use; always 1."),
    Metric(name="auria_serve_waiting", kind="gauge", help="Pictures that wait or are being captioned."),
    *WORK.table,
    Metric(name="auria_serve_model_changes_total", kind="counter", help="How often a model was taken up."),
    Metric(name="auria_serve_model_failures_total", kind="counter", help="Models that could not be loaded."),
)
"""The metrics of the model server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A captioner on disk."""

    version: str
    folder: Path  # of the captioner
    models: Path  # where the image encoder is


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    model: ServedModel
    sha256: str
    captioner: ShowAttendTell


class CaptionPool:
    """Threads that caption pictures.

    Usage::

        pool = CaptionPool(find=registry_lookup, threads=2, waiting=32, most_pixels=30_000_000)
        pool.start()
        answer = pool.submit(content, deadline=time.monotonic() + 10, drawn=False).result()
    """

    def __init__(
        self, *, find: Callable[[], ServedModel], threads: int, waiting: int, most_pixels: int, poll: float = _POLL
    ) -> None:
        """Prepare a pool.

        Args:
            find: the newest promoted captioner; asked again and again.
            threads: pictures at once; 0 for one on each core that this process may use.
            waiting: most pictures that wait beside those being captioned.
            most_pixels: of a picture.
            poll: seconds between two looks for a newer version.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._find, self._most_pixels, self._poll = find, most_pixels, poll
        self._queue = WorkQueue(WORK, waiting=waiting, threads=threads or cores, usual=_USUAL)
        self._stop, self._changes, self._failures = threading.Event(), 0, 0
        self._loaded: _Loaded | None = None
        self._failed: ServedModel | None = None  # the version that could not be loaded last
        self._retry_at, self._told = 0.0, ""  # on time.monotonic's clock, and what was logged of it
        self._watcher = threading.Thread(target=self._watch, name="models", daemon=True)

    def start(self) -> None:
        """Load the model and begin to look for newer ones.

        Raises:
            ModelError: the model cannot be used.
        """
        self._take_up(self._find())
        self._watcher.start()

    def close(self) -> None:
        """Finish what was begun."""
        self._stop.set()
        self._queue.close()

    @property
    def model(self) -> dict[str, str] | None:
        """Name and hash of the version in use; None before one is loaded."""
        loaded = self._loaded
        return None if loaded is None else {"version": loaded.model.version, "sha256": loaded.sha256}

    def submit(self, content: bytes, *, deadline: float, drawn: bool) -> Future[dict[str, Any]]:
        """Caption a picture in one of the threads.

        Args:
            content: a picture file.
            deadline: on `time.monotonic`'s clock; whose turn comes later is not captioned any more.
            drawn: add a small copy of the picture and a veil for each word, as a page shows them.

        Returns:
            The answer in the future, as JSON: model, size, captions, the best first. The future raises PictureError
            where the picture cannot be used, and ModelServerBusy where its turn came too late.

        Raises:
            ModelServerBusy: too many pictures wait.
        """
        return self._queue.submit(lambda: self._caption(content, drawn=drawn), deadline=deadline)

    def metrics(self) -> str:
        """All metrics in Prometheus' text format."""
        model = self.model
        values = {
            "ready": model is not None,
            "waiting": self._queue.inside,
            "model_changes_total": self._changes,
            "model_failures_total": self._failures,
        }
        samples = self._queue.samples()
        samples += [Sample(metric=f"auria_serve_{name}", value=value) for name, value in values.items()]
        if model is not None:
            samples.append(Sample(metric="auria_serve_model", labels=model, value=1))
        return exposition(samples, METRICS)

    def _caption(self, content: bytes, *, drawn: bool) -> dict[str, Any]:
        loaded = self._loaded
        if loaded is None:
            raise ModelServerBusy("no model is loaded yet; come back in a moment", seconds=1)
        picture = decode_picture(content, most_pixels=self._most_pixels)
        found = loaded.captioner.explain(picture)
        answer: dict[str, Any] = {
            "model": {"name": "captioner", "version": loaded.model.version, "sha256": loaded.sha256},
            "width": picture.width,
            "height": picture.height,
            "captions": [_shown(caption, drawn=drawn) for caption in found],
        }
        if drawn:
            answer["picture"] = _small_copy(picture)
        return answer

    def _watch(self) -> None:
        """Take a newer version up as soon as it is promoted; what cannot be loaded is tried again after a minute."""
        while not self._stop.wait(self._poll):
            found = None
            try:
                found = self._find()
                is_known = self._loaded is not None and found == self._loaded.model
                if not is_known and (found != self._failed or time.monotonic() >= self._retry_at):
                    self._take_up(found)
            except AuriaError as error:
                self._fail(found, redacted_error(error))
            except Exception as error:  # noqa: BLE001 - whatever is wrong with a newer version, the one in use goes on
                self._fail(found, f"{type(error).__name__}: {redacted_error(error)}")

    def _take_up(self, model: ServedModel) -> None:
        captioner = ShowAttendTell(
            ShowAttendTell.Config(scenes=False, colours=False), model.models, folder=model.folder
        )
        sha256 = captioner.models()["captioner"]
        captioner.explain(Image.new("RGB", (64, 64), "gray"))  # loads the networks, so that no visitor waits for it
        before, self._loaded = self._loaded, _Loaded(model=model, sha256=sha256, captioner=captioner)
        self._failed, self._told = None, ""
        self._changes += before is not None
        log.info("The captioner in use is version %s (%s)", model.version, sha256[:12])

    def _fail(self, model: ServedModel | None, why: str) -> None:
        """Count a failure, and say once why a newer version cannot be used; the one in use stays."""
        self._failed, self._retry_at = model, time.monotonic() + _RETRY
        self._failures += 1
        if self._told != why:
            self._told = why
            log.warning("The newest captioner cannot be used, the one in use stays: %s", why)


def _shown(caption: AttendedCaption, *, drawn: bool) -> dict[str, Any]:
    answer = caption.to_json()
    if drawn:
        for word, attention in zip(answer["words"], caption.attention, strict=True):
            word["veil"] = _encoded(region_veil(attention), "PNG", optimize=True)
    return answer


def _small_copy(picture: Image.Image) -> str:
    """A JPEG without metadata, at most `_SHOWN` pixels a side, in Base64."""
    copy = picture.copy()
    copy.thumbnail((_SHOWN, _SHOWN), Image.Resampling.LANCZOS)
    return _encoded(copy, "JPEG", quality=82)


def _encoded(picture: Image.Image, kind: str, **options: Any) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return base64.b64encode(buffer.getvalue()).decode()
