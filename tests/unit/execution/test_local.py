"""Child processes under watch: every way in which a step can go wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import BackendMissing, DiskError, StepCrashed, StepOutOfMemory
from auria_bot.execution import local
from auria_bot.execution.local import ChildProcessExecutor, ResourceLimits
from tests.unit.services.studio.test_step_runner import begin

if TYPE_CHECKING:
    from auria_bot.services.studio.step_runner import Progress

RULES = ResourceLimits(deadline=20.0, start=60.0, memory=600 << 20)


def test_a_batch_is_made_in_one_child(tmp_path: Path) -> None:
    """The parent hears of every step, and learns how large the child grew."""
    told: list[Progress] = []
    with begin(tmp_path, count=2) as run:
        peak = ChildProcessExecutor(RULES).carry(run, tell=told.append)
        assert all(state.finished for state in run.states())
    assert 5 << 20 < peak < 400 << 20
    assert [event.state for event in told].count("done") == 16


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("crash", "StepCrashed", "exit code 3; it said: the fake was told to crash"),
        ("segfault", "StepCrashed", "SIGSEGV"),
        ("memory", "StepOutOfMemory", "the limit is 200 MB"),
        ("hang", "StepTimedOut", "the deadline is 1.5 s"),
    ],
)
def test_a_bad_step_costs_its_own_sketch_only(tmp_path: Path, fault: str, error: str, words: str) -> None:
    """Crash, memory and deadline are told apart, with the step's own log; the others go on in a fresh child."""
    rules = ResourceLimits(deadline=20.0, deadlines={"enlarge": 1.5} if fault == "hang" else {}, memory=200 << 20)
    with begin(tmp_path, count=3, options={"enlarger": {"faults": {"/02/": fault}}}) as run:
        ChildProcessExecutor(rules).carry(run, tell=lambda _: None)
        one, two, three = run.states()
    assert one.finished
    assert three.finished
    assert two.failure is not None
    assert (two.failure.step, two.failure.error) == ("enlarge", error)
    assert words in two.failure.message
    assert two.failure.log.endswith("logs/02-enlarge.log")
    assert Path(two.failure.log).is_file()


def test_a_native_crash_leaves_its_trace_in_the_steps_log(tmp_path: Path) -> None:
    """Also what is written below Python, by a dying process, lands in the step's own log."""
    with begin(tmp_path, options={"captioner": {"faults": {"": "segfault"}}}) as run:
        ChildProcessExecutor(RULES).carry(run, tell=lambda _: None)
        log = run.log(1, "caption").read_text()
    assert "Segmentation fault" in log
    assert "describe" in log


def test_an_interpreter_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says which steps wanted it."""
    with begin(tmp_path) as run:
        tool = run.plan.tools["painter"]
        object.__setattr__(tool, "python", "/no/such/python")
        with pytest.raises(BackendMissing, match="/no/such/python of steps painting"):
            ChildProcessExecutor(RULES).carry(run, tell=lambda _: None)


def test_a_step_may_run_in_another_interpreter(tmp_path: Path) -> None:
    """Its steps run there, all others here, and the artwork is finished."""
    seen = tmp_path / "seen"
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\necho "$@" >> {seen}\nPYTHONPATH={Path.cwd()} exec {sys.executable} "$@"\n')
    other.chmod(0o755)
    with begin(tmp_path / "studio", count=2) as run:
        object.__setattr__(run.plan.tools["captioner"], "python", str(other))
        (run.folder / "plan.json").write_text(json.dumps(run.plan.to_json()))
        ChildProcessExecutor(RULES).carry(run, tell=lambda _: None)
        assert all(state.finished for state in run.states())
    assert [line.split("--steps ")[1].split()[0] for line in seen.read_text().splitlines()] == ["caption"]


def test_a_child_that_cannot_start_is_reported_with_what_it_said(tmp_path: Path) -> None:
    """There is no endless row of children."""
    with begin(tmp_path) as run:
        (run.folder / "plan.json").write_text("{}")
        with pytest.raises(StepCrashed, match=r"(?s)exit code 1; it said: .*format None"):
            ChildProcessExecutor(RULES).carry(run, tell=lambda _: None)


def test_a_child_does_not_outlive_its_parent(tmp_path: Path) -> None:
    """The parent is killed without a chance to tidy up; the child vanishes, and with it the run's lock."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom auria_bot.execution.local import ChildProcessExecutor, ResourceLimits\n"
        "from tests.unit.services.studio.test_step_runner import begin\n"
        "run = begin(Path(sys.argv[1]), options={'painter': {'faults': {'': 'hang'}}})\n"
        "ChildProcessExecutor(ResourceLimits()).carry(run, tell=lambda event: print(event.step, event.state, flush=True))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    while parent.stdout.readline().split() != ["painting", "started"]:
        pass
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    assert len(children) == 1
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 120.0
    while time.monotonic() < until and _alive(int(children[0])):
        time.sleep(0.02)
    assert not _alive(int(children[0]))
    from auria_bot.services.studio.run_store import RunStore

    RunStore(tmp_path).open("run", wait=1.0).close()


