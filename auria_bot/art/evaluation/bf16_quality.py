"""What bfloat16 costs the pictures, by the measures that judge painter and stylist.

Runs OpenVINO's own bfloat16, so it needs a processor that has it. The figures of both precisions stand side by side; whether the
difference matters is for the caller to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auria_bot.art.evaluation.painter import control
from auria_bot.art.evaluation.stylist import evaluate, invented_scene
from auria_bot.art.painters.attn import AttnPainter
from auria_bot.art.real_esrgan import RealEsrgan
from auria_bot.art.stylists.magenta import Magenta
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["PictureFigures", "measured", "worst"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFigures:
    """Painter and stylist in one precision."""

    control: Mapping[str, int]  # in how many of `seeds` light, whiteness or warmth is as asked for
    seeds: int
    score: float  # the painter's mean matching score, about -1 to 1
    colour_left: float  # of the distance to the painting, median
    edges: float  # share that stays, median


def measured(models: Path, *, precision: str, seeds: int = 5, pairs: int = 8) -> PictureFigures:
    """Paint and restyle in "f32" or "bf16", both on OpenVINO, so that nothing but the rounding differs."""
    options: dict[str, Any] = {"runtime": "openvino", "precision": precision}
    painter = AttnPainter(AttnPainter.Config(**options), models=models)
    texts = ("sea at sunset", "forest in the snow", "a mountain at night", "roses in daylight")
    scores = [painter.imagine(text, seed=seed, count=4)[0].score for text in texts for seed in range(seeds)]
    restyled = evaluate(
        Magenta(Magenta.Config(**options), models),
        RealEsrgan(RealEsrgan.Config(**options), models),
        [invented_scene(seed) for seed in range(pairs)],
    )
    return PictureFigures(
        control=control(painter, seeds=seeds)["control"],
        seeds=seeds,
        score=sum(scores) / len(scores),
        colour_left=restyled.colour_left,
        edges=restyled.edges,
    )


def worst(plain: PictureFigures, rounded: PictureFigures) -> float:
    """By how much of its range the figure that suffers most gets worse, 0 where none does.

    Raises:
        InputError: the two were not measured on the same seeds.
    """
    if plain.seeds != rounded.seeds or set(plain.control) != set(rounded.control):
        raise InputError("figures of different seeds or prompts cannot be compared; measure both anew")
    falls = [
        *((plain.control[name] - rounded.control[name]) / plain.seeds for name in plain.control),
        plain.score - rounded.score,
        rounded.colour_left - plain.colour_left,
        plain.edges - rounded.edges,
    ]
    return max(0.0, *falls)
