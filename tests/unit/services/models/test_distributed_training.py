"""A training by several workers: one update for all, and a lost worker is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("torch")

from auria_bot.errors import StepCrashed
from auria_bot.services.models import distributed_training
from auria_bot.services.models.distributed_training import DistributedTraining
from tests import line_recipe

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = "tests.line_recipe"


def test_two_workers_train_as_one_does_though_one_is_killed(tmp_path: Path):
    """The group begins again from the last checkpoint, and ends with the weights that a worker alone ends with."""
    told: list[str] = []
    given: dict[str, Any] = {"steps": 8, "minutes": None, "limit": 5}
    alone = line_recipe.train(data=tmp_path, folder=tmp_path / "one", out=tmp_path / "one", log=told.append, **given)
    told.clear()
    together = DistributedTraining(size=2, log=told.append).train(
        RECIPE, {"data": tmp_path}, folder=tmp_path / "two", out=tmp_path / "two", **given
    )
    assert together == pytest.approx(alone, abs=1e-5)
    assert (tmp_path / "died").exists()
    assert "worker 2 of 2 was ended by SIGKILL" in told[0] or "begin again from the checkpoint of step" in told[0]
    assert "0; all" not in told[0]
    assert sum("begin again" in line for line in told) == 1
    assert len(list((tmp_path / "two").glob("checkpoint-*"))) == 1


def test_a_group_that_gets_nowhere_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """After three losses without a checkpoint between them; with checkpoints it goes on."""
    steps = iter((1, 2, 3, 3, 3, 3))

    def attempt(_: object, task: dict[str, Any]) -> dict[str, Any]:
        del task
        (tmp_path / "latest.json").write_text(f'{{"step": {next(steps)}}}')
        raise distributed_training._WorkerLost("worker 2 of 2 was lost")

    monkeypatch.setattr(DistributedTraining, "_attempt", attempt)
    told: list[str] = []
    group = DistributedTraining(size=2, log=told.append)
    with pytest.raises(StepCrashed, match="3 times in a row without progress; the checkpoint of step 3 is kept"):
        group.train(RECIPE, {}, folder=tmp_path, out=tmp_path)
    assert len(told) == 4
