"""The listings of a subreddit, and checkpoints in them: how far one was read, and a walk that was interrupted.

A listing ends after about a thousand posts, whatever the subreddit has; so there are several, and `search` by time
ranges reaches what none of the others does.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CEILING", "FULL_SEARCH", "KINDS", "TIMES", "Listing", "Mark", "halves", "listings", "slice_of", "slices"]

KINDS = ("new", "top", "search")
"""The kinds of listing."""

TIMES = ("hour", "day", "week", "month", "year", "all")
"""The periods for which Reddit lists the best posts."""

CEILING = 950
"""Posts after which the end of a listing is Reddit's limit (about a thousand), not the end of the subreddit."""

FULL_SEARCH = 225
"""Posts after which a time range is searched again in two halves; a search gives about 250."""

_NARROWEST = 3600  # seconds of the smallest slice of time
_WIDEST = 30 * 86_400  # seconds of the largest


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A listing of a subreddit."""

    name: str  # of its checkpoint, such as "new" or "top week"
    path: str
    params: tuple[tuple[str, str], ...] = ()
    newest_first: bool = False  # a walk can stop at what was read before
    since: float | None = None  # a time range: from this second since 1970
    until: float | None = None  # to this one, exclusive


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a listing was read."""

    seen: float = 0.0  # the newest post of the last walk that was finished, seconds since 1970; 0 before the first
    newest: str = ""  # its name
    # Of a walk that is not finished:
    top: float = 0.0  # its newest post
    top_name: str = ""
    anchors: tuple[str, ...] = ()  # names from which it can go on, the best first; empty when none is under way
    count: int = 0  # posts that it met

    @property
    def under_way(self) -> bool:
        """Whether a walk was interrupted here."""
        return bool(self.anchors)

    def finished(self) -> Mark:
        """The mark once the walk has reached its end."""
        newer = self.top > self.seen
        return Mark(seen=self.top if newer else self.seen, newest=self.top_name if newer else self.newest)

    def given_up(self) -> Mark:
        """The mark as it was before the walk."""
        return Mark(seen=self.seen, newest=self.newest)

    def text(self) -> str:
        """As it is kept."""
        return json.dumps({name: value for name, value in dataclasses.asdict(self).items() if value})

    @classmethod
    def read(cls, text: str | None) -> Mark:
        """What `text` wrote; a mark that cannot be read is as none, and the listing is read from its beginning."""
        try:
            found = json.loads(text or "{}")
            return cls(
                seen=float(found.get("seen", 0)),
                newest=str(found.get("newest", "")),
                top=float(found.get("top", 0)),
                top_name=str(found.get("top_name", "")),
                anchors=tuple(map(str, found.get("anchors", ()))),
                count=int(found.get("count", 0)),
            )
        except (ValueError, TypeError, AttributeError):
            return cls()


def listings(kind: str, *, times: Sequence[str] = (), searches: Sequence[str] = ()) -> tuple[Listing, ...]:
    """The listings of a kind.

    Args:
        kind: one of KINDS.
        times: for top, of TIMES; all but the hour when empty.
        searches: for search, what is searched for.

    Raises:
        UsageError: no such kind or time, or nothing to search for.
    """
    if kind not in KINDS:
        raise UsageError(f"no listing {kind[:40]!r}; known: {', '.join(KINDS)}")
    for time in times:
        if time not in TIMES:
            raise UsageError(f"no time {time[:40]!r}; known: {', '.join(TIMES)}")
    if kind == "new":
        return (Listing(name="new", path="new", newest_first=True),)
    if kind == "top":
        return tuple(Listing(name=f"top {time}", path="top", params=(("t", time),)) for time in times or TIMES[1:])
    if not searches:
        raise UsageError("no search terms; set corpus.reddit.search_terms, or give --since")
    time = times[0] if times else "all"
    return tuple(
        Listing(
            name=f"search {words[:80]}",
            path="search",
            newest_first=True,
            params=(("q", words), ("restrict_sr", "1"), ("sort", "new"), ("t", time)),
        )
        for words in searches
    )


def slices(since: float, until: float, *, widest: float = _WIDEST) -> Iterator[Listing]:
    """Searches by slices of time, the newest first: Reddit's own notation, which not every server still reads."""
    end = until
    while end > since:
        begin = max(since, end - widest)
        yield slice_of(begin, end)
        end = begin


def slice_of(since: float, until: float) -> Listing:
    """The search for one slice of time."""
    words = f"timestamp:{int(since)}..{int(until) - 1}"
    return Listing(
        name=f"slice {int(since)} {int(until)}",
        path="search",
        since=since,
        until=until,
        params=(("q", words), ("restrict_sr", "1"), ("sort", "new"), ("syntax", "cloudsearch"), ("t", "all")),
    )


def halves(listing: Listing) -> tuple[Listing, ...]:
    """A slice of time in two, the newer first; nothing when it is as small as may be."""
    if listing.since is None or listing.until is None or listing.until - listing.since < 2 * _NARROWEST:
        return ()
    middle = float(int((listing.since + listing.until) / 2))
    return slice_of(middle, listing.until), slice_of(listing.since, middle)
