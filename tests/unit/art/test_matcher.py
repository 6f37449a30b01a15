"""Tests of auria_bot.art.matcher."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art.films.generator import FilmGenerator
from auria_bot.art.matcher import PictureMatcher, best_matches
from auria_bot.errors import ModelMissing
from auria_bot.settings.locations import shipped

if TYPE_CHECKING:
    from pathlib import Path


def test_texts_find_the_frames_that_show_them() -> None:
    """A sunset is redder than a clear day, and a clear day bluer than fog; text and picture decide alone."""
    models = shipped("models")
    maker, matcher = FilmGenerator(models / "film-waves"), PictureMatcher(models)
    frames = maker.frames(maker.map(maker.latents(1, 40), 0.9), 1)
    scores = matcher.scores(frames, ["orange sunset over the ocean", "clear blue sky", "grey rain and fog"])
    assert scores.shape == (40, 3)
    assert np.abs(scores).max() <= 1
    assert matcher.scores(frames[7:8], ["clear blue sky"])[0, 0] == pytest.approx(scores[7, 1], abs=1e-4)
    sunset, clear, fog = (frames[number].mean(axis=(0, 1)) for number in best_matches(scores))
    assert sunset[0] - sunset[2] > 20
    assert clear[2] - clear[0] > 20
    assert abs(fog[2] - fog[0]) < clear[2] - clear[0]


def test_every_picture_is_chosen_once() -> None:
    """Earlier texts choose first."""
    assert best_matches(np.array([[0.9, 0.8], [0.1, 0.2], [0.5, 0.7]], np.float32)) == (0, 2)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    """With its folder."""
    with pytest.raises(ModelMissing, match="matcher"):
        PictureMatcher(tmp_path)
