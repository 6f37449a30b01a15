"""The daemon begins what is due, once, and carries on whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot.daemon import Daemon, notify_service_manager
from auria_bot.domain.job_schedule import JobRunState
from auria_bot.errors import DatabaseUnreachable, InvalidTransition, SettingsError
from auria_bot.services.operations.monitoring import DATABASE, SETTINGS
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import DatabaseSettings, JobSettings, ScheduleSettings
from auria_bot.testing import FakeClock
from tests.applications import fake_application, fake_settings
from tests.factories import add_draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auria_bot.bootstrap.application import Application

NO_JOB = JobSettings()
QUIET = dict.fromkeys(("reconcile", "refresh", "make", "backup", "tidy", "digest"), NO_JOB)
HOURLY = ScheduleSettings(measure=JobSettings(at=("*:30",)), **QUIET)
SLEEP = (sys.executable, "-S", "-E", "-c", "import time; time.sleep(60)")
_REPORT = """
import json, os
os.write(int(os.environ["SUPERVISED_BY"].split(":")[2]), json.dumps({"summary": "counted"}).encode() + b"\\n")
"""
REPORT = (sys.executable, "-S", "-E", "-c", _REPORT)


@pytest.fixture
def clock() -> FakeClock:
    """Nine o'clock."""
    return FakeClock()


@pytest.fixture
def application(tmp_path: Path, clock: FakeClock) -> Iterator[Application]:
    """What the daemon's work comes to."""
    with closing(fake_application(tmp_path, clock=clock)) as opened:
        yield opened


@pytest.fixture
def made(application: Application, clock: FakeClock) -> Iterator[Callable[..., Daemon]]:
    """Makes daemons in the application's home, and ends them."""
    daemons: list[Daemon] = []

    def make(*, program=REPORT, schedule=HOURLY, load=None, holder="a", web=False) -> Daemon:
        settings = application.settings.model_copy(update={"schedule": schedule})
        daemons.append(Daemon(load=load or (lambda: settings), clock=clock, program=program, holder=holder, web=web))
        return daemons[-1]

    yield make
    for one in daemons:
        one._close()


def states(application: Application) -> list[tuple[str, JobRunState, str]]:
    """The state of each run, the first first."""
    return [
        (one.slot.name[11:], one.state, one.summary)
        for one in reversed(application.job_scheduler.history())
        if one.slot.job == "measure"
    ]


def until(daemon: Daemon, done: Callable[[], bool]) -> None:
    """Tick until something is so."""
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end
        daemon.dispatch()
        time.sleep(0.02)


def test_what_is_due_is_done_once(application: Application, clock: FakeClock, made):
    """In a process of its own; a second daemon waits meanwhile, and takes over when the first stops."""
    first, second = made(), made(holder="b")
    assert first.dispatch()
    assert first.leads
    assert second.dispatch()
    assert not second.leads
    clock.advance(minutes=31)
    until(
        first, lambda: bool(states(application)) and not first.running and states(application)[0][1] is JobRunState.DONE
    )
    assert states(application) == [("09:30", JobRunState.DONE, "counted")]
    first.stop()
    assert not first.dispatch()
    first._close()
    second.dispatch()
    assert second.leads
    assert states(application) == [("09:30", JobRunState.DONE, "counted")]


def test_a_deposed_daemon_drops_its_work(application: Application, clock: FakeClock, made):
    """The one that took over begins it again."""
    first, second = made(program=SLEEP), made(holder="b")
    first.dispatch()
    clock.advance(minutes=31)
    first.dispatch()
    (slot,) = first.running
    clock.advance(seconds=11)
    second.dispatch()
    assert second.leads
    first.dispatch()
    assert first.running == ()
    until(second, lambda: not second.running)
    assert states(application) == [(slot.name[11:], JobRunState.DONE, "counted")]


def test_what_is_under_way_may_finish(application: Application, clock: FakeClock, made):
    """Nothing new is begun; what takes too long is broken off and taken up again by the next daemon."""
    first = made(program=SLEEP)
    first.dispatch()
    clock.advance(minutes=31)
    first.dispatch()
    first.stop()
    assert first.dispatch()
    assert len(first.running) == 1
    first._stop_by = time.monotonic()
    assert not first.dispatch()
    first._close()
    assert states(application) == [("09:30", JobRunState.RETRY, "interrupted: the daemon was stopped")]
    second = made(holder="b")
    until(second, lambda: states(application)[0][1] is JobRunState.DONE)


