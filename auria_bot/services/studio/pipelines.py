"""An operator's own order of steps: read from TOML, checked before anything runs, and run by the studio's executor.

    seed = 7                     # optional; so is everything but `step`
    theme = "autumn rain"

    [steps.poem]
    step = "poem"

    [steps.scene]
    step = "painting"
    after = ["poem"]             # whose results it continues; of two that give the same, the later one counts

    [steps.large]
    step = "enlarge"
    picture = "scan.png"         # a file in place of another step's picture

Poem, mood, style, mode and strength can be given too, for all steps or for one. A single step, as of `auria step`, is a
pipeline of one.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import ArtworkFile, ArtworkInProgress, Haiku
from auria_bot.domain.mood import find_mood
from auria_bot.domain.pipeline import MODES, SEEDS, STEPS
from auria_bot.errors import (
    AuriaError,
    InputError,
    NoGoodPicture,
    NotFound,
    StepFailed,
    UnknownName,
    UsageError,
    error_of,
)
from auria_bot.execution.work_unit import UnitFinished, WorkUnit
from auria_bot.files import sha256_of
from auria_bot.services.studio.plan import new_seed
from auria_bot.services.studio.step_worker import FUNCTION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from auria_bot.domain.pipeline import Step
    from auria_bot.execution.work_unit import Executor, ExecutorSession, UnitEvent
    from auria_bot.services.studio.plan import Plan, StudioConfig

__all__ = ["NEEDS", "Pipeline", "PipelineRunner", "PipelineStep", "StepResult"]

NEEDS: dict[str, tuple[str, ...]] = {
    "poem": (),
    "mood": ("poem",),
    "painting": ("poem",),
    "enlarge": ("painting",),
    "style": ("poem", "mood", "enlarged"),
    "caption": ("enlarged",),
    "words": ("poem",),
    "finish": ("poem", "mood", "style", "words", "styled"),
}
"""What each step cannot do without: pictures by kind, and words."""

_GIVES: dict[str, tuple[str, ...]] = {
    "poem": ("poem",),
    "mood": ("mood",),
    "painting": ("painting",),
    "enlarge": ("enlarged",),
    "style": ("style", "styled"),
    "caption": ("caption",),
    "words": ("words",),
    "finish": (),
}
_NAME = re.compile(r"(?!logs$)[A-Za-z0-9_-]{1,40}")
_PICTURES = ("painting", "enlarged", "styled")
_OPTIONS = ("theme", "poem", "mood", "style", "mode", "strength")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStep:
    """One step of a pipeline, with what is given for it."""

    name: str  # in the pipeline
    step: str  # one of STEPS
    after: tuple[str, ...] = ()  # names of steps whose results it continues
    picture: Path | None = None  # a file in place of the picture that the step works on
    options: Mapping[str, Any] = field(default_factory=dict)  # of _OPTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What a step of a pipeline gave."""

    name: str
    step: str
    seconds: float  # wall
    changes: Mapping[str, Any]  # JSON: the fields of the artwork that it changed
    files: Mapping[str, Path]  # by kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Steps in an order of the operator's own; made only by `read` and `single`, which check it."""

    steps: tuple[PipelineStep, ...]  # each after those that it continues
    seed: int

    @classmethod
    def single(cls, step: PipelineStep, *, seed: int | None = None) -> Pipeline:
        """A pipeline of one step.

        Raises:
            InputError: something that it needs is missing.
        """
        return cls._checked([step], seed)

    @classmethod
    def read(cls, path: Path, *, given: Mapping[str, Any] | None = None, called: str = "") -> Pipeline:
        """Read and check a file.

        Args:
            path: the file; its pictures are beside it.
            given: replaces what it says of all steps, and its seed.
            called: what errors call it for readers who must not learn its path; the path by default.

        Raises:
            NotFound: there is no such file.
            InputError: it cannot be run; the message names the step, and what is possible.
        """
        named = called or str(path)
        try:
            value = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise NotFound(f"{named} cannot be read: {error.strerror or error}") from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"{named} is not valid TOML: {error}") from None
        value |= given or {}
        tables = value.pop("steps", {})
        seed = value.pop("seed", None)
        if not isinstance(tables, dict) or not tables or not all(isinstance(table, dict) for table in tables.values()):
            raise InputError(f'{named} names no steps: each is a table, such as [steps.poem] with step = "poem"')
        _refuse_unknown(value, _OPTIONS, named)
        steps = []
        for name, table in tables.items():
            _refuse_unknown(table, ("step", "after", "picture", *_OPTIONS), f"step {name!r}")
            after = table.get("after", [])
            if not isinstance(after, str | list):
                raise InputError(f"step {name[:40]!r}: after is the name of a step, or a list of such names")
            picture = table.get("picture")
            steps.append(
                PipelineStep(
                    name=name,
                    step=str(table.get("step", name)),
                    after=tuple(str(other) for other in ([after] if isinstance(after, str) else after)),
                    picture=None if picture is None else path.parent / str(picture),
                    options={**value, **{key: item for key, item in table.items() if key in _OPTIONS}},
                )
            )
        return cls._checked(steps, seed, called)

    @classmethod
    def _checked(cls, steps: list[PipelineStep], seed: Any, called: str = "") -> Pipeline:
        if seed is not None and (not isinstance(seed, int) or not 0 <= seed < SEEDS):
            raise UsageError(f"the seed {seed!r} is out of range; 0 to {SEEDS - 1} are possible")
        by_name = {step.name: step for step in steps}
        for step in steps:
            if not _NAME.fullmatch(step.name):
                raise InputError(f"step {step.name[:40]!r}: a name has letters, digits, - and _, at most 40 characters")
            if step.step not in NEEDS:
                raise UnknownName(f"step {step.name!r}: no step named {step.step[:40]!r}; known: {', '.join(NEEDS)}")
            if unknown := [name for name in step.after if name not in by_name]:
                known = ", ".join(name for name in by_name if name != step.name) or "none"
                raise UnknownName(
                    f"step {step.name!r} is after {unknown[0][:40]!r}, which is not there; others: {known}"
                )
            _check_given(step, called)
        try:
            order = list(TopologicalSorter({step.name: step.after for step in steps}).static_order())
        except CycleError as error:
            raise InputError(f"the steps wait for each other: {' after '.join(error.args[1])}") from None
        has = dict[str, set[str]]()
        for step in (by_name[name] for name in order):
            there = _given(step).union(*(has[name] for name in step.after))
            if missing := [need for need in NEEDS[step.step] if need not in there]:
                kind = "" if step.name == step.step else f" ({step.step})"
                raise InputError(f"step {step.name!r}{kind} needs {_how(missing[0])}")
            has[step.name] = there | set(_GIVES[step.step])
        return cls(steps=tuple(by_name[name] for name in order), seed=new_seed() if seed is None else seed)


