"""Notifies the operator, once for each occasion: what waits for a decision, what is wrong, and how the day was.

`update` records new notices and forgets occasions that are over, so that they are sent again when they come again;
`send` sends what is due. A notice that does not get through is retried at the addresses that do not have it. A power
cut between sending a notice and recording that it was sent has it sent twice; none is lost.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from shlex import quote
from typing import TYPE_CHECKING, Protocol

from auria_bot.domain.draft import DraftState
from auria_bot.domain.notice import Kind, Notice, RecordedNotice
from auria_bot.domain.post import PostState
from auria_bot.errors import AuriaError, NotFound
from auria_bot.redaction import redacted_error

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from auria_bot.domain.interfaces import Clock
    from auria_bot.services.operations.maintenance import DiskSpace
    from auria_bot.services.operations.monitoring import DeliveryResult
    from auria_bot.services.schedule.jobs import DraftInventory
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["Notices", "Notifier", "Sources"]

log = logging.getLogger(__name__)

_LEASE = timedelta(minutes=5)  # for sending the notices that are due
_RETRY_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
_SINGLE_LIMIT = 3  # new drafts at once that have a notice each; more share one
_DIGESTS_KEPT = timedelta(days=60)


class Notifier(Protocol):
    """Delivers a notice to the operator."""

    def send(self, notice: Notice, *, skip: Collection[str] = ()) -> DeliveryResult:
        """Send it to every address but those that have it already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where to learn what the operator may have to know; each is called at every update."""

    inventory: Callable[[], DraftInventory]
    disk_space: Callable[[], DiskSpace]
    overdue: Callable[[], Mapping[str, str]]  # why each overdue job is so
    picture: Callable[[str, str], Path]  # the path of a file of a draft
    missed: Callable[[], Mapping[str, str]] = field(default=dict)  # missed times to decide on, by job
    expiring: Callable[[], Mapping[str, str]] = field(default=dict)  # dates on which tokens expire soon, by channel


class Notices:
    """The operator's notices.

    Usage::

        notices.update()      # every minute
        notices.send()        # where something is due
        notices.add_digest()  # once a day
    """

    def __init__(
        self,
        *,
        store: Store,
        notifier: Notifier,
        clock: Clock,
        zone: ZoneInfo,
        sources: Sources,
        muted: Collection[str] = (),
    ) -> None:
        self._store, self._notifier, self._clock, self._zone = store, notifier, clock, zone
        self._sources, self._muted = sources, frozenset(muted)

    def update(self) -> int:
        """Record new notices, and forget occasions that are over; how many are new.

        Raises:
            StoreError: the database cannot be used.
        """
        checks: dict[Kind, Callable[[], list[Notice] | None]] = {
            Kind.STOCK_LOW: self._inventory,
            Kind.DISK_FILLING: self._disk,
            Kind.JOB_OVERDUE: self._overdue,
            Kind.JOB_MISSED: self._missed,
            Kind.TOKEN_EXPIRING: self._expiring,
        }
        found: dict[Kind, list[Notice]] = {}
        for kind, check in checks.items():
            try:
                if (notices := check()) is not None:
                    found[kind] = notices
            except AuriaError as error:  # an occasion that cannot be checked now neither begins nor ends
                log.warning("A check for notices failed: %s", redacted_error(error), extra={"action": str(kind)})
        with self._store.begin() as unit:
            found[Kind.NEEDS_ATTENTION] = self._attention(unit)
            found[Kind.CHANNEL_PAUSED] = self._paused(unit)
            new = sum(self._record(unit, kind, notices) for kind, notices in found.items())
            return new + self._drafts(unit)

    def open(self) -> tuple[RecordedNotice, ...]:
        """The notices of occasions that last, and the digests; the latest first.

        Raises:
            StoreError: the database cannot be used.
        """
        with self._store.read() as unit:
            return tuple(unit.notices.list())

    def dismiss(self, notice_id: int) -> Notice:
        """Take a notice off the list, and do not send it any more; it returns when its occasion ends and comes again.

        Raises:
            NotFound: there is no such notice, or it is dismissed or over.
            StoreError: the database cannot be used.
        """
        with self._store.begin() as unit:
            notice = unit.notices.dismiss(notice_id)
            if notice is None:
                raise NotFound(
                    f"there is no notice {notice_id}; perhaps its occasion is over", hint="auria notify list"
                )
            unit.journal.note("dismiss notice", details=notice.title, at=self._clock())
        return notice

    def has_due(self) -> bool:
        """Whether something is to be sent now; asked first, since sending loads all of Apprise into memory.

        Raises:
            StoreError: the database cannot be used.
        """
        with self._store.read() as unit:
            return unit.notices.has_due(now=self._clock())

    def send(self) -> int:
        """Send what is due; how many notices reached every address.

        Raises:
            StoreError: the database cannot be used.
        """
        now = self._clock()
        with self._store.begin() as unit:
            due = unit.notices.claim_due(now=now, until=now + _LEASE)
        complete = 0
        for pending in due:
            retry_at = self._clock() + _RETRY_DELAYS[min(pending.tries, len(_RETRY_DELAYS)) - 1]
            try:
                result = self._notifier.send(pending.notice, skip=pending.delivered)
                delivered, failed = result.delivered, ", ".join(result.failed)
            except AuriaError as error:
                delivered, failed = pending.delivered, redacted_error(error)
            if failed:
                log.warning("A notice was not delivered: %s", failed, extra={"action": pending.notice.kind})
            with self._store.begin() as unit:
                unit.notices.record_delivery(pending, delivered=delivered, next_at=retry_at if failed else None)
            complete += not failed
        return complete

    def add_digest(self) -> bool:
        """Record a notice on the last 24 hours, once a local day; whether it is new.

        Raises:
            StoreError: the database cannot be used.
        """
        now = self._clock()
        day = now.astimezone(self._zone).date().isoformat()
        if Kind.DIGEST in self._muted:
            return False
        inventory = self._sources.inventory()
        with self._store.begin() as unit:
            sent = unit.posts.list({PostState.SENT}, limit=100)
            out = [post for post in sent if post.receipt and post.receipt.at > now - timedelta(days=1)]
            attention = unit.posts.list({PostState.NEEDS_ATTENTION}, limit=100)
            lines = [f"Published: {len(out)}"] + [
                f"  {post.channel}: {post.receipt.url}" for post in out if post.receipt
            ]
            lines.append(f"Drafts waiting for review: {inventory.made} (auria review)")
            lines.append(f"Approved, not yet published: {inventory.approved}, for {inventory.per_day} a day")
            lines += [
                f"Post {post.id} on {post.channel} needs attention: auria posts show {post.id}" for post in attention
            ]
            lines += [f"{pause.name} is paused: {pause.reason}" for pause in unit.channels.paused()]
            unit.notices.forget_sent(Kind.DIGEST, before=now - _DIGESTS_KEPT)
            notice = Notice(kind=Kind.DIGEST, subject=day, title=f"Auria on {day}", body="\n".join(lines))
            return unit.notices.add(notice, at=now)

    def _record(self, unit: Unit, kind: Kind, notices: Sequence[Notice]) -> int:
        """Add the present occasions of a kind, forget those that are over; how many are new."""
        present = {notice.subject for notice in notices}
        unit.notices.forget(kind, set(unit.notices.subjects(kind)) - present)
        wanted = notices if kind not in self._muted else ()
        return sum(unit.notices.add(notice, at=self._clock()) for notice in wanted)

    def _drafts(self, unit: Unit) -> int:
        """New drafts that wait for review, each with its picture; many at once share a notice."""
        kind = Kind.DRAFT_WAITING
        waiting = {str(draft.id): draft for draft in reversed(unit.drafts.list({DraftState.MADE}))}
        known = set(unit.notices.subjects(kind))
        unit.notices.forget(kind, known - waiting.keys())
        new = [draft for subject, draft in waiting.items() if subject not in known]
        if not new or kind in self._muted:
            return 0
        together = len(new) > _SINGLE_LIMIT
        for draft in new:
            poem = "\n".join(draft.artwork.haiku.lines)
            title, body = f"Draft {draft.id} waits for review", f"{poem}\n\nReview it: auria review"
            if together:
                title, body = f"{len(new)} drafts wait for review", f"The newest, draft {draft.id}:\n{body}"
            try:
                picture = str(self._sources.picture(draft.folder, draft.artwork.files["post"].name))
            except AuriaError:
                log.warning("The draft's picture is missing", extra={"draft": draft.id})
                picture = ""
            notice = Notice(kind=kind, subject=str(draft.id), title=title, body=body, picture=picture)
            unit.notices.add(notice, at=self._clock(), send=not together or draft is new[-1])
        return 1 if together else len(new)

    def _attention(self, unit: Unit) -> list[Notice]:
        return [
            Notice(
                kind=Kind.NEEDS_ATTENTION,
                subject=str(post.id),
                title=f"Post {post.id} on {post.channel} needs attention",
                body=f"{post.message}\n\nSee it: auria posts show {post.id}",
            )
            for post in unit.posts.list({PostState.NEEDS_ATTENTION})
        ]

    def _paused(self, unit: Unit) -> list[Notice]:
        """Channels that the program paused; those that the operator paused need no notice."""
        return [
            Notice(
                kind=Kind.CHANNEL_PAUSED,
                subject=pause.name,
                title=f"{pause.name} is paused",
                body=f"{pause.reason}\n\nThen: auria channels resume {pause.name}",
            )
            for pause in unit.channels.paused()
            if pause.by == "auria"
        ]

    def _inventory(self) -> list[Notice]:
        inventory = self._sources.inventory()
        if not inventory.is_low:
            return []
        body = f"Approved drafts left: {inventory.approved}, for {inventory.per_day} a day;"
        body += f" waiting for review: {inventory.made}.\n\n"
        body += (
            "Approve some: auria review"
            if inventory.made
            else "The job 'make' makes some at its next time; to make some now: auria make"
        )
        return [Notice(kind=Kind.STOCK_LOW, subject="stock", title="Few approved drafts are left", body=body)]

    def _disk(self) -> list[Notice] | None:
        space = self._sources.disk_space()
        if space.tight:
            return None  # so near the limit, a notice would be sent at each crossing of it
        if not space.filling:
            return []
        body = f"{space.free / 1e9:.2f} GB of {space.total / 1e9:.0f} GB are free.\n\n"
        body += "Free some space (auria tidy), or use a larger disk."
        if space.full:
            body = f"Work fails until there is space. {body}"
        return [Notice(kind=Kind.DISK_FILLING, subject="home", title="The disk is filling up", body=body)]

    def _overdue(self) -> list[Notice]:
        return [
            Notice(
                kind=Kind.JOB_OVERDUE,
                subject=job[:200],
                title=f"The job {job!r} is overdue",
                body=f"{reason}\n\nSee: auria schedule, and the daemon's log",
            )
            for job, reason in self._sources.overdue().items()
        ]

    def _missed(self) -> list[Notice]:
        return [
            Notice(
                kind=Kind.JOB_MISSED,
                subject=f"{job} {due}"[:200],
                title=f"The job {job!r} was missed",
                body=f"It was due at {due}. Make up for it?\n\n"
                f"auria schedule --run {quote(job)}, or --skip {quote(job)}",
            )
            for job, due in self._sources.missed().items()
        ]

    def _expiring(self) -> list[Notice]:
        return [
            Notice(
                kind=Kind.TOKEN_EXPIRING,
                subject=f"{name} {until}"[:200],
                title=f"The token of {name} expires soon",
                body=f"It is valid until {until} and could not be renewed.\n\n"
                f"Enter a new one: auria channels add {name}",
            )
            for name, until in self._sources.expiring().items()
        ]
