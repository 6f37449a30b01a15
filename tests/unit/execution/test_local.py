"""Units of work in child processes, and every way in which one can fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import BackendMissing, DiskError, StepCrashed, StepTimedOut
from auria_bot.execution import local, unit_child
from auria_bot.execution.local import ChildProcessExecutor, ResourceLimits
from auria_bot.execution.unit_child import log_tail
from auria_bot.execution.work_unit import Requirements, UnitFinished, UnitProgress, UnitStarted, WorkUnit
from tests.processes import children, is_alive

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.execution.work_unit import UnitEvent

LIMITS = ResourceLimits(start=120.0, memory=600 << 20)
REQUEST = {"title": "“ü”" * 50_000}


def unit(number: int, action: str = "", *, group: str = "01", **changes: Any) -> WorkUnit:
    """A unit that does what `action` says; see `actions`."""
    state = {"action": action, **changes.pop("state", {})}
    values: dict[str, Any] = {"order": (0, number), "request": REQUEST, "deadline": 60.0, **changes}
    function = "tests.unit.execution.actions:Actions"
    return WorkUnit(name=f"{number:02d}-unit", function=function, state=state, group=group, **values)


def run(
    folder: Path,
    *units: WorkUnit,
    limits: ResourceLimits = LIMITS,
    listener: Callable[[UnitEvent], None] = lambda _: None,
    python: str = sys.executable,
) -> list[UnitFinished]:
    """Run units; their ends, in order."""
    finished = []
    with ChildProcessExecutor(limits, python=python).open(folder, {}) as session:
        for each in units:
            (folder / each.group).mkdir(exist_ok=True)
            session.submit(each)
        for event in session.events():
            listener(event)
            if isinstance(event, UnitFinished):
                finished.append(event)
    return finished


def test_units_are_run_by_one_worker_in_their_order(tmp_path: Path) -> None:
    """What was loaded for the first is there for the others, and the request that they share is sent once."""
    events: list[str] = []
    done = run(
        tmp_path,
        unit(2),
        unit(1, order=(1, 1)),
        unit(3, order=(0, 0)),
        listener=lambda event: events.append(f"{event.unit.name} {type(event).__name__}"),
    )
    assert [end.unit.name for end in done] == ["03-unit", "02-unit", "01-unit"]
    assert [end.state["calls"] for end in done] == [1, 2, 3]
    assert {end.state["pid"] for end in done} != {os.getpid()}
    assert all(end.state["request"] == REQUEST for end in done)
    assert events[:2] == ["03-unit UnitStarted", "03-unit UnitFinished"]


def test_the_largest_size_of_a_worker_is_known(tmp_path: Path) -> None:
    """Whatever happened to it."""
    with ChildProcessExecutor(LIMITS).open(tmp_path, {}) as session:
        session.submit(unit(1, state={"action": "raise"}))
        assert len(list(session.events())) == 2
        assert 5 << 20 < session.peak_bytes < 400 << 20


def test_files_are_read_and_written_in_the_units_group(tmp_path: Path) -> None:
    """New files are told with their values; units may be added while others run."""
    (tmp_path / "07").mkdir()
    (tmp_path / "07" / "in.bin").write_bytes(b"ab")
    first = unit(1, "write", group="07", state={"source": "in.bin"}, files={"in": ArtworkFile.named("in.bin")})
    with ChildProcessExecutor(LIMITS).open(tmp_path, {}) as session:
        session.submit(first)
        ends = []
        for event in session.events():
            if isinstance(event, UnitFinished):
                ends.append(event)
                if len(ends) == 1:
                    session.submit(unit(2, group="07"))
    assert ends[0].files == {"double": ArtworkFile.named("double.bin", sha256="f" * 64, size=4)}
    assert (tmp_path / "07" / "double.bin").read_bytes() == b"abab"
    assert ends[1].state["folder"] == "07"


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        ("crash", "StepCrashed", "exit code 3; its log ends with: crash is performed\nthe unit was told to crash"),
        ("segfault", "StepCrashed", "SIGSEGV"),
        ("memory", "StepOutOfMemory", "the limit is 200 MB"),
        ("hang", "StepTimedOut", "the deadline is 1.5 s"),
        ("raise", "StepCrashed", "RuntimeError: the unit was told to fail"),
        ("memory-error", "StepOutOfMemory", "ran out of memory"),
        ("own-error", "NoGoodPicture", "nothing was good enough"),
    ],
)
def test_a_bad_unit_costs_itself_only(tmp_path: Path, action: str, error: str, message: str) -> None:
    """Every kind of failure is told apart, with the unit's own log; the others go on."""
    limits = ResourceLimits(start=120.0, memory=200 << 20)
    bad = unit(2, action, deadline=1.5 if action == "hang" else 60.0)
    one, two, three = run(tmp_path, unit(1), bad, unit(3), limits=limits)
    assert one.failure is None
    assert three.failure is None
    assert two.failure is not None
    assert two.failure.error == error
    assert message in two.failure.message
    assert two.failure.log == str(tmp_path / "logs" / "02-unit.log")
    assert f"{action} is performed" in Path(two.failure.log).read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_said_though_the_log_is_full_too(tmp_path: Path) -> None:
    """The worker goes on: what it cannot log does not end it."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "01-unit.log").symlink_to("/dev/full")
    full, after = run(tmp_path, unit(1), unit(2))
    assert full.failure is not None
    assert (full.failure.error, "No space left" in full.failure.message) == ("DiskError", True)
    assert after.failure is None


def test_a_native_crash_leaves_its_trace_in_the_units_log(tmp_path: Path) -> None:
    """The log also holds what a crashing process writes below Python."""
    run(tmp_path, unit(1, "segfault"))
    log = (tmp_path / "logs" / "01-unit.log").read_text()
    assert "Segmentation fault" in log
    assert "actions.py" in log


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says which unit wanted it."""
    with pytest.raises(BackendMissing, match="/no/such/python of '01-unit'"):
        run(tmp_path, unit(1, requirements=Requirements(interpreter="/no/such/python")))