def test_an_interrupted_parent_takes_its_child_along(tmp_path: Path) -> None:
    """Ctrl-C ends the child at once and is not swallowed."""
    pids: list[int] = []
    before = _children()  # what other tests of this process left running

    def interrupt(event: Progress) -> None:
        if event.state == "started" and event.step == "painting":
            pids.extend(int(pid) for pid in _children() if pid not in before)
            raise KeyboardInterrupt

    with begin(tmp_path, options={"painter": {"faults": {"": "hang"}}}) as run, pytest.raises(KeyboardInterrupt):
        ChildProcessExecutor(RULES).carry(run, tell=interrupt)
    assert pids
    assert not any(_alive(pid) for pid in pids)


def test_a_child_killed_from_outside_is_reported(tmp_path: Path) -> None:
    """SIGKILL comes from the system when memory is short, and that is what the message says."""
    before = _children()

    def kill(event: Progress) -> None:
        if event.state == "started" and event.step == "painting":
            for pid in _children():
                if pid not in before:
                    os.kill(int(pid), signal.SIGKILL)

    with begin(tmp_path, options={"painter": {"seconds": 5.0}}) as run:
        ChildProcessExecutor(RULES).carry(run, tell=kill)
        failure = run.load(1).failure
    assert failure is not None
    assert failure.error == StepOutOfMemory.__name__
    assert "SIGKILL" in failure.message


def test_no_settings_reach_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's settings may hold passwords, which no model has a use for."""
    from auria_bot.execution.local import _environment

    monkeypatch.setenv("AURIA_DATABASE__URL", "postgresql://u:secret@h/d")
    assert not any("AURIA_" in name for name in _environment(own=True))


def _children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_does_nothing_is_not_started_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ended well, told nothing and changed nothing."""
    idle = tmp_path / "idle"
    idle.write_text("#!/bin/sh\nexit 0\n")
    idle.chmod(0o755)
    with begin(tmp_path / "studio") as run, pytest.raises(StepCrashed, match="did nothing"):
        ChildProcessExecutor(RULES, python=str(idle)).carry(run, tell=lambda _: None)


def test_a_child_that_cannot_be_started_is_the_disks_fault(tmp_path: Path) -> None:
    """The program's own interpreter is gone."""
    with begin(tmp_path / "studio") as run, pytest.raises(DiskError, match="cannot be started"):
        ChildProcessExecutor(RULES, python=str(tmp_path / "gone")).carry(run, tell=lambda _: None)


def test_a_child_that_closes_its_ears_and_stays_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given a moment to end, and then it is made to."""
    monkeypatch.setattr(local, "PATIENCE", 0.2)
    deaf = tmp_path / "deaf"
    deaf.write_text(f"#!{sys.executable}\nimport os, time\nos.closerange(3, 256)\ntime.sleep(30)\n")
    deaf.chmod(0o755)
    with begin(tmp_path / "studio") as run, pytest.raises(StepCrashed, match="did nothing"):
        ChildProcessExecutor(RULES, python=str(deaf)).carry(run, tell=lambda _: None)


def test_a_log_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    """No more than a step that wrote none."""
    assert local._tail(tmp_path / "none.log") == ""
