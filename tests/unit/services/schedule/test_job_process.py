"""A worker runs a slot's commands one after the other, and never outlives whoever began it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auria_bot.domain.job_schedule import JobRun, JobRunState, ScheduledTime
from auria_bot.services.schedule.job_process import JobProcess
from auria_bot.services.schedule.jobs import JobOutcome, JobPlan, JobResult
from tests.factories import NOW

CLAIM = JobRun(
    slot=ScheduledTime(job="publish x/y", name="2026-11-21T09:00", due=NOW), state=JobRunState.RUNNING, tries=1
)
SEND = "import json, os, sys; fd = int(os.environ['SUPERVISED_BY'].split(':')[2]); "
SEND += "report = lambda **message: os.write(fd, json.dumps(message).encode() + b'\\n')\n"
REPORT = SEND + "args = sys.argv[1:]; report(summary=' '.join(args)); print('log of', *args, file=sys.stderr)"


def process(folder: Path, script: str, *commands: str, deadline: float = 20.0) -> JobProcess:
    """A worker whose program is a script; it gets a command."""
    plan = JobPlan(commands=tuple((command,) for command in commands), reason="nothing to do")
    return JobProcess(CLAIM, plan, folder=folder, deadline=deadline, program=(sys.executable, "-S", "-E", "-c", script))


def ended(one: JobProcess) -> JobResult:
    """Its result in the end."""
    until = time.monotonic() + 60
    while (result := one.poll()) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    return result


def done(summary: str) -> JobResult:
    """The result of a run that went well."""
    return JobResult(outcome=JobOutcome.DONE, summary=summary)


def failed(summary: str) -> JobResult:
    """The result of a run that failed."""
    return JobResult(outcome=JobOutcome.FAILED, summary=summary)


def test_commands_run_one_after_the_other(tmp_path: Path):
    """The last one's words are kept, and that there were others; what it said lies in the job's log."""
    script = REPORT + f"; open({str(tmp_path / 'ran')!r}, 'a').write(args[0])"
    assert ended(process(tmp_path / "logs", script, "a", "b")) == done("b (the last of 2)")
    assert (tmp_path / "ran").read_text() == "ab"
    assert (tmp_path / "logs" / "publish-x-y.log").read_text() == "log of b\n"


def test_without_commands_there_is_nothing_to_do(tmp_path: Path):
    """The errand's own words say why."""
    assert process(tmp_path, REPORT).poll() == done("nothing to do")


@pytest.mark.parametrize(
    ("script", "summary"),
    [
        (
            "report(summary='tried'); report(error='the platform is away\\n\\nand so on'); sys.exit(11)",
            "the platform is away; and so on",
        ),
        ("report(summary='tried'); sys.exit(7)", "ended with exit code 7; see {log}"),
        ("os.kill(os.getpid(), 9)", "was ended by SIGKILL; see {log}"),
        (
            "os.write(fd, b'no\\n'); sys.exit(1)",
            "the command's report cannot be read: Expecting value: line 1 column 1 (char 0)",
        ),
    ],
)
def test_a_failure_is_reported(tmp_path: Path, script: str, summary: str):
    """By the command's own error, else with its log; a command after it that goes well does not hide it."""
    expected = failed(summary.format(log=tmp_path / "publish-x-y.log"))
    assert ended(process(tmp_path, SEND + script, "a")) == expected
    script = f"{SEND}if sys.argv[1] == 'a':\n    exec({script!r})"
    assert ended(process(tmp_path, script, "a", "b")) == expected


def test_a_deadline_holds(tmp_path: Path):
    """What takes too long is ended, and no further command begun."""
    one = process(tmp_path, "import time; time.sleep(60)", "a", "b", deadline=0.2)
    assert ended(one) == failed("took longer than 0.2 s and was stopped")


