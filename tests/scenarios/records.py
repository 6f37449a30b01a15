"""Bar `records`: real records of several epochs, 400 titles and three listings: each read, its fields and its reason right.

What is expected was written down by hand in tests/labels/records.json, by id: the fields of the 26 records of a dump; why a text is no
poem, where that is not simply "not three lines"; and which of the 400 titles are rejected and why. The titles and listings themselves
are not in the repository: the benchmark needs the folder of data.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.item import from_submission
from auria_bot.corpus.poem_extraction import cleaned
from auria_bot.corpus.sources.stream import Tally
from auria_bot.corpus.sources.submission import listed, submissions

if TYPE_CHECKING:
    from auria_bot.corpus.sources.submission import Submission

__all__ = ["LISTINGS", "folder", "labels", "slips"]

LISTINGS = {
    "listing_new.json": 96,
    "listing_search.json": 6,
    "listing_top_selftext_heavy.json": 94,
    "listing_empty.json": 0,
}
"""Each listing, and how many submissions it has."""


def folder() -> Path:
    """Where the records lie; it may not be there."""
    return Path(os.environ.get("AURIA_DATA", "../shared/data")) / "reddit"


def labels(name: str) -> Any:
    """What was labelled by hand."""
    return json.loads((Path(__file__).parent.parent / "labels" / name).read_text(encoding="utf-8"))


def slips(data: Path) -> tuple[int, list[str]]:
    """How many records there are, and what was read otherwise than expected."""
    expected, wrong, tally = labels("records.json"), [], Tally()
    elsewhere = {"not three lines": "", **expected["elsewhere"]}
    found = list(submissions(data / "pushshift_sample.ndjson", tally=tally))
    by_id = {post.id: post for post in found}
    for name, fields in expected["records"].items():
        wrong += _fields(by_id.get(name), name, fields)
    posts = [post for post in found if not post.removed]
    for name, count in LISTINGS.items():
        own = list(listed(json.loads((data / name).read_text(encoding="utf-8")), tally=tally))
        posts += own
        if len(own) != count:
            wrong.append(f"{name}: {len(own)} submissions instead of {count}")
    for post in posts:
        piece = from_submission(post)
        if piece.lines or piece.reason != elsewhere.get(post.id, "not three lines"):
            wrong.append(f"{post.id}: {piece.reason or 'taken for a poem'}")
    fixture = list(submissions(data / "rhaiku_shaped_fixture.ndjson", tally=tally))
    for number, post in enumerate(fixture):
        piece, reason = from_submission(post), expected["rejected"].get(post.id, "")
        if piece.reason != reason:
            wrong.append(f"{post.id}: {piece.reason or 'kept'} instead of {reason or 'kept'}")
        # The titles part their lines with slashes, so what the lines must be can be told without the reader.
        parts = tuple(" ".join(part.split()) for part in cleaned(post.title).split("/"))
        if piece.lines not in {(), parts} or (post.subreddit, int(post.created.timestamp())) != (
            "haiku",
            1_300_000_000 + 86_400 * number,
        ):
            wrong.append(f"{post.id}: fields or lines are wrong")
    if tally.bad:
        wrong.append(f"{tally.bad} records could not be read: {tally.samples[0][1]}")
    return tally.lines, wrong


def _fields(post: Submission | None, name: str, fields: dict[str, Any]) -> list[str]:
    if post is None:
        return [f"{name}: not read"]
    told = {
        "subreddit": post.subreddit,
        "created": f"{post.created:%Y-%m-%dT%H:%M:%SZ}",
        "score": post.score,
        "removed": post.removed,
        "over_18": post.over_18,
    }
    return [
        f"{name}: {what} {told[what]!r} instead of {value!r}" for what, value in fields.items() if told[what] != value
    ]
