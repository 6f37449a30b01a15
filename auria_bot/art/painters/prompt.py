"""Make a prompt that the painter can paint from a poem: scene, light and colour.

Poems mention more than the painter has seen. Words that name or imply a scene or a light decide first; without any, the
poem's meaning decides (MiniLM vectors against those of the scenes and lights), then the mood. The poem itself follows
the phrase, so its other words still influence the picture.
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
    """A prompt and what it was made from."""

    scene: str  # one of prompt_vocabulary.SCENES
    light: str  # a key of prompt_vocabulary.LIGHT_PHRASES
    colour: str  # an adjective, or ""
    text: str  # the phrase, then the poem
    by_day: bool  # the text asks for daylight; the painting is darkened afterwards


_SCENE_WORDS: dict[str, str] = {
    "sea": (
        "sea ocean wave waves shore shoreline tide tides beach sand surf bay harbor harbour boat boats ship ships "
        "sail sails sailing gull gulls seagull fish fisherman whale island coast lighthouse foam salt water waters "
        "lake river stream creek pond frog puddle rain raindrops shell shells swim pier reef dolphin heron duck ducks "
        "geese swan drift bridge"
    ),
    "mountain": (
        "mountain mountains hill hills hillside peak peaks ridge cliff cliffs valley canyon rock rocks stone stones "
        "eagle hawk summit climb horizon desert dune dunes plain far road roads miles heat sun village clouds cloud "
        "sky thunder storm lightning volcano dust journey pilgrim field fields"
    ),
    "glacier": (
        "glacier glaciers ice iceberg icy icicle icicles frozen frost frosty freeze freezing arctic polar glacial"
    ),
    "forest": (
        "forest forests wood woods woodland tree trees branch branches twig pine pines oak maple birch cedar willow "
        "bamboo leaf leaves foliage deer owl fox moss fern path trail shade bird birds crow crows raven sparrow robin "
        "nest squirrel cicada cricket crickets grove roots bark acorn mushroom temple shrine wind orchard"
    ),
    "rose": (
        "rose roses thorn thorns blossom blossoms cherry plum petal petals kiss love lover beloved heart bouquet "
        "peony camellia orchid"
    ),
    "tulip": "tulip tulips garden bulb vase easter lily lilies iris poppy poppies",
    "sunflower": "sunflower sunflowers harvest marigold bee bees wheat honey",
    "daisy": (
        "daisy daisies flower flowers bloom blooms blooming butterfly butterflies child children girl chamomile "
        "wildflower wildflowers"
    ),
    "dandelion": "dandelion dandelions weed weeds meadow lawn grass grasses seed seeds puff sprout thistle clover",
}
_STRONG_TEXT = (
    "sea ocean waves wave beach shore tide lake river pond boat ship mountain mountains hills hill peak peaks "
    "summit valley desert dunes cliff cliffs glacier ice iceberg frozen forest woods wood trees tree pine pines "
    "branches leaves rose roses tulip tulips sunflower sunflowers daisy daisies dandelion dandelions blossoms "
    "blossom"
)
_STRONG = frozenset(_STRONG_TEXT.split())
_LIGHT_WORDS: dict[str, str] = {
    "moon": "moon moonlight moonlit moonrise lunar",
    "night": (
        "night nights midnight dark darkness star stars starlight starry owl lantern lamp lamps candle neon city "
        "firefly fireflies sleep dream dreams galaxy nightfall"
    ),
    "sunset": (
        "sunset dusk evening twilight sundown sunrise dawn daybreak ember embers fire burning flame flames glow red "
        "sinking campfire"
    ),
    "autumn": "autumn october november september fall maple harvest fallen pumpkin rust crimson wither withered",
    "snow": "snow snowy snowfall snowflake snowflakes winter december january february blizzard frost cold christmas",
    "mist": "mist misty fog foggy haze hazy smoke steam veil ghost vapor",
    "grey": (
        "rain rainy raindrops drizzle storm stormy thunder cloud clouds cloudy grey gray downpour umbrella tears "
        "weeping overcast"
    ),
    "noon": (
        "noon sun sunlight sunny summer bright heat hot july august june blue cicada cicadas warm morning clear light "
        "butterfly bee bees"
    ),
    "day": "spring april may march green new bud buds sprout",
}
_STRONG_LIGHT_TEXT = (
    "moon moonlight moonlit night midnight stars sunset dusk twilight sunrise dawn autumn october november snow "
    "winter snowfall mist fog rain storm noon summer sunlight spring"
)
_STRONG_LIGHT = frozenset(_STRONG_LIGHT_TEXT.split())
_COLOUR_WORDS = {
    "red": "red crimson scarlet",
    "pink": "pink blush",
    "orange": "orange",
    "golden": "golden gold",
    "yellow": "yellow",
    "green": "green emerald",
    "blue": "blue azure",
    "deep blue": "indigo",
    "purple": "purple violet lavender lilac",
    "white": "white",
    "pale": "pale",
    "grey": "grey gray silver",
    "dark": "black",
    "brown": "brown",
    "teal": "teal turquoise",
}
_COLOURS = {word: colour for colour, words in _COLOUR_WORDS.items() for word in words.split()}
_IMPLIED = dict.fromkeys(("desert", "dune", "dunes", "camel", "cactus", "savanna"), "golden")  # the colour of dry land
_UNSUITABLE = {
    "autumn": ("green",),
    "sunset": ("blue", "deep blue", "green", "grey", "teal"),
}  # colours that contradict a light
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
_SCENE_WEIGHT, _LIGHT_WEIGHT = 0.30, 0.30  # weight of a strong word beside a cosine
_SCENE_BIAS = {"sea": 0.03, "mountain": 0.02, "glacier": -0.06, **dict.fromkeys(sorted(FLOWERS), -0.06)}
# Without a named scene, prefer a wide view to a close-up or a glacier.
_DARK = ("night", "moon")
_MOON = frozenset(_LIGHT_WORDS["moon"].split())
_SPREAD = 0.03  # temperature of the random choice between scores

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
"""Descriptions of each scene and light, compared with the poem; their vectors are stored with the model."""


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
        vector: (384,) MiniLM's unit vector of poem and theme.
        meanings: for each key of SENTENCES its vectors, (n, 384) of unit length.
        seed: chooses between scenes of about the same score.
        mood: influences the light where the poem names none.
        theme: what was asked for; its words count like the poem's.
    """
    rng = np.random.default_rng((seed, 40))
    words = re.findall(r"[a-z']+", " ".join([*lines, (theme or "")[:200]]).lower())
    scenes = {
        scene: _near(vector, meanings[f"scene:{scene}"])
        + _SCENE_WEIGHT * _hits(words, _SCENE_WORDS[scene], _STRONG)
        + _SCENE_BIAS.get(scene, 0.0)
        for scene in SCENES
    }
    lights = {
        light: _near(vector, meanings[f"light:{light}"])
        + _LIGHT_WEIGHT * _hits(words, _LIGHT_WORDS[light], _STRONG_LIGHT)
        for light in LIGHT_PHRASES
    }
    for rank, light in enumerate(_MOOD_LIGHTS.get(mood.parent, ()) if mood is not None else ()):
        lights[light] += 0.08 - 0.03 * rank
    if _MOON.intersection(words):  # a named moon must be visible: no moonless night and no close-up of a flower
        lights["night"] -= _LIGHT_WEIGHT
        for flower in FLOWERS:
            if not _STRONG.intersection(words) & set(_SCENE_WORDS[flower].split()):
                scenes[flower] -= _LIGHT_WEIGHT
    scene = _draw(scenes, rng)
    if scene in FLOWERS:
        for light in ("snow", "autumn", "mist"):  # not in the training data for flowers
            lights[light] -= 0.25
    light = _draw(lights, rng)
    by_day = scene in FLOWERS and light in _DARK
    # White flowers come out pale under a bright sky.
    painted_light = "day" if by_day or (scene == "daisy" and light == "noon") else light
    colour = _colour(words, scene, light, painted_light)
    start = phrase(scene, painted_light, colour, noun=int(rng.integers(2)), wording=int(rng.integers(2)))
    kept_lines = [line for line in lines if not (by_day and _darkens(line))]
    return Prompt(
        scene=scene,
        light=light,
        colour=colour,
        text=f"{start}: {', '.join(kept_lines)}" if kept_lines else start,
        by_day=by_day,
    )


