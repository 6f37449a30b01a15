"""The house is looked after while a daemon runs, and nothing that goes wrong there stops it."""

from __future__ import annotations

import sys
import time
import urllib.request

import pytest

from auria_bot.errors import DatabaseUnreachable
from auria_bot.services.operations.health_monitor import EVERY, HealthMonitor
from auria_bot.services.operations.health_report import HealthReport
from auria_bot.services.operations.health_server import HealthServer

SAY = (
    sys.executable,
    "-S",
    "-E",
    "-c",
    "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(' '.join(sys.argv[2:]))",
)
SLEEP = (sys.executable, "-S", "-E", "-c", "import time; time.sleep(60)")


class _Notices:
    def __init__(self) -> None:
        self.looks, self.wait, self.away = 0, False, False

    def update(self) -> int:
        if self.away:
            raise DatabaseUnreachable("the server does not answer")
        self.looks += 1
        return 0

    def has_due(self) -> bool:
        return self.wait


class _Source:
    def report(self) -> HealthReport:
        return HealthReport(troubles=())

    def metrics(self) -> str:
        return ""


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def notices() -> _Notices:
    """Knows of nothing."""
    return _Notices()


@pytest.fixture
def monotonic() -> _Clock:
    """Seconds."""
    return _Clock()


def _ended(monitor: HealthMonitor) -> None:
    """Wait for the process that says notices."""
    until = time.monotonic() + 120
    while monitor._sender is not None and monitor._sender.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


def test_it_looks_every_minute_and_only_if_it_leads(notices: _Notices, monotonic: _Clock):
    """A daemon that waits says nothing, for the leader does."""
    monitor = HealthMonitor(notices=lambda: notices, server=None, program=SLEEP, monotonic=monotonic)
    for leads, looks in ((False, 0), (True, 1), (True, 2)):
        for _ in range(3):
            monitor.turn(leads=leads)
        assert notices.looks == looks
        monotonic.now += EVERY
    monitor.close()


def test_what_is_to_be_said_is_said_by_another_process(notices: _Notices, monotonic: _Clock, tmp_path):
    """One at a time; one that hangs is ended."""
    file = tmp_path / "said"
    notices.wait = True
    monitor = HealthMonitor(notices=lambda: notices, server=None, program=(*SAY, str(file)), monotonic=monotonic)
    monitor.turn(leads=True)
    _ended(monitor)
    assert file.read_text() == "notify send"
    monitor.turn(leads=True)
    assert monitor._sender is None
    monitor = HealthMonitor(notices=lambda: notices, server=None, program=SLEEP, monotonic=monotonic)
    monitor.turn(leads=True)
    first = monitor._sender
    monotonic.now += EVERY
    monitor.turn(leads=True)
    assert monitor._sender is first
    monotonic.now += 600
    monitor.turn(leads=True)
    assert first is not None
    assert first.poll() is not None
    assert monitor._sender is not first
    monitor.close()
    assert monitor._sender is None


def test_trouble_is_told_once_and_stops_nothing(notices: _Notices, monotonic: _Clock, caplog: pytest.LogCaptureFixture):
    """The database is away, the program is not there, the address is taken."""
    notices.away = True
    with HealthServer(_Source(), "127.0.0.1:0") as other:
        taken = HealthServer(_Source(), other.url.removeprefix("http://"))
        monitor = HealthMonitor(
            notices=lambda: notices, server=taken, program=("/no/such/program",), monotonic=monotonic
        )
        for _ in range(3):
            monitor.turn(leads=True)
            monotonic.now += EVERY
        assert caplog.text.count("cannot be used") == 1
        assert "the server does not answer" in caplog.text
        notices.away = False
        monitor.turn(leads=True)
        assert notices.looks == 1  # what is to be said does not wait for the address
        notices.away = True
        monotonic.now += EVERY
    monitor.turn(leads=True)
    assert urllib.request.urlopen(f"{taken.url}/healthz", timeout=5).status == 200  # noqa: S310 - this machine's own
    notices.away, notices.wait = False, True
    monotonic.now += EVERY
    monitor.turn(leads=True)
    assert "/no/such/program" in caplog.text
    monitor.close()
    assert taken.url == ""
