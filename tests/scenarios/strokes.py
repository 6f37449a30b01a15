"""Strokes by the figures: how long they take, how sharp they are, and whose hand they are recognised as."""

from __future__ import annotations

import resource
import zipfile
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.stylists.direction_field import blurred
from auria_bot.art.stylists.hands import FAMILIES, family_of, hand_of
from auria_bot.art.stylists.media import render
from auria_bot.art.stylists.style_bank import StyleBank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from auria_bot.art.stylists.style_bank import BankedPainting

__all__ = ["ROOT", "Recognised", "finest_octave", "megabytes", "odd_inputs", "recognise", "scans", "shipped_bank"]

ROOT = Path(__file__).resolve().parents[2]
MEDIA = ("oil", "woodblock", "watercolour", "ink")
CANVAS = (540, 675)  # pixels at which hands are recognised
NEAREST = 0.05  # share of all masters among which the right one must be


def shipped_bank() -> StyleBank:
    """The style bank in models/."""
    return StyleBank.load(ROOT / "models" / "styles")


def megabytes() -> float:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def odd_inputs(count: int, *, seed: int = 0) -> list[str]:
    """Paint odd pictures on odd canvases, in every medium; what failed."""
    chance, failed = np.random.default_rng(seed), []
    masters = shipped_bank().paintings
    for number in range(count):
        picture = _odd(number, chance)
        width = int(chance.integers(1, 60))
        size = [(1, 1), (width, 20 * width), (20 * width, width), (width, width), (64, 80)][int(chance.integers(0, 5))]
        hand = replace(hand_of(masters[number % len(masters)].hand), medium=MEDIA[number % 4])
        try:
            painted = render(picture.convert("RGB"), size=size, hand=hand, seed=number)
            if painted.size != size or painted.mode != "RGB":
                failed.append(f"{number}: {picture.mode} {picture.size} on {size} became {painted.size}")
        except Exception as error:  # noqa: BLE001 - every failure is listed
            failed.append(f"{number}: {picture.mode} {picture.size} on {size}: {type(error).__name__}: {error}")
    return failed


def _odd(number: int, chance: np.random.Generator) -> Image.Image:
    """One pixel, a stripe, grey, flat, transparent, noise, black, or a scene."""
    side = int(chance.integers(2, 90))
    kinds = (
        Image.new("RGB", (1, 1), "teal"),
        Image.effect_noise((side, 20 * side), 60).convert("RGB"),
        Image.new("RGB", (20 * side, side), "white"),
        Image.effect_noise((side, side), 90),
        Image.new("RGBA", (side, side), (200, 30, 60, 0)),
        Image.new("RGB", (side, side)),
        Image.fromarray(chance.integers(0, 256, (side, side, 3)).astype(np.uint8)),
        invented_scene(number, max(16, side)),
    )
    return kinds[number % len(kinds)]


