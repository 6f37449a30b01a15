"""`sharpness`: pictures as they are posted have as much of the finest detail as the masters' own scans."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from auria_bot.art.evaluation.stylist import pictures_of
from auria_bot.art.pictures import POST_SIZE, crop
from auria_bot.art.real_esrgan import RealEsrgan
from auria_bot.art.stylists.magenta import Magenta
from auria_bot.domain.artwork import Style
from tests.bench import Result
from tests.scenarios.strokes import ROOT, finest_octave, scans

PICTURES, SCANS = 16, 80
LEAST, MOST = 0.5, 1.5


def run() -> Result:
    """Paint scenes of the test split, enlarged from 64 pixels as the painter's are, after every n-th painting of the bank."""
    data = Path(os.environ.get("AURIA_DATA", ROOT.parent / "shared" / "data"))
    stylist = Magenta(Magenta.Config(), ROOT / "models")
    enlarger = RealEsrgan(RealEsrgan.Config(), ROOT / "models")
    scenes, masters = pictures_of(data, PICTURES), stylist.bank.paintings
    painted, earlier = [], []
    for number, picture in enumerate(scenes):
        scene = enlarger.enlarged(picture.resize((64, 64), Image.Resampling.BOX), 768)
        master = masters[(number * 29) % len(masters)]
        style = Style(key=master.key, title="", artist="", year="", mode="oil", strength=0.65)
        painted.append(finest_octave(stylist.painted(scene, style, size=POST_SIZE, seed=number)))
        network = stylist.restyled(crop(scene, (614, 768)), replace(style, mode="painterly"))
        earlier.append(finest_octave(crop(network, POST_SIZE)))
    own = [finest_octave(scan) for scan in scans(data, SCANS)]
    goal = float(np.median(own)) if own else float("nan")
    ratio, before = float(np.median(painted)) / goal, float(np.median(earlier)) / goal
    return Result(
        name="sharpness",
        figures=f"finest octave of {len(painted)} pictures {np.median(painted):.2f}, {ratio:.2f} of the {len(own)} scans'"
        f" median {goal:.2f}; by the network as before {before:.2f}",
        bar=f"{LEAST} to {MOST} of the scans' median",
        passed=LEAST <= ratio <= MOST,
    )
