"""`hands`: each master's hand is recognised in what it paints, by statistics of strokes."""

from __future__ import annotations

import os
from pathlib import Path

from auria_bot.art.evaluation.stylist import pictures_of
from tests.bench import Result
from tests.scenarios.strokes import NEAREST, ROOT, recognise

COMPOSITIONS, REFERENCES = 60, 8
RIGHT, FAMILY = 0.6, 0.85


def run() -> Result:
    """Recognise five masters in each composition; AURIA_HANDS=N takes N compositions, and every (60 / N)-th master at most."""
    count = int(os.environ.get("AURIA_HANDS", str(COMPOSITIONS)))
    data = os.environ.get("AURIA_DATA") or ROOT.parent / "shared" / "data"
    pictures = pictures_of(Path(data), count + REFERENCES)
    every = max(1, min(4, COMPOSITIONS // count))
    found = recognise(pictures[REFERENCES:], pictures[:REFERENCES], every=every)
    return Result(
        name="hands",
        figures=f"{found.compositions} compositions, {found.asked} hands among {found.masters} masters: right master among the"
        f" nearest {NEAREST:.0%} in {found.right:.0%}, right family in {found.family:.0%}",
        bar=f"{RIGHT:.0%} and {FAMILY:.0%}",
        passed=found.right >= RIGHT and found.family >= FAMILY,
    )
