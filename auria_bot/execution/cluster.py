"""Runs units of work on a Ray cluster, through a driver process of its own.

This process neither imports Ray nor connects to the cluster; see `auria_bot.execution.ray` for the one that does. The
driver is kept for a while after a session, with its workers and what they loaded, for the next session of the same
program. When it is lost, as with the head node, another one is started, and only the units under way are repeated.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from auria_bot.errors import AuriaError, BackendMissing, ClusterError, error_of
from auria_bot.execution.unit_child import POLL, UnitChild, ended, files_of, log_tail
from auria_bot.execution.work_unit import UnitProgress, UnitStarted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from auria_bot.execution.dispatcher import DriverOptions
    from auria_bot.execution.work_unit import Requirements, UnitEvent, WorkUnit

__all__ = ["RayExecutor"]

_MAIN = "auria_bot.execution.ray"
_CONNECT = 60.0  # seconds for the driver to start and join the cluster
_MOST_LOST = 3  # drivers in a row that are lost before a unit ends
_PATIENCE = 3.0  # seconds for a driver to take leave of the cluster


class RayExecutor:
    """Runs units on a cluster.

    Usage::

        executor = RayExecutor(options)
        with executor.open(folder, {"painting": Requirements(gpus=1.0)}) as session:
            session.submit(unit)
            for event in session.events(): ...
    """

    def __init__(self, options: DriverOptions) -> None:
        """Connect to nothing yet."""
        self._options = json.dumps(asdict(options))
        self._wait = options.wait
        self._kept: list[_Driver] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def open(self, folder: Path, needs: Mapping[str, Requirements]) -> Iterator[_Session]:
        """A session; see `Executor`."""
        if find_spec("ray") is None:
            raise BackendMissing(
                'execution.engine is "ray", and Ray is not installed: pip install "auria-bot[cluster]"', hint=""
            )
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        with contextlib.closing(_Session(folder, needs, self)) as session:
            yield session

    def connected(self, folder: Path, needs: Mapping[str, Requirements]) -> _Driver:
        """A driver that is ready for units of that folder.

        Raises:
            ClusterError: the cluster cannot be reached, or does not have what is needed.
        """
        while True:
            with self._lock:
                driver, is_new = (self._kept.pop(), False) if self._kept else (None, True)
            driver = driver or _Driver(self._options)
            try:
                driver.begin(folder, needs, patience=_CONNECT + self._wait)
            except _DriverLost:
                driver.end()
                if is_new:
                    raise
            except BaseException:
                driver.end()
                raise
            else:
                return driver

    def close(self) -> None:
        """End the drivers that were kept, which otherwise end with this process."""
        with self._lock:
            while self._kept:
                self._kept.pop().end()

    def keep(self, driver: _Driver) -> None:
        """Keep an idle driver for the next session."""
        with self._lock:
            self._kept.append(driver)


class _DriverLost(ClusterError):
    """The driver process ended; another one may do better."""


class _Session:
    def __init__(self, folder: Path, needs: Mapping[str, Requirements], executor: RayExecutor) -> None:
        self.peak_bytes = 0
        self._folder, self._needs, self._executor = folder, needs, executor
        self._open: dict[str, WorkUnit] = {}  # units that have not ended, by name
        self._driver: _Driver | None = executor.connected(folder, needs)
        self._lost = 0  # drivers, since a unit ended

    def submit(self, unit: WorkUnit) -> None:
        self._open[unit.name] = unit
        if self._driver is not None:
            self._driver.submit(unit)

    def events(self) -> Iterator[UnitEvent]:
        """What happens, until every submitted unit has ended."""
        while self._open:
            driver = self._driver or self._reconnect()
            for message in driver.receive(POLL):
                if message["event"] == "failed":
                    raise _error(message)
                unit = self._open.get(message["name"])
                if unit is None:
                    continue
                if message["event"] == "started":
                    yield UnitStarted(unit=unit)
                elif message["event"] == "progress":
                    yield UnitProgress(unit=unit, facts=message["facts"], files=files_of(message))
                else:
                    del self._open[unit.name]
                    self._lost = 0
                    self.peak_bytes = max(self.peak_bytes, message["peak"])
                    yield ended(unit, message, message["seconds"], self._folder)
            if driver.is_lost:
                self._lost += 1
                reason, self._driver = driver.reason(), None
                driver.end()
                if self._lost >= _MOST_LOST:
                    raise ClusterError(f"the connection to the cluster was lost {self._lost} times: {reason}")

    def close(self) -> None:
        driver, self._driver = self._driver, None
        if driver is None:
            return
        if self._open or driver.is_lost:
            driver.end()
        else:
            self._executor.keep(driver)

    def _reconnect(self) -> _Driver:
        """Another driver, with everything that has not ended."""
        driver = self._driver = self._executor.connected(self._folder, self._needs)
        for unit in self._open.values():
            driver.submit(unit)
        return driver


class _Driver(UnitChild):
    """The driver process."""

    def __init__(self, options: str) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        super().__init__([sys.executable, "-P", "-m", _MAIN, options, "--units"], log=self._log)

    @property
    def is_lost(self) -> bool:
        """Whether it will send nothing more."""
        return not self.child.is_sending

    def begin(self, folder: Path, needs: Mapping[str, Requirements], *, patience: float) -> None:
        """Make it ready for units of a folder.

        Raises:
            ClusterError: the cluster cannot be reached, or does not have what is needed.
        """
        self.send({"open": str(folder), "needs": {name: asdict(wanted) for name, wanted in needs.items()}})
        until = time.monotonic() + patience
        while True:
            for message in self.receive(POLL):
                if message["event"] == "failed":
                    raise _error(message)
                if message["event"] == "opened":
                    return
            if self.is_lost:
                raise _DriverLost(f"the connection to the cluster was lost: {self.reason()}")
            if time.monotonic() > until:
                raise ClusterError(f"the cluster did not answer within {patience:g} s{self._tail()}")

    def submit(self, unit: WorkUnit) -> None:
        """Hand a unit over."""
        names = ("name", "order", "function", "group", "state", "folders", "deadline")
        value = {name: getattr(unit, name) for name in names}
        value |= {
            "interpreter": unit.requirements.interpreter,
            "requirements": asdict(unit.requirements),
            "files": {kind: asdict(file) for kind, file in unit.files.items()},
        }
        self.send({"unit": value}, unit.request)

    def end(self, *, patience: float = _PATIENCE) -> None:
        """End it."""
        super().end(patience=patience)
        self._log.close()

    def reason(self) -> str:
        """Why it ended, for people."""
        return f"its process {self.why_it_ended()}{self._tail()}"

    def _tail(self) -> str:
        self._log.seek(0)
        return log_tail(self._log.read())


def _error(message: Mapping[str, Any]) -> AuriaError:
    return error_of(message["error"], message["message"], otherwise=ClusterError)
