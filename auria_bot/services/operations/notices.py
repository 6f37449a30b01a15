"""Tells the operator what matters, once an occasion: what waits for a decision, what is wrong, what will be, and how the day was.

`look` writes down what is to be said and forgets occasions that are over, so that they are said again when they come again;
`say` says it. A notice that does not get through is tried again, at the addresses that do not have it. Between saying and
writing down that it was said lies an instant in which a power cut makes it be said twice; it is never lost.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING, Protocol

from auria_bot.domain.draft import DraftState
from auria_bot.domain.notice import Kind, Notice
from auria_bot.domain.post import PostState
from auria_bot.errors import AuriaError
from auria_bot.redaction import redacted_error as told_by

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from auria_bot.domain.interfaces import Clock
    from auria_bot.services.operations.maintenance import DiskSpace
    from auria_bot.services.operations.notifier import DeliveryResult
    from auria_bot.services.schedule.jobs import DraftInventory
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["Notices", "Notifier", "Sources"]

log = logging.getLogger(__name__)

_LEASE = timedelta(minutes=5)  # for saying one round of notices
_AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
_ONE_BY_ONE = 3  # new drafts; more are told of together
_DIGESTS = timedelta(days=60)  # that past digests are remembered


class Notifier(Protocol):
    """Says a notice to the operator."""

    def say(self, notice: Notice, *, but: Collection[str] = ()) -> DeliveryResult:
        """Say it at every address but those that have it already."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Who knows what the operator may have to be told; each is asked at every look."""

    stock: Callable[[], DraftInventory]
    room: Callable[[], DiskSpace]
    overdue: Callable[[], Mapping[str, str]]  # what is wrong with each job that is overdue
    picture: Callable[[str, str], Path]  # where a file of a draft lies
    missed: Callable[[], Mapping[str, str]] = field(default=dict)  # the time of each job that is asked about
    expiring: Callable[[], Mapping[str, str]] = field(default=dict)  # when the token of each channel ends, if soon


