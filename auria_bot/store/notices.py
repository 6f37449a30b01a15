"""Notices to the operator in the database: sent ones, and those still to be sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from auria_bot.domain.notice import Notice, PendingNotification
from auria_bot.store.engine import insert_once
from auria_bot.store.files import path_from_home, path_in_home
from auria_bot.store.schema import notices

__all__ = ["Notices"]

_FAR = timedelta(days=1)  # longer than any delay before a retry


class Notices:
    """Notices, within one unit of work."""

    def __init__(self, connection: Connection, *, home: Path) -> None:
        self._connection, self._home = connection, home

    def add(self, notice: Notice, *, at: datetime, send: bool = True) -> bool:
        """Insert a notice to be sent; return whether it is new: one of the same kind and subject is left unchanged.

        Args:
            notice: the notice.
            at: the current time.
            send: false if another notice covers it.
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