def test_a_slot_that_ended_while_the_database_is_away_is_kept(
    application: Application, clock: FakeClock, made, monkeypatch, caplog
):
    """It is written down when the database is back; the trouble is told once."""
    one = made()
    one.dispatch()
    clock.advance(minutes=31)
    one.dispatch()
    scheduler = one._app.job_scheduler
    settle = scheduler.settle
    caplog.set_level("INFO", logger="auria_bot")

    def away(*_, **__):
        raise DatabaseUnreachable("the database is away")

    monkeypatch.setattr(scheduler, "settle", away)
    until(one, lambda: not one.running)
    one.dispatch()
    monkeypatch.setattr(scheduler, "settle", settle)
    one.dispatch()
    assert states(application) == [("09:30", JobRunState.DONE, "counted")]
    assert caplog.text.count("the database is away; nothing is started until this is over") == 1
    assert "The trouble is over" in caplog.text


def test_a_daemon_starts_without_a_database(tmp_path: Path, caplog):
    """And waits for it, without a word more than needed."""
    away = Settings(home=tmp_path, database=DatabaseSettings(url="postgresql://127.0.0.1:1/none"))
    one = Daemon(load=lambda: away)
    assert one.dispatch()
    assert one.dispatch()
    assert not one.leads
    assert caplog.text.count("cannot be reached") == 1
    assert "cannot be reached" in one._outages()[DATABASE]
    one._close()


def test_of_two_daemons_only_the_leader_tells_of_a_standstill(made, monkeypatch):
    """Of two daemons without a database only the last known leader sends the alert."""
    first, second = made(), made(holder="b")

    def away(*_, **__):
        raise DatabaseUnreachable("the database is away")

    for one in (first, second):
        one.dispatch()
        monkeypatch.setattr(one._election, "heartbeat", away)
        one.dispatch()
    assert first._outages() == {DATABASE: "the database is away; nothing is started until this is over"}
    assert second._outages() == {}
    monkeypatch.undo()
    first.dispatch()
    assert first._outages() == {}


def test_settings_are_read_again(application: Application, clock: FakeClock, made, caplog):
    """Wrong ones are refused and the old ones stay; good ones hold from the next tick on."""
    other = ScheduleSettings(measure=JobSettings(at=("*:45",)), **QUIET)
    new = application.settings.model_copy(update={"schedule": other})
    answers: list[Settings | SettingsError] = [
        application.settings.model_copy(update={"schedule": HOURLY}),
        SettingsError("studio.count is wrong"),
        new,
    ]

    def load() -> Settings:
        answer = answers.pop(0)
        if isinstance(answer, SettingsError):
            raise answer
        return answer

    one = made(load=load)
    one.dispatch()
    lease = one._election.lease
    one.reload()
    one.dispatch()
    assert "the old ones stay in use: studio.count is wrong" in caplog.text
    assert one._outages() == {SETTINGS: "studio.count is wrong"}
    assert one._app.settings.schedule == HOURLY
    one.reload()
    one.dispatch()
    assert one._outages() == {}
    assert one._app.settings.schedule == other
    assert one._election.lease.fencing == lease.fencing
    clock.advance(minutes=40)
    one.dispatch()
    assert not one.running


def test_another_database_is_another_lease(application: Application, clock: FakeClock, made, tmp_path: Path):
    """That of the old one is let go."""
    moved = application.settings.model_copy(
        update={"database": DatabaseSettings(url="sqlite:///other.db"), "schedule": HOURLY}
    )
    answers = [application.settings.model_copy(update={"schedule": HOURLY}), moved]
    one, second = made(load=lambda: answers.pop(0)), made(holder="b")
    one.dispatch()
    one.reload()
    one.dispatch()
    assert one.leads
    assert (tmp_path / "other.db").exists()
    second.dispatch()
    assert second.leads


def test_once_does_what_is_due_and_comes_back(application: Application, clock: FakeClock, made):
    """It does not run beside a daemon."""
    made().once()
    clock.advance(minutes=31)
    made().once()
    assert states(application) == [("09:30", JobRunState.DONE, "counted")]
    made(holder="b").dispatch()
    with pytest.raises(InvalidTransition, match="another daemon is running: b"):
        made().once()


