"""What brings the daemon to a standstill is said once, without database and settings."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import pytest

from auria_bot.services.operations.outage_alerts import DATABASE, OVER, PATIENCE, SETTINGS, OutageAlerter

if TYPE_CHECKING:
    from pathlib import Path

SAY = r"""
import os, sys, json, pathlib
folder = pathlib.Path(sys.argv[1]); count = len(list(folder.iterdir()))
(folder / f"{count}.json").write_text(json.dumps([sys.argv[2:], json.load(sys.stdin)]))
fails = int(folder.name)
answer = {"delivered": ["aaaa"], "failed": ["address 2"] if count < fails else []}
os.write(int(os.environ["SUPERVISED_BY"].split(":")[2]), json.dumps(answer).encode() + b"\n")
sys.exit(1 if count < fails else 0)
"""
SLEEP = (sys.executable, "-S", "-E", "-c", "import time; time.sleep(60)")


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class _Rig:
    """An alerter whose program keeps what it is given in a folder; the first so many times it fails in part."""

    def __init__(self, folder: Path, *, fails: int = 0) -> None:
        self.folder = folder / str(fails)
        self.folder.mkdir()
        self.monotonic = _Clock()
        program = (sys.executable, "-S", "-E", "-c", SAY, str(self.folder))
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