def _colour(words: Sequence[str], scene: str, light: str, painted_light: str) -> str:
    """The colour named by the words, if the painter can paint it in that light; "" for none."""
    unsuitable = _UNSUITABLE.get(light, ())
    colour_word = next((colour for colour in map(_COLOURS.get, words) if colour and colour not in unsuitable), "")
    if scene == "mountain" and not colour_word:
        colour_word = next((_IMPLIED[word] for word in words if word in _IMPLIED), "")
    if painted_light != light:  # a flower, painted by day
        kept = "" if colour_word in {"dark", "grey", "blue", "deep blue"} else colour_word
        return kept or ("white" if scene == "daisy" else "")
    if light in {*_DARK, "snow"}:
        return colour_word if colour_word in {"blue", "deep blue", "dark", "white"} else ""
    return colour_word


def _darkens(line: str) -> bool:
    """Whether a line contains a word of the night, which would darken a flower painted by day."""
    dark = {word for light in _DARK for word in _LIGHT_WORDS[light].split()}
    return bool(dark.intersection(re.findall(r"[a-z']+", line.lower())))


def _near(vector: NDArray[np.float32], meanings: NDArray[np.float32]) -> float:
    return float((meanings @ vector).max())


def _hits(words: Sequence[str], known: str, strong: frozenset[str]) -> float:
    """1 for a strong word, half for another, at most 2 in all."""
    wanted = set(known.split())
    return min(2.0, sum(1.0 if word in strong else 0.5 for word in dict.fromkeys(words) if word in wanted))


def _draw(scores: Mapping[str, float], rng: np.random.Generator) -> str:
    """Sample a name by its score, the best most often."""
    names = list(scores)
    values = np.array([scores[name] for name in names])
    share = np.exp((values - values.max()) / _SPREAD)
    return names[int(rng.choice(len(names), p=share / share.sum()))]
