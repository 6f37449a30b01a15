from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.item import CorpusItem, place_key
from tests.factories import NOW

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store


def piece(number: int, **more: Any) -> CorpusItem:
    """A poem of a post that is so many days old."""
    values: dict[str, Any] = {
        "digest": f"{number:032x}",
        "key": place_key("reddit", str(number)),
        "lines": ("a", "b", f"{number}"),
        "syllables": (1, 1, 1),
        "form": "free",
        "source": "reddit",
        "external_id": str(number),
        "created_at": NOW - timedelta(days=number),
    }
    return CorpusItem(**{**values, **more})


def test_only_posts_of_reddit_whose_poems_are_kept(store: Store):
    """Neither rejected ones, nor files, nor forgotten ones."""
    with store.begin() as unit:
        unit.verses.take(
            [
                piece(1),
                piece(2, reason="profanity", lines=()),
                piece(3, source="file"),
                piece(4, external_id=""),
                piece(5),
            ]
        )
        unit.verses.bury([place_key("reddit", "5")], at=NOW)
    with store.read() as unit:
        assert [name for _, name in unit.tracked_posts.page(0, since=None, until=None, limit=10)] == ["1"]


def test_pages_by_age(store: Store):
    """From and until are days; a page begins after the last one's place."""
    with store.begin() as unit:
        unit.verses.take([piece(number) for number in range(1, 9)])
    with store.read() as unit:
        first = unit.tracked_posts.page(0, since=NOW - timedelta(days=6), until=NOW - timedelta(days=2), limit=3)
        second = unit.tracked_posts.page(
            first[-1][0], since=NOW - timedelta(days=6), until=NOW - timedelta(days=2), limit=3
        )
    assert [name for _, name in (*first, *second)] == ["3", "4", "5", "6"]
