"""Health fails when work is overdue, whatever else runs; every figure can be scraped."""

from __future__ import annotations

import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from datetime import time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from auria_bot.domain.job_schedule import BEGIN, JobRun, JobRunState, JobSchedule, ScheduledTime
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import DatabaseUnreachable, SettingsError
from auria_bot.services.operations.health import Health, HealthReport, HealthServer
from auria_bot.services.operations.supervision import SupervisedProcess
from tests.factories import add_draft
from tests.publishing import keep_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeClock


_RULES = (JobSchedule(job="make", at=(time(4),)), JobSchedule(job="new", at=(time(5),)))


def _health(application: Application) -> Health:
    return Health(
        store=lambda: application.store,
        clock=application.clock,
        schedules=_RULES,
        zone=ZoneInfo("UTC"),
        patience=timedelta(hours=1),
        version="1.2",
    )


def _slot(application: Application, days: int, state: JobRunState, words: str = "") -> None:
    """A scheduled run of `make`, so many days ago."""
    due = application.clock().replace(hour=4, minute=0) - timedelta(days=days)
    slot = ScheduledTime(job="make", name=f"{due:%Y-%m-%dT%H:%M}", due=due)
    ended = due + timedelta(minutes=5) if state is JobRunState.DONE else None
    with application.store.begin() as unit:
        claim = JobRun(slot=slot, state=state, started_at=due, ended_at=ended, summary=words)
        if not unit.job_runs.add(claim):
            unit.job_runs.save(claim, was=unit.job_runs.get("make", slot.name))


def _beat(application: Application) -> None:
    with application.store.begin() as unit:
        length = timedelta(seconds=10)
        lease = unit.leases.get("daemon")
        if lease is None or not lease.holder:
            unit.leases.take("daemon", holder="me", length=length, now=application.clock())
        else:
            unit.leases.renew(lease, length=length, now=application.clock())


def test_a_dead_daemon_is_trouble(application: Application, clock: FakeClock):
    """A daemon that never ran, or whose lease ended, is a problem."""
    health = _health(application)
    assert "no daemon has run yet" in health.report().troubles[0]
    assert "\nauria_leader_changes_total " not in health.metrics()
    _beat(application)
    assert health.report().is_well
    clock.advance(minutes=3)
    assert "no daemon has worked since" in health.report().troubles[0]
    clock.advance(minutes=-60)
    assert "no daemon has worked since the clock was set back" in health.report().troubles[0]


def test_what_runs_beside_the_daemon_is_told_of(application: Application):
    """The web server that does not run is trouble, and a figure."""
    _beat(application)
    health = _health(application)
    assert "\nauria_web_up " not in health.metrics()
    health.beside = SupervisedProcess("the web server", ("/no/such/program",))
    health.beside.turn()
    assert "cannot be started" in health.report().troubles[0]
    assert "\nauria_web_up 0\n" in health.metrics()


def test_a_daemon_that_lives_but_does_nothing_is_trouble(application: Application, clock: FakeClock):
    """A run that was missed, hangs or was given up is a problem until it is done."""
    health = _health(application)
    _slot(application, 0, JobRunState.DONE)
    _beat(application)
    assert health.report().is_well
    clock.advance(hours=20)  # 5 o'clock the next day: grace and patience have not run out
    _beat(application)
    assert health.report().is_well
    clock.advance(hours=2)
    _beat(application)
    assert health.overdue() == {"make": "it was due at 2026-11-22 04:00 UTC and was not started"}
    assert health.report().troubles == (
        "the job 'make' is overdue: it was due at 2026-11-22 04:00 UTC and was not started",
    )
    _slot(application, 0, JobRunState.RUNNING)
    assert "it is running" in health.overdue()["make"]
    _slot(application, 0, JobRunState.FAILED, "the disk is full")
    assert health.overdue() == {"make": "it was given up: the disk is full"}
    _slot(application, 0, JobRunState.DONE)
    assert health.report().is_well


