"""What failed answers of a server with Mastodon's API mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from auria_bot.channels.mastodon.server import _reason, _reset


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (lambda now: (now + timedelta(seconds=90)).isoformat(), 90),
        (lambda now: (now + timedelta(seconds=90)).strftime("%Y-%m-%dT%H:%M:%S.000Z"), 90),
        (lambda now: str(int(now.timestamp()) + 90), 90),
        (lambda now: str((int(now.timestamp()) + 90) * 1000), 90),
        (lambda _: "90", 90),
        (lambda now: (now - timedelta(days=3)).isoformat(), 0),
        (lambda now: (now + timedelta(days=300)).isoformat(), 86_400),
    ],
    ids=["iso", "zulu", "epoch", "milliseconds", "seconds", "past", "far"],
)
def test_a_rate_limit_ends_at_a_time(value, seconds: int) -> None:
    """However the server writes it; never in the past, and never more than a day away."""
    now = datetime.now(UTC)
    until = _reset({"X-RateLimit-Reset": value(now)})
    assert until is not None
    assert abs((until - now).total_seconds() - seconds) < 2


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9999", "9" * 400])
def test_an_unreadable_rate_limit_is_not_known(value: str) -> None:
    """Then the next header counts."""
    assert _reset({"X-RateLimit-Reset": value}) is None
    until = _reset({"X-RateLimit-Reset": value, "Retry-After": "60"})
    assert until is not None
    assert until - datetime.now(UTC) <= timedelta(seconds=60)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"error": "Validation failed"}', "Validation failed"),
        ('{"error": "invalid_token", "error_description": "The token expired"}', "The token expired"),
        ('{"message": "no"}', "no"),
        ('{"error": {"code": 1}}', ""),
        ("<html>Login</html>", ""),
        ("plain words", "plain words"),
    ],
)
def test_a_reason_is_the_servers_own(text: str, reason: str) -> None:
    """A page of HTML is none."""
    assert _reason(text) == reason
