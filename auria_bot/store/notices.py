"""What the operator was told, or is to be told, in the database. Knows rows; does not know why or how somebody is told."""

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

_FAR = timedelta(days=1)  # more than anybody waits before a further try


class Notices:
    """The notices of one unit of work."""

    def __init__(self, connection: Connection, *, home: Path) -> None:
        self._connection, self._home = connection, home

    def add(self, notice: Notice, *, at: datetime, say: bool = True) -> bool:
        """Keep a notice to be said; whether it is news: one of the same kind and subject stays as it is.

        Args:
            notice: what is to be said.
            at: now.
            say: false for what another notice says too.
        """
        row = {
            "kind": notice.kind,
            "subject": notice.subject,
            "at": at,
            "title": notice.title,
            "words": notice.body,
            "picture": path_in_home(notice.picture, self._home),
            "tries": 0,
            "next_at": at if say else None,
            "told": [],
        }
        return insert_once(self._connection, notices, row, unique=("kind", "subject"))

    def subjects(self, kind: str) -> Sequence[str]:
        """The subjects of a kind that there is a notice of."""
        return tuple(self._connection.scalars(select(notices.c.subject).where(notices.c.kind == kind)))

    def forget(self, kind: str, subjects: Collection[str]) -> None:
        """The occasion is over: when it comes again, it is said again."""
        self._connection.execute(delete(notices).where(notices.c.kind == kind, notices.c.subject.in_(sorted(subjects))))

    def forget_sent(self, kind: str, *, before: datetime) -> None:
        """Forget what was said long ago."""
        old = (notices.c.kind == kind, notices.c.at < before)
        self._connection.execute(delete(notices).where(*old))

    def has_due(self, *, now: datetime) -> bool:
        """Whether something is to be said now."""
        found = select(notices.c.id).where(_is_due(now)).limit(1)
        return self._connection.execute(found).one_or_none() is not None

    def claim_due(self, *, now: datetime, until: datetime) -> Sequence[PendingNotification]:
        """What is to be said now, the oldest first; nobody else gets it before `until`."""
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
        return sorted(found, key=lambda one: one.id)

    def record_delivery(
        self, telling: PendingNotification, *, delivered: Collection[str], next_at: datetime | None
    ) -> None:
        """Keep who was told, and when it is tried again; None when it is said.

        Nothing is kept where the occasion was over meanwhile: SQLite gives its number to the next one.
        """
        same = (
            notices.c.id == telling.id,
            notices.c.kind == telling.notice.kind,
            notices.c.subject == telling.notice.subject,
            notices.c.tries >= telling.tries,
        )
        self._connection.execute(update(notices).where(*same).values(told=sorted(delivered), next_at=next_at))


def _is_due(now: datetime) -> ColumnElement[bool]:
    """What is put off for longer than ever was so by a clock that was ahead."""
    return or_(notices.c.next_at <= now, notices.c.next_at > now + _FAR)
