"""`auria train MODEL --watch` and `--debug`: what they print."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from auria_bot.cli import training_watch
from auria_bot.cli.training_watch import curves_table, watch_training
from auria_bot.files import acquire_lock
from auria_bot.services.models.experiments import LOCK
from auria_bot.services.models.training_watch import TrainingFigures

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(home: Path) -> Path:
    """The folder of a poet's training with two rows."""
    folder = home / "train" / "poet"
    folder.mkdir(parents=True)
    rows = ({"step": step, "seconds": step * 60.0, "loss": 4.0 / step} for step in (1, 2))
    (folder / "log.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


@pytest.mark.usefixtures("run")
def test_a_training_that_has_ended_is_shown_once(auria: Any):
    """As lines, or as lines of JSON; a model that was never trained is an error."""
    code, out, err = auria("train", "poet", "--watch")
    assert (code, out.splitlines()) == (0, ["step 1  1.0 min  loss 4", "step 2  2.0 min  loss 2"])
    assert "does not run now" in err
    rows = [json.loads(line) for line in auria("train", "poet", "--watch", "--json")[1].splitlines()]
    assert rows[1] == {"part": "", "step": 2, "seconds": 120.0, "loss": 2.0}
    assert auria("train", "painter", "--watch")[0] != 0


def test_a_running_training_is_followed_to_its_end(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Its last rows are not missed; a terminal gets a table that is redrawn."""
    for is_terminal in (False, True):
        lock = acquire_lock(run / LOCK)
        assert lock is not None

        def end(_: float, lock: int = lock) -> None:
            with (run / "log.jsonl").open("a") as file:
                file.write('{"step": 300, "seconds": 180, "loss": 0.5}\n')
            os.close(lock)

        monkeypatch.setattr(training_watch.time, "sleep", end)
        monkeypatch.setattr(training_watch, "is_terminal", lambda shown=is_terminal: shown)
        watch_training("poet", as_json=False)
        shown = capsys.readouterr()
        assert "step 300 3.0 min" in " ".join(shown.out.split())
        assert "has ended" in shown.err


def test_figures_have_their_last_value_and_their_curve():
    """Each part of a training for itself."""
    rows = [TrainingFigures(part="paint", step=n, seconds=n, figures={"loss": 9.0 - n}) for n in range(8)]
    console = Console(width=90, record=True, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    with console.file:
        console.print(curves_table("painter", rows))
        console.print(curves_table("painter", []))
    text = " ".join(console.export_text().split())
    assert "paint loss" in text
    assert "█▇▆▅▄▃▂▁" in text
    assert "no figures yet" in text


@pytest.mark.parametrize("option", ["--out", "--corpus"])
def test_a_trial_keeps_nothing(auria: Any, option: str):
    """So what would keep something is refused."""
    code, _, err = auria("train", "poet", "--debug", option, "x")
    assert (code, "keeps nothing" in err) == (2, True)
