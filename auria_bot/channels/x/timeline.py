"""The account's own timeline on X, where a post of unknown fate is looked for.

A post is known by the uploaded picture's key, which every attempt remembers, or by its words. It is absent only where the timeline
was seen to reach back before the first attempt, or to its end. Times are X's own, as far as they were heard, so that this
machine's clock may be wrong or be set meanwhile. Every post that is read is charged: no more is read than tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auria_bot.channels.x.text import same_words
from auria_bot.errors import OutcomeUnknown, Throttled

if TYPE_CHECKING:
    from auria_bot.channels.x.api import Shown, XApi
    from auria_bot.domain.post import Post

__all__ = ["AttemptTrace", "seen"]

_MARGIN = timedelta(seconds=30)  # between X's own clocks
_UNSURE = timedelta(minutes=10)  # the same where only this machine's clock is known
_FIRST_PAGE = 5  # posts
_PAGE = 100  # posts
_PAGES = 40  # some may be empty
_REACH = 3200  # posts: X shows no more of a timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptTrace:
    """What the attempts at a post left behind, by X's clock where it was heard."""

    first: datetime
    last: datetime
    media: frozenset[str]  # keys of the uploaded pictures
    margin: timedelta

    @property
    def since(self) -> datetime:
        """Nothing of this post is older."""
        return self.first - self.margin

    @classmethod
    def of(cls, post: Post) -> AttemptTrace:
        """Read a post's memo; without one, its times by this machine's clock."""
        try:
            first, last, *media = post.memo.split()
            times = [datetime.fromtimestamp(int(value), UTC) for value in (first, last)]
        except (ValueError, OverflowError, OSError):
            at = post.tried_at or post.due
            return cls(first=at, last=at, media=frozenset(), margin=_UNSURE)
        return cls(first=times[0], last=times[1], media=frozenset(media), margin=_MARGIN)

    def again(self, post: Post, key: str, at: datetime) -> AttemptTrace:
        """With one attempt more."""
        first = at if post.tried_at is None else self.since + _MARGIN
        return AttemptTrace(first=first, last=at, media=self.media | {key}, margin=_MARGIN)

    def memo(self) -> str:
        """For `Ready`: the first attempt, the last, and at most five pictures."""
        media = sorted(self.media)[-5:]
        return " ".join([str(int(self.first.timestamp())), str(int(self.last.timestamp())), *media])


def seen(api: XApi, account: str, text: str, trace: AttemptTrace) -> tuple[Shown | None, datetime]:
    """The post in the timeline, or None where the timeline reaches back before it; and when X said so, by X's clock.

    Raises:
        Throttled: the timeline cannot be read, or is not to be trusted, now.
        Unauthorised: X does not accept the keys.
        OutcomeUnknown: it does not reach back that far.
    """
    token, count, at = None, 0, None
    for _ in range(_PAGES):
        page = api.timeline(account, size=_FIRST_PAGE if token is None else _PAGE, token=token)
        at = at or api.now()
        for shown in page.posts:
            if shown.media & trace.media or (shown.at >= trace.since and same_words(text, shown.text)):
                return shown, at
        if not page.complete:
            raise Throttled("X answered with an incomplete timeline")
        if page.posts and min(shown.at for shown in page.posts) < trace.since:
            return None, at
        count += len(page.posts)
        token = page.next
        if token is None:
            break
    if at is None or token is not None or count > _REACH - _PAGE:
        raise OutcomeUnknown("X's timeline does not reach back to the first attempt; look at the profile")
    if not count and api.account().posts:
        raise Throttled("X shows an empty timeline of an account that has posts; it is not to be trusted now")
    return None, at
