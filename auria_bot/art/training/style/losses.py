"""Perceptual losses: style as Gram matrices, content as features, and total variation.

Gatys et al., "Image style transfer using convolutional neural networks", 2016; Johnson et al., 2016.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from auria_bot.art.nets.vgg16 import Vgg16

__all__ = [
    "CONTENT_LAYER",
    "STYLE_LAYERS",
    "Losses",
    "PerceptualLosses",
    "colour_difference",
    "gram",
    "relative_difference",
    "style_distance",
    "total_variation",
]

STYLE_LAYERS = ("1_2", "2_2", "3_3", "4_3")
"""The layers whose Gram matrices are compared."""

CONTENT_LAYER = "3_3"
"""The layer whose features are compared place by place."""

_SQUARE = 16  # pixels of a side of the squares whose mean colours are to stay


class Losses(NamedTuple):
    """Losses of a batch, each a scalar of about 0 to a few; 1 is a relative error of 100 %."""

    content: Tensor
    style: Tensor
    colour: Tensor
    variation: Tensor


class PerceptualLosses:
    """Losses of restyled pictures against one painting."""

    def __init__(self, vgg: Vgg16, painting: Tensor) -> None:
        """`painting` is (1, 3, height, width) RGB in [0, 1], at the scale at which its strokes are to be painted."""
        self._vgg = vgg
        with torch.no_grad():
            self._grams = [gram(features) for features in vgg(painting, STYLE_LAYERS)]

    def of(self, pictures: Tensor, restyled: Tensor) -> Losses:
        """The losses of restyled pictures, (batch, 3, height, width) RGB in [0, 1], with gradients to them."""
        with torch.no_grad():
            (wanted,) = self._vgg(pictures, (CONTENT_LAYER,))
        features = self._vgg(restyled, STYLE_LAYERS)
        kept = features[STYLE_LAYERS.index(CONTENT_LAYER)]
        return Losses(
            content=relative_difference(kept, wanted),
            style=style_distance([gram(each) for each in features], self._grams).mean(),
            colour=colour_difference(pictures, restyled),
            variation=total_variation(restyled),
        )


def gram(features: Tensor) -> Tensor:
    """(batch, channels, channels) correlations of (batch, channels, height, width), for each place, in float32."""
    rows = features.float().flatten(2)
    return rows @ rows.transpose(1, 2) / rows.shape[2]


def relative_difference(features: Tensor, wanted: Tensor) -> Tensor:
    """Squared difference of features, as a share of the wanted ones' squares."""
    return (features.float() - wanted.float()).square().mean() / wanted.float().square().mean()


def style_distance(grams: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """(batch,) squared relative distance of Gram matrices from a painting's, summed over the layers."""
    return torch.stack(
        [
            (each - target).square().sum((1, 2)) / target.square().sum()
            for each, target in zip(grams, wanted, strict=True)
        ]
    ).sum(0)


def colour_difference(pictures: Tensor, restyled: Tensor) -> Tensor:
    """Mean squared difference of the mean colours of squares of 16 pixels, in hundredths of the whole range."""
    squares, painted = (functional.avg_pool2d(each, _SQUARE) for each in (pictures, restyled))
    return 100 * (squares - painted).square().mean()


def total_variation(pictures: Tensor) -> Tensor:
    """Mean difference of neighbouring pixels, in both directions."""
    down = (pictures[:, :, 1:] - pictures[:, :, :-1]).abs().mean()
    across = (pictures[:, :, :, 1:] - pictures[:, :, :, :-1]).abs().mean()
    return down + across
