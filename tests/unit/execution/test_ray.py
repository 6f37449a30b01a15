"""Units on a real Ray cluster of two nodes on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import ClusterError
from auria_bot.execution.cluster import RayExecutor
from auria_bot.execution.dispatcher import DriverOptions
from auria_bot.execution.work_unit import Requirements, UnitFinished, UnitStarted
from tests.scenarios.ray_cluster import REASON, RayNodes, has_ray, kill_process, ray_nodes
from tests.scenarios.ray_faults import measure
from tests.scenarios.ray_same import compare
from tests.scenarios.step_environments import look
from tests.unit.execution.test_local import unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not has_ray(), reason=REASON)]


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayNodes]:
    """A cluster of two nodes with a core each."""
    with ray_nodes((1, 1)) as running:
        yield running


@pytest.fixture
def executor(nodes: RayNodes) -> Iterator[RayExecutor]:
    """An executor whose driver ends with the test."""
    made = RayExecutor(
        DriverOptions(address=nodes.address, memory=600 << 20, wait=1.0, start=120.0, idle=60.0, attempts=3)
    )
    yield made
    made.close()


def test_units_and_their_files_travel(executor: RayExecutor, tmp_path: Path) -> None:
    """Over both nodes; a failure comes back as from one machine."""
    (tmp_path / "01").mkdir()
    (tmp_path / "01" / "in.bin").write_bytes(b"ab" * 200_000)
    with executor.open(tmp_path, {"poem": Requirements()}) as session:
        session.submit(unit(1, "write", state={"source": "in.bin"}, files={"in": ArtworkFile.named("in.bin")}))
        session.submit(unit(2, "raise", group="02"))
        for number in range(3, 20):
            session.submit(unit(number, group="03"))
        done = {event.unit.name: event for event in session.events() if isinstance(event, UnitFinished)}
    assert len(done) == 19
    assert (tmp_path / "01" / "double.bin").read_bytes() == b"ab" * 400_000
    failure = done["02-unit"].failure
    assert failure is not None
    assert (failure.error, failure.message) == ("StepCrashed", "RuntimeError: the unit was told to fail")


def test_a_killed_worker_costs_nothing(executor: RayExecutor, nodes: RayNodes, tmp_path: Path) -> None:
    """Its unit is run by another one."""
    killed = False
    with executor.open(tmp_path, {}) as session:
        for number in range(1, 4):
            (tmp_path / f"{number:02d}").mkdir()
            session.submit(unit(number, "wait", state={"seconds": 2.0}, group=f"{number:02d}"))
        done = []
        for event in session.events():
            if isinstance(event, UnitStarted) and not killed:
                killed = True
                kill_process(nodes.pids()[0])
            if isinstance(event, UnitFinished):
                done.append(event)
    assert sorted(end.unit.name for end in done) == ["01-unit", "02-unit", "03-unit"]
    assert all(end.failure is None for end in done)


def test_a_step_that_wants_a_gpu_is_refused(executor: RayExecutor, tmp_path: Path) -> None:
    """Before any work; the message says what there is."""
    with (
        pytest.raises(ClusterError, match=r"'painting' asks for 1 CPU, 1 GPU .* it has 2 nodes with 1 CPU"),
        executor.open(tmp_path, {"painting": Requirements(gpus=1.0)}),
    ):
        pass


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    """At once."""
    executor = RayExecutor(DriverOptions(address="127.0.0.1:9", memory=0, wait=1.0, start=60.0, idle=1.0, attempts=1))
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:9 cannot be reached"), executor.open(tmp_path, {}):
        pass


def test_the_same_seed_gives_the_same_artworks(nodes: RayNodes, tmp_path: Path) -> None:
    """By the command line, here and on the cluster, with light makers."""
    found = compare(tmp_path, count=3, real=False, address=nodes.address)
    assert found.differing == ()
    assert found.made == 3


def test_killed_workers_nodes_and_drivers_cost_nothing(nodes: RayNodes, tmp_path: Path) -> None:
    """A killed driver is replaced, a killed program resumed; each artwork is there once, as made here."""
    found = measure(tmp_path, nodes, count=4, kills=1, seconds=0.3, pause=(3.0, 5.0))
    assert (found.lost, found.twice, found.stayed) == ((), (), 0)
    assert (found.same, found.drivers, found.resumed, found.workers > 0) == (4, 1, 1, True)


def test_steps_whose_packages_conflict_run_together(nodes: RayNodes, tmp_path: Path) -> None:
    """Each in its own environment."""
    found = look(tmp_path, address=nodes.address)
    assert found.versions == ("1.0", "2.0", "1.0", "2.0")
    assert "asks for 1 CPU, 1 GPU" in found.refusal


def test_the_cluster_is_left(nodes: RayNodes) -> None:
    """No worker stays when the programs have ended."""
    for _ in range(100):
        if not nodes.pids():
            return
        time.sleep(0.2)
    pytest.fail(f"workers that stayed: {nodes.pids()}")


def test_workers_of_the_cluster_train_again_and_again(nodes: RayNodes, tmp_path: Path) -> None:
    """As a worker alone does; a process that worked in one group works in the next, and a killed one is replaced."""
    pytest.importorskip("torch")
    from auria_bot.services.models.distributed_training import DistributedTraining
    from tests import line_recipe

    (tmp_path / "data").mkdir()
    told: list[str] = []
    options: dict[str, Any] = {"steps": 8, "minutes": None, "limit": 99}
    alone = line_recipe.train(data=tmp_path / "data", folder=tmp_path, out=tmp_path, log=told.append, **options)
    executor = RayExecutor(
        DriverOptions(address=nodes.address, memory=1500 << 20, wait=1.0, start=120.0, idle=60.0, attempts=3)
    )
    group = DistributedTraining(size=2, log=told.append, executor=executor)
    for number, die_at in enumerate((99, 5)):
        run = tmp_path / f"run{number}"
        given = options | {"limit": die_at}
        found = group.train("tests.line_recipe", {"data": tmp_path / "data"}, folder=run, out=run / "model", **given)
        assert found == pytest.approx(alone, abs=1e-5)
    assert sum("begin again from the checkpoint of step 5" in line for line in told) == 1
    executor.close()