class PipelineRunner:
    """Runs pipelines.

    Usage::

        results = PipelineRunner(executor, config=config, plan=plan).run(Pipeline.read(path), Path("out"))
    """

    def __init__(self, executor: Executor, *, config: StudioConfig, plan: Callable[[int], Plan]) -> None:
        """`plan` gives a plan with that seed for the units' request."""
        self._executor, self._config, self._plan = executor, config, plan

    def run(
        self, pipeline: Pipeline, folder: Path, *, report: Callable[[UnitEvent], None] | None = None
    ) -> tuple[StepResult, ...]:
        """Run a pipeline in a scratch folder, which gets a subfolder for each step.

        Raises:
            StepFailed: a step failed; those that do not continue it were finished.
        """
        plan = self._plan(pipeline.seed)
        request = plan.to_json()
        artworks, results = dict[str, ArtworkInProgress](), dict[str, StepResult]()
        failures: list[AuriaError] = []
        waiting = list(pipeline.steps)

        def submit_ready(session: ExecutorSession) -> None:
            for step in [item for item in waiting if all(name in results for name in item.after)]:
                waiting.remove(step)
                session.submit(self._unit(step, pipeline.seed, plan, request, artworks, folder))

        needs = {step.name: self._config.requirements_of(step.step) for step in pipeline.steps}
        with self._executor.open(folder, needs) as session:
            submit_ready(session)
            for event in session.events():
                if report is not None:
                    report(event)
                if isinstance(event, UnitFinished):
                    step = next(item for item in pipeline.steps if item.name == event.unit.group)
                    if (failed := _failure(event)) is not None:
                        failures.append(failed)
                        continue
                    artwork = ArtworkInProgress.from_json({**event.unit.state["artwork"], **event.state["changes"]})
                    artworks[step.name] = artwork.evolve(files={**artwork.files, **event.files})
                    results[step.name] = StepResult(
                        name=step.name,
                        step=step.step,
                        seconds=event.seconds,
                        changes=event.state["changes"],
                        files={kind: folder / step.name / file.name for kind, file in event.files.items()},
                    )
                    submit_ready(session)
        if failures:
            failures[0].hint = ""  # there is nothing to resume
            raise failures[0]
        return tuple(results[step.name] for step in pipeline.steps)

    def _unit(
        self,
        step: PipelineStep,
        seed: int,
        plan: Plan,
        request: Mapping[str, Any],
        artworks: Mapping[str, ArtworkInProgress],
        folder: Path,
    ) -> WorkUnit:
        place = folder / step.name
        place.mkdir(parents=True, exist_ok=True)
        artwork = _start(step, seed, artworks)
        files = {}
        for name in step.after:
            for kind, file in artworks[name].files.items():
                files[kind] = file
                shutil.copyfile(folder / name / file.name, place / file.name)
        if step.picture is not None:
            kind = next(need for need in NEEDS[step.step] if need in _PICTURES)
            files[kind] = _taken(step.picture, place / f"{kind}.png")
        artwork = artwork.evolve(files=files)
        known: Step = next(item for item in STEPS if item.name == step.step)
        specs = [plan.backends[role] for role in known.roles]
        return WorkUnit(
            name=step.name,
            order=(STEPS.index(known), 1),
            function=FUNCTION,
            request=request,
            state={"step": step.step, "artwork": artwork.to_json(), "poems": [], "styles": [], "fingerprints": []}
            | {"reuse": ""},
            files=files,
            group=step.name,
            requirements=replace(self._config.requirements_of(step.step), interpreter=specs[0].python),
            folders=tuple(dict.fromkeys([*(spec.models for spec in specs), *plan.shared_options.get("banks", ())])),
            deadline=self._config.deadline_of(step.step),
        )


