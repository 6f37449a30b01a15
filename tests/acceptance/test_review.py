"""The review, in a real pseudo-terminal: one key per draft."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.commands import ROOT, Operator

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 180.0  # seconds

PROGRAM = """
import fcntl, signal, termios
from auria_bot.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
main()
"""


class Screen:
    """A terminal of fixed size and what it shows."""

    def __init__(self, operator: Operator, *arguments: str, size: tuple[int, int] = (100, 40)) -> None:
        import fcntl
        import termios

        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
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
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a read may end within a character

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
                self.seen += self._decoder.decode(os.read(self.ours, 65536))
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


def rows_of(drawn: str, columns: int, rows: int) -> list[str]:
    """What a terminal of that size shows: text, line feeds, cursor positions and clearing are interpreted."""
    grid, y, x = [[" "] * columns for _ in range(rows)], 0, 0
    drawn = drawn[drawn.rindex("\x1b[2J") :]
    for place, clear, char in re.findall(r"\x1b\[(\d+;\d+)?H|\x1b\[(2J)|\x1b\[[0-9;?]*[A-GI-Za-z]|([^\x1b])", drawn):
        if clear:
            grid, y, x = [[" "] * columns for _ in range(rows)], 0, 0
        elif place:
            y, x = (int(number) - 1 for number in place.split(";"))
        elif char == "\n":
            y, x = y + 1, 0
        elif char == "\r":
            x = 0
        elif char:
            assert x < columns, f"row {y} is too long: {''.join(grid[y])}"
            assert y < rows, "the screen scrolls"
            assert grid[y][x] == " ", f"written over in row {y}: {''.join(grid[y])}"
            grid[y][x], x = char, x + 1
    return ["".join(row).rstrip() for row in grid]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A home with three drafts, which each test has a copy of."""
    home = tmp_path_factory.mktemp("review") / "home"
    Operator(home).run("make", "--count", "3", "--seed", "21")
    return home


@pytest.fixture
def operator(made, tmp_path) -> Operator:
    """An operator with three drafts to review."""
    someone = Operator(shutil.copytree(made, tmp_path / "home"), COLORTERM="truecolor", TERM="xterm-256color")
    someone.env.pop("TMUX", None)
    someone.env.pop("NO_COLOR", None)
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
    screen.wait_for("draft 4,")
    screen.wait_for("quit")
    screen.type("p")
    screen.wait_for("draft 5,")
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


def test_an_earlier_version_can_be_approved(operator):
    """The key o shows the version that was replaced; its approval rejects the one that took its place."""
    operator.run("edit", "1", "--text", "words of my own")
    screen = Screen(operator, "review", "1", size=(80, 24))
    screen.wait_for("quit")
    screen.type("o")
    screen.wait_for("there is no other version")
    screen.wait_for("quit")
    screen.type("s")
    screen.wait_for("Enter for another")
    screen.type("\r")
    screen.wait_for("your text kept")
    screen.wait_for("quit")
    screen.type("o")
    screen.wait_for("version 1 of 2")
    screen.wait_for("quit")
    screen.type("a")
    screen.wait_for("1 approved")
    assert screen.end() == 0
    assert operator.json("show", "4")["text"] == "words of my own"
    assert operator.json("show", "1")["versions"] == [{"id": 1, "state": "approved"}, {"id": 4, "state": "rejected"}]


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


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (200, 60), (45, 70)])
def test_a_draft_fits_on_the_screen(operator, size):
    """Picture, poem, post, alt text and keys are all visible; nothing scrolls or is written over."""
    screen = Screen(operator, "review", size=size)
    shown = rows_of(screen.wait_for("quit"), *size)
    draft = operator.json("show", "1")
    text = "\n".join(shown)
    assert "▀▀▀" in shown[0]
    assert all(line in text for line in draft["haiku"])
    assert all(name in text for name in ("draft 1", "1 of 3", "alt text", "channels  folder", draft["mood"]))
    words = [word for row in shown for word in row.replace("▀", " ").split()]
    assert all(word in words for word in [*draft["alt_text"].split(), *draft["text"].split()])
    assert "a approve" in text
    assert shown[-2].endswith("q quit")
    assert shown[-1] == ""
    screen.type("q")
    assert screen.end() == 0


def test_the_last_decision_is_undone_and_the_keys_are_listed(operator):
    """The key u goes back to the draft that was decided on last; ? lists every key, v shows everything."""
    screen = Screen(operator, "review", size=(80, 24))
    screen.wait_for("quit")
    screen.type("u")
    screen.wait_for("nothing was decided")
    screen.wait_for("quit")
    screen.type("a")
    screen.wait_for("2 of 3")
    screen.wait_for("quit")
    screen.type("u")
    screen.wait_for("draft 1, made")
    screen.wait_for("undone")
    assert operator.json("show", "1")["state"] == "made"
    screen.wait_for("quit")
    screen.type("?")
    screen.wait_for("take back the last decision")
    screen.wait_for("any key")
    screen.type("x")
    screen.wait_for("quit")
    screen.type("v")
    screen.wait_for("seed")
    screen.wait_for("any key")
    screen.type("x")
    screen.wait_for("quit")
    screen.type("s")
    screen.wait_for("Enter for another")
    screen.type("\r")
    screen.wait_for("draft 4 replaces draft 1")
    screen.wait_for("quit")
    screen.type("u")
    screen.wait_for("draft 1, made")
    screen.wait_for("quit")
    screen.type("q")
    screen.wait_for("no decision; 4 still waiting")
    assert screen.end() == 0


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
    assert "auria approve ID" in operator.run("review", code=2).stderr
