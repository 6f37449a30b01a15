"""Tests of auria_bot.art.evaluation.bf16_quality."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auria_bot.art.evaluation.bf16_quality import PictureFigures, measured, worst
from auria_bot.art.evaluation.parity import has_bf16
from auria_bot.corpus.language.shipped_tables import models_folder
from auria_bot.errors import InputError

PLAIN = PictureFigures(control={"noon": 5, "snow": 4}, seeds=5, score=0.6, colour_left=0.4, edges=0.9)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 0.0),
        ({"score": 0.7, "colour_left": 0.3, "edges": 0.95}, 0.0),
        ({"control": {"noon": 5, "snow": 3}}, 0.2),
        ({"score": 0.55}, 0.05),
        ({"colour_left": 0.43, "edges": 0.89}, 0.03),
    ],
)
def test_the_figure_that_suffers_most_counts(change: dict[str, object], expected: float) -> None:
    """What gets better makes up for nothing."""
    assert worst(PLAIN, replace(PLAIN, **change)) == pytest.approx(expected)


def test_only_like_is_compared_with_like() -> None:
    """Other seeds or prompts are refused."""
    with pytest.raises(InputError, match="measure both anew"):
        worst(PLAIN, replace(PLAIN, seeds=6))


@pytest.mark.slow
def test_bfloat16_costs_the_pictures_nothing() -> None:
    """With the models that ship, no measure of painter or stylist gets worse by more than a fiftieth."""
    if not has_bf16():
        pytest.skip("this processor has no bfloat16")
    f32, bf16 = (measured(models_folder(), precision=each, seeds=1, pairs=2) for each in ("f32", "bf16"))
    assert worst(f32, bf16) <= 0.02
