"""A page of a training's figures, for a browser without TensorBoard: the newest samples, and a curve of each figure.

The page is one file beside `log.jsonl` and `samples.png`; it needs no server and no script, and loads itself again
every half minute.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

from auria_bot.art.training.training_log import LOG, parse_row
from auria_bot.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PAGE", "write_figures_page"]

PAGE: Final = "training.html"

_POINTS = 400  # of a curve, at most
_SIZE = (360, 120)  # pixels of a curve
_RELOAD = 30  # seconds
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
img { margin-bottom: 1.5rem; image-rendering: pixelated; max-width: 100%; width: 56rem; }
main { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
figure { margin: 0; } svg { display: block; width: 100%; } figcaption, p { font-variant-numeric: tabular-nums; }
polyline { fill: none; stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
""".strip()


def write_figures_page(folder: Path) -> None:
    """Write `training.html` from the log of a training.

    Args:
        folder: of the training, with `log.jsonl` and, where the recipe makes any, `samples.png`.

    Raises:
        OSError: it cannot be written.
    """
    curves, steps, seconds = _curves(folder / LOG)
    figures = "\n".join(_figure(name, points) for name, points in curves.items())
    samples = folder / "samples.png"
    # The time of the file makes a browser load new samples, not those that it knows.
    shown = f'<img src="samples.png?{samples.stat().st_mtime_ns}" alt="Samples">' if samples.is_file() else ""
    page = f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="{_RELOAD}">
<title>Training of {escape(folder.parent.name)} {escape(folder.name)}</title>
<style>{_STYLE}</style>
<h1>Training of {escape(folder.parent.name)} {escape(folder.name)}</h1>
<p>{steps:,} steps in {seconds / 60:.0f} minutes</p>
{shown}
<main>
{figures}
</main>
</html>
"""
    with atomic_path(folder / PAGE, mode=None) as scratch:
        scratch.write_text(page, encoding="utf-8")


def _curves(log: Path) -> tuple[dict[str, list[tuple[float, float]]], int, float]:
    """The points (step, value) of each figure, and the steps and seconds so far; lines that were cut are left out."""
    found: dict[str, list[tuple[float, float]]] = {}
    steps, seconds = 0, 0.0
    for line in log.read_text(encoding="utf-8").splitlines() if log.is_file() else ():
        if (row := parse_row(line)) is None:
            continue
        steps, seconds = row.step, row.seconds
        for name, value in row.figures.items():
            if math.isfinite(value):
                found.setdefault(name, []).append((steps, value))
    # Of many points some are drawn; the newest always is.
    thinned = {name: points[:: -max(1, math.ceil(len(points) / _POINTS))][::-1] for name, points in found.items()}
    return thinned, steps, seconds


def _figure(name: str, points: list[tuple[float, float]]) -> str:
    """A curve as SVG, its newest value and its range in words."""
    width, height = _SIZE
    low, high = min(value for _, value in points), max(value for _, value in points)
    first, last = points[0][0], points[-1][0]
    places = " ".join(
        f"{width * (step - first) / max(last - first, 1):.1f},"
        f"{height - height * (value - low) / ((high - low) or 1.0):.1f}"
        for step, value in (points if len(points) > 1 else [*points, (first + 1, points[0][1])])
    )
    words = f"{escape(name)}: {points[-1][1]:.4g} (from {low:.4g} to {high:.4g})"
    return (
        f'<figure><svg viewBox="0 -2 {width} {height + 4}" role="img" aria-label="{words}">'
        f'<polyline points="{places}"/></svg><figcaption>{words}</figcaption></figure>'
    )
