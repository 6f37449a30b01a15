"""A draft's words in the operator's own editor."""

from __future__ import annotations

import shlex
import sys

import pytest

from auria_bot.cli.terminal import editor
from auria_bot.errors import InputError


def _editor(monkeypatch, code: str) -> None:
    """An editor that runs this Python code on the file's content `text`."""
    program = f"import sys, pathlib; p = pathlib.Path(sys.argv[1]); text = p.read_text(); {code}; p.write_text(text)"
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", shlex.join([sys.executable, "-c", program]))


def test_both_texts_come_back_changed(monkeypatch):
    """Poem and description stand in one file and are parted again."""
    _editor(monkeypatch, "text = text.replace('snow', 'rain').replace('white', 'grey')")
    assert editor.edit("first snow\n\n— Auria", "A white hill.") == ("first rain\n\n— Auria", "A grey hill.")


def test_leaving_everything_as_it_is_changes_nothing(monkeypatch):
    """An editor that was only looked into voids no approval."""
    _editor(monkeypatch, "pass")
    assert editor.edit("snow", "hill") is None


@pytest.mark.parametrize(
    ("code", "words"),
    [("text = 'all gone'", "the line between"), ("sys.exit(3)", "exit code 3")],
)
def test_an_accident_in_the_editor_changes_nothing_and_is_told(monkeypatch, code, words):
    """Losing the parting line or crashing is no edit."""
    _editor(monkeypatch, code)
    with pytest.raises(InputError, match=words):
        editor.edit("snow", "hill")


def test_an_editor_that_is_not_there_is_named(monkeypatch):
    """The message says which variable to correct, and the way without an editor."""
    monkeypatch.setenv("VISUAL", "no-such-editor-anywhere")
    with pytest.raises(InputError, match=r"VISUAL is 'no-such-editor-anywhere'.*--text"):
        editor.edit("snow", "hill")
