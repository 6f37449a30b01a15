"""From a poem to a prompt that the painter can paint: which scene, which light, which colour.

Poems speak of more than the painter has seen. Words that name or imply a scene or a light decide first; where they say nothing, the
meaning of the poem decides (MiniLM vectors against those of the scenes' and lights' names); then the mood. The poem itself stays in
the prompt behind the phrase, so its other words still colour the picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.painters.prompt_vocabulary import FLOWERS, LIGHT_PHRASES, SCENES, phrase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from auria_bot.domain.mood import Mood

__all__ = ["SENTENCES", "Prompt", "compose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What will be painted."""

    scene: str  # one of scenery.SCENES
    light: str  # a key of scenery.LIGHT_PHRASES
    colour: str  # an adjective, or ""
    text: str  # the phrase, then the poem
    by_day: bool  # the text asks for daylight, and night is to be laid over the painting


_SCENE_WORDS: dict[str, str] = {
    "sea": "sea ocean wave waves shore shoreline tide tides beach sand surf bay harbor harbour boat boats ship ships sail sails sailing "
    "gull gulls seagull fish fisherman whale island coast lighthouse foam salt water waters lake river stream creek pond frog puddle "
    "rain raindrops shell shells swim pier reef dolphin heron duck ducks geese swan drift bridge",
    "mountain": "mountain mountains hill hills hillside peak peaks ridge cliff cliffs valley canyon rock rocks stone stones eagle hawk summit "
    "climb horizon desert dune dunes plain far road roads miles heat sun village clouds cloud sky thunder storm lightning volcano dust journey pilgrim field fields",
    "glacier": "glacier glaciers ice iceberg icy icicle icicles frozen frost frosty freeze freezing arctic polar glacial",
    "forest": "forest forests wood woods woodland tree trees branch branches twig pine pines oak maple birch cedar willow bamboo leaf leaves "
    "foliage deer owl fox moss fern path trail shade bird birds crow crows raven sparrow robin nest squirrel cicada cricket crickets grove "
    "roots bark acorn mushroom temple shrine wind orchard",
    "rose": "rose roses thorn thorns blossom blossoms cherry plum petal petals kiss love lover beloved heart bouquet peony camellia orchid",
    "tulip": "tulip tulips garden bulb vase easter lily lilies iris poppy poppies",
    "sunflower": "sunflower sunflowers harvest marigold bee bees wheat honey",
    "daisy": "daisy daisies flower flowers bloom blooms blooming butterfly butterflies child children girl chamomile wildflower wildflowers",
    "dandelion": "dandelion dandelions weed weeds meadow lawn grass grasses seed seeds puff sprout thistle clover",
}
_STRONG = {  # words that name the thing itself
    "sea",
    "ocean",
    "waves",
    "wave",
    "beach",
    "shore",
    "tide",
    "lake",
    "river",
    "pond",
    "boat",
    "ship",
    "mountain",
    "mountains",
    "hills",
    "hill",
    "peak",
    "peaks",
    "summit",
    "valley",
    "desert",
    "dunes",
    "cliff",
    "cliffs",
    "glacier",
    "ice",
    "iceberg",
    "frozen",
    "forest",
    "woods",
    "wood",
    "trees",
    "tree",
    "pine",
    "pines",
    "branches",
    "leaves",
    "rose",
    "roses",
    "tulip",
    "tulips",
    "sunflower",
    "sunflowers",
    "daisy",
    "daisies",
    "dandelion",
    "dandelions",
    "blossoms",
    "blossom",
}
_LIGHT_WORDS: dict[str, str] = {
    "moon": "moon moonlight moonlit moonrise lunar",
    "night": "night nights midnight dark darkness star stars starlight starry owl lantern lamp lamps candle neon city firefly fireflies sleep dream "
    "dreams galaxy nightfall",
    "sunset": "sunset dusk evening twilight sundown sunrise dawn daybreak ember embers fire burning flame flames glow red sinking campfire",
    "autumn": "autumn october november september fall maple harvest fallen pumpkin rust crimson wither withered",
    "snow": "snow snowy snowfall snowflake snowflakes winter december january february blizzard frost cold christmas",
    "mist": "mist misty fog foggy haze hazy smoke steam veil ghost vapor",
    "grey": "rain rainy raindrops drizzle storm stormy thunder cloud clouds cloudy grey gray downpour umbrella tears weeping overcast",
    "noon": "noon sun sunlight sunny summer bright heat hot july august june blue cicada cicadas warm morning clear light butterfly bee bees",
    "day": "spring april may march green new bud buds sprout",
}
_STRONG_LIGHT = {
    "moon",
    "moonlight",
    "moonlit",
    "night",
    "midnight",
    "stars",
    "sunset",
    "dusk",
    "twilight",
    "sunrise",
    "dawn",
    "autumn",
    "october",
    "november",
    "snow",
    "winter",
    "snowfall",
    "mist",
    "fog",
    "rain",
    "storm",
    "noon",
    "summer",
    "sunlight",
    "spring",
}
_COLOURS: dict[str, str] = {
    "red": "red",
    "crimson": "red",
    "scarlet": "red",
    "pink": "pink",
    "blush": "pink",
    "orange": "orange",
    "golden": "golden",
    "gold": "golden",
    "yellow": "yellow",
    "green": "green",
    "emerald": "green",
    "blue": "blue",
    "azure": "blue",
    "indigo": "deep blue",
    "purple": "purple",
    "violet": "purple",
    "lavender": "purple",
    "lilac": "purple",
    "white": "white",
    "pale": "pale",
    "grey": "grey",
    "gray": "grey",
    "silver": "grey",
    "black": "dark",
    "brown": "brown",
    "teal": "teal",
    "turquoise": "teal",
}
_IMPLIED = dict.fromkeys(("desert", "dune", "dunes", "camel", "cactus", "savanna"), "golden")  # colours of dry land
_UNLIKE = {
    "autumn": ("green",),
    "sunset": ("blue", "deep blue", "green", "grey", "teal"),
}  # colours that put a light out
_MOOD_LIGHTS: dict[str, tuple[str, ...]] = {
    "happiness": ("noon", "day"),
    "love": ("sunset", "day"),
    "optimism": ("sunset", "noon"),
    "gratitude": ("noon", "autumn"),
    "trust": ("day", "noon"),
    "agreeableness": ("mist", "day"),
    "surprise": ("noon", "night"),
    "anticipation": ("sunset", "mist"),
    "humility": ("day", "mist"),
    "shyness": ("mist", "day"),
    "sadness": ("grey", "mist"),
    "regret": ("autumn", "grey"),
    "pessimism": ("grey", "snow"),
    "fear": ("night", "moon"),
    "anger": ("grey", "sunset"),
    "neutral": ("day", "mist"),
}
_SCENE_WEIGHT, _LIGHT_WEIGHT = 0.30, 0.30  # what one telling word is worth beside a cosine
_LEANING = {"sea": 0.03, "mountain": 0.02, "glacier": -0.06, **dict.fromkeys(sorted(FLOWERS), -0.06)}
# What a poem that names no scene becomes: rather a wide view than a close-up or a land of ice.
_DARK = ("night", "moon")
_MOON = frozenset(_LIGHT_WORDS["moon"].split())
_SPREAD = 0.03  # how near two scenes' scores must be for the seed to choose between them

