"""Writes poems and paints pictures of poems for others, with the makers that the settings choose.

A maker is loaded with the first request that needs it, so that a server of captions alone needs no memory for it, and
anew when a version was promoted since. Poems are not batched: a poet writes all candidates of a poem at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image

from auria_bot.domain.mood import find_mood
from auria_bot.domain.pipeline import SEEDS
from auria_bot.errors import NoGoodPicture
from auria_bot.files import scratch_folder
from auria_bot.serving.restyling import as_jpeg
from auria_bot.serving.work_queue import WorkQueue, work_metrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from auria_bot.domain import interfaces
    from auria_bot.domain.model_requests import PictureRequest, PoemRequest
    from auria_bot.domain.mood import Mood
    from auria_bot.settings.sections import StudioSettings

__all__ = ["PICTURES", "POEMS", "PicturePool", "PoemPool", "ServedMakers"]

POEMS = work_metrics("poems", "poem_requests", "poem", verb="written")
"""The metrics of poems."""
PICTURES = work_metrics("pictures of poems", "pictures", "picture", verb="painted")
"""The metrics of pictures of poems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedMakers:
    """What makes poems and pictures, as it is now."""

    make: Callable[[str], Any] = field(compare=False)  # a role's backend
    state: tuple[str, ...]  # what changes when a model does


class _Makers:
    """The backends that were loaded, until a model changes."""

    def __init__(self, find: Callable[[], ServedMakers]) -> None:
        self._find = find
        self._found: ServedMakers | None = None
        self._loaded: dict[str, Any] = {}

    def refresh(self) -> None:
        """Give up what was loaded where a model has changed."""
        found = self._find()
        if found != self._found:
            self._found, self._loaded = found, {}

    def role(self, name: str) -> Any:
        """A role's backend."""
        if name not in self._loaded:
            found = self._found or self._find()
            self._loaded[name] = found.make(name)
        return self._loaded[name]


class PoemPool:
    """A thread that writes poems.

    Usage::

        pool = PoemPool(find=makers_on_disk, waiting=8)
        answer = pool.submit(PoemRequest(theme="autumn rain"), deadline=time.monotonic() + 10).result()
    """

    def __init__(self, *, find: Callable[[], ServedMakers], waiting: int) -> None:
        """Prepare a pool.

        Args:
            find: the makers; asked before each request.
            waiting: most requests that wait beside the one being fulfilled.
        """
        self._makers, self._queue = _Makers(find), WorkQueue(POEMS, waiting=waiting)
        self.metrics, self.close = self._queue.metrics, self._queue.close

    def submit(self, request: PoemRequest, *, deadline: float) -> Future[dict[str, Any]]:
        """Write poems in the thread.

        Args:
            request: how many, and of what.
            deadline: on `time.monotonic`'s clock; whose turn comes later is not fulfilled any more.

        Returns:
            The answer in the future, as JSON: the seed, the poems, the best first, and the hashes of the models. The
            future raises InputError where the theme cannot be used.

        Raises:
            ModelServerBusy: too many wait.
        """
        return self._queue.submit(lambda: self._write(request), deadline=deadline)

    def _write(self, request: PoemRequest) -> dict[str, Any]:
        self._makers.refresh()
        poet: interfaces.Poet = self._makers.role("poet")
        verses = poet.compose(seed=request.seed, count=request.count, theme=request.theme, mood=_mood(request.mood))
        return {
            "seed": request.seed,
            "poems": [verse.haiku.to_json() for verse in verses],
            "models": dict(poet.models()),
        }


class PicturePool:
    """A thread that paints poems.

    Usage::

        pool = PicturePool(find=makers_on_disk, waiting=8, painting=settings.studio)
        jpeg = pool.submit(PictureRequest(haiku=haiku), deadline=time.monotonic() + 30).result()
    """

    def __init__(self, *, find: Callable[[], ServedMakers], waiting: int, painting: StudioSettings) -> None:
        """Prepare a pool.

        Args:
            find: the makers; asked before each request.
            waiting: most requests that wait beside the one being fulfilled.
            painting: size, candidates and rounds of a picture.
        """
        self._makers, self._queue = _Makers(find), WorkQueue(PICTURES, waiting=waiting)
        self._painting = painting
        self.metrics, self.close = self._queue.metrics, self._queue.close

    def submit(self, request: PictureRequest, *, deadline: float) -> Future[bytes]:
        """Paint a poem in the thread.

        Args:
            request: the poem, and how it is painted.
            deadline: on `time.monotonic`'s clock; whose turn comes later is not painted any more.

        Returns:
            A JPEG without metadata in the future. The future raises NoGoodPicture where the safety filter rejected all
            that was painted.

        Raises:
            ModelServerBusy: too many wait.
        """
        return self._queue.submit(lambda: self._paint(request), deadline=deadline)

    def _paint(self, request: PictureRequest) -> bytes:
        self._makers.refresh()
        enlarger: interfaces.Enlarger = self._makers.role("enlarger")
        with scratch_folder() as name:
            target = name / "enlarged.png"
            enlarger.enlarge(self._candidate(request, name), target, size=self._painting.size)
            with Image.open(target) as picture:
                return as_jpeg(picture.convert("RGB"))

    def _candidate(self, request: PictureRequest, folder: Path) -> Path:
        """The best candidate that passes the safety filter."""
        painter: interfaces.Painter = self._makers.role("painter")
        safety_filter: interfaces.SafetyFilter = self._makers.role("safety_filter")
        reason = "the painter painted nothing"
        for attempt in range(self._painting.rounds):
            place = folder / f"{attempt}"
            place.mkdir()
            seed, mood = (request.seed + attempt) % SEEDS, _mood(request.mood)
            for painting in painter.paint(
                request.haiku, seed=seed, count=self._painting.candidates, folder=place, mood=mood, theme=request.theme
            ):
                result = safety_filter.judge(painting.path)
                if result.passed:
                    return painting.path
                reason = result.reason
        raise NoGoodPicture(f"the safety filter rejected all pictures of the poem, the last one: {reason}")


def _mood(name: str | None) -> Mood | None:
    return find_mood(name) if name else None
