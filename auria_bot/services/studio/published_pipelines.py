"""Pipelines that programs may run: files of the operator's that are kept under a name, and the results of their runs.

    pipelines/NAME/pipeline.toml     the file, its pictures beside it
    pipelines/NAME/published.json    when it was published
    pipelines/.runs/KEY/             the results of a run: result.json and pictures; of the latest runs only

Everything of a pipeline appears at once and is replaced as a whole. While that is done, and where it was broken off,
the one before (.old-NAME) counts.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from auria_bot.errors import AuriaError, InputError, InvalidTransition, NotFound, UsageError
from auria_bot.execution.work_unit import UnitFinished, UnitStarted
from auria_bot.files import disk_errors, file_lock, remove_strays, write_json
from auria_bot.services.studio.pipelines import Pipeline
from auria_bot.services.studio.run_store import RunEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auria_bot.domain.interfaces import Clock
    from auria_bot.execution.work_unit import UnitEvent
    from auria_bot.services.studio.pipelines import PipelineRunner, StepResult

__all__ = ["PipelineOutcome", "PublishedPipeline", "PublishedPipelines", "StepOutcome"]

log = logging.getLogger(__name__)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_OLD: Final = ".old-"  # before the name of a pipeline that is being replaced
_FILE, _FACTS, _RESULT = "pipeline.toml", "published.json", "result.json"
_MOST: Final = 50  # runs whose results are kept
_TOLD: Final = ("haiku", "mood", "style", "caption", "alt_text", "post_text")  # what a step found, for others to read


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPipeline:
    """A pipeline that programs may run."""

    name: str
    steps: tuple[tuple[str, str], ...]  # each step's name in it, and what it does
    published_at: datetime  # aware, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What a step of a run gave."""

    name: str
    step: str
    seconds: float  # wall
    found: Mapping[str, Any]  # JSON
    pictures: tuple[str, ...]  # names of files of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineOutcome:
    """What a run of a pipeline gave."""

    pipeline: str
    seed: int
    steps: tuple[StepOutcome, ...] = field(default=())


