"""A word's attention as a smooth region, and the captions that carry it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.captioners.attention import AttendedCaption, peak, region_mask, region_veil
from auria_bot.art.captioners.show_attend_tell import CaptionModel, ShowAttendTell
from auria_bot.corpus.language.words import models_folder


def _at(row: int, column: int) -> np.ndarray:
    """Attention to one cell of seven by seven."""
    attention = np.full((7, 7), 0.01, np.float32)
    attention[row, column] = 0.52
    return attention


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 5), (6, 3)])
def test_the_region_lies_around_the_cell_that_was_attended(row: int, column: int) -> None:
    """The mask is 1 at the cell's centre and falls smoothly to 0; the peak is that centre."""
    mask = region_mask(_at(row, column), (210, 140))
    assert mask.shape == (140, 210)
    assert (mask.min(), mask.max()) == (0.0, 1.0)
    assert mask[row * 20 + 10, column * 30 + 15] > 0.95
    assert np.abs(np.diff(mask, axis=1)).max() < 0.1
    x, y = peak(_at(row, column))
    assert (x, y) == pytest.approx(((column + 0.5) / 7, (row + 0.5) / 7), abs=0.02)


def test_a_veil_is_dark_where_nothing_was_attended() -> None:
    """It is clear over the region and darkens the rest."""
    veil = region_veil(_at(1, 1))
    assert veil.mode == "LA"
    alpha = np.asarray(veil)[..., 1]
    assert alpha[6, 6] < 20
    assert alpha[27, 27] > 150


def test_even_attention_has_a_region_too() -> None:
    """Attention that is the same everywhere gives finite values."""
    assert np.isfinite(region_mask(np.full((7, 7), 1 / 49), (20, 20))).all()


def test_every_word_of_every_beam_has_its_attention() -> None:
    """Each word's weights sum to 1 over the grid; the captions are those of the search, and are plain data."""
    captioner = ShowAttendTell(ShowAttendTell.Config(scenes=False), models_folder())
    rng = np.random.default_rng(3)
    picture = Image.fromarray(rng.integers(0, 255, (60, 80, 3)).astype(np.uint8))
    found = captioner.explain(picture)
    assert len(found) > 1
    assert len({caption.text for caption in found}) == len(found)
    for caption in found:
        assert caption.attention.shape == (len(caption.words), 7, 7)
        assert caption.attention.sum((1, 2)) == pytest.approx(1.0, abs=1e-4)
        assert 0 < caption.confidence < 1
    shown = json.loads(json.dumps(found[0].to_json()))
    assert [word["text"] for word in shown["words"]] == list(found[0].words)
    assert shown["text"].lower().startswith(found[0].words[0])


def test_the_attention_of_a_caption_is_that_of_saying_it() -> None:
    """Following the best caption word by word gives the same weights as the search did."""
    model = CaptionModel(models_folder() / "captioner")
    grid = np.random.default_rng(5).gamma(0.3, 1.0, (1, 7, 7, 1280)).clip(0, 6).astype(np.float32)
    found, attention = model.attend(grid)
    for caption, maps in list(zip(found, attention, strict=True))[:3]:
        assert model.follow(grid, caption.numbers) == pytest.approx(maps, abs=1e-4)


def test_a_caption_begins_with_a_capital() -> None:
    """The words become one sentence."""
    caption = AttendedCaption(words=("a", "dog"), attention=np.full((2, 7, 7), 1 / 49, np.float32), confidence=0.5)
    assert caption.text == "A dog."