def test_what_is_at_work_can_be_ended(tmp_path: Path):
    """It is asked first, so that it can finish in order; where it does not, it is killed. Twice does no harm."""
    done = tmp_path / "done"
    polite = (
        "import signal, sys, time, pathlib\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(done)!r}).touch(), sys.exit(0)))\n"
        f"pathlib.Path({str(tmp_path / 'ready')!r}).touch()\ntime.sleep(60)"
    )
    one = process(tmp_path, polite, "a")
    one.poll()
    until = time.monotonic() + 120
    while not (tmp_path / "ready").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    one.stop(patience=10)
    one.stop()
    assert done.exists()


def test_a_plan_may_be_postponed(tmp_path: Path):
    """The run is then neither done nor failed."""
    one = JobProcess(CLAIM, JobPlan(reason="the disk is full", postponed=True), folder=tmp_path, deadline=1)
    assert one.poll() == JobResult(outcome=JobOutcome.POSTPONED, summary="the disk is full")


def test_a_summary_fits_into_any_database(tmp_path: Path):
    """PostgreSQL takes no zero byte; what is too long is cut."""
    assert ended(process(tmp_path, SEND + "report(summary='\\0\\x1b[31mno\\tway\\0')", "a")) == done("[31mno way")
    assert ended(process(tmp_path, SEND + "report(summary='x' * 100_000)", "a")) == done("x" * 500)


def test_what_goes_on_from_before_does_not_write_into_the_next_log(tmp_path: Path):
    """A process that a command left behind keeps the file it had."""
    left = "import subprocess, sys, time\nif sys.argv[1] == 'a':\n    sys.stderr.write('begun\\n' * 100); sys.stderr.flush()\n"
    left += "    subprocess.Popen([sys.executable, '-S', '-E', '-c', 'import sys, time; time.sleep(0.3); print(9, file=sys.stderr)'])\n"
    left += "else:\n    print('told', file=sys.stderr, flush=True); time.sleep(0.6)"
    assert ended(process(tmp_path, left, "a", "b")) == done("")
    assert (tmp_path / "publish-x-y.log").read_bytes() == b"told\n"


def test_without_a_log_the_work_is_done(tmp_path: Path):
    """A file in the folder's place keeps no post from going out."""
    (tmp_path / "logs").write_text("")
    mark = tmp_path / "mark"
    one = process(tmp_path / "logs", f"open({str(mark)!r}, 'w')", "a")
    assert ended(one) == done("")
    assert mark.exists()


def test_a_full_disk_of_logs_undoes_nothing():
    """A command that cannot say what it did has done it all the same."""
    script = "from auria_bot.cli.terminal.console import note; note('1 published')"
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        assert subprocess.run([sys.executable, "-c", script], stderr=full, env=usual, check=False).returncode == 0


def test_what_cannot_be_started_is_told(tmp_path: Path):
    """A program that is not there is a failure of the slot, not of the daemon."""
    plan = JobPlan(commands=(("a",),))
    one = JobProcess(CLAIM, plan, folder=tmp_path, deadline=1, program=(str(tmp_path / "none"),))
    assert one.poll() == failed("no process can be started: No such file or directory")


def test_a_worker_dies_with_its_daemon(tmp_path: Path):
    """Also when the daemon is killed and can tell nobody."""
    inner = (
        "import os, sys\nsys.path.insert(0, os.getcwd())\nfrom auria_bot.execution.parent_watch import watch_parent\nwatch_parent()\n"
        f"import pathlib, time; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    outer = (
        "import sys, time\nfrom pathlib import Path\nfrom tests.unit.services.schedule.test_job_process import process\n"
        f"one = process(Path({str(tmp_path)!r}), {inner!r}, 'a')\none.poll()\ntime.sleep(60)"
    )
    daemon = subprocess.Popen([sys.executable, "-c", outer], start_new_session=True)
    pid, until = tmp_path / "pid", time.monotonic() + 120
    while not (pid.exists() and pid.read_text()):
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait()
    while _lives(int(pid.read_text())):
        assert time.monotonic() < until
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
