"""Synthesise captions of training pictures: short phrases and haiku-like lines with correct colours and lights.

A picture's statistics determine its light and colours. Some lines are unrelated to the picture ("a crow calls"),
because poems have such lines too, and the painter must learn to ignore them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.painters.prompt_vocabulary import CLOSE_UPS, LEAFY, LIGHT_PHRASES, NOUNS, SNOWY, phrase
from auria_bot.art.training.painter.lighting_augmentation import luminance
from auria_bot.corpus.language.words import word_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["captions", "colour_name", "light_of"]

_COLOURS: dict[str, tuple[float, float, float]] = {
    "black": (0.04, 0.04, 0.05),
    "dark blue": (0.08, 0.12, 0.30),
    "deep blue": (0.12, 0.28, 0.60),
    "blue": (0.30, 0.52, 0.82),
    "pale blue": (0.66, 0.80, 0.92),
    "teal": (0.20, 0.52, 0.55),
    "green": (0.28, 0.48, 0.20),
    "dark green": (0.12, 0.22, 0.10),
    "pale green": (0.66, 0.78, 0.52),
    "yellow": (0.92, 0.82, 0.22),
    "golden": (0.85, 0.62, 0.20),
    "orange": (0.92, 0.48, 0.16),
    "red": (0.78, 0.14, 0.14),
    "dark red": (0.42, 0.08, 0.10),
    "pink": (0.92, 0.58, 0.68),
    "purple": (0.52, 0.30, 0.58),
    "brown": (0.42, 0.30, 0.20),
    "grey": (0.52, 0.53, 0.54),
    "dark grey": (0.24, 0.25, 0.26),
    "white": (0.92, 0.93, 0.94),
}
_SKIES = word_set("sea mountain glacier river boat bridge valley sky field road snowfield")
# Scenes in which a warm upper part is an evening sky and not a wall, a dune or a leaf.


_NAMES = tuple(_COLOURS)
_VALUES = np.array(list(_COLOURS.values()), np.float32)

_UNRELATED_TEXT = (
    "a crow calls; an old man sighs; nobody comes; the temple bell; i think of you; a dog barks twice; "
    "waiting for a letter; the smell of bread; my mother's hands; the day is long; one more cup of tea; "
    "a train goes by; no word from home; the clock has stopped; the cat does not move; still my heart listens; "
    "footsteps on the stairs; children laugh somewhere; all my plans forgotten; how quiet it is; "
    "a door left open; time goes so slowly; an insect sings; old friends are gone; the wind has no name; "
    "dreaming alone; a song without words; the year is ending; a spider's thread; i lose my way; "
    "the kettle whistles; a sparrow listens; my breath is the only sound; secrets we kept; "
    "what the silence says; a lantern somewhere; the road goes on; we say goodbye; a moment of peace; "
    "the wandering monk; thin smoke rises; a fisherman waits"
)
_UNRELATED = tuple(_UNRELATED_TEXT.split("; "))
_TEMPLATES_TEXT = (
    "{noun} {light}; the {noun} wakes; silent {noun}; wind over the {noun}; {colour} {noun}; beyond the {noun}; "
    "the {noun} is still; so much {colour}; {colour} and still; light on the {noun}; alone with the {noun}"
)
_TEMPLATES = tuple(_TEMPLATES_TEXT.split("; "))


def light_of(picture: NDArray[np.float32], scene: str) -> str:
    """The light of a real picture, a key of LIGHT_PHRASES, from its colours.

    Args:
        picture: (height, width, 3) in [0, 1].
    """
    light = luminance(picture)
    mean, spread = float(light.mean()), float(light.std())
    upper = picture[: picture.shape[0] * 3 // 5]
    warmth = float((upper[..., 0] - upper[..., 2]).mean())
    vivid = float((picture.max(axis=2) - picture.min(axis=2)).mean())
    white = float(((picture.min(axis=2) > 0.72) & (picture.max(axis=2) - picture.min(axis=2) < 0.12)).mean())
    if scene in CLOSE_UPS:
        found = {"night": mean < 0.17, "noon": mean > 0.5 and vivid > 0.25, "day": True}
    else:
        found = {
            "night": mean < 0.17,
            "sunset": warmth > 0.14 and scene in _SKIES,
            "autumn": scene in LEAFY and float((picture[..., 0] - picture[..., 1]).mean()) > 0.045,
            "snow": scene in SNOWY and white > 0.28 and vivid < 0.16,
            "mist": spread < 0.12 and vivid < 0.16 and mean > 0.35,
            "grey": vivid < 0.11 and mean < 0.6,
            "noon": mean > 0.46,
            "day": True,
        }
    return next(light for light, holds in found.items() if holds)


def colour_name(area: NDArray[np.float32]) -> str:
    """The colour name nearest to an area's typical colour; `area` is (..., 3) in [0, 1]."""
    colour = np.median(area.reshape(-1, 3), axis=0) * 0.6 + area.reshape(-1, 3).mean(axis=0) * 0.4
    return _NAMES[int(((_VALUES - colour) ** 2).sum(axis=1).argmin())]


def captions(picture: NDArray[np.float32], scene: str, light: str, rng: np.random.Generator, count: int) -> list[str]:
    """Write `count` captions of one picture: a plain phrase first, then haiku-like lines and both combined.

    Args:
        picture: (height, width, 3) in [0, 1].
        scene: its scene, a key of NOUNS.
        light: its light, a key of LIGHT_PHRASES.
    """
    height, width = picture.shape[:2]
    if scene in CLOSE_UPS:
        colour = colour_name(picture[height // 4 : -height // 4, width // 4 : -width // 4])
        other = colour_name(np.concatenate([picture[: height // 5], picture[-height // 5 :]]))
    else:
        other, colour = colour_name(picture[: height // 3]), colour_name(picture[height // 2 :])
    made = []
    for number in range(count):
        shown = colour if rng.random() < 0.5 else ""
        noun, wording = _mostly_first(rng, len(NOUNS[scene])), _mostly_first(rng, len(LIGHT_PHRASES[light]))
        plain = phrase(scene, light, shown, noun=noun, wording=wording)
        if number == 0:
            made.append(plain)
            continue
        lines = _lines(scene, light, (colour, other), rng, state_light=number % 3 != 2)
        made.append(", ".join(lines) if number % 3 else f"{plain}: {', '.join(lines)}")
    return made


def _lines(
    scene: str, light: str, colours: tuple[str, str], rng: np.random.Generator, *, state_light: bool
) -> list[str]:
    """Three lines: one or two about the picture (including the light if `state_light`), the others unrelated."""

    def fill(template: str) -> str:
        noun = NOUNS[scene][_mostly_first(rng, len(NOUNS[scene]))]
        named = LIGHT_PHRASES[light][int(rng.integers(len(LIGHT_PHRASES[light])))]
        return template.format(noun=noun, light=named, colour=colours[int(rng.random() < 0.4)])

    lines = [fill(_TEMPLATES[0])] if state_light else [fill("{colour} {noun}"), fill("{light}")]
    while len(lines) < 3:
        if rng.random() < 0.45:
            lines.append(fill(_TEMPLATES[int(rng.integers(1, len(_TEMPLATES)))]))
        else:
            lines.append(_UNRELATED[int(rng.integers(len(_UNRELATED)))])
    return [lines[index] for index in rng.permutation(3)]


def _mostly_first(rng: np.random.Generator, count: int) -> int:
    return 0 if rng.random() < 0.35 else int(rng.integers(count))
