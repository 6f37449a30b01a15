"""New versions that are made in the background."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.errors import InputError, NotFound, TooManyAttempts
from auria_bot.services.studio.run_store import RunEvent
from auria_bot.web.runs import BackgroundRun, BackgroundRuns

if TYPE_CHECKING:
    from collections.abc import Callable


def event(step: str) -> RunEvent:
    """A step that is done."""
    return RunEvent(artwork=1, step=step, state="done")


def test_a_run_keeps_its_events_and_its_result() -> None:
    """Events can be read from any position on."""

    def work(report: Callable[[RunEvent], None]) -> Any:
        report(event("style"))
        report(event("finish"))
        return SimpleNamespace(id=7)

    run = BackgroundRun(3, work)
    assert not run.is_done
    run.work()
    assert (run.is_done, run.new_draft, run.error) == (True, 7, "")
    assert [one.step for one in run.events()] == ["style", "finish"]
    assert [one.step for one in run.events(1)] == ["finish"]


@pytest.mark.parametrize(
    ("error", "message"), [(InputError("no such mood"), "no such mood"), (ValueError("x"), "unexpected")]
)
def test_a_run_that_fails_keeps_why(error: Exception, message: str, caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is not shown, but logged."""

    def work(_: object) -> Any:
        raise error

    run = BackgroundRun(3, work)
    run.work()
    assert run.is_done
    assert message in run.error
    assert ("Traceback" in caplog.text) == isinstance(error, ValueError)


def test_runs_are_worked_off_one_at_a_time() -> None:
    """A draft has one at a time, and only a few may wait."""
    runs, ended = BackgroundRuns(), threading.Event()

    def waiting(_: object) -> Any:
        ended.wait(30)
        return SimpleNamespace(id=1)

    first = runs.start(0, waiting)
    with pytest.raises(TooManyAttempts):
        runs.start(0, waiting)
    others = [runs.start(number, lambda _: SimpleNamespace(id=2)) for number in range(1, 8)]
    with pytest.raises(TooManyAttempts):
        runs.start(99, waiting)
    assert not any(run.is_done for run in others)
    ended.set()
    for _ in range(3000):
        if all(run.is_done for run in (first, *others)):
            break
        threading.Event().wait(0.01)
    assert all(run.is_done for run in (first, *others))
    assert runs.get(first.key) is first
    with pytest.raises(NotFound):
        runs.get("nothing")
