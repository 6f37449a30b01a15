"""A training by several workers: one update for all, and a lost worker is replaced."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pytest

from auria_bot.errors import InputError, StepCrashed, StepFailed
from auria_bot.execution.child_process import ExitStatus
from auria_bot.execution.work_unit import UnitFailure, UnitFinished
from auria_bot.services.models import distributed_training
from auria_bot.services.models.distributed_training import DistributedTraining

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.execution.work_unit import WorkUnit

RECIPE = "tests.line_recipe"


class Child:
    """Stands for a worker's process, which sends these messages, a list at a time, and ends so."""

    pid = 4711

    def __init__(self, *messages: Any, status: ExitStatus | None = None) -> None:
        self._messages, self._status = list(messages), status
        self.is_over = False  # though its messages are not received
        self.is_stopped = threading.Event()

    def receive(self, _timeout: float = 0.0) -> list[dict[str, Any]]:
        """The next ones."""
        found = self._messages.pop(0) if self._messages else []
        if isinstance(found, type):
            raise found
        return found

    def poll(self) -> ExitStatus | None:
        """How it ended, once its messages are received."""
        return None if self._messages and not self.is_over else self._status

    def stop(self) -> None:
        """End it."""
        self.is_stopped.set()


class Cluster:
    """Stands for a cluster, whose workers end so when the first one does, or at once."""

    def __init__(self, child: Child, end: UnitFailure | Exception | None = None) -> None:
        self.units: list[WorkUnit] = []
        self._child, self._end = child, end

    @contextmanager
    def open(self, _folder: Path, _needs: object) -> Iterator[Cluster]:
        """It is its own session."""
        yield self

    def submit(self, unit: WorkUnit) -> None:
        """Note what is to be done."""
        self.units.append(unit)

    def events(self) -> Iterator[UnitFinished]:
        """The ends of the workers."""
        if isinstance(self._end, Exception):
            raise self._end
        if self._end is None:
            assert self._child.is_stopped.wait(60)
        for unit in self.units:
            yield UnitFinished(unit=unit, seconds=1.0, failure=self._end)


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Child]]:
    """Puts what stands for workers in the place of processes: in the order of their beginning, those that were begun."""

    def made(*children: Child) -> list[Child]:
        begun: list[Child] = []

        def start(*_: object, **__: object) -> Child:
            begun.append(children[len(begun)])
            return begun[-1]

        monkeypatch.setattr(distributed_training, "ChildProcess", start)
        return begun

    return made


def train(tmp_path: Path, *, size: int = 3, executor: Any = None) -> tuple[dict[str, Any], list[str]]:
    """Train by that group; the metrics, and what was told."""
    told: list[str] = []
    group = DistributedTraining(size=size, log=told.append, executor=executor)
    options = {"out": tmp_path / "model", "minutes": None, "steps": 8, "limit": None}
    return group.train(RECIPE, {"data": tmp_path}, folder=tmp_path / "run", **options), told


OPEN, DONE = {"event": "open", "port": 5}, {"event": "done", "metrics": {"loss": 0.5}}


def test_the_others_of_a_group_work_on_the_cluster(tmp_path: Path, begin: Callable[..., list[Child]]):
    """Each is a unit that gets the data; they end with the first one, which runs on this machine."""
    child = Child([OPEN], [{"event": "log", "line": "step 1"}], [DONE])
    begin(child)
    cluster = Cluster(child)
    assert train(tmp_path, executor=cluster) == ({"loss": 0.5}, ["step 1"])
    assert [(unit.name, unit.state["rank"], unit.folders) for unit in cluster.units] == [
        ("worker-1", 1, (str(tmp_path),)),
        ("worker-2", 2, (str(tmp_path),)),
    ]
    assert {(unit.request["port"], unit.request["size"]) for unit in cluster.units} == {(5, 3)}


@pytest.mark.parametrize(
    ("end", "error", "message"),
    [
        (UnitFailure(error="StepCrashed", message="killed"), StepCrashed, "worker-1 on the cluster: killed; 3 times"),
        (StepFailed("the cluster is away"), StepFailed, "the cluster is away"),
    ],
)
def test_a_worker_that_the_cluster_loses_ends_the_group(
    tmp_path: Path, begin: Callable[..., list[Child]], end: Any, error: type[Exception], message: str
):
    """It begins again, some times; where the cluster itself is away, that is told at once."""
    children = [Child([OPEN]) for _ in range(3)]
    begun = begin(*children)
    with pytest.raises(error, match=message):
        train(tmp_path, executor=Cluster(children[0], end))
    assert len(begun) == (3 if error is StepCrashed else 1)
    assert all(child.is_stopped.is_set() for child in begun)