def test_three_days_off(application: Application, clock: FakeClock, made):
    """Each job is made up for at most once, as its policy says."""
    jobs = {
        "make": JobSettings(at=("04:00",), catch_up="run"),
        "measure": JobSettings(at=("05:00",), catch_up="skip"),
        "refresh": JobSettings(at=("03:00",), catch_up="ask"),
        "reconcile": NO_JOB,
        "backup": NO_JOB,
        "tidy": NO_JOB,
        "digest": NO_JOB,
    }
    schedule = ScheduleSettings(**jobs)
    made(schedule=schedule).once()
    clock.advance(days=3)
    made(schedule=schedule).once()
    found = [(one.slot.job, str(one.state)) for one in application.job_scheduler.history() if one.slot.job in jobs]
    assert sorted(found) == [
        *[("make", "done")],
        *[("make", "skipped")] * 2,
        *[("measure", "skipped")] * 3,
        ("refresh", "asked"),
        *[("refresh", "skipped")] * 2,
    ]


def test_the_command_stops_in_order(tmp_path: Path):
    """`auria daemon` runs, handles SIGHUP, imports nothing heavy and ends in order at SIGTERM."""
    with closing(fake_application(tmp_path, clock=lambda: datetime.now(UTC))) as application:
        application.store.close()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
        with (tmp_path / "said").open("wb") as said:
            program = subprocess.Popen(
                [sys.executable, "-m", "auria_bot", "daemon"], env=kept | {"AURIA_HOME": str(tmp_path)}, stderr=said
            )
        try:
            end = time.monotonic() + 120
            text = ""
            for word, number in (("This daemon leads", signal.SIGHUP), ("were read again", signal.SIGTERM)):
                while word not in text:
                    assert time.monotonic() < end, text
                    time.sleep(0.05)
                    text = (tmp_path / "said").read_text()
                os.kill(program.pid, number)
            assert program.wait(120) == 0
        finally:
            program.kill()
            program.wait()
        assert (tmp_path / "said").read_text().rstrip().endswith("The daemon has ended action=stop")
        with application.store.read() as unit:
            assert unit.leases.get("daemon").until < datetime.now(UTC) - timedelta(days=1)


def test_an_idle_daemon_imports_nothing_heavy(tmp_path: Path):
    """Neither a runtime nor torch nor a platform's library; so it stays small."""
    code = (
        "import sys; from pathlib import Path; from tests.applications import fake_settings;"
        "from auria_bot.daemon import Daemon; import apscheduler.schedulers.blocking;"
        "s = fake_settings(Path(sys.argv[1])); one = Daemon(load=lambda: s); one.dispatch(); one._close();"
        "heavy = {'torch', 'onnxruntime', 'openvino', 'numpy', 'tokenizers', 'tweepy', 'instagrapi', 'atproto', 'mastodon',"
        " 'praw', 'PIL', 'sqlalchemy.orm'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    fake_application(tmp_path).close()
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True
    ).stdout
    assert told.strip() == "[]"
    assert fake_settings(tmp_path).daemon.stop_timeout == 60


def test_maintenance_forgets_old_runs(application: Application, clock: FakeClock, made):
    """Tidying deletes runs of more than a year ago."""
    one = made(schedule=ScheduleSettings.model_validate({**QUIET, "measure": NO_JOB, "tidy": {"at": ["04:00"]}}))
    tidied: list[bool] = []
    one._app.job_scheduler.__dict__["forget_old"] = lambda: tidied.append(True)
    one.dispatch()
    clock.advance(hours=19, minutes=5)
    until(one, lambda: bool(tidied))


def test_a_clock_that_was_ahead_stops_nothing(application: Application, clock: FakeClock, made):
    """A machine that started with a clock years ahead works on as soon as its clock is right."""
    one = made()
    one.dispatch()
    clock.advance(days=700)
    for _ in range(3):
        until(one, lambda: not one.running)
    clock.advance(days=-700)
    one.dispatch()
    clock.advance(minutes=31)
    until(one, lambda: ("09:30", JobRunState.DONE, "counted") in states(application))


def test_what_is_wrong_with_one_job_keeps_no_other_from_its_work(application: Application, clock: FakeClock, made):
    """A draft that cannot be read fails only the jobs that need drafts, and no run is given up at once."""
    with application.store.begin() as unit:
        add_draft(unit)
    schedule = {**{job: {"at": []} for job in QUIET}, "make": {"at": ["09:30"]}, "measure": {"at": ["09:30"]}}
    one = made(schedule=ScheduleSettings.model_validate(schedule))
    one.dispatch()
    with application.store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE drafts SET artwork = '{}'")
    clock.advance(minutes=31)
    until(one, lambda: bool(states(application)) and states(application)[0][1] is JobRunState.DONE)
    for _ in range(30):
        one.dispatch()
    (make,) = [claim for claim in application.job_scheduler.history() if claim.slot.job == "make"]
    assert (make.state, make.tries) == (JobRunState.RETRY, 1)
    assert "cannot be determined" in make.summary


