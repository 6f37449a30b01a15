"""Season words: the table, the seasons of poems and of days."""

from __future__ import annotations

from datetime import date

import pytest

from auria_bot.corpus.language.content_filter import faults
from auria_bot.corpus.language.season_words import (
    CATEGORIES,
    SEASONS,
    kigo,
    season_at,
    season_named,
    seasons_of,
    theme_in,
)
from auria_bot.errors import UnknownName


def test_every_season_has_words_of_every_category() -> None:
    """Written with spaces, each once, and fit to be published."""
    for season in SEASONS:
        listed = kigo(season)
        assert len(set(listed)) == len(listed)
        assert all(kigo(season, category) for category in CATEGORIES)
        assert not any("-" in word for word in listed)
        assert [word for word in listed if faults(word, names=False)] == []


@pytest.mark.parametrize(
    ("lines", "season"),
    [
        (("an old silent pond", "a frog jumps into the pond", "splash"), "spring"),
        (("a summer river", "being crossed how pleasing", "sandals in my hands"), "summer"),
        (("on a bare branch", "a crow has settled", "autumn dusk"), "autumn"),
        (("first snow", "falling on the half-finished bridge", ""), "winter"),
        (("new year's day", "everything is in blossom", ""), "spring"),
    ],
)
def test_a_poem_speaks_of_its_season(lines: tuple[str, ...], season: str) -> None:
    """The one with most words; of equals the earlier."""
    assert season in seasons_of(lines)


def test_the_longest_word_counts_alone() -> None:
    """Melting snow is spring's, snow is winter's."""
    assert seasons_of(("melting snow",)) == {"spring": ("melting snow",)}
    assert seasons_of(("Snow, SNOW!",)) == {"winter": ("snow", "snow")}
    assert seasons_of(("an office chair",)) == {}


@pytest.mark.parametrize(
    ("day", "north", "south"),
    [
        (date(2026, 1, 3), "new year", "new year"),
        (date(2026, 1, 8), "winter", "summer"),
        (date(2026, 4, 1), "spring", "autumn"),
        (date(2026, 7, 31), "summer", "winter"),
        (date(2026, 11, 30), "autumn", "spring"),
        (date(2028, 2, 29), "winter", "summer"),
    ],
)
def test_a_days_season_by_hemisphere(day: date, north: str, south: str) -> None:
    """Opposite but for the New Year."""
    assert (season_at(day), season_at(day, hemisphere="south")) == (north, south)


def test_unknown_names_are_told_the_known_ones() -> None:
    """Season, category and hemisphere."""
    for call in (
        lambda: kigo("mud"),
        lambda: kigo("spring", "x"),
        lambda: season_at(date(2026, 1, 1), hemisphere="east"),
    ):
        with pytest.raises(UnknownName, match="known"):
            call()


@pytest.mark.parametrize("season", SEASONS)
def test_a_theme_of_a_season_is_of_its_words(season):
    """One of them, the same for the same seed."""
    themes = {theme_in(season, seed=seed) for seed in range(365)}
    assert len(themes) > (3 if season == "new year" else 50)
    assert theme_in(season, seed=7) == theme_in(season, seed=7)
    assert themes <= set(kigo(season))
    with pytest.raises(UnknownName, match="known: spring"):
        theme_in("monsoon", seed=1)


def test_the_season_of_today_is_a_name_too() -> None:
    """And is among the known names where another is wrong."""
    assert season_named(" Now ", date(2026, 7, 1)) == "summer"
    with pytest.raises(UnknownName, match=r"no season named 'mud'; known: spring, .*, now$"):
        season_named("mud", date(2026, 7, 1))
