"""The driver of runs on a Ray cluster: a process that hands units to workers on the nodes, and messages to its parent.

Started by `auria_bot.execution.cluster` as `python -m auria_bot.execution.ray OPTIONS --units DESCRIPTOR`. It is a
process of its own because Ray takes more memory than the program may, and ends the process that uses it when the head
node is lost. Files travel as objects of the cluster: read here, and written here when they come back. This is the one
module that imports Ray.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import queue
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray import exceptions
from ray.autoscaler.sdk import request_resources

from auria_bot import __version__
from auria_bot.execution.dispatcher import ClusterRefusal, Dispatcher, DriverOptions, Inbox, Unit
from auria_bot.execution.node_worker import NodeWorker, digest_of, packed
from auria_bot.execution.parent_watch import send, watch_parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auria_bot.execution.work_unit import Requirements

__all__ = ["main"]

_KNOCK = 3.0  # seconds for the head node to take a connection
_LEAVE = 2.0  # seconds for a worker to clear up
_SENT = ("name", "order", "function", "group", "interpreter", "deadline", "state", "files")  # of a unit, to a worker


def main(arguments: list[str] | None = None) -> None:
    """Join the cluster, and run units until the parent is gone or there was nothing to do for a while."""
    parser = argparse.ArgumentParser(prog="auria_bot.execution.ray")
    parser.add_argument("options")
    parser.add_argument("--units", type=int, required=True)
    given = parser.parse_args(arguments)
    watch_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends this process
    options = DriverOptions(**json.loads(given.options))
    try:
        _join(options.address)
    except ClusterRefusal as refusal:
        send({"event": "failed", "error": refusal.args[0], "message": refusal.args[1]})
        return
    inbox: Inbox = queue.SimpleQueue()
    threading.Thread(target=_read, args=(given.units, inbox), daemon=True).start()
    cluster = _RayCluster(options, inbox)
    try:
        Dispatcher(options, inbox, cluster, send).work()
    finally:
        cluster.leave()


def _join(address: str) -> None:
    """Join the cluster.

    Raises:
        ClusterRefusal: there is none, or it does not take this program.
    """
    if address != "auto":
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK).close()
        except OSError as error:
            raise ClusterRefusal("ClusterError", f"the cluster at {address} cannot be reached: {error}") from None
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # noqa: BLE001 - Ray's own classes share no public base class
        raise ClusterRefusal(
            "ClusterError",
            f"the cluster at {address} cannot be joined ({_one_line(error)}); a node of it must run on this machine"
            " (`ray start`, see docs/cluster.md), with the same versions of Ray and Python everywhere",
        ) from None


def _read(descriptor: int, inbox: Inbox) -> None:
    with os.fdopen(descriptor, "rb") as lines:
        for line in lines:
            inbox.put(("line", json.loads(line)))
    inbox.put(("end",))


class _RayCluster:
    """The cluster that this process has joined; implements `Cluster`."""

    def __init__(self, options: DriverOptions, inbox: Inbox) -> None:
        self.options, self.inbox = options, inbox
        self._workers: list[_RayWorker] = []
        self._digests: dict[str, str] = {}
        self._archives: dict[str, Any] = {}
        self._lock = threading.Lock()  # of the two above, which workers' threads use

    def nodes(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in ray.nodes() if node["Alive"]]

    def free(self) -> dict[str, float]:
        return dict(ray.available_resources())

    def ask_for(self, demands: list[dict[str, float]]) -> None:
        request_resources(bundles=demands)

    def shared(self, request: Mapping[str, Any]) -> Any:
        return ray.put(json.dumps(request, ensure_ascii=False))

    def leave(self) -> None:
        """Let idle workers clear up, which takes a moment at most, and give up the others."""
        for worker in self._workers:
            worker.end()
        until = time.monotonic() + _LEAVE
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))
        ray.shutdown()

    def begin(self) -> None:
        with self._lock:
            self._digests, self._archives = {}, {}

    def start(self, wanted: Requirements, unit: Unit) -> _RayWorker:
        worker = _RayWorker(wanted, unit["name"], self)
        self._workers = [*(other for other in self._workers if other.is_alive()), worker]
        return worker

    def digests(self, folders: Iterable[str]) -> dict[str, str]:
        """The digests of folders' content, computed once for a session."""
        with self._lock:
            for path in folders:
                if path not in self._digests:
                    self._digests[path] = digest_of(Path(path))
            return {path: self._digests[path] for path in folders}

    def archive(self, path: str) -> Any:
        """A reference to the archive of a folder, made once for a session."""
        with self._lock:
            if path not in self._archives:
                self._archives[path] = ray.put(packed(Path(path)))
            return self._archives[path]


