"""Output: safe characters, whole lines when piped, none to a closed pipe."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.cli.terminal import console
from auria_bot.cli.terminal.console import bar, number, resampled, sparkline
from auria_bot.cli.terminal.prompts import TerminalPrompts, require_confirmation
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOSTILE = "a\x1b[2J\x9b31m\x7f\u202eb\u2066c\u200fd\rx\ud800\u2028"
HARMFUL = [char for char in HOSTILE if char not in "a[2J31mbcdx"]


@pytest.mark.parametrize("show", [console.echo, console.note, lambda text: console.out().print(text)])
def test_no_text_redraws_the_terminal(capsys: pytest.CaptureFixture[str], show: Callable[[str], None]):
    """Control characters, DEL, C1 and direction marks become U+FFFD, however they are printed."""
    show(HOSTILE)
    written = "".join(capsys.readouterr())
    assert written.startswith("a\ufffd[2J")
    assert not [char for char in HARMFUL if char in written]
    assert console.printable("tab\tand\nline, déjà vu 俳句 🌊") == "tab\tand\nline, déjà vu 俳句 🌊"


def test_cells_and_facts_are_safe(capsys: pytest.CaptureFixture[str]):
    """In tables and fact sheets too."""
    from rich.text import Text

    console.out().print(console.table("", ("name",), [(HOSTILE,)]))
    console.out().print(console.fact_sheet([("name", Text(HOSTILE)), ("empty", Text(" "))]))
    written = capsys.readouterr().out
    assert not [char for char in HARMFUL if char in written]
    assert "empty" not in written


def test_json_escapes_what_is_harmful(capsys: pytest.CaptureFixture[str]):
    """The document says the same, with escapes; other characters stay as they are."""
    console.print_json({"name": HOSTILE, "poem": "déjà 🌊"})
    written = capsys.readouterr().out
    assert not [char for char in HARMFUL if char in written]
    for escape in ("\\u001b", "\\u009b", "\\u007f", "\\u202e", "\\u2066"):
        assert escape in written
    assert "déjà 🌊" in written
    assert json.loads(written)["name"] == HOSTILE


def test_piped_tables_are_never_cut(capsys: pytest.CaptureFixture[str]):
    """Neither cells nor headers, whatever the width of the terminal beside it."""
    rows = [("x" * 300, "y" * 500, "z" * 900)]
    console.out().print(console.table("", ("first", "second", "third"), rows))
    written = capsys.readouterr().out
    assert all(cell in written for cell in rows[0])
    assert console.single_line("w" * 400, 20) == "w" * 400


def test_piped_lines_end_where_their_text_ends(capsys: pytest.CaptureFixture[str]):
    """No padding at the end of a line, and no empty line around a table."""
    console.out().print(console.table("", ("name", "value"), [("a", "x"), ("b", "a longer value"), ("c", "")]))
    written = capsys.readouterr().out.splitlines()
    assert written[0].split() == ["name", "value"]
    assert written[-1] == "c"
    assert all(line == line.rstrip() for line in written)


def test_headers_stay_whole_on_a_narrow_terminal(capsys: pytest.CaptureFixture[str], screen: Callable[[int], None]):
    """Cells are shortened instead."""
    screen(40)
    console.out().print(console.table("", ("identifier", "channel", "where"), [("x" * 60, "y" * 60, "z" * 20)]))
    assert all(name in capsys.readouterr().out.replace("\n", " ") for name in ("identifier",))
    assert console.single_line("w" * 400, 20) == "w" * 19 + "…"


@pytest.mark.parametrize(("number", "text"), [(0, "0 posts"), (1, "1 post"), (2, "2 posts"), (12_345, "12,345 posts")])
def test_nouns_agree_with_their_number(number: int, text: str):
    """One post, two posts."""
    assert console.counted(number, "post") == text
    assert console.counted(number, "entry", "entries").endswith("entry" if number == 1 else "entries")


def test_moments_are_shown_in_the_operators_zone():
    """To the minute or the second; nothing for none."""
    moment = datetime(2026, 11, 21, 12, 0, 5, tzinfo=UTC)
    assert console.when(moment, "Europe/Paris") == "2026-11-21 13:00"
    assert console.when(moment, "Europe/Paris", seconds=True) == "2026-11-21 13:00:05"
    assert console.when(None, "Europe/Paris") == ""


def test_a_message_that_cannot_be_written_fails_nothing(monkeypatch: pytest.MonkeyPatch):
    """A full disk behind stderr undoes nothing that was done."""

    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    console.note("something")
    with sys.stderr:
        console.note("more")


def run(*arguments: str, home: Path, closed: str = "", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line with streams that the shell closes."""
    shell = f'exec "$@" {closed}'
    known = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    return subprocess.run(
        ["sh", "-c", shell, "sh", sys.executable, "-m", "auria_bot", *arguments],
        env={**known, "AURIA_HOME": str(home), **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_quiet(home: Path, closed: str):
    """A command without stdout or stderr does its work and ends well."""
    done = run("channels", home=home, closed=closed)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)


def test_an_encoding_that_lacks_a_character_replaces_it(home: Path):
    """Nothing fails in a Latin-1 terminal."""
    done = run("moods", home=home, PYTHONIOENCODING="iso-8859-1", PYTHONUTF8="0")
    assert (done.returncode, b"UnicodeEncodeError" in done.stderr) == (0, False)
    assert b"stormy" in done.stdout


def test_questions_without_a_terminal(monkeypatch: pytest.MonkeyPatch):
    """What cannot be undone is not done; the message names the command that does it without asking."""
    with pytest.raises(InputError, match="auria channels remove x --yes"):
        require_confirmation("Remove it?", "auria channels remove x --yes")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda question, **_: question == "Remove it?")
    assert require_confirmation("Remove it?", "") is True