def _start(step: PipelineStep, seed: int, artworks: Mapping[str, ArtworkInProgress]) -> ArtworkInProgress:
    """The artwork that a step begins with: what the steps before gave, then what is given for it."""
    values: dict[str, Any] = {}
    for name in step.after:
        values |= {key: value for key, value in artworks[name].to_json().items() if value not in (None, "", [], ())}
    artwork = ArtworkInProgress.from_json({**values, "key": step.name, "seed": seed, "files": {}})
    given = step.options
    changes: dict[str, Any] = {
        "theme": given.get("theme"),
        "wanted_style": given.get("style"),
        "wanted_strength": given.get("strength"),
        "style_mode": given.get("mode"),
    }
    if "poem" in given:
        changes["haiku"] = _poem(given["poem"])
    if "mood" in given:
        changes |= {"mood": find_mood(str(given["mood"])).name, "mood_source": "given"}
    return artwork.evolve(**{name: value for name, value in changes.items() if value is not None})


def _taken(source: Path, target: Path) -> ArtworkFile:
    """A copy of a picture that an operator gave, as PNG in RGB."""
    from auria_bot.art.pictures import open_picture

    open_picture(source).convert("RGB").save(target)
    return ArtworkFile.named(target.name, sha256=sha256_of(target), size=target.stat().st_size)


def _failure(event: UnitFinished) -> AuriaError | None:
    """Why a step gave nothing; None where it did."""
    if event.failure is not None:
        message = f"step {event.unit.name!r}: {event.failure.message}"
        return error_of(event.failure.error, message, otherwise=StepFailed)
    if "rejected" in event.state:
        return NoGoodPicture(f"step {event.unit.name!r}: the picture was rejected ({event.state['rejected']})")
    return None


def _given(step: PipelineStep) -> set[str]:
    found = {name for name in ("poem", "mood") if name in step.options}
    return found | ({need for need in NEEDS[step.step] if need in _PICTURES} if step.picture is not None else set())


def _check_given(step: PipelineStep, called: str) -> None:
    """Make sure that what is given for a step is possible; `called` as in `Pipeline.read`."""
    if step.picture is not None:
        if not any(need in _PICTURES for need in NEEDS[step.step]):
            raise InputError(f"step {step.name!r} ({step.step}) works on no picture; leave the picture out")
        if not step.picture.is_file():
            missing = f"{step.picture.name} of {called}" if called else step.picture
            raise NotFound(f"step {step.name!r}: there is no file {missing}")
    if "poem" in step.options:
        _poem(step.options["poem"])
    if "mood" in step.options:
        find_mood(str(step.options["mood"]))
    mode, strength = step.options.get("mode"), step.options.get("strength")
    if mode is not None and mode not in MODES:
        raise UsageError(f"step {step.name!r}: no mode named {str(mode)[:40]!r}; known: {', '.join(MODES)}")
    if strength is not None and (not isinstance(strength, int | float) or not 0.0 <= strength <= 1.0):
        raise UsageError(f"step {step.name!r}: the strength {strength!r} is out of range; 0 to 1 are possible")


def _poem(text: object) -> Haiku:
    """A poem of three lines, separated by "/" or line ends."""
    lines = [line.strip() for line in str(text).replace("\n", "/").split("/") if line.strip()]
    if len(lines) != 3:
        raise InputError(f"a poem has three lines, separated by /; this one has {len(lines)}")
    return Haiku(lines=(lines[0], lines[1], lines[2]), syllables=(5, 7, 5))


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    if unknown := sorted(table.keys() - set(known)):
        raise InputError(f"{where}: there is no setting {unknown[0][:40]!r}; known: {', '.join(known)}")


def _how(need: str) -> str:
    """What is missing, and how it can be had."""
    makers = " or ".join(repr(step) for step, gives in _GIVES.items() if need in gives)
    if need in _PICTURES:
        return f"the picture {need!r}: let it come after a step {makers}, or give a picture"
    given = f", or give a {need}" if need in {"poem", "mood"} else ""
    return f"{'a' if need in {'poem', 'mood', 'style'} else 'the'} {need}: let it come after a step {makers}{given}"
