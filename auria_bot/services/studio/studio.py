"""The studio: turns requests into drafts, goes on with interrupted runs, and makes other versions of drafts.

A run is planned, written down, taken through the steps by an executor, and handed over: its files move into the
pictures folder and its drafts into the database. Both can be repeated without harm, so `resume` completes whatever an
interrupted run left undone, and does nothing twice.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auria_bot.domain.artwork import Artwork
from auria_bot.errors import AuriaError, InputError, InvalidTransition, NotFound
from auria_bot.files import sha256_of
from auria_bot.services.studio.plan import GIVEN, ArtworkState, Failure
from auria_bot.services.studio.step_runner import StepRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.pipeline import ArtworkRequest
    from auria_bot.execution.work_unit import Executor
    from auria_bot.services.studio.plan import StudioConfig
    from auria_bot.services.studio.planner import PlannedRun, RunPlanner
    from auria_bot.services.studio.run_store import Run, RunEvent, RunStore
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["RunResult", "Studio", "UnfinishedRun"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run produced."""

    run: str
    seed: int
    drafts: tuple[Draft, ...]
    failures: tuple[Failure, ...]
    seconds: float  # wall
    peak_bytes: int  # largest resident size of a worker
    steps: tuple[tuple[str, float], ...]  # seconds of each step, over all artworks


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedRun:
    """A run that `resume` would go on with."""

    run: str
    count: int = 0
    finished: int = 0
    failures: tuple[Failure, ...] = ()
    seed: int | None = None
    theme: str | None = None
    problem: str = ""  # why it can only be discarded, e.g. as begun by another version


