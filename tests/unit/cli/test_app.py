"""The command `auria` as a whole: its start, its help, its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
import typer

from auria_bot.cli.app import COMMANDS
from auria_bot.cli.error_reporting import EXIT_CODES
from tests.scenarios.cli_start import HEAVY, imported

if TYPE_CHECKING:
    from pathlib import Path


def auria(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run([sys.executable, "-m", "auria_bot", *arguments], capture_output=True, text=True, check=False)


def test_the_help_imports_nothing_heavy():
    """The help imports no torch, pydantic, SQLAlchemy, numpy, runtime or rich."""
    assert not imported() & set(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_says_what_the_commands_say(name):
    """The help's sentence is the first one of the command's own docstring."""
    place, words = COMMANDS[name]
    module, _, function = place.partition(":")
    found = getattr(import_module(f"auria_bot.cli.{module}"), function)
    own = found.info.help if isinstance(found, typer.Typer) else found.__doc__.strip().split("\n")[0]
    assert words == own


def test_the_help_explains_every_command_and_exit_code():
    """What may happen stands where the operator looks first."""
    said = auria("--help")
    assert said.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in said.stdout
    for code, words in EXIT_CODES.items():
        assert f"{code:>3}  {words}" in said.stdout


def test_a_slip_of_the_pen_is_answered_with_the_right_word():
    """A usage error is exit code 2 and names the nearest command."""
    said = auria("drafs")
    assert said.returncode == 2
    assert "Did you mean 'drafts'?" in said.stderr


def test_the_version_is_the_packages():
    """One number, wherever it is asked for."""
    from auria_bot import __version__

    assert auria("--version").stdout == f"auria {__version__}\n"


@pytest.mark.parametrize(
    ("shell", "words", "found"),
    [
        ("bash", "auria re", "restyle"),
        ("bash", "auria publish --dr", "--dry-run"),
        ("bash", "auria posts re", "resolve"),
        ("zsh", "auria und", "undo"),
        ("fish", "auria und", "undo"),
    ],
)
def test_shells_complete_commands_and_options(home: Path, shell: str, words: str, found: str) -> None:
    """Also those of groups; `auria --install-completion` sets it up."""
    variables = {
        "_AURIA_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(
        [sys.executable, "-m", "auria_bot"],
        env={**os.environ, "AURIA_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found in done.stdout
    assert done.returncode == 0
