"""The captioner's words: tokens and their numbers, the words allowed for Auria's pictures, and names of colours.

A captioner trained on photographs sees dogs and people in any brush stroke. Auria paints landscapes and flowers only,
so such a word is nearly always wrong, and readers who cannot see the picture cannot tell. In scene mode the captioner
therefore uses SCENE_WORDS only; colour words are left out too, because colours are measured (`name_colours`).
`non_nature_words` finds the words that show that a caption was not written under this rule.

A named colour's share is the share of pixels nearest to it in CIELAB. The names are everyday ones (Berlin and Kay's
basic terms, with light and dark variants where landscapes need them).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from auria_bot.art.colour import to_lab
from auria_bot.art.pictures import to_array
from auria_bot.corpus.language.words import word_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "END",
    "FLOWERS",
    "NAMED",
    "NON_NATURE_WORDS",
    "PAD",
    "SCENE_WORDS",
    "START",
    "UNCERTAIN",
    "UNKNOWN",
    "Vocabulary",
    "join_names",
    "name_colours",
    "non_nature_words",
    "polished",
    "scene_kinds",
    "tokenise",
]

PAD: Final = 0
START: Final = 1
END: Final = 2
UNKNOWN: Final = 3
_SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")
_TOKEN = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


def tokenise(caption: str) -> list[str]:
    """Lower-case words without punctuation; "tri-colored" and "man's" stay whole."""
    return _TOKEN.findall(caption.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace(" '", "'"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words in order; the first four numbers stand for padding, start, end and the unknown word."""

    words: tuple[str, ...]  # without the special tokens
    _numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = {word: number for number, word in enumerate(self.words, start=len(_SPECIAL))}
        object.__setattr__(self, "_numbers", numbers)

    def __len__(self) -> int:
        return len(self.words) + len(_SPECIAL)

    def encode(self, caption: str) -> list[int]:
        """The numbers of a caption's tokens, without start and end."""
        return [self._numbers.get(token, UNKNOWN) for token in tokenise(caption)]

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """The words of the numbers up to the end; special tokens are left out."""
        words: list[str] = []
        for number in numbers:
            if number == END:
                break
            if number >= len(_SPECIAL):
                words.append(self.words[number - len(_SPECIAL)])
        return words

    def numbers(self, words: Sequence[str]) -> list[int]:
        """The numbers of those of `words` that are in the vocabulary."""
        return [self._numbers[word] for word in words if word in self._numbers]


UNCERTAIN: Final = "a scene from nature"
"""The description used when the captioner is not confident enough for another."""

SCENE_WORDS: Final = word_set(
    # function words
    "a an the of on in at by near under over with and above across against along among around behind below beneath "
    "beside between beyond from into through toward towards next "
    # land
    "mountain mountains mountainous mountainside mountaintop hill hills hillside hilly peak peaks slope slopes summit "
    "ridge cliff cliffs canyon valley rock rocks rocky boulder boulders stone stones sand sandy desert dune dunes dirt "
    "dusty land landscape terrain countryside headland ground field fields meadow pasture path trail range "
    # water
    "sea ocean water waters wave waves lake lakeside river stream creek pond shore shoreline seashore beach coast "
    "waterfall waterfalls rapids bay canal marsh swampy surf foam splash reflection "
    # ice and weather
    "snow snowy snow-covered snowcapped snowbank ice icy glacier frozen winter storm rain rainy fog foggy mist misty "
    "cloud clouds cloudy hazy wind rainbow sky skies horizon sun sunset sunlight sunny moon star stars dusk twilight "
    "night nighttime evening morning autumn summer light shade shadow shadows silhouette "
    # plants
    "tree trees trunk trunks leaf leaves foliage forest forested woods wooded woodland jungle canopy branch branches "
    "pine palm bush bushes shrubs grass grassy weeds vine seaweed plant plants flower flowers flowery petals blooming "
    "dandelion daisy tulip tulips rose sunflower background "
    # adjectives and the rest
    "high tall low large big huge small tiny wide long narrow steep deep shallow open distant far calm restless rough "
    "still quiet silent cold lush jagged rough smooth bare empty lone nature lovely beautiful fresh shaded close-up "
    "view scene covered surrounded"
)
"""The words of scene mode; words missing in the trained vocabulary are ignored."""