class Studio:
    """Makes drafts.

    Usage::

        result = studio.make(ArtworkRequest(count=3, theme="autumn rain"), progress=print)
        for result in studio.resume(): ...
        result = studio.restyle(draft, ArtworkRequest(mood="stormy"))
    """

    def __init__(
        self,
        *,
        config: StudioConfig,
        planner: RunPlanner,
        store: Store,
        pictures: Pictures,
        runs: RunStore,
        executor: Executor,
        clock: Clock,
    ) -> None:
        self._config, self._store, self._pictures, self._clock = config, store, pictures, clock
        self._planner, self._runs, self._executor = planner, runs, executor

    def with_theme(self, request: ArtworkRequest) -> ArtworkRequest:
        """The request with the theme that its season chooses, as `make` would complete it.

        Raises:
            UnknownName: there is no such season.
        """
        return self._planner.with_theme(request)

    def check(self, request: ArtworkRequest) -> None:
        """Make sure that a request can be fulfilled, before any work.

        Raises:
            InputError: it cannot.
        """
        self._planner.checked(request)

    def make(self, request: ArtworkRequest, *, progress: Callable[[RunEvent], None] | None = None) -> RunResult:
        """Make new artworks, each a draft for review.

        `progress` is called for everything that happens.

        Raises:
            InputError: the request cannot be fulfilled.
            StepFailed: there is no draft; the first failure. Beside drafts, failures are in the result.
        """
        return self._begin(self._planner.new(request), {}, progress)

    def restyle(
        self, draft: Draft, request: ArtworkRequest, *, progress: Callable[[RunEvent], None] | None = None
    ) -> RunResult:
        """Make another version of a draft from the same poem and painting: another style, mood, mode or seed.

        Raises:
            InputError: the request cannot be fulfilled.
            StepFailed: the version failed.
        """
        planned = self._planner.restyled(draft, request)
        files = {name: self._pictures.path(draft.folder, name) for name in planned.given_files}
        return self._begin(planned, files, progress)

    def repaint(
        self, draft: Draft, request: ArtworkRequest, *, progress: Callable[[RunEvent], None] | None = None
    ) -> RunResult:
        """Make another version of a draft from the same poem, with another picture.

        Raises:
            StepFailed: the version failed.
        """
        return self._begin(self._planner.repainted(draft, request), {}, progress)

    def resume(
        self,
        run: str | None = None,
        *,
        progress: Callable[[RunEvent], None] | None = None,
        skipped: Callable[[AuriaError], None] | None = None,
    ) -> tuple[RunResult, ...]:
        """Go on with one unfinished run, or all; artworks that failed are tried again.

        Where `skipped` is given, it is told of each run that another process or machine works on, or finished.

        Raises:
            NotFound: there is no such run.
            InvalidTransition: another process is working on it.
            InputError: it was begun by another version.
            StepFailed: it failed again.
        """
        results = []
        for name in [run] if run else self._runs.names():
            try:
                taken_up = self._runs.open(name)
            except (NotFound, InvalidTransition) as error:
                if skipped is None:
                    raise
                skipped(error)
                continue
            with taken_up as opened:
                for state in opened.states():
                    if state.failure is not None:
                        opened.save(replace(state, failure=None))
                here = replace(opened, plan=opened.plan.on_this_machine(self._config))
                results.append(self._complete(here, progress))
        return tuple(results)

    def unfinished(self) -> tuple[UnfinishedRun, ...]:
        """The runs that `resume` would go on with, the oldest first; those that are being worked on are left out."""
        found = []
        for name in self._runs.names():
            try:
                with self._runs.open(name, wait=1.0, files=False) as run:
                    states = run.states()
            except InputError as error:
                found.append(UnfinishedRun(run=name, problem=str(error)))
                continue
            except AuriaError as error:
                log.info("Run %s is skipped: %s", name, error, extra={"run": name})
                continue
            found.append(
                UnfinishedRun(
                    run=name,
                    count=run.plan.count,
                    finished=sum(state.finished for state in states),
                    failures=tuple(state.failure for state in states if state.failure),
                    seed=run.plan.seed,
                    theme=run.plan.request.theme,
                )
            )
        return tuple(found)

    def discard(self, run: str) -> None:
        """Give an unfinished run up; drafts that it produced already stay.

        Raises:
            NotFound: there is no such run.
            InvalidTransition: another process is working on it.
        """
        self._runs.discard(run)

    def _begin(
        self, planned: PlannedRun, files: Mapping[str, Path], progress: Callable[[RunEvent], None] | None
    ) -> RunResult:
        with self._runs.create(planned.plan, planned.states, files) as run:
            return self._complete(run, progress)

    def _complete(self, run: Run, progress: Callable[[RunEvent], None] | None) -> RunResult:
        """Take a run through its steps and hand over what it produced."""
        begun = time.monotonic()
        runner = StepRunner(run, self._executor, config=self._config, report=progress or (lambda _: None))
        peak = runner.work()
        states = run.states()
        drafts = tuple(self._hand_over(run, state) for state in states if state.finished)
        failures = tuple(state.failure for state in states if state.failure)
        seconds, times = dict[str, float](), Counter[str]()
        for state in states:
            for done in state.done:
                seconds[done.step] = seconds.get(done.step, 0.0) + done.seconds
                times[done.step] += done.key != GIVEN
        if all(isinstance(failure.to_error(), InputError) for failure in failures):  # trying again would not help
            with self._store.begin() as unit:
                for step, taken in seconds.items():
                    unit.metrics.record_step(step, seconds=taken, times=times[step])
            self._runs.finish(run)
        for failure in failures:
            log.warning("An artwork failed: %s", failure.message, extra={"run": run.plan.run, "step": failure.step})
        if not drafts and failures:
            raise failures[0].to_error()
        return RunResult(
            run=run.plan.run,
            seed=run.plan.seed,
            drafts=drafts,
            failures=failures,
            peak_bytes=peak,
            seconds=time.monotonic() - begun,
            steps=tuple(seconds.items()),
        )

    def _hand_over(self, run: Run, state: ArtworkState) -> Draft:
        """Copy a finished artwork to where drafts are kept; repeating it changes nothing."""
        artwork = Artwork.finished(state.artwork)
        folder = f"{run.plan.run}-{state.start.key}"
        source = run.artwork_folder(state.number)
        kept = self._pictures.keep(folder, {file.name: source / file.name for file in artwork.files.values()})
        sha256 = sha256_of(kept / artwork.files["post"].name)
        with self._store.begin() as unit:
            draft = unit.drafts.add(artwork, folder=folder, picture_sha256=sha256, made_at=self._clock())
        if state.draft is None:
            run.save(replace(state, draft=draft.id))
            log.info("A draft waits for review", extra={"draft": draft.id, "run": run.plan.run})
        return draft
