"""Imports new posts of Reddit, and writes a checkpoint where it stopped.

A walk goes from the newest post down to those of the last walk, and a day further, for what moderators approve late. A
page is stored before its checkpoint is written, and storing it again changes nothing: a walk that is killed continues
where it was, and misses nothing. Where a listing ends before the last checkpoint is reached, the gap is reported.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from auria_bot.corpus.sources.listing import CEILING, FULL_SEARCH, Mark, halves, slices
from auria_bot.corpus.sources.reddit import PAGE
from auria_bot.errors import InputError
from auria_bot.services.corpus.corpus_import import ImportReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from auria_bot.corpus.sources.listing import Listing
    from auria_bot.corpus.sources.reddit import Page, Reddit
    from auria_bot.corpus.sources.submission import Submission
    from auria_bot.domain.interfaces import Clock
    from auria_bot.services.corpus.corpus_import import CorpusImporter
    from auria_bot.store.unit_of_work import Store

__all__ = ["SubredditSync", "SyncResult"]

log = logging.getLogger(__name__)

Tell: TypeAlias = "Callable[[SyncResult], None]"

_ANCHORS = (-1, -2, -5, -20)
"""Which posts of a page a walk may go on from; one that was deleted meanwhile can be none."""

_MOST_PAGES = 60  # of one walk: a listing has about ten
_WALKS = 3  # of one listing: an interrupted one, what came since, and one more where a walk lost its way


@dataclass(slots=True, kw_only=True)
class SyncResult:
    """What came of reading a listing."""

    subreddit: str
    listing: str
    posts: int = 0  # that were met, removed and known ones too
    bad: int = 0  # that could not be read
    report: ImportReport = field(default_factory=ImportReport)
    resumed: bool = False  # an interrupted walk was gone on with
    finished: bool = False  # the walk reached its end; else it goes on next time
    gap: bool = False  # the listing ended before what was read last time: posts between were missed
    full: tuple[str, ...] = ()  # slices of time that hold more than a search gives


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    fresh: tuple[Submission, ...]  # that the walk did not meet before
    anchors: tuple[str, ...]  # from where it goes on
    stickied: frozenset[str]
    bad: int
    end: Literal["", "end", "lost"]  # of the listing; or nothing is left from where to go on


class SubredditSync:
    """Reads listings.

    A walk goes `overlap` seconds further back than the last one.
    """

    def __init__(
        self, *, pages: Reddit, store: Store, importer: CorpusImporter, clock: Clock, overlap: float = 86_400.0
    ) -> None:
        self._pages, self._store, self._importer, self._clock = pages, store, importer, clock
        self._overlap = overlap

    def sync(
        self, subreddit: str, listing: Listing, *, limit: int = 0, dry_run: bool = False, tell: Tell | None = None
    ) -> SyncResult:
        """Read a listing from where it was left.

        Args:
            subreddit: its name, without the "r/".
            listing: one of `listings`.
            limit: the most posts; a walk that reaches it goes on next time. 0: all.
            dry_run: read and judge, and keep nothing, neither poems nor marks.

        Raises:
            ChannelError, NotFound, SettingsError: Reddit cannot be read; what was read is kept.
        """
        found = SyncResult(subreddit=subreddit, listing=listing.name)
        for _ in range(_WALKS):
            mark = self._mark(subreddit, listing.name)
            if dry_run:
                mark = mark.given_up()
            found.resumed |= mark.under_way
            left = limit - found.posts if limit else 0
            how = self._descend(listing, mark, found, left=left, dry_run=dry_run, keep_mark=not dry_run, tell=tell)
            again = how == "lost" or (how == "finished" and mark.under_way and listing.newest_first)
            if not again or dry_run or (limit and found.posts >= limit):
                break
        found.finished = how == "finished"
        return found

    def sync_period(
        self, subreddit: str, *, since: float, until: float, dry_run: bool = False, tell: Tell | None = None
    ) -> SyncResult:
        """Search a stretch of time slice by slice, the newest first; a slice that is full is searched again in halves.

        `since` and `until` (exclusive) are seconds since 1970.

        Raises:
            InputError: the server does not search by time.
            ChannelError, NotFound, SettingsError: Reddit cannot be read; what was read is kept.
        """
        found = SyncResult(subreddit=subreddit, listing=f"slices {int(since)} {int(until)}")
        # Of a stretch that was interrupted, `top` is how far down it was searched.
        reached = 0.0 if dry_run else self._mark(subreddit, found.listing).top
        found.resumed = bool(reached)
        waiting = deque(slices(since, min(until, reached or until)))
        while waiting:
            part, before = waiting.popleft(), found.posts
            self._descend(part, Mark(), found, left=0, dry_run=dry_run, keep_mark=False, tell=tell)
            is_full = found.posts - before >= FULL_SEARCH
            if is_full and (smaller := halves(part)):
                waiting.extendleft(reversed(smaller))
                continue
            if is_full:
                found.full = (*found.full, part.name)
            if not dry_run:
                self._leave(subreddit, found.listing, Mark(top=part.since or 0.0))
        found.finished = True
        return found

    def _mark(self, subreddit: str, name: str) -> Mark:
        with self._store.read() as unit:
            return Mark.read(unit.bookmarks.get(subreddit, name))

    def _leave(self, subreddit: str, name: str, mark: Mark) -> None:
        with self._store.begin() as unit:
            unit.bookmarks.put(subreddit, name, mark.text(), at=self._clock())

    def _descend(
        self,
        listing: Listing,
        mark: Mark,
        found: SyncResult,
        *,
        left: int,
        dry_run: bool,
        keep_mark: bool,
        tell: Tell | None,
    ) -> Literal["finished", "lost", "stopped"]:
        """Walk down a listing, from its top or from where the mark says; how it ended."""
        floor = mark.seen - self._overlap if listing.newest_first and mark.seen else 0.0
        is_first, seen = not mark.under_way, mark.seen
        for step in self._steps(found.subreddit, listing, mark.anchors, left):
            self._take(step.fresh, listing, found, dry_run=dry_run)
            found.bad += step.bad
            if is_first:
                top = max(step.fresh, key=_second, default=None)
                if top is not None:
                    # A clock that is ahead must not make us skip what comes until then.
                    now = self._clock().timestamp()
                    mark = replace(mark, top=min(_second(top), now), top_name=f"t3_{top.id}")
                is_first = False
            count = mark.count + len(step.fresh)
            at_floor = _is_below(step, floor)
            if at_floor or step.end == "end":
                ceiling = FULL_SEARCH if listing.path == "search" else CEILING
                is_cut = seen > 0 and listing.newest_first and count >= ceiling
                found.gap |= is_cut and not _is_below(step, seen + 1)
                mark = mark.finished()
            elif step.end == "lost":
                mark = mark.given_up()
            else:
                mark = replace(mark, anchors=step.anchors, count=count)
            if keep_mark:
                self._leave(found.subreddit, listing.name, mark)
            if tell is not None:
                tell(found)
            if not mark.under_way:
                return "lost" if step.end == "lost" else "finished"
        return "stopped"

    def _steps(self, subreddit: str, listing: Listing, anchors: Sequence[str], left: int) -> Iterator[_Step]:
        """The pages from the top, or from the first anchor that still exists; at most `left` posts, if not 0."""
        waiting, met = deque(anchors or [""]), set[str]()
        for _ in range(_MOST_PAGES):
            limit = min(PAGE, left - len(met)) if left else PAGE
            if limit <= 0:
                return
            after = waiting.popleft()
            page = self._pages.page(subreddit, listing.path, dict(listing.params), after=after, limit=limit)
            if after and not page.posts and not page.after and waiting:
                continue  # it may be the end, or the post is gone from which we were to go on
            fresh = tuple(post for post in page.posts if post.id not in met)
            met.update(post.id for post in fresh)
            end: Literal["", "end", "lost"] = "" if page.after else "end"
            if after and not page.posts and not page.after and len(anchors) > 1:
                end = "lost"
            anchors = _anchors(page)
            waiting = deque(anchors)
            yield _Step(fresh=fresh, anchors=anchors, stickied=page.stickied, bad=page.bad, end=end)
        log.warning("A listing of r/%s has no end", subreddit)

    def _take(self, posts: Sequence[Submission], listing: Listing, found: SyncResult, *, dry_run: bool) -> None:
        """Take posts; of a slice of time only where they are in it."""
        since, until = listing.since, listing.until
        if since is not None and until is not None and not all(since <= _second(post) < until for post in posts):
            raise InputError(
                "this server's search takes no times: what it found lies outside them; for what is older than a listing"
                " reaches, import a dump: auria corpus import FILE"
            )
        found.posts += len(posts)
        origin = f"r/{found.subreddit} {listing.name.partition(' ')[0]}"
        self._importer.take(posts, origin=origin, dry_run=dry_run, report=found.report)


def _second(post: Submission) -> float:
    return post.created.timestamp()


def _is_below(step: _Step, floor: float) -> bool:
    """Whether a page reaches further down than a second."""
    ordered = [post for post in step.fresh if post.id not in step.stickied]
    return bool(ordered) and _second(ordered[-1]) < floor


def _anchors(page: Page) -> tuple[str, ...]:
    """Names from which a walk can go on after a page, the best first."""
    names = [f"t3_{post.id}" for post in page.posts if not post.removed and post.id not in page.stickied]
    near = [names[at] for at in _ANCHORS if -at <= len(names)]
    return tuple(dict.fromkeys([*([page.after] if page.after else []), *near]))
