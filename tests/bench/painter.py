"""Bar `painter`: what is painted, against real pictures of the test split, by judges the painter was not trained with.

Set AURIA_EARLIER_PAINTER to the folder of an earlier model to compare the two in one run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from auria_bot.art.evaluation.painter import BARS, evaluate
from auria_bot.corpus.language.words import models_folder
from tests.bench import Result

__all__ = ["run"]


def run() -> Result:
    """Paint captions and haiku and measure them; the judges are trained first when they are not there."""
    data = Path(os.environ.get("AURIA_DATA", "../shared/data"))
    earlier = os.environ.get("AURIA_EARLIER_PAINTER")
    found = evaluate(
        data=data, model=models_folder() / "painter", earlier=Path(earlier) if earlier else None, log=lambda _: None
    )
    figures = _line(found)
    if "earlier" in found:
        figures += f"; earlier: {_line(found['earlier'])}"
    bar = (
        f"scene >= {BARS['scene']} of real, caption >= {BARS['caption']} of real, "
        f"each subject >= {BARS['subject']} of real, recognised >= {BARS['recognised']} of real, "
        f"control >= {BARS['control']} of 20 seeds, variety >= {BARS['variety']} of real and not below the earlier one's, "
        f"FD-lite0 above the floor <= {BARS['fd']} of the earlier one's"
    )
    return Result(name="painter", figures=figures, bar=bar, passed=bool(found["passed"]))


def _line(found: dict[str, Any]) -> str:
    kept = ", ".join(f"{name} {count}/{found['control_seeds']}" for name, count in found["control"].items())
    subjects = found["subjects"].values()
    enough = sum(each["found"] >= BARS["subject"] * each["found_real"] for each in subjects)
    return (
        f"scene found {found['scene']:.3f} (haiku {found['haiku_scene']:.3f}, real {found['scene_real']:.3f}); "
        f"right of 100 captions {found['caption']:.3f} "
        f"(haiku {found['haiku_caption']:.3f}, real {found['caption_real']:.3f}); "
        f"{enough} of {len(subjects)} subjects found often enough; "
        f"recognised {found['recognised']:.3f} (real {found['recognised_real']:.3f}); {kept}; "
        f"four seeds apart {found['variety']:.3f} (real {found['variety_real']:.3f}); "
        f"FD-lite0 {found['fd_lite0']:.0f} at n = {found['pictures']} (real {found['fd_lite0_real']:.0f})"
    )
