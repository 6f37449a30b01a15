"""Joins a picture's forms, a painting's colours and a net's strokes into one picture.

Knows arrays and colour clouds. Colours move by optimal transport, lightness for itself and the two colour axes together,
so that the lightest place stays the lightest and a sun does not turn green because the painting's lightest colour was a
sky. Broad forms and lights stay the picture's; what is finer comes from the net, brushed from grain into strokes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.colour import ColourDistribution, from_lab, matrix_root, to_lab
from auria_bot.art.painters.retouching import find_moon, paint_moon

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["colour_share", "compose", "moved"]

_COUNTED = 192  # pixels of the shorter side at which colours are counted
_MOST_STRETCH = 1.9  # a colour axis is stretched at most this much: beyond, noise and steps show
_LEAST_STRETCH = 0.35  # and squeezed at most to this: beyond, a picture turns to mud
_DARKEST = 24.0  # mean lightness: below, a picture is a black square on a telephone
_LONG_WAY = 22.0  # distance of colours, in CIELAB units, from which a move is held back
_HALVING = 0.58  # share that surely leaves less than half of the distance
_CELLS = 48  # broad forms are what is left when the longer side has this many cells


def colour_share(strength: float) -> float:
    """How far colours move for a strength of 0 to 1: from 0.5 up, by more than half of the way."""
    return float(min(max(strength, 0.0), 1.0) ** 0.75)


def _held_back(share: float, far: float) -> float:
    """A smaller share of a long way, though no less than what halves it: red tulips stay warm under a grey painting."""
    return min(share, max(_HALVING, share * _LONG_WAY / max(far, 1e-6)))


def moved(lab: NDArray[np.float32], painting: ColourDistribution, share: float) -> NDArray[np.float32]:
    """(height, width, 3) CIELAB moved a share of the way to a painting's colours.

    First lightness and colour are moved apart, gently; where that leaves too much of the distance, with more stretch;
    where that does too, together.
    """
    cloud = _ellipse(lab)
    far = cloud.distance(painting)
    share = _held_back(share, far)
    most_left = (1 - 0.92 * share) * far
    for stretch in (_MOST_STRETCH, 2 * _MOST_STRETCH):
        matrix, goal = _apart(cloud, painting, share, stretch)
        mapped = ColourDistribution(
            mean=goal, covariance=matrix @ cloud.covariance @ matrix.T, marginals=cloud.marginals
        )
        if mapped.distance(painting) <= most_left:
            return lab @ matrix.T.astype(np.float32) + (goal - matrix @ cloud.mean).astype(np.float32)
    together, offset = cloud.toward(painting, share)
    return lab @ together + offset


def _apart(
    cloud: ColourDistribution, painting: ColourDistribution, share: float, most: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The map that moves lightness for itself and both colour axes together: matrix (3, 3) and the new mean (3,)."""
    lightness = np.sqrt(painting.covariance[0, 0] / cloud.covariance[0, 0])
    root = matrix_root(cloud.covariance[1:, 1:])
    back = np.linalg.inv(root)
    stretch, axes = np.linalg.eigh(back @ matrix_root(root @ painting.covariance[1:, 1:] @ root) @ back)
    least = _LEAST_STRETCH * _MOST_STRETCH / most
    matrix = np.eye(3)
    matrix[0, 0] = 1 - share + share * float(np.clip(lightness, least, most))
    matrix[1:, 1:] = (1 - share) * np.eye(2) + share * (axes * np.clip(stretch, least, most)) @ axes.T
    goal = (1 - share) * cloud.mean + share * painting.mean
    if goal[0] < _DARKEST:
        goal[0] = max(goal[0], min(_DARKEST, float(painting.mean[0])))
    return matrix, goal


def compose(
    picture: NDArray[np.float32],
    strokes: NDArray[np.uint8],
    painting: ColourDistribution,
    strength: float,
    brush: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Join a picture, a painting's colours and the net's strokes.

    Args:
        picture: (height, width, 3) sRGB from 0 to 1.
        strokes: the same size, 8 bits: what the net made of it.
        painting: the painting's colours.
        strength: 0 gives the picture back; 1 takes strokes and colours in full.
        brush: makes strokes of grain, (height, width, 3) CIELAB to the same.

    Returns:
        The restyled picture; its colours lie about `colour_share(strength)` of the way from picture to painting.
    """
    if strength <= 0:
        return picture
    given = to_lab(picture)
    own = moved(given, painting, colour_share(strength))
    goal = _ellipse(own)
    net = to_lab(strokes)
    matrix, offset = _ellipse(net).toward(goal, 1.0)
    net = net @ matrix + offset
    own_forms, net_forms = _forms(own), _forms(net)
    form = np.minimum(np.array([0.45, 0.15, 0.15], np.float32) * np.float32(strength), 1)  # of L, a and b
    texture = np.minimum(np.array([0.9, 0.7, 0.7], np.float32) * np.float32(strength), 1)
    edges = np.float32(1.0 - 0.62 * strength)
    mixed = own_forms + form * (net_forms - own_forms) + texture * (net - net_forms) + edges * (own - own_forms)
    mixed = brush(mixed)
    matrix, offset = _ellipse(mixed).toward(goal, 1.0)
    result = mixed @ matrix + offset
    found = find_moon(given, clean=True)
    return from_lab(paint_moon(result, found) if found is not None else result)


def _ellipse(lab: NDArray[np.float32]) -> ColourDistribution:
    """Mean and covariance of every n-th pixel: enough to know how colours lie and to move them."""
    step = max(1, min(lab.shape[:2]) // _COUNTED)
    return ColourDistribution.of(lab[step // 2 :: step, step // 2 :: step], marginals=False)


def _forms(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """The broad forms of (height, width, 3)."""
    height, width = lab.shape[:2]
    cell = max(1, max(height, width) // _CELLS)
    size = (max(2, width // cell), max(2, height // cell))
    layers = []
    for channel in range(3):
        small = Image.fromarray(np.ascontiguousarray(lab[..., channel])).resize(size, Image.Resampling.BOX)
        layers.append(np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)))
    return np.stack(layers, axis=-1)
