"""The man page is made from the commands when a wheel is built, so it cannot be stale."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.main import get_command

from auria_bot.cli.app import COMMANDS, app

ROOT = Path(__file__).resolve().parents[2]


def _module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> str:
    """The page."""
    return str(_module("docs/manual.py").page("1.2.3"))


def test_every_command_and_option_is_in_the_page(page: str):
    """Those of groups too; hidden ones are not."""
    plain = page.replace("\\-", "-")
    root: Any = get_command(app)
    for name in COMMANDS:
        command = root.get_command(None, name)
        for sub in getattr(command, "commands", {"": command}).values():
            assert f".SS auria {name}" in plain
            for one in sub.params:
                if one.param_type_name == "option" and not one.hidden and one.name != "help":
                    assert all(f"\\fB{flag}\\fR" in plain for flag in one.opts), (name, one.name)
    assert "--scheduled" not in plain
    for heading in ("NAME", "SYNOPSIS", "COMMANDS", "ENVIRONMENT", "FILES", "EXIT STATUS"):
        assert f".SH {heading}\n" in page


def test_the_page_is_one_that_troff_reads(page: str):
    """Without a warning, and no line of text is taken for a request."""
    macros = {"TH", "SH", "SS", "PP", "TP", "B", "I"}
    assert {found[1] for line in page.splitlines() if (found := re.match(r"[.'](\w+)", line))} <= macros
    if groff := shutil.which("groff"):
        done = subprocess.run(
            [groff, "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True, check=True
        )
        assert not done.stderr


def test_a_wheel_installs_it(tmp_path: Path):
    """As share/man/man1/auria.1; an editable install does without."""
    pytest.importorskip("hatchling")
    hook = SimpleNamespace(root=str(ROOT), directory=str(tmp_path), metadata=SimpleNamespace(version="1.2.3"))
    initialize = _module("hatch_build.py").ManualHook.initialize
    for kind, installed in (("editable", {}), ("standard", {str(tmp_path / "auria.1"): "share/man/man1/auria.1"})):
        data: dict[str, Any] = {"shared_data": {}}
        initialize(hook, kind, data)
        assert data["shared_data"] == installed
    assert '"auria-bot 1.2.3"' in (tmp_path / "auria.1").read_text()