NON_NATURE_WORDS: Final = word_set(
    # people
    "man men man's woman women woman's boy boys boy's girl girls girl's child children child's kid kids baby babies "
    "toddler toddlers person persons person's people people's human guy guys lady ladies male males female females "
    "gentleman teenager teenagers teen crowd family couple couples adult adults friend friends mother father mom son "
    "daughter sister brother group someone somebody he she him her his they them their who player players rider "
    "riders runner runners climber climbers hiker hikers surfer surfers skier skiers skiier skiers swimmer swimmers "
    "skateboarder snowboarder snowboarders biker bikers bicyclist bicyclists cyclist cyclists worker workers "
    "performer performers dancer dancers fisherman cowboy cowboys soldier soldiers officer police policeman "
    "photographer tourists spectators kayaker kayakers face faces head heads hand hands hair arm arms leg legs foot "
    "feet mouth eyes shirt shirts jacket jackets coat dress pants shorts hat helmet suit swimsuit wetsuit jeans "
    "uniform shoes clothing clothes "
    # animals
    "animal animals dog dogs dog's puppy puppies poodle terrier retriever greyhound greyhounds collie dalmatian "
    "labrador cat cats kitten horse horses pony cow cows bull sheep goat goats lamb lambs deer bear bird birds "
    "seagull seagulls duck ducks goose geese eagle hawk fish dolphin dolphins monkey elephant camel squirrel rabbit "
    "bunny snake frog tiger lion wolf fox butterfly bee insect pet pets "
    # made things
    "car cars truck trucks bus bike bikes bicycle bicycles motorcycle motorbike motorbikes scooter skateboard "
    "skateboards snowboard snowboards skis sled sleds snowmobile surfboard surfboards kayak kayaks canoe canoes raft "
    "boat boats speedboat sailboat catamaran ship ferry train airplane plane helicopter parachute tent tents ball "
    "balls frisbee toy toys building buildings house houses street streets road sidewalk bench table chair bed window "
    "wall fence phone camera guitar microphone"
)
"""Words for people, animals and made things."""


FLOWERS: Final = word_set(
    "flower flowers flowery petal petals blossom blossoms bloom blooms blooming bud buds dandelion dandelions daisy "
    "daisies tulip tulips rose roses sunflower sunflowers garden gardens meadow lily lilies iris lotus poppy poppies "
    "orchid violet violets bouquet wildflower wildflowers"
)
"""Words for flowers, which the captioner often sees in brush strokes."""

_KINDS: Final = {
    "water": word_set(
        "sea ocean water waters wave waves lake lakeside river stream creek pond shore shoreline seashore beach coast "
        "surf bay"
    ),
    "land": word_set(
        "mountain mountains mountainside hill hills peak peaks slope slopes valley cliff cliffs fields land"
    ),
    "ice": word_set("ice icy glacier frozen snow snowy snow-covered"),
    "trees": word_set("tree trees forest forested woods wooded pine pines branch branches leaves foliage"),
    "flowers": FLOWERS,
}

_REPHRASINGS = (  # phrases of the templated training captions, and better wordings
    (re.compile(r"\b(sunflower|daisy|tulip|rose|dandelion) flower\b"), r"\1"),
    (re.compile(r"^slopes and (?=an? )"), "mountain slopes under "),
    (re.compile(r"^(ice|water) and (?=an? )"), r"\1 under "),
    (re.compile(r" near the sea$"), " by the sea"),
    (re.compile(r"^a seashore by the sea$"), "a seashore"),
    (re.compile(r" in the trees$"), " in the woods"),
)


def polished(caption: str) -> str:
    """Reword phrases that come from the templates of the training captions."""
    for pattern, replacement in _REPHRASINGS:
        caption = pattern.sub(replacement, caption)
    return caption


def non_nature_words(caption: str) -> tuple[str, ...]:
    """The words of a caption that claim people, animals or made things, in order; () for nature only."""
    return tuple(token for token in tokenise(caption) if token in NON_NATURE_WORDS)