class PublishedPipelines:
    """Publishes pipelines and runs them. Safe for use by several threads and processes.

    Usage::

        published.publish(Path("postcard.toml"), "postcard")
        chosen = published.prepare("postcard", {"theme": "fog"})
        published.run("postcard", chosen, key, report=print)
        published.outcome(key, of="postcard").steps
    """

    def __init__(
        self,
        *,
        folder: Path,
        runner: Callable[[], PipelineRunner],
        clock: Clock,
        faults: Callable[[str], Sequence[str]],
    ) -> None:
        """`faults` gives reasons why a theme or a poem must not be used."""
        self._folder, self._runner, self._clock, self._faults = folder, runner, clock, faults

    def publish(self, file: Path, name: str, *, replace: bool = False) -> PublishedPipeline:
        """Check a file and keep it, with the pictures that it names, under a name.

        Raises:
            InputError: the file cannot be run, or the name cannot be used.
            InvalidTransition: there is a pipeline of that name, and it is not to be replaced.
        """
        import tomlkit

        if not _NAME.fullmatch(name):
            raise UsageError(f"{name[:60]!r} is no name for a pipeline: small letters, digits and -, at most 40")
        chosen, target = Pipeline.read(file), self._folder / name
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
        staging, old = self._folder / f".new-{name}", self._folder / f"{_OLD}{name}"
        with self._locked():
            if self._place(name).exists() and not replace:
                raise InvalidTransition(f"there is a pipeline {name} already; --replace puts this one in its place")
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
            for step in chosen.steps:
                if step.picture is not None:
                    kept = f"{step.name}{step.picture.suffix.lower()}"
                    shutil.copyfile(step.picture, staging / kept)
                    document["steps"][step.name]["picture"] = kept  # it was read as a table of tables
            (staging / _FILE).write_text(tomlkit.dumps(document), encoding="utf-8")
            write_json(staging / _FACTS, {"published_at": self._clock().isoformat()})
            Pipeline.read(staging / _FILE)
            if target.exists():
                shutil.rmtree(old, ignore_errors=True)
                target.rename(old)
            staging.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        return self.get(name)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The folder, which is made, is changed by nobody else."""
        with disk_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            with file_lock(self._folder / ".lock"):
                yield

    def _place(self, name: str) -> Path:
        """The folder of a pipeline; of the one before, while it is replaced or where that was broken off."""
        place, old = self._folder / name, self._folder / f"{_OLD}{name}"
        return old if old.is_dir() and not place.is_dir() else place

    def unpublish(self, name: str) -> None:
        """Take a pipeline away, also one that cannot be read any more; results of its runs stay for a while.

        Raises:
            NotFound: there is none of that name.
        """
        gone = self._folder / f".gone-{name}"
        with self._locked():
            place = self._place(name)
            if not _NAME.fullmatch(name) or not place.is_dir():
                raise _no_pipeline(name)
            for stale in (gone, self._folder / f"{_OLD}{name}"):
                if stale != place:
                    shutil.rmtree(stale, ignore_errors=True)
            place.rename(gone)
            shutil.rmtree(gone)

    def list(self) -> tuple[PublishedPipeline, ...]:
        """All that can be run, by name; others are logged."""
        names = {path.name for path in self._folder.glob("[!.]*") if path.is_dir()}
        names |= {path.name.removeprefix(_OLD) for path in self._folder.glob(f"{_OLD}*")}
        found = []
        for name in sorted(names):
            try:
                found.append(self.get(name))
            except AuriaError as error:
                log.warning("Pipeline %r is left out of the list: %s", name, error)
        return tuple(found)

    def get(self, name: str) -> PublishedPipeline:
        """A pipeline.

        Raises:
            NotFound: there is none of that name.
            InputError: its file was changed and cannot be run any more.
        """
        chosen = self.prepare(name, {})
        try:
            facts = json.loads((self._place(name) / _FACTS).read_text(encoding="utf-8"))
            at = datetime.fromisoformat(facts["published_at"]).astimezone(UTC)
        except (OSError, ValueError, KeyError, TypeError):
            raise NotFound(f"pipeline {name} is damaged; publish it again with --replace") from None
        steps = tuple((step.name, step.step) for step in chosen.steps)
        return PublishedPipeline(name=name, steps=steps, published_at=at)

    def prepare(self, name: str, given: Mapping[str, Any]) -> Pipeline:
        """A pipeline with what is given for all its steps, checked; nothing runs yet.

        `given` may have theme, poem, mood, style, mode, strength and seed; what the file says of a single step stays.

        Raises:
            NotFound: there is none of that name.
            InputError: it cannot be run with that.
        """
        file = self._place(name) / _FILE
        if not _NAME.fullmatch(name) or not file.is_file():
            raise _no_pipeline(name)
        for key in ("theme", "poem"):
            if faults := self._faults(str(given.get(key, ""))):
                raise InputError(f"the {key} cannot be used: {'; '.join(faults)}")
        return Pipeline.read(file, given=given, called=f"pipeline {name}")

    def run(
        self, name: str, chosen: Pipeline, key: str, *, report: Callable[[RunEvent], None] | None = None
    ) -> PipelineOutcome:
        """Run a pipeline that `prepare` gave, and keep its results under a key.

        Raises:
            StepFailed: a step failed; nothing is kept.
        """
        root = self._folder / ".runs"
        scratch = root / f".new-{key}"
        try:
            with disk_errors(root):
                scratch.mkdir(parents=True)
                remove_strays(root, old_only=True)
            results = self._runner().run(chosen, scratch / "work", report=_told_to(report))
            with disk_errors(root):
                steps = tuple(_kept(result, scratch) for result in results)
                outcome = PipelineOutcome(pipeline=name, seed=chosen.seed, steps=steps)
                write_json(scratch / _RESULT, asdict(outcome))
                shutil.rmtree(scratch / "work")
                scratch.rename(root / key)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        kept = sorted(root.glob("[!.]*"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-_MOST]:
            shutil.rmtree(old, ignore_errors=True)
        return outcome

    def outcome(self, key: str, *, of: str) -> PipelineOutcome:
        """The results of a run of a pipeline, once it is done.

        Raises:
            NotFound: there are none, or they were deleted after newer ones.
        """
        try:
            value = json.loads((self._run_folder(key) / _RESULT).read_text(encoding="utf-8"))
            value = value if value["pipeline"] == of else {}
            steps = tuple(StepOutcome(**{**step, "pictures": tuple(step["pictures"])}) for step in value["steps"])
            return PipelineOutcome(pipeline=value["pipeline"], seed=value["seed"], steps=steps)
        except (OSError, ValueError, KeyError, TypeError):
            raise NotFound(
                f"there is no result of a run {key[:40]!r} of {of[:40]}; the latest {_MOST} are kept"
            ) from None

    def picture(self, key: str, name: str, *, of: str) -> Path:
        """A picture of a run.

        Raises:
            NotFound: there is none of that name.
        """
        if not any(name in step.pictures for step in self.outcome(key, of=of).steps):
            raise NotFound(f"run {key[:40]!r} has no picture {name[:60]!r}")
        return self._run_folder(key) / name

    def _run_folder(self, key: str) -> Path:
        return self._folder / ".runs" / (key if _KEY.fullmatch(key) else "none")


def _no_pipeline(name: str) -> NotFound:
    return NotFound(f"there is no pipeline {name[:40]!r}; auria pipeline list shows which there are")


def _kept(result: StepResult, folder: Path) -> StepOutcome:
    """A step's outcome, its pictures moved into the folder of the results."""
    pictures = []
    for kind, path in result.files.items():
        pictures.append(f"{result.name}-{kind}{path.suffix}")
        path.replace(folder / pictures[-1])
    found = {key: value for key, value in result.changes.items() if key in _TOLD and value not in (None, "")}
    return StepOutcome(
        name=result.name, step=result.step, seconds=round(result.seconds, 3), found=found, pictures=tuple(pictures)
    )


def _told_to(report: Callable[[RunEvent], None] | None) -> Callable[[UnitEvent], None] | None:
    """What happens to units, reported as events of a run."""
    if report is None:
        return None

    def tell(event: UnitEvent) -> None:
        name, now = event.unit.name, datetime.now(UTC).isoformat(timespec="milliseconds")
        if isinstance(event, UnitStarted):
            report(RunEvent(artwork=1, step=name, state="started", at=now))
        elif isinstance(event, UnitFinished):
            message = event.failure.message if event.failure else str(event.state.get("rejected", ""))
            state = "failed" if message else "done"
            report(RunEvent(artwork=1, step=name, state=state, seconds=event.seconds, message=message, at=now))

    return tell
