"""Keys are read one by one from a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
import time

import pytest

READER = """
import fcntl, signal, sys, termios
from auria_bot.cli.terminal.keys import read_key
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
for _ in range(int(sys.argv[1])):
    try:
        print(ascii(read_key()), flush=True)
    except (EOFError, KeyboardInterrupt) as error:
        print(type(error).__name__, flush=True)
"""


def _typed(keys: bytes, count: int) -> list[str]:
    """What a process at a terminal reads when these keys are pressed without Enter."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(count)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while termios.tcgetattr(theirs)[3] & termios.ICANON and time.monotonic() < until:
        time.sleep(0.01)  # it does not wait for a key yet
    os.write(ours, keys)
    said, _ = process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)
    return said.split()


def test_a_key_needs_no_enter_and_letters_of_any_language_arrive_whole():
    """One byte or four, a key is a key."""
    assert _typed("a é 雪".replace(" ", "").encode(), 3) == ["'a'", "'\\xe9'", "'\\u96ea'"]


def test_an_arrow_key_is_one_key():
    """The rest of its sequence is not taken for letters."""
    assert _typed(b"\x1b[A", 1) == ["'\\x1b'"]


@pytest.mark.parametrize(("key", "error"), [(b"\x03", "KeyboardInterrupt"), (b"\x04", "EOFError")])
def test_the_keys_that_leave_do_leave(key, error):
    """Ctrl-C and Ctrl-D mean what they mean everywhere."""
    assert _typed(key, 1) == [error]
