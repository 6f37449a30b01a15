"""Two versions of a model are plotted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.errors import BackendMissing, InputError
from auria_bot.services.models import comparison_plot
from auria_bot.services.models.comparison_plot import _differences, draw

if TYPE_CHECKING:
    from pathlib import Path

CURVE = [(1, 2.0), (2, 1.5), (3, 1.2)]


def test_figures_are_compared_by_share():
    """The largest difference first; what one lacks, or what differs in sign, has no share."""
    figures = {"a": (1.0, 1.1), "b": (2.0, 1.0), "c": (None, 1.0), "d": (-1.0, 1.0), "e": (0.0, 1.0)}
    assert [(name, round(share, 2)) for name, *_, share in _differences(figures)] == [("b", -0.5), ("a", 0.1)]


@pytest.mark.parametrize(
    ("figures", "curves"),
    [
        ({"perplexity": (52.0, 48.5)}, ({}, {})),
        ({"perplexity": (52.0, 48.5)}, ({"loss": CURVE}, {"loss": CURVE[:1], "accuracy": CURVE})),
        ({}, ({"loss": CURVE}, {"loss": CURVE})),
    ],
)
def test_a_plot_is_written(
    tmp_path: Path,
    figures: dict[str, tuple[float | None, float | None]],
    curves: tuple[dict[str, list[tuple[int, float]]], ...],
):
    """With the figures and the curves, where there are any."""
    pytest.importorskip("matplotlib")
    target = tmp_path / "plot.png"
    first, second = curves
    draw(target, title="poet", names=("v1", "v2"), figures=figures, curves=(first, second))
    with Image.open(target) as picture:
        assert picture.width == 1440
        assert (picture.height > 400) == bool(second)


@pytest.mark.parametrize(("name", "said"), [("plot.doc", "png, svg, pdf, jpg"), ("plot.png", "nothing to draw")])
def test_what_cannot_be_drawn_is_refused(tmp_path: Path, name: str, said: str):
    """A wrong ending, and two versions that have nothing in common."""
    with pytest.raises(InputError, match=said):
        draw(tmp_path / name, title="", names=("v1", "v2"), figures={"a": (None, 1.0)}, curves=({}, {}))


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With the extra that has it."""
    monkeypatch.setattr(comparison_plot, "find_spec", lambda _: None)
    with pytest.raises(BackendMissing, match=r"plots need matplotlib: pip install 'auria-bot\[plot\]'"):
        draw(tmp_path / "plot.png", title="", names=("v1", "v2"), figures={"a": (1.0, 2.0)}, curves=({}, {}))