class Notices:
    """What the operator is told.

    Usage::

        notices.look()    # every few minutes
        notices.say()     # every minute
        notices.digest()  # once a day
    """

    def __init__(
        self,
        *,
        store: Store,
        herald: Notifier,
        clock: Clock,
        zone: ZoneInfo,
        sources: Sources,
        quiet: Collection[str] = (),
    ) -> None:
        """Join the collaborators.

        Args:
            store: where notices, drafts and posts are kept.
            herald: says them.
            clock: tells the time.
            zone: the operator's.
            sources: who knows what is to be said.
            quiet: the kinds that are not said.
        """
        self._store, self._herald, self._clock, self._zone = store, herald, clock, zone
        self._sources, self._quiet = sources, frozenset(quiet)

    def look(self) -> int:
        """Write down what is to be said, and forget occasions that are over; how much is news.

        Raises:
            StoreError: the database cannot be used.
        """
        from_outside: dict[Kind, Callable[[], list[Notice] | None]] = {
            Kind.STOCK_LOW: self._stock,
            Kind.DISK_FILLING: self._disk,
            Kind.JOB_OVERDUE: self._overdue,
            Kind.JOB_MISSED: self._missed,
            Kind.TOKEN_EXPIRING: self._expiring,
        }
        found: dict[Kind, list[Notice]] = {}
        for kind, ask in from_outside.items():
            try:
                if (told := ask()) is not None:
                    found[kind] = told
            except AuriaError as error:  # what cannot be told now neither begins nor ends
                log.warning("It cannot be seen now: %s", told_by(error), extra={"action": str(kind)})
        with self._store.begin() as unit:
            found[Kind.NEEDS_ATTENTION] = self._attention(unit)
            found[Kind.CHANNEL_PAUSED] = self._paused(unit)
            news = sum(self._settle(unit, kind, notices) for kind, notices in found.items())
            return news + self._drafts(unit)

    def waiting(self) -> bool:
        """Whether something is to be said now: a small question, where saying brings all of Apprise into memory.

        Raises:
            StoreError: the database cannot be used.
        """
        with self._store.read() as unit:
            return unit.notices.has_due(now=self._clock())

    def say(self) -> int:
        """Say what is to be said; how many notices got through everywhere.

        Raises:
            StoreError: the database cannot be used.
        """
        now = self._clock()
        with self._store.begin() as unit:
            due = unit.notices.claim_due(now=now, until=now + _LEASE)
        done = 0
        for telling in due:
            again = self._clock() + _AGAIN[min(telling.tries, len(_AGAIN)) - 1]
            try:
                said = self._herald.say(telling.notice, but=telling.delivered)
                told, fine = said.told, not said.failed
                if said.failed:
                    log.warning("Not told yet: %s", ", ".join(said.failed), extra={"action": telling.notice.kind})
            except AuriaError as error:
                told, fine = telling.delivered, False
                log.warning("Nobody can be told: %s", told_by(error), extra={"action": telling.notice.kind})
            with self._store.begin() as unit:
                unit.notices.record_delivery(telling, delivered=told, next_at=None if fine else again)
            done += fine
        return done

    def digest(self) -> bool:
        """Write down how the last 24 hours were, once a local day; whether that is news.

        Raises:
            StoreError: the database cannot be used.
        """
        now = self._clock()
        day = now.astimezone(self._zone).date().isoformat()
        if Kind.DIGEST in self._quiet:
            return False
        stock = self._sources.stock()
        with self._store.begin() as unit:
            sent = unit.posts.list({PostState.SENT}, limit=100)
            out = [post for post in sent if post.receipt and post.receipt.at > now - timedelta(days=1)]
            open_ = unit.posts.list({PostState.NEEDS_ATTENTION, PostState.UNKNOWN, PostState.FAILED}, limit=100)
            lines = [f"Posted: {len(out)}"] + [f"  {post.channel}: {post.receipt.url}" for post in out if post.receipt]
            lines.append(f"Drafts that wait for you: {stock.made} (auria review)")
            lines.append(f"Approved and not out yet: {stock.approved}, for {stock.per_day} a day")
            attention = [post for post in open_ if post.state is PostState.NEEDS_ATTENTION]
            lines += [f"Post {post.id} on {post.channel} needs you: auria posts show {post.id}" for post in attention]
            lines += [f"{one.name} is paused: {one.reason}" for one in unit.channels.paused()]
            unit.notices.forget_sent(Kind.DIGEST, before=now - _DIGESTS)
            notice = Notice(kind=Kind.DIGEST, subject=day, title=f"Auria on {day}", body="\n".join(lines))
            return unit.notices.add(notice, at=now)

    def _settle(self, unit: Unit, kind: Kind, notices: Sequence[Notice]) -> int:
        """Add the occasions of a kind that are there, forget those that are over; how many are news."""
        stand = {notice.subject for notice in notices}
        unit.notices.forget(kind, set(unit.notices.subjects(kind)) - stand)
        wanted = notices if kind not in self._quiet else ()
        return sum(unit.notices.add(notice, at=self._clock()) for notice in wanted)

    def _drafts(self, unit: Unit) -> int:
        """New drafts that wait, each with its picture; many at once together."""
        kind = Kind.DRAFT_WAITING
        waiting = {str(draft.id): draft for draft in reversed(unit.drafts.list({DraftState.MADE}))}
        known = set(unit.notices.subjects(kind))
        unit.notices.forget(kind, known - waiting.keys())
        new = [draft for subject, draft in waiting.items() if subject not in known]
        if not new or kind in self._quiet:
            return 0
        together = len(new) > _ONE_BY_ONE
        for draft in new:
            poem = "\n".join(draft.artwork.haiku.lines)
            title, words = f"Draft {draft.id} waits", f"{poem}\n\nDecide: auria review"
            if together:
                title, words = f"{len(new)} drafts wait", f"The newest, {draft.id}:\n{words}"
            try:
                picture = str(self._sources.picture(draft.folder, draft.artwork.files["post"].name))
            except AuriaError:
                log.warning("The picture is missing", extra={"draft": draft.id})
                picture = ""
            notice = Notice(kind=kind, subject=str(draft.id), title=title, body=words, picture=picture)
            unit.notices.add(notice, at=self._clock(), say=not together or draft is new[-1])
        return 1 if together else len(new)

    def _attention(self, unit: Unit) -> list[Notice]:
        return [
            Notice(
                kind=Kind.NEEDS_ATTENTION,
                subject=str(post.id),
                title=f"Post {post.id} on {post.channel} needs you",
                body=f"{post.message}\n\nSee it: auria posts show {post.id}",
            )
            for post in unit.posts.list({PostState.NEEDS_ATTENTION})
        ]

    def _paused(self, unit: Unit) -> list[Notice]:
        """Channels that Auria paused herself; what the operator did he knows."""
        return [
            Notice(
                kind=Kind.CHANNEL_PAUSED,
                subject=one.name,
                title=f"{one.name} is paused",
                body=f"{one.reason}\n\nThen: auria channels resume {one.name}",
            )
            for one in unit.channels.paused()
            if one.by == "auria"
        ]

    def _stock(self) -> list[Notice]:
        stock = self._sources.stock()
        if not stock.is_low:
            return []
        words = f"{stock.approved} approved drafts are left, for {stock.per_day} a day; {stock.made} wait for you.\n\n"
        words += (
            "Approve some: auria review"
            if stock.made
            else "She makes some at the next hour of the job 'make'; now: auria make"
        )
        return [Notice(kind=Kind.STOCK_LOW, subject="stock", title="Few approved drafts are left", body=words)]

    def _disk(self) -> list[Notice] | None:
        room = self._sources.room()
        if room.tight:
            return None  # what is so near the edge would be said at each crossing of it
        if not room.filling:
            return []
        words = f"{room.free / 1e9:.2f} GB of {room.total / 1e9:.0f} GB are free.\n\nFree some: auria tidy, or a larger disk."
        if room.full:
            words = f"Work fails until there is room. {words}"
        return [Notice(kind=Kind.DISK_FILLING, subject="home", title="The disk fills", body=words)]

    def _overdue(self) -> list[Notice]:
        return [
            Notice(
                kind=Kind.JOB_OVERDUE,
                subject=job[:200],
                title=f"The job {job!r} is overdue",
                body=f"{words}\n\nSee: auria schedule, and the daemon's log",
            )
            for job, words in self._sources.overdue().items()
        ]

    def _missed(self) -> list[Notice]:
        return [
            Notice(
                kind=Kind.JOB_MISSED,
                subject=f"{job} {slot}"[:200],
                title=f"The job {job!r} was missed",
                body=f"It was due at {slot}. Shall it be made up for?\n\nauria schedule --run {quote(job)}, or --skip {quote(job)}",
            )
            for job, slot in self._sources.missed().items()
        ]

    def _expiring(self) -> list[Notice]:
        return [
            Notice(
                kind=Kind.TOKEN_EXPIRING,
                subject=f"{name} {until}"[:200],
                title=f"The token of {name} ends soon",
                body=f"It is good until {until}, and could not be renewed.\n\nGive a new one: auria channels add {name}",
            )
            for name, until in self._sources.expiring().items()
        ]