def test_what_nobody_foresaw_does_not_keep_her_from_ending(application: Application, clock: FakeClock, made, caplog):
    """It is told once, the loop goes on, and she can be stopped."""
    one = made()
    one.dispatch()
    with application.store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slots SET due = 'rubbish'")
    clock.advance(minutes=2)
    assert all(one.dispatch() for _ in range(3))
    assert caplog.text.count("an unexpected error: ") == 1
    assert "unexpected error" in one._outages()["database"]
    one.stop()
    assert not one.dispatch()


def test_what_happened_is_followed_up_at_the_next_heartbeat(application: Application, clock: FakeClock, made):
    """A heartbeat alone starts nothing new; one after a job's end starts what its job left waiting."""
    one = made()
    one.dispatch()
    clock.advance(minutes=31)
    one.heartbeat()
    assert not one.running
    one.dispatch()
    assert len(one.running) == 1
    clock.advance(hours=1)
    end = time.monotonic() + 60
    while [state for _, state, _ in states(application)] != [JobRunState.DONE] * 2:
        assert time.monotonic() < end
        one.heartbeat()
        time.sleep(0.02)


def test_a_retry_wakes_the_daemon(application: Application, clock: FakeClock, made):
    """At its time, under the job's name; and the schedule's times as they are now."""
    one = made(program=(sys.executable, "-S", "-E", "-c", "raise SystemExit(1)"))
    planned: list[tuple[str, datetime]] = []

    class Planned:
        def at(self, name: str, moment: datetime) -> None:
            planned.append((name, moment))

        def plan(self, schedules, zone) -> None:
            planned.extend((schedule.job, schedule.next(clock(), zone).due) for schedule in schedules if schedule.at)

    one._wake_ups = Planned()
    one.dispatch()
    clock.advance(minutes=31)
    until(one, lambda: bool(planned))
    assert planned == [("retry measure", clock() + timedelta(minutes=1))]
    one.reload()
    one.dispatch()
    assert ("measure", clock() + timedelta(minutes=59)) in planned


def test_nobody_is_told_where_no_service_manager_asks(monkeypatch: pytest.MonkeyPatch):
    """Without a socket, or with one that is gone, nothing happens."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify_service_manager("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    assert not notify_service_manager("READY=1")


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_is_notified(monkeypatch: pytest.MonkeyPatch, abstract: bool):
    """On a socket in a folder, or on one that has no file."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        place = str(Path(folder) / "notify")
        manager.bind("\0" + place if abstract else place)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{place}" if abstract else place)
        assert notify_service_manager("WATCHDOG=1")
        assert manager.recv(100) == b"WATCHDOG=1"


def test_the_web_server_runs_beside_the_daemon(made: Callable[..., Daemon]) -> None:
    """From the first heartbeat to the end; new settings start it anew, the same ones do not."""
    quiet = ScheduleSettings(measure=NO_JOB, **QUIET)
    daemon = made(program=SLEEP, schedule=quiet, web=True)
    web = daemon._web
    assert web is not None
    daemon.heartbeat()
    first = web._process
    daemon.reload()
    daemon.heartbeat()
    assert web._process is first
    daemon._load = lambda: daemon._app.settings.model_copy(update={"language": "de"})
    daemon.reload()
    daemon.heartbeat()
    assert web._process is not first
    assert "auria_web_up 1" in daemon._app.health.metrics()
    daemon._close()
    assert not web.is_running


def test_a_web_server_that_ends_is_seen_in_the_health(made: Callable[..., Daemon]) -> None:
    """The daemon works on."""
    quiet = ScheduleSettings(measure=NO_JOB, **QUIET)
    daemon = made(program=(sys.executable, "-S", "-E", "-c", "raise SystemExit(3)"), schedule=quiet, web=True)
    web = daemon._web
    assert web is not None
    while not web.trouble:
        assert daemon.heartbeat()
        time.sleep(0.01)
    assert "the web server ended with exit code 3" in daemon._app.health.report().troubles
    assert "auria_web_up 0" in daemon._app.health.metrics()
