"""Auria's portrait: mountains that her painter imagined, painted by hand within a ring, under a seal of her initial.

It shows no face, so it can be nobody's. The same request and models give the same bytes on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.colour import ColourDistribution, from_lab, to_lab
from auria_bot.art.painters.attn import AttnPainter
from auria_bot.art.painters.retouching import denoise
from auria_bot.art.pictures import to_array, to_picture
from auria_bot.art.portraits.emblem import SIDE, Seal, emblem
from auria_bot.art.real_esrgan import RealEsrgan
from auria_bot.art.stylists.choice import find_painting
from auria_bot.art.stylists.composition import colour_share, grade
from auria_bot.art.stylists.direction_field import blurred
from auria_bot.art.stylists.hands import TYPICAL, hand_of
from auria_bot.art.stylists.media import render
from auria_bot.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.stylists.style_bank import StyleBank

__all__ = ["MEDIA", "PortraitPainter", "PortraitRequest"]

MEDIA = ("ink", "watercolour", "woodblock", "oil")
"""What a portrait can be painted with."""

_SCENES = (
    "misty mountains, layers of distant ridges fading in mist",
    "a snowy mountain peak and clouds",
    "a river valley with mountains in mist",
)
_CANDIDATES = 24
_WELL_MADE = 0.5  # weight of the composition beside the matching score
_STUDY = 384  # pixels to which a painting is enlarged before it is painted by hand
_BARE = 98.0  # L of a sky that is left to the paper


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitRequest:
    """What a portrait should be."""

    seed: int
    medium: str = "ink"  # one of MEDIA
    style: str = ""  # a painting whose colours and brushwork it takes, by key or name
    mood: str = ""  # one for which such a painting is chosen

    def __post_init__(self) -> None:
        if self.medium not in MEDIA:
            raise UnknownName(f"no medium named {self.medium[:40]!r}; known: {', '.join(MEDIA)}")


class PortraitPainter:
    """Paints portraits.

    Args:
        bank: reads the style bank.
        threads: of the networks; 0: every core.

    Raises:
        ModelError: a model is missing or damaged.
    """

    def __init__(self, models: Path, *, bank: Callable[[], StyleBank], threads: int = 0) -> None:
        self._painter = AttnPainter(AttnPainter.Config(threads=threads, ranker=False), models=models)
        self._enlarger = RealEsrgan(RealEsrgan.Config(network="fast", threads=threads), models)
        self._bank = bank

    def models(self) -> Mapping[str, str]:
        """SHA-256 of the models."""
        return {**self._painter.models(), **self._enlarger.models()}

    def paint(self, request: PortraitRequest) -> Image.Image:
        """A portrait, RGB of SIDE x SIDE pixels, whose round crop loses nothing of the emblem.

        Raises:
            UnknownName: there is no such painting or mood.
            InputError: the seed is out of range.
        """
        lab, ground = _cleared(self._scene(request.seed))
        picture = self._enlarger.enlarged(to_picture(from_lab(lab)), _STUDY)
        hand = hand_of(TYPICAL)
        colours = ColourDistribution.of(lab, marginals=False)
        painting = find_painting(self._bank, style=request.style, mood=request.mood, colours=colours, seed=request.seed)
        if painting is not None:
            graded = grade(to_array(picture), painting.colours, colour_share(1.0))
            picture, hand = to_picture(graded), hand_of(painting.hand)
        hand = replace(hand, medium=request.medium)
        painted = np.asarray(render(picture, size=(SIDE, SIDE), hand=hand, seed=request.seed), np.float32)
        chance = np.random.default_rng((request.seed, 78))
        seal = Seal(x=chance.uniform(-0.14, 0.2), y=-0.26, radius=0.35)
        front = Image.fromarray(ground).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        mask = np.clip(np.asarray(front, np.float32), 0, 1)
        return emblem(painted, mask, seal, seed=request.seed, bare_sky=painting is None)

    def _scene(self, seed: int) -> NDArray[np.float32]:
        """The CIELAB pixels of the candidate that is best composed for the emblem."""
        canvases = self._painter.imagine(_SCENES[seed % len(_SCENES)], seed=seed, count=_CANDIDATES)
        scored = [(canvas.score + _WELL_MADE * _composed(to_lab(canvas.pixels)), canvas) for canvas in canvases]
        return denoise(to_lab(max(scored, key=lambda each: each[0])[1].pixels))


def _composed(lab: NDArray[np.float32]) -> float:
    """How well a scene suits the emblem: a light even sky over dark mountains, with a varied ridge halfway up."""
    light = blurred(np.ascontiguousarray(lab[..., 0], np.float32), 1.5)
    height = len(light)
    sky, ground = light[: height * 2 // 5], light[height * 3 // 5 :]
    ridge = (light < (sky.mean() + ground.mean()) / 2).argmax(axis=0) / height  # of each column, from the top
    return float(
        (sky.mean() - ground.mean()) / 40
        - sky.std() / 20
        - 3 * abs(np.median(ridge) - 0.52)
        + min(float(ridge.std()), 0.15) * 11
    )


def _cleared(lab: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A scene with its sky left bare and its contrast stretched, and (height, width) where its ground is, 0 to 1."""
    light = blurred(np.ascontiguousarray(lab[..., 0], np.float32), 1.0)
    height = len(light)
    top, bottom = float(np.percentile(light[: height * 3 // 8], 60)), float(light[height * 5 // 8 :].mean())
    apart = max(top - bottom, 4.0)
    down = (np.arange(height, dtype=np.float32)[:, None]) / height
    sky = np.clip((light - top + 0.35 * apart) / (0.3 * apart) + 0.5, 0, 1) * np.clip((0.72 - down) / 0.2, 0, 1)
    solid = np.clip(2.5 * blurred(np.ascontiguousarray(1 - sky), 3.0), 0, 1)
    standing = np.minimum.accumulate(solid[::-1], axis=0)[::-1]  # what hangs in the air are clouds
    sky = 1 - (1 - sky) * blurred(np.ascontiguousarray(standing), 1.5)
    cleared = lab.copy()
    cleared[..., 0] += sky * (_BARE - cleared[..., 0])
    cleared[..., 1:] *= (1 - 0.7 * sky)[..., None]
    low = min(float(np.percentile(cleared[..., 0], 4)), 90.0)
    cleared[..., 0] = np.clip((cleared[..., 0] - low) / (_BARE - low), 0, 1) * 90 + 8
    return cleared.astype(np.float32), (1 - sky).astype(np.float32)
