"""Combine a picture's forms, a painting's colours and a network's strokes.

Colours move by sliced optimal transport in CIELAB: along nine fixed directions in turn, each time by the monotone map
in one dimension, lightness by itself and both colour axes together, so that the lightest place stays the lightest.
Then the change, not the picture, is smoothed with the picture as the guide, so that flat areas get no steps and edges
stay in place. Low frequencies stay the picture's; finer detail comes from the network, filtered from grain into
strokes.

Pitie, Kokaram and Dahyot, "Automated colour grading using colour distribution transfer", 2007.
He, Sun and Tang, "Guided image filtering", 2013.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.colour import DIRECTIONS, QUANTILES, ColourDistribution, from_lab, matrix_root, to_lab
from auria_bot.art.painters.retouching import find_moon, paint_moon
from auria_bot.art.pictures import at_most, resized
from auria_bot.art.stylists.direction_field import box_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["colour_share", "combine", "grade", "guided", "transfer_colours", "transport"]

_ROUNDS = 2  # passes over the directions
_SMALL = 176  # pixels of the longer side at which the change is computed and smoothed
_MOST_CONTRAST = 2.5  # most stretch of a direction, so that noise is not amplified


def transport(lab: NDArray[np.float32], target: ColourDistribution) -> NDArray[np.float32]:
    """Move (..., 3) CIELAB pixels so that their marginals along DIRECTIONS become the target's."""
    pixels = lab.reshape(-1, 3).astype(np.float64)
    matrix, offset = ColourDistribution.of(lab, marginals=False).transport_map(target, 1.0)
    gain = float(np.linalg.norm(matrix, 2))
    if gain <= _MOST_CONTRAST:
        pixels = pixels @ matrix + offset  # the linear map first; the marginals refine it
    for _ in range(_ROUNDS):
        for direction, goal in zip(DIRECTIONS, target.marginals, strict=True):
            along = pixels @ direction
            have = np.quantile(along, QUANTILES)
            have = np.maximum.accumulate(have + np.linspace(0.0, 1e-6, len(have)))
            pixels += (0.7 * (np.interp(along, have, goal) - along))[:, None] * direction
    return pixels.reshape(lab.shape).astype(np.float32)


