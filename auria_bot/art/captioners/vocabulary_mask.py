"""The words in which Auria's pictures are described: nature without people, animals or things that people make.

A captioner trained on photographs sees dogs and men in any brush stroke. Auria paints landscapes and flowers only, so on
her pictures such a word is nearly always false, and a follower who cannot see the picture has no way of knowing. In its
scene mode the captioner may therefore use SCENE_WORDS alone; colours are left out too, because they are measured in the
picture instead of guessed (`colour_words`). `tells_of_others` finds the words that give away a caption which did not keep to this.
"""

from __future__ import annotations

import re
from typing import Final

from auria_bot.art.captioners.vocabulary import tokenise

__all__ = ["FLOWERS", "OTHERS", "SCENE_WORDS", "UNCERTAIN", "kinds", "tells_of_others", "tidied"]

UNCERTAIN: Final = "a scene from nature"
"""What is said of a picture when nothing more can be said with some confidence: dull, and never false."""

_NATURE = (
    # the words that hold a phrase together
    "a an the of on in at by near under over with and above across against along among around behind below beneath "
    "beside between beyond from into through toward towards next "
    # land
    "mountain mountains mountainous mountainside mountaintop hill hills hillside hilly peak peaks slope slopes summit "
    "ridge cliff cliffs canyon valley rock rocks rocky boulder boulders stone stones sand sandy desert dune dunes dirt "
    "dusty land landscape terrain countryside headland ground field fields meadow pasture path trail range "
    # water
    "sea ocean water waters wave waves lake lakeside river stream creek pond shore shoreline seashore beach coast waterfall "
    "waterfalls rapids bay canal marsh swampy surf foam splash reflection "
    # ice and weather
    "snow snowy snow-covered snowcapped snowbank ice icy glacier frozen winter storm rain rainy fog foggy mist misty "
    "cloud clouds cloudy hazy wind rainbow sky skies horizon sun sunset sunlight sunny moon star stars dusk twilight night "
    "nighttime evening morning autumn summer light shade shadow shadows silhouette "
    # plants
    "tree trees trunk trunks leaf leaves foliage forest forested woods wooded woodland jungle canopy branch branches pine palm bush "
    "bushes shrubs grass grassy weeds vine seaweed plant plants flower flowers flowery petals blooming dandelion daisy tulip "
    "tulips rose sunflower background "
    # what they are like
    "high tall low large big huge small tiny wide long narrow steep deep shallow open distant far calm restless rough still "
    "quiet silent cold lush jagged rough smooth bare empty lone nature lovely beautiful fresh shaded close-up view "
    "scene covered surrounded"
)
SCENE_WORDS: Final = frozenset(_NATURE.split())
"""The words of scene mode; those that the trained vocabulary lacks do no harm."""

_OTHERS = (
    # people
    "man men man's woman women woman's boy boys boy's girl girls girl's child children child's kid kids baby babies toddler "
    "toddlers person persons person's people people's human guy guys lady ladies male males female females gentleman teenager "
    "teenagers teen crowd family couple couples adult adults friend friends mother father mom son daughter sister brother group "
    "someone somebody he she him her his they them their who player players rider riders runner runners climber climbers "
    "hiker hikers surfer surfers skier skiers skiier skiers swimmer swimmers skateboarder snowboarder snowboarders biker bikers "
    "bicyclist bicyclists cyclist cyclists worker workers performer performers dancer dancers fisherman cowboy cowboys soldier "
    "soldiers officer police policeman photographer tourists spectators kayaker kayakers "
    "face faces head heads hand hands hair arm arms leg legs foot feet mouth eyes shirt shirts jacket jackets coat dress pants "
    "shorts hat helmet suit swimsuit wetsuit jeans uniform shoes clothing clothes "
    # animals
    "animal animals dog dogs dog's puppy puppies poodle terrier retriever greyhound greyhounds collie dalmatian labrador cat "
    "cats kitten horse horses pony cow cows bull sheep goat goats lamb lambs deer bear bird birds seagull seagulls duck ducks "
    "goose geese eagle hawk fish dolphin dolphins monkey elephant camel squirrel rabbit bunny snake frog tiger lion wolf fox "
    "butterfly bee insect pet pets "
    # things that people make and ride
    "car cars truck trucks bus bike bikes bicycle bicycles motorcycle motorbike motorbikes scooter skateboard skateboards "
    "snowboard snowboards skis sled sleds snowmobile surfboard surfboards kayak kayaks canoe canoes raft boat boats speedboat "
    "sailboat catamaran ship ferry train airplane plane helicopter parachute tent tents ball balls frisbee toy toys "
    "building buildings house houses street streets road sidewalk bench table chair bed window wall fence phone camera "
    "guitar microphone"
)
OTHERS: Final = frozenset(_OTHERS.split())
"""Words for people, animals and made things."""


_FLOWERS = (
    "flower flowers flowery petal petals blossom blossoms bloom blooms blooming bud buds dandelion dandelions daisy daisies tulip tulips rose "
    "roses sunflower sunflowers garden gardens meadow lily lilies iris lotus poppy poppies orchid violet violets bouquet wildflower wildflowers"
)
FLOWERS: Final = frozenset(_FLOWERS.split())
"""Words for flowers: brush strokes look like them to the captioner."""

_KINDS: Final = {
    "water": frozenset(
        [
            "sea",
            "ocean",
            "water",
            "waters",
            "wave",
            "waves",
            "lake",
            "lakeside",
            "river",
            "stream",
            "creek",
            "pond",
            "shore",
            "shoreline",
            "seashore",
            "beach",
            "coast",
            "surf",
            "bay",
        ]
    ),
    "land": frozenset(
        [
            "mountain",
            "mountains",
            "mountainside",
            "hill",
            "hills",
            "peak",
            "peaks",
            "slope",
            "slopes",
            "valley",
            "cliff",
            "cliffs",
            "fields",
            "land",
        ]
    ),
    "ice": frozenset(["ice", "icy", "glacier", "frozen", "snow", "snowy", "snow-covered"]),
    "trees": frozenset(
        [
            "tree",
            "trees",
            "forest",
            "forested",
            "woods",
            "wooded",
            "pine",
            "pines",
            "branch",
            "branches",
            "leaves",
            "foliage",
        ]
    ),
    "flowers": FLOWERS,
}

_TIDIER = (  # what templated captions say clumsily, and how a person would say it
    (re.compile(r"\b(sunflower|daisy|tulip|rose|dandelion) flower\b"), r"\1"),
    (re.compile(r"^slopes and (?=an? )"), "mountain slopes under "),
    (re.compile(r"^(ice|water) and (?=an? )"), r"\1 under "),
    (re.compile(r" near the sea$"), " by the sea"),
    (re.compile(r"^a seashore by the sea$"), "a seashore"),
    (re.compile(r" in the trees$"), " in the woods"),
)


def tidied(caption: str) -> str:
    """The caption without the clumsiest turns of the templates that it was learned from."""
    for clumsy, better in _TIDIER:
        caption = clumsy.sub(better, caption)
    return caption


def tells_of_others(caption: str) -> tuple[str, ...]:
    """The words of a caption that claim people, animals or made things, in their order; () for a caption of nature alone."""
    return tuple(token for token in tokenise(caption) if token in OTHERS)


def kinds(caption: str) -> frozenset[str]:
    """Which kinds of scene a caption tells of: water, land, ice, trees, flowers."""
    said = set(tokenise(caption))
    return frozenset(kind for kind, names in _KINDS.items() if said & names)