def scene_kinds(caption: str) -> frozenset[str]:
    """The kinds of scene a caption mentions: water, land, ice, trees, flowers."""
    said = set(tokenise(caption))
    return frozenset(kind for kind, names in _KINDS.items() if said & names)


NAMED: Final = {
    "black": ("101014", "1c1a1a"),
    "dark grey": ("4a4a4a",),
    "grey": ("808080", "8b8f94", "8c8880"),
    "pale grey": ("bdbdbd", "c3c8cc"),
    "white": ("ffffff", "f2f2f0", "e6e9ec"),
    "cream": ("f3e9cf", "e8dcc0"),
    "dark brown": ("3b2415", "4a3222"),
    "brown": ("7a4b2a", "6b4f36", "8a6544"),
    "tan": ("b8946a", "c8a97e"),
    "dark red": ("6e1414", "7f1d2d"),
    "red": ("c81e1e", "d9352b", "ff0000"),
    "orange": ("e8791e", "d2691e", "f39a3c"),
    "gold": ("d9a521", "c9a23c"),
    "yellow": ("f6e03a", "f0e68c", "ffff00"),
    "olive green": ("6b6b2a", "80803c"),
    "dark green": ("1b3a1e", "2c4a30"),
    "green": ("3f8a3a", "5a9a4a", "008000", "20e020"),
    "pale green": ("a9cf9a", "98c490"),
    "teal": ("1f7a7a", "3a8a8c"),
    "turquoise": ("5cc8c8", "7ad0cc", "00ffff"),
    "dark blue": ("14204a", "1f2f5c", "26344e", "000080"),
    "blue": ("2a5cb8", "3f6fb0", "4a78a8", "0000ff"),
    "slate blue": ("56688a", "66788f"),
    "pale blue": ("9cc0e0", "b4cfe4", "8fb4d8"),
    "purple": ("5a2a7a", "6e4a8c", "800080"),
    "lilac": ("b49cd0", "a890bc"),
    "pink": ("e89ab4", "f0b8c4", "d87a9c", "ff40c0"),
}
"""Colour names and their sRGB values (hexadecimal)."""

_SIDE = 48  # pixels a side of the reduced picture that is measured
_LEAST = 0.1  # share of the picture below which a colour is not named
_RELATED_PAIRS = (  # of each pair only the more frequent is named
    "black/dark grey, dark grey/grey, grey/pale grey, pale grey/white, white/cream, dark brown/brown, brown/tan, "
    "tan/cream, dark red/red, orange/gold, gold/yellow, olive green/dark green, dark green/green, green/pale "
    "green, green/olive green, teal/turquoise, dark blue/blue, blue/slate blue, slate blue/pale blue, blue/pale "
    "blue, dark blue/slate blue, purple/lilac, lilac/pink, grey/slate blue, black/dark brown"
)
_RELATED = tuple(set(pair.split("/")) for pair in _RELATED_PAIRS.split(", "))


def _prototypes() -> tuple[list[str], NDArray[np.float32]]:
    names = [name for name, codes in NAMED.items() for _ in codes]
    codes = [code for codes in NAMED.values() for code in codes]
    rgb = np.array([[int(code[at : at + 2], 16) for at in (0, 2, 4)] for code in codes], dtype=np.float32) / 255
    return names, to_lab(rgb)


def name_colours(picture: Image.Image, most: int = 3) -> list[tuple[str, float]]:
    """The picture's main colours and their shares, the largest first; of similar colours only one."""
    names, prototypes = _prototypes()
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    lab = to_lab(to_array(small)).reshape(-1, 1, 3)
    nearest = np.square(lab - prototypes).sum(2).argmin(1)
    shares: dict[str, float] = {}
    for place in nearest.tolist():
        shares[names[place]] = shares.get(names[place], 0.0) + 1 / len(nearest)
    chosen: list[tuple[str, float]] = []
    for name, share in sorted(shares.items(), key=lambda item: (-item[1], item[0])):
        if len(chosen) == most or (chosen and share < _LEAST):
            break
        if not any({name, other} in _RELATED for other, _ in chosen):
            chosen.append((name, share))
    return chosen


def join_names(names: Sequence[str]) -> str:
    """Join words as English does: "gold", "gold and teal", "gold, teal and black"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
