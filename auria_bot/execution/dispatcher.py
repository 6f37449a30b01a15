"""Distributes units of work over the workers of a cluster, whichever engine runs them.

A worker has the environment and the compute of the units it takes, one at a time, and keeps what they loaded. Workers
are started while units wait and the cluster has room, and given up when units of another kind need their room. A unit
whose worker is lost is given to another one, a bounded number of times: units are pure.
"""

from __future__ import annotations

import heapq
import queue
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from auria_bot.execution.work_unit import Requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Cluster", "ClusterRefusal", "Dispatcher", "DriverOptions", "Inbox", "Unit", "Worker"]

_TICK = 0.2  # seconds after which the dispatcher looks after its workers, whatever comes
_LOOK = 0.2  # seconds between two looks at the nodes, which take longer than a short unit
_LINGER = 2.0  # seconds that a worker without work is kept while others wait for its room
_GRACE = 60.0  # seconds beyond its deadline after which a silent worker counts as lost

Unit: TypeAlias = dict[str, Any]
"""A unit as the parent sends it, with its `folder`, a reference to its `request`, and the number of the `attempt`."""

Inbox: TypeAlias = "queue.SimpleQueue[tuple[Any, ...]]"
"""What happens: ("line", message) and ("end",) from the parent; of a worker, which comes second: ("ready", worker),
("message", worker, unit, message), ("lost", worker, reason), ("late", worker) and ("refused", worker, error, message).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverOptions:
    """How a driver works; see `auria_bot.settings.execution`."""

    address: str  # "auto", or HOST:PORT of the head node
    memory: int  # bytes that a unit may take; 0 is no limit
    wait: float  # seconds to wait for a node that has what is needed
    start: float  # seconds that a worker may take to start
    idle: float  # seconds for which workers are kept after a session
    attempts: int  # workers that may be lost with one unit


class ClusterRefusal(Exception):
    """The cluster does not give what is asked for; the arguments are the error's class and its message."""


class Worker(Protocol):
    """One worker of the cluster."""

    wanted: Requirements
    unit: Unit | None  # what it works on
    is_ready: bool  # whether it was started
    since: float  # its last change between idle and busy
    last_order: int  # of the unit that it took last

    def give(self, unit: Unit) -> None:
        """Let it run a unit."""
        ...

    def end(self) -> None:
        """Give it up."""
        ...


class Cluster(Protocol):
    """What a dispatcher has to know of a cluster; amounts are of resources, by name."""

    def nodes(self) -> list[dict[str, float]]:
        """What each node that is alive has."""
        ...

    def free(self) -> dict[str, float]:
        """What all nodes together have left."""
        ...

    def ask_for(self, demands: list[dict[str, float]]) -> None:
        """Tell a cluster that adds nodes on demand what is missing."""
        ...

    def shared(self, request: Mapping[str, Any]) -> Any:
        """A reference to the request that the next units have in common."""
        ...

    def begin(self) -> None:
        """A new session begins: folders may have changed."""
        ...

    def start(self, wanted: Requirements, unit: Unit) -> Worker:
        """Start a worker, which puts what happens into the inbox."""
        ...


