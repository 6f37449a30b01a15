"""The screen of the review; how it looks in a terminal is tested in tests/acceptance/test_review.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from auria_bot.cli.studio.review import KEYS, Page, help_text, show_page
from auria_bot.cli.terminal.pictures import Drawing
from auria_bot.domain.draft import Draft, DraftState
from tests.factories import NOW, artwork

if TYPE_CHECKING:
    import pytest


def page(**changes: Any) -> Page:
    """A draft that waits, its picture gone."""
    texts: dict[str, Any] = {"text": "another text\n\n#haiku", "alt_text": "A painting of a lake.", **changes}
    draft = Draft(
        id=7, artwork=artwork(), folder="run-1", picture_sha256="", state=DraftState.MADE, made_at=NOW, **texts
    )
    return Page(draft=draft, position="1 of 3", channels=("folder",), picture=None, message="saved")


def shown(page: Page, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: int = 24) -> str:
    """What is written to a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", str(rows))
    show_page(page, Console(force_terminal=True, color_system=None, width=80), Drawing.BLOCKS)
    return capsys.readouterr().out


def test_everything_that_decides_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Poem, post, alt text, channels, message and keys; a missing picture is said."""
    written = shown(page(), monkeypatch, capsys)
    for words in ("draft 7", "1 of 3", "stone number 1", "another text", "#haiku", "A painting of a lake.", "folder"):
        assert words in written
    for words in ("the picture is missing", "saved", "approve", "quit"):
        assert words in written
    assert "shows all" not in written


def test_what_is_too_long_is_cut_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No row is wider than the screen, and the other texts stay whole."""
    written = shown(page(alt_text="lake " * 400), monkeypatch, capsys)
    assert "v shows all" in written
    assert "another text" in written
    assert "\x1b[25;1H" not in written
    assert "\x1b[24;1H" in written


def test_the_help_lists_every_key() -> None:
    """One a line."""
    assert len(help_text().splitlines()) == len(KEYS)
