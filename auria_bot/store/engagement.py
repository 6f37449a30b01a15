"""Engagement samples of posts and follower counts of channels in the database.

Samples are only added: a post has 22 in its first year and none afterwards. The latest of each post is found by one
step in the index (post_id, at), so that the number of samples hardly matters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, ScalarSelect, and_, func, insert, literal, select, update

from auria_bot.domain.artwork import Artwork
from auria_bot.domain.engagement import COUNTS, Audience, Engagement, PostEngagement, TrackedPost
from auria_bot.domain.post import PostState, Receipt
from auria_bot.store.corpus import batches
from auria_bot.store.engine import Queries
from auria_bot.store.schema import audiences, drafts, posts, samples

__all__ = ["Samples"]

_MOST = 2**31 - 1  # the largest value of a count column
_SENT = and_(posts.c.state == PostState.SENT, posts.c.receipt_at.is_not(None))


class Samples(Queries):
    """Samples and follower counts, within one unit of work."""

    def tracked_posts(
        self, *, since: datetime, channels: Collection[str] | None = None, vanished: bool = False
    ) -> Sequence[TrackedPost]:
        """The posts published since then, newest first.

        Vanished ones are left out unless `vanished`.
        """
        last = select(func.max(samples.c.at)).where(samples.c.post_id == posts.c.id).scalar_subquery()
        wanted = (
            select(
                posts.c.id,
                posts.c.channel,
                posts.c.receipt_id,
                posts.c.receipt_url,
                posts.c.receipt_at,
                posts.c.vanished_at,
                last.label("measured_at"),
            )
            .where(_SENT, posts.c.receipt_at >= since)
            .order_by(posts.c.receipt_at.desc(), posts.c.id.desc())
        )
        if channels is not None:
            wanted = wanted.where(posts.c.channel.in_(list(channels)))
        if not vanished:
            wanted = wanted.where(posts.c.vanished_at.is_(None))
        return tuple(
            TrackedPost(
                post_id=row.id,
                channel=row.channel,
                measured_at=row.measured_at,
                vanished_at=row.vanished_at,
                receipt=Receipt(id=row.receipt_id, url=row.receipt_url or "", at=row.receipt_at),
            )
            for row in self._connection.execute(wanted)
        )

    def add(self, post_id: int, counts: Engagement) -> None:
        """Insert a sample; a vanished post is no longer vanished."""
        values = {name: _clipped(getattr(counts, name)) for name in COUNTS}
        self._connection.execute(insert(samples).values(post_id=post_id, at=counts.at, **values))
        self._connection.execute(
            update(posts).where(posts.c.id == post_id, posts.c.vanished_at.is_not(None)).values(vanished_at=None)
        )

    def mark_vanished(self, post_id: int, *, at: datetime) -> bool:
        """Mark a post as vanished; return whether it was not marked before. Its samples are kept."""
        gone = update(posts).where(posts.c.id == post_id, posts.c.vanished_at.is_(None)).values(vanished_at=at)
        return self._connection.execute(gone).rowcount == 1

    def add_audience(self, channel: str, audience: Audience) -> None:
        """Insert a follower count."""
        self._connection.execute(
            insert(audiences).values(channel=channel, at=audience.at, followers=_clipped(audience.followers))
        )

    def audience_counted_at(self) -> dict[str, datetime]:
        """When each channel's followers were last counted."""
        rows = self._connection.execute(
            select(audiences.c.channel, func.max(audiences.c.at).label("at")).group_by(audiences.c.channel)
        )
        return {row.channel: row.at for row in rows}

    def call_counts(self, *, since: datetime) -> dict[str, int]:
        """How many counts of each channel were stored since then."""
        of_posts = (
            select(posts.c.channel, func.count())
            .join_from(posts, samples, samples.c.post_id == posts.c.id)
            .where(_SENT, samples.c.at >= since)
            .group_by(posts.c.channel)
        )
        of_followers = (
            select(audiences.c.channel, func.count()).where(audiences.c.at >= since).group_by(audiences.c.channel)
        )
        found: dict[str, int] = {}
        for query in (of_posts, of_followers):
            for channel, number in self._connection.execute(query):
                found[channel] = found.get(channel, 0) + number
        return found

    def history(self, post_id: int) -> Sequence[Engagement]:
        """Every sample of a post, oldest first."""
        wanted = select(samples).where(samples.c.post_id == post_id).order_by(samples.c.at, samples.c.id)
        return tuple(
            Engagement(at=row.at, **{name: getattr(row, name) for name in COUNTS})
            for row in self._connection.execute(wanted)
        )

    def followers(
        self, *, since: datetime | None = None, channel: str | None = None
    ) -> Mapping[str, Sequence[Audience]]:
        """Each channel's follower counts, oldest first; unknown counts are left out."""
        wanted = (
            select(audiences.c.channel, audiences.c.at, audiences.c.followers)
            .where(audiences.c.followers.is_not(None))
            .order_by(audiences.c.channel, audiences.c.at, audiences.c.id)
        )
        if since is not None:
            wanted = wanted.where(audiences.c.at >= since)
        if channel is not None:
            wanted = wanted.where(audiences.c.channel == channel)
        found: dict[str, list[Audience]] = {}
        for name, at, count in self._connection.execute(wanted):
            found.setdefault(name, []).append(Audience(at=at, followers=count))
        return found

    def post_engagements(
        self, *, since: datetime | None = None, channel: str | None = None, grown: timedelta | None = None
    ) -> Sequence[PostEngagement]:
        """Every published post, newest first, each with one of its samples.

        It is the latest, or the first of at least the age `grown` where one is given and there is one.
        """
        sample: ColumnElement[Any] = self._sample()
        if grown is not None:
            sample = func.coalesce(self._sample(grown), sample)
        wanted = (
            select(
                posts.c.id,
                posts.c.draft_id,
                posts.c.channel,
                posts.c.receipt_at,
                posts.c.receipt_url,
                posts.c.receipt_cost,
                posts.c.vanished_at,
                drafts.c.mood,
                drafts.c.style,
                samples.c.at,
                *(samples.c[name] for name in COUNTS),
                _followers_at_publication().label("followers"),
            )
            .join_from(posts, drafts, drafts.c.id == posts.c.draft_id)
            .outerjoin(samples, samples.c.id == sample)
            .where(_SENT)
            .order_by(posts.c.receipt_at.desc(), posts.c.id.desc())
        )
        if since is not None:
            wanted = wanted.where(posts.c.receipt_at >= since)
        if channel is not None:
            wanted = wanted.where(posts.c.channel == channel)
        found = []
        for row in self._connection.execute(wanted):  # unpacked at once: access by name is slow for thousands of rows
            post_id, draft_id, name, at, url, cost, gone, mood, style, sampled, *counts, followers = row
            values = dict(zip(COUNTS, counts, strict=True))
            found.append(
                PostEngagement(
                    post_id=post_id,
                    draft_id=draft_id,
                    channel=name,
                    posted_at=at,
                    url=url or "",
                    mood=mood,
                    style=style,
                    cost=cost or 0.0,
                    vanished_at=gone,
                    followers=followers,
                    counts=Engagement(at=sampled, **values) if sampled else None,
                )
            )
        return tuple(found)

    def artworks(self, draft_ids: Collection[int]) -> dict[int, Artwork]:
        """The artworks of some drafts, by draft id."""
        found: dict[int, Artwork] = {}
        for batch in batches(sorted(set(draft_ids))):
            rows = self._connection.execute(select(drafts.c.id, drafts.c.artwork).where(drafts.c.id.in_(batch)))
            found |= {row.id: Artwork.from_json(row.artwork) for row in rows}
        return found

    def _sample(self, grown: timedelta | None = None) -> ScalarSelect[int]:
        """The id of a post's latest sample, or of the first of at least this age."""
        sample = samples.alias("sample")
        of_post = select(sample.c.id).where(sample.c.post_id == posts.c.id).limit(1)
        if grown is None:
            return of_post.order_by(sample.c.at.desc(), sample.c.id.desc()).scalar_subquery()
        old_enough = sample.c.at >= self._later(posts.c.receipt_at, grown)
        return of_post.where(old_enough).order_by(sample.c.at, sample.c.id).scalar_subquery()

    def _later(self, time: ColumnElement[Any], by: timedelta) -> ColumnElement[Any]:
        if self._connection.dialect.name == "sqlite":  # which stores times as texts in this format
            return func.strftime("%Y-%m-%d %H:%M:%f", time, f"+{by.total_seconds():.0f} seconds")
        return time + literal(by, Interval())


def _followers_at_publication() -> ColumnElement[int | None]:
    """The followers of a post's channel at publication: the last count before it, or the first of all."""
    own, first = audiences.alias("before"), audiences.alias("first")
    before = (
        select(own.c.followers)
        .where(own.c.channel == posts.c.channel, own.c.at <= posts.c.receipt_at)
        .order_by(own.c.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    earliest = (
        select(first.c.followers).where(first.c.channel == posts.c.channel).order_by(first.c.at).limit(1)
    ).scalar_subquery()
    return func.coalesce(before, earliest)


def _clipped(count: int | None) -> int | None:
    """A count clipped to the column's range."""
    return None if count is None else max(0, min(int(count), _MOST))
