"""The command line: a package for each group of commands; `main` is the entry point of `auria`.

A command parses, calls a service and prints. Heavy imports stand inside the commands, so that `auria --help` starts
fast.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import takewhile

__all__ = ["main"]


class _Ended(SystemExit):
    """The process was told to end by a signal; it ends as if killed by it, once temporary files are removed."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


def main() -> None:
    """Run the command line on the process's own arguments; never returns."""
    try:
        _run()
    except KeyboardInterrupt:  # before `reported`, which says so
        sys.exit(128 + signal.SIGINT)


def _run() -> None:
    from auria_bot.cli.error_reporting import reported
    from auria_bot.cli.terminal.console import prepare_streams
    from auria_bot.execution.parent_watch import watch_parent

    watch_parent()
    prepare_streams()
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # else ignored, as under nohup
            signal.signal(number, _end)
    try:
        before_command = takewhile(lambda word: word.startswith("-"), sys.argv[1:])  # `auria train` has one of its own
        with reported(debug="--debug" in before_command):
            from auria_bot.cli.app import app

            app(prog_name="auria")
    except _Ended as ended:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.kill(os.getpid(), ended.number)
        raise


def _end(number: int, _: object) -> None:
    if number != signal.SIGTERM and signal.getsignal(signal.SIGTERM) not in {_end, signal.SIG_DFL, signal.SIG_IGN}:
        signal.raise_signal(signal.SIGTERM)  # a server or a training ends in an orderly way by that
        return
    signal.signal(number, signal.SIG_DFL)
    raise _Ended(number)
