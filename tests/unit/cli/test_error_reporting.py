"""How failed commands end."""

from __future__ import annotations

import errno
import inspect
import sys
from pathlib import Path

import pytest

from auria_bot import errors
from auria_bot.cli.error_reporting import EXIT_CODES, INTERRUPTED, reported, sentence

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.AuriaError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_ends_with_its_own_documented_code_and_without_a_traceback(kind, capsys):
    """Whatever Auria raises on purpose is one sentence on stderr and a code that the help explains."""
    with pytest.raises(SystemExit) as left, reported():
        raise kind("the moon is down")
    said = capsys.readouterr()
    assert left.value.code == kind.exit_code
    assert kind.exit_code in EXIT_CODES
    assert said.out == ""
    assert said.err.startswith("Error: the moon is down\n")
    assert "Traceback" not in said.err


def test_a_path_of_a_user_without_a_home_is_told(capsys):
    """Wherever it was given."""
    with pytest.raises(SystemExit) as left, reported():
        Path("~no-such-user/x").expanduser()
    assert left.value.code == errors.SettingsError.exit_code
    assert "write the whole path" in capsys.readouterr().err


def test_the_hint_belongs_to_the_error():
    """It is the error's own, or its class's; without either nothing is guessed from the exit code."""
    assert sentence(errors.NotFound("no file x", hint="auria corpus import --help")) == (
        "Error: no file x\nNext:  auria corpus import --help"
    )
    assert sentence(errors.StoreError("it failed")).endswith("\nNext:  auria doctor checks the database")
    assert sentence(errors.StoreError("it failed", hint="")) == "Error: it failed"
    assert sentence(errors.NotFound("no file x")) == "Error: no file x"
    assert sentence(errors.Throttled("later", until=None)).partition("\n")[2].startswith("Next:  auria channels check")


def test_a_missing_extra_is_installed_as_auria_was(monkeypatch, tmp_path):
    """By path in a checkout, else by the package's name."""
    error = errors.BackendMissing("figures need matplotlib: pip install 'auria-bot[plot]'")
    assert sentence(error) == "Error: figures need matplotlib: pip install '.[plot]'"
    monkeypatch.setattr("auria_bot.cli.error_reporting.__file__", str(tmp_path / "auria_bot" / "cli" / "x.py"))
    assert sentence(error) == f"Error: {error}"


def test_an_error_that_names_a_command_keeps_its_own_advice():
    """The nearer the advice was written to the fault, the better it is."""
    assert sentence(errors.NotFound("no draft 7; see auria drafts")) == "Error: no draft 7; see auria drafts"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EFBIG, errno.EACCES, errno.EISDIR])
def test_the_disks_refusals_are_one_error_wherever_they_come_from(number, capsys):
    """A full or read-only disk is told as such, even under another library's error."""
    under = RuntimeError("a library failed")
    under.__cause__ = OSError(number, "the disk says no", "/home/auria/x.png")
    with pytest.raises(SystemExit) as left, reported():
        raise under
    assert left.value.code == errors.DiskError.exit_code
    assert capsys.readouterr().err.startswith("Error: /home/auria/x.png: the disk says no\nNext:  ")


def test_a_name_that_is_too_long_is_invalid_input(capsys):
    """Whichever command asked about the file."""
    with pytest.raises(SystemExit) as left, reported():
        Path("x" * 300).exists()
    assert left.value.code == errors.InputError.exit_code
    assert capsys.readouterr().err.startswith("Error: 'xxx")


def test_what_nobody_foresaw_goes_to_a_file_that_is_named(capsys, monkeypatch, tmp_path):
    """The user sees one sentence; the traceback, without secrets, is in a file of the home."""
    monkeypatch.setenv("AURIA_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as left, reported():
        raise ZeroDivisionError("url postgresql://auria:hunter2@db/auria")
    said = capsys.readouterr().err
    (log,) = (tmp_path / "logs").iterdir()
    assert left.value.code == 1
    assert str(log) in said
    assert "Traceback" not in said
    written = log.read_text()
    assert "Traceback" in written
    assert "hunter2" not in written


def test_a_home_that_takes_no_file_does_not_hide_the_error(capsys, monkeypatch, tmp_path):
    """The details then go to the temporary folder."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AURIA_HOME", str(tmp_path / "file"))
    with pytest.raises(SystemExit) as left, reported():
        raise ZeroDivisionError
    assert left.value.code == 1
    assert "error-" in capsys.readouterr().err


def test_debug_shows_the_traceback(capsys):
    """With --debug the developer needs no second look."""
    with pytest.raises(SystemExit), reported(debug=True):
        raise ZeroDivisionError("by nought")
    assert "Traceback" in capsys.readouterr().err


def test_control_characters_of_a_message_never_reach_the_terminal(capsys):
    """A theme or file name cannot redraw the operator's screen."""
    with pytest.raises(SystemExit), reported():
        raise errors.InputError("theme \x1b[2J\u202e is wrong")
    assert "\x1b" not in (said := capsys.readouterr().err)
    assert "\u202e" not in said


def test_interrupting_has_the_shells_code(capsys):
    """Ctrl-C is 130, as for every program."""
    with pytest.raises(SystemExit) as left, reported():
        raise KeyboardInterrupt
    assert left.value.code == INTERRUPTED
    assert "Interrupted" in capsys.readouterr().err


def test_a_success_passes_through():
    """Nothing is reported when nothing failed; a command's own exit is left alone."""
    with reported():
        pass
    with pytest.raises(SystemExit) as left, reported():
        sys.exit(4)
    assert left.value.code == 4


def test_the_torch_extra_is_named_with_its_size() -> None:
    """And with the command that installs the smaller build; other extras have no such line."""
    told = sentence(errors.BackendMissing("this needs torch: pip install 'auria-bot[torch]'"))
    assert "more than 6 GB" in told
    assert "pip install torch --index-url https://download.pytorch.org/whl/cpu" in told
    assert "GB" not in sentence(errors.BackendMissing("figures need matplotlib: pip install 'auria-bot[plot]'"))
