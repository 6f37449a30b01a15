"""Evaluate a style network beside the arbitrary stylisation of the same painting: style, content, edges, time.

Style distance is that of Gram matrices, content distance the relative squared difference of features, both as in
`training.style.losses`; needs torch and the package of the features.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from auria_bot.art.evaluation.stylist import edges_kept
from auria_bot.art.nets.vgg16 import load_vgg16
from auria_bot.art.pictures import to_array
from auria_bot.art.training.style.losses import CONTENT_LAYER, STYLE_LAYERS, gram, relative_difference, style_distance
from auria_bot.domain.artwork import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PIL import Image
    from torch import Tensor

    from auria_bot.art.stylists.magenta import Magenta

__all__ = ["PaintedFigures", "StyleJudge", "compare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintedFigures:
    """Means over pictures."""

    style: float  # distance from the painting, 0 for none
    content: float  # distance from the picture
    edges: float  # share of the picture's edges that were kept
    seconds: float  # median to restyle one picture, the network already loaded


class StyleJudge:
    """Measures restyled pictures against a painting."""

    def __init__(self, painting: Tensor) -> None:
        """`painting` is as `training.style.train.painting_tensor` gives it."""
        self._vgg = load_vgg16()
        with torch.no_grad():
            self._grams = [gram(each) for each in self._vgg(painting, STYLE_LAYERS)]

    def figures(
        self, pictures: Sequence[Image.Image], ways: Mapping[str, Callable[[Image.Image], Image.Image]]
    ) -> dict[str, PaintedFigures]:
        """The figures of several ways to restyle pictures; the first picture is restyled twice, as a warm-up."""
        rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways}
        for restyle in ways.values():
            restyle(pictures[0])
        for picture in pictures:
            (content,) = self._features(picture, (CONTENT_LAYER,))
            for name, restyle in ways.items():
                began = time.perf_counter()
                restyled = restyle(picture)
                seconds = time.perf_counter() - began
                rows[name].append((*self._distances(content, restyled), edges_kept(picture, restyled), seconds))
        return {name: _summary(own) for name, own in rows.items()}

    def _distances(self, content: Tensor, restyled: Image.Image) -> tuple[float, float]:
        """The distances in style from the painting and in content from a picture with these features."""
        features = self._features(restyled, STYLE_LAYERS)
        style = style_distance([gram(each) for each in features], self._grams)
        return float(style), float(relative_difference(features[STYLE_LAYERS.index(CONTENT_LAYER)], content))

    @torch.no_grad()
    def _features(self, picture: Image.Image, layers: tuple[str, ...]) -> list[Tensor]:
        values = np.ascontiguousarray(to_array(picture).transpose(2, 0, 1))
        found: list[Tensor] = self._vgg(torch.from_numpy(values)[None], layers)
        return found


def _summary(rows: Sequence[tuple[float, ...]]) -> PaintedFigures:
    style, content, edges, seconds = zip(*rows, strict=True)
    return PaintedFigures(
        style=statistics.fmean(style),
        content=statistics.fmean(content),
        edges=statistics.fmean(edges),
        seconds=statistics.median(seconds),
    )


def compare(
    stylist: Magenta, name: str, key: str, painting: Tensor, pictures: Sequence[Image.Image]
) -> dict[str, PaintedFigures]:
    """The figures of a style's own network, and of the arbitrary stylisation with the same painting, both in full.

    Args:
        name: of the style with its own network.
        key: of the painting in the style bank.
        painting: see `StyleJudge`.

    Returns:
        "network"; "magenta", the arbitrary stylisation's own output; and "composed", that output combined with the
        painting's colours, as it is published.
    """
    judge = StyleJudge(painting)
    own = Style(key=name, title="", artist="", year="", mode="painterly", strength=1.0)
    ways = {
        "network": lambda picture: stylist.restyled(picture, own),
        "magenta": lambda picture: stylist.texture(picture, key),
        "composed": lambda picture: stylist.restyled(picture, replace(own, key=key)),
    }
    return judge.figures(pictures, ways)
