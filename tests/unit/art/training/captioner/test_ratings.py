"""Continuing the captioner's training with ratings, on tiny archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.training.captioner.ratings import RatedPicture, TunedCaptioner, describe, tune
from auria_bot.art.training.captioner.train import train
from tests.unit.art.training.captioner.test_train import data, recipe_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["data", "recipe_file"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def test_a_captioner_learns_what_people_wrote(data: Path, recipe_file: Path, tmp_path: Path) -> None:
    """The captions that were given become likelier, for pictures that were held out too; the vocabulary stays."""
    quiet: Callable[[str], None] = lambda _: None  # noqa: E731
    common = {"data": data, "recipe_file": recipe_file, "log": quiet}
    train(**common, folder=tmp_path / "f", out=tmp_path / "start", steps=3)
    rated = []
    for number in range(4):
        Image.new("RGB", (60, 40), (200, 40 * number, 90)).save(tmp_path / f"{number}.jpg")
        captions = (("a dog near the beach", 3), ("a zebra", 1))
        rated.append(RatedPicture(path=tmp_path / f"{number}.jpg", captions=captions, is_held_out=number == 3))
    done = tune(
        **common, folder=tmp_path / "f" / "r", start=tmp_path / "start", rated=rated, out=tmp_path / "m", steps=60
    )
    assert done.steps == 60
    assert done.after["rated_loss"] < done.before["rated_loss"]
    assert len(verify(tmp_path / "m")) == 64
    for key in ("vocabulary", "net", "length_power"):
        assert read_json(tmp_path / "m" / "config.json")[key] == read_json(tmp_path / "start" / "config.json")[key]


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [
        ({"cider_d": 0.5, "rated_loss": 3.0}, {"cider_d": 0.498, "rated_loss": 2.0}, True),
        ({"cider_d": 0.5, "rated_loss": 3.0}, {"cider_d": 0.4, "rated_loss": 2.0}, False),
        ({"cider_d": 0.5, "rated_loss": 3.0}, {"cider_d": 0.6, "rated_loss": 3.0}, False),
        ({"cider_d": 0.5}, {"cider_d": 0.51}, True),
        ({"cider_d": 0.5}, {"cider_d": 0.5}, False),
    ],
)
def test_better_is_likelier_where_it_was_rated_and_no_worse_elsewhere(
    before: dict[str, float], after: dict[str, float], better: bool
) -> None:
    """Without held-out ratings the other captions must be better."""
    done = TunedCaptioner(before=before, after=after, steps=1, seconds=60.0)
    assert done.is_better is better
    told = describe(done, {"ratings": 4, "pictures": 3, "corrections": 1, "held_out": 0})
    assert "4 ratings of 3 pictures" in told
    assert f"| cider_d | 0.500 | {after['cider_d']:.3f} |" in told
