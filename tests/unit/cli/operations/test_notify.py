"""A notice can be said although there is neither a database nor a file of settings that can be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from auria_bot.cli.app import app
from auria_bot.errors import InputError
from auria_bot.execution import parent_watch
from tests.scenarios.outages import Listener

if TYPE_CHECKING:
    from pathlib import Path

NOTICE = {"kind": "standstill", "subject": "database", "title": "Auria stands still", "body": "It is away."}


@pytest.fixture(autouse=True)
def _hopeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home whose settings are wrong, and whose database is a folder."""
    (tmp_path / "auria.toml").write_text("[studio\n", encoding="utf-8")
    (tmp_path / "auria.db").mkdir()
    monkeypatch.setenv("AURIA_HOME", str(tmp_path))


@pytest.mark.filterwarnings("ignore:'.*' is deprecated:DeprecationWarning")
def test_a_notice_is_relayed(monkeypatch: pytest.MonkeyPatch):
    """To each address but those that have it; the answer tells which have it now, and never shows an address."""
    pytest.importorskip("apprise")
    answers: list[dict] = []
    monkeypatch.setattr(parent_watch, "send", answers.append)
    with Listener() as listener:
        given = {"addresses": [listener.address, "json://me:s3cret@127.0.0.1:1/x"], "delivered": [], "notice": NOTICE}
        done = CliRunner().invoke(app, ["notify", "relay"], input=json.dumps(given))
        (answer,) = answers
        assert (done.exit_code, len(answer["delivered"]), answer["failed"]) == (1, 1, ("address 2 (json)",))
        assert "s3cret" not in done.output
        again = {**given, "addresses": [listener.address], "delivered": answer["delivered"]}
        assert CliRunner().invoke(app, ["notify", "relay"], input=json.dumps(again)).exit_code == 0
        assert listener.titles == ["Auria stands still"]


@pytest.mark.parametrize(
    "given", ["", "[]", '{"addresses": []}', '{"addresses": [], "delivered": [], "notice": {"a": 1}}']
)
def test_words_that_cannot_be_read_are_refused(given: str):
    """With a sentence."""
    done = CliRunner().invoke(app, ["notify", "relay"], input=given)
    assert isinstance(done.exception, InputError)
