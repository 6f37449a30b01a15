"""Ratings in the database, of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.factories import NOW

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store

ROW: dict[str, Any] = {
    "at": NOW,
    "source": "page",
    "picture_sha256": "ab" * 32,
    "picture": "ratings/ab.jpg",
    "caption": "A dog.",
    "model_version": "v1",
    "model_sha256": "cd" * 32,
    "stars": 4,
    "correction": "",
}


def test_ratings_come_back_as_they_were_added(store: Store) -> None:
    """Newest first; the same caption, picture and source are rated once; what was removed is gone."""
    with store.begin() as unit:
        unit.ratings.add(ROW)
        second = unit.ratings.add(ROW | {"stars": None, "correction": "a cat"})
        third = unit.ratings.add(ROW | {"source": "key", "picture": ""})
    with store.read() as unit:
        assert unit.ratings.recent() == (third, second)
        assert (second.at, second.stars, unit.ratings.count()) == (NOW, None, 2)
        assert (unit.ratings.keeps("ratings/ab.jpg"), unit.ratings.keeps("ratings/cd.jpg")) == (True, False)
    with store.begin() as unit:
        assert unit.ratings.remove(second.id) == second
        assert unit.ratings.remove(second.id) is None
        assert not unit.ratings.keeps("ratings/ab.jpg")
