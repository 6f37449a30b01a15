"""A job's commands follow from how things stand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.artwork import VISITOR
from auria_bot.domain.job_schedule import PUBLISH, JobRun, JobRunState, JobSchedule, ScheduledTime, times
from auria_bot.services.operations.maintenance import DiskSpace
from auria_bot.services.publishing.reconciliation import RESTORE
from auria_bot.services.schedule.jobs import JobOutcome, JobPlan, JobPlanner, JobProcess, JobResult, per_day
from tests.factories import NOW, add_draft, artwork
from tests.publishing import approved

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeChannel, FakeClock


DUE = datetime(2026, 11, 21, 9, tzinfo=UTC)


def planner(application: Application, clock: FakeClock, **changes) -> JobPlanner:
    """Three drafts ahead, one a day."""
    values = {"unfinished": lambda: (), "per_day": 1, "ahead": 3, "low": 2, **changes}
    return JobPlanner(store=application.store, clock=clock, **values)


def claim(job: str, tries: int = 1) -> JobRun:
    """The scheduled run of nine o'clock."""
    return JobRun(slot=ScheduledTime(job=job, name="2026-11-21T09:00", due=DUE), state=JobRunState.RUNNING, tries=tries)


def test_what_is_missing_is_made(application: Application, clock: FakeClock) -> None:
    """And nothing more; a run that was broken off is gone on with once."""
    one = planner(application, clock, unfinished=lambda: ("run-1",))
    for_a_day = ("make", "--count", "1", "--season", "now")
    assert one.plan(claim("make")).commands == (for_a_day,) * 3
    assert one.plan(claim("make", 2)).commands == (("make", "--resume"),)
    assert one.plan(claim("make", 3)).commands == (for_a_day,) * 3
    two = planner(application, clock, per_day=2, ahead=3)
    assert [command[2] for command in two.plan(claim("make", 2)).commands] == ["2", "2", "2"]
    for number in (1, 2):
        with application.store.begin() as unit:
            add_draft(unit, number + 10)
        approved(application, number)
        stock = one.inventory()
        assert (stock.made, stock.approved, stock.is_low) == (number, number, number < 2)
    assert one.plan(claim("make")).reason == "enough drafts are ready"


def test_a_full_disk_holds_back_what_writes_much(application: Application, clock: FakeClock) -> None:
    """Not what posts: that needs no room to speak of."""
    one = planner(
        application, clock, disk_space=lambda: DiskSpace(free=50_000_000, total=10**9, filling=True, full=True)
    )
    for job in ("make", "refresh", "backup"):
        plan = one.plan(claim(job))
        assert (plan.postponed, plan.commands) == (True, ())
        assert plan.reason == "postponed: only 50 MB are free on the disk"
    assert one.plan(claim("measure")).commands == (("measure", "--json"),)
    roomy = planner(
        application, clock, disk_space=lambda: DiskSpace(free=10**9, total=10**9, filling=False, full=False)
    )
    assert len(roomy.plan(claim("make")).commands) == 3


def test_drafts_that_nobody_decided_on_are_approved(application: Application, clock: FakeClock) -> None:
    """After their time, one by one, and only where the operator wants it."""
    with application.store.begin() as unit:
        for number in (1, 2):
            add_draft(unit, number, made_at=clock())
    assert planner(application, clock).plan(claim("approve")).commands == ()
    one = planner(application, clock, approve_after=timedelta(hours=12))
    assert one.plan(claim("approve")).reason == "no draft waited long enough"
    clock.advance(hours=12)
    assert one.plan(claim("approve")).commands == (("approve", "1"), ("approve", "2"))


def test_what_a_visitor_offered_is_never_approved_by_itself(application: Application, clock: FakeClock) -> None:
    """Nor does the schedule count on it."""
    with application.store.begin() as unit:
        unit.drafts.add(artwork(1, origin=VISITOR), folder="run-1", picture_sha256="0" * 64, made_at=clock())
    clock.advance(hours=13)
    one = planner(application, clock, approve_after=timedelta(hours=12))
    assert one.plan(claim("approve")).reason == "no draft waited long enough"
    assert one.inventory().made == 0


def test_what_a_backup_brought_back_is_not_approved_by_itself(application: Application, clock: FakeClock) -> None:
    """It may have gone out after the backup was made; what is made later is."""
    with application.store.begin() as unit:
        add_draft(unit, 1, made_at=clock())
        unit.journal.note(RESTORE, at=clock())
    clock.advance(hours=1)
    with application.store.begin() as unit:
        add_draft(unit, 2, made_at=clock())
    clock.advance(hours=13)
    assert planner(application, clock, approve_after=timedelta(hours=12)).plan(claim("approve")).commands == (
        ("approve", "2"),
    )


def test_a_post_for_each_slot(application: Application, clock: FakeClock, channel: FakeChannel) -> None:
    """The oldest approved draft that is meant for the channel, or the post that waits there already."""
    job, one = f"{PUBLISH}fake", planner(application, clock)
    assert one.plan(claim(job)).reason == "nothing is approved"
    approved(application, 1, channels=("folder",))
    assert one.plan(claim(job)).reason == "nothing is approved"
    for number in (2, 3):
        approved(application, number)
    (command,) = one.plan(claim(job)).commands
    assert command == (
        "publish",
        "2",
        "--channel",
        "fake",
        "--once",
        "--since",
        "2026-11-21T09:00:00.000000+0000",
        "--json",
    )
    application.publisher.publish([2, 3], limit=1)
    assert one.plan(claim(job)).commands[0][1] == "3"
    assert one.inventory().approved == 2
    application.publisher.pause("fake", reason="a holiday")
    assert one.plan(claim(job)).reason == "fake is paused: a holiday"