SENTENCES: dict[str, tuple[str, ...]] = {
    "scene:sea": ("the sea, the ocean, waves on the shore", "a lake, a river, a pond, rain and water"),
    "scene:mountain": ("mountains and hills, peaks and valleys", "the wide sky, a long road, far away, stone"),
    "scene:glacier": ("a glacier, ice and frost, frozen land", "cold, ice, nothing alive"),
    "scene:forest": ("a forest, trees and leaves, branches", "birds singing in the woods, a path in the shade"),
    "scene:daisy": ("daisies, white flowers", "children, butterflies and wildflowers, innocence"),
    "scene:dandelion": ("dandelions, grass and meadow", "seeds in the wind, weeds, letting go"),
    "scene:rose": ("roses, red petals", "love, a kiss, the heart, cherry blossoms"),
    "scene:sunflower": ("sunflowers in a field", "harvest, bees, honey, a golden garden"),
    "scene:tulip": ("tulips in a garden", "a spring garden, a vase of flowers on the table"),
    **{f"light:{light}": tuple(wordings[:3]) for light, wordings in LIGHT_PHRASES.items()},
}
"""What each scene and light means, for comparing with a poem; their vectors are stored with the model."""


def compose(
    lines: Sequence[str],
    vector: NDArray[np.float32],
    meanings: Mapping[str, NDArray[np.float32]],
    *,
    seed: int,
    mood: Mood | None = None,
    theme: str | None = None,
) -> Prompt:
    """Choose scene, light and colour, and word the prompt.

    Args:
        lines: the poem's.
        vector: MiniLM's of poem and theme, (384,) of unit length.
        meanings: for each key of SENTENCES its vectors, (n, 384) of unit length.
        seed: chooses between scenes that suit equally well.
        mood: tips the light where the poem names none.
        theme: what was asked for; its words count like the poem's.
    """
    rng = np.random.default_rng((seed, 40))
    words = re.findall(r"[a-z']+", " ".join([*lines, (theme or "")[:200]]).lower())
    scenes = {
        scene: _near(vector, meanings[f"scene:{scene}"])
        + _SCENE_WEIGHT * _hits(words, _SCENE_WORDS[scene], _STRONG)
        + _LEANING.get(scene, 0.0)
        for scene in SCENES
    }
    lights = {
        light: _near(vector, meanings[f"light:{light}"])
        + _LIGHT_WEIGHT * _hits(words, _LIGHT_WORDS[light], _STRONG_LIGHT)
        for light in LIGHT_PHRASES
    }
    for rank, light in enumerate(_MOOD_LIGHTS.get(mood.parent, ()) if mood is not None else ()):
        lights[light] += 0.08 - 0.03 * rank
    if _MOON.intersection(words):  # who names the moon wants to see it: no night without it, and no flower's portrait
        lights["night"] -= _LIGHT_WEIGHT
        for flower in FLOWERS:
            if not _STRONG.intersection(words) & set(_SCENE_WORDS[flower].split()):
                scenes[flower] -= _LIGHT_WEIGHT
    scene = _draw(scenes, rng)
    if scene in FLOWERS:
        for light in ("snow", "autumn", "mist"):  # flowers were never shown in these
            lights[light] -= 0.25
    light = _draw(lights, rng)
    by_day = scene in FLOWERS and light in _DARK
    # Under a bright sky white flowers are pale.
    asked = "day" if by_day or (scene == "daisy" and light == "noon") else light
    colour = _colour(words, scene, light, asked)
    start = phrase(scene, asked, colour, noun=int(rng.integers(2)), wording=int(rng.integers(2)))
    told = [line for line in lines if not (by_day and _darkens(line))]
    return Prompt(
        scene=scene, light=light, colour=colour, text=f"{start}: {', '.join(told)}" if told else start, by_day=by_day
    )


