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


class _Lookout:
    def __init__(self) -> None:
        self.looks, self.wait, self.away = 0, False, False

    def look(self) -> int:
        if self.away:
            raise DatabaseUnreachable("the server does not answer")
        self.looks += 1
        return 0

    def waiting(self) -> bool:
        return self.wait


class _Pulse:
    def look(self) -> HealthReport:
        return HealthReport(troubles=())

    def metrics(self) -> str:
        return ""


class _Steady:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lookout() -> _Lookout:
    """Knows of nothing."""
    return _Lookout()


@pytest.fixture
def steady() -> _Steady:
    """Seconds."""
    return _Steady()


def _ended(caretaker: HealthMonitor) -> None:
    """Wait for the process that says notices."""
    until = time.monotonic() + 120
    while caretaker._saying is not None and caretaker._saying.poll() is None and time.monotonic() < until:
        time.sleep(0.01)


def test_it_looks_every_minute_and_only_if_it_leads(lookout: _Lookout, steady: _Steady):
    """A daemon that waits says nothing, for the leader does."""
    caretaker = HealthMonitor(lookout=lambda: lookout, beacon=None, program=SLEEP, steady=steady)
    for leads, looks in ((False, 0), (True, 1), (True, 2)):
        for _ in range(3):
            caretaker.turn(leads=leads)
        assert lookout.looks == looks
        steady.now += EVERY
    caretaker.close()


def test_what_is_to_be_said_is_said_by_another_process(lookout: _Lookout, steady: _Steady, tmp_path):
    """One at a time; one that hangs is ended."""
    file = tmp_path / "said"
    lookout.wait = True
    caretaker = HealthMonitor(lookout=lambda: lookout, beacon=None, program=(*SAY, str(file)), steady=steady)
    caretaker.turn(leads=True)
    _ended(caretaker)
    assert file.read_text() == "notify say"
    caretaker.turn(leads=True)
    assert caretaker._saying is None
    caretaker = HealthMonitor(lookout=lambda: lookout, beacon=None, program=SLEEP, steady=steady)
    caretaker.turn(leads=True)
    first = caretaker._saying
    steady.now += EVERY
    caretaker.turn(leads=True)
    assert caretaker._saying is first
    steady.now += 600
    caretaker.turn(leads=True)
    assert first is not None
    assert first.poll() is not None
    assert caretaker._saying is not first
    caretaker.close()
    assert caretaker._saying is None


def test_trouble_is_told_once_and_stops_nothing(lookout: _Lookout, steady: _Steady, caplog: pytest.LogCaptureFixture):
    """The database is away, the program is not there, the address is taken."""
    lookout.away = True
    with HealthServer(_Pulse(), "127.0.0.1:0") as other:
        taken = HealthServer(_Pulse(), other.url.removeprefix("http://"))
        caretaker = HealthMonitor(lookout=lambda: lookout, beacon=taken, program=("/no/such/program",), steady=steady)
        for _ in range(3):
            caretaker.turn(leads=True)
            steady.now += EVERY
        assert caplog.text.count("cannot be used") == 1
        assert "the server does not answer" in caplog.text
        lookout.away = False
        caretaker.turn(leads=True)
        assert lookout.looks == 1  # what is to be said does not wait for the address
        lookout.away = True
        steady.now += EVERY
    caretaker.turn(leads=True)
    assert urllib.request.urlopen(f"{taken.url}/healthz", timeout=5).status == 200  # noqa: S310 - this machine's own
    lookout.away, lookout.wait = False, True
    steady.now += EVERY
    caretaker.turn(leads=True)
    assert "/no/such/program" in caplog.text
    caretaker.close()
    assert taken.url == ""
