"""Draws what surrounds a painting in the emblem: paper, a ring of one brush stroke, and a round seal with a letter.

Places are in units of half the emblem's side, from -1 to 1 in both directions, y downwards. Everything is drawn as
density of pigment on paper, so that brush, seal and painting lie over each other as ink does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from auria_bot.art.exporters.card import load_font
from auria_bot.art.stylists.areas import clouds, grain
from auria_bot.art.stylists.direction_field import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PAPER", "SIDE", "Seal", "emblem"]

SIDE = 1024
"""Pixels of the emblem's side."""

PAPER = np.array([244, 237, 222], np.float32)
"""The colour of the paper, RGB from 0 to 255."""

_INK = np.array([1.7, 1.67, 1.6], np.float32)  # density of the brush's ink in red, green and blue
_VERMILION = np.array([0.16, 1.75, 2.1], np.float32)  # density of the seal's paste
_DENSEST = 2.7
_RADIUS = 0.82  # of the ring's middle; a round crop keeps all within 1
_WIDTH = 0.052  # of half the brush
_BRISTLES = 72
_COVER = 0.88  # how much of the seal the mountains hide in front of it
_LETTER = "A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Where the seal stands."""

    x: float
    y: float
    radius: float


def emblem(
    painted: NDArray[np.float32], ground: NDArray[np.float32], seal: Seal, *, seed: int, bare_sky: bool
) -> Image.Image:
    """Compose the emblem.

    Args:
        painted: (SIDE, SIDE, 3) a painting, 0 to 255; PAPER where the paper is bare.
        ground: (SIDE, SIDE) what stands in front of the seal, 1, and the sky behind it, 0.
        seed: decides about ring, edges and grain.
        bare_sky: leave the sky to the paper.

    Returns:
        RGB, SIDE x SIDE.
    """
    chance = np.random.default_rng((seed, 77))
    x, y, radius, angle = _places()
    uneven = _clouds(9, chance)
    density = np.clip(-np.log((painted + 1) / (PAPER + 1)), 0, 3)
    kept = np.clip(1.6 * ground, 0, 1) if bare_sky else np.ones_like(ground)
    inside = np.clip((0.84 - radius + 0.012 * uneven) / 0.04, 0, 1)  # ends beneath the ring
    mist = np.clip((0.74 - y + 0.02 * uneven) / 0.42, 0, 1) ** 1.4  # at the foot of the mountains
    density *= (kept * inside * mist)[..., None]
    disc, paste = _seal(x, y, seal, chance, seed)
    foot = np.clip((y - seal.y) / (0.35 * seal.radius) - 1.3, 0, 1)  # of the seal, below the letter's middle
    shown = 1 - _COVER * ground * mist * foot
    density = density * (1 - disc * shown)[..., None] + (paste * shown)[..., None] * _VERMILION
    density += _ring(radius, angle, chance, seed)[..., None] * _INK
    tooth, fibres = grain((0, SIDE), SIDE, 0.9, seed), grain((0, SIDE), SIDE, 4.0, seed + 1)
    values = PAPER * (1 + 0.008 * tooth + 0.01 * fibres)[..., None] * np.exp(-np.minimum(density, _DENSEST))
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))


def _places() -> tuple[NDArray[np.float32], ...]:
    """(SIDE, SIDE) each: x, y, distance from the middle, and angle from the right, clockwise."""
    across = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE * 2 - 1
    x, y = np.meshgrid(across, across)
    return tuple(np.asarray(each, np.float32) for each in (x, y, np.hypot(x, y), np.arctan2(y, x)))


def _clouds(blur: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """(SIDE, SIDE) slow noise of about unit deviation."""
    small = Image.fromarray(clouds((96, 96), blur, chance))
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)