def test_a_job_that_fails_slot_after_slot_is_trouble(application: Application, clock: FakeClock):
    """A job that keeps failing is a problem however often a later run replaces it; measuring may fail for a day."""
    rules = tuple(JobSchedule(job=job, at=tuple(time(hour) for hour in range(24))) for job in ("publish x", "measure"))
    health = Health(
        store=lambda: application.store,
        clock=application.clock,
        schedules=rules,
        zone=ZoneInfo("UTC"),
        patience=timedelta(hours=1),
    )
    found = []
    for hour in range(30):
        for job in ("publish x", "measure"):
            slot = ScheduledTime(job=job, name=f"{clock():%Y-%m-%dT%H:%M}", due=clock())
            with application.store.begin() as unit:
                for old in (one for one in unit.job_runs.list({JobRunState.RETRY}) if one.slot.job == job):
                    unit.job_runs.save(old.evolve(state=JobRunState.FAILED, summary="overtaken"), was=old)
                state = JobRunState.RETRY if 0 < hour < 29 else JobRunState.DONE
                unit.job_runs.add(JobRun(slot=slot, state=state, summary="no answer"))
        clock.advance(minutes=30)
        found.append(health.overdue())
        clock.advance(minutes=30)
    assert found[:3] == [{}] * 3
    assert all(set(one) == {"publish x"} for one in found[3:27])
    assert found[3]["publish x"] == "it was due at 2026-11-21 10:00 UTC and is not done: no answer"
    assert set(found[27]) == {"publish x", "measure"}
    assert found[29] == {}


def test_slots_before_the_beginning_do_not_count(application: Application, clock: FakeClock):
    """A job that was just added is not overdue."""
    with application.store.begin() as unit:
        unit.job_runs.add(JobRun(slot=ScheduledTime(job="make", name=BEGIN, due=clock()), state=JobRunState.DONE))
    assert _health(application).overdue() == {}


def test_a_post_that_waits_past_its_hour_is_trouble(application: Application, clock: FakeClock):
    """Not on a channel that is paused."""
    _beat(application)
    with application.store.begin() as unit:
        draft = add_draft(unit, 1)
    keep_pictures(application, "run-1")
    application.review.approve([draft.id], channels=["fake"])
    with application.store.begin() as unit:
        unit.posts.add(unit.drafts.get(draft.id), "fake", due=clock(), picture="p.jpg", key="k")
    clock.advance(hours=3)
    _beat(application)
    health = _health(application)
    assert "a post on fake waits since 2026-11-21 09:00 UTC" in health.report().troubles[0]
    assert 'auria_queue_age_seconds{channel="fake"} 10800' in health.metrics()
    with application.store.begin() as unit:
        unit.channels.pause("fake", reason="x", by="auria", at=clock())
    assert health.report().is_well
    assert 'auria_channel_paused{channel="fake"} 1' in health.metrics()


def test_every_figure_is_told(application: Application, channel: object):
    """Drafts, posts, attempts, steps, lease and last success; a database that is away is told too."""
    health = _health(application)
    made = application.studio.make(ArtworkRequest()).drafts[0]
    application.review.approve([made.id], channels=["fake"])
    application.publisher.publish()
    _slot(application, 0, JobRunState.DONE)
    _beat(application)
    with application.store.begin() as unit:
        for seconds in (1.5, 0.25):
            unit.metrics.record_step("varnish", seconds=seconds, times=1)
    lines = health.metrics().splitlines()
    for line in (
        'auria_info{version="1.2"} 1',
        "auria_healthy 1",
        "auria_database_up 1",
        'auria_drafts{state="scheduled"} 1',
        'auria_drafts{state="made"} 0',
        'auria_posts{channel="fake",state="sent"} 1',
        'auria_job_overdue{name="make"} 0',
        'auria_posts{channel="fake",state="unknown"} 0',
        'auria_attempts_total{channel="fake",outcome="sent"} 1',
        'auria_step_seconds_total{step="varnish"} 1.75',
        'auria_steps_total{step="varnish"} 2',
        'auria_steps_total{step="painting"} 1',
        'auria_job_last_success_timestamp_seconds{name="make"} 1795233900',
        "auria_leader_changes_total 1",
        "auria_leader_heartbeat_timestamp_seconds 1795251600",
    ):
        assert line in lines

    def away_store():
        raise DatabaseUnreachable("the server does not answer")

    away = Health(store=away_store, clock=application.clock, zone=ZoneInfo("UTC"), patience=timedelta(0))
    assert away.report().troubles == ("the server does not answer",)
    assert "auria_database_up 0" in away.metrics()
    assert "auria_healthy 0" in away.metrics()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_finds_no_fault(application: Application):
    """By its own checker."""
    text = _health(application).metrics()
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


