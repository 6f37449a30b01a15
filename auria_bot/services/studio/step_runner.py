"""Takes a run's artworks through the steps: hands ready units of work to an executor, and saves what comes back.

A unit is one step of one artwork. It is ready when the artwork's step before it is completed and, for steps that look
at the batch's earlier artworks, when those are past that step too. Units of earlier steps run first, so that where one
worker does everything, the whole batch passes through each step and a model is loaded once.

Each completed step is saved at once. A resumed run has each saved step checked by its cache key, and performed anew
where an input, an option or a model has changed. A failed step costs its own artwork alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import ArtworkFile, Style
from auria_bot.domain.pipeline import STEPS, steps_from
from auria_bot.errors import NoGoodPicture, NotFound
from auria_bot.execution.work_unit import UnitFailure, UnitProgress, UnitStarted, WorkUnit
from auria_bot.files import sha256_of
from auria_bot.services.studio.plan import GIVEN, CompletedStep, Failure
from auria_bot.services.studio.run_store import EventLog, RunEvent
from auria_bot.services.studio.step_worker import FUNCTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from auria_bot.domain.artwork import ArtworkInProgress
    from auria_bot.domain.pipeline import Step
    from auria_bot.execution.work_unit import Executor, ExecutorSession, Requirements, UnitFinished
    from auria_bot.services.studio.plan import ArtworkState, StudioConfig
    from auria_bot.services.studio.run_store import Run

__all__ = ["StepRunner"]


class StepRunner:
    """Works on one run.

    Usage::

        peak_bytes = StepRunner(run, executor, config=config, report=print).work()
    """

    def __init__(
        self,
        run: Run,
        executor: Executor,
        *,
        config: StudioConfig,
        report: Callable[[RunEvent], None],
        is_watched: bool = False,
    ) -> None:
        """`config` says how long steps may take, and where they run.

        `report` is called for everything that happens, once it is saved.

        Where a run is watched, steps also write pictures of what there is so far and report them.
        """
        self._is_watched = is_watched
        self._run, self._executor, self._config, self._report = run, executor, config, report
        self._request = run.plan.to_json()
        self._states = {state.number: state for state in run.states()}
        self._artworks = {number: state.artwork for number, state in self._states.items()}
        self._submitted: set[int] = set()
        self._verified: set[tuple[int, str]] = set()  # steps that are known to be completed
        self._events = EventLog(run.events_path)

    def work(self) -> int:
        """Work until every artwork is finished or has failed.

        Returns:
            The largest resident size of a worker, in bytes; 0 where it is not known.

        Raises:
            StepFailed: no worker could be started; the cluster is away, or does not have what a step asks for.
            BackendMissing: a step's own interpreter is not there.
            SettingsError: a step asks for an environment that only a cluster makes.
        """
        for state in self._states.values():
            for done in state.done:
                if done.key == GIVEN:
                    self._verified.add((state.number, done.step))
                    self._tell(state.number, done.step, "reused")
        with self._executor.open(self._run.folder, self._needs()) as session:
            self._submit_ready(session)
            for event in session.events():
                number, step = event.unit.order[1], STEPS[event.unit.order[0]]
                if isinstance(event, UnitStarted):
                    self._tell(number, step.name, "started")
                elif isinstance(event, UnitProgress):
                    self._tell(number, step.name, "progress", facts=event.facts, files=event.files)
                else:
                    self._submitted.remove(number)
                    self._settle(self._states[number].before(step.name), step, event)
                    self._submit_ready(session)
            return session.peak_bytes

    def _needs(self) -> dict[str, Requirements]:
        """What the steps that are still to be performed ask for."""
        at = min((self._position(state) for state in self._states.values() if not state.finished), default=len(STEPS))
        return {step.name: self._requirements(step) for step in STEPS[at:]}

    def _requirements(self, step: Step) -> Requirements:
        spec = self._run.plan.backends.get(step.roles[0])
        return replace(self._config.requirements_of(step.name), interpreter=spec.python if spec else "")

    def _submit_ready(self, session: ExecutorSession) -> None:
        for state, step in list(self._ready()):
            self._submitted.add(state.number)
            session.submit(self._unit(state, step))

    def _ready(self) -> Iterator[tuple[ArtworkState, Step]]:
        """The artworks with a step that can be performed now."""
        frontier = len(STEPS)  # the earliest step that an earlier artwork is at
        for number in sorted(self._states):
            state = self._states[number]
            if state.failure is not None or state.finished:
                continue
            at = self._position(state)
            is_free = not STEPS[at].sequential or at < frontier
            if is_free and number not in self._submitted:
                yield state, STEPS[at]
            frontier = min(frontier, at)

    def _position(self, state: ArtworkState) -> int:
        return next(
            (index for index, step in enumerate(STEPS) if (state.number, step.name) not in self._verified), len(STEPS)
        )

    def _unit(self, state: ArtworkState, step: Step) -> WorkUnit:
        plan = self._run.plan
        artwork = state.before(step.name).artwork
        earlier: list[ArtworkInProgress] = []
        if step.sequential:
            earlier = [self._artworks[number] for number in range(state.number - 1, 0, -1)]
        specs = [plan.backends[role] for role in step.roles if role in plan.backends]
        return WorkUnit(
            name=f"{artwork.key}-{step.name}",
            order=(STEPS.index(step), state.number),
            function=FUNCTION,
            request=self._request,
            state={
                "step": step.name,
                "artwork": artwork.to_json(),
                "poems": [other.haiku.to_json() for other in earlier if other.haiku],
                "styles": [other.style.key for other in earlier if other.style],
                "fingerprints": [other.fingerprint for other in earlier if other.fingerprint],
                "reuse": self._reusable_key(state, step),
                "watched": self._is_watched,
                "next": self._following(step),
            },
            files=artwork.files,
            group=artwork.key,
            requirements=self._requirements(step),
            folders=tuple(dict.fromkeys([*(spec.models for spec in specs), *plan.shared_options.get("banks", ())])),
            deadline=self._config.deadline_of(step.name),
        )

    def _following(self, step: Step) -> list[str]:
        """The steps that follow and ask for the same as this one, so that one process performs them all."""
        wanted = self._requirements(step)
        return [later.name for later in STEPS[STEPS.index(step) + 1 :] if self._requirements(later) == wanted]

    def _reusable_key(self, state: ArtworkState, step: Step) -> str:
        """The cache key of a saved step whose files are whole; "" where it must be performed."""
        done = next((item for item in state.done if item.step == step.name), None)
        if done is None:
            return ""
        folder = self._run.artwork_folder(state.number)
        for file in done.changes.get("files", {}).values():
            try:
                whole = not file["sha256"] or sha256_of(folder / file["name"]) == file["sha256"]
            except NotFound:
                whole = False
            if not whole:
                return ""
        return done.key

    def _settle(self, before: ArtworkState, step: Step, event: UnitFinished) -> None:
        result = event.state
        if event.failure is not None:
            self._fail(before, step, event.failure, event.seconds)
        elif "rejected" in result:
            self._reject(before, step, result["rejected"])
        elif result.get("reused"):
            self._verified.add((before.number, step.name))
            done = next(done for done in self._states[before.number].done if done.step == step.name)
            files = {kind: ArtworkFile(**file) for kind, file in done.changes.get("files", {}).items()}
            self._tell(
                before.number, step.name, "reused", seconds=done.seconds, facts=_facts(done.changes), files=files
            )
        else:
            seconds = round(event.seconds, 4)
            artwork = before.artwork
            changed = artwork.evolve(
                files={**artwork.files, **event.files}, seconds=(*artwork.seconds, (step.name, seconds))
            ).to_json()
            changes = {**result["changes"], "seconds": changed["seconds"]}
            if event.files:
                changes["files"] = changed["files"]
            done = CompletedStep(step=step.name, key=result["key"], seconds=seconds, changes=changes)
            self._verified.add((before.number, step.name))
            self._save(replace(before, done=(*before.done, done), finished=step is STEPS[-1]))
            self._tell(before.number, step.name, "done", seconds=seconds, facts=_facts(done.changes), files=event.files)

    def _reject(self, before: ArtworkState, step: Step, reason: str) -> None:
        """Take an artwork back to its painting, which is then painted with another seed."""
        rejected = (*before.artwork.rejected, reason)
        is_given = any(done.step == "painting" and done.key == GIVEN for done in before.done)
        if is_given or len(rejected) >= self._run.plan.rounds * self._run.plan.candidates:
            error = UnitFailure(
                error=NoGoodPicture.__name__, message=f"the safety filter rejected the picture ({reason})"
            )
            self._fail(before, step, error)
            return
        again = before.before("painting")
        self._verified -= {(before.number, later.name) for later in steps_from("painting")}
        self._save(replace(again, start=again.start.evolve(rejected=rejected)))
        self._tell(before.number, step.name, "rejected", message=reason)

    def _fail(self, before: ArtworkState, step: Step, failure: UnitFailure, seconds: float = 0.0) -> None:
        log = failure.log or str(self._run.log(before.number, step.name))
        self._save(
            replace(
                before,
                failure=Failure(
                    artwork=before.number, step=step.name, error=failure.error, message=failure.message, log=log
                ),
            )
        )
        self._tell(before.number, step.name, "failed", seconds=seconds, message=failure.message)

    def _save(self, state: ArtworkState) -> None:
        self._run.save(state)
        self._states[state.number], self._artworks[state.number] = state, state.artwork

    def _tell(self, number: int, step: str, state: str, **facts: Any) -> None:
        self._report(self._events.append(RunEvent(artwork=number, step=step, state=state, **facts)))


def _facts(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What people may read of a step's result: the poem's lines, the mood, the style's credit, the alt text."""
    found = {name: changes[name] for name in ("mood", "alt_text") if name in changes}
    if "haiku" in changes:
        found["lines"] = list(changes["haiku"]["lines"])
    if "style" in changes:
        found["style"] = Style(**changes["style"]).credit
    return found
