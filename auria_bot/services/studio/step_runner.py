"""Works through a run's steps in this process: the whole batch passes through each step, so a model is loaded once.

Each finished step of each sketch is saved at once; a step whose inputs, options and models have not changed is not
done again. A step that raises gives up its own sketch and no other. Knows neither processes nor the database.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot import errors, registry
from auria_bot.errors import AuriaError, NoGoodPicture, NotFound, SettingsError, StepCrashed, StepOutOfMemory
from auria_bot.services.studio.run_store import GIVEN, CompletedStep, Failure, Run, State
from auria_bot.services.studio.steps import STEPS, PictureDropped, Step, StepContext, key_of, step_named

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager

    from auria_bot.domain.artwork import ArtworkInProgress

__all__ = ["Progress", "StepRunner", "configure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One thing that happened in the studio."""

    sketch: int  # its number in the run, from 1
    step: str
    state: str  # "started", "done", "reused", "dropped" (the gate wants another picture) or "failed"
    seconds: float = 0.0
    words: str = ""  # why, where it was dropped or failed


class StepRunner:
    """Makes a run's sketches, as far as the steps it may do go."""

    def __init__(
        self,
        run: Run,
        *,
        steps: Collection[str],
        tell: Callable[[Progress], None],
        listen: Callable[[Path], AbstractContextManager[Any]],
        trim: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; nothing is loaded yet.

        Args:
            run: the run's folder.
            steps: names of the steps that may be done here; a sketch that needs another one is left for it.
            tell: called for everything that happens.
            listen: a context that sends what is written to stdout and stderr into a file.
            trim: called when makers were let go, to give their memory back.
        """
        self.run = run
        self._steps = frozenset(steps)
        self._tell = tell
        self._listen = listen
        self._trim = trim
        self._makers: dict[str, Any] = {}
        self._states = run.states()
        self._verified: set[tuple[int, str]] = set()

    def work(self) -> None:
        """Go through every step with every sketch."""
        for step in STEPS:
            for number in range(1, len(self._states) + 1):
                self._advance(number, step)
            self._let_go(step)

    def _let_go(self, step: Step) -> None:
        """Let go of makers that no later step needs; should a picture be dropped, its painter is made again."""
        later = {role for after in STEPS[STEPS.index(step) + 1 :] for role in after.roles}
        idle = set(self._makers) - later
        for role in idle:
            del self._makers[role]
        if idle:
            self._trim()

    def _advance(self, number: int, until: Step) -> None:
        """Bring a sketch to the end of a step; a dropped picture takes it through earlier steps again."""
        while (state := self._states[number - 1]).failure is None and not state.finished:
            done = [item.step for item in state.done]
            step = next(
                (step for step in STEPS if step.name not in done or (number, step.name) not in self._verified), None
            )
            if step is None or STEPS.index(step) > STEPS.index(until):
                return
            if step.name in done and (step.name not in self._steps or self._reusable(state, step)):
                self._verified.add((number, step.name))
                continue
            if step.name not in self._steps:
                return
            self._do(state, step)

    def _reusable(self, state: State, step: Step) -> bool:
        """Whether a saved step still holds; if not, the sketch is taken back to before it."""
        done = next(item for item in state.done if item.step == step.name)
        before = state.rewound(step.name)
        if done.key != GIVEN:
            try:
                same = done.key == key_of(step, before.sketch, self._desk(before)) and self._whole(state, done)
            except AuriaError:
                same = False  # doing the step again will say what is wrong, in its own log
            if not same:
                self._keep(before)
                return False
        self._tell(Progress(sketch=state.number, step=step.name, state="reused", seconds=done.seconds))
        return True

    def _whole(self, state: State, done: CompletedStep) -> bool:
        """Whether the pictures a step made are still there."""
        folder = self.run.sketch_folder(state.number)
        names = [done.changes.get(name) for name in ("painting", "enlarged", "styled", "full", "post", "card")]
        return all((folder / name).is_file() for name in names if name)

    def _do(self, state: State, step: Step) -> None:
        state = state.rewound(step.name)
        log = self.run.log(state.number, step.name)
        self._tell(Progress(sketch=state.number, step=step.name, state="started"))
        begun = time.monotonic()
        with self._listen(log):
            try:
                desk, sketch = self._desk(state), state.sketch
                key = key_of(step, sketch, desk)
                made = step.work(sketch, desk)
            except PictureDropped as drop:
                self._drop(state, step, str(drop))
                return
            except MemoryError:
                traceback.print_exc()
                self._fail(state, step, StepOutOfMemory("the step ran out of memory"))
                return
            except Exception as error:  # noqa: BLE001 - one bad sketch must not take the others with it
                traceback.print_exc()
                self._fail(state, step, error)
                return
        seconds = round(time.monotonic() - begun, 4)
        changes = _changes(sketch, made.evolve(seconds=(*sketch.seconds, (step.name, seconds))))
        done = CompletedStep(step=step.name, key=key, seconds=seconds, changes=changes)
        self._verified.add((state.number, step.name))
        self._keep(replace(state, done=(*state.done, done), finished=step is STEPS[-1]))
        self._tell(Progress(sketch=state.number, step=step.name, state="done", seconds=seconds))

    def _drop(self, state: State, step: Step, reason: str) -> None:
        """Take the sketch back to its painting, which is then done with another seed."""
        rejected = (*state.sketch.rejected, reason)
        given = any(done.step == "painting" and done.key == GIVEN for done in state.done)
        if given or len(rejected) >= self.run.plan.rounds * self.run.plan.candidates:
            self._fail(state, step, NoGoodPicture(f"the gate dropped the picture ({reason})"))
            return
        before = state.rewound("painting")
        self._verified -= {(state.number, later.name) for later in STEPS[STEPS.index(step_named("painting")) :]}
        self._keep(replace(before, start=before.start.evolve(rejected=rejected)))
        self._tell(Progress(sketch=state.number, step=step.name, state="dropped", words=reason))

    def _fail(self, state: State, step: Step, error: Exception) -> None:
        known = isinstance(error, AuriaError) and hasattr(errors, type(error).__name__)
        failure = Failure(
            sketch=state.number,
            step=step.name,
            error=type(error).__name__ if known else StepCrashed.__name__,
            message=str(error) if known else f"{type(error).__name__}: {error}",
            log=str(self.run.log(state.number, step.name)),
        )
        self._keep(replace(state, failure=failure))
        self._tell(Progress(sketch=state.number, step=step.name, state="failed", words=failure.message))

    def _keep(self, state: State) -> None:
        self.run.save(state)
        self._states[state.number - 1] = state

    def _desk(self, state: State) -> StepContext:
        plan = self.run.plan
        earlier = [other.sketch for other in reversed(self._states[: state.number - 1])]
        return StepContext(
            plan=plan,
            folder=self.run.sketch_folder(state.number),
            maker=self._maker,
            poems=(*(sketch.haiku for sketch in earlier if sketch.haiku), *plan.recent_poems),
            styles=(*(sketch.style.key for sketch in earlier if sketch.style), *plan.recent_styles),
            known=(*(sketch.fingerprint for sketch in earlier if sketch.fingerprint), *plan.known),
        )

    def _maker(self, role: str) -> Any:
        """The maker of a role, constructed on first use."""
        if role not in self._makers:
            tool = self.run.plan.tools.get(role)
            if tool is None:
                raise NotFound(f"the plan names no {role}")
            kind = registry.find(role, tool.name)
            self._makers[role] = kind(
                configure(role, kind, tool.options, self.run.plan.offers), models=Path(tool.models)
            )
        return self._makers[role]


def configure(role: str, kind: type[Any], options: Mapping[str, Any], offers: Mapping[str, Any]) -> Any:
    """A backend's Config from its options, and from those offers that it has a field for.

    Raises:
        SettingsError: an option it does not have; the message names those it has.
    """
    known = {item.name: item for item in fields(kind.Config)}
    for name in options:
        if name not in known:
            raise SettingsError(f"the {role} has no option {name[:40]!r}; known: {', '.join(known) or 'none'}")
    values = {name: value for name, value in offers.items() if name in known} | dict(options)
    return kind.Config(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _changes(before: ArtworkInProgress, after: ArtworkInProgress) -> dict[str, Any]:
    """The fields in which two sketches differ, as JSON."""
    old, new = before.to_json(), after.to_json()
    return {name: value for name, value in new.items() if old[name] != value}
