"""The access token: renewed in time, not too often, and never lost."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from auria_bot.channels.instagram.graph_token import GraphToken
from auria_bot.errors import DiskError, Throttled, Unauthorised
from tests.platforms import MemorySecrets


class Api:
    """Renews tokens, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.asked = 0

    def renew(self, token: str) -> tuple[str, timedelta]:
        """Another token, good for 60 days."""
        self.asked += 1
        if self.failure:
            raise self.failure
        return f"{token}+", timedelta(days=60)


def made(api: Api, secrets: MemorySecrets, *, renewable: bool = True) -> GraphToken:
    """A token with ten days' margin."""
    anything: Any = api
    return GraphToken(anything, secrets, channel="ig", margin=timedelta(days=10), renewable=renewable)


def known(secrets: MemorySecrets, **days: float) -> None:
    """As if it had been renewed: its end and the last try so many days from now."""
    made(Api(), secrets).current()
    state = json.loads(secrets.values["token_state"])
    moments = {name: (datetime.now(UTC) + timedelta(days=count)).isoformat() for name, count in days.items()}
    secrets.values["token_state"] = json.dumps(state | moments)


@pytest.mark.parametrize(
    ("expires", "tried", "asked"),
    [
        (11, -50, 0),  # good for long enough
        (9, -50, 1),  # not for long
        (9, -0.5, 0),  # tried half a day ago
        (9, 0.1, 1),  # the clock was set back since
        (-1, -5, 1),  # it has ended; the platform may say otherwise
    ],
)
def test_when_it_is_renewed(expires: float, tried: float, asked: int) -> None:
    """Near its end, and once a day at most."""
    secrets = MemorySecrets({"access_token": "first-token"})
    known(secrets, expires=expires, tried=tried)
    api = Api()
    made(api, secrets).current()
    assert api.asked == asked


def test_a_new_token_starts_afresh() -> None:
    """What was known of the old one says nothing of it."""
    secrets = MemorySecrets({"access_token": "first-token"})
    known(secrets, expires=50, tried=-1)
    secrets.values["access_token"] = "another"  # noqa: S105 - of the tests
    api = Api()
    assert made(api, secrets).current() == "another+"


@pytest.mark.parametrize("failure", [Throttled("away"), Unauthorised("no")])
def test_a_renewal_that_fails_stops_nothing(failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """The old token is used, the log says so, and it is not tried again at once."""
    secrets, api = MemorySecrets({"access_token": "first-token"}), Api(failure)
    token = made(api, secrets)
    with caplog.at_level(logging.WARNING):
        assert [token.current(), token.current()] == ["first-token"] * 2
    assert api.asked == 1
    assert "could not be renewed" in caplog.text


def test_a_token_that_cannot_be_kept_is_used_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """The disk is full: the platform has renewed it, and the old one is valid until its end."""

    class Full(MemorySecrets):
        def put(self, name: str, value: str) -> None:
            raise DiskError("no space")

    with caplog.at_level(logging.ERROR):
        assert made(Api(), Full({"access_token": "first-token"})).current() == "first-token+"
    assert "could not be saved" in caplog.text
    assert "first-token" not in caplog.text


@pytest.mark.parametrize("state", ["", "nonsense", "[]", "{}", '{"for": "x"}', '{"expires": 5}', "null"])
def test_a_damaged_state_is_no_state(state: str) -> None:
    """It is renewed, and the state written anew."""
    secrets = MemorySecrets({"access_token": "first-token", "token_state": state})
    assert made(Api(), secrets).current() == "first-token+"
    assert "first-token" not in secrets.values["token_state"]


def test_what_is_told_of_it() -> None:
    """Until when it is good, where that is known."""
    secrets = MemorySecrets({"access_token": "first-token"})
    assert "not known" in made(Api(), secrets).describe()
    made(Api(), secrets).current()
    assert "valid until 20" in made(Api(), secrets).describe()
    assert "does not expire" in made(Api(), secrets, renewable=False).describe()


def test_without_a_token_it_says_how_to_give_one() -> None:
    """By the command."""
    with pytest.raises(Unauthorised, match="auria channels add ig"):
        made(Api(), MemorySecrets()).current()


@pytest.mark.parametrize("token", ["IGAA\u2026", "IGAA\n", "IGAA\u00a0B"])
def test_what_cannot_be_a_token_is_for_the_operator(token: str) -> None:
    """It could not be sent in a header."""
    with pytest.raises(Unauthorised, match="auria channels add ig") as told:
        GraphToken(
            cast("Any", None),
            MemorySecrets({"access_token": token}),
            channel="ig",
            margin=timedelta(1),
            renewable=False,
        ).current()
    assert "IGAA" not in str(told.value)


def test_when_it_ends_is_known() -> None:
    """Of a token that is renewed, once it was."""
    secrets = MemorySecrets({"access_token": "first-token"})
    assert made(Api(), secrets).expires() is None
    known(secrets, expires=5, tried=0)
    ends = made(Api(), secrets).expires()
    assert ends is not None
    assert timedelta(days=4) < ends - datetime.now(UTC) < timedelta(days=6)
    assert made(Api(), secrets, renewable=False).expires() is None
