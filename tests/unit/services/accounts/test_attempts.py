"""Failed attempts to sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.errors import TooManyAttempts
from auria_bot.services.accounts import attempts
from auria_bot.services.accounts.attempts import FailedAttempts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest


def waiting(failed: FailedAttempts, keys: Sequence[str]) -> int:
    """Seconds that the next attempt must wait."""
    try:
        failed.check(keys)
    except TooManyAttempts as error:
        return error.seconds
    return 0


def test_each_failure_makes_the_next_attempt_wait_longer() -> None:
    """The first two are free; it never takes more than a quarter of an hour, and ends with a success."""
    failed, found = FailedAttempts(lambda: 0.0), []
    for _ in range(20):
        failed.count(["address a"])
        found.append(waiting(failed, ["name b", "address a"]))
    assert found[:5] == [0, 0, 2, 3, 5]
    assert max(found) == 901
    failed.forget(["address a"])
    assert waiting(failed, ["address a"]) == 0


def test_whoever_goes_on_for_weeks_still_waits() -> None:
    """After any number of failures."""
    failed = FailedAttempts(lambda: 0.0)
    for _ in range(1100):
        failed.count(["name a"])
    assert waiting(failed, ["name a"]) == 901


def test_many_failures_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are forgotten first; whoever goes on trying still waits."""
    monkeypatch.setattr(attempts, "_MOST_REMEMBERED", 2)
    failed = FailedAttempts(lambda: 0.0)
    for number in range(3):
        failed.count([f"name {number}", "address a"])
    assert waiting(failed, ["address a"]) > 0
    assert list(failed._failures) == ["name 2", "address a"]
