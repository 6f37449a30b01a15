"""A training by several workers: processes of this machine, or the first one here and the others on a cluster.

A lost worker costs the steps since the last checkpoint: the group is ended and begins again from there.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auria_bot.errors import StepCrashed, error_of
from auria_bot.execution.child_process import ChildProcess
from auria_bot.execution.work_unit import Requirements, UnitFinished, WorkUnit
from auria_bot.files import scratch_folder
from auria_bot.services.models.training_worker import FOLDERS, packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from auria_bot.errors import AuriaError
    from auria_bot.execution.work_unit import Executor

__all__ = ["DistributedTraining"]

_MAIN: Final = "auria_bot.services.models.training_worker"
_LOSSES: Final = 3  # of workers in a row, without a checkpoint between them, that end a training
_DEADLINE: Final = 365 * 86_400.0  # seconds of a worker on the cluster: none
_POLL: Final = 0.1  # seconds
_ELSEWHERE: Final = ("192.0.2.1", 9)  # an address for documentation (RFC 5737)
_PATIENCE: Final = 120.0  # seconds after the first worker's end for the others to end


class _WorkerLost(Exception):
    """A worker has ended before its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributedTraining:
    """Runs a recipe by several workers.

    Usage::

        group = DistributedTraining(size=2, log=print)
        metrics = group.train("auria_bot.art.training.poet.train", {"data": folder}, folder=run, out=model)
    """

    size: int
    log: Callable[[str], None]
    executor: Executor | None = None  # of the cluster on which all but the first work; None: all are processes here

    def train(self, recipe: str, given: Mapping[str, Any], *, folder: Path, **options: Any) -> dict[str, Any]:
        """Train; the metrics of the first worker.

        Args:
            recipe: the name of a module with `train`.
            given: its arguments.
            folder: of the run, with its checkpoints.
            options: out, minutes, steps and limit.

        Raises:
            StepCrashed: workers were lost again and again.
            AuriaError: what the recipe raises.
        """
        host = _own_address() if self.executor else "127.0.0.1"
        here = 1 if self.executor else self.size
        task = {
            "recipe": recipe,
            "given": packed(given),
            "folder": str(folder),
            **packed(options),
            "size": self.size,
            "host": host,
            "threads": max(1, (os.cpu_count() or 1) // here),
        }
        lost = 0
        while True:
            before = _saved_step(folder)
            try:
                return self._attempt(task)
            except _WorkerLost as loss:
                lost = lost + 1 if _saved_step(folder) <= before else 1
                if lost >= _LOSSES:
                    message = f"{loss}; {lost} times in a row without progress; the checkpoint of step"
                    raise StepCrashed(f"{message} {_saved_step(folder)} is kept: the same command continues") from None
                self.log(
                    f"{loss}; all {self.size} workers begin again from the checkpoint of step {_saved_step(folder)}"
                )

    def _attempt(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Train with one group.

        Raises:
            _WorkerLost: a worker has ended before the first one was done.
            AuriaError: its recipe cannot do what is asked.
        """
        with contextlib.ExitStack() as group:
            first = group.enter_context(contextlib.closing(_Process({**task, "rank": 0, "place": 0})))
            others: list[_Process] = []
            remote = _Remote()
            while True:
                try:
                    for message in first.messages():
                        if message["event"] == "log":
                            self.log(message["line"])
                        elif message["event"] == "open":
                            place = {**task, "port": message["port"]}
                            if self.executor:
                                group.enter_context(remote.units(self.executor, place, first))
                            else:
                                tasks = [{**place, "rank": rank, "place": rank} for rank in range(1, self.size)]
                                others = [group.enter_context(contextlib.closing(_Process(one))) for one in tasks]
                        elif message["event"] == "done":
                            for each in others:  # they leave the group when the first one has
                                each.child.wait(_PATIENCE)
                            metrics: dict[str, Any] = message["metrics"]
                            return metrics
                        else:
                            raise _refusal(message)
                    for rank, each in enumerate([first, *others]):
                        each.check(f"worker {rank + 1} of {self.size}")
                    remote.check()
                except KeyboardInterrupt:
                    self.log("stopping after this step; again to stop at once")
                    first.stop_soon()


class _Process:
    """A worker on this machine."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        command = [sys.executable, "-P", "-m", _MAIN]
        self.child = ChildProcess(command, stdin=json.dumps(task).encode(), stdout=self._log, stderr=self._log)

    def messages(self) -> list[dict[str, Any]]:
        return self.child.receive(_POLL)

    def check(self, name: str) -> None:
        """Look whether it still works.

        Raises:
            _WorkerLost: it does not.
            AuriaError: its recipe cannot do what is asked.
        """
        status = self.child.poll()
        if status is None or status.ok:
            return
        for message in self.child.receive():
            if message["event"] == "failed":
                raise _refusal(message)
        self._log.seek(0)
        tail = self._log.read()[-600:].decode("utf-8", "replace").strip().splitlines()
        raise _WorkerLost(f"{name} {status}{f' ({tail[-1][:200]})' if tail else ''}")

    def stop_soon(self) -> None:
        """Ask it to save and stop; asked again, it stops at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child.pid, signal.SIGTERM)

    def close(self) -> None:
        self.child.stop()
        self._log.close()


def _refusal(message: Mapping[str, Any]) -> AuriaError:
    """Why a worker's recipe cannot do what is asked."""
    return error_of(message["error"], message["message"], otherwise=StepCrashed)


class _Remote:
    """The workers on a cluster."""

    def __init__(self) -> None:
        self._failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()

    def check(self) -> None:
        """Look whether they still work.

        Raises:
            _WorkerLost: one does not.
            AuriaError: the cluster does not have what they need.
        """
        with contextlib.suppress(queue.Empty):
            raise self._failures.get_nowait()

    @contextlib.contextmanager
    def units(self, executor: Executor, task: Mapping[str, Any], first: _Process) -> Any:
        """All workers but the first, until the end of the block; they end by themselves when the first one does."""
        needs = Requirements()
        with scratch_folder() as name, executor.open(name, {"training": needs}) as session:
            for rank in range(1, task["size"]):
                unit = WorkUnit(
                    name=f"worker-{rank}",
                    order=(0,),
                    function=f"{_MAIN}:ClusterWorker",
                    request=task,
                    state={"rank": rank, "place": 0},
                    group=f"worker-{rank}",
                    requirements=needs,
                    folders=tuple(task["given"][key] for key in FOLDERS if key in task["given"]),
                    deadline=_DEADLINE,
                )
                (name / unit.group).mkdir()
                session.submit(unit)
            thread = threading.Thread(target=self._follow, args=(session,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                first.child.stop()
                thread.join(_PATIENCE)

    def _follow(self, session: Any) -> None:
        try:
            for event in session.events():
                if isinstance(event, UnitFinished) and event.failure is not None:
                    self._failures.put(_WorkerLost(f"{event.unit.name} on the cluster: {event.failure.message}"))
        except Exception as error:  # noqa: BLE001 - told to whoever waits for the group
            self._failures.put(error)


def _saved_step(folder: Path) -> int:
    """The step of a run's last checkpoint, those of its stages added up; 0 without one."""
    steps = 0
    for place in (folder / "latest.json", *folder.glob("*/latest.json")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            steps += int(json.loads(place.read_text(encoding="utf-8"))["step"])
    return steps


def _own_address() -> str:
    """The address at which others reach this machine, that of its way out: its name may lead to loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(_ELSEWHERE)  # of a datagram socket: nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(way.getsockname()[0])
