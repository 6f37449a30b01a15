"""The executor for a cluster, over a driver whose nodes are threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import BackendMissing, ClusterError
from auria_bot.execution import cluster
from auria_bot.execution.cluster import RayExecutor
from auria_bot.execution.dispatcher import DriverOptions
from auria_bot.execution.work_unit import Requirements, UnitFinished, UnitProgress, UnitStarted
from tests.unit.execution.test_local import unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.execution.work_unit import UnitEvent, WorkUnit


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cluster, "_MAIN", "tests.unit.execution.stand_in_driver")
    monkeypatch.setattr(cluster, "find_spec", lambda _: object())
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def executor() -> Iterator[RayExecutor]:
    """An executor whose driver ends with the test."""
    made = executor_at("threads")
    yield made
    made.close()


def executor_at(address: str) -> RayExecutor:
    """An executor that is connected to nothing yet."""
    return RayExecutor(DriverOptions(address=address, memory=600 << 20, wait=0.0, start=60.0, idle=60.0, attempts=3))


def run(executor: RayExecutor, folder: Path, *units: WorkUnit) -> list[UnitEvent]:
    """Run units; what happened."""
    with executor.open(folder, {}) as session:
        for each in units:
            (folder / each.group).mkdir(exist_ok=True)
            session.submit(each)
        return list(session.events())


def ends(events: list[UnitEvent]) -> dict[str, UnitFinished]:
    """The ends, by the unit's name."""
    return {event.unit.name: event for event in events if isinstance(event, UnitFinished)}


def test_units_are_run_and_their_files_come_back(executor: RayExecutor, tmp_path: Path) -> None:
    """Pictures so far, new files and what went wrong arrive as from one machine."""
    folder = tmp_path / "run"
    (folder / "01").mkdir(parents=True)
    (folder / "01" / "in.bin").write_bytes(b"ab")
    writing = unit(1, "write", state={"source": "in.bin"}, files={"in": ArtworkFile.named("in.bin")})
    events = run(executor, folder, writing, unit(2, "report", group="02"), unit(3, "own-error"), unit(4, "crash"))
    done = ends(events)
    assert (folder / "01" / "double.bin").read_bytes() == b"abab"
    assert done["01-unit"].files["double"].size == 4
    assert sum(isinstance(event, UnitStarted) for event in events) == 4
    assert [event.facts for event in events if isinstance(event, UnitProgress)] == [{"layer": 1}, {"layer": 2}]
    assert (folder / "02" / "2.bin").read_bytes() == b"so far"
    assert done["03-unit"].failure is not None
    assert done["03-unit"].failure.error == "NoGoodPicture"
    assert done["04-unit"].failure is not None
    assert "its log ends with: crash is performed" in done["04-unit"].failure.message


def test_workers_are_kept_between_sessions(executor: RayExecutor, tmp_path: Path) -> None:
    """What the first run loaded is there for the second."""
    first = ends(run(executor, tmp_path / "one", unit(1)))["01-unit"]
    second = ends(run(executor, tmp_path / "two", unit(1)))["01-unit"]
    assert (first.state["pid"], first.state["calls"]) == (second.state["pid"], 1)
    assert second.state["calls"] == 2


def test_a_lost_worker_costs_nothing_but_its_unit(executor: RayExecutor, tmp_path: Path) -> None:
    """Which is run by another one."""
    done = ends(run(executor, tmp_path / "run", unit(1, "lose"), unit(2)))
    assert all(end.failure is None for end in done.values())
    assert len(done) == 2


def test_a_lost_driver_is_replaced(executor: RayExecutor, tmp_path: Path) -> None:
    """The units that had not ended are run through another one."""
    done = ends(run(executor, tmp_path / "run", unit(1, "die"), unit(2), unit(3)))
    assert sorted(done) == ["01-unit", "02-unit", "03-unit"]
    assert all(end.failure is None for end in done.values())


def test_a_driver_that_was_lost_between_sessions_is_replaced(executor: RayExecutor, tmp_path: Path) -> None:
    """As when it was idle for too long."""
    run(executor, tmp_path / "one", unit(1))
    executor._kept[0].child.stop()
    assert ends(run(executor, tmp_path / "two", unit(1)))["01-unit"].failure is None


def test_what_the_cluster_lacks_is_refused_before_work(executor: RayExecutor, tmp_path: Path) -> None:
    """The message names the step."""
    with (
        pytest.raises(ClusterError, match="step 'painting' asks for 1 CPU, 1 GPU"),
        executor.open(tmp_path / "run", {"poem": Requirements(), "painting": Requirements(gpus=1.0)}),
    ):
        pass


def test_a_cluster_that_is_away_is_named(tmp_path: Path) -> None:
    """With what the driver said last."""
    with pytest.raises(ClusterError, match="exit code 5; its log ends with: the head node is gone"):
        run(executor_at("lost"), tmp_path / "run")


def test_an_interpreter_that_no_node_has_ends_the_session(executor: RayExecutor, tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(BackendMissing, match="/no/such/python of '01-unit'"):
        run(executor, tmp_path / "run", unit(1, requirements=Requirements(interpreter="/no/such/python")))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before anything is started."""
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    with pytest.raises(BackendMissing, match=r'pip install "auria-bot\[cluster\]"'):
        run(executor_at("auto"), tmp_path / "run")
