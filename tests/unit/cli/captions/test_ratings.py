"""`auria ratings`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from auria_bot.services.captions.ratings import GivenRating

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application


def test_ratings_are_listed_and_removed(auria: Any, application: Application) -> None:
    """As a table and as JSON; a missing one is told."""
    answer = {"model": {"version": "v2", "sha256": "ab"}, "captions": [{"text": "A dog."}]}
    assert "no caption was rated yet" in auria("ratings", "list")[2]
    ratings = application.caption_ratings
    ratings.rate(GivenRating(receipt=ratings.receipts.sign(answer), stars=4, correction="two dogs"), source="page")
    out, err = auria("ratings")[1:]
    assert all(word in out for word in ("A dog.", "****", "two dogs", "v2"))
    assert "--with-ratings" in err
    (row,) = json.loads(auria("ratings", "list", "--json")[1])
    assert (row["stars"], row["picture"]) == (4, "")
    assert "removed 1 rating" in auria("ratings", "remove", str(row["id"]))[1]
    assert auria("ratings", "remove", "7")[0] == 5