def guided(
    guide: NDArray[np.float32], values: NDArray[np.float32], *, radius: int, noise: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The guided filter's local linear model: values ~ slope * guide + level.

    Args:
        guide: (height, width).
        values: (height, width, channels).
        radius: of the window, in pixels.
        noise: squared size of guide changes that count as flat.

    Returns:
        slope and level, each (height, width, channels), already averaged over the windows.
    """
    x: NDArray[np.float32] = np.asarray(guide[..., None], np.float32)
    mean_x, mean_y = box_mean(x, radius), box_mean(values, radius)
    square: NDArray[np.float32] = x * x
    product: NDArray[np.float32] = x * values
    variance = box_mean(square, radius) - mean_x * mean_x
    slope = ((box_mean(product, radius) - mean_x * mean_y) / (variance + np.float32(noise))).astype(np.float32)
    level = (mean_y - slope * mean_x).astype(np.float32)
    return box_mean(slope, radius), box_mean(level, radius)


def grade(picture: NDArray[np.float32], target: ColourDistribution, share: float) -> NDArray[np.float32]:
    """Give a picture a painting's colours and keep its edges.

    Args:
        picture: (height, width, 3) sRGB from 0 to 1.
        share: 0 leaves the colours, 1 takes the painting's.

    Returns:
        The graded picture, same shape and range.
    """
    height, width = picture.shape[:2]
    lab = to_lab(picture)
    size = at_most((width, height), _SMALL, least=8)
    small = resized(lab, size, Image.Resampling.BOX)
    change = (share * (transport(small, target) - small)).astype(np.float32)
    slope, level = guided((small[..., 0] / 100).astype(np.float32), change, radius=max(2, min(size) // 24), noise=2e-3)
    slope, level = (resized(part, (width, height), Image.Resampling.BILINEAR) for part in (slope, level))
    graded = (lab + slope * (lab[..., :1] / 100) + level).astype(np.float32)
    # A linear map, which keeps edges, restores the part of the change that was lost by smoothing.
    before = ColourDistribution.of(small, marginals=False)
    goal = ColourDistribution.of(small + change, marginals=False)
    near = ColourDistribution.of(resized(graded, size, Image.Resampling.BOX), marginals=False)
    if goal.distance(near) > 0.02 * max(before.distance(target), 1e-6):
        matrix, offset = near.transport_map(goal, 1.0)
        graded = (graded @ matrix + offset).astype(np.float32)
    return from_lab(graded)


_COUNTED = 192  # pixels of the shorter side at which colours are sampled
_MOST_STRETCH = 1.9  # most stretch of a colour axis; beyond it, noise and steps show
_LEAST_STRETCH = 0.35  # least stretch; below it, colours turn muddy
_DARKEST = 24.0  # least mean lightness; below it, a picture is black on a phone
_LONG_WAY = 22.0  # distance of colours, in CIELAB units, above which the share is limited
_HALVING = 0.58  # share that leaves less than half of the distance
_CELLS = 48  # cells of the longer side that define the low frequencies


def colour_share(strength: float) -> float:
    """How far colours move for a strength of 0 to 1; from 0.5 up, more than half of the way."""
    return float(min(max(strength, 0.0), 1.0) ** 0.75)


def transfer_colours(lab: NDArray[np.float32], painting: ColourDistribution, share: float) -> NDArray[np.float32]:
    """Move (height, width, 3) CIELAB a share of the way to a painting's colours.

    Lightness and colour are moved separately; if that leaves too much of the distance, with more stretch; then
    together.
    """
    colours = _sampled_colours(lab)
    distance = colours.distance(painting)
    # Less of a long distance, but at least what halves it: red tulips stay warm under a grey painting.
    share = min(share, max(_HALVING, share * _LONG_WAY / max(distance, 1e-6)))
    most_left = (1 - 0.92 * share) * distance
    for stretch in (_MOST_STRETCH, 2 * _MOST_STRETCH):
        matrix, goal = _separate_map(colours, painting, share, stretch)
        mapped = ColourDistribution(
            mean=goal, covariance=matrix @ colours.covariance @ matrix.T, marginals=colours.marginals
        )
        if mapped.distance(painting) <= most_left:
            return lab @ matrix.T.astype(np.float32) + (goal - matrix @ colours.mean).astype(np.float32)
    together, offset = colours.transport_map(painting, share)
    return lab @ together + offset


def _separate_map(
    colours: ColourDistribution, painting: ColourDistribution, share: float, most: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The map that moves lightness and colour axes separately: matrix (3, 3) and the new mean (3,)."""
    lightness = np.sqrt(painting.covariance[0, 0] / colours.covariance[0, 0])
    root = matrix_root(colours.covariance[1:, 1:])
    back = np.linalg.inv(root)
    stretch, axes = np.linalg.eigh(back @ matrix_root(root @ painting.covariance[1:, 1:] @ root) @ back)
    least = _LEAST_STRETCH * _MOST_STRETCH / most
    matrix = np.eye(3)
    matrix[0, 0] = 1 - share + share * float(np.clip(lightness, least, most))
    matrix[1:, 1:] = (1 - share) * np.eye(2) + share * (axes * np.clip(stretch, least, most)) @ axes.T
    goal = (1 - share) * colours.mean + share * painting.mean
    if goal[0] < _DARKEST:
        goal[0] = max(goal[0], min(_DARKEST, float(painting.mean[0])))
    return matrix, goal


def combine(
    picture: NDArray[np.float32],
    strokes: NDArray[np.uint8],
    painting: ColourDistribution,
    strength: float,
    stroke_filter: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Combine a picture, a painting's colours and the network's strokes.

    Args:
        picture: (height, width, 3) sRGB from 0 to 1.
        strokes: (height, width, 3) 8 bits, the network's output.
        strength: 0 returns the picture; 1 takes strokes and colours in full.
        stroke_filter: turns grain into strokes, (height, width, 3) CIELAB to the same.

    Returns:
        The restyled picture; its colours lie about `colour_share(strength)` of the way from picture to painting.
    """
    if strength <= 0:
        return picture
    given = to_lab(picture)
    own = transfer_colours(given, painting, colour_share(strength))
    goal = _sampled_colours(own)
    net = to_lab(strokes)
    matrix, offset = _sampled_colours(net).transport_map(goal, 1.0)
    net = net @ matrix + offset
    own_low, net_low = _low_frequencies(own), _low_frequencies(net)
    form = np.minimum(np.array([0.45, 0.15, 0.15], np.float32) * np.float32(strength), 1)  # of L, a and b
    texture = np.minimum(np.array([0.9, 0.7, 0.7], np.float32) * np.float32(strength), 1)
    edges = np.float32(1.0 - 0.62 * strength)
    mixed = own_low + form * (net_low - own_low) + texture * (net - net_low) + edges * (own - own_low)
    mixed = stroke_filter(mixed)
    matrix, offset = _sampled_colours(mixed).transport_map(goal, 1.0)
    result = mixed @ matrix + offset
    moon = find_moon(given, clean=True)
    return from_lab(paint_moon(result, moon) if moon is not None else result)


def _sampled_colours(lab: NDArray[np.float32]) -> ColourDistribution:
    """Mean and covariance of every n-th pixel."""
    step = max(1, min(lab.shape[:2]) // _COUNTED)
    return ColourDistribution.of(lab[step // 2 :: step, step // 2 :: step], marginals=False)


def _low_frequencies(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width, 3) without detail finer than a cell."""
    height, width = lab.shape[:2]
    cell = max(1, max(height, width) // _CELLS)
    size = (max(2, width // cell), max(2, height // cell))
    return resized(resized(lab, size, Image.Resampling.BOX), (width, height), Image.Resampling.BICUBIC)
