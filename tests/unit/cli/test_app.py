"""The command `auria` as a whole: its start, its help, its exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.main import get_command

from auria_bot.cli.app import COMMANDS, app
from auria_bot.cli.error_reporting import EXIT_CODES
from tests.scenarios.cli_start import HEAVY, imported

if TYPE_CHECKING:
    from collections.abc import Iterator

README = Path(__file__).parents[3] / "README.md"


def auria(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run([sys.executable, "-m", "auria_bot", *arguments], capture_output=True, text=True, check=False)


def test_the_help_imports_nothing_heavy():
    """The help imports no torch, pydantic, SQLAlchemy, numpy, runtime or rich."""
    assert not imported() & set(HEAVY)


def _own_docstring(place: str) -> str | None:
    """The docstring of a command, or of a group's callback; None for a group whose help the table has."""
    module, _, name = place.partition(":")
    found: Any = getattr(import_module(f"auria_bot.cli.{module}"), name)
    if isinstance(found, typer.Typer):
        called = found.registered_callback
        found = called and not found.info.help and called.callback
    return found.__doc__ if found else None


def test_the_table_of_commands_says_what_the_commands_say():
    """The help's sentence is the first one of the command's own docstring."""
    own = {name: found for name, (place, _) in COMMANDS.items() if (found := _own_docstring(place))}
    assert {"make", "web", "portrait"} <= set(own)
    assert {name: words.strip().split("\n")[0] for name, words in own.items()} == {
        name: COMMANDS[name][1] for name in own
    }


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ("web", "set web.url to the public address"),  # what its callback says
        ("portrait", "The same seed gives the same portrait."),
        ("keys", COMMANDS["keys"][1]),  # it has no callback
        ("channels", COMMANDS["channels"][1]),  # its callback is the command `list`
    ],
)
def test_the_help_of_a_group_says_all_that_there_is_to_say(group, said):
    """Its callback's docstring to the end, or the sentence of the table."""
    root: Any = get_command(app)
    assert said in " ".join(root.get_command(None, group).help.split())


def test_the_help_explains_every_command_and_exit_code():
    """What may happen stands where the operator looks first."""
    said = auria("--help")
    assert said.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in said.stdout
    for code, words in EXIT_CODES.items():
        assert f"{code:>3}  {words}" in said.stdout


def _commands(command: Any, path: str = "auria") -> Iterator[tuple[str, Any]]:
    yield path, command
    names = command.list_commands(None) if hasattr(command, "list_commands") else ()
    for name in names:
        yield from _commands(command.get_command(None, name), f"{path} {name}")


def test_no_help_shows_types_marks_or_cut_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are named as their options, summaries are whole, and nothing is wider than 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    for path, command in _commands(get_command(app)):
        text = command.make_context(path, [], resilient_parsing=True).get_help()
        assert not re.search(r"<[a-z]+( range|\[\w+\])?>|\\b|\w\.\.\.$", text, re.MULTILINE), text
        assert max(map(len, text.splitlines())) <= 80, text


def test_an_option_has_the_same_letter_in_every_command():
    """Where it means the same."""
    letters = {"--channel": "-c", "--count": "-n", "--limit": "-n", "--mood": "-m", "--out": "-o", "--seed": "-s"}
    letters |= {"--theme": "-t", "--yes": "-y"}
    for path, command in _commands(get_command(app)):
        for name, letter in letters.items():
            assert all(letter in param.opts for param in command.params if name in param.opts), (path, name)


def test_the_readme_has_the_same_exit_codes():
    """Row by row."""
    rows = re.findall(
        r"^\| (\d+) \| (.+?)(?: \(`auria --debug COMMAND` shows them\))? \|$", README.read_text("utf-8"), re.MULTILINE
    )
    assert {int(code): meaning for code, meaning in rows if int(code) in EXIT_CODES} == EXIT_CODES


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
