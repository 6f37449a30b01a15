"""A worker that is started ahead: who takes it, when it ends, and that nothing that goes wrong is lost."""

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

from auria_bot.errors import DiskError, StepCrashed, StepTimedOut
from auria_bot.execution import local
from auria_bot.execution.local import ChildProcessExecutor, ResourceLimits
from auria_bot.execution.work_unit import Requirements, UnitFinished, WorkUnit
from auria_bot.files import file_lock
from tests.processes import is_alive

if TYPE_CHECKING:
    from collections.abc import Mapping

FUNCTION = "tests.unit.execution.actions:ActionsAhead"
PATIENCE = 120.0  # seconds


def unit(number: int, **changes: Any) -> WorkUnit:
    """A unit that does nothing."""
    values: dict[str, Any] = {"function": FUNCTION, "state": {}, **changes}
    return WorkUnit(name=f"{number:02d}-unit", order=(number,), request={}, group="01", deadline=60.0, **values)


def executor(*, start: float = PATIENCE, python: str = sys.executable) -> ChildProcessExecutor:
    """An executor whose workers may take that long to begin."""
    return ChildProcessExecutor(ResourceLimits(start=start), python=python)


def run(chosen: ChildProcessExecutor, folder: Path, *units: WorkUnit) -> list[Mapping[str, Any]]:
    """Run units in a session; what they say of themselves."""
    (folder / "01").mkdir(exist_ok=True)
    with chosen.open(folder, {}) as session:
        for each in units:
            session.submit(each)
        ends = [event for event in session.events() if isinstance(event, UnitFinished)]
    assert [end.failure for end in ends] == [None] * len(units)
    return [end.state for end in ends]


def pid_in(begun: Path) -> int:
    """The process that began to import."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if begun.exists() and (text := begun.read_text()):
            return int(text)
        time.sleep(0.01)
    raise AssertionError("nothing was imported ahead")


def test_the_session_takes_the_worker_that_was_started_ahead(tmp_path: Path) -> None:
    """It has imported the function, performs every unit, and ends with the session; a second session has its own."""
    chosen, begun = executor(), tmp_path / "begun"
    with chosen.start_ahead(FUNCTION, {"begun": str(begun)}):
        pid = pid_in(begun)
        done = run(chosen, tmp_path, unit(1), unit(2))
        assert not is_alive(pid)
        (again,) = run(chosen, tmp_path, unit(3))
    assert [(state["pid"], state["calls"]) for state in done] == [(pid, 1), (pid, 2)]
    assert again["pid"] != pid
    assert "is performed" in (tmp_path / "logs" / "02-unit.log").read_text()


def test_a_worker_that_nobody_takes_ends_with_the_block(tmp_path: Path) -> None:
    """Also when the block is left by Ctrl-C, and while it still imports."""
    begun, pids = tmp_path / "begun", list[int]()

    def interrupt() -> None:
        with executor().start_ahead(FUNCTION, {"begun": str(begun), "until": str(tmp_path / "never")}):
            pids.append(pid_in(begun))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert not is_alive(pids[0])


def test_a_unit_of_another_interpreter_ends_it(tmp_path: Path) -> None:
    """One worker runs at a time, as always."""
    chosen, begun, other = executor(), tmp_path / "begun", tmp_path / "python"
    other.write_text(f'#!/bin/sh\nPYTHONPATH={quote(str(Path.cwd()))} exec {quote(sys.executable)} "$@"\n')
    other.chmod(0o755)
    with chosen.start_ahead(FUNCTION, {"begun": str(begun)}):
        pid = pid_in(begun)
        done = run(chosen, tmp_path, unit(1, requirements=Requirements(interpreter=str(other))), unit(2))
        assert not is_alive(pid)
    assert [state["calls"] for state in done] == [1, 1]
    assert pid not in {state["pid"] for state in done}


def test_one_that_was_killed_before_it_was_taken_is_made_up_for(tmp_path: Path) -> None:
    """Nobody waited for it yet."""
    chosen, begun = executor(), tmp_path / "begun"
    with chosen.start_ahead(FUNCTION, {"begun": str(begun)}):
        os.kill(pid := pid_in(begun), signal.SIGKILL)
        assert chosen._ahead is not None
        assert chosen._ahead.child.wait(PATIENCE) is not None
        (state,) = run(chosen, tmp_path, unit(1))
    assert state["pid"] != pid


def test_a_worker_that_cannot_be_started_is_told_by_the_session(tmp_path: Path) -> None:
    """Ahead it is no error."""
    chosen = executor(python=str(tmp_path / "gone"))
    with chosen.start_ahead(FUNCTION, {}), pytest.raises(DiskError, match="cannot be started"):
        run(chosen, tmp_path, unit(1))


def test_a_function_that_cannot_be_imported_is_told_by_the_session(tmp_path: Path) -> None:
    """With what the import said, whichever worker said it."""
    chosen, function = executor(), "tests.nowhere:X"
    with (
        chosen.start_ahead(function, {}),
        pytest.raises(StepCrashed, match=r"(?s)exit code 1; its log ends with: .*No module named 'tests.nowhere'"),
    ):
        run(chosen, tmp_path, unit(1, function=function))


def test_what_it_printed_before_it_knew_the_folder_reaches_the_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies once it is taken, before it reads which folder it has."""
    chosen, taken = executor(), tmp_path / "taken"

    def send_unit(*_: object) -> None:
        taken.touch()

    monkeypatch.setattr(local._Worker, "send_unit", send_unit)
    hint = {"print": "said early", "until": str(taken), "exit": 3}
    with (
        chosen.start_ahead(FUNCTION, hint),
        pytest.raises(StepCrashed, match="the worker process ended with exit code 3; its log ends with: said early"),
    ):
        run(chosen, tmp_path, unit(1))


def test_its_log_moves_into_the_folder(tmp_path: Path) -> None:
    """What it printed before and what it prints afterwards: here that the folder's lock cannot be opened."""
    (tmp_path / "worker.lock").mkdir()
    chosen = executor()
    with (
        chosen.start_ahead(FUNCTION, {"print": "said early"}),
        pytest.raises(StepCrashed, match=r"(?s)said early.*worker\.lock"),
    ):
        run(chosen, tmp_path, unit(1))
    log = (tmp_path / "logs" / "worker.log").read_text()
    assert (log.count("said early"), "worker.lock" in log) == (1, True)


def test_it_waits_for_the_folders_lock(tmp_path: Path) -> None:
    """No worker writes beside another one, and none is waited for longer than it may take to begin."""
    chosen = executor(start=1.0)
    with (
        file_lock(tmp_path / "worker.lock"),
        chosen.start_ahead(FUNCTION, {"begun": str(tmp_path / "begun")}),
    ):
        pid = pid_in(tmp_path / "begun")
        with pytest.raises(StepTimedOut, match="the deadline is 1 s"):
            run(chosen, tmp_path, unit(1))
        assert not is_alive(pid)


def test_it_does_not_outlive_its_parent(tmp_path: Path) -> None:
    """Nobody has taken it when the parent is killed."""
    begun = tmp_path / "begun"
    script = (
        "import sys, time\nfrom tests.unit.execution.test_worker_ahead import FUNCTION, executor\n"
        "with executor().start_ahead(FUNCTION, {'begun': sys.argv[1]}):\n    time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(begun)])
    pid = pid_in(begun)
    parent.kill()
    parent.wait()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and is_alive(pid):
        time.sleep(0.01)
    assert not is_alive(pid)
