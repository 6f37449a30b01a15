"""Bar `painter`: what is painted, against real pictures of the test split, by judges the painter was not trained with."""

from __future__ import annotations

import os
from pathlib import Path

from auria_bot.art.evaluation.painter import BARS, evaluate
from auria_bot.corpus.language.words import models_folder
from tests.bench import Result

__all__ = ["run"]


def run() -> Result:
    """Paint 1,000 test captions and 100 haiku and measure them; the judges are trained first when they are not there."""
    data = Path(os.environ.get("AURIA_DATA", "../shared/data"))
    found = evaluate(data=data, model=models_folder() / "painter", log=lambda _: None)
    kept = ", ".join(f"{name} {count}/{found['control_seeds']}" for name, count in found["control"].items())
    figures = (
        f"best of {found['candidates']}; scene found {found['scene']:.3f} (haiku {found['haiku_scene']:.3f}, real {found['scene_real']:.3f}); "
        f"right of 100 captions {found['caption']:.3f} (haiku {found['haiku_caption']:.3f}, real {found['caption_real']:.3f}); {kept}; "
        f"four seeds apart {found['variety']:.3f} (real {found['variety_real']:.3f}); "
        f"FD-lite0 {found['fd_lite0']:.0f} at n = {found['pictures']} (real training pictures {found['fd_lite0_real']:.0f})"
    )
    bar = (
        f"scene >= {BARS['scene']} of real, caption >= {BARS['caption']} of real, control >= {BARS['control']} of 20 seeds, "
        f"variety >= {BARS['variety']} of real"
    )
    return Result(name="painter", figures=figures, bar=bar, passed=bool(found["passed"]))
