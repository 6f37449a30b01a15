"""`auria web webhooks`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from auria_bot.cli.web.webhooks import webhooks
from auria_bot.errors import NotFound
from auria_bot.secret_store import SecretStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a webhook in its settings."""
    (tmp_path / "auria.toml").write_text('[web.webhooks.mine]\nurl = "https://example.org/hook"\n')
    monkeypatch.setenv("AURIA_HOME", str(tmp_path))
    return tmp_path


def run(*arguments: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(webhooks, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_secret_is_printed_once_and_kept(home: Path) -> None:
    """The list says that there is one, and not which."""
    assert json.loads(run("list", "--json"))[0]["has_secret"] is False
    made = run("secret", "mine").strip()
    assert made.startswith("whsec_")
    assert SecretStore(home, "webhook-mine").get("secret") == made
    (listed,) = json.loads(run("list", "--json"))
    assert (listed["name"], listed["has_secret"]) == ("mine", True)
    assert made not in run("list")


@pytest.mark.usefixtures("home")
def test_an_unknown_webhook_is_named_with_the_known_ones() -> None:
    """And how to set one."""
    for command in ("secret", "test"):
        with pytest.raises(NotFound, match="known: mine"):
            CliRunner().invoke(webhooks, [command, "other"], catch_exceptions=False)
