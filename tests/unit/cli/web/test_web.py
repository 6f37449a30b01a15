"""`auria web`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from auria_bot.cli.web.web import web
from auria_bot.services.accounts.passkeys import Passkeys
from tests.authenticator import Authenticator
from tests.exhibited import exhibited

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def run(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """Run the command in a home."""
    monkeypatch.setenv("AURIA_HOME", str(home))
    return CliRunner().invoke(web, list(arguments), catch_exceptions=False)


def test_an_export_says_what_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Works, pages and files are counted, and each new work is named: its pictures take seconds."""
    exhibited(tmp_path / "home", 1).close()
    result = run(tmp_path / "home", monkeypatch, "export", str(tmp_path / "out"))
    assert "1 work on 8 pages" in result.stderr
    assert "[0/1] exporting old pond number 1" in result.stderr
    assert "exporting" not in run(tmp_path / "home", monkeypatch, "export", str(tmp_path / "out")).stderr
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    """Without the packages the message says what to install."""
    code = (
        "import sys; sys.modules['fastapi'] = None; sys.argv = ['auria', 'web', 'export', 'out']; "
        "from auria_bot.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"AURIA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "pip install" in done.stderr
    assert "[web]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_browser_with_windows_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the operator asks for it and there is a display, once the server answers."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("auria_bot.web.server.serve", lambda _, *, ready: ready() if ready else None)
    monkeypatch.setattr("auria_bot.telemetry.set_up", lambda **_: None)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("auria_bot.cli.web.web.sys.platform", "linux")
    for display, arguments in (("", ["--open"]), (":0", []), (":0", ["--open"])):
        monkeypatch.setenv("DISPLAY", display)
        run(tmp_path, monkeypatch, *arguments)
    assert opened == ["http://127.0.0.1:8620"]


def test_the_terminal_lists_and_removes_passkeys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their short ids; whoever lost a device is not kept in by it."""
    application = exhibited(tmp_path, 0)
    application.accounts.add("ada", "a long password")
    empty = run(tmp_path, monkeypatch, "operators", "passkeys", "ada")
    assert "has no passkey" in empty.stderr
    passkeys = Passkeys(accounts=application.accounts, site="https://auria.example", clock=application.clock)
    device = Authenticator(origin="https://auria.example", host="auria.example")
    added = passkeys.add("ada", device.made(passkeys.options_to_add("ada")), called="phone")
    application.close()
    assert f"{added.id}  phone" in run(tmp_path, monkeypatch, "operators", "passkeys", "ada").stdout
    listed = json.loads(run(tmp_path, monkeypatch, "operators", "passkeys", "ada", "--json").stdout)
    assert [(one["id"], one["name"], one["used_at"]) for one in listed] == [(added.id, "phone", None)]
    run(tmp_path, monkeypatch, "operators", "passkeys", "ada", "--remove", added.id)
    assert passkeys.list("ada") == ()
