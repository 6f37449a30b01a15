"""Tests of auria_bot.art.training.figures_page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from auria_bot.art.training.figures_page import PAGE, write_figures_page

if TYPE_CHECKING:
    from pathlib import Path


def test_each_figure_has_a_curve_and_the_samples_are_shown(tmp_path: Path) -> None:
    """A line that was cut, text, and what is no finite number are left out."""
    rows = [{"step": 10 * number, "seconds": 60.0 * number, "loss": 1 / number, "<b>": 2} for number in range(1, 1000)]
    rows.append({"step": 10_000, "seconds": 60_000, "loss": float("nan"), "note": "text"})
    (tmp_path / "log.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows) + '{"step": 10')
    write_figures_page(tmp_path)
    page = (tmp_path / PAGE).read_text()
    assert "10,000 steps in 1000 minutes" in page
    assert page.count("<polyline") == 2
    assert "loss: 0.001001 (from" in page
    assert page.count("<img") == 0
    assert "note" not in page
    assert "<b>" not in page
    assert len(page) < 20_000
    (tmp_path / "samples.png").write_bytes(b"")
    write_figures_page(tmp_path)
    assert 'src="samples.png?' in (tmp_path / PAGE).read_text()


def test_a_training_without_figures_has_a_page(tmp_path: Path) -> None:
    """And a single point is a line."""
    write_figures_page(tmp_path)
    assert "0 steps" in (tmp_path / PAGE).read_text()
    (tmp_path / "log.jsonl").write_text('{"step": 1, "seconds": 2, "loss": 3.5}\n')
    write_figures_page(tmp_path)
    assert "loss: 3.5 (from 3.5 to 3.5)" in (tmp_path / PAGE).read_text()
