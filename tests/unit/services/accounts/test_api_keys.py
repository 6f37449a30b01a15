"""Keys of the REST interface."""

from __future__ import annotations

import errno
import json
import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import DiskError, InputError, InvalidTransition, NotFound, SettingsError, UnknownName
from auria_bot.redaction import MASK, clear_secrets, redacted
from auria_bot.services.accounts import api_keys as module
from auria_bot.services.accounts.api_keys import ApiKeys
from auria_bot.testing import FakeClock
from tests.overtaken import OvertakenLock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clock() -> FakeClock:
    """The time."""
    return FakeClock()


@pytest.fixture
def keys(tmp_path: Path, clock: FakeClock) -> ApiKeys:
    """No keys yet."""
    return ApiKeys(file=tmp_path / "secrets" / "api-keys.json", clock=clock)


def test_a_key_is_found_by_its_secret_alone(keys: ApiKeys, tmp_path: Path) -> None:
    """The file holds its hash, and only Auria's user can read it."""
    secret = keys.add("bot", ["decide", "read"])
    found = keys.find(secret)
    assert found is not None
    assert (found.name, found.scopes, found.author) == ("bot", ("read", "decide"), "key:bot")
    assert keys.find(secret[:-1] + ("A" if secret[-1] != "A" else "B")) is None
    assert keys.find("auria_") is None
    file = tmp_path / "secrets" / "api-keys.json"
    assert secret not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_ends_when_it_expires_or_is_revoked(keys: ApiKeys, clock: FakeClock) -> None:
    """At once."""
    secret = keys.add("bot", ["read"], expires_at=clock() + timedelta(days=1))
    assert keys.find(secret) is not None
    clock.advance(seconds=86_400)
    assert keys.find(secret) is None
    assert [key.name for key in keys.list()] == ["bot"]
    other = keys.add("other", ["read"])
    keys.revoke("other")
    assert keys.find(other) is None
    with pytest.raises(NotFound):
        keys.revoke("other")


def test_the_last_use_is_written_at_most_once_a_minute(keys: ApiKeys, clock: FakeClock, tmp_path: Path) -> None:
    """Reads in between write nothing."""
    secret = keys.add("bot", ["read"])
    assert keys.list()[0].used_at is None
    keys.find(secret)
    first = keys.list()[0].used_at
    assert first == clock()
    before = (tmp_path / "secrets" / "api-keys.json").read_bytes()
    clock.advance(seconds=59)
    keys.find(secret)
    assert (tmp_path / "secrets" / "api-keys.json").read_bytes() == before
    clock.advance(seconds=1)
    keys.find(secret)
    assert keys.list()[0].used_at == clock()


def test_a_key_is_in_force_where_its_use_cannot_be_recorded(
    keys: ApiKeys, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk is asked once a minute and logged; keys are neither added nor revoked meanwhile."""
    secret = keys.add("bot", ["read"])
    tries = []

    def full(*_: object) -> None:
        tries.append(clock())
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_json", full)
        for seconds in (0, 59, 1):
            clock.advance(seconds=seconds)
            assert keys.find(secret) is not None
        assert len(tries) == caplog.text.count("is not recorded") == 2
        assert secret not in caplog.text
        with pytest.raises(DiskError):
            keys.add("other", ["read"])
        with pytest.raises(DiskError):
            keys.revoke("bot")
    clock.advance(seconds=60)
    keys.find(secret)
    assert keys.list()[0].used_at == clock()


def test_a_key_that_is_revoked_while_its_use_is_written_stays_revoked(
    keys: ApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noting the use does not bring it back."""
    secret = keys.add("bot", ["read"])
    monkeypatch.setattr(module, "file_lock", OvertakenLock(lambda: keys.revoke("bot")))
    assert keys.find(secret) is not None
    assert keys.find(secret) is None
    assert keys.list() == ()


def test_keys_are_bounded(keys: ApiKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal names the command that shows unused ones."""
    monkeypatch.setattr(module, "_MOST", 1)
    keys.add("bot", ["read"])
    with pytest.raises(InvalidTransition, match="there are 1 keys already; `auria keys list` shows unused ones"):
        keys.add("other", ["read"])
    assert [key.name for key in keys.list()] == ["bot"]


def test_what_cannot_be_a_key_is_refused(keys: ApiKeys, clock: FakeClock) -> None:
    """Names, scopes and expiries are checked, and a name stands for one key."""
    with pytest.raises(InputError, match="cannot be a name"):
        keys.add("../bot", ["read"])
    with pytest.raises(UnknownName, match="known: read, decide, make"):
        keys.add("bot", ["rule"])
    with pytest.raises(InputError, match="at least one scope"):
        keys.add("bot", [])
    with pytest.raises(InputError, match="is past"):
        keys.add("bot", ["read"], expires_at=clock())
    keys.add("bot", ["read"])
    with pytest.raises(InvalidTransition, match="auria keys revoke bot"):
        keys.add("bot", ["read"])


def test_a_key_is_masked_wherever_it_is_written(keys: ApiKeys) -> None:
    """Also one that this process never saw."""
    secret = keys.add("bot", ["read"])
    with clear_secrets():
        assert redacted(f"the key {secret} fails") == f"the key auria_{MASK} fails"


def test_a_damaged_file_is_named(keys: ApiKeys, tmp_path: Path) -> None:
    """It is never taken for an empty one."""
    keys.add("bot", ["read"])
    file = tmp_path / "secrets" / "api-keys.json"
    for content in ("{", "[]", json.dumps({"keys": {"a": {"name": "x"}}})):
        file.write_text(content)
        with pytest.raises(SettingsError, match="is damaged"):
            keys.list()
