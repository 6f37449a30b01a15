"""`auria web`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from auria_bot.cli.web.web import web
from auria_bot.errors import BackendMissing
from tests.exhibited import exhibited

if TYPE_CHECKING:
    from pathlib import Path


def run(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """Run the command in a home."""
    monkeypatch.setenv("AURIA_HOME", str(home))
    return CliRunner().invoke(web, list(arguments), catch_exceptions=False)


def test_an_export_says_what_it_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Works, pages and files are counted."""
    exhibited(tmp_path / "home", 1).close()
    result = run(tmp_path / "home", monkeypatch, "export", str(tmp_path / "out"))
    assert "1 works on 8 pages" in result.stderr
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the packages the message says what to install."""
    for name in [name for name in sys.modules if name.startswith("auria_bot.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    with pytest.raises(BackendMissing, match=r"pip install 'auria-bot\[web\]'"):
        run(tmp_path, monkeypatch, "export", str(tmp_path / "out"))
