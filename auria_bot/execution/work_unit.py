"""One unit of work: `(request, state, files) -> (state, files)`, as plain data, and who runs it.

A unit names no open file, lock or process of one machine, and no folder but those in `folders`, which the worker's own
take the place of in the request. Its function is named by an import string; the class
behind it is constructed once in each worker and called for many units, so that it can keep loaded models:

    class Function:
        def __call__(self, request, state, folder, report) -> tuple[state, files]: ...

`request` and `state` are JSON objects, `folder` is a scratch folder of the worker that holds the unit's files under
their names, and `files` are the new ones, by kind, written into `folder`. `report(facts, files)` may be called
meanwhile to show how far the unit is; nothing depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from auria_bot.domain.artwork import ArtworkFile

__all__ = [
    "Executor",
    "ExecutorSession",
    "Report",
    "Requirements",
    "UnitEvent",
    "UnitFailure",
    "UnitFinished",
    "UnitProgress",
    "UnitStarted",
    "WorkUnit",
]

Report: TypeAlias = "Callable[[Mapping[str, Any], Mapping[str, ArtworkFile]], None]"
"""Takes facts as JSON, and files by kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """The environment that a unit runs in, and what it takes of a machine.

    On one machine only the interpreter matters; packages and images are refused there.
    """

    interpreter: str = ""  # the Python interpreter that has the function's packages; "" for the program's own
    pip: tuple[str, ...] = ()  # packages to be installed for it, as pip takes them
    image: str = ""  # of a container
    cpus: float = 1.0  # cores
    gpus: float = 0.0
    memory: int = 0  # bytes that are reserved
    resources: tuple[tuple[str, float], ...] = ()  # of the cluster's own naming


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkUnit:
    """Something to compute. Where units wait for each other's workers, those of lower `order` run first."""

    name: str  # unique among the units that are submitted at one time; names its log
    order: tuple[int, ...]
    function: str  # "package.module:Class"
    request: Mapping[str, Any]  # JSON; the same object for all units that share it, so that it is sent once
    state: Mapping[str, Any]  # JSON
    files: Mapping[str, ArtworkFile] = field(default_factory=dict)  # by kind: what the function reads
    group: str  # units of one group share their files, e.g. those of one artwork
    requirements: Requirements = Requirements()
    folders: tuple[str, ...] = ()  # that it only reads, e.g. models; where the request names them, a worker has its own
    deadline: float  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFailure:
    """Why a unit has no result."""

    error: str  # the class in auria_bot.errors
    message: str
    log: str = ""  # the path of what it printed


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStarted:
    """A worker began with a unit."""

    unit: WorkUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitProgress:
    """A unit shows how far it is."""

    unit: WorkUnit
    facts: Mapping[str, Any]  # JSON
    files: Mapping[str, ArtworkFile] = field(default_factory=dict)  # by kind: what there is to see so far


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFinished:
    """A unit ended: with a state and files, or with a failure."""

    unit: WorkUnit
    seconds: float  # wall
    state: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, ArtworkFile] = field(default_factory=dict)  # by kind: the new ones
    failure: UnitFailure | None = None


UnitEvent: TypeAlias = UnitStarted | UnitProgress | UnitFinished
"""What happens to a unit."""


class ExecutorSession(Protocol):
    """Runs units for one caller."""

    @property
    def peak_bytes(self) -> int:
        """The largest resident size of a worker so far; 0 where it is not known."""
        ...

    def submit(self, unit: WorkUnit) -> None:
        """Add a unit; also possible while `events` is being iterated."""
        ...

    def events(self) -> Iterator[UnitEvent]:
        """What happens, until every submitted unit has ended.

        Raises:
            StepFailed: no worker could be started.
            BackendMissing: a unit's interpreter cannot be run.
        """
        ...


class Executor(Protocol):
    """Runs units of work somewhere."""

    def open(self, folder: Path, needs: Mapping[str, Requirements]) -> AbstractContextManager[ExecutorSession]:
        """A session for one caller, until the end of the block.

        Args:
            folder: a folder of the caller's with one subfolder for each group of units. The executor takes the units'
                files from there and leaves new files there, however its workers come by them.
            needs: what will be asked for, by a name for people.

        Raises:
            SettingsError: this executor has no such environments.
            ClusterError: the cluster cannot be reached, or does not have what is needed.
        """
        ...