class _RayWorker(threading.Thread):
    """An actor, and the thread that talks to it; implements `Worker`."""

    def __init__(self, wanted: Requirements, name: str, cluster: _RayCluster) -> None:
        super().__init__(daemon=True)
        self.wanted, self.is_ready = wanted, False
        self.unit: Unit | None = None
        self.last_order = -1
        self.since = time.monotonic()
        self._unit_name, self._cluster = name, cluster
        self._provided: dict[str, str] = {}  # folders that the node has, with the digests of their content
        self._tasks: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._actor = ray.remote(NodeWorker).options(**_actor_options(wanted)).remote(cluster.options.memory)
        self.start()

    def give(self, unit: Unit) -> None:
        """Let it run a unit."""
        self._tasks.put(unit)

    def end(self) -> None:
        """Give the actor up: in order where it is idle, at once where it is not."""
        if self.is_ready and self.unit is None:
            self._tasks.put(None)
        else:
            ray.kill(self._actor)

    def run(self) -> None:
        """Wait for the actor to start, then for units to run."""
        tell = self._cluster.inbox.put
        try:
            about = json.loads(ray.get(self._actor.about.remote(), timeout=self._cluster.options.start))
            if about["version"] != __version__:
                message = (
                    f"node {about['node']} has auria-bot {about['version']}, this machine {__version__}; install the"
                    " same version everywhere"
                )
                tell(("refused", self, "BackendMissing", message))
                return
            tell(("ready", self))
            while (unit := self._tasks.get()) is not None:
                self._provide(unit["folders"])
                self._run(unit)
            ray.get(self._actor.close.remote(), timeout=_LEAVE)
            ray.kill(self._actor)
        except ClusterRefusal as refusal:
            tell(("refused", self, *refusal.args))
        except exceptions.RuntimeEnvSetupError as error:
            message = f"the environment of {self._unit_name!r} cannot be made: {_one_line(error)}"
            tell(("refused", self, "BackendMissing", message))
        except exceptions.GetTimeoutError:
            tell(("late", self))
        except Exception as error:  # noqa: BLE001 - whatever was lost, another worker takes the unit
            tell(("lost", self, f"{type(error).__name__}: {_one_line(error)}"))

    def _provide(self, folders: list[str]) -> None:
        """Make sure that the node has the folders' content."""
        wanted = self._cluster.digests(folders)
        if all(self._provided.get(path) == digest for path, digest in wanted.items()):
            return
        for path in ray.get(self._actor.missing.remote(wanted)):
            ray.get(self._actor.unpack.remote(path, wanted[path], self._cluster.archive(path)))
        self._provided = wanted

    def _run(self, unit: Unit) -> None:
        folder = Path(unit["folder"])
        paths = {file["name"]: folder / unit["group"] / file["name"] for file in unit["files"].values()}
        files = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
        text = json.dumps({name: unit[name] for name in _SENT}, ensure_ascii=False)
        for reference in self._actor.run.options(num_returns="streaming").remote(text, unit["request"], files):
            answer, new = ray.get(reference)
            message = json.loads(answer)
            if message["event"] == "lost":
                raise ConnectionAbortedError(message["message"])
            if message["event"] == "failed":
                raise ClusterRefusal(message["error"], message["message"])
            for name, data in new.items():
                (folder / unit["group"] / Path(name).name).write_bytes(data)
            if log := message.pop("log", ""):
                (folder / "logs" / f"{unit['name']}.log").write_text(log, encoding="utf-8")
            self._cluster.inbox.put(("message", self, unit, message))


def _actor_options(wanted: Requirements) -> dict[str, Any]:
    environment: dict[str, Any] = {"pip": list(wanted.pip)} if wanted.pip else {}
    if wanted.image:
        environment = {"image_uri": wanted.image}
    return {
        "num_cpus": wanted.cpus,
        "num_gpus": wanted.gpus,
        "memory": wanted.memory or None,
        "resources": dict(wanted.resources),
        "runtime_env": environment or None,
        "scheduling_strategy": "SPREAD",
        "max_restarts": 0,
        "max_task_retries": 0,
    }


def _one_line(error: Exception) -> str:
    """The end of an error's message, on one line."""
    return " ".join(str(error).split())[-500:]


if __name__ == "__main__":
    main()
