"""The studio: turns a wish into drafts, survives being killed, and works artworks over.

A run is planned, written down, carried through the steps in child processes, and handed over: its pictures move into
the pictures folder and its drafts into the database. Both are idempotent, so whatever a killed run left undone is
done by `resume`, and nothing twice. Knows the store and the makers as Protocols only.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import Artwork, ArtworkInProgress
from auria_bot.domain.mood import find_mood
from auria_bot.errors import AuriaError, InputError, TextRejected
from auria_bot.files import sha256_of
from auria_bot.services.studio.plan import (
    MAX_COUNT,
    SEEDS,
    ArtworkRequest,
    BackendSpec,
    Plan,
    draw_mood,
    new_seed,
    sketch_seed,
)
from auria_bot.services.studio.run_store import GIVEN, CompletedStep, Failure, State
from auria_bot.services.studio.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Clock
    from auria_bot.execution.local import ChildProcessExecutor
    from auria_bot.services.engagement.preferences import PreferenceModel, Preferences
    from auria_bot.services.studio.run_store import Run, RunStore
    from auria_bot.services.studio.step_runner import Progress
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["RunResult", "Studio", "UnfinishedRun"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run came to."""

    run: str
    seed: int
    drafts: tuple[Draft, ...]
    failures: tuple[Failure, ...]
    seconds: float  # wall
    peak_bytes: int  # largest resident size of a child
    steps: tuple[tuple[str, float], ...]  # seconds each step took, over all sketches


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedRun:
    """A run that `resume` would take up."""

    run: str
    count: int
    finished: int
    failures: tuple[Failure, ...]
    seed: int
    theme: str | None


