"""Units over the workers of a cluster that is made of lists."""

from __future__ import annotations

import queue
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from auria_bot.execution import dispatcher
from auria_bot.execution.dispatcher import Dispatcher, DriverOptions
from auria_bot.execution.work_unit import Requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from auria_bot.execution.dispatcher import Inbox, Unit

OPTIONS = DriverOptions(address="here:1", memory=0, wait=0.0, start=5.0, idle=0.3, attempts=3)
USUAL = Requirements()
GPU = Requirements(gpus=1.0)


class ListedWorker:
    """A worker that does what the test's function says with each unit."""

    def __init__(self, wanted: Requirements, cluster: ListedCluster) -> None:
        self.wanted, self.cluster = wanted, cluster
        self.unit: Unit | None = None
        self.is_ready, self.is_ended, self.since, self.last_order = False, False, 0.0, -1
        self.done: list[str] = []

    def give(self, unit: Unit) -> None:
        self.done.append(unit["name"])
        self.cluster.inbox.put(self.cluster.act(self, unit))

    def end(self) -> None:
        self.is_ended = True
        for name, amount in dispatcher._demand(self.wanted).items():
            self.cluster.left[name] += amount


class ListedCluster:
    """Nodes with what they have; workers are ready at once where there is room."""

    def __init__(
        self, *nodes: dict[str, float], act: Callable[[ListedWorker, Unit], tuple[Any, ...]] | None = None
    ) -> None:
        self.inbox: Inbox = queue.SimpleQueue()
        self.act = act or finish
        self.has = list(nodes)
        self.left = {name: sum(node.get(name, 0.0) for node in nodes) for node in nodes for name in node}
        self.workers: list[ListedWorker] = []
        self.asked: list[dict[str, float]] = []

    def nodes(self) -> list[dict[str, float]]:
        return self.has

    def free(self) -> dict[str, float]:
        return dict(self.left)

    def ask_for(self, demands: list[dict[str, float]]) -> None:
        self.asked += demands

    def shared(self, request: Mapping[str, Any]) -> Any:
        return ("reference", request["title"])

    def begin(self) -> None:
        pass

    def start(self, wanted: Requirements, unit: Unit) -> ListedWorker:
        worker = ListedWorker(wanted, self)
        self.workers.append(worker)
        for name, amount in dispatcher._demand(wanted).items():
            self.left[name] = self.left.get(name, 0.0) - amount
        self.inbox.put(("ready", worker))
        return worker


def finish(worker: ListedWorker, unit: Unit) -> tuple[Any, ...]:
    """The unit is done."""
    return ("message", worker, unit, {"event": "finished", "state": unit["request"]})


def lose(worker: ListedWorker, unit: Unit) -> tuple[Any, ...]:
    """The worker is lost."""
    return ("lost", worker, "an earthquake")


def unit(number: int, wanted: Requirements = USUAL, *, step: int = 0) -> dict[str, Any]:
    """A line of the parent's with a unit."""
    value = {"name": f"{number:02d}", "order": [step, number], "deadline": 5.0, "requirements": asdict(wanted)}
    return {"unit": value}


def work(cluster: ListedCluster, *lines: dict[str, Any], options: DriverOptions = OPTIONS) -> list[Mapping[str, Any]]:
    """Serve a parent that writes these lines; what it is told."""
    told: list[Mapping[str, Any]] = []
    for line in lines:
        cluster.inbox.put(("line", line))
    Dispatcher(options, cluster.inbox, cluster, told.append).work()
    return [message for message in told if message["event"] != "started"]


def begin(**needs: Requirements) -> dict[str, Any]:
    """The line that begins a session."""
    return {"open": "/runs/1", "needs": {name: asdict(wanted) for name, wanted in needs.items()}}


def test_units_spread_over_as_many_workers_as_there_is_room_for() -> None:
    """Each worker takes several, and the request that they share is handed on."""
    cluster = ListedCluster({"CPU": 1.0}, {"CPU": 1.0})
    lines = [unit(1) | {"request": {"title": "t"}}, *(unit(number) for number in range(2, 7))]
    told = work(cluster, begin(poem=USUAL), *lines)
    assert [message["event"] for message in told] == ["opened", *["finished"] * 6]
    assert told[1]["state"] == ("reference", "t")
    assert len(cluster.workers) == 2
    assert all(len(worker.done) > 1 for worker in cluster.workers)


def test_a_unit_goes_to_the_worker_that_did_the_same_step() -> None:
    """It has the step's models loaded."""

    def act(worker: ListedWorker, done: Unit) -> tuple[Any, ...]:
        cluster.inbox.put(finish(worker, done))
        if done["name"] == "02":
            cluster.inbox.put(("line", unit(3, step=1)))
            return ("line", unit(4, step=0))
        return ("tick",)

    cluster = ListedCluster({"CPU": 2.0}, act=act)
    work(cluster, begin(), unit(1, step=0), unit(2, step=1))
    assert sorted(worker.done for worker in cluster.workers) == [["01", "04"], ["02", "03"]]


