"""What the commands show at three sizes of terminal and piped, compared with the text files in `screens/`.

`UPDATE_SCREENS=1 pytest tests/unit/cli/test_screens.py` writes the files anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

from auria_bot.services.operations.doctor import Finding
from tests.publishing import approved

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.bootstrap.application import Application

SCREENS = Path(__file__).parent / "screens"
SIZES = {"80x24": (80, 24), "100x30": (100, 30), "200x60": (200, 60), "piped": None}
COMMANDS = {
    "drafts": ("drafts",),
    "show": ("show", "3"),
    "posts": ("posts",),
    "stats": ("stats",),
    "schedule": ("schedule",),
    "doctor": ("doctor",),
    "dry-run": ("publish", "--dry-run"),
}
FINDINGS = [
    Finding(name="settings", state="ok", words="read from /home/auria/auria.toml"),
    Finding(name="disk", state="warn", words="3.1 GB free in /home/auria " * 4, advice="free some: auria tidy"),
    Finding(name="channels", state="bad", words="bluesky does not accept the password", advice="auria channels add"),
]


class Examiner:
    """Finds the same on every machine."""

    def examine(self) -> list[Finding]:
        """The findings."""
        return FINDINGS


@pytest.fixture
def application(application: Application, monkeypatch: pytest.MonkeyPatch) -> Application:
    """A draft in every state, and posts."""
    monkeypatch.setattr("auria_bot.bootstrap.application.doctor", Examiner)
    for number in (1, 2, 3, 4, 5):
        approved(application, number, channels=("fake",))
    application.publisher.publish([1])
    application.publisher.publish([2], channels=["folder"])  # scheduled on the other one, and not sent
    application.review.undo(3)
    application.review.reject(4, reason="too dark, and the horizon is not level")
    return application


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_shown(
    application: Application,
    auria: Any,
    screen: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    size: str,
) -> None:
    """As in the file; no line is wider than the terminal but a path, and nothing is cut when piped."""
    if known := SIZES[size]:
        screen(known[0])
        monkeypatch.setenv("LINES", str(known[1]))
    _, shown, _ = auria(*COMMANDS[name])
    shown = shown.replace(str(application.settings.home), "/home/auria")
    file = SCREENS / f"{name}-{size}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")
    if known:
        assert all(cell_len(line) <= known[0] or "/home/auria" in line for line in shown.splitlines())
    else:
        assert "…" not in shown
        assert all(line == line.rstrip() for line in shown.splitlines())
