"""Checks whether the posts whose poems are kept still exist, and forgets those that are deleted or removed.

Young posts are deleted most, so they are checked often, old ones seldom: by age there are four rounds, each with an
interval. A round writes a checkpoint after every hundred posts and continues from it. A post that is unknown to Reddit
is forgotten when that is so twice, a day apart; where most of a hundred are unknown, the fault is more likely Reddit's,
and no unknown post is forgotten. One answer that cannot be read and may be any post's doubts its whole hundred as
well. A post that is there and cannot be read is not unknown.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from auria_bot.corpus.item import place_key
from auria_bot.corpus.sources.reddit import INFO_BATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from auria_bot.corpus.sources.reddit import Reddit
    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["ROUNDS", "CheckResult", "DeletionChecker", "Round"]

log = logging.getLogger(__name__)

Tell: TypeAlias = "Callable[[CheckResult], None]"

_DOUBT = 10  # posts of a batch from which on it is doubted when most are unknown
_AGAIN = timedelta(hours=20)  # after which a post that is still unknown is gone
_MOST_MISSING = 2000  # that are remembered
_PLACE, _MISSING = "*", "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Posts of an age, and how often they are looked at."""

    name: str
    younger: timedelta | None  # than this
    older: timedelta  # or as old
    every: timedelta


ROUNDS = (
    Round(name="2 days", younger=timedelta(days=2), older=timedelta(0), every=timedelta(hours=1)),
    Round(name="2 weeks", younger=timedelta(days=14), older=timedelta(days=2), every=timedelta(days=1)),
    Round(name="3 months", younger=timedelta(days=90), older=timedelta(days=14), every=timedelta(days=7)),
    Round(name="older", younger=None, older=timedelta(days=90), every=timedelta(days=45)),
)
"""By the age of a post; the youngest first."""


@dataclass(slots=True, kw_only=True)
class CheckResult:
    """The result of a check."""

    posts: int = 0  # that were looked up
    requests: int = 0
    deleted: int = 0  # posts that are deleted or removed
    missing: int = 0  # that are unknown to Reddit
    buried: int = 0  # verses that were forgotten
    doubted: int = 0  # batches of which most was unknown, or which held an answer that could not be read
    finished: bool = True  # no round is left that is due


class DeletionChecker:
    """Checks known posts for deletions."""

    def __init__(self, *, posts: Reddit, store: Store, clock: Clock) -> None:
        self._posts, self._store, self._clock = posts, store, clock

    def check(self, *, requests: int, tell: Tell | None = None) -> CheckResult:
        """Check the posts that are due, the youngest first.

        Makes at most `requests` requests, and calls `tell` after each.

        Raises:
            ChannelError, SettingsError: Reddit cannot be read; what was found is kept.
        """
        found = CheckResult()
        for one in ROUNDS:
            self._round(one, found, requests, tell)
        return found

    def _round(self, one: Round, found: CheckResult, requests: int, tell: Tell | None) -> None:
        """Go on with a round where it was left, or begin it where it is due."""
        mark = self._mark(one.name)
        now = self._clock()
        began, place = _number(mark.get("began")), int(_number(mark.get("place")))
        if not place:
            if now.timestamp() - began < one.every.total_seconds():
                return
            began = now.timestamp()
        since = now - one.younger if one.younger is not None else None
        until = now - one.older if one.older else None
        while True:
            with self._store.read() as unit:
                batch = unit.verses.reddit_posts(place, since=since, until=until, limit=INFO_BATCH)
            if batch and found.requests >= requests:
                found.finished = False
                return
            if batch:
                found.requests += 1
                self._batch([identifier for _, identifier in batch], found)
            place = batch[-1][0] if len(batch) == INFO_BATCH else 0
            self._leave(one.name, {"began": began, "place": place})
            if batch and tell is not None:
                tell(found)
            if not place:
                return

    def _batch(self, ids: Sequence[str], found: CheckResult) -> None:
        page = self._posts.posts(ids)
        there = {post.id: post for post in page.posts}
        found.posts += len(ids)
        gone = [one for one in ids if one in there and there[one].removed]
        unknown = [one for one in ids if one not in there and one not in page.unread]
        found.deleted += len(gone)
        if page.bad or (len(ids) >= _DOUBT and len(unknown) * 2 > len(ids)):
            found.doubted += 1
            log.warning(
                "Of %d posts, %d are unknown to Reddit, and %d answers could not be read; no unknown post is forgotten",
                len(ids),
                len(unknown),
                page.bad,
            )
            unknown = []
        found.missing += len(unknown)
        with self._store.begin() as unit:
            now = self._clock()
            missing = self._missing(unit, there.keys() | page.unread, unknown, now)
            gone += missing
            if gone:
                found.buried += unit.verses.forget([place_key("reddit", one) for one in gone], at=now)

    def _missing(self, unit: Any, there: Collection[str], unknown: Sequence[str], now: datetime) -> list[str]:
        """Remember posts that are unknown to Reddit; return those that were unknown a day ago already."""
        before = _read(unit.bookmarks.get(_PLACE, _MISSING))
        after = {one: since for one, since in before.items() if one not in there}
        surely = [
            one for one in unknown if one in after and now.timestamp() - _number(after[one]) >= _AGAIN.total_seconds()
        ]
        for one in unknown:
            after.setdefault(one, now.timestamp())
        for one in surely:
            del after[one]
        if after != before:
            kept = dict(list(after.items())[-_MOST_MISSING:])
            unit.bookmarks.put(_PLACE, _MISSING, json.dumps(kept), at=now)
        return surely

    def _mark(self, name: str) -> dict[str, Any]:
        with self._store.read() as unit:
            return _read(unit.bookmarks.get(_PLACE, f"look {name}"))

    def _leave(self, name: str, mark: dict[str, Any]) -> None:
        with self._store.begin() as unit:
            unit.bookmarks.put(_PLACE, f"look {name}", json.dumps(mark), at=self._clock())


def _read(text: str | None) -> dict[str, Any]:
    """A mark as it was left; one that cannot be read is as none."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