def test_a_unit_whose_worker_is_lost_is_given_to_another() -> None:
    """So many times as the settings allow; then it fails, and the others go on."""
    lost: list[str] = []

    def act(worker: ListedWorker, unit: Unit) -> tuple[Any, ...]:
        if unit["name"] == "01" or (unit["name"] == "02" and not lost.count("02")):
            lost.append(unit["name"])
            return lose(worker, unit)
        return finish(worker, unit)

    cluster = ListedCluster({"CPU": 1.0}, act=act)
    told = work(cluster, begin(), unit(1), unit(2), unit(3))
    ends = {message["name"]: message.get("error") for message in told if message["event"] == "finished"}
    assert ends == {"01": "StepCrashed", "02": None, "03": None}
    assert lost == ["01", "01", "01", "02"]
    assert "lost 3 times, the last time because of an earthquake" in next(
        message["message"] for message in told if "error" in message
    )


def test_what_no_node_has_is_refused_before_work_begins() -> None:
    """The message says what the step asks for, what there is, and where the setting is."""
    cluster = ListedCluster({"CPU": 2.0, "memory": 3.0 * 2**30})
    (refusal,) = work(cluster, begin(painting=GPU))
    assert refusal["error"] == "ClusterError"
    assert refusal["message"] == (
        "step 'painting' asks for 1 CPU, 1 GPU (execution.steps), which no node of the cluster at here:1 has; it has"
        " 1 node with 2 CPUs, 3.0 GiB of memory"
    )
    assert cluster.asked == [{"CPU": 1.0, "GPU": 1.0}]


def test_the_nodes_are_not_looked_at_for_every_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look asks the head node, which takes longer than a short unit."""
    monkeypatch.setattr(dispatcher, "_LOOK", 60.0)
    cluster, looks = ListedCluster({"CPU": 1.0}), list[bool]()
    nodes = cluster.nodes
    cluster.nodes = lambda: (looks.append(True), nodes())[1]  # type: ignore[method-assign]
    told = work(cluster, begin(poem=USUAL), *(unit(number) for number in range(20)))
    assert [message["event"] for message in told] == ["opened", *["finished"] * 20]
    assert len(looks) == 1


def test_a_step_that_no_node_can_run_any_more_ends_the_session() -> None:
    """The node that could was lost."""
    cluster = ListedCluster({"CPU": 1.0, "GPU": 1.0})

    def act(worker: ListedWorker, unit: Unit) -> tuple[Any, ...]:
        cluster.has = [{"CPU": 1.0}]
        return lose(worker, unit)

    cluster.act = act
    told = work(cluster, begin(painting=GPU), unit(1, GPU))
    assert [message["event"] for message in told] == ["opened", "failed"]
    assert "'01' asks for 1 CPU, 1 GPU" in told[1]["message"]


def test_idle_workers_make_room_for_units_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one core, two kinds of units are done one after the other."""
    monkeypatch.setattr(dispatcher, "_LINGER", 0.0)
    other = Requirements(interpreter="/opt/other/python")

    def act(worker: ListedWorker, done: Unit) -> tuple[Any, ...]:
        cluster.inbox.put(finish(worker, done))
        return ("line", unit(2, other)) if done["name"] == "01" else ("tick",)

    cluster = ListedCluster({"CPU": 1.0}, act=act)
    told = work(cluster, begin(), unit(1))
    assert [message["event"] for message in told] == ["opened", "finished", "finished"]
    assert [worker.is_ended for worker in cluster.workers] == [True, False]


def test_a_worker_that_is_never_ready_is_refused() -> None:
    """Unless others of its kind are there."""

    class Late(ListedCluster):
        def start(self, wanted: Requirements, unit: Unit) -> ListedWorker:
            worker = ListedWorker(wanted, self)
            self.inbox.put(("late", worker))
            return worker

    told = work(Late({"CPU": 1.0}), begin(), unit(1))
    assert told[1]["error"] == "ClusterError"
    assert "within 5 s (execution.start): a worker takes 1 CPU" in told[1]["message"]


def test_a_silent_worker_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the deadline of its unit and what starting may take."""
    monkeypatch.setattr(dispatcher, "_GRACE", -100.0)
    cluster = ListedCluster({"CPU": 1.0}, act=lambda *_: ("tick",))
    told = work(cluster, begin(), unit(1))
    assert told[-1]["error"] == "StepCrashed"
    assert all(worker.is_ended for worker in cluster.workers)


def test_what_a_worker_refuses_ends_the_session() -> None:
    """Another one could not do it either."""
    cluster = ListedCluster({"CPU": 1.0}, act=lambda worker, _: ("refused", worker, "BackendMissing", "no such python"))
    told = work(cluster, begin(), unit(1))
    assert told[-1] == {"event": "failed", "error": "BackendMissing", "message": "no such python"}


def test_it_ends_with_its_parent() -> None:
    """Whatever waits."""
    cluster = ListedCluster({"CPU": 1.0})
    cluster.inbox.put(("end",))
    assert work(cluster, unit(1)) == []