def _ring(
    radius: NDArray[np.float32], angle: NDArray[np.float32], chance: np.random.Generator, seed: int
) -> NDArray[np.float32]:
    """(SIDE, SIDE) how much ink a brush left that was led around once, clockwise, and ran dry."""
    begin = chance.uniform(0.55, 0.8) * np.pi  # at the lower left
    along = ((angle - begin) % (2 * np.pi)) / (2 * np.pi)  # 0 at the beginning of the stroke, 1 at its end
    middle = _RADIUS + np.interp(along, np.linspace(0, 1, 9), chance.normal(0, 0.006, 9)) + 0.012 * (along - 0.5)
    width = _WIDTH * np.interp(along, (0, 0.03, 0.12, 0.5, 0.8, 0.95, 1), (0.6, 1.25, 1.1, 0.85, 0.75, 0.5, 0.18))
    across = (radius - middle) / width  # -1 to 1 from one side of the brush to the other
    hairs = Image.fromarray(chance.normal(0, 1, (24, _BRISTLES)).astype(np.float32))
    laid = np.asarray(hairs.resize((_BRISTLES, SIDE), Image.Resampling.BICUBIC), np.float32)
    hair = np.clip((across + 1.2) / 2.4 * (_BRISTLES - 1), 0, _BRISTLES - 1.001)
    row, left = np.clip(along * (SIDE - 1), 0, SIDE - 1).astype(int), hair.astype(int)
    bristle = laid[row, left] * (1 - hair + left) + laid[row, left + 1] * (hair - left)
    dry = np.interp(along, (0, 0.35, 0.7, 0.92, 1), (-1.8, -1.1, -0.2, 0.7, 1.5))
    kept = np.clip((bristle + 0.35 * grain((0, SIDE), SIDE, 1.2, seed) - dry) * 1.6 + 0.5, 0, 1)
    edge = np.clip((1 - np.abs(across)) * width * SIDE / 3.2, 0, 1)
    wet = np.interp(along, (0, 0.2, 1), (1.3, 1.1, 0.85)) * (1.15 + 0.25 * np.minimum(np.abs(across), 1) ** 3)
    return np.asarray(edge * kept * wet, np.float32)


def _seal(
    x: NDArray[np.float32], y: NDArray[np.float32], seal: Seal, chance: np.random.Generator, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(SIDE, SIDE) each: the seal's disc, and how much paste it printed, with the letter left bare."""
    away, angle = np.hypot(x - seal.x, y - seal.y), np.arctan2(y - seal.y, x - seal.x)
    rim = np.full_like(away, seal.radius)
    for wave in range(2, 9):
        rim += seal.radius * chance.normal(0, 0.008) / wave**0.5 * np.cos(wave * angle + chance.uniform(0, 2 * np.pi))
    disc = np.clip((rim - away) * SIDE / 3.6 + 0.5, 0, 1)
    tooth = grain((0, SIDE), SIDE, 1.6, seed + 7)
    cut = np.clip((blurred(_letter(seal), 1.2) + 0.06 * tooth - 0.5) * 3 + 0.5, 0, 1)
    paste = disc * (1 - cut) * np.clip(1 + 0.1 * _clouds(9, chance) - 0.22 * np.maximum(tooth - 1, 0), 0, 1.15)
    return np.asarray(disc, np.float32), np.asarray(paste, np.float32)


def _letter(seal: Seal) -> NDArray[np.float32]:
    """(SIDE, SIDE) the letter in the middle of the seal, 1, on 0."""
    mask = Image.new("L", (SIDE, SIDE), 0)
    draw, font = ImageDraw.Draw(mask), load_font(round(seal.radius * SIDE * 0.9), "bold")
    middle = ((seal.x + 1) / 2 * SIDE, (seal.y + 1) / 2 * SIDE)
    left, top, right, bottom = draw.textbbox(middle, _LETTER, font=font, anchor="mm")
    place = (2 * middle[0] - (left + right) / 2, 2 * middle[1] - (top + bottom) / 2)
    draw.text(place, _LETTER, font=font, fill=255, anchor="mm")
    return np.asarray(np.asarray(mask, np.float32) / 255, np.float32)
