"""The words of paintable scenes, lights and colours, and phrases made of them.

Training captions and the prompts made of poems use the same words, so that prompts stay close to what the painter has
learned.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FLOWERS", "LIGHT_PHRASES", "NOUNS", "SCENES", "describe", "phrase"]

SCENES = ("sea", "mountain", "glacier", "forest", "daisy", "dandelion", "rose", "sunflower", "tulip")
"""What the painter can paint, in the order of the classifier's classes."""

FLOWERS = frozenset({"daisy", "dandelion", "rose", "sunflower", "tulip"})

_NOUN_TEXTS = {
    "sea": "sea, ocean, waves, shore, tide, beach, bay, surf, lake, river, water, harbor",
    "mountain": "mountain, mountains, hills, peaks, ridge, valley, cliffs, high peaks, far hills, slopes",
    "glacier": "glacier, ice, frozen river, snow and ice, ice field, frost and ice, icy peaks",
    "forest": "forest, woods, trees, pines, branches, grove, leaves, forest path, old trees, garden trees",
    "daisy": "daisy, daisies, daisy flower, daisy petals",
    "dandelion": "dandelion, dandelions, dandelion seeds, dandelion in the grass",
    "rose": "rose, roses, rose petals, rose blossom",
    "sunflower": "sunflower, sunflowers, sunflower field",
    "tulip": "tulip, tulips, tulip garden, tulip blossom",
}
NOUNS = {scene: tuple(names.split(", ")) for scene, names in _NOUN_TEXTS.items()}
"""Names of each scene, the plainest first."""

LIGHT_PHRASES: dict[str, tuple[str, ...]] = {
    "day": ("in daylight", "on a quiet day", "in spring", "by day"),
    "noon": ("at noon", "under a bright blue sky", "in the bright sun", "on a clear summer day", "in the morning sun"),
    "grey": ("under a grey sky", "before the rain", "in the rain", "under heavy clouds", "on a cloudy day"),
    "mist": ("in the mist", "in morning fog", "in a pale haze", "lost in fog"),
    "night": ("at night", "in the dark", "under the stars", "after midnight", "on a starry night"),
    "moon": ("under the moon", "in the moonlight", "under a full moon", "and the autumn moon", "at moonrise"),
    "sunset": ("at sunset", "at dusk", "in the evening glow", "at sunrise", "at dawn", "under a burning sky"),
    "autumn": ("in autumn", "in october", "with red and gold leaves", "in the fall", "with fallen leaves"),
    "snow": ("in the snow", "in winter", "under fresh snow", "in falling snow", "after the first snow"),
}
"""What each light is called, the plainest first."""


def phrase(scene: str, light: str, colour: str = "", *, noun: int = 0, wording: int = 0) -> str:
    """Word a prompt such as "blue sea at sunset": colour, scene, light.

    Args:
        scene: one of SCENES.
        light: one of LIGHT_PHRASES.
        colour: an adjective, or "" for none.
        noun: index of the scene's name, modulo their number.
        wording: index of the light's name, likewise.
    """
    names, lights = NOUNS[scene], LIGHT_PHRASES[light]
    words = (colour, names[noun % len(names)], lights[wording % len(lights)])
    return " ".join(word for word in words if word)


_SCENE_NAMES = {
    "sea": {
        "lake": "a lake",
        "pond": "a pond",
        "river": "a river",
        "stream": "a stream",
        "creek": "a stream",
        "beach": "a beach",
        "sand": "a beach",
        "shore": "the seashore",
        "waves": "waves",
        "": "the sea",
    },
    "mountain": {
        "hill": "hills",
        "valley": "a valley",
        "cliff": "cliffs",
        "field": "open fields",
        "fields": "open fields",
        "mountain": "mountains",
        "peak": "mountains",
        "": "hills",
    },
    "glacier": {"river": "a frozen river", "lake": "a frozen lake", "": "a frozen land"},
    "forest": {"tree": "trees", "pine": "pines", "leaves": "trees", "": "a forest"},
    "daisy": {"": "daisies"},
    "dandelion": {"": "dandelions"},
    "rose": {"": "a rose"},
    "sunflower": {"": "sunflowers"},
    "tulip": {"": "tulips"},
}
_LIGHT_NAMES = {
    "day": {"": ""},
    "noon": {"morning": "in the morning light", "": "in bright light"},
    "grey": {"rain": "in the rain", "storm": "under a stormy sky", "": "under a grey sky"},
    "mist": {"fog": "in fog", "": "in mist"},
    "night": {"star": "under the stars", "": "at night"},
    "moon": {"": "in moonlight"},
    "sunset": {
        "dawn": "at dawn",
        "sunrise": "at sunrise",
        "daybreak": "at dawn",
        "dusk": "at dusk",
        "twilight": "at dusk",
        "": "at sunset",
    },
    "autumn": {"": "in autumn"},
    "snow": {"snow": "in snow", "": "in winter"},
}


def describe(scene: str, light: str, lines: Iterable[str] = ()) -> str:
    """Describe a prompt's picture as it follows "a painting of": "a lake in moonlight".

    The poem's own words are preferred: a prompt of the sea is described as a lake where the poem says lake.

    Args:
        scene: one of SCENES.
        light: one of LIGHT_PHRASES.
        lines: the poem's, and the theme.
    """
    words = set(re.findall(r"[a-z]+", " ".join(lines).lower()))
    words |= {word.removesuffix("s") for word in words}
    parts = (
        next(name for word, name in names.items() if not word or word in words)
        for names in (_SCENE_NAMES[scene], _LIGHT_NAMES[light])
    )
    return " ".join(part for part in parts if part)
