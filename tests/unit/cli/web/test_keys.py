"""`auria keys`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from auria_bot.cli.web.keys import _expiry, keys
from auria_bot.errors import InputError
from auria_bot.services.accounts.api_keys import SCOPES
from tests.applications import fake_application

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Application:
    """The application of the commands' home."""
    monkeypatch.setenv("AURIA_HOME", str(tmp_path))
    return fake_application(tmp_path)


def run(*arguments: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(keys, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_key_is_printed_once_listed_and_revoked(application: Application) -> None:
    """The list shows no secret."""
    key = run("add", "bot", "--scope", "read", "--scope", "make", "--expires", "never").strip()
    found = application.api_keys.find(key)
    assert found is not None
    assert (found.name, found.scopes, found.expires_at) == ("bot", ("read", "make"), None)
    (listed,) = json.loads(run("list", "--json"))
    assert (listed["name"], listed["scopes"]) == ("bot", ["read", "make"])
    assert key not in run("list")
    run("revoke", "bot")
    assert json.loads(run("list", "--json")) == []


def test_the_help_names_every_scope() -> None:
    """Where it is chosen."""
    listed = run("add", "--help").partition("--scope")[2].partition("--expires")[0]
    assert all(scope in listed for scope in SCOPES)


def test_a_key_expires_after_a_year_unless_said_otherwise(application: Application) -> None:
    """And reads alone."""
    made = json.loads(run("add", "bot", "--json"))
    found = application.api_keys.find(made["key"])
    assert found is not None
    assert found.expires_at is not None
    assert (found.scopes, round((found.expires_at - found.added_at).total_seconds() / 86_400)) == (("read",), 365)


def test_an_expiry_is_a_day_a_span_or_never() -> None:
    """A day begins in the operator's time zone."""
    zone = ZoneInfo("Europe/Berlin")
    assert _expiry("never", NOW, zone) is None
    assert _expiry("2 d", NOW, zone) == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert _expiry("2027-01-31", NOW, zone) == datetime(2027, 1, 30, 23, 0, tzinfo=UTC)
    for wrong in ("soon", "12:30", "2027-13-31", "-3d"):
        with pytest.raises(InputError):
            _expiry(wrong, NOW, zone)
