"""The gallery: what is published, its filters and search."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from auria_bot.domain.artwork import Haiku
from auria_bot.errors import InputError, NotFound
from auria_bot.services.gallery.gallery import Gallery, GalleryQuery
from auria_bot.store.drafts import Drafts
from auria_bot.store.schema import posts
from tests.exhibited import exhibited, publish
from tests.factories import NOW, artwork

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


def poem(*lines: str) -> Haiku:
    """A poem of three lines."""
    first, second, third = lines
    return Haiku(lines=(first, second, third), syllables=(5, 7, 5))


def gallery_of(application: Application, zone: str = "UTC") -> Gallery:
    """A gallery that looks at the database each time."""
    ticks = iter(range(10_000))
    return Gallery(store=application.store, zone=ZoneInfo(zone), now=lambda: 10.0 * next(ticks))


def test_the_newest_work_comes_first_and_drafts_are_not_shown(tmp_path: Path) -> None:
    """Only drafts with a post that is out are shown."""
    application = exhibited(tmp_path, 3)
    with application.store.begin() as unit:
        unit.drafts.add(artwork(9), folder="run-9", picture_sha256="0" * 64, made_at=application.clock())
    gallery = gallery_of(application)
    assert [entry.id for entry in gallery.entries()] == [3, 2, 1]
    with pytest.raises(NotFound, match="no published artwork 4"):
        gallery.work(4)


def test_a_work_that_is_published_later_appears(tmp_path: Path) -> None:
    """The version changes, and the known entries are kept."""
    application = exhibited(tmp_path, 1)
    gallery = gallery_of(application)
    before, first = gallery.version(), gallery.entries()[0]
    publish(application, 2)
    assert gallery.version() != before
    assert gallery.entries()[1] is first


def test_a_work_whose_first_post_is_gone_has_the_date_of_the_next(tmp_path: Path) -> None:
    """Also where it was in the index before."""
    application = exhibited(tmp_path, 2)
    gallery = gallery_of(application)
    assert [entry.id for entry in gallery.entries()] == [2, 1]
    with application.store.begin() as unit:
        later = NOW + timedelta(days=3)
        unit.posts._connection.execute(update(posts).where(posts.c.draft_id == 1).values(receipt_at=later))
    newest = gallery.entries()[0]
    assert (newest.id, newest.published_at) == (1, later)


def test_the_version_is_known_without_the_database_for_a_second(tmp_path: Path) -> None:
    """Then somebody has to look again."""
    now = [10.0]
    gallery = Gallery(store=exhibited(tmp_path, 1).store, zone=ZoneInfo("UTC"), now=lambda: now[0])
    assert gallery.fresh_version is None
    version = gallery.version()
    assert gallery.fresh_version == version
    now[0] += 1.0
    assert gallery.fresh_version is None


def test_an_exhibit_holds_posts_and_others_of_its_mood(tmp_path: Path) -> None:
    """The newest first, without itself, at most as many as wanted; cards are as their artworks."""
    application = exhibited(tmp_path, 4)
    gallery = gallery_of(application)
    found = gallery.details(3, similar=2)
    assert ([card.entry.id for card in found.similar], [post.channel for post in found.posted]) == ([4, 2], ["folder"])
    assert found.similar == tuple(work.card for work in gallery.works([card.entry for card in found.similar]))


def test_a_work_that_is_deleted_while_it_is_looked_up_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index still names it."""
    gallery = gallery_of(exhibited(tmp_path, 1))
    monkeypatch.setattr(Drafts, "get_many", lambda *_: {})
    with pytest.raises(NotFound, match="artwork 1 any more"):
        gallery.work(1)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (GalleryQuery(mood="stormy"), [2]),
        (GalleryQuery(season="winter"), [2]),
        (GalleryQuery(style="style-1"), [3, 1]),
        (GalleryQuery(subject="sea"), [2]),
        (GalleryQuery(year="2026"), [3, 2, 1]),
        (GalleryQuery(words="CAFÉ snow"), [2]),
        (GalleryQuery(words="cafe frog"), []),
        (GalleryQuery(words="frog", mood="serene"), [3, 1]),
        (GalleryQuery(mood="serene", style="style-1", year="2026"), [3, 1]),
        (GalleryQuery(mood="stormy", style="style-1"), []),
        (GalleryQuery(words="  "), [3, 2, 1]),
    ],
)
def test_filters_and_search(tmp_path: Path, query: GalleryQuery, expected: list[int]) -> None:
    """All conditions hold together; search ignores case and accents, and wants every word."""
    application = exhibited(tmp_path, 1)
    publish(
        application,
        2,
        mood="stormy",
        haiku=poem("snow on the café", "b", "c"),
        alt_text="A painting of the sea. It is calm.",
    )
    publish(application, 3)
    assert [entry.id for entry in gallery_of(application).entries(query)] == expected


