"""Make a prompt that the painter can paint from a poem: scene, light and colour.

Poems mention more than the painter has seen. Words that name or imply a scene or a light decide first; without any, the
poem's meaning decides (MiniLM vectors against those of the scenes and lights), then the mood. The poem itself follows
the phrase, so its other words still influence the picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.painters.prompt_vocabulary import CLOSE_UPS, LEAFY, LIGHT_PHRASES, SCENES, SNOWY, phrase, resolve
from auria_bot.corpus.language.words import word_set

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from auria_bot.domain.mood import Mood

__all__ = ["SENTENCES", "Prompt", "compose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt and what it was made from."""

    scene: str  # one of the scenes that the model knows
    light: str  # a key of prompt_vocabulary.LIGHT_PHRASES
    colour: str  # an adjective, or ""
    text: str  # the phrase, then the poem
    by_day: bool  # the text asks for daylight; the painting is darkened afterwards


_SCENE_WORDS: dict[str, str] = {
    "sea": (
        "sea ocean wave waves shore shoreline tide tides beach sand surf bay gull gulls seagull whale island coast "
        "lighthouse foam salt water waters shell shells swim reef dolphin drift"
    ),
    "mountain": (
        "mountain mountains hill hills hillside peak peaks ridge cliff cliffs canyon rock rocks stone stones eagle "
        "hawk summit climb volcano pilgrim"
    ),
    "glacier": (
        "glacier glaciers ice iceberg icy icicle icicles frozen frost frosty freeze freezing arctic polar glacial"
    ),
    "forest": (
        "forest forests wood woods woodland tree trees branch branches twig pine pines oak maple birch cedar willow "
        "leaf leaves foliage deer owl fox moss fern path trail shade squirrel cicada cricket crickets grove roots "
        "bark acorn mushroom wind orchard"
    ),
    "rose": "rose roses thorn thorns kiss love lover beloved heart bouquet",
    "tulip": "tulip tulips bulb vase easter",
    "sunflower": "sunflower sunflowers marigold bee bees honey",
    "daisy": "daisy daisies chamomile child children girl",
    "dandelion": "dandelion dandelions weed weeds lawn grass grasses seed seeds puff sprout thistle clover",
    "city": (
        "city cities town street streets building buildings skyscraper skyscrapers traffic crowd neon alley downtown "
        "subway taxi sidewalk pavement apartment office rooftops"
    ),
    "house": (
        "house houses home hut cottage cabin farmhouse roof roofs porch door doorway window chimney kitchen village "
        "villages"
    ),
    "temple": "temple temples shrine shrines pagoda monastery monk monks buddha incense prayer bell",
    "church": "church churches chapel steeple cathedral abbey priest christmas hymn",
    "bridge": "bridge bridges",
    "river": (
        "river rivers stream streams creek brook lake lakes pond ponds water waters fish trout carp koi heron duck "
        "ducks geese swan swans frog ripples current"
    ),
    "boat": (
        "boat boats ship ships sail sails sailing sailboat sailor harbor harbour ferry canoe raft rowing fisherman "
        "fishermen fishing pier dock anchor oars"
    ),
    "field": (
        "field fields meadow meadows farm farmer corn wheat barley rice paddy paddies harvest scarecrow hay barn "
        "pasture plow cows sheep"
    ),
    "garden": "garden gardens gardener gardening hedge hedges fountain",
    "park": "park bench lawn swing swings playground picnic",
    "road": "road roads highway mile miles journey car driving lane",
    "swamp": "swamp marsh marshes bog wetland reed reeds mosquito cattails",
    "valley": "valley valleys countryside landscape distance far village",
    "desert": "desert dune dunes cactus camel sand dust drought savanna",
    "waterfall": "waterfall waterfalls cascade",
    "bamboo": "bamboo bamboos",
    "sky": (
        "sky skies cloud clouds heaven heavens horizon sun thunder storm lightning rainbow kite star stars heat dawn "
        "sunrise sunset"
    ),
    "rain": (
        "rain rains rainy rainfall raindrop raindrops drizzle downpour shower showers umbrella umbrellas puddle puddles"
    ),
    "snowfield": "snow snowy snowfall snowflake snowflakes blizzard snowman sled footprints",
    "bird": (
        "bird birds crow crows raven ravens sparrow sparrows robin wren finch nightingale blackbird cuckoo swallow "
        "swallows dove doves pigeon hummingbird cardinal songbird nest wings feather feathers"
    ),
    "butterfly": "butterfly butterflies moth moths caterpillar cocoon",
    "horse": "horse horses pony mare foal stallion mane hooves",
    "flower": (
        "flower flowers bloom blooms blooming blossom blossoms petal petals cherry plum peony lily lilies iris poppy "
        "poppies orchid camellia wildflower wildflowers violet lotus crocus"
    ),
}
_STRONG = word_set(
    "sea ocean waves wave beach shore tide lake river pond creek stream boat boats ship mountain mountains hills hill "
    "peak peaks summit valley desert dunes cliff cliffs glacier ice iceberg frozen forest woods wood trees tree pine "
    "pines branches leaves rose roses tulip tulips sunflower sunflowers daisy daisies dandelion dandelions blossoms "
    "blossom flower flowers petals city street streets town house cottage cabin hut temple shrine church steeple "
    "bridge sailboat harbor harbour field fields meadow garden park road highway swamp marsh waterfall bamboo sky "
    "clouds bird birds crow crows sparrow sparrows robin butterfly butterflies horse horses"
)
_LIGHT_WORDS: dict[str, str] = {
    "moon": "moon moonlight moonlit moonrise lunar",
    "night": (
        "night nights midnight dark darkness star stars starlight starry owl lantern lamp lamps candle neon city "
        "firefly fireflies sleep dream dreams galaxy nightfall"
    ),
    "sunset": (
        "sunset dusk evening twilight sundown sunrise dawn daybreak wake woke waking awake ember embers fire burning "
        "flame flames glow red sinking campfire"
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
_STRONG_LIGHT = word_set(
    "moon moonlight moonlit night midnight stars sunset dusk twilight sunrise dawn autumn october november snow "
    "winter snowfall mist fog rain storm noon summer sunlight spring"
)
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
# Colours that contradict a light.
_UNSUITABLE = {"autumn": ("green",), "sunset": ("blue", "deep blue", "green", "grey", "teal")}
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
_CREATURES = ("bird", "butterfly", "horse")
_SCENE_BIAS = {"sea": 0.03, "mountain": 0.02, "river": 0.01, "forest": 0.01, "glacier": -0.06}
_SCENE_BIAS |= dict.fromkeys(("swamp", "desert", "bamboo", "church", "snowfield", "bridge", "road", "house"), -0.05)
_SCENE_BIAS["rain"] = -0.2  # rain is a grey light over most scenes; drops alone make a blurred picture
_SCENE_BIAS |= dict.fromkeys(sorted(CLOSE_UPS), -0.06) | dict.fromkeys(_CREATURES, -0.10)
# Without a named scene, prefer a wide view to a close-up, a creature or a rare place.
_SET_BACK = 0.2  # lost by a creature in a poem that names a setting or the night: those come out better than a close-up
_UNSEEN = 0.12  # lost by a scene that was never seen in the snow or the autumn that a poem names
_CONTRARY = {  # lights that contradict a scene
    "snowfield": ("autumn", "noon", "grey", "mist", "day"),
    "glacier": ("autumn",),
    "rain": ("noon", "day", "sunset", "snow", "moon", "night"),
    **dict.fromkeys(_CREATURES, ("night", "moon", "sunset")),
}
_DARK = ("night", "moon")
_OPEN = frozenset({"sky", "sea", "field", "valley", "mountain", "river", "desert", "boat", "snowfield", "glacier"})
_MOONRISE = 0.03  # gained by moonlight over night in an open scene, which is black without a moon
_MOONLESS = word_set(  # what one sees at night without the moon
    "star stars starry starlight galaxy firefly fireflies lightning thunder storm rain clouds cloudy fog moonless lamp"
)
_MOON = word_set(_LIGHT_WORDS["moon"])
_SPREAD = 0.03  # temperature of the random choice between scores

SENTENCES: dict[str, tuple[str, ...]] = {
    "scene:sea": ("the sea, the ocean, waves on the shore", "a beach, an island, the tide, salt and foam"),
    "scene:mountain": ("mountains and hills, peaks and valleys", "the summit, far away, stone and silence"),
    "scene:glacier": ("a glacier, ice and frost, frozen land", "cold, ice, nothing alive"),
    "scene:forest": ("a forest, trees and leaves, branches", "deep in the woods, a path in the shade"),
    "scene:daisy": ("daisies, white flowers", "children and wildflowers, innocence"),
    "scene:dandelion": ("dandelions, grass and meadow", "seeds in the wind, weeds, letting go"),
    "scene:rose": ("roses, red petals", "love, a kiss, the heart"),
    "scene:sunflower": ("sunflowers in a field", "bees, honey, a golden garden"),
    "scene:tulip": ("tulips in a garden", "a spring garden, a vase of flowers on the table"),
    "scene:city": ("a city street, tall buildings", "traffic, crowds, work, machines, an office, a train"),
    "scene:house": ("a house, an old cottage", "home, family, the kitchen, a door, a window, a lamp in the room"),
    "scene:temple": ("a temple, a shrine, a pagoda", "a monk, prayer, incense, a bell"),
    "scene:church": ("a church, a steeple", "christmas, a hymn, a funeral, graves"),
    "scene:bridge": ("a bridge over the water",),
    "scene:river": ("a river, a stream, a lake, a pond", "a frog, a heron, fish, ripples on the water"),
    "scene:boat": ("boats in the harbor, a sailboat", "a fisherman, a voyage, leaving"),
    "scene:field": ("a field, a meadow, farmland", "harvest, corn and wheat, cows, a scarecrow"),
    "scene:garden": ("a garden, hedges and flower beds", "a gardener at work in the yard"),
    "scene:park": ("a park, a lawn, trees and a bench", "children playing, a dog on the grass"),
    "scene:road": ("a long road, a highway", "a journey, driving, leaving home"),
    "scene:swamp": ("a swamp, a marsh, reeds",),
    "scene:valley": ("a valley, the countryside, a wide landscape", "far away, a distant village"),
    "scene:desert": ("a desert, sand dunes", "drought, dust, thirst"),
    "scene:waterfall": ("a waterfall in the mountains",),
    "scene:bamboo": ("a bamboo grove",),
    "scene:sky": ("the sky, clouds", "the wide sky, the sun, the wind, freedom, dreams"),
    "scene:rain": ("rain falling, raindrops", "tears, an umbrella, a rainy day"),
    "scene:snowfield": ("snow, a snowy slope", "footprints in deep snow"),
    "scene:bird": ("a small bird on a branch", "birds singing, a sparrow, a crow"),
    "scene:butterfly": ("a butterfly on a leaf", "a moth, fluttering wings"),
    "scene:horse": ("horses in a meadow",),
    "scene:flower": ("a flower in bloom, blossoms", "cherry blossoms, petals, an iris, a lily"),
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
    known: tuple[str, ...] = SCENES,
) -> Prompt:
    """Choose scene, light and colour, and word the prompt.

    Args:
        vector: (384,) MiniLM's unit vector of poem and theme.
        meanings: for each key of SENTENCES its vectors, (n, 384) of unit length.
        seed: chooses between scenes of about the same score.
        mood: influences the light where the poem names none.
        theme: what was asked for; its words count like the poem's.
        known: the scenes that the model can paint; words of another count for its kin.
    """
    rng = np.random.default_rng((seed, 40))
    words = re.findall(r"[a-z']+", " ".join([*lines, (theme or "")[:200]]).lower())
    lights = {
        light: _near(vector, meanings[f"light:{light}"])
        + _LIGHT_WEIGHT * _hits(words, word_set(_LIGHT_WORDS[light]), _STRONG_LIGHT)
        for light in LIGHT_PHRASES
    }
    for rank, light in enumerate(_MOOD_LIGHTS.get(mood.parent, ()) if mood is not None else ()):
        lights[light] += 0.08 - 0.03 * rank
    if _MOON.intersection(words):  # a named moon must be visible: no moonless night and no close-up of a flower
        lights["night"] -= _LIGHT_WEIGHT
    scene = _draw(_scene_scores(words, vector, meanings, known), rng)
    for light, seen in (("snow", SNOWY), ("autumn", LEAFY), ("mist", frozenset(SCENES) - CLOSE_UPS)):
        lights[light] -= 0.0 if scene in seen else 0.25
    for light in _CONTRARY.get(scene, ()):
        lights[light] -= _LIGHT_WEIGHT
    if scene in _OPEN and not _MOONLESS.intersection(words):
        lights["moon"] = max(lights["moon"], lights["night"] + _MOONRISE)
    light = _draw(lights, rng)
    by_day = light in _DARK and (scene in CLOSE_UPS or scene == "garden")  # what has no sky turns into a black square
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


def _scene_scores(
    words: Sequence[str],
    vector: NDArray[np.float32],
    meanings: Mapping[str, NDArray[np.float32]],
    known: tuple[str, ...],
) -> dict[str, float]:
    """How well each known scene suits the words and the meaning of a poem."""
    strong, named = _STRONG.intersection(words), _scene_words(known)
    scores = {
        scene: _near(vector, meanings[f"scene:{scene}"])
        + _SCENE_WEIGHT * _hits(words, own, _STRONG)
        + _SCENE_BIAS.get(scene, 0.0)
        for scene, own in named.items()
    }
    settings = frozenset().union(*(each for scene, each in named.items() if scene not in CLOSE_UPS))
    if strong & settings or {"night", *_MOON}.intersection(words):
        for creature in set(_CREATURES).intersection(known):
            scores[creature] -= _SET_BACK
    if _MOON.intersection(words):
        for near in CLOSE_UPS.intersection(known):
            if not strong & named[near]:
                scores[near] -= _LIGHT_WEIGHT
    for light, seen in (("snow", SNOWY), ("autumn", LEAFY)):
        if _STRONG_LIGHT.intersection(words) & word_set(_LIGHT_WORDS[light]):
            scores = {scene: score - (0.0 if scene in seen else _UNSEEN) for scene, score in scores.items()}
    return scores


def _colour(words: Sequence[str], scene: str, light: str, painted_light: str) -> str:
    """The colour named by the words, if the painter can paint it in that light; "" for none."""
    unsuitable = _UNSUITABLE.get(light, ())
    colour_word = next((colour for colour in map(_COLOURS.get, words) if colour and colour not in unsuitable), "")
    if scene in {"mountain", "desert"} and not colour_word:
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


@lru_cache(maxsize=8)
def _scene_words(known: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """The words of each scene that a model knows, those of its unknown kin included."""
    return {
        scene: frozenset(
            word for other, words in _SCENE_WORDS.items() if resolve(other, known) == scene for word in words.split()
        )
        for scene in known
    }


def _hits(words: Sequence[str], wanted: frozenset[str], strong: frozenset[str]) -> float:
    """1 for a strong word, half for another, at most 2 in all."""
    return min(2.0, sum(1.0 if word in strong else 0.5 for word in dict.fromkeys(words) if word in wanted))


def _draw(scores: Mapping[str, float], rng: np.random.Generator) -> str:
    """Sample a name by its score, the best most often."""
    names = list(scores)
    values = np.array([scores[name] for name in names])
    share = np.exp((values - values.max()) / _SPREAD)
    return names[int(rng.choice(len(names), p=share / share.sum()))]
