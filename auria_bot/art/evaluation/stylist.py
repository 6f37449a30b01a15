"""Evaluate a stylist: colours moved to the painting's, edges kept, time.

Colour distance is the Wasserstein-2 distance of two pictures' colours as Gaussians in CIELAB, and beside it the sliced
one over nine directions. Edges are the tenth of a picture's pixels, at 128 pixels a side and lightly smoothed, where
lightness changes most; measured is the share of the picture's edges with an edge of the restyled picture within two
pixels. `chance` is that share for two unrelated pictures.
"""

from __future__ import annotations

import time
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from auria_bot.art.colour import ColourDistribution, to_lab
from auria_bot.art.stylists.choice import choose_painting
from auria_bot.domain.mood import MOODS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.real_esrgan import RealEsrgan
    from auria_bot.art.stylists.magenta import Magenta

__all__ = ["StylistFigures", "edges_kept", "evaluate", "invented_scene", "pictures_of"]

_EDGE_SIDE = 128  # pixels
_REACH = 2  # pixels by which an edge may move


@dataclass(frozen=True, slots=True, kw_only=True)
class StylistFigures:
    """Figures over pairs of picture and chosen painting."""

    pairs: int
    colour_left: float  # median over pairs of distance after / distance before
    colour_left_worst: float  # the largest
    sliced_left: float  # median, by the sliced distance
    halved: float  # share of pairs whose distance fell by at least half
    edges: float  # median share of edges kept
    edges_worst: float
    chance: float  # median share for unrelated pictures
    seconds: float  # median to restyle one picture, the network already loaded


def edges_kept(before: Image.Image, after: Image.Image) -> float:
    """The share of a picture's edges, 0 to 1, that another picture has within two pixels; see the module."""
    wanted, found = _edges(before), _edges(after)
    near = np.asarray(Image.fromarray(found.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(2 * _REACH + 1))) > 0
    return float((wanted & near).sum() / max(int(wanted.sum()), 1))


def _edges(picture: Image.Image) -> NDArray[np.bool_]:
    small = picture.convert("RGB").resize((_EDGE_SIDE, _EDGE_SIDE), Image.Resampling.BOX)
    light = to_lab(np.asarray(small.filter(ImageFilter.GaussianBlur(1.2))))[..., 0]
    steep = np.hypot(*np.gradient(light))
    inside = np.zeros_like(steep, dtype=bool)
    inside[3:-3, 3:-3] = True  # edges of a frame are not counted
    steepest: NDArray[np.bool_] = inside & (steep >= np.quantile(steep[inside], 0.9))
    return steepest


def invented_scene(seed: int, side: int = 96) -> Image.Image:
    """A small synthetic landscape: sky, hills, a light; for tests without pictures."""
    draw = np.random.default_rng(seed)
    rows = np.linspace(0, 1, side)[:, None, None]
    top, low = draw.uniform(0, 1, (2, 3)) * np.array([0.9, 0.9, 1.0])
    picture = (1 - rows) * top + rows * low * np.ones((side, side, 1))
    along = np.arange(side)
    for hill in range(4):
        wave = np.sin(along * draw.uniform(0.03, 0.12) + draw.uniform(0, 6))
        ridge = side * (0.35 + 0.15 * hill) + side * 0.09 * wave
        below = np.arange(side)[:, None] > ridge[None]
        picture[below] = 0.35 * picture[below] + 0.65 * draw.uniform(0, 0.9, 3)
    middle = draw.uniform(0.2, 0.8) * side
    far = np.hypot(np.arange(side)[:, None] - 0.2 * side, along[None] - middle)
    picture += np.exp(-((far / (0.08 * side)) ** 2))[..., None] * 0.6
    picture += draw.normal(0, 0.02, picture.shape)
    return Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))


def pictures_of(data: Path | None, count: int) -> list[Image.Image]:
    """Scenes of the test split of intel_scenes.zip in `data`, evenly spaced; synthetic ones where it is missing."""
    archive = data / "intel_scenes.zip" if data is not None else None
    if archive is None or not archive.is_file():
        return [invented_scene(seed) for seed in range(count)]
    with zipfile.ZipFile(archive) as scenes:
        names = sorted(name for name in scenes.namelist() if "/test_" in name)
        chosen = names[:: max(1, len(names) // count)][:count]
        return [Image.open(BytesIO(scenes.read(name))).convert("RGB") for name in chosen]


_LOG_EVERY = 4  # pictures


def evaluate(
    stylist: Magenta,
    enlarger: RealEsrgan,
    pictures: Sequence[Image.Image],
    *,
    mode: str = "painterly",
    size: int = 512,
    log: Callable[[str], None] = lambda _: None,
) -> StylistFigures:
    """Restyle each picture at `size` pixels after the painting that would be chosen for it, moods in turn.

    Mood and colours choose the painting as usual; there is no poem, so meaning is left out, and no painting is used
    twice.
    """
    moods = list(MOODS.values())
    left, sliced, edges_left, chance, seconds = [], [], [], [], []
    recent: list[str] = []
    earlier: Image.Image | None = None
    for number, picture in enumerate(pictures):
        if number % _LOG_EVERY == 0:
            log(f"{mode}: {number} of {len(pictures)} pictures")
        content = enlarger.enlarged(picture, size)
        before = _colours_of(content)
        mood = moods[number % len(moods)]
        nothing = np.zeros(384, np.float32)
        painting = choose_painting(stylist.bank, mood=mood, meaning=nothing, colours=before, seed=number, recent=recent)
        recent.insert(0, painting.key)
        style = painting.style(mode=mode, strength=mood.strength)
        start = time.perf_counter()
        result = stylist.restyled(content, style)
        if number:  # the first one loads the net
            seconds.append(time.perf_counter() - start)
        after = _colours_of(result)
        left.append(after.distance(painting.colours) / max(before.distance(painting.colours), 1e-6))
        sliced.append(after.sliced_distance(painting.colours) / max(before.sliced_distance(painting.colours), 1e-6))
        edges_left.append(edges_kept(content, result))
        if earlier is not None:
            chance.append(edges_kept(earlier, content))
        earlier = content
    return StylistFigures(
        pairs=len(left),
        colour_left=float(np.median(left)),
        colour_left_worst=float(max(left)),
        sliced_left=float(np.median(sliced)),
        halved=float(np.mean(np.array(left) <= 0.5)),
        edges=float(np.median(edges_left)),
        edges_worst=float(min(edges_left)),
        chance=float(np.median(chance or [0.0])),
        seconds=float(np.median(seconds or [0.0])),
    )


def _colours_of(picture: Image.Image) -> ColourDistribution:
    return ColourDistribution.of(to_lab(np.asarray(picture.resize((192, 192), Image.Resampling.BOX))))
