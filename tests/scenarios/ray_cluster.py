"""A Ray cluster on this machine, kept by a child process that ends with it; needs the extra `cluster`.

The child does what it is told on its standard input, a line each, and answers with a line: "add CPUS GPUS", "remove"
(the youngest node, as if its machine had failed).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["REASON", "RayNodes", "children", "has_ray", "kill_process", "ray_nodes"]

REASON = "Ray is not installed: pip install 'auria-bot[cluster]'"
_STORE = 80 << 20  # bytes of each node's object store


def has_ray() -> bool:
    """Whether the extra is installed."""
    return find_spec("ray") is not None


class RayNodes:
    """The nodes of a running cluster."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process, self._log = process, log
        self.address = self._answer()

    def add(self, *, cpus: float = 1, gpus: float = 0) -> None:
        """Start another node."""
        self._ask(f"add {cpus:g} {gpus:g}")

    def remove(self) -> None:
        """Lose the youngest node that is not the head."""
        self._ask("remove")

    def pids(self) -> list[int]:
        """The worker processes that host units, on any node of this machine."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_worker = (entry / "cmdline").read_bytes().startswith(b"ray::NodeWorker")
                if is_worker and self._process.pid in _ancestors(int(entry.name)):
                    found.append(int(entry.name))
        return found

    def _ask(self, line: str) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the cluster has no input")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        if self._process.stdout is None:
            raise RuntimeError("the cluster has no output")
        while line := self._process.stdout.readline():
            if line.startswith("answer "):
                return line.removeprefix("answer ").strip()
        raise RuntimeError(f"the cluster has ended: {self._log.read_text(encoding='utf-8')[-1500:]}")


@contextlib.contextmanager
def ray_nodes(cpus: Sequence[float] = (1, 1)) -> Iterator[RayNodes]:
    """A cluster with a node for each number of cores, the first one with the head.

    Raises:
        RuntimeError: it cannot be started.
    """
    place = tempfile.mkdtemp(prefix="ray-")  # short: the names of sockets are limited
    Path(place, "ray").mkdir()  # where Ray notes the address
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": place, "RAY_raylet_start_wait_time_s": "180"}
    command = [sys.executable, "-m", "tests.scenarios.ray_cluster", place, *(f"{count:g}" for count in cpus)]
    with (
        Path(place, "log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield RayNodes(process, Path(place, "log"))
        finally:
            if process.stdin is not None:
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            shutil.rmtree(place, ignore_errors=True)


def kill_process(pid: int) -> None:
    """Kill a process, as a failing machine would."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that are alive."""
    with contextlib.suppress(OSError):
        found = [path.read_text(encoding="utf-8").split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        return [int(word) for words in found for word in words]
    return []


def _ancestors(pid: int) -> Iterator[int]:
    """The parents of a process, upwards."""
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        yield pid


def _keep(place: str, cpus: Sequence[float]) -> None:
    """Keep a cluster until the input ends."""
    from ray.cluster_utils import Cluster

    usual: dict[str, Any] = {"include_dashboard": False, "object_store_memory": _STORE, "temp_dir": f"{place}/ray"}
    cluster = Cluster(initialize_head=True, head_node_args={**usual, "num_cpus": cpus[0]})
    others = [cluster.add_node(**usual, num_cpus=count) for count in cpus[1:]]
    print("answer", cluster.address, flush=True)
    for line in sys.stdin:
        word, *values = line.split()
        if word == "add":
            others.append(cluster.add_node(**usual, num_cpus=float(values[0]), num_gpus=float(values[1])))
        elif word == "remove":
            cluster.remove_node(others.pop(), allow_graceful=False)
        print("answer done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    _keep(sys.argv[1], [float(word) for word in sys.argv[2:]])
