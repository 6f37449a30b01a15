"""The words of paintable things: scenes, flowers, lights and colours, and phrases made of them.

Training captions and the prompts made of poems are built from the same words, so that a prompt lies where the painter has
learned. Knows words; does not know pictures or networks.
"""

from __future__ import annotations

__all__ = ["FLOWERS", "LIGHT_PHRASES", "NOUNS", "SCENES", "phrase"]

SCENES = ("sea", "mountain", "glacier", "forest", "daisy", "dandelion", "rose", "sunflower", "tulip")
"""What the painter can paint, in the order of the classifier's classes."""

FLOWERS = frozenset({"daisy", "dandelion", "rose", "sunflower", "tulip"})

NOUNS: dict[str, tuple[str, ...]] = {
    "sea": ("sea", "ocean", "waves", "shore", "tide", "beach", "bay", "surf", "lake", "river", "water", "harbor"),
    "mountain": (
        "mountain",
        "mountains",
        "hills",
        "peaks",
        "ridge",
        "valley",
        "cliffs",
        "high peaks",
        "far hills",
        "slopes",
    ),
    "glacier": ("glacier", "ice", "frozen river", "snow and ice", "ice field", "frost and ice", "icy peaks"),
    "forest": (
        "forest",
        "woods",
        "trees",
        "pines",
        "branches",
        "grove",
        "leaves",
        "forest path",
        "old trees",
        "garden trees",
    ),
    "daisy": ("daisy", "daisies", "daisy flower", "daisy petals"),
    "dandelion": ("dandelion", "dandelions", "dandelion seeds", "dandelion in the grass"),
    "rose": ("rose", "roses", "rose petals", "rose blossom"),
    "sunflower": ("sunflower", "sunflowers", "sunflower field"),
    "tulip": ("tulip", "tulips", "tulip garden", "tulip blossom"),
}
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
    """A prompt such as "blue sea at sunset": the colour, the scene's name, the light's name.

    Args:
        scene: one of SCENES.
        light: one of LIGHT_PHRASES.
        colour: an adjective, or "" for none.
        noun: which name of the scene, counted modulo their number.
        wording: which name of the light, likewise.
    """
    names, lights = NOUNS[scene], LIGHT_PHRASES[light]
    words = (colour, names[noun % len(names)], lights[wording % len(lights)])
    return " ".join(word for word in words if word)