def test_a_unit_may_run_in_another_interpreter(tmp_path: Path) -> None:
    """Units of one interpreter share a worker; another one has its own."""
    seen, other = tmp_path / "seen", tmp_path / "python"
    other.write_text(
        f'#!/bin/sh\necho "$2" >> {seen}\nPYTHONPATH={quote(str(Path.cwd()))} exec {quote(sys.executable)} "$@"\n'
    )
    other.chmod(0o755)
    apart = Requirements(interpreter=str(other))
    done = run(tmp_path, unit(1), unit(2, requirements=apart), unit(3, requirements=apart), unit(4))
    assert [end.state["calls"] for end in done] == [1, 1, 2, 1]
    assert seen.read_text().count("auria_bot.execution.worker_main") == 1


def test_a_function_that_cannot_be_imported_ends_the_session(tmp_path: Path) -> None:
    """No other worker could either; the message quotes what it said."""
    with pytest.raises(StepCrashed, match=r"(?s)exit code 1; its log ends with: .*No module named 'tests.nowhere'"):
        run(
            tmp_path,
            WorkUnit(name="a", order=(0,), function="tests.nowhere:X", request={}, state={}, group="01", deadline=60.0),
        )


def test_a_worker_does_not_outlive_its_parent(tmp_path: Path) -> None:
    """When the parent is killed, the worker ends and its lock is released."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom tests.unit.execution.test_local import run, unit\n"
        "run(Path(sys.argv[1]), unit(1, 'hang'), listener=lambda event: print('started', flush=True))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "started\n"
    (child,) = children(parent.pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 120.0
    while time.monotonic() < until and is_alive(child):
        time.sleep(0.02)
    assert not is_alive(child)
    assert run(tmp_path, unit(2))[0].failure is None


def test_an_interrupted_parent_takes_its_worker_along(tmp_path: Path) -> None:
    """Ctrl-C ends the worker at once and is not swallowed."""
    pids: list[int] = []
    before = children()  # what other tests of this process left running

    def interrupt(event: UnitEvent) -> None:
        pids.extend(pid for pid in children() if pid not in before)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, unit(1, "hang"), listener=interrupt)
    assert pids
    assert not any(is_alive(pid) for pid in pids)


def _kill_new_children(before: list[int]) -> None:
    for pid in children():
        if pid not in before:
            os.kill(pid, signal.SIGKILL)


def test_a_worker_killed_from_outside_is_reported(tmp_path: Path) -> None:
    """SIGKILL comes from the system when memory is short, and that is what the message says."""
    before = children()

    def kill(event: UnitEvent) -> None:
        if isinstance(event, UnitStarted):
            _kill_new_children(before)

    (end,) = run(tmp_path, unit(1, "hang"), listener=kill)
    assert end.failure is not None
    assert end.failure.error == "StepOutOfMemory"
    assert "SIGKILL" in end.failure.message


def test_a_worker_that_is_lost_between_units_costs_none(tmp_path: Path) -> None:
    """The next unit gets a new one."""
    before = children()

    def kill(event: UnitEvent) -> None:
        if isinstance(event, UnitFinished) and event.unit.name == "01-unit":
            _kill_new_children(before)

    first, second = run(tmp_path, unit(1), unit(2), listener=kill)
    assert second.failure is None
    assert first.state["pid"] != second.state["pid"]


def test_a_worker_that_does_nothing_is_not_started_for_ever(tmp_path: Path) -> None:
    """It ended well and sent nothing."""
    idle = tmp_path / "idle"
    idle.write_text("#!/bin/sh\nexit 0\n")
    idle.chmod(0o755)
    with pytest.raises(StepCrashed, match="the worker process ended with exit code 0"):
        run(tmp_path, unit(1), python=str(idle))


def test_a_worker_that_cannot_be_started_is_an_error_of_the_disk(tmp_path: Path) -> None:
    """The program's own interpreter is gone."""
    with pytest.raises(DiskError, match="cannot be started"):
        run(tmp_path, unit(1), python=str(tmp_path / "gone"))


def test_a_worker_that_stops_sending_and_stays_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given a moment to end, and then it is made to."""
    monkeypatch.setattr(unit_child, "PATIENCE", 0.2)
    deaf = tmp_path / "deaf"
    code = "import os, time; os.closerange(3, 4096); time.sleep(600)"
    deaf.write_text(f"#!/bin/sh\nexec {quote(sys.executable)} -c '{code}'\n")
    deaf.chmod(0o755)
    with pytest.raises(StepTimedOut, match=r"did not end within 0\.2 s"):
        run(tmp_path, unit(1), python=str(deaf))


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """No more is said than by a unit that printed nothing."""
    assert log_tail(local._content(tmp_path / "none.log")) == ""


def test_a_unit_shows_how_far_it_is(tmp_path: Path) -> None:
    """Facts and files arrive before its end, in order."""
    events: list[UnitEvent] = []
    run(tmp_path, unit(1, "report"), listener=events.append)
    shown = [event for event in events if isinstance(event, UnitProgress)]
    assert [dict(event.facts) for event in shown] == [{"layer": 1}, {"layer": 2}]
    assert [event.files["layer"].name for event in shown] == ["1.bin", "2.bin"]
    assert isinstance(events[-1], UnitFinished)
