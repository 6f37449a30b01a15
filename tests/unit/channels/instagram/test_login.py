"""The way into an account: sessions and what stands in the way, without any network."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auria_bot.channels.instagram.login import InstagramLogin
from auria_bot.errors import Throttled, Unauthorised
from tests.platforms import MemorySecrets


class Client:
    """A client that logs in, or does not."""

    def __init__(self, session: dict[str, Any]) -> None:
        self.settings = dict(session)
        self.password: str | None = None
        self.logins: list[tuple[str, str, str]] = []
        self.failure: Exception | None = None

    @property
    def user_id(self) -> int | None:
        return self.settings.get("authorization_data", {}).get("ds_user_id")

    @property
    def sessionid(self) -> str | None:
        return self.settings.get("authorization_data", {}).get("sessionid")

    @property
    def authorization_data(self) -> dict[str, Any]:
        return dict(self.settings.get("authorization_data", {}))

    def get_settings(self) -> dict[str, Any]:
        return {"uuids": {"phone_id": "p"}, **self.settings, "request_timeout": 0}

    def login(self, username: str, password: str, *, verification_code: str) -> bool:
        self.logins.append((username, password, verification_code))
        if self.failure:
            raise self.failure
        self.settings["authorization_data"] = {"ds_user_id": 5, "sessionid": "s"}
        return True

    @staticmethod
    def totp_generate_code(seed: str) -> str:
        return f"code of {seed}"


def made(secrets: MemorySecrets, *, username: str = "auria", wait: float = 300.0) -> InstagramLogin:
    """The account's login, as in a new process."""
    return InstagramLogin(secrets, channel="ig", username=username, wait=timedelta(seconds=wait), connect=Client)


def test_a_login_is_noted_and_its_session_kept() -> None:
    """The next process finds the session, and not the password in it."""
    secrets = MemorySecrets({"password": "pond", "totp_seed": "AB CD"})
    way = made(secrets)
    client = way.client()
    assert not way.is_signed_in(client)
    way.sign_in(client)
    assert client.logins == [("auria", "pond", "code of ABCD")]
    assert client.password is None
    again = made(secrets)
    assert again.is_signed_in(again.client())
    assert "pond" not in secrets.values["session"]
    assert "request_timeout" not in secrets.values["session"]


def test_another_account_has_another_session() -> None:
    """A session is the account's whose name it bears."""
    secrets = MemorySecrets({"password": "pond"})
    way = made(secrets)
    way.sign_in(way.client())
    other = made(secrets, username="other")
    assert not other.is_signed_in(other.client())


def test_a_failed_login_is_noted_before_it_fails() -> None:
    """An attempt counts although its process is killed; the device is stored, and the wait doubles."""
    secrets = MemorySecrets({"password": "pond"})
    way = made(secrets)
    client = way.client()
    client.failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        way.sign_in(client)
    assert json.loads(secrets.values["login_state"])["failures"] == 1
    assert "phone_id" in secrets.values["session"]
    with pytest.raises(Throttled) as told:
        made(secrets).sign_in(client)
    assert told.value.until is not None
    assert timedelta(minutes=4) < told.value.until - datetime.now(UTC) <= timedelta(minutes=5)


def test_a_wait_is_at_most_a_day() -> None:
    """However many failed."""
    secrets = MemorySecrets({"password": "pond"})
    way = made(secrets)
    way.sign_in(way.client())
    state = json.loads(secrets.values["login_state"])
    secrets.values["login_state"] = json.dumps(state | {"failures": 1000})
    with pytest.raises(Throttled) as told:
        way.sign_in(way.client())
    assert told.value.until is not None
    assert told.value.until - datetime.now(UTC) <= timedelta(days=1)


def test_a_block_is_for_everybody_but_the_operator() -> None:
    """Until the platform honours the session."""
    secrets = MemorySecrets({"password": "pond"})
    way = made(secrets)
    way.sign_in(way.client())
    way.block("a challenge")
    with pytest.raises(Unauthorised, match="a challenge"):
        made(secrets).client()
    assert made(secrets).client(asked=True)
    made(secrets).unblock()
    assert made(secrets).client()


def test_the_state_holds_no_secret() -> None:
    """Only a fingerprint, which another password changes."""
    secrets = MemorySecrets({"password": "pond", "totp_seed": "ABCD"})
    way = made(secrets)
    way.block("a challenge")
    assert "pond" not in secrets.values["login_state"]
    secrets.values["password"] = "lake"  # noqa: S105 - of the tests
    assert made(secrets).client()


@pytest.mark.parametrize("damaged", ["", "nonsense", "[]", "null", "5", '{"for": 3}'])
def test_what_is_damaged_is_as_if_it_were_not_there(damaged: str) -> None:
    """There is a login then."""
    secrets = MemorySecrets({"password": "pond", "session": damaged, "login_state": damaged})
    way = made(secrets)
    client = way.client()
    assert not way.is_signed_in(client)
    way.sign_in(client)
    assert way.is_signed_in(client)


def test_a_damaged_moment_is_none() -> None:
    """A damaged stored time causes no wait."""
    secrets = MemorySecrets({"password": "pond"})
    way = made(secrets)
    way.sign_in(way.client())
    state = json.loads(secrets.values["login_state"])
    for change in ({"at": "soon"}, {"at": 5}, {"failures": "many"}):
        secrets.values["login_state"] = json.dumps(state | {"failures": 1} | change)
        made(secrets).sign_in(Client({}))


def test_a_login_in_the_future_causes_no_wait() -> None:
    """The clock was wrong when it was noted; the wait would last until then."""
    secrets = MemorySecrets({"password": "pond"})
    way = made(secrets)
    way.sign_in(way.client())
    state = json.loads(secrets.values["login_state"])
    later = (datetime.now(UTC) + timedelta(days=4000)).isoformat()
    secrets.values["login_state"] = json.dumps(state | {"failures": 1, "at": later})
    assert way.ended() == ""
    way.sign_in(way.client())


def test_a_session_that_another_process_made_is_used() -> None:
    """And not taken for the one that ended here: neither is it deleted, nor is the channel blocked."""
    secrets = MemorySecrets({"password": "pond"})
    daemon, command = made(secrets), made(secrets)
    daemon.sign_in(daemon.client())
    old = daemon.client()
    command.client().settings["authorization_data"] = {"ds_user_id": 5, "sessionid": "new"}
    command.keep_session(command.client())
    assert daemon.ended() == ""
    assert daemon.client().sessionid == "new"
    assert old.sessionid == "s"
    command.client().settings["authorization_data"] = {"ds_user_id": 5, "sessionid": "newer"}
    command.keep_session(command.client())
    assert daemon.client().sessionid == "newer"