def test_pages_are_numbered_from_one(tmp_path: Path) -> None:
    """The last page holds the rest; beyond it there is none, and an empty gallery has one empty page."""
    application = exhibited(tmp_path, 3)
    gallery = gallery_of(application)
    last = gallery.page(number=2, size=2)
    assert ([one.entry.id for one in last.works], last.count, last.total) == ([1], 2, 3)
    with pytest.raises(NotFound, match="the last one is 2"):
        gallery.page(number=3, size=2)
    assert gallery.page(GalleryQuery(mood="shy")).count == 1


def test_facets_are_counted_in_a_useful_order(tmp_path: Path) -> None:
    """Moods and paintings by number, seasons and subjects in their own order, years from the latest."""
    application = exhibited(tmp_path, 2)
    publish(application, 3, mood="shy", haiku=poem("snow", "b", "c"), alt_text="A painting of a bird by the sea.")
    publish(application, 4, haiku=poem("cherry blossoms", "b", "c"))
    facets = gallery_of(application).facets()
    assert facets["mood"] == {"serene": 3, "shy": 1}
    assert list(facets["season"]) == ["spring", "winter"]
    assert list(facets["subject"]) == ["sea", "lake", "bird"]
    assert facets["year"] == {"2026": 4}


def test_the_year_is_that_of_the_operators_zone(tmp_path: Path) -> None:
    """On 31 December at 12:30 UTC it is 2027 already on Kiritimati."""
    application = exhibited(tmp_path, 0)
    publish(application, 40)
    assert gallery_of(application, "Pacific/Pago_Pago").entries()[0].year == "2026"
    assert gallery_of(application, "Pacific/Kiritimati").entries()[0].year == "2027"


def test_neighbours_are_the_next_newer_and_older(tmp_path: Path) -> None:
    """At either end there is none."""
    gallery = gallery_of(exhibited(tmp_path, 3))
    newer, older = gallery.neighbours(2)
    assert (newer and newer.id, older and older.id) == (3, 1)
    assert gallery.neighbours(3)[0] is None
    assert gallery.neighbours(1)[1] is None


def test_a_long_search_is_refused(tmp_path: Path) -> None:
    """More than a hundred characters are no words of a poem."""
    with pytest.raises(InputError, match="at most 100"):
        gallery_of(exhibited(tmp_path, 1)).entries(GalleryQuery(words="x" * 101))


def test_a_painting_is_named_by_its_title(tmp_path: Path) -> None:
    """One that no artwork has by its key."""
    gallery = gallery_of(exhibited(tmp_path, 1))
    assert gallery.style_title("style-1") == gallery.entries()[0].style_title != "style-1"
    assert gallery.style_title("style-9") == "style-9"


def test_a_work_is_required_to_be_published(tmp_path: Path) -> None:
    """One that is not there is not found."""
    gallery = gallery_of(exhibited(tmp_path, 1))
    gallery.require(1)
    with pytest.raises(NotFound, match="no published artwork 2"):
        gallery.require(2)
