"""What failed answers of a server of the AT protocol mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from auria_bot.channels.bluesky.atproto_session import _reset, failure
from auria_bot.errors import OutcomeUnknown, Rejected, Throttled

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "value",
    [
        lambda now: str(int(now.timestamp()) + 90),
        lambda now: str((int(now.timestamp()) + 90) * 1000),
        lambda _: "90",
    ],
    ids=["epoch", "milliseconds", "seconds"],
)
def test_a_rate_limit_ends_at_a_time(value: Callable[[datetime], str]) -> None:
    """However the server counts it."""
    now = datetime.now(UTC)
    until = _reset({"ratelimit-reset": value(now)})
    assert until is not None
    assert now + timedelta(seconds=89) <= until <= datetime.now(UTC) + timedelta(seconds=90)


@pytest.mark.parametrize("value", ["", "soon", "-5", "nan", "inf", "-inf"])
def test_an_unreadable_rate_limit_is_not_known(value: str) -> None:
    """Then the next header counts."""
    assert _reset({"ratelimit-reset": value}) is None
    assert _reset({"retry-after": value}) is None
    now, wait = datetime.now(UTC), timedelta(seconds=60)
    until = _reset({"ratelimit-reset": value, "retry-after": "60"})
    assert until is not None
    assert now + wait <= until <= datetime.now(UTC) + wait


def test_a_wait_may_be_a_date() -> None:
    """As HTTP writes it, for a server that states no rate limit."""
    now, wait = datetime.now(UTC), timedelta(hours=1)
    until = _reset({"retry-after": format_datetime(now + wait, usegmt=True)})
    assert until is not None
    assert now + wait - timedelta(seconds=1) <= until <= datetime.now(UTC) + wait


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_rate_limit_ends_by_the_servers_clock(hours: int) -> None:
    """Which may be hours away from this machine's."""
    here = datetime.now(UTC)
    there = here + timedelta(hours=hours)
    end = there + timedelta(minutes=5)
    dates = {"ratelimit-reset": str(int(end.timestamp())), "retry-after": format_datetime(end, usegmt=True)}
    for name, value in dates.items():
        until = _reset({name: value, "date": format_datetime(there, usegmt=True)})
        assert until is not None
        assert abs(until - here - timedelta(minutes=5)) < timedelta(minutes=1)


@pytest.mark.parametrize("status", [404, 405, 410])
def test_a_missing_endpoint_is_a_server_that_is_down(status: int) -> None:
    """A proxy answers for it without the protocol's error; with that error, it is the server's own refusal."""
    for page in (b"", b"<html>no such page</html>", b"{}", b"["):
        assert type(failure(status, page, {}, "https://pds", sent=False)) is Throttled
        assert type(failure(status, page, {}, "https://pds", sent=True)) is OutcomeUnknown
    for words in (b'{"error": "NotFound"}', SimpleNamespace(error="NotFound", message="")):
        assert type(failure(status, words, {}, "https://pds", sent=False)) is Rejected
        assert type(failure(status, words, {}, "https://pds", sent=True)) is Rejected
