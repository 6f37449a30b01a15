"""The command line: one file per group of commands; `main` is what the command `auria` runs.

Heavy imports stand inside the commands, so that `auria --help` starts in a moment; rich, pydantic, SQLAlchemy and
the runtimes are only imported by the commands that need them.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line on the process's own arguments; never returns."""
    import sys

    from auria_bot.cli.error_reporting import reported
    from auria_bot.execution.parent_watch import watch_parent

    watch_parent()
    with reported(debug="--debug" in sys.argv):
        from auria_bot.cli.app import app

        app(prog_name="auria")