def test_a_post_that_may_be_out_holds_up_its_own_slot_only(
    application: Application, clock: FakeClock, channel: FakeChannel
) -> None:
    """The run's command looks it up; the next day's continues with the next draft."""
    for number in (1, 2):
        approved(application, number)
    channel.plan("late")
    assert planner(application, clock).plan(claim("reconcile")).reason == "the outcome of every post is known"
    application.publisher.publish([1])
    assert planner(application, clock).plan(claim("reconcile")).commands == (("publish", "--look-up", "--json"),)
    assert planner(application, clock).plan(claim(f"{PUBLISH}fake")).commands[0][1] == "1"
    tomorrow = claim(f"{PUBLISH}fake").evolve(
        slot=ScheduledTime(job=f"{PUBLISH}fake", name="", due=DUE + timedelta(days=1))
    )
    assert planner(application, clock).plan(tomorrow).commands[0][1] == "2"


def test_a_post_with_its_own_time_is_published_at_it(application: Application, clock: FakeClock) -> None:
    """By the frequent job, soon after that time; the slot of its channel takes another draft until then."""
    approved(application, 1)
    application.post_creator.schedule()
    application.publisher.decisions.set_time(1, clock() + timedelta(hours=1))
    approved(application, 2)
    one = planner(application, clock)
    assert one.plan(claim("reconcile")).commands == ()
    assert one.plan(claim(f"{PUBLISH}fake")).commands[0][:2] == ("publish", "2")
    clock.advance(hours=1)
    assert one.plan(claim("reconcile")).commands == (("publish", "1", "--channel", "fake", "--json"),)


def test_a_worker_that_died_holds_up_its_own_slot_only(application: Application, clock: FakeClock) -> None:
    """The slot's command waits for the post's lease; the next slot goes on with the next draft meanwhile."""
    for number in (1, 2):
        approved(application, number)
    application.post_creator.schedule([1])
    with application.store.begin() as unit:
        unit.posts.claim(now=clock(), lease=timedelta(minutes=15), channels=("fake",))
    its_own, next_one = (
        claim(f"{PUBLISH}fake").evolve(started_at=clock() + timedelta(seconds=seconds)) for seconds in (-1, 1)
    )
    assert planner(application, clock).plan(its_own).commands[0][1] == "1"
    assert planner(application, clock).plan(next_one).commands[0][1] == "2"


def test_the_other_jobs_are_single_commands(application: Application, clock: FakeClock) -> None:
    """Further jobs are configured by name; an unknown one does nothing."""
    one = planner(application, clock, more={"tidy": ("db", "tidy")})
    assert one.plan(claim("measure")).commands == (("measure", "--json"),)
    assert one.plan(claim("refresh")).commands == (("corpus", "refresh", "--json"),)
    assert one.plan(claim("tidy")).commands == (("db", "tidy"),)
    assert one.plan(claim("dance")).reason == "there is no such job any more"


def test_what_a_day_uses_up() -> None:
    """The channel that posts most often says it; other jobs do not count."""
    daily = JobSchedule(job=f"{PUBLISH}x", at=times(("18:00",)))
    often = JobSchedule(job=f"{PUBLISH}bluesky", at=times(("9:00", "18:00")), days=frozenset({5, 6}))
    assert per_day([]) == 1
    assert per_day([often]) == 1
    assert per_day([daily, often, JobSchedule(job="measure", at=times(("*:00",)))]) == 1
    assert per_day([JobSchedule(job=f"{PUBLISH}x", at=times(("9:00", "18:00")))]) == 2


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
    """The summary holds the last command's message and that there were others; output goes to the job's log."""
    script = REPORT + f"; open({str(tmp_path / 'ran')!r}, 'a').write(args[0])"
    assert ended(process(tmp_path / "logs", script, "a", "b")) == done("b (the last of 2)")
    assert (tmp_path / "ran").read_text() == "ab"
    assert (tmp_path / "logs" / "publish-x-y.log").read_text() == "log of b\n"


def test_without_commands_there_is_nothing_to_do(tmp_path: Path):
    """The plan's message says why."""
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
    """A missing program fails the run, not the daemon."""
    plan = JobPlan(commands=(("a",),))
    one = JobProcess(CLAIM, plan, folder=tmp_path, deadline=1, program=(str(tmp_path / "none"),))
    assert one.poll() == failed("no process can be started: No such file or directory")


def test_a_worker_dies_with_its_daemon(tmp_path: Path):
    """A worker ends with its daemon, also when the daemon is killed."""
    inner = (
        "import os, sys\nsys.path.insert(0, os.getcwd())\nfrom auria_bot.execution.parent_watch import watch_parent\nwatch_parent()\n"
        f"import pathlib, time; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    outer = (
        "import sys, time\nfrom pathlib import Path\nfrom tests.unit.services.schedule.test_jobs import process\n"
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
