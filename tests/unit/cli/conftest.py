"""The command line in this process, on a home of its own."""

from __future__ import annotations

import io
import os
import shutil
import sys
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from auria_bot.cli.app import app
from auria_bot.cli.error_reporting import reported
from auria_bot.redaction import clear_secrets
from tests.applications import fake_application, migrated_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeChannel


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with a database, and nothing of the test's own environment."""
    for name in list(os.environ):
        if name.startswith("AURIA_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    if not (folder / "auria.db").exists():  # an application of fakes may live there already
        folder.mkdir(exist_ok=True)
        shutil.copyfile(migrated_database(), folder / "auria.db")
    monkeypatch.setenv("AURIA_HOME", str(folder))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with clear_secrets():
        yield folder


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """An application of fakes that every command opens."""
    with closing(fake_application(tmp_path / "home")) as made:
        monkeypatch.setattr("auria_bot.bootstrap.application.build", lambda *_, **__: made)
        yield made


@pytest.fixture
def channel(application: Application) -> FakeChannel:
    """The application's fake channel."""
    return cast("FakeChannel", application.channels["fake"]())


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes stdout a terminal of so many columns, as far as layout is concerned."""

    def set_width(columns: int) -> None:
        monkeypatch.setattr("auria_bot.cli.terminal.console.is_terminal", lambda: True)
        monkeypatch.setattr("auria_bot.cli.engagement.stats.is_terminal", lambda: True)
        monkeypatch.setenv("COLUMNS", str(columns))

    return set_width


@pytest.fixture
def auria(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command as `main` does: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as done, reported():
            app(list(arguments), prog_name="auria")
        return (int(done.value.code or 0), *capsys.readouterr())

    return run
