"""Choose hashtags for a poem from a curated list by similarity of meaning.

Every tag has a gloss, whose MiniLM vector ships in models/hashtags, so that choosing takes one run of MiniLM. Tags are
in CamelCase, which screen readers read as words; #haiku always comes first. `python -m auria_bot.art.hashtags --out
models/hashtags` writes the vectors again after a change of the list.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from auria_bot.art.checkpoint import read_json, verify, write_checksums, write_json
from auria_bot.art.minilm import MiniLM
from auria_bot.corpus.language.words import words
from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from auria_bot.domain.artwork import Haiku

__all__ = ["ALWAYS", "CLOSING", "MOOD_TAGS", "TAGS", "Hashtags", "Tag", "write_table"]

ALWAYS: Final = "#haiku"
CLOSING: Final = "#AIArt"  # discloses how the picture was made

TAGS: Final[dict[str, str]] = {
    # seasons
    "Spring": "spring blossoms and new green",
    "CherryBlossom": "cherry blossom petals in spring",
    "Summer": "a hot summer day",
    "SummerNight": "a warm summer night with crickets and fireflies",
    "Autumn": "autumn, the fall of the year",
    "AutumnLeaves": "falling red and golden autumn leaves",
    "Harvest": "harvest, ripe grain and fruit",
    "Winter": "cold winter",
    "FirstSnow": "the first snow falls",
    "NewYear": "new year's day, a beginning",
    # hours
    "Dawn": "dawn, first light before sunrise",
    "Sunrise": "the sun rises in the morning",
    "Morning": "an early quiet morning",
    "Noon": "bright noon sun",
    "Evening": "evening falls",
    "Sunset": "a glowing sunset",
    "Dusk": "dusk, twilight, the day ends",
    "Night": "dark night",
    "Midnight": "midnight hour",
    "Moonlight": "moonlight, the pale moon shines",
    "FullMoon": "a round full moon",
    "Stars": "stars in the night sky",
    "MilkyWay": "the milky way, galaxies, the cosmos",
    # weather
    "Rain": "rain falling",
    "SpringRain": "soft spring rain",
    "Storm": "a storm with wild wind",
    "Thunder": "thunder and lightning",
    "Wind": "wind blowing",
    "Breeze": "a gentle breeze",
    "Clouds": "drifting clouds",
    "Fog": "fog and mist in a valley",
    "Snow": "falling snow",
    "Frost": "frost on the grass",
    "Ice": "ice and icicles",
    "Rainbow": "a rainbow after rain",
    "Sunlight": "sunlight, sunbeams",
    "Heat": "summer heat and drought",
    "Sky": "the wide blue sky",
    # land
    "Mountains": "mountain peaks",
    "Hills": "rolling hills",
    "Valley": "a deep valley",
    "Forest": "a deep forest, woods",
    "Trees": "tall trees",
    "Pines": "pine trees",
    "Willow": "willow tree by the water",
    "Bamboo": "bamboo grove",
    "Meadow": "a meadow of wild grass",
    "Fields": "open fields, farmland",
    "Garden": "a garden",
    "ZenGarden": "temple garden of stones and moss",
    "Desert": "desert dunes",
    "Stones": "stones and pebbles",
    "Moss": "green moss",
    "Path": "a lonely path through the land",
    "Glacier": "a glacier of blue ice",
    "Volcano": "a volcano",
    "Cliffs": "cliffs above the sea",
    "Island": "an island",
    "Cave": "a cave",
    # water
    "Ocean": "the wide ocean",
    "Sea": "the sea",
    "Waves": "waves breaking on the shore",
    "Beach": "a sandy beach",
    "Tide": "the tide comes and goes",
    "River": "a flowing river",
    "Stream": "a small brook",
    "Waterfall": "a waterfall",
    "Lake": "a still lake",
    "Pond": "an old pond",
    "Dew": "dewdrops in the morning",
    "Puddle": "puddles after rain",
    "Reflection": "a reflection in water",
    # plants
    "Flowers": "blooming flowers",
    "Wildflowers": "wild flowers in a meadow",
    "Rose": "a rose",
    "Tulip": "tulips",
    "Daisy": "daisies",
    "Sunflower": "sunflowers turn to the sun",
    "Dandelion": "dandelion seeds drift away",
    "Lily": "water lilies",
    "Lotus": "a lotus flower",
    "Iris": "purple iris",
    "Plum": "plum blossom",
    "Leaves": "green leaves",
    "Petals": "falling petals",
    "Seeds": "seeds and sprouts",
    "Grass": "tall grass",
    "Roots": "roots in the earth",
    "Fern": "ferns",
    "Ivy": "ivy on a wall",
    "Mushrooms": "mushrooms after rain",
    "Fruit": "ripe fruit, apples and pears",
    # creatures
    "Birds": "birds",
    "Birdsong": "birds singing",
    "Crow": "a crow, a raven",
    "Sparrow": "sparrows",
    "Heron": "a heron stands in water",
    "Geese": "wild geese fly south",
    "Owl": "an owl in the night",
    "Swallows": "swallows return",
    "Butterfly": "a butterfly",
    "Dragonfly": "a dragonfly",
    "Firefly": "fireflies glow",
    "Cicada": "cicadas sing in summer heat",
    "Crickets": "crickets chirp",
    "Frog": "a frog jumps",
    "Bees": "bees among flowers",
    "Spider": "a spider's web",
    "Moth": "a moth at the lamp",
    "Cat": "a cat",
    "Dog": "a dog",
    "Deer": "a deer",
    "Horse": "a horse",
    "Fish": "fish, koi",
    "Snail": "a snail",
    "Ants": "ants",
    "Fox": "a fox",
    "Wolf": "a wolf howls",
    # human life
    "Silence": "silence, no sound",
    "Stillness": "stillness and calm",
    "Solitude": "being alone",
    "Memory": "remembering the past",
    "Childhood": "childhood, children playing",
    "Love": "love between two people",
    "Home": "home, the house, the hearth",
    "Journey": "a long journey, the road",
    "Dreams": "dreaming and sleep",
    "Grief": "grief for the dead",
    "Time": "time passes",
    "Impermanence": "everything passes, nothing lasts",
    "Hope": "hope",
    "Music": "music, a song, a bell",
    "Shadows": "shadows",
    "Light": "light",
    "Fire": "fire, embers, candle flame",
    "Tea": "a cup of tea",
    "Temple": "temple bells, prayer",
    "City": "city streets and lamps",
    "Window": "looking out of a window",
    "Kites": "a kite in the wind",
    "Rust": "old and worn things, rust",
    "Prayer": "prayer and faith",
    "Nature": "nature",
    "Landscape": "a wide landscape",
    "Earth": "the earth",
}
"""Tags without "#", and a gloss of each. Tags describe the poem, not the picture."""

MOOD_TAGS: Final[dict[str, str]] = {
    "serene": "Serenity",
    "joyful": "Joy",
    "playful": "Playful",
    "tender": "Tenderness",
    "hopeful": "Hope",
    "grateful": "Gratitude",
    "trusting": "Trust",
    "awed": "Awe",
    "longing": "Longing",
    "humble": "Simplicity",
    "shy": "Hidden",
    "dreamy": "Dreams",
    "still": "Stillness",
    "wistful": "Wistful",
    "melancholy": "Melancholy",
    "lonely": "Solitude",
    "regretful": "Memory",
    "bleak": "Bleak",
    "uneasy": "Shadows",
    "stormy": "Storm",
}
"""One tag for each of Auria's moods."""

