"""The man page, made from the commands of the command line.

A wheel installs it as share/man/man1/auria.1 (hatch_build.py); `make man` shows it.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import inspect
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from typer.main import get_command

from auria_bot.cli.app import app
from auria_bot.cli.error_reporting import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["page"]

_ENVIRONMENT = {
    "AURIA_HOME": "The folder with the database, pictures, runs and settings. Default: ~/.local/share/auria.",
    "AURIA_CONFIG": "A file of settings instead of auria.toml in the home.",
    "AURIA_SECTION__NAME": "A setting, such as AURIA_STUDIO__COUNT=3; it goes before the file.",
    "AURIA_SECRET_CHANNEL_NAME": "A secret of a channel, such as AURIA_SECRET_X_API_KEY.",
}
_FILES = {
    "auria.toml": "The settings, in the home. auria config shows those in force.",
    "auria.db": "The database, in the home, unless database.url names PostgreSQL.",
    "backups/": "The backups, in the home, unless maintenance.backup_folder names another folder.",
}


def page(version: str) -> str:
    """The man page, in the language of groff's man macros."""
    root = get_command(app)
    lines = [
        f'.TH AURIA 1 "" "auria-bot {version}" "User Commands"',
        ".SH NAME",
        f"auria \\- {_text(str(root.help).partition('.')[0])}",
        ".SH SYNOPSIS",
        ".B auria",
        ".I COMMAND",
        "[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...",
        ".SH OPTIONS",
        *_parameters(root),
        ".SH COMMANDS",
    ]
    for name in root.list_commands(None):  # type: ignore[attr-defined]
        lines += _command(root.get_command(None, name), f"auria {name}")  # type: ignore[attr-defined]
    lines += [".SH ENVIRONMENT", *_facts(_ENVIRONMENT), ".SH FILES", *_facts(_FILES), ".SH EXIT STATUS"]
    lines += _facts({str(code): meaning for code, meaning in EXIT_CODES.items()})
    return "\n".join(lines) + "\n"


def _command(command: Any, path: str) -> Iterator[str]:
    """A command's section, or those of a group's commands."""
    if command.hidden:
        return
    arguments = [_metavar(one) for one in command.params if one.param_type_name == "argument"]
    within = getattr(command, "commands", None)
    yield f".SS {_text(' '.join([path, *arguments] if not within else [path, 'COMMAND']))}"
    for number, paragraph in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        yield from ([".PP"] if number else [])
        yield _text(" ".join(paragraph.replace("\b", "").replace("\f", "").split()))
    yield from _parameters(command)
    for name in within or ():
        yield from _command(within[name], f"{path} {name}")


def _parameters(command: Any) -> Iterator[str]:
    """Arguments and options, each with its help."""
    for one in command.params:
        if getattr(one, "hidden", False) or one.name in {"help", "install_completion", "show_completion"}:
            continue
        names = _metavar(one)
        if one.param_type_name == "option":
            flags = ", ".join(f"\\fB{_text(flag)}\\fR" for flag in [*one.opts, *one.secondary_opts])
            names = flags if one.is_flag else f"{flags} \\fI{_text(_metavar(one))}\\fR"
        yield from (".TP", names, _text(" ".join((one.help or "").split())) or "\\&")


def _metavar(one: Any) -> str:
    return f"{one.metavar}..." if one.nargs == -1 else str(one.metavar)


def _facts(facts: dict[str, str]) -> Iterator[str]:
    for name, meaning in facts.items():
        yield from (".TP", f"\\fB{_text(name)}\\fR", _text(meaning))


def _text(text: str) -> str:
    """Escape what troff would read as its own."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in {".", "'"} else escaped


if __name__ == "__main__":
    sys.stdout.write(page(metadata.version("auria-bot")))
