"""The command line: a package for each group of commands; `main` is the entry point of `auria`.

A command parses, calls a service and prints. Heavy imports stand inside the commands, so that `auria --help` starts
fast.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line on the process's own arguments; never returns."""
    import sys

    from auria_bot.cli.error_reporting import reported
    from auria_bot.cli.terminal.console import prepare_streams
    from auria_bot.execution.parent_watch import watch_parent

    watch_parent()
    prepare_streams()
    with reported(debug="--debug" in sys.argv):
        from auria_bot.cli.app import app

        app(prog_name="auria")