class Dispatcher:
    """Serves one parent: takes its units, and tells it what happens to them."""

    def __init__(
        self, options: DriverOptions, inbox: Inbox, cluster: Cluster, tell: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self._options, self._inbox, self._cluster, self._tell = options, inbox, cluster, tell
        self._folder = ""
        self._request: Any = None
        self._waiting: dict[Requirements, list[tuple[list[int], str, Unit]]] = {}
        self._workers: list[Worker] = []
        self._free: dict[str, float] = {}
        self._seen = self._active = time.monotonic()
        self._unmet: dict[Requirements, float] = {}  # since when no node has what is asked for
        self._nodes: list[dict[str, float]] = []
        self._looked = float("-inf")  # when the nodes were looked at

    def work(self) -> None:
        """Serve the parent until it is gone, something was refused, or there was nothing to do for a while."""
        try:
            while True:
                try:
                    event = self._inbox.get(timeout=_TICK)
                except queue.Empty:
                    event = ("tick",)
                if event[0] == "end":
                    return
                self._handle(*event)
                is_busy = any(worker.unit for worker in self._workers) or any(self._waiting.values())
                if is_busy or event[0] == "line":
                    self._active = time.monotonic()
                if time.monotonic() - self._active > self._options.idle:
                    return
                self._distribute()
        except ClusterRefusal as refusal:
            self._tell({"event": "failed", "error": refusal.args[0], "message": refusal.args[1]})

    def _handle(self, kind: str, sender: Any = None, *rest: Any) -> None:
        if kind == "line":
            self._take(sender)
        elif sender not in self._workers:
            pass  # a tick, or the last words of a worker that was given up
        elif kind == "ready":
            sender.is_ready = True
        elif kind == "message":
            unit, message = rest
            if message["event"] == "finished":
                sender.unit, sender.since = None, time.monotonic()
            self._tell({**message, "name": unit["name"]})
        elif kind == "refused":
            raise ClusterRefusal(*rest)
        elif kind == "late":
            self._give_up(sender)
        else:
            self._lose(sender, *rest)

    def _take(self, message: dict[str, Any]) -> None:
        """Take a line of the parent's: the beginning of a session, or a unit."""
        if "open" in message:
            self._folder = message["open"]
            self._cluster.begin()
            self._wait_for_nodes({name: _requirements(value) for name, value in message["needs"].items()})
            self._tell({"event": "opened"})
            return
        if "request" in message:
            self._request = self._cluster.shared(message["request"])
        self._queue({**message["unit"], "request": self._request, "folder": self._folder, "attempt": 1})

    def _queue(self, unit: Unit) -> None:
        units = self._waiting.setdefault(_requirements(unit["requirements"]), [])
        heapq.heappush(units, (unit["order"], unit["name"], unit))

    def _lose(self, worker: Worker, reason: str) -> None:
        """Go on without a worker: its unit is given to another one, a bounded number of times."""
        self._workers.remove(worker)
        worker.end()
        self._looked = float("-inf")  # its node may be lost too
        unit = worker.unit
        if unit is None:
            return
        if unit["attempt"] < self._options.attempts:
            self._queue({**unit, "attempt": unit["attempt"] + 1})
            return
        text = f"its worker was lost {unit['attempt']} times, the last time because of {reason}"
        ended = {"event": "finished", "name": unit["name"], "seconds": 0.0, "files": {}, "state": {}, "peak": 0}
        self._tell({**ended, "error": "StepCrashed", "message": text})

    def _give_up(self, worker: Worker) -> None:
        """Go on without a worker that was not started in time.

        Raises:
            ClusterRefusal: there is no other for the units that wait.
        """
        self._workers.remove(worker)
        worker.end()
        others = any(other.wanted == worker.wanted for other in self._workers)
        if self._waiting.get(worker.wanted) and not others:
            raise ClusterRefusal(
                "ClusterError",
                f"no worker was started within {self._options.start:g} s (execution.start): a worker takes"
                f" {_amounts(_demand(worker.wanted))}, and the cluster at {self._options.address} has"
                f" {_amounts(self._cluster.free())} free",
            )

    def _distribute(self) -> None:
        """Give waiting units to idle workers, and start or give up workers.

        Raises:
            ClusterRefusal: no node has what a unit asks for.
        """
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.unit is not None and now - worker.since > worker.unit["deadline"] + self._options.start + _GRACE:
                self._lose(worker, "silence beyond its deadline")
        for wanted, units in self._waiting.items():
            idle = [worker for worker in self._workers if _is_idle(worker) and worker.wanted == wanted]
            while units and idle:
                unit = heapq.heappop(units)[2]
                chosen = next((worker for worker in idle if worker.last_order == unit["order"][0]), idle[0])
                idle.remove(chosen)
                chosen.unit, chosen.last_order, chosen.since = unit, unit["order"][0], now
                chosen.give(unit)
                self._tell({"event": "started", "name": unit["name"]})
        for wanted, units in self._waiting.items():
            if units:
                self._require_node(wanted, units[0][2])
                self._start_workers(wanted, units[0][2], len(units))

    def _start_workers(self, wanted: Requirements, unit: Unit, count: int) -> None:
        """Start workers for so many units, as far as there is room; at least one, which then waits for room."""
        own = [worker for worker in self._workers if worker.wanted == wanted]
        starting = sum(not worker.is_ready for worker in own)
        while starting < count:
            if not self._has_room(wanted) and not self._make_room(wanted, at_once=not own) and own:
                return
            self._change_free(wanted, -1)
            own.append(self._cluster.start(wanted, unit))
            self._workers.append(own[-1])
            starting += 1

    def _has_room(self, wanted: Requirements) -> bool:
        """Whether the cluster has what a worker takes, as far as is known."""
        if time.monotonic() - self._seen > 2 * _TICK or not self._free:
            self._free, self._seen = self._cluster.free(), time.monotonic()
        return all(self._free.get(name, 0.0) >= amount for name, amount in _demand(wanted).items())

    def _make_room(self, wanted: Requirements, *, at_once: bool) -> bool:
        """Give up workers of other kinds that are idle, for a while where it can wait; whether there is room then."""
        until = time.monotonic() - (0.0 if at_once else _LINGER)
        for worker in [item for item in self._workers if _is_idle(item) and item.wanted != wanted]:
            if worker.since <= until:
                self._workers.remove(worker)
                worker.end()
                self._change_free(worker.wanted, +1)
                if self._has_room(wanted):
                    return True
        return False

    def _change_free(self, wanted: Requirements, sign: int) -> None:
        for name, amount in _demand(wanted).items():
            self._free[name] = self._free.get(name, 0.0) + sign * amount

    def _require_node(self, wanted: Requirements, unit: Unit) -> None:
        if self._fits(wanted):
            self._unmet.pop(wanted, None)
        elif time.monotonic() - self._unmet.setdefault(wanted, time.monotonic()) > self._options.wait:
            raise self._refusal(unit["name"], wanted)

    def _wait_for_nodes(self, needs: Mapping[str, Requirements]) -> None:
        """Wait until there is a node for every need.

        Raises:
            ClusterRefusal: there is none.
        """
        until = time.monotonic() + self._options.wait
        lacking = {name: wanted for name, wanted in needs.items() if not self._fits(wanted)}
        if lacking:
            self._cluster.ask_for([_demand(wanted) for wanted in lacking.values()])
        while lacking:
            if time.monotonic() > until:
                raise self._refusal(*next(iter(lacking.items())))
            time.sleep(_TICK)
            lacking = {name: wanted for name, wanted in lacking.items() if not self._fits(wanted)}

    def _fits(self, wanted: Requirements) -> bool:
        """Whether a node could run such a worker if it did nothing else."""
        if time.monotonic() - self._looked >= _LOOK:
            self._nodes, self._looked = self._cluster.nodes(), time.monotonic()
        demand = _demand(wanted).items()
        return any(all(node.get(name, 0.0) >= amount for name, amount in demand) for node in self._nodes)

    def _refusal(self, name: str, wanted: Requirements) -> ClusterRefusal:
        nodes = self._cluster.nodes()
        have = "; ".join(sorted({_amounts(node) for node in nodes}))
        return ClusterRefusal(
            "ClusterError",
            f"step {name!r} asks for {_amounts(_demand(wanted))} (execution.steps), which no node of the cluster at"
            f" {self._options.address} has; it has {len(nodes)} {'node' if len(nodes) == 1 else 'nodes'}"
            + (f" with {have}" if nodes else ""),
        )


def _is_idle(worker: Worker) -> bool:
    return worker.is_ready and worker.unit is None


def _requirements(value: Mapping[str, Any]) -> Requirements:
    resources = tuple((str(name), float(amount)) for name, amount in value["resources"])
    return Requirements(**{**value, "pip": tuple(value["pip"]), "resources": resources})


def _demand(wanted: Requirements) -> dict[str, float]:
    """What a worker takes, by the cluster's names."""
    found = {"CPU": wanted.cpus, "GPU": wanted.gpus, "memory": float(wanted.memory), **dict(wanted.resources)}
    return {name: amount for name, amount in found.items() if amount}


def _amounts(resources: Mapping[str, float]) -> str:
    """Amounts of resources, for people."""
    words = []
    for name, amount in sorted(resources.items()):
        if name == "memory":
            words.append(f"{amount / 2**30:.1f} GiB of memory")
        elif name in {"CPU", "GPU"}:
            words.append(f"{amount:g} {name}{'' if amount == 1 else 's'}")
        elif not name.startswith(("node:", "object_store_memory", "accelerator_type:")):
            words.append(f"{amount:g} of {name}")
    return ", ".join(words) or "nothing"