def test_giving_up_at_a_question_interrupts(monkeypatch: pytest.MonkeyPatch):
    """Ctrl-C and Ctrl-D at a prompt end the command as they do elsewhere."""
    import typer

    def give_up(*_: Any, **__: Any) -> None:
        raise typer.Abort

    monkeypatch.setattr("typer.prompt", give_up)
    monkeypatch.setattr("typer.confirm", give_up)
    with pytest.raises(KeyboardInterrupt):
        TerminalPrompts().ask("Name")
    with pytest.raises(KeyboardInterrupt):
        TerminalPrompts().confirm("Sure?")
    monkeypatch.setattr("typer.prompt", lambda *_, **__: " x ")
    assert TerminalPrompts().ask("Name") == "x"


def test_a_sparkline_rises_with_its_numbers():
    """The least at the foot, the greatest at the top, gaps where nothing is known."""
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([100, None, 107]) == "▁ █"
    assert sparkline([]) == ""
    assert sparkline([None, None]) == "  "


def test_a_sparkline_may_begin_at_nought():
    """Then 80 is nearly as high as 100; and a row of noughts lies at the foot, a flat row in the middle or at the top."""
    assert sparkline([80, 100], zero=True) == "▇█"
    assert sparkline([0, 0], zero=True) == "▁▁"
    assert sparkline([5, 5]) == "▄▄"
    assert sparkline([5, 5], zero=True) == "██"


def test_long_series_are_drawn_by_their_parts():
    """Means of equal parts; a short series stays as it is."""
    assert resampled([1, 2, 3], 5) == [1, 2, 3]
    assert resampled([1, 3, 5, 7], 2) == [2, 6]
    assert len(resampled(list(range(1095)), 12)) == 12


def test_a_bar_is_as_long_as_its_share():
    """To half a character; something is never nothing."""
    assert bar(5, 10, 4) == "━━"
    assert bar(5, 10, 5) == "━━╸"
    assert bar(0.001, 10, 4) == "╸"
    assert bar(20, 10, 4) == "━━━━"
    assert (bar(0, 10, 4), bar(None, 10, 4), bar(3, 0, 4)) == ("", "", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (0.0, "0.0"),
        (7, "7"),
        (9999, "9,999"),
        (12345, "12.3k"),
        (99.94, "99.9"),
        (123.4, "123"),
        (999_949, "999.9k"),
        (999_950, "1.0M"),
        (2_500_000, "2.5M"),
        (0.14, "0.1"),
    ],
)
def test_numbers_are_short(value: float | None, text: str):
    """Five characters and a letter at the most, up to a thousand million."""
    assert number(value) == text
    assert len(text) <= 7
