"""Bar `poem-reading`: precision and recall of "this title is a three-line haiku", against labels made by hand.

300 titles of a subreddit of haiku, of which all but one are; since they say little of precision, 222 titles from all over Reddit stand beside
them, each looked at too, and none is a haiku. The haiku are also read with their slashes turned into other separators; the
figures are the worst of them. Labels are ids alone; the titles are in the folder of data.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from auria_bot.corpus.poem_extraction import read_poem
from auria_bot.corpus.sources.submission import listed, submissions
from tests.scenarios.records import LISTINGS, labels

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BAR", "SEPARATORS", "measured", "titles"]

BAR = 0.97
SEPARATORS = ("/", " / ", " // ", " | ", "\n", "\\")
"""What parts the lines of a title; the first is how most of them stand there."""


def titles(data: Path) -> dict[str, str]:
    """Every title by its id."""
    found: dict[str, str] = {}
    for name in ("rhaiku_shaped_fixture.ndjson", "pushshift_sample.ndjson"):
        found |= {post.id: post.title for post in submissions(data / name)}
    for name in LISTINGS:
        found |= {post.id: post.title for post in listed(json.loads((data / name).read_text(encoding="utf-8")))}
    return found


def measured(data: Path) -> dict[str, tuple[float, float]]:
    """Precision and recall by separator."""
    labelled, known = labels("poem_reading.json"), titles(data)
    haiku, others = labelled["haiku"], labelled["not"] + labelled["elsewhere"]
    wrongly = sum(bool(read_poem(known[name]).lines) for name in others)
    found = {}
    for separator in SEPARATORS:
        rightly = sum(bool(read_poem(known[name].replace("/", separator)).lines) for name in haiku)
        found[separator] = (rightly / max(1, rightly + wrongly), rightly / len(haiku))
    return found
