"""Season words (kigo): the season of a poem, the season of a day, and themes of a season.

The table follows a saijiki, the almanac of haiku poets, for a temperate climate: five seasons (the New Year is one of
its own), each with six of the almanac's categories. Words that belong to more than one season count for none.

William J. Higginson, "Haiku World: An International Poetry Almanac", 1996, for the categories.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from auria_bot.corpus.language.words import words
from auria_bot.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

__all__ = ["CATEGORIES", "HEMISPHERES", "SEASONS", "kigo", "season_at", "season_named", "seasons_of", "theme_in"]

SEASONS = ("spring", "summer", "autumn", "winter", "new year")
"""Every season of the table."""

CATEGORIES = ("season", "sky", "earth", "life", "beasts", "plants")
"""Every category: the season itself, sky, earth, people's lives and feasts, animals, plants."""

HEMISPHERES = ("north", "south")
"""The hemispheres of the earth, which the operator's season depends on."""

_TABLE = {
    "spring": {
        "season": "spring springtime springtide equinox march april may-day lengthening-day mild-night",
        "sky": ("spring-rain spring-breeze east-wind hazy-moon hazy-moonlight spring-haze drizzling-dawn april-shower"),
        "earth": (
            "thaw thawing meltwater snowmelt spring-mud spring-tide freshet ploughed-field melting-snow melting-ice"
        ),
        "life": (
            "planting sowing seedling seedlings tilling easter kite kites picnic spring-cleaning valentine graduation"
        ),
        "beasts": (
            "tadpole tadpoles frog frogs swallow swallows skylark lambs lamb nightingale warbler bee bees "
            "hatchling nest nests nesting butterfly butterflies fledgling chick chicks robin robins"
        ),
        "plants": (
            "blossom blossoms cherry-blossom cherry-blossoms plum-blossom plum-blossoms bud buds budding "
            "daffodil daffodils crocus tulip tulips violet violets primrose lilac lilacs magnolia dandelion "
            "dandelions willow-catkins wisteria peony forsythia azalea new-leaves young-grass sprout sprouts "
            "bluebell bluebells"
        ),
    },
    "summer": {
        "season": "summer summertime midsummer solstice june july august short-night summer-dusk",
        "sky": (
            "heat heatwave summer-rain thunder thunderhead lightning rainbow scorching sultry sunburn "
            "summer-moon cumulus hot-wind"
        ),
        "earth": "dust dry-creek tide-pool waterfall spring-water summer-sea summer-hills parched drought",
        "life": (
            "swim swimming beach hammock sunhat parasol lemonade barefoot fan ice-cream popsicle watermelon "
            "fishing-rod picnic-blanket mosquito-net sprinkler sandcastle bonfire-night fireworks"
        ),
        "beasts": (
            "cicada cicadas firefly fireflies mosquito mosquitoes ant ants spider spiders dragonfly-nymph snail "
            "snails lizard lizards cuckoo kingfisher bat bats beetle beetles jellyfish turtle turtles moth "
            "moths fawn goldfish"
        ),
        "plants": (
            "rose roses lily lilies lotus sunflower sunflowers hydrangea hydrangeas poppy poppies iris irises "
            "honeysuckle lavender clover foxglove strawberry strawberries cherries wheat-field green-leaves "
            "summer-grass bamboo-shoot"
        ),
    },
    "autumn": {
        "season": "autumn fall-colours september october november lengthening-night autumn-dusk equinoctial",
        "sky": (
            "harvest-moon full-moon-night milky-way shooting-star shooting-stars autumn-wind autumn-rain dew "
            "dewdrop dewdrops mist fog first-cold typhoon clear-sky mackerel-sky"
        ),
        "earth": "stubble-field stubble harvested bare-field autumn-hills fallow rice-field reaped",
        "life": (
            "harvest harvesting scarecrow scarecrows bonfire bonfires halloween pumpkin pumpkins cider "
            "thanksgiving lantern lanterns gleaning moon-viewing school-bell"
        ),
        "beasts": (
            "cricket crickets katydid geese wild-goose goose deer stag migrating woodpecker shrike quail "
            "dragonfly dragonflies salmon squirrel squirrels praying-mantis mantis"
        ),
        "plants": (
            "leaf-fall falling-leaves fallen-leaves red-leaves maple maples chrysanthemum chrysanthemums acorn "
            "acorns chestnut chestnuts mushroom mushrooms apple apples persimmon persimmons grapes pear pears "
            "reeds pampas-grass goldenrod aster asters gourd seedhead withering"
        ),
    },
    "winter": {
        "season": "winter wintry midwinter december february year-end winter-dusk",
        "sky": (
            "snow snows snowfall snowflake snowflakes snowing snowy sleet blizzard hail north-wind frost frosty "
            "icy-wind winter-moon winter-sun cold freezing cold-moon orion"
        ),
        "earth": (
            "ice icy icicle icicles frozen glacier frozen-lake frozen-pond snowdrift snowdrifts snowfield "
            "bare-hills withered-field"
        ),
        "life": (
            "hearth stove firewood scarf mittens gloves overcoat blanket quilt sled sledding ski skiing snowman "
            "snowmen christmas carol carols hot-soup hibernate candlelight ice-skating"
        ),
        "beasts": (
            "wolf wolves owl owls fox rabbit-tracks wild-duck mandarin-duck oyster oysters hawk hibernating "
            "bear whale whales"
        ),
        "plants": (
            "bare-trees bare-branch bare-branches withered withered-grass pine-snow holly mistletoe camellia "
            "fir poinsettia leafless evergreen radish"
        ),
    },
    "new year": {
        "season": "january new-year new-year's first-morning first-day",
        "sky": "first-sunrise first-light new-year's-sun",
        "earth": "first-snow-of-the-year",
        "life": (
            "resolution resolutions calendar first-dream first-letter first-page rice-cake temple-bell first-laugh"
        ),
        "beasts": "first-sparrow",
        "plants": "new-year-pine",
    },
}