def scans(data: Path, count: int) -> list[Image.Image]:
    """The masters' own scans, evenly spaced; none where paintings.zip is missing."""
    archive = data / "paintings.zip"
    if not archive.is_file():
        return []
    with zipfile.ZipFile(archive) as paintings:
        names = sorted(name for name in paintings.namelist() if name.startswith("images/"))
        chosen = names[:: max(1, len(names) // count)][:count]
        return [Image.open(BytesIO(paintings.read(name))).convert("RGB") for name in chosen]


def finest_octave(picture: Image.Image) -> float:
    """The deviation of lightness finer than about two pixels of the picture."""
    light = np.ascontiguousarray(to_lab(np.asarray(picture.convert("RGB")))[..., 0])
    return float((light - blurred(light, 1.0)).std())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Whose hand painted."""

    compositions: int
    asked: int
    masters: int  # to choose from
    right: float  # share whose master is among the nearest NEAREST of all masters
    family: float  # share whose family is that of most of the five nearest


def recognise(
    scenes: Sequence[Image.Image],
    references: Sequence[Image.Image],
    *,
    every: int = 1,
    canvas: tuple[int, int] = CANVAS,
) -> Recognised:
    """Let masters of five families paint each scene, and recognise each by how all masters paint other pictures.

    Each master of the gallery paints two of the references, in turn, with the colours as they are. Statistics are divided
    by how much they vary between two pictures by the same hand. None of them is a measure that hands are made from.

    Args:
        scenes: what is painted and recognised.
        references: what the gallery is painted from; none is a scene.
        every: every n-th master of the bank.
        canvas: pixels of what is painted.
    """
    masters = shipped_bank().paintings[::every]
    families = [family_of(master.hand) for master in masters]

    def measured(scene: Image.Image, master: BankedPainting, seed: int) -> NDArray[np.float64]:
        return _statistics(render(scene, size=canvas, hand=hand_of(master.hand), seed=seed))

    painted = []
    for row, master in enumerate(masters):
        pair = [references[(row + turn) % len(references)] for turn in (0, 1)]
        painted.append([measured(reference, master, row) for reference in pair])
    gallery = np.array(painted)
    scale = (gallery[:, 0] - gallery[:, 1]).std(0) + 1e-6
    centre = gallery.mean(1)
    right, family, asked = 0, 0, 0
    for number, scene in enumerate(scenes):
        for asked_for in _five(masters, families, number):
            found = measured(scene, masters[asked_for], 1000 + number)
            order = np.argsort((np.abs(centre - found) / scale).mean(1), kind="stable")
            rank = int(np.flatnonzero(order == asked_for)[0])
            votes = [families[place] for place in order[:5]]
            right += rank < max(1, round(NEAREST * len(masters)))
            family += max(FAMILIES, key=votes.count) == families[asked_for]
            asked += 1
    return Recognised(
        compositions=len(scenes), asked=asked, masters=len(masters), right=right / asked, family=family / asked
    )


def _five(masters: Sequence[BankedPainting], families: Sequence[str], number: int) -> list[int]:
    """Masters of five families, others for each composition."""
    present = [name for name in FAMILIES if name in families]
    chosen = [present[(number + each) % len(present)] for each in range(min(5, len(present)))]
    rows = {name: [row for row in range(len(masters)) if families[row] == name] for name in chosen}
    return [rows[name][(7 * number) % len(rows[name])] for name in chosen]


def _statistics(picture: Image.Image) -> NDArray[np.float64]:
    """Statistics of strokes: shape and proportions of octaves, autocorrelation along and across, edges, colour grain."""
    lab = to_lab(np.asarray(picture))
    light = np.ascontiguousarray(lab[..., 0])
    levels = [light, *(blurred(light, deviation) for deviation in (0.7, 1.4, 2.8, 5.6))]
    octaves = [one - other for one, other in pairwise(levels)]
    spread = [float(np.log(octave.std() + 0.02)) for octave in octaves]
    peaks = [float(np.log((octave**4).mean() / ((octave**2).mean() ** 2 + 1e-6) + 1)) for octave in octaves]
    fine = light - levels[3]
    power = float((fine * fine).mean()) + 1e-6
    lags = [float((fine[:, :-lag] * fine[:, lag:]).mean()) / power for lag in (2, 4, 8, 14)]
    lags += [float((fine[:-lag] * fine[lag:]).mean()) / power for lag in (2, 4, 8, 14)]
    steep = np.hypot(*np.gradient(light))
    edges = [float(np.log((steep > least).mean() + 1e-3)) for least in (2.0, 6.0, 14.0)]
    tints = [lab[..., channel] - blurred(np.ascontiguousarray(lab[..., channel]), 2.0) for channel in (1, 2)]
    grain = [float(np.log(tint.std() + 0.02)) for tint in tints]
    return np.array([*spread, *peaks, *lags, *edges, *grain], np.float64)