_LEAST_SIMILARITY = 0.3  # least cosine between poem and gloss
_WORD_BONUS = 0.25  # added if the poem contains the tag's own word
_MOST_SIMILARITY = 0.62  # cosine between two glosses above which only the first tag is used
_SUBJECTS = 2  # most tags about the subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A hashtag and its similarity to the poem."""

    text: str  # with "#"
    similarity: float  # cosine, raised if the poem contains the word itself


class Hashtags:
    """Chooses hashtags for poems."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder; the table in it and MiniLM are loaded on first use."""
        self._folder = folder

    def version(self) -> str:
        """The SHA-256 that identifies the table."""
        return verify(self._folder)

    def choose(self, haiku: Haiku, *, mood: str | None = None, most: int = 5) -> tuple[str, ...]:
        """At most `most` hashtags without duplicates: #haiku, the most similar subjects, the mood, #AIArt.

        Raises:
            ModelMissing: the table is missing.
            ModelCorrupt: it cannot be read.
        """
        subjects = [tag.text for tag in self.similar(haiku)[:_SUBJECTS]] if most > 1 else []
        feeling = [f"#{MOOD_TAGS[mood]}"] if mood in MOOD_TAGS else []
        return tuple(dict.fromkeys([ALWAYS, *subjects, *feeling, CLOSING]))[: max(most, 0)]

    def similar(self, haiku: Haiku) -> list[Tag]:
        """The tags that fit the poem, the most similar first; none too similar to an earlier one."""
        names, vectors = self._table
        poem = self._encoder.encode([" ".join(haiku.lines)])[0]
        poem_words = {
            form for word in words(haiku.text) for form in (word, word.removesuffix("s"), word.removesuffix("'s"))
        }
        similarity = vectors @ poem
        for place, name in enumerate(names):
            if {name.lower(), name.lower().removesuffix("s")} & poem_words:
                similarity[place] += _WORD_BONUS
        chosen: list[int] = []
        for place in np.argsort(-similarity, kind="stable").tolist():
            if similarity[place] < _LEAST_SIMILARITY or len(chosen) == 8:
                break
            if all(vectors[place] @ vectors[other] < _MOST_SIMILARITY for other in chosen):
                chosen.append(place)
        return [Tag(text=f"#{names[place]}", similarity=float(similarity[place])) for place in chosen]

    @cached_property
    def _encoder(self) -> MiniLM:
        return MiniLM()

    @cached_property
    def _table(self) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        names = tuple(read_json(self._folder / "tags.json"))
        try:
            vectors = np.load(self._folder / "vectors.npy", allow_pickle=False).astype(np.float32)
        except (OSError, ValueError) as error:
            raise ModelCorrupt(f"{self._folder / 'vectors.npy'} cannot be read: {error}") from None
        if vectors.shape != (len(names), 384):
            raise ModelCorrupt(f"{self._folder} holds {len(names)} tags and vectors of shape {vectors.shape}")
        return names, vectors


def write_table(out: Path) -> None:
    """Write tags.json, vectors.npy (tags, 384; float16) and SHA256SUMS."""
    write_json(out / "tags.json", list(TAGS))
    np.save(out / "vectors.npy", MiniLM().encode(TAGS.values()).astype(np.float16), allow_pickle=False)
    write_checksums(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("models/hashtags"))
    write_table(parser.parse_args().out)
