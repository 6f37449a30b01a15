"""Notices to the operator in the database, sent and still to be sent, and the figures of the metrics."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from auria_bot.domain.notice import Notice, PendingNotification
from auria_bot.domain.post import PostState
from auria_bot.store.engine import insert_once
from auria_bot.store.files import path_from_home, path_in_home
from auria_bot.store.schema import attempts, channels, notices, posts, steps

__all__ = ["Metrics", "Notices"]


_FAR = timedelta(days=1)  # longer than any delay before a retry


class Notices:
    """Notices, within one unit of work."""

    def __init__(self, connection: Connection, *, home: Path) -> None:
        self._connection, self._home = connection, home

    def add(self, notice: Notice, *, at: datetime, send: bool = True) -> bool:
        """Insert a notice to be sent; return whether it is new: one of the same kind and subject is left unchanged.

        With `send` false, another notice covers it.
        """
        row = {
            "kind": notice.kind,
            "subject": notice.subject,
            "at": at,
            "title": notice.title,
            "words": notice.body,
            "picture": path_in_home(notice.picture, self._home),
            "tries": 0,
            "next_at": at if send else None,
            "told": [],
        }
        return insert_once(self._connection, notices, row, unique=("kind", "subject"))

    def subjects(self, kind: str) -> Sequence[str]:
        """The subjects of the stored notices of a kind."""
        return tuple(self._connection.scalars(select(notices.c.subject).where(notices.c.kind == kind)))

    def forget(self, kind: str, subjects: Collection[str]) -> None:
        """Delete the notices of past occasions, so that they are sent again when the occasion returns."""
        self._connection.execute(delete(notices).where(notices.c.kind == kind, notices.c.subject.in_(sorted(subjects))))

    def forget_sent(self, kind: str, *, before: datetime) -> None:
        """Delete old notices of a kind."""
        old = (notices.c.kind == kind, notices.c.at < before)
        self._connection.execute(delete(notices).where(*old))

    def has_due(self, *, now: datetime) -> bool:
        """Whether a notice is due to be sent."""
        found = select(notices.c.id).where(_is_due(now)).limit(1)
        return self._connection.execute(found).one_or_none() is not None

    def claim_due(self, *, now: datetime, until: datetime) -> Sequence[PendingNotification]:
        """Claim the notices due to be sent, oldest first; nobody else gets them before `until`."""
        due = select(notices.c.id).where(_is_due(now)).order_by(notices.c.id)
        ids = list(self._connection.scalars(due.with_for_update(skip_locked=True)))
        rows = self._connection.execute(
            update(notices)
            .where(notices.c.id.in_(ids))
            .values(tries=notices.c.tries + 1, next_at=until)
            .returning(notices)
        )
        found = [
            PendingNotification(
                id=row.id,
                tries=row.tries,
                delivered=tuple(row.told),
                notice=Notice(
                    kind=row.kind,
                    subject=row.subject,
                    title=row.title,
                    body=row.words,
                    picture=path_from_home(row.picture, self._home),
                ),
            )
            for row in rows
        ]
        return sorted(found, key=lambda pending: pending.id)

    def record_delivery(
        self, pending: PendingNotification, *, delivered: Collection[str], next_at: datetime | None
    ) -> None:
        """Store who received a notice, and when to retry; None if it is complete.

        Nothing is stored if the notice was deleted meanwhile, also if SQLite reused its id.
        """
        same = (
            notices.c.id == pending.id,
            notices.c.kind == pending.notice.kind,
            notices.c.subject == pending.notice.subject,
            notices.c.tries >= pending.tries,
        )
        self._connection.execute(update(notices).where(*same).values(told=sorted(delivered), next_at=next_at))


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due, or deferred for so long that the clock must have been ahead."""
    return or_(notices.c.next_at <= now, notices.c.next_at > now + _FAR)


class Metrics:
    """Counts and times, within one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def attempts(self) -> Mapping[tuple[str, str], int]:
        """Number of ended attempts by channel and outcome."""
        by = (posts.c.channel, attempts.c.outcome)
        ended = select(*by, func.count()).join_from(attempts, posts).where(attempts.c.outcome.is_not(None))
        rows = self._connection.execute(ended.group_by(*by))
        return {(str(channel), str(outcome)): int(number) for channel, outcome, number in rows}

    def due_since(self) -> Mapping[str, datetime]:
        """When the first waiting post of each channel is due, possibly in the future; without paused channels."""
        paused = select(channels.c.name).where(channels.c.paused_at.is_not(None))
        waiting = (posts.c.state == PostState.WAITING, posts.c.channel.not_in(paused))
        rows = self._connection.execute(
            select(posts.c.channel, func.min(posts.c.due)).where(*waiting).group_by(posts.c.channel)
        )
        return {str(channel): due for channel, due in rows}

    def record_step(self, step: str, *, seconds: float, times: int) -> None:
        """Add the time that a step of the studio took."""
        insert_once(self._connection, steps, {"name": step, "seconds": 0.0, "times": 0}, unique=("name",))
        more = {"seconds": steps.c.seconds + seconds, "times": steps.c.times + times}
        self._connection.execute(update(steps).where(steps.c.name == step).values(more))

    def steps(self) -> Mapping[str, tuple[float, int]]:
        """Total seconds and number of executions of each step of the studio."""
        return {str(row.name): (row.seconds, row.times) for row in self._connection.execute(select(steps))}
