"""The review, in a real pseudo-terminal: one key per draft."""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.commands import ROOT, Operator

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 180.0  # seconds

PROGRAM = """
import fcntl, signal, termios
from auria_bot.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
main()
"""


class Screen:
    """A terminal with someone before it."""

    def __init__(self, operator: Operator, *arguments: str) -> None:
        import fcntl
        import termios

        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=operator.env,
            cwd=ROOT,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def wait_for(self, words: str) -> str:
        """Wait until the words appear after those waited for last; what was drawn meanwhile."""
        until = time.monotonic() + PATIENCE
        while words not in _plain(self.seen) and time.monotonic() < until and self._read(0.2):
            pass
        before, found, after = _plain(self.seen).partition(words)
        assert found, f"{words!r} never appeared in:\n{before[-2000:]}"
        drawn, self.seen = self.seen, after
        return drawn

    def _read(self, seconds: float) -> bool:
        """Take what the program drew meanwhile; False when it has gone."""
        if select.select([self.ours], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.ours, 65536).decode(errors="replace")
            except OSError:
                return False
        return True

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.ours, keys.encode())

    def end(self) -> int:
        """Wait for the program to leave; its exit code."""
        until = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < until:
            self._read(0.1)
        try:
            return self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def _plain(text: str) -> str:
    """What stands on the screen, without colours."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.fixture
def operator(tmp_path) -> Iterator[Operator]:
    """Someone with three drafts that wait."""
    someone = Operator(tmp_path / "home", COLORTERM="truecolor", TERM="xterm-256color")
    someone.env.pop("TMUX", None)
    someone.env.pop("NO_COLOR", None)
    someone.run("make", "--count", "3", "--seed", "21")
    return someone


def test_each_key_does_what_it_says(operator):
    """Approve, reject with a reason, and skip; each decision is saved at once."""
    screen = Screen(operator, "review")
    drawn = screen.wait_for("quit")
    assert "▀" in drawn  # the picture
    assert operator.json("show", "1")["haiku"][0] in _plain(drawn)
    assert "alt text" in _plain(drawn)
    screen.type("a")
    screen.wait_for("2 of 3")
    assert operator.json("show", "1")["state"] == "approved"
    screen.wait_for("quit")
    screen.type("r")
    screen.wait_for("reason (Enter")
    screen.type("too loud\r")
    screen.wait_for("3 of 3")
    screen.wait_for("quit")
    screen.type("n")
    screen.wait_for("1 still waiting")
    assert screen.end() == 0
    states = {draft["id"]: (draft["state"], draft["reason"]) for draft in operator.json("drafts")}
    assert states == {1: ("approved", ""), 2: ("rejected", "too loud"), 3: ("made", "")}


def test_a_new_version_is_shown_in_the_place_of_the_old(operator):
    """After a restyle the operator sees the new one and can approve it."""
    screen = Screen(operator, "review", "1")
    screen.wait_for("quit")
    screen.type("s")
    screen.wait_for("Enter for another")
    screen.type("\r")
    screen.wait_for("draft  4")
    screen.wait_for("quit")
    screen.type("p")
    screen.wait_for("draft  5")
    screen.wait_for("quit")
    screen.type("a")
    screen.wait_for("1 approved")
    assert screen.end() == 0
    assert {draft["id"]: draft["state"] for draft in operator.json("drafts")} == {
        1: "rejected",
        2: "made",
        3: "made",
        4: "rejected",
        5: "approved",
    }


def test_a_wish_that_cannot_be_fulfilled_is_told_and_the_review_goes_on(operator):
    """An unknown painting costs nothing."""
    screen = Screen(operator, "review", "1")
    screen.wait_for("quit")
    screen.type("s")
    screen.wait_for("Enter for another")
    screen.type("no such painting anywhere\r")
    screen.wait_for("Error: ")
    screen.wait_for("quit")
    screen.type("q")
    screen.wait_for("no decision")
    assert screen.end() == 0
    assert operator.json("show", "1")["state"] == "made"


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("\x04", 0), ("\x03", 130)])
def test_leaving_keeps_everything(operator, key, code):
    """q, Ctrl-D and Ctrl-C leave; the drafts wait on."""
    screen = Screen(operator, "review")
    screen.wait_for("quit")
    screen.type(key)
    assert screen.end() == code
    assert [draft["state"] for draft in operator.json("drafts")] == ["made"] * 3


def test_without_a_terminal_the_other_commands_are_named(operator):
    """A script is told what to use instead."""
    assert "auria approve ID" in operator.run("review", code=4).stderr
