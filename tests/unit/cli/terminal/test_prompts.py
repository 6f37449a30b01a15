"""Keys are read one by one from a real pseudo-terminal."""

from __future__ import annotations

import io
import os
import pty
import shlex
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from auria_bot.cli.terminal import prompts
from auria_bot.errors import InputError, TextRejected, UsageError

READER = """
import fcntl, signal, sys, termios
from auria_bot.cli.terminal.prompts import read_key
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


def _editor(monkeypatch, code: str) -> None:
    """An editor that runs this Python code on the file's content `text`."""
    program = f"import sys, pathlib; p = pathlib.Path(sys.argv[1]); text = p.read_text(); {code}; p.write_text(text)"
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", shlex.join([sys.executable, "-c", program]))


def _texts(text: str = "snow", alt_text: str = "hill", **own: str) -> prompts.EditedTexts:
    return prompts.EditedTexts(text=text, alt_text=alt_text, channel_texts=own)


def test_all_texts_come_back_changed(monkeypatch):
    """Poem, the texts of channels and description stand in one file and are parted again."""
    _editor(monkeypatch, "text = text.replace('snow', 'rain').replace('white', 'grey')")
    before = _texts("first snow\n\n— Auria", "A white hill.", bluesky="snow\n#haiku", x="white")
    after = _texts("first rain\n\n— Auria", "A grey hill.", bluesky="rain\n#haiku", x="grey")
    assert prompts.edit(before, lambda texts: texts) == after


def test_leaving_everything_as_it_is_changes_nothing(monkeypatch):
    """An editor that was only looked into voids no approval."""
    _editor(monkeypatch, "pass")
    assert prompts.edit(_texts(x="ice"), lambda texts: texts) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("text = 'all gone'", "a line between"),
        ("text = text.replace('the text on x', 'about x')", "a line between"),
        ("sys.exit(3)", "exit code 3"),
    ],
)
def test_an_accident_in_the_editor_changes_nothing_and_is_told(monkeypatch, code, words):
    """Losing the parting line or crashing is no edit."""
    _editor(monkeypatch, code)
    with pytest.raises(InputError, match=words):
        prompts.edit(_texts(x="ice"), lambda texts: texts)


def test_what_was_written_is_kept_where_it_cannot_be_saved(monkeypatch, tmp_path):
    """Also a text that must not be published, or a draft that was decided on meanwhile; the message names the file."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def refuse(texts: prompts.EditedTexts) -> None:
        raise TextRejected(f"{texts.text!r} must not be published")

    for code, words in (
        ("text = 'all gone'", "a line between"),
        ("text = text.replace('snow', 'rain')", "'rain' must"),
    ):
        _editor(monkeypatch, code)
        with pytest.raises(InputError, match=words) as raised:
            prompts.edit(_texts(), refuse)
        kept = Path(str(raised.value).partition("what you wrote is kept in ")[2])
        assert kept.parent.parent == tmp_path
        assert ("all gone" if "gone" in code else "rain") in kept.read_text(encoding="utf-8")


def test_an_editor_that_is_not_there_is_named(monkeypatch):
    """The message says which variable to correct, and the way without an editor."""
    monkeypatch.setenv("VISUAL", "no-such-editor-anywhere")
    with pytest.raises(InputError, match=r"VISUAL is 'no-such-editor-anywhere'.*--text"):
        prompts.edit(_texts(x="ice"), lambda texts: texts)


def test_no_editor_is_guessed_without_a_terminal(monkeypatch):
    """It would wait for keys that nobody can press."""
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(UsageError, match=r"needs a terminal; without one use: .*--text"):
        prompts.edit(_texts(x="ice"), lambda texts: texts)


def test_a_missing_confirmation_is_wrong_usage(monkeypatch):
    """The option that confirms is what is missing, and the message names it."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(UsageError, match=r"no terminal to confirm it; .*auria corpus drop x --yes"):
        prompts.require_confirmation("delete x?", "auria corpus drop x --yes")
