"""What is made in the background, one at a time: artworks, versions of drafts, pipelines; what happens meanwhile."""

from __future__ import annotations

import logging
import queue
import secrets
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from auria_bot.errors import AuriaError, NotFound, TooManyAttempts
from auria_bot.redaction import redacted_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auria_bot.domain.draft import Draft
    from auria_bot.services.studio.run_store import RunEvent

__all__ = ["BackgroundRun", "BackgroundRuns", "new_key"]

log = logging.getLogger(__name__)

_MOST_WAITING = 8
_REMEMBERED = 50


def new_key() -> str:
    """What a run is found by."""
    return secrets.token_urlsafe(12)


class BackgroundRun:
    """One run: its events so far, and its result."""

    def __init__(
        self,
        draft_id: int | None,
        work: Callable[[Callable[[RunEvent], None]], Draft | None],
        *,
        pipeline: str = "",
        key: str = "",
    ) -> None:
        """`draft_id` is the draft that gets a new version; None for a new artwork, and for a pipeline."""
        self.key, self.draft_id, self._work = key or new_key(), draft_id, work
        self.pipeline = pipeline
        self.is_done = False
        """Whether it has ended, well or not."""
        self._events: list[RunEvent] = []
        self.new_draft: int | None = None
        self.error = ""
        self._is_started = False

    @property
    def state(self) -> str:
        """Whether it is "waiting", "running", "done" or "failed"."""
        if self.is_done:
            return "failed" if self.error else "done"
        return "running" if self._is_started else "waiting"

    def events(self, after: int = 0) -> Sequence[RunEvent]:
        """The events after the first `after` ones."""
        return tuple(self._events[after:])

    def work(self) -> None:
        """Carry it out; an error is kept, not raised."""
        self._is_started = True
        try:
            made = self._work(self._events.append)
            self.new_draft = made.id if made is not None else None
        except AuriaError as error:
            self.error = redacted_error(error)
        except Exception:
            log.exception("A run failed unexpectedly")
            self.error = "an unexpected error; the log has the details"
        self.is_done = True


class BackgroundRuns:
    """Works off runs in one thread, which is started with the first one. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: queue.Queue[BackgroundRun] = queue.Queue()
        self._runs: OrderedDict[str, BackgroundRun] = OrderedDict()
        self._thread: threading.Thread | None = None

    def start(
        self,
        draft_id: int | None,
        work: Callable[[Callable[[RunEvent], None]], Draft | None],
        *,
        pipeline: str = "",
        key: str = "",
    ) -> BackgroundRun:
        """Line a run up, which makes a new version of a draft, a new artwork, or what a pipeline makes.

        It may begin before this returns: work that needs to know the run's key is given a `new_key` beforehand.

        Raises:
            TooManyAttempts: too many runs wait already, or one of this draft does.
        """
        with self._lock:
            open_runs = [run for run in self._runs.values() if not run.is_done]
            is_busy = draft_id is not None and any(run.draft_id == draft_id for run in open_runs)
            if is_busy or len(open_runs) >= _MOST_WAITING:
                raise TooManyAttempts("the studio is busy with this draft or has too many waiting", seconds=30)
            run = BackgroundRun(draft_id, work, pipeline=pipeline, key=key)
            self._runs[run.key] = run
            while len(self._runs) > _REMEMBERED:
                self._runs.popitem(last=False)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work_off, name="studio", daemon=True)
                self._thread.start()
        self._waiting.put(run)
        return run

    def list(self) -> tuple[BackgroundRun, ...]:
        """The runs that are remembered, newest first."""
        with self._lock:
            return tuple(reversed(self._runs.values()))

    def get(self, key: str) -> BackgroundRun:
        """A run.

        Raises:
            NotFound: there is none, or it was long ago.
        """
        with self._lock:
            if (run := self._runs.get(key)) is None:
                raise NotFound("there is no such run; the drafts show what came of it")
            return run

    def _work_off(self) -> None:
        while True:
            self._waiting.get().work()
