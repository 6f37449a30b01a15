"""Single keys from a terminal, without Enter."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_terminal", "read_key"]

ESCAPE = "\x1b"


def is_terminal() -> bool:
    """Whether both stdin and stdout are terminals."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def read_key() -> str:
    """Wait for one key press and return its character; a special key returns the escape character.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        EOFError: Ctrl-D, or the terminal was closed.
        InputError: the input is not a terminal.
    """
    if not sys.stdin.isatty():
        raise InputError("there is no terminal to read keys from; decide with auria approve ID or auria reject ID")
    key = _read()
    if key == "\x03":
        raise KeyboardInterrupt
    # Ctrl-D that was pressed while the terminal still collected lines is handed over as NUL.
    if key in {"", "\x04", "\x00"}:
        raise EOFError
    return key


if sys.platform == "win32":

    def _read() -> str:
        import msvcrt

        key = msvcrt.getwch()
        if key in {"\x00", "\xe0"}:  # the first half of a special key
            msvcrt.getwch()
            return ESCAPE
        return key

else:

    def _read() -> str:
        handle = sys.stdin.fileno()
        with _unbuffered(handle):
            first = os.read(handle, 1)
            if first == ESCAPE.encode():
                _drain(handle)
                return ESCAPE
            wanted = _length(first)
            while 0 < len(first) < wanted:
                more = os.read(handle, 1)
                if not more:
                    break
                first += more
        return first.decode("utf-8", errors="replace")

    @contextlib.contextmanager
    def _unbuffered(handle: int) -> Iterator[None]:
        import termios
        import tty

        before = termios.tcgetattr(handle)
        try:
            tty.setcbreak(handle, termios.TCSADRAIN)
            yield
        finally:
            termios.tcsetattr(handle, termios.TCSADRAIN, before)

    def _drain(handle: int) -> None:
        """Read the rest of a special key's sequence, which arrives at once."""
        import select

        while select.select([handle], [], [], 0.02)[0] and os.read(handle, 32):
            pass


def _length(first: bytes) -> int:
    """How many bytes a UTF-8 character takes, by its first."""
    lead = first[0] if first else 0
    return 4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2 if lead >= 0xC0 else 1