class Studio:
    """Makes drafts.

    Usage::

        made = studio.make(count=3, theme="autumn rain", progress=lambda event: print(event))
        for draft in made.drafts: ...
        for made in studio.resume(): ...
        made = studio.restyle(draft, mood="stormy")
    """

    def __init__(
        self,
        *,
        workspace: RunStore,
        isolation: ChildProcessExecutor,
        store: Store,
        pictures: Pictures,
        clock: Clock,
        tools: Mapping[str, BackendSpec],
        faults: Callable[[str], Sequence[str]],
        candidates: int = 4,
        rounds: int = 3,
        size: int = 512,
        recent: int = 30,
        offers: Mapping[str, Any] | None = None,
        moods: PreferenceModel | None = None,
    ) -> None:
        """Join the collaborators.

        Args:
            workspace: where runs in the making lie.
            isolation: runs the steps.
            store: where drafts go.
            pictures: where their pictures go.
            clock: tells the time.
            tools: who plays each role.
            faults: why a text must not be used; nothing when it may.
            candidates: pictures painted a round, of which the best is kept.
            rounds: rounds of painting before a sketch is given up.
            size: pixels of the short side of the picture that is restyled.
            recent: how many of the latest drafts a run without a given seed looks back to.
            offers: options for every backend whose Config has a field of that name.
            moods: tells what followers' deeds make her lean to; without it she leans to nothing.
        """
        self._workspace, self._isolation = workspace, isolation
        self._store, self._pictures, self._clock = store, pictures, clock
        self._tools, self._faults = dict(tools), faults
        self._offers, self._moods = dict(offers or {}), moods
        self._candidates, self._rounds, self._size, self._recent = candidates, rounds, size, recent

    def make(
        self,
        *,
        count: int = 1,
        theme: str | None = None,
        mood: str | None = None,
        style: str | None = None,
        mode: str = "painterly",
        seed: int | None = None,
        mood_weights: Mapping[str, float] | None = None,
        seasonal: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> RunResult:
        """Make drafts.

        Args:
            count: how many.
            theme: what they are about.
            mood: a name in MOODS, "read" (from the poem) or "draw" (at random). Without one, it is read too, or, where
                neither theme nor seed is given, drawn by what followers loved.
            style: a style key, or a part of a painting's title.
            mode: "painterly" or "photorealistic".
            seed: 0 to 2**63 - 1. The same seed gives the same artwork; what was made before, and how it was received, is
                then not looked at. Without one, a random seed is taken and recorded, and recent poems, styles and
                pictures are avoided.
            mood_weights: shares for "draw"; all equal by default.
            seasonal: the theme is the season's and nobody's wish: what was loved may decide the mood all the same.
            progress: called for everything that happens.

        Raises:
            InputError: a wish cannot be fulfilled.
            StepFailed: no draft came about; the first failure. Others that failed are in the result.
        """
        if not 1 <= count <= MAX_COUNT:
            raise InputError(f"{count} drafts cannot be made in one run; 1 to {MAX_COUNT} are possible")
        if seed is not None and not 0 <= seed < SEEDS:
            raise InputError(f"the seed {seed} is out of range; 0 to {SEEDS - 1} are possible")
        wish = ArtworkRequest(theme=theme, mood=mood, style=style, mode=mode).checked()
        if wish.theme and (found := self._faults(wish.theme)):
            raise TextRejected(f"the theme cannot be used: {'; '.join(found[:3])}")
        leanings = self._moods.leanings() if self._moods and seed is None else None
        plan = self._plan(wish, count=count, seed=seed, leanings=leanings)
        leans = leanings if mood is None and (wish.theme is None or seasonal) else None
        states = []
        for number in range(1, count + 1):
            own = sketch_seed(plan.seed, number)
            name, source = wish.mood, "given"
            if wish.mood == "draw":
                name, source = draw_mood(own, dict(mood_weights or {})), "drawn"
            elif leans and (leaning := leans.mood(own)):
                name, source = leaning, "learned"
            start = ArtworkInProgress(
                key=f"{number:02d}",
                seed=own,
                theme=wish.theme,
                wanted_style=wish.style,
                style_mode=wish.mode,
                mood=None if name == "read" else name,
                mood_source=None if name == "read" else source,
            )
            states.append(State(number=number, start=start))
        with self._workspace.create(plan, states) as run:
            return self._carry(run, progress)

    def resume(
        self, run: str | None = None, *, progress: Callable[[Progress], None] | None = None
    ) -> tuple[RunResult, ...]:
        """Take up one unfinished run, or all; sketches that failed are tried again.

        Raises:
            NotFound: there is no such run.
            InvalidTransition: another process is at work on it.
            StepFailed: nothing came of it again.
        """
        done = list[RunResult]()
        for name in [run] if run else self._workspace.names():
            with self._workspace.open(name) as taken:
                for state in taken.states():
                    if state.failure is not None:
                        taken.save(replace(state, failure=None))
                done.append(self._carry(taken, progress))
        return tuple(done)

    def unfinished(self) -> tuple[UnfinishedRun, ...]:
        """The runs that `resume` would take up, the oldest first. Those at work right now are left out."""
        found = []
        for name in self._workspace.names():
            try:
                with self._workspace.open(name, wait=1.0) as run:
                    states = run.states()
            except AuriaError as error:
                log.info("The run %s is left alone: %s", name, error, extra={"run": name})
                continue
            found.append(
                UnfinishedRun(
                    run=name,
                    count=run.plan.count,
                    finished=sum(state.finished for state in states),
                    failures=tuple(state.failure for state in states if state.failure),
                    seed=run.plan.seed,
                    theme=run.plan.wish.theme,
                )
            )
        return tuple(found)

    def discard(self, run: str) -> None:
        """Give an unfinished run up; drafts that it brought forth already stay.

        Raises:
            NotFound: there is no such run.
            InvalidTransition: another process is at work on it.
        """
        with self._workspace.open(run) as taken:
            self._workspace.remove(taken)

    def restyle(
        self,
        draft: Draft,
        *,
        style: str | None = None,
        mood: str | None = None,
        mode: str | None = None,
        seed: int | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> RunResult:
        """Make another version of a draft from the same poem and painting: another style, mood or mode.

        Raises:
            InputError: a wish cannot be fulfilled.
            StepFailed: it did not come about.
        """
        artwork = draft.artwork
        given = {"haiku": artwork.haiku, "painting": "painting.png", "nudity": artwork.nudity}
        recent = () if style else (artwork.style.key,)
        return self._rework(
            draft,
            given,
            steps=("poem", "mood", "painting"),
            recent=recent,
            progress=progress,
            wish=ArtworkRequest(
                theme=artwork.theme or None, mood=mood or artwork.mood, style=style, mode=mode or artwork.style.mode
            ),
            files={"painting.png": self._pictures.path(draft.folder, artwork.painting)},
            seed=seed,
            source="given" if mood else artwork.mood_source,
        )

    def repaint(
        self, draft: Draft, *, seed: int | None = None, progress: Callable[[Progress], None] | None = None
    ) -> RunResult:
        """Make another version of a draft from the same poem, with another picture.

        Raises:
            StepFailed: it did not come about.
        """
        artwork = draft.artwork
        wish = ArtworkRequest(theme=artwork.theme or None, mood=artwork.mood, mode=artwork.style.mode)
        return self._rework(
            draft,
            {"haiku": artwork.haiku},
            steps=("poem", "mood"),
            recent=(artwork.style.key,),
            progress=progress,
            wish=wish,
            files={},
            seed=seed,
            source=artwork.mood_source,
        )

    def _rework(
        self,
        draft: Draft,
        given: dict[str, object],
        *,
        steps: Sequence[str],
        recent: tuple[str, ...],
        wish: ArtworkRequest,
        files: dict[str, Path],
        seed: int | None,
        source: str,
        progress: Callable[[Progress], None] | None,
    ) -> RunResult:
        """A run of one sketch whose first steps come with the plan."""
        wish = wish.checked()
        mood = find_mood(wish.mood or draft.artwork.mood).name
        leanings = self._moods.leanings() if self._moods and seed is None else None
        plan = self._plan(wish, count=1, seed=new_seed() if seed is None else seed, leanings=leanings)
        plan = replace(plan, recent_styles=recent)
        start = ArtworkInProgress(
            key="01",
            seed=plan.seed,
            theme=wish.theme,
            mood=mood,
            mood_source=source,
            wanted_style=wish.style,
            style_mode=wish.mode,
            models=_models_of(draft.artwork, steps),
        ).evolve(**given)
        done = tuple(CompletedStep(step=step, key=GIVEN, seconds=0.0, changes={}) for step in steps)
        state = State(number=1, start=start, done=done)
        with self._workspace.create(plan, [state], {1: files}) as run:
            return self._carry(run, progress)

    def _plan(self, wish: ArtworkRequest, *, count: int, seed: int | None, leanings: Preferences | None) -> Plan:
        now = self._clock()
        run = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        plan = Plan(
            run=run,
            seed=new_seed() if seed is None else seed,
            count=count,
            wish=wish,
            tools=self._tools,
            candidates=self._candidates,
            rounds=self._rounds,
            size=self._size,
            offers=self._offers,
        )
        if leanings and (weights := leanings.weights(plan.seed)):
            plan = replace(plan, offers={**plan.offers, "leanings": weights})
        if seed is not None:
            return plan
        with self._store.read() as unit:
            return replace(
                plan,
                recent_poems=tuple(unit.drafts.recent_haiku(self._recent)),
                recent_styles=tuple(unit.drafts.recent_styles(self._recent)),
                known=tuple(unit.drafts.fingerprints()),
            )

    def _carry(self, run: Run, progress: Callable[[Progress], None] | None) -> RunResult:
        """Bring a run to its end and hand it over."""
        tell = progress or (lambda _: None)
        begun = time.monotonic()
        peak = self._isolation.carry(run, tell=tell)
        states = run.states()
        drafts = tuple(self._hand_over(run, state) for state in states if state.finished)
        failures = tuple(state.failure for state in states if state.failure)
        seconds, times = dict[str, float](), Counter[str]()
        for state in states:
            for done in state.done:
                seconds[done.step] = seconds.get(done.step, 0.0) + done.seconds
                times[done.step] += done.key != GIVEN
        if all(_is_final(failure) for failure in failures):
            with self._store.begin() as unit:
                for step, taken in seconds.items():
                    unit.metrics.record_step(step, seconds=taken, times=times[step])
            self._workspace.remove(run)
        for failure in failures:
            log.warning("A sketch was given up: %s", failure.message, extra={"run": run.plan.run, "step": failure.step})
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

    def _hand_over(self, run: Run, state: State) -> Draft:
        """Move a finished sketch's pictures and words to where drafts are kept; repeating it changes nothing."""
        sketch = state.sketch
        artwork = Artwork.from_sketch(sketch)
        folder = f"{run.plan.run}-{sketch.key}"
        source = run.sketch_folder(state.number)
        files = {name: source / name for name in (artwork.painting, artwork.full, artwork.post, artwork.card)}
        kept = self._pictures.keep(folder, files)
        with self._store.begin() as unit:
            draft = unit.drafts.add(
                artwork, folder=folder, picture_sha256=sha256_of(kept / artwork.post), made_at=self._clock()
            )
        if state.draft is None:
            run.save(replace(state, draft=draft.id))
            log.info("The draft waits for review", extra={"draft": draft.id, "run": run.plan.run})
        return draft


def _models_of(artwork: Artwork, steps: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The models that worked on these steps of an artwork."""
    roles = {role for step in STEPS if step.name in steps for role in step.roles}
    return tuple((name, sha256) for name, sha256 in artwork.models if name.partition(":")[0] in roles)


def _is_final(failure: Failure) -> bool:
    """Whether trying again is of no use: what was asked for cannot be."""
    return isinstance(failure.to_error(), InputError)
