"""Dense optical flow between two small pictures, where it can be trusted, and warping of large pictures along it.

The flow is Lucas and Kanade's, from coarse to fine, with the gradients of one picture only, so that they are computed
once a level; each level is smoothed by medians. It can be trusted where the flow back leads to where it came from.

Lucas and Kanade, "An iterative image registration technique with an application to stereo vision", 1981.
Baker and Matthews, "Lucas-Kanade 20 years on: a unifying framework", 2004.
Sundaram, Brox and Keutzer, "Dense point trajectories by GPU-accelerated large displacement optical flow", 2010.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.pictures import resized
from auria_bot.art.stylists.direction_field import box_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["flow_between", "sampled", "trust", "warped"]

_SMALLEST = 16  # pixels of the shorter side of the coarsest level
_ITERATIONS = 3  # a level
_RADIUS = 3  # pixels of the windows in which motion is one
_FLAT = 2.0  # squared gradient (luma of 0 to 255) below which a window says little
_CELL = 8  # pixels of a cell in which a large picture is moved as one quadrilateral
_CHANGED = 18.0  # difference of luma from which a place is another one
_STILL = 0.08  # pixels of motion below which a cell stays as it is, so that it is not blurred
_BORDER = 4  # pixels repeated around a picture before it is moved


def flow_between(now: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where each pixel of a picture was before.

    Args:
        now: (height, width) luma of 0 to 255.
        before: the same of the earlier picture.

    Returns:
        (height, width, 2) pixels to add to x and to y.
    """
    levels = [(now, before)]
    while min(levels[-1][0].shape) >= 2 * _SMALLEST:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])))
    flow = np.zeros((*levels[-1][0].shape, 2), np.float32)
    for one, other in reversed(levels):
        if flow.shape[:2] != one.shape:
            scale = np.array([one.shape[1] / flow.shape[1], one.shape[0] / flow.shape[0]], np.float32)
            flow = resized(flow, (one.shape[1], one.shape[0]), Image.Resampling.BILINEAR) * scale
        flow = _refined(one, other, flow)
    return flow


def _refined(now: NDArray[np.float32], before: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    down, right = (np.asarray(part, np.float32) for part in np.gradient(now))
    products = np.stack([right * right, right * down, down * down], -1)
    xx, xy, yy = np.moveaxis(box_mean(products, _RADIUS), -1, 0)
    xx, yy = xx + _FLAT, yy + _FLAT
    determinant = xx * yy - xy * xy
    most = 0.25 * max(now.shape)
    for _ in range(_ITERATIONS):
        error = (sampled(before[..., None], flow)[..., 0] - now).astype(np.float32)
        sums = box_mean(np.stack([right * error, down * error], -1), _RADIUS)
        step_x = (yy * sums[..., 0] - xy * sums[..., 1]) / determinant
        step_y = (xx * sums[..., 1] - xy * sums[..., 0]) / determinant
        # The gradients are of the present picture, so that a step leads against them.
        step = np.clip(np.stack([step_x, step_y], -1), -1.5, 1.5)
        flow = np.clip(flow - step, -most, most).astype(np.float32)
    return _median(flow)


def trust(now: NDArray[np.float32], before: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The flow of `flow_between`, and where it can be trusted.

    Returns:
        The flow (height, width, 2), and (height, width) from 0, where something was uncovered or changed, to 1.
    """
    there, back = flow_between(now, before), flow_between(before, now)
    returned = sampled(back, there)
    length = (there**2).sum(-1) + (returned**2).sum(-1)
    astray = ((there + returned) ** 2).sum(-1) / (0.02 * length + 0.6)
    moved, still = _change(sampled(before[..., None], there)[..., 0], now), _change(before, now)
    # What is explained as well by no motion has none: water that glitters does not drift.
    rests = still <= 1.15 * moved + 0.15
    there = np.where(rests[..., None], 0, there).astype(np.float32)
    doubt = np.where(rests, (still / _CHANGED) ** 2, np.maximum(astray, (moved / _CHANGED) ** 2))
    return there, np.where(_outside(there), 0.0, np.exp(-(doubt**2))).astype(np.float32)


def _change(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width) how much two pictures differ around each pixel."""
    return box_mean(np.abs(one - other), 1)


def sampled(picture: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values (height, width, channels) of a picture where the flow leads to, by bilinear interpolation."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32)[None] + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    return _values_at(picture, x, y)


def warped(picture: Image.Image, flow: NDArray[np.float32]) -> Image.Image:
    """A large picture moved along the flow of a small one: what it showed before, where it is now.

    Args:
        picture: 8-bit RGB, of the earlier time.
        flow: (height, width, 2) of a picture of the same proportions.
    """
    width, height = picture.size
    xs = np.append(np.arange(0, width, _CELL), width)
    ys = np.append(np.arange(0, height, _CELL), height)
    scale = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    corners = np.stack(np.meshgrid(xs, ys), -1).astype(np.float32)
    places = corners / scale - 0.5
    motion = _values_at(flow, places[..., 0], places[..., 1]) * scale
    motion[np.abs(motion).max(-1) < _STILL] = 0
    source = np.clip(corners + motion, 0, (width, height)) + _BORDER
    quads = np.concatenate([source[:-1, :-1], source[1:, :-1], source[1:, 1:], source[:-1, 1:]], -1).tolist()
    mesh = [
        ((int(xs[x]), int(ys[y]), int(xs[x + 1]), int(ys[y + 1])), tuple(quads[y][x]))
        for y in range(len(ys) - 1)
        for x in range(len(xs) - 1)
    ]
    padded = np.pad(np.asarray(picture), ((_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0)), mode="edge")
    return Image.fromarray(padded).transform(picture.size, Image.Transform.MESH, mesh, Image.Resampling.BICUBIC)


def _values_at(values: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values (..., channels) of a picture (height, width, channels) at x and y (...), pixels from the first."""
    height, width = values.shape[:2]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.minimum(x.astype(np.int32), width - 2), np.minimum(y.astype(np.int32), height - 2)
    share_x, share_y = (x - left)[..., None], (y - top)[..., None]
    flat = values.reshape(height * width, -1)
    at = top * width + left
    upper = flat[at] + share_x * (flat[at + 1] - flat[at])
    lower = flat[at + width] + share_x * (flat[at + width + 1] - flat[at + width])
    return np.asarray(upper + share_y * (lower - upper), np.float32)


def _outside(flow: NDArray[np.float32]) -> NDArray[np.bool_]:
    height, width = flow.shape[:2]
    x, y = np.arange(width)[None] + flow[..., 0], np.arange(height)[:, None] + flow[..., 1]
    return np.asarray((x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5), np.bool_)


def _halved(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half the size, rounded up."""
    size = (-(-light.shape[1] // 2), -(-light.shape[0] // 2))
    return np.asarray(Image.fromarray(light).resize(size, Image.Resampling.BOX))


def _median(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median of each pixel and its four neighbours."""
    edge = np.pad(flow, ((1, 1), (1, 1), (0, 0)), mode="edge")
    around = np.stack([edge[1:-1, 1:-1], edge[:-2, 1:-1], edge[2:, 1:-1], edge[1:-1, :-2], edge[1:-1, 2:]])
    return np.asarray(np.partition(around, 2, axis=0)[2], np.float32)
