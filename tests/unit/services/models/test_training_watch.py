"""Watching a training: rows of its logs, and whether it runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import NotFound
from auria_bot.files import acquire_lock
from auria_bot.services.models.experiments import LOCK
from auria_bot.services.models.training_watch import TrainingWatch

if TYPE_CHECKING:
    from pathlib import Path


def test_rows_are_read_once_and_whole(tmp_path: Path):
    """Each log continues where it was left; half a line waits for its end, and a broken one is left out."""
    log = tmp_path / "train" / "painter" / "sketch" / "log.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text('{"step": 1, "seconds": 2.5, "loss": 3}\n{"step": 2, "sec')
    watch = TrainingWatch(tmp_path, "painter")
    assert [row.to_json() for row in watch.read()] == [{"part": "sketch", "step": 1, "seconds": 2.5, "loss": 3.0}]
    assert watch.read() == []
    with log.open("a") as file:
        file.write('onds": 5, "loss": 2}\n[]\n{"step": "x"}\n')
    assert [(row.step, row.figures) for row in watch.read()] == [(2, {"loss": 2.0})]


def test_a_training_runs_while_its_lock_is_held(tmp_path: Path):
    """By whatever process, in any part of the model's folder."""
    run = tmp_path / "train" / "film-waves" / "112x64"
    run.mkdir(parents=True)
    watch = TrainingWatch(tmp_path, "film-waves")
    assert not watch.is_running()
    lock = acquire_lock(run / LOCK)
    assert lock is not None
    assert watch.is_running()
    os.close(lock)
    assert not watch.is_running()


def test_what_was_never_trained_is_answered_with_what_was(tmp_path: Path):
    """By name."""
    (tmp_path / "train" / "style-harbour").mkdir(parents=True)
    with pytest.raises(NotFound, match="trained here: style-harbour"):
        TrainingWatch(tmp_path, "poet")
    with pytest.raises(NotFound, match="no training of 'poet'"):
        TrainingWatch(tmp_path / "nowhere", "poet")
