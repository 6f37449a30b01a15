"""Monitoring runs beside the daemon, and none of its failures stops the daemon."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import DatabaseUnreachable
from auria_bot.services.operations.health import HealthReport, HealthServer
from auria_bot.services.operations.monitoring import (
    DATABASE,
    EVERY,
    OVER,
    PATIENCE,
    SETTINGS,
    HealthMonitor,
    OutageAlerter,
)

if TYPE_CHECKING:
    from pathlib import Path


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


RELAY = r"""
import os, sys, json, pathlib
folder = pathlib.Path(sys.argv[1]); count = len(list(folder.iterdir()))
(folder / f"{count}.json").write_text(json.dumps([sys.argv[2:], json.load(sys.stdin)]))
fails = int(folder.name)
answer = {"delivered": ["aaaa"], "failed": ["address 2"] if count < fails else []}
os.write(int(os.environ["SUPERVISED_BY"].split(":")[2]), json.dumps(answer).encode() + b"\n")
sys.exit(1 if count < fails else 0)
"""


class _Rig:
    """An alerter whose program keeps what it is given in a folder; the first so many times it fails in part."""

    def __init__(self, folder: Path, *, fails: int = 0) -> None:
        self.folder = folder / str(fails)
        self.folder.mkdir()
        self.monotonic = _Clock()
        program = (sys.executable, "-S", "-E", "-c", RELAY, str(self.folder))
        self.alerter = OutageAlerter(addresses=("json://one", "json://two"), program=program, monotonic=self.monotonic)

    def stand(self, seconds: float, **troubles: str) -> None:
        """Let troubles stand for a while, with a tick every ten seconds; what is said has the time that it takes."""
        for _ in range(int(seconds // 10)):
            self.monotonic.now += 10
            self.alerter.turn(troubles)
            if self.alerter._sender is not None:
                self.alerter._sender[0].wait(20)
                self.alerter.turn(troubles)

    def said(self) -> list[list]:
        """What the program was given, each time."""
        return [json.loads(file.read_text()) for file in sorted(self.folder.iterdir())]


def test_what_stands_for_a_while_is_said_once(tmp_path: Path):
    """With what to do; a moment's trouble is not said."""
    rig = _Rig(tmp_path)
    rig.stand(PATIENCE - 10, database="the server does not answer")
    rig.stand(10)
    assert rig.said() == []
    rig.stand(3 * PATIENCE, database="the server does not answer")
    ((words, given),) = rig.said()
    assert words == ["notify", "relay"]
    assert (given["addresses"], given["delivered"]) == (["json://one", "json://two"], [])
    assert given["notice"]["title"] == "Auria has stopped working"
    assert given["notice"]["body"].startswith("the server does not answer\n\nWork resumes by itself")


def test_what_comes_and_goes_is_one_occasion(tmp_path: Path):
    """What was away for some minutes is another; settings are an occasion of their own."""
    rig = _Rig(tmp_path)
    for _ in range(3):
        rig.stand(2 * PATIENCE, **{DATABASE: "away"})
        rig.stand(OVER / 2)
    assert len(rig.said()) == 1
    rig.stand(OVER)
    rig.stand(2 * PATIENCE, **{DATABASE: "away", SETTINGS: "count: many is no number"})
    assert [given["notice"]["subject"] for _, given in rig.said()] == [DATABASE, DATABASE, SETTINGS]


def test_what_did_not_get_through_is_said_again(tmp_path: Path):
    """Later and later, and not to those who have it."""
    rig = _Rig(tmp_path, fails=2)
    rig.stand(PATIENCE + 30, **{DATABASE: "away"})
    assert len(rig.said()) == 1
    rig.stand(600, **{DATABASE: "away"})
    assert [given["delivered"] for _, given in rig.said()] == [[], ["aaaa"], ["aaaa"]]
    rig.stand(7200, **{DATABASE: "away"})
    assert len(rig.said()) == 3


@pytest.mark.parametrize(
    "program", [("/no/such/program",), (sys.executable, "-c", "raise SystemExit(1)"), (sys.executable, "-c", "")]
)
def test_a_program_that_fails_stops_nothing(program: tuple[str, ...]):
    """It is not there, ends at once, or answers nothing."""
    monotonic = _Clock()
    alerter = OutageAlerter(addresses=("json://one",), program=program, monotonic=monotonic, patience=0.0)
    for _ in range(3):
        alerter.turn({DATABASE: "away " * 20_000})
        if alerter._sender is not None:
            alerter._sender[0].wait(20)
        monotonic.now += 100
    alerter.close()


def test_one_that_hangs_is_ended(tmp_path: Path):
    """And with the alerter itself, what is being said."""
    monotonic = _Clock()
    alerter = OutageAlerter(addresses=("json://one",), program=SLEEP, monotonic=monotonic, patience=0.0)
    alerter.turn({DATABASE: "away"})
    assert alerter._sender is not None
    first = alerter._sender[0]
    alerter.turn({DATABASE: "away"})
    assert first.poll() is None
    monotonic.now += 400
    alerter.turn({DATABASE: "away"})
    assert first.poll() is not None
    assert alerter._sender is not None
    second = alerter._sender[0]
    alerter.close()
    assert second.poll() is not None


def test_without_an_address_nothing_is_started():
    """The log tells."""
    alerter = OutageAlerter(addresses=(), program=SLEEP, patience=0.0)
    alerter.turn({DATABASE: "away"})
    time.sleep(0.01)
    alerter.turn({DATABASE: "away"})
    assert alerter._sender is None