def _colour(words: Sequence[str], scene: str, light: str, asked: str) -> str:
    """The colour that the words name, where the painter can paint it in that light; "" for none."""
    unlike = _UNLIKE.get(light, ())
    named = next((colour for colour in map(_COLOURS.get, words) if colour and colour not in unlike), "")
    if scene == "mountain" and not named:
        named = next((_IMPLIED[word] for word in words if word in _IMPLIED), "")
    if asked != light:  # a flower, painted by day
        kept = "" if named in {"dark", "grey", "blue", "deep blue"} else named
        return kept or ("white" if scene == "daisy" else "")
    if light in {*_DARK, "snow"}:
        return named if named in {"blue", "deep blue", "dark", "white"} else ""
    return named


def _darkens(line: str) -> bool:
    """Whether a line has a word of the night, which would put out the light that flowers are painted in."""
    dark = {word for light in _DARK for word in _LIGHT_WORDS[light].split()}
    return bool(dark.intersection(re.findall(r"[a-z']+", line.lower())))


def _near(vector: NDArray[np.float32], meanings: NDArray[np.float32]) -> float:
    return float((meanings @ vector).max())


def _hits(words: Sequence[str], known: str, strong: set[str]) -> float:
    """1 for a strong word, half for another, at most 2 in all."""
    wanted = set(known.split())
    return min(2.0, sum(1.0 if word in strong else 0.5 for word in dict.fromkeys(words) if word in wanted))


def _draw(scores: Mapping[str, float], rng: np.random.Generator) -> str:
    """The best, or one that is nearly as good."""
    names = list(scores)
    values = np.array([scores[name] for name in names])
    share = np.exp((values - values.max()) / _SPREAD)
    return names[int(rng.choice(len(names), p=share / share.sum()))]
