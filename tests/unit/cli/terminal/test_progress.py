"""How a run is followed."""

from __future__ import annotations

import io
import sys

import pytest

from auria_bot.cli.terminal.progress import counting, following, making_frames
from auria_bot.domain.pipeline import STEPS
from auria_bot.services.studio.run_store import RunEvent


def _printed(capsys, *events: RunEvent) -> list[str]:
    with following(2) as tell:
        for event in events:
            tell(event)
    return capsys.readouterr().err.splitlines()


def test_away_from_a_terminal_each_finished_step_is_a_line_on_stderr(capsys):
    """A log of a nightly run can be read, and stdout stays free for the result."""
    assert _printed(
        capsys,
        RunEvent(artwork=1, step="poem", state="started"),
        RunEvent(artwork=1, step="poem", state="done", seconds=0.5),
        RunEvent(artwork=2, step="poem", state="reused"),
    ) == [
        f"[1/{2 * len(STEPS)}] writing the poem, 1 of 2: done in 0.5 s",
        f"[2/{2 * len(STEPS)}] writing the poem, 2 of 2: reused",
    ]


def test_a_rejected_picture_takes_the_count_back_and_a_failure_takes_it_on(capsys):
    """The bar tells how much is left, whatever happens."""
    done = [RunEvent(artwork=1, step=step.name, state="done") for step in STEPS[:4]]
    rejected = RunEvent(artwork=1, step="style", state="rejected", message="too near\nan earlier one")
    failed = RunEvent(artwork=1, step="style", state="failed", message="out of paint")
    lines = _printed(capsys, *done, rejected, failed)
    assert lines[-2] == f"[2/{2 * len(STEPS)}] restyling, 1 of 2: rejected: too near"
    assert lines[-1] == f"[{len(STEPS)}/{2 * len(STEPS)}] restyling, 1 of 2: failed: out of paint"


def test_frames_are_counted_in_steps_of_a_twentieth(capsys):
    """Away from a terminal; frames that were there before do not make the rest look quick."""
    with making_frames() as tell:
        for done in range(50, 201):
            tell(done, 200)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 16
    assert lines[0] == "50 of 200 frames"
    assert lines[1].startswith("60 of 200 frames, about ")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("file", "shown"), [(_Terminal(), True), (_Terminal(), False), (io.StringIO(), True), (io.StringIO(), False)]
)
def test_counted_work_is_shown_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, file: io.StringIO, shown: bool
) -> None:
    """A backup every night would fill a log with its files, and a program wants JSON and nothing else."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", file)
    with counting("backing up", shown=shown) as tell:
        tell(1, 2, "auria.db")
    assert ("backing up" in file.getvalue()) is shown