class _Source:
    troubles: tuple[str, ...] = ()

    def report(self) -> HealthReport:
        return HealthReport(troubles=self.troubles)

    def metrics(self) -> str:
        return "auria_healthy 1\n"


@pytest.fixture
def source() -> _Source:
    """All is well."""
    return _Source()


@pytest.fixture
def server(source: _Source) -> Iterator[HealthServer]:
    """An endpoint on a free port."""
    with HealthServer(source, "127.0.0.1:0") as started:
        yield started


def _get(url: str, method: str = "GET") -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=5) as answer:  # noqa: S310
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["Content-Type"]


def test_health_is_the_status(server: HealthServer, source: _Source):
    """200 when all is well, 503 with the troubles else."""
    assert _get(f"{server.url}/healthz")[:2] == (200, "well\n")
    source.troubles = ("the job 'make' is overdue", "no daemon")
    assert _get(f"{server.url}/healthz?verbose")[:2] == (503, "the job 'make' is overdue\nno daemon\n")
    assert _get(f"{server.url}/healthz", "HEAD")[:2] == (503, "")


def test_figures_and_nothing_else(server: HealthServer, capsys: pytest.CaptureFixture):
    """As Prometheus wants them; other paths are not there, other methods are not known, and nothing is logged."""
    status, text, kind = _get(f"{server.url}/metrics")
    assert (status, text) == (200, "auria_healthy 1\n")
    assert kind.startswith("text/plain; version=0.0.4")
    assert _get(f"{server.url}/../etc/passwd")[0] == 404
    assert _get(f"{server.url}/metrics", "POST")[0] == 501
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as line:
        line.sendall(b"\x00rubbish\r\n\r\n")
        assert line.recv(100).startswith((b"HTTP/1.0 400", b"<!DOCTYPE"))
    assert capsys.readouterr().err == ""


def test_an_address_that_is_taken_is_named(server: HealthServer, source: _Source):
    """So is one that is no machine's; a server that stopped answers no more."""
    for address in (server.url.removeprefix("http://"), "127.0.0.1:99999", "no-such-host.invalid:1"):
        with pytest.raises(SettingsError, match=r"health\.address"):
            HealthServer(source, address).start()
    url = server.url
    server.stop()
    server.stop()
    assert server.url == ""
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/healthz", timeout=2)  # noqa: S310


def test_it_answers_on_ipv6_too(source: _Source):
    """The address in brackets, as in a URL."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with HealthServer(source, "[::1]:0") as server:
            assert server.url.startswith("http://[::1]:")
            assert _get(f"{server.url}/healthz")[0] == 200
    except SettingsError:
        with socket.socket(socket.AF_INET6) as line, pytest.raises(OSError):
            line.bind(("::1", 0))
        pytest.skip("this machine has no ::1")


def test_it_starts_without_a_name_server(source: _Source, monkeypatch: pytest.MonkeyPatch):
    """The server does not look up the host's full name."""
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("a name server was asked"))
    with (
        HealthServer(source, "0.0.0.0:0") as server,
        urllib.request.urlopen(f"{server.url}/healthz", timeout=5) as answer,  # noqa: S310
    ):
        assert answer.headers["Server"] == "Auria"
