"""Records of every epoch read alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from auria_bot.corpus.sources.submission import read_record
from auria_bot.errors import InputError

RECORD = {
    "id": "7xwg0",
    "subreddit": "haiku",
    "title": "a / b / c",
    "selftext": "",
    "author": "basho",
    "created_utc": 1_300_000_000,
    "score": 5,
}


@pytest.mark.parametrize("created", [1_300_000_000, 1_300_000_000.0, "1300000000"])
def test_the_time_of_creation_in_every_form(created: Any) -> None:
    """A number, with or without a point, or a text."""
    assert read_record({**RECORD, "created_utc": created}).created == datetime(2011, 3, 13, 7, 6, 40, tzinfo=UTC)


def test_what_is_escaped_is_unescaped_once() -> None:
    """Titles and bodies of old dumps."""
    found = read_record({**RECORD, "title": "you &amp; me &lt;3", "selftext": "&amp;amp;"})
    assert (found.title, found.body) == ("you & me <3", "&amp;")


@pytest.mark.parametrize("identifier", [{"name": "t3_7xwg0"}, {"id": "t3_7xwg0"}])
def test_the_id_is_found_by_either_name(identifier: dict[str, str]) -> None:
    """With or without its kind."""
    assert read_record({**{k: v for k, v in RECORD.items() if k != "id"}, **identifier}).id == "7xwg0"


@pytest.mark.parametrize(
    "sign",
    [
        {"selftext": "[deleted]"},
        {"title": "[removed]"},
        {"title": "[deleted by user]"},
        {"removed_by_category": "moderator"},
        {"banned_by": "someone"},
        {"_meta": {"removal_type": "deleted"}},
        {"_meta": {"was_deleted_later": True}},
    ],
)
def test_a_removal_is_told_in_many_ways(sign: dict[str, Any]) -> None:
    """Each makes it removed; a record without any is not."""
    assert read_record({**RECORD, **sign}).removed
    assert not read_record({**RECORD, "removed_by_category": None, "_meta": {"retrieved_2nd_on": 1}}).removed


def test_a_deleted_authors_name_is_none() -> None:
    """The post itself may still stand."""
    found = read_record({**RECORD, "author": "[deleted]"})
    assert found.author == ""
    assert not found.removed


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": None}, "no id"),
        ({"id": "t1_abc"}, "t1_abc"),
        ({"id": 5}, "no id"),
        ({"title": None, "body": "so true"}, "comment"),
        ({"title": 5}, "without a title"),
        ({"subreddit": ""}, "no subreddit"),
        ({"created_utc": None}, "no time"),
        ({"created_utc": "nan"}, "nan"),
        ({"created_utc": True}, "True"),
        ({"created_utc": 1e300}, "1e"),
        ({"created_utc": -5}, "-5"),
    ],
)
def test_what_is_no_submission_is_refused_with_its_reason(changes: dict[str, Any], why: str) -> None:
    """One reason, short enough for a report."""
    with pytest.raises(InputError, match=why):
        read_record({**RECORD, **changes})


def test_a_score_that_is_none_counts_nothing() -> None:
    """Hidden scores and odd values; a number as text is one."""
    with pytest.raises(InputError, match="out of range"):
        read_record({**RECORD, "score": 10**400})
    with pytest.raises(InputError, match="out of range"):
        read_record({**RECORD, "score": 1e12})
    assert [read_record({**RECORD, "score": value}).score for value in (None, "5", float("inf"), 7.0)] == [0, 5, 0, 7]
