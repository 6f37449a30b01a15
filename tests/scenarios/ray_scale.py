"""Steps that wait instead of computing, on 1 to 8 workers; and what a step costs beyond Ray's own call.

The workers are started and warm before the time is taken: what is measured is how units are handed out. Ray's own cost is that of an
actor that yields the same answers to the same arguments.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.execution.cluster import RayExecutor
from auria_bot.execution.dispatcher import DriverOptions
from auria_bot.execution.work_unit import Requirements, UnitFinished, WorkUnit
from tests.scenarios.ray_cluster import ray_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.domain.artwork import ArtworkFile
    from auria_bot.execution.work_unit import Report

__all__ = ["Waiting", "efficiencies", "overhead"]

MOST = 8
CALLS = 300


class Waiting:
    """A unit that waits."""

    def __call__(
        self, request: Mapping[str, Any], state: Mapping[str, Any], folder: Path, report: Report
    ) -> tuple[dict[str, Any], dict[str, ArtworkFile]]:
        """Wait as long as the state says."""
        time.sleep(state["seconds"])
        return {}, {}


def efficiencies(workers: tuple[int, ...] = (1, 2, 4, 8), *, seconds: float = 0.5, each: int = 10) -> dict[int, float]:
    """The share of linear speed by number of workers: each of them takes so many units of so many seconds."""
    found = {}
    with ray_nodes((MOST,)) as nodes, tempfile.TemporaryDirectory() as name:
        executor = _executor(nodes.address)
        for count in workers:
            wanted = Requirements(cpus=MOST / count)
            _work(executor, Path(name), count, seconds=3.0, wanted=wanted)  # long enough that every worker is started
            took = _work(executor, Path(name), count * each, seconds=seconds, wanted=wanted)
            found[count] = seconds * each / took
        executor.close()
    return found


def overhead() -> tuple[float, float]:
    """Milliseconds of a unit that does nothing on one worker, and of Ray's own call with the same arguments."""
    with ray_nodes((1,)) as nodes, tempfile.TemporaryDirectory() as name:
        executor = _executor(nodes.address)
        _work(executor, Path(name), 20, seconds=0.0, wanted=Requirements())
        own = _work(executor, Path(name), CALLS, seconds=0.0, wanted=Requirements()) / CALLS
        executor.close()
        command = [sys.executable, "-m", "tests.scenarios.ray_scale", nodes.address]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return own * 1e3, float(done.stdout.split()[-1])


def _executor(address: str) -> RayExecutor:
    return RayExecutor(DriverOptions(address=address, memory=0, wait=5.0, start=120.0, idle=60.0, attempts=1))


def _work(executor: RayExecutor, folder: Path, count: int, *, seconds: float, wanted: Requirements) -> float:
    """Run so many units; the seconds it took."""
    (folder / "01").mkdir(exist_ok=True)
    request: dict[str, Any] = {}
    with executor.open(folder, {"wait": wanted}) as session:
        begun = time.monotonic()
        for number in range(count):
            session.submit(
                WorkUnit(
                    name=f"{number:04d}",
                    order=(0, number),
                    function=f"{__name__}:Waiting",
                    request=request,
                    state={"seconds": seconds},
                    group=f"{number:04d}",
                    requirements=wanted,
                    deadline=60.0,
                )
            )
            (folder / f"{number:04d}").mkdir(exist_ok=True)
        done = sum(isinstance(event, UnitFinished) and event.failure is None for event in session.events())
        took = time.monotonic() - begun
    if done != count:
        raise RuntimeError(f"{done} of {count} units were done")
    return took


class _Bare:
    """An actor that answers as a worker does, and does nothing."""

    def run(self, unit: str, request: str, files: Mapping[str, bytes]) -> Any:
        yield json.dumps({"event": "finished", "unit": unit[:0], "request": request[:0], "files": len(files)}), {}


def _bare(address: str) -> float:
    """Milliseconds of Ray's own call."""
    import ray

    ray.init(address=address, log_to_driver=False)
    actor = ray.remote(_Bare).options(num_cpus=1).remote()
    request = ray.put("{}")
    unit = json.dumps({"name": "0001", "state": {"seconds": 0.0}, "files": {}, "group": "01", "function": "a:b"})
    for calls in (20, CALLS):
        begun = time.monotonic()
        for _ in range(calls):
            for reference in actor.run.options(num_returns="streaming").remote(unit, request, {}):
                ray.get(reference)
        took = time.monotonic() - begun
    ray.shutdown()
    return took / CALLS * 1e3


if __name__ == "__main__":
    print(_bare(sys.argv[1]))
