"""Looks for a post of unknown outcome in the account's own timeline on X.

A post is recognised by the uploaded picture's key, which every attempt records, or by its text. It counts as absent
only if the timeline was read back to before the first attempt, or to its end with as many posts as the account has.
Times are X's own where known, so that this machine's clock may be wrong. Every post that is read is charged: no more
is read than needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auria_bot.channels.x.text import same_text
from auria_bot.errors import OutcomeUnknown, Throttled

if TYPE_CHECKING:
    from auria_bot.channels.x.api import ListedPost, XApi
    from auria_bot.domain.post import Post

__all__ = ["AttemptTrace", "find_in_timeline"]

_MARGIN = timedelta(seconds=30)  # between X's own clocks
_UNSURE = timedelta(minutes=10)  # the same where only this machine's clock is known
_FIRST_PAGE = 5  # posts
_PAGE = 100  # posts
_PAGES = 40  # some may be empty
_REACH = 3200  # posts: X shows no more of a timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptTrace:
    """When a post was attempted, by X's clock where known, and with which pictures."""

    first: datetime
    last: datetime
    media: frozenset[str]  # keys of the uploaded pictures
    margin: timedelta

    @property
    def since(self) -> datetime:
        """No attempt was earlier."""
        return self.first - self.margin

    @classmethod
    def of(cls, post: Post) -> AttemptTrace:
        """Read a post's memo; without one, use its times by this machine's clock."""
        try:
            first, last, *media = post.memo.split()
            times = [datetime.fromtimestamp(int(value), UTC) for value in (first, last)]
        except (ValueError, OverflowError, OSError):
            at = post.tried_at or post.due
            return cls(first=at, last=at, media=frozenset(), margin=_UNSURE)
        return cls(first=times[0], last=times[1], media=frozenset(media), margin=_MARGIN)

    def again(self, post: Post, key: str, at: datetime) -> AttemptTrace:
        """Add an attempt."""
        first = at if post.tried_at is None else self.since + _MARGIN
        return AttemptTrace(first=first, last=at, media=self.media | {key}, margin=_MARGIN)

    def memo(self) -> str:
        """The text form: first attempt, last attempt, and at most five picture keys."""
        media = sorted(self.media)[-5:]
        return " ".join([str(int(self.first.timestamp())), str(int(self.last.timestamp())), *media])


def find_in_timeline(api: XApi, account: str, text: str, trace: AttemptTrace) -> tuple[ListedPost | None, datetime]:
    """The post, or None if it is surely absent; and the time of the answer by X's clock.

    Raises:
        Throttled: the timeline cannot be read, or is incomplete, now.
        Unauthorised: the keys are not accepted.
        OutcomeUnknown: the timeline does not show enough to tell.
    """
    token, count, at = None, 0, None
    for _ in range(_PAGES):
        page = api.timeline(account, size=_FIRST_PAGE if token is None else _PAGE, token=token)
        at = at or api.now()
        for listed in page.posts:
            if listed.media & trace.media or (listed.at >= trace.since and same_text(text, listed.text)):
                return listed, at
        if not page.complete:
            raise Throttled("X answered with an incomplete timeline")
        if page.posts and min(listed.at for listed in page.posts) < trace.since:
            return None, at
        count += len(page.posts)
        token = page.next
        if token is None:
            break
    if at is None or token is not None or count > _REACH - _PAGE:
        raise OutcomeUnknown("X's timeline does not reach back to the first attempt; look at the profile")
    posts = api.account().posts
    if posts is None:
        raise OutcomeUnknown(
            "X's timeline ends after the first attempt, and X does not say how many posts the account has; look"
            " at the profile"
        )
    if count < posts:
        raise Throttled(f"X lists {count} posts of an account that has {posts}: the timeline is not to be trusted now")
    return None, at