_QUARTERS = ("winter", "spring", "summer", "autumn")  # each of three months, from December on, in the north
_NEW_YEAR = ((1, 1), (1, 7))  # the first week, in either hemisphere


def kigo(season: str, category: str | None = None) -> tuple[str, ...]:
    """The words of a season, in the order of the table; compounds are written with spaces.

    Raises:
        UnknownName: there is no such season or category.
    """
    if season not in SEASONS:
        raise UnknownName(f"no season named {season[:40]!r}; known: {', '.join(SEASONS)}")
    if category is not None and category not in CATEGORIES:
        raise UnknownName(f"no category named {category[:40]!r}; known: {', '.join(CATEGORIES)}")
    chosen = CATEGORIES if category is None else (category,)
    return tuple(word.replace("-", " ") for name in chosen for word in _TABLE[season][name].split())


@cache
def _places() -> Mapping[tuple[str, ...], str]:
    """Each season word, as folded words, with its season; words of two seasons are left out."""
    places: dict[tuple[str, ...], str] = {}
    shared = set()
    for season in SEASONS:
        for word in kigo(season):
            key = tuple(words(word))
            if places.setdefault(key, season) != season:
                shared.add(key)
    return {key: season for key, season in places.items() if key not in shared}


def seasons_of(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The seasons a poem mentions, the clearest first, each with its words as in the table.

    Of overlapping words ("snow", "melting snow") only the longest counts.
    """
    places = _places()
    found: dict[str, list[str]] = {}
    for line in lines:
        spelt, at = words(line), 0
        while at < len(spelt):
            for length in (4, 3, 2, 1):
                key = tuple(spelt[at : at + length])
                if len(key) == length and key in places:
                    found.setdefault(places[key], []).append(" ".join(key))
                    at += length
                    break
            else:
                at += 1
    return {
        season: tuple(found[season]) for season in sorted(found, key=lambda one: (-len(found[one]), SEASONS.index(one)))
    }


def season_at(day: date, *, hemisphere: str = "north") -> str:
    """The season of a day: meteorological seasons, and the first week of January.

    Raises:
        UnknownName: there is no such hemisphere.
    """
    if hemisphere not in HEMISPHERES:
        raise UnknownName(f"no hemisphere named {hemisphere[:40]!r}; known: {', '.join(HEMISPHERES)}")
    if _NEW_YEAR[0] <= (day.month, day.day) <= _NEW_YEAR[1]:
        return "new year"
    month = day.month if hemisphere == "north" else day.month + 6
    return _QUARTERS[month % 12 // 3]


def season_named(name: str, day: date, *, hemisphere: str = "north") -> str:
    """The season of that name; "now" is the season of the day.

    Raises:
        UnknownName: there is no such season.
    """
    season = name.strip().lower()
    if season == "now":
        return season_at(day, hemisphere=hemisphere)
    if season not in SEASONS:
        raise UnknownName(f"no season named {name[:40]!r}; known: {', '.join(SEASONS)}, now")
    return season


def theme_in(season: str, *, seed: int) -> str:
    """A theme of a season: one of its words other than names of the season itself, such as "harvest moon".

    A haiku has one season word; a second one beside it is counted as a fault. The same seed gives the same theme.

    Raises:
        UnknownName: there is no such season.
    """
    kigo(season)
    digest = hashlib.sha256(f"{season} {seed}".encode()).digest()
    usable = [name for name in CATEGORIES[1:] if len(_TABLE[season][name].split()) > (0 if season == "new year" else 3)]
    choices = kigo(season, usable[digest[0] % len(usable)])
    return choices[int.from_bytes(digest[2:6], "big") % len(choices)]
