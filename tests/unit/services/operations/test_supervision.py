"""A program that is kept running."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from auria_bot.services.operations.supervision import SupervisedProcess

if TYPE_CHECKING:
    from collections.abc import Callable

SLEEP = (sys.executable, "-S", "-E", "-c", "import time; time.sleep(600)")
FAIL = (sys.executable, "-S", "-E", "-c", "raise SystemExit(3)")


class Seconds:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def runs(process: SupervisedProcess) -> bool:
    """Whether it runs now."""
    return process.is_running


def turned(process: SupervisedProcess, until: Callable[[], bool]) -> None:
    """Let it take turns until something is so."""
    while not until():
        process.turn()
        threading.Event().wait(0.01)


def test_it_is_started_and_ended() -> None:
    """With the first turn, and at the end."""
    process = SupervisedProcess("the web server", SLEEP, monotonic=Seconds())
    assert not runs(process)
    process.turn()
    assert runs(process)
    assert process.trouble == ""
    for _ in range(2):
        process.close()
        assert not runs(process)


def test_one_that_ends_is_started_again_after_longer_and_longer_pauses() -> None:
    """What is wrong is said until it has run for a while."""
    clock = Seconds()
    process = SupervisedProcess("the web server", FAIL, monotonic=clock)
    for pause in (1.0, 5.0, 15.0, 60.0, 300.0, 300.0):
        process.turn()
        turned(process, lambda: not runs(process))
        assert process.trouble == "the web server ended with exit code 3"
        clock.now += pause - 0.5
        process.turn()
        assert not runs(process)
        clock.now += 0.5
    process._command = SLEEP
    process.turn()
    assert runs(process)
    assert process.trouble
    clock.now += 301
    process.turn()
    assert process.trouble == ""
    process.close()


def test_a_restart_is_the_next_turns_and_waits_for_no_pause() -> None:
    """As after new settings: who asks for it is not kept waiting until the process has ended."""
    process = SupervisedProcess("the web server", SLEEP, monotonic=Seconds())
    process.turn()
    before = process._process
    assert before is not None
    process.restart()
    assert (runs(process), before.poll()) == (True, None)
    process.turn()
    after = process._process
    assert (after is not None and after is not before, before.poll() is None) == (True, False)
    process.turn()
    assert process._process is after
    process.close()


def test_a_program_that_is_missing_is_trouble() -> None:
    """It is tried again, too."""
    clock = Seconds()
    process = SupervisedProcess("the web server", ("/no/such/program",), monotonic=clock)
    process.turn()
    assert "cannot be started" in process.trouble
    process._command = SLEEP
    clock.now += 1
    process.turn()
    assert runs(process)
    process.close()
