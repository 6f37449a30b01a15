"""Makes the artworks that visitors ask for: one at a time, in the order of asking, and only while nothing else works.

The work is done as in the operator's studio, by the executor in child processes, but in a folder of its own: neither
drafts nor runs of the operator are touched. Between two steps the studio looks whether Auria's own work has begun; then
its worker is ended, and the run is resumed afterwards. What becomes of an artwork is seen by whoever has its link; it
is a draft only once the visitor offers it, and then the operator decides.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import re
import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from auria_bot.domain.artwork import VISITOR, Artwork
from auria_bot.domain.pipeline import STEPS, ArtworkRequest
from auria_bot.errors import AuriaError, DiskError, InputError, InvalidTransition, NotPermitted, VisitorRefused
from auria_bot.files import acquire_lock, disk_errors, sha256_of
from auria_bot.services.studio.step_runner import StepRunner
from auria_bot.services.visitors.works import VisitorWork, WorkState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Clock
    from auria_bot.execution.work_unit import Executor
    from auria_bot.services.studio.plan import StudioConfig
    from auria_bot.services.studio.planner import RunPlanner
    from auria_bot.services.studio.run_store import Run, RunEvent, RunStore
    from auria_bot.services.visitors.limits import DailyLimits
    from auria_bot.services.visitors.works import VisitorWorks
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["LONGEST_THEME", "Moment", "VisitorPolicy", "VisitorStudio"]

log = logging.getLogger(__name__)

LONGEST_THEME: Final = 80
"""Most characters of a visitor's theme."""

_POLL = 1.0  # seconds between two looks whether the studio is free
_SHOWN: Final = {"painting", "enlarged", "layer"}  # kinds of files that are seen while they are made
_NOT_KEPT = re.compile(r"layer-[0-9]+\.jpg|enlarged\.png")


class _GiveWay(Exception):
    """Auria's own work has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorPolicy:
    """What visitors may have."""

    queue: int  # most who wait
    days: float  # after which an artwork is deleted that was not kept
    kept: int  # most artworks that are kept for good
    is_busy: Callable[[], bool]  # whether Auria's own work needs the machine
    has_room: Callable[[], bool]  # whether the disk has room
    faults: Callable[[str], Sequence[str]]  # why a theme must not be used


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How far an artwork is that waits or is being made."""

    ahead: int  # artworks that are made before it
    is_paused: bool  # it waits for Auria's own work to end
    events: tuple[RunEvent, ...]


@dataclass(slots=True)
class _Job:
    key: str
    request: ArtworkRequest
    events: list[RunEvent] = field(default_factory=list)
    pictures: dict[str, Path] = field(default_factory=dict)  # by name: what is seen while it is made
    is_paused: bool = False