def test_an_interrupt_lets_the_group_finish_its_step(
    tmp_path: Path, begin: Callable[..., list[Child]], monkeypatch: pytest.MonkeyPatch
):
    """The first worker is told to save and stop; that it ended meanwhile is no error."""
    asked: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        asked.append((pid, number))
        if len(asked) > 1:
            raise ProcessLookupError

    monkeypatch.setattr(os, "kill", kill)
    begin(Child(KeyboardInterrupt, KeyboardInterrupt, [DONE]))
    metrics, told = train(tmp_path, size=1)
    assert metrics == {"loss": 0.5}
    assert told == ["stopping after this step; again to stop at once"] * 2
    assert asked == [(Child.pid, signal.SIGTERM)] * 2


@pytest.mark.parametrize("rank", [0, 1])
def test_what_the_recipe_refuses_is_told_as_its_error(tmp_path: Path, begin: Callable[..., list[Child]], rank: int):
    """Whichever worker says it; the group does not begin again."""
    failed = {"event": "failed", "error": "InputError", "message": "the data are too few"}
    refusing = Child([{"event": "log", "line": "read"}, failed], status=ExitStatus(code=1))
    begun = begin(Child([OPEN]), refusing) if rank else begin(refusing)
    if rank:
        refusing.is_over = True
    with pytest.raises(InputError, match="the data are too few"):
        train(tmp_path, size=rank + 1)
    assert len(begun) == rank + 1


@pytest.mark.parametrize(("is_away", "address"), [(False, "10.0.0.7"), (True, "127.0.0.1")])
def test_the_first_worker_is_reached_at_the_address_of_the_way_out(
    monkeypatch: pytest.MonkeyPatch, is_away: bool, address: str
):
    """Without a network, on this machine alone."""

    class Way:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def connect(self, _: object) -> None:
            if is_away:
                raise OSError("Network is unreachable")

        def getsockname(self) -> tuple[str, int]:
            return "10.0.0.7", 9

    monkeypatch.setattr(
        distributed_training, "socket", SimpleNamespace(socket=lambda *_: Way(), AF_INET=2, SOCK_DGRAM=2)
    )
    assert distributed_training._own_address() == address


def test_two_workers_train_as_one_does_though_one_is_killed(tmp_path: Path):
    """The group begins again from the last checkpoint, and ends with the weights that a worker alone ends with."""
    pytest.importorskip("torch")
    from tests import line_recipe

    told: list[str] = []
    given: dict[str, Any] = {"steps": 8, "minutes": None, "limit": 5}
    alone = line_recipe.train(data=tmp_path, folder=tmp_path / "one", out=tmp_path / "one", log=told.append, **given)
    told.clear()
    together = DistributedTraining(size=2, log=told.append).train(
        RECIPE, {"data": tmp_path}, folder=tmp_path / "two", out=tmp_path / "two", **given
    )
    assert together == pytest.approx(alone, abs=1e-5)
    assert (tmp_path / "died").exists()
    assert "worker 2 of 2 was ended by SIGKILL" in told[0] or "begin again from the checkpoint of step" in told[0]
    assert "0; all" not in told[0]
    assert sum("begin again" in line for line in told) == 1
    assert len(list((tmp_path / "two").glob("checkpoint-*"))) == 1


def test_a_group_that_gets_nowhere_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """After three losses without a checkpoint between them; with checkpoints it goes on."""
    steps = iter((1, 2, 3, 3, 3, 3))

    def attempt(_: object, task: dict[str, Any]) -> dict[str, Any]:
        del task
        (tmp_path / "latest.json").write_text(f'{{"step": {next(steps)}}}')
        raise distributed_training._WorkerLost("worker 2 of 2 was lost")

    monkeypatch.setattr(DistributedTraining, "_attempt", attempt)
    told: list[str] = []
    group = DistributedTraining(size=2, log=told.append)
    with pytest.raises(StepCrashed, match="3 times in a row without progress; the checkpoint of step 3 is kept"):
        group.train(RECIPE, {}, folder=tmp_path, out=tmp_path)
    assert len(told) == 4
