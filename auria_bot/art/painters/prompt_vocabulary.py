"""The words of paintable scenes, lights and colours, and phrases made of them.

Training captions and the prompts made of poems use the same words, so that prompts stay close to what the painter has
learned.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auria_bot.corpus.language.words import word_set

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["CLOSE_UPS", "KIN", "LEAFY", "LIGHT_PHRASES", "NOUNS", "SCENES", "SNOWY", "describe", "phrase", "resolve"]

_NOUN_TEXTS = {
    "sea": "sea, ocean, waves, shore, tide, beach, bay, surf, coast, seashore",
    "mountain": "mountain, mountains, hills, peaks, ridge, cliffs, high peaks, far hills, slopes, summit",
    "glacier": "glacier, ice, frozen river, snow and ice, ice field, frost and ice, icy peaks, iceberg",
    "forest": "forest, woods, trees, pines, branches, grove, leaves, forest path, old trees, woodland",
    "daisy": "daisy, daisies, daisy flower, daisy petals",
    "dandelion": "dandelion, dandelions, dandelion seeds, dandelion in the grass",
    "rose": "rose, roses, rose petals, rose blossom",
    "sunflower": "sunflower, sunflowers, sunflower field",
    "tulip": "tulip, tulips, tulip garden, tulip blossom",
    "city": "city, city street, street, buildings, town, tall buildings, skyline, houses of the city, narrow street",
    "house": "house, old house, cottage, home, farmhouse, cabin, house with a roof, village house",
    "temple": "temple, old temple, shrine, monastery, pagoda, temple roof, temple gate",
    "church": "church, old church, church tower, steeple, chapel, abbey",
    "bridge": "bridge, old bridge, stone bridge, bridge over the river, arches of a bridge",
    "river": "river, stream, creek, river bank, lake, pond, water, quiet river, lakeside",
    "boat": "boat, boats, harbor, sailboat, ship, sails, boats in the harbor, fishing boat",
    "field": "field, fields, corn field, farmland, harvest field, rice field, meadow, open field",
    "garden": "garden, flower garden, garden path, hedges, old garden, green garden",
    "park": "park, lawn, park path, trees and grass, lawn under trees",
    "road": "road, long road, highway, road to the hills, empty road",
    "swamp": "swamp, marsh, wetland, reeds, marsh water, bog",
    "valley": "valley, green valley, landscape, countryside, hills and valley, meadows and hills",
    "desert": "desert, dunes, sand dunes, sand, dry land, desert hills",
    "waterfall": "waterfall, falls, falling water, cascade, mountain waterfall",
    "bamboo": "bamboo, bamboo grove, bamboo forest, bamboo stems, tall bamboo",
    "sky": "sky, clouds, wide sky, clouds in the sky, horizon, heavens",
    "rain": "rain, falling rain, raindrops, heavy rain, rain shower",
    "snowfield": "snowfield, snow field, snowy slope, white slopes, deep snow, snowy hills",
    "bird": "bird, small bird, bird on a branch, songbird, feathers of a bird",
    "butterfly": "butterfly, butterflies, butterfly wings, butterfly on a leaf",
    "horse": "horse, horses, horse in the meadow, grazing horse",
    "flower": "flower, flowers, blossom, bloom, petals, wildflower, blossoms",
}
SCENES = tuple(_NOUN_TEXTS)
"""What a painter can be trained to paint, in the order of the classifier's classes; a model names those it knows."""

CLOSE_UPS = frozenset({"daisy", "dandelion", "rose", "sunflower", "tulip", "flower", "bird", "butterfly", "horse"})
"""Scenes with one thing in the middle; they have no sky, so they are painted by day and darkened where it is night."""

SNOWY = word_set("forest mountain glacier snowfield house temple church park field road bridge valley garden")
"""Scenes that are seen in snow in training, mostly in relit pictures."""

LEAFY = word_set("forest mountain park garden valley road temple house river")
"""Scenes that are seen in autumn in training, mostly in relit pictures."""

_KIN_TEXTS = {
    "sea": "bridge river boat swamp waterfall rain",
    "mountain": "city church field road valley desert sky horse",
    "glacier": "snowfield",
    "forest": "house temple park bamboo bird",
    "daisy": "butterfly flower",
    "tulip": "garden",
}
KIN = {scene: kin for kin, scenes in _KIN_TEXTS.items() for scene in scenes.split()}
"""The scene that is painted instead by a model that was trained without a scene."""

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
    "city": {"street": "a street", "": "buildings of a city"},
    "house": {"cabin": "a cabin", "hut": "a hut", "": "a house"},
    "temple": {"shrine": "a shrine", "": "a temple"},
    "church": {"": "a church"},
    "bridge": {"": "a bridge"},
    "river": {"lake": "a lake", "pond": "a pond", "stream": "a stream", "creek": "a stream", "": "a river"},
    "boat": {"harbor": "a harbor", "harbour": "a harbor", "": "boats on the water"},
    "field": {"meadow": "a meadow", "": "a field"},
    "garden": {"": "a garden"},
    "park": {"": "a park"},
    "road": {"": "a road"},
    "swamp": {"reed": "reeds in the water", "": "a marsh"},
    "valley": {"": "a valley"},
    "desert": {"dune": "dunes", "": "a desert"},
    "waterfall": {"": "a waterfall"},
    "bamboo": {"": "bamboo"},
    "sky": {"": "the sky"},
    "rain": {"": "rain"},
    "snowfield": {"": "snowy slopes"},
    "bird": {"": "a bird"},
    "butterfly": {"": "a butterfly"},
    "horse": {"": "a horse"},
    "flower": {"blossom": "blossoms", "": "flowers"},
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


def resolve(scene: str, known: Collection[str]) -> str:
    """The scene itself where a model knows it, else the nearest scene that it does know."""
    return scene if scene in known else KIN[scene]


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
