"""`stylist`: colours come to the painting, edges stay, and it is quick."""

from __future__ import annotations

import os
from pathlib import Path

from tests.bench import Result
from tests.bench.reference import Stopwatch

PAIRS = 40
EDGES_PAINTERLY = 0.75  # of the picture's edges that the painterly result must have within 2 of 128 pixels
EDGES_PHOTOREALISTIC = 0.9


def run() -> Result:
    """Restyle scenes of the test split at 512 pixels, each in the painting chosen for it, in both modes."""
    from auria_bot.art.evaluation.stylist import evaluate, pictures_of
    from auria_bot.art.real_esrgan import RealEsrgan
    from auria_bot.art.stylists.magenta import Magenta

    root = Path(__file__).resolve().parents[2]
    data = Path(os.environ.get("AURIA_DATA", root.parent / "shared" / "data"))
    models = root / "models"
    stylist = Magenta(Magenta.Config(), models)
    enlarger = RealEsrgan(RealEsrgan.Config(), models)
    pictures = pictures_of(data, PAIRS)
    watch = Stopwatch()
    brush = evaluate(stylist, enlarger, pictures)
    photo = evaluate(stylist, enlarger, pictures, mode="photorealistic")
    watch.sample()
    slowest = watch.reference.computed(max(brush.seconds, photo.seconds))
    figures = (
        f"{brush.pairs} pairs: colour distance left {brush.colour_left:.2f} (worst {brush.colour_left_worst:.2f}, halved in "
        f"{brush.halved:.0%}), sliced {brush.sliced_left:.2f}, edges kept {brush.edges:.2f} (worst {brush.edges_worst:.2f}, chance "
        f"{brush.chance:.2f}), {brush.seconds:.2f} s; photorealistic: left {photo.colour_left:.2f} (worst "
        f"{photo.colour_left_worst:.2f}, halved in {photo.halved:.0%}), edges {photo.edges:.2f}, {photo.seconds:.2f} s;"
        f" at most {slowest:.2f} s on the reference machine ({watch.reference})"
    )
    passed = (
        max(brush.colour_left, photo.colour_left) <= 0.5
        and min(brush.halved, photo.halved) >= 0.9
        and brush.edges >= EDGES_PAINTERLY
        and photo.edges >= EDGES_PHOTOREALISTIC
        and slowest < 1.0
    )
    bar = (
        f"median distance left <= 0.5 and halved in 90 % of pairs; edges >= {EDGES_PAINTERLY} painterly, "
        f">= {EDGES_PHOTOREALISTIC} photorealistic; 512 px under 1 s on the reference machine"
    )
    return Result(name="stylist", figures=figures, bar=bar, passed=passed)