class VisitorStudio:
    """Makes artworks for visitors. Safe for use by several threads.

    Usage::

        work = studio.ask(theme="autumn rain", visitor=cookie, address="203.0.113.7")
        studio.watch(work.key, after=0)
        studio.offer(work.key, visitor=cookie)
    """

    def __init__(
        self,
        *,
        policy: VisitorPolicy,
        works: VisitorWorks,
        limits: DailyLimits,
        planner: RunPlanner,
        runs: RunStore,
        executor: Executor,
        config: StudioConfig,
        store: Store,
        pictures: Pictures,
        clock: Clock,
    ) -> None:
        """Nothing is opened or started before it is used; `runs` are in a folder of the visitors' own."""
        self._policy, self._works, self._limits, self._planner = policy, works, limits, planner
        self._runs, self._executor, self._config = runs, executor, config
        self._store, self._pictures, self._clock = store, pictures, clock
        self._lock = threading.RLock()
        self._held: int | None = None  # the lock's file descriptor, once the folder is ours
        self._jobs: dict[str, _Job] = {}  # those that wait or are being made, in order
        self._waiting: queue.Queue[str] = queue.Queue()
        self._thread: threading.Thread | None = None
        self.outcomes: Counter[str] = Counter()  # how many were made, failed and refused since the start

    def ask(self, *, theme: str = "", mood: str = "", visitor: str, address: str) -> VisitorWork:
        """Line an artwork up.

        Args:
            theme: a few words; "" for none.
            mood: a name in MOODS; "" for what the poem says.
            visitor: the visitor's cookie.
            address: the visitor's network address; it is counted, not kept.

        Raises:
            TextRejected: the theme cannot be used.
            InputError: it is too long, or there is no such mood.
            VisitorRefused: a limit is reached, or the studio cannot work now.
        """
        try:
            with self._lock:
                self._open()
                self._works.tidy(now=self._clock(), days=self._policy.days)
                request = self._request(theme, mood)
                self._check_turn(visitor)
                self._limits.take(address)
                work = VisitorWork(
                    key=secrets.token_hex(16),
                    owner=_hashed(visitor),
                    theme=request.theme or "",
                    mood=request.mood or "",
                    asked_at=self._clock(),
                )
                self._works.save(work)
                self._jobs[work.key] = _Job(work.key, request)
                self._waiting.put(work.key)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work_off, name="visitor-studio", daemon=True)
                    self._thread.start()
        except VisitorRefused as error:
            self.outcomes[f"refused_{error.reason}"] += 1
            raise
        return work

    def work(self, key: str) -> VisitorWork:
        """An artwork.

        Raises:
            NotFound: there is none, or its time is over.
        """
        with self._lock:
            self._open()
            self._works.tidy(now=self._clock(), days=self._policy.days)
            return self._works.get(key)

    def current(self, visitor: str) -> VisitorWork | None:
        """The artwork of a visitor that waits or is being made."""
        with self._lock:
            self._open()
            owner = _hashed(visitor)
            return next((work for key in self._jobs if (work := self._works.get(key)).owner == owner), None)

    def watch(self, key: str, *, after: int = 0) -> Moment | None:
        """How far an artwork is, with its events after the first `after` ones; None once it has ended.

        Takes no lock, so it may be called often.
        """
        if (job := self._jobs.get(key)) is None:
            return None
        keys = list(self._jobs)
        ahead = keys.index(key) if key in keys else 0
        return Moment(ahead=ahead, is_paused=job.is_paused, events=tuple(job.events[after:]))

    @property
    def queue_length(self) -> int:
        """How many artworks wait or are being made."""
        return len(self._jobs)

    def picture(self, key: str, name: str) -> Path:
        """What an event showed by that name, also once the artwork is finished; or "post", the finished picture.

        Not all are kept with a finished artwork: the finished picture stands for the others.

        Raises:
            NotFound: there is no such picture, or not any more.
        """
        job = self._jobs.get(key)
        if job is not None and (found := job.pictures.get(name)) is not None and found.is_file():
            return found
        with self._lock:
            self._open()
            work = self._works.get(key)
            kinds = {file.name: kind for kind, file in work.finished.files.items()}
            return self._works.path(work, "post" if _NOT_KEPT.fullmatch(name) else kinds.get(name, name))

    def is_own(self, work: VisitorWork, *, visitor: str) -> bool:
        """Whether an artwork is that visitor's."""
        return secrets.compare_digest(work.owner, _hashed(visitor))

    def keep(self, key: str, *, visitor: str) -> VisitorWork:
        """Keep an artwork for good.

        Raises:
            NotFound: there is none.
            NotPermitted: it is another visitor's.
            InvalidTransition: it is not finished.
            VisitorRefused: as many are kept as there may be.
        """
        with self._lock:
            work = self._own(key, visitor)
            if work.is_kept:
                return work
            if sum(other.is_kept for other in self._works.all()) >= self._policy.kept:
                raise VisitorRefused("no more artworks can be kept here", reason="kept")
            return self._works.save(replace(work, is_kept=True))

    def offer(self, key: str, *, visitor: str) -> VisitorWork:
        """Offer an artwork to the operator, as a draft that waits for a decision; repeating it changes nothing.

        Raises:
            NotFound: there is none.
            NotPermitted: it is another visitor's.
            InvalidTransition: it is not finished.
            StoreError, DiskError: the draft cannot be stored.
        """
        with self._lock:
            work = self._own(key, visitor)
            if work.draft is not None:
                return work
            draft = self._draft(work)
            return self._works.save(replace(work, draft=draft.id))

    def remove(self, key: str, *, visitor: str) -> None:
        """Delete an artwork; a draft that it was offered as stays.

        Raises:
            NotFound: there is none.
            NotPermitted: it is another visitor's.
            InvalidTransition: it is not finished.
        """
        with self._lock:
            self._works.remove(self._own(key, visitor).key)

    def _open(self) -> None:
        """Take the folder for this process, and clear what a killed one left."""
        if self._held is not None:
            return
        root = self._works.root
        with disk_errors(root):
            root.mkdir(parents=True, exist_ok=True)
            self._held = acquire_lock(root / ".lock", wait=0.0)
        if self._held is None:
            raise VisitorRefused("the studio is open on another server of this home", reason="elsewhere")
        self._works.load()
        for name in self._runs.names():
            self._runs.discard(name)

    def _request(self, theme: str, mood: str) -> ArtworkRequest:
        if len(theme.strip()) > LONGEST_THEME:
            raise InputError(f"the theme has {len(theme.strip())} characters; at most {LONGEST_THEME} are possible")
        request = ArtworkRequest(theme=theme or None, mood=mood or None).validated()
        if request.theme and self._policy.faults(request.theme):
            raise VisitorRefused("the theme cannot be used", reason="theme")
        return request

    def _check_turn(self, visitor: str) -> None:
        owner = _hashed(visitor)
        if any(self._works.get(key).owner == owner for key in self._jobs):
            raise VisitorRefused("an artwork of yours is being made; wait for it", reason="one", seconds=30)
        if len(self._jobs) >= self._policy.queue:
            raise VisitorRefused("too many visitors wait; come back in a few minutes", reason="queue", seconds=120)
        if not self._policy.has_room():
            raise VisitorRefused("the studio is closed: its disk is full", reason="closed", seconds=3600)

    def _own(self, key: str, visitor: str) -> VisitorWork:
        self._open()
        work = self._works.get(key)
        if not self.is_own(work, visitor=visitor):
            raise NotPermitted("only the visitor who asked for the artwork may do that")
        if work.is_open:
            raise InvalidTransition("the artwork is not finished")
        return work

    def _draft(self, work: VisitorWork) -> Draft:
        if work.state is not WorkState.DONE:
            raise InvalidTransition("the artwork is not finished")
        artwork = work.finished
        folder = f"visitor-{work.key}"
        kept = self._pictures.keep(
            folder, {file.name: self._works.path(work, kind) for kind, file in artwork.files.items()}
        )
        now = self._clock()
        with self._store.acting_as(VISITOR).begin() as unit:
            draft = unit.drafts.add(
                artwork, folder=folder, picture_sha256=sha256_of(kept / artwork.files["post"].name), made_at=now
            )
            unit.journal.note("offer", draft_id=draft.id, details="a visitor of the web site", at=now)
        log.info("A visitor offers draft %d", draft.id, extra={"draft": draft.id})
        return draft

    def _work_off(self) -> None:
        while True:
            key = self._waiting.get()
            job = self._jobs[key]
            try:
                self._make(job)
            except Exception as error:
                if isinstance(error, AuriaError):
                    log.warning("A visitor's artwork failed: %s", error)
                else:
                    log.exception("A visitor's artwork failed unexpectedly")
                self._end(job, state=WorkState.FAILED)

    def _make(self, job: _Job) -> None:
        self._wait(job)
        self._save(job, state=WorkState.WORKING)
        planned = self._planner.new(job.request, origin=VISITOR)
        with self._runs.create(planned.plan, planned.states) as run:
            try:
                self._work_through(run, job)
                state = run.load(1)
                if state.failure is not None:
                    raise state.failure.to_error()
                artwork = Artwork.finished(state.artwork)
                folder = run.artwork_folder(1)
                self._works.keep_files(job.key, {file.name: folder / file.name for file in artwork.files.values()})
                self._end(job, state=WorkState.DONE, artwork=artwork.to_json())
            finally:
                self._runs.finish(run)

    def _work_through(self, run: Run, job: _Job) -> None:
        """Take a run through its steps, with pauses where Auria's own work needs the machine."""

        def report(event: RunEvent) -> None:
            folder = run.artwork_folder(1)
            for kind in event.files.keys() & _SHOWN:
                job.pictures[event.files[kind].name] = folder / event.files[kind].name
            job.events.append(event)
            if event.state == "done" and event.step != STEPS[-1].name and self._policy.is_busy():
                raise _GiveWay

        while True:
            runner = StepRunner(run, self._executor, config=self._config, report=report, is_watched=True)
            try:
                runner.work()
            except _GiveWay:
                self._wait(job)
            else:
                return

    def _wait(self, job: _Job) -> None:
        """Wait until Auria's own work is done."""
        while self._policy.is_busy():
            job.is_paused = True
            time.sleep(_POLL)
        job.is_paused = False

    def _save(self, job: _Job, **changes: WorkState | Mapping[str, object]) -> None:
        with self._lock:
            self._works.save(replace(self._works.get(job.key), **changes))  # type: ignore[arg-type]  # real fields

    def _end(self, job: _Job, **changes: WorkState | Mapping[str, object]) -> None:
        """Note how an artwork ended; a disk that does not take it costs the record, never the thread that works."""
        with self._lock:
            if job.key not in self._jobs:
                return  # it has ended, and what failed came afterwards
            try:
                self._save(job, **changes)
            except DiskError as error:
                log.warning("The record of a visitor's artwork was not written: %s", error)
            del self._jobs[job.key]
            self.outcomes[str(changes["state"])] += 1


def _hashed(visitor: str) -> str:
    return hashlib.sha256(visitor.encode()).hexdigest()
