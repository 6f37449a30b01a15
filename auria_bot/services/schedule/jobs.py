"""What a slot's job has to do right now, as commands of `auria`: the daemon runs each in a process of its own, and stays small.

A command is chosen from how things stand, not from what was done before: so a job that was broken off and is begun again makes what
is missing, posts nothing twice, and does nothing where nothing is to be done. Knows drafts, posts and the command line's words;
runs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auria_bot.domain.draft import DraftState
from auria_bot.domain.job_schedule import PUBLISH
from auria_bot.domain.post import PostState
from auria_bot.services.publishing.restore_review import RESTORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.job_schedule import JobRun, JobSchedule
    from auria_bot.services.operations.maintenance import DiskSpace
    from auria_bot.store.unit_of_work import Store

__all__ = ["DraftInventory", "JobPlan", "JobPlanner", "per_day"]

_STAMP = "%Y-%m-%dT%H:%M:%S.%f%z"
_MOST_APPROVED = 50  # drafts of one errand
_FILLS = ("make", "refresh", "backup")  # the jobs that write much
_FREE: dict[str, tuple[str, ...]] = {
    "measure": ("measure", "--json"),
    "refresh": ("corpus", "refresh", "--json"),
    "backup": ("db", "backup", "--json"),
    "tidy": ("tidy", "--json"),
    "digest": ("notify", "digest"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """What is to be done for a slot."""

    commands: tuple[tuple[str, ...], ...] = ()  # each the words after `auria`, one after the other
    words: str = ""  # why there is nothing to do
    held: bool = False  # there is something to do, and this is not the time for it


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInventory:
    """Drafts that are ready, and for how long they last."""

    made: int  # waiting for review
    approved: int  # approved, and not out anywhere yet
    per_day: int
    ahead: int  # days that drafts are to last
    low: int  # days: approved ones that last for less are few

    @property
    def wanted(self) -> int:
        """How many drafts are missing."""
        return max(0, self.ahead * self.per_day - self.made - self.approved)

    @property
    def is_low(self) -> bool:
        """Whether the operator should approve some."""
        return self.approved < self.low * self.per_day


@dataclass(frozen=True, kw_only=True)
class JobPlanner:
    """Says what is to be done for a slot.

    Usage::

        errand = errands.of(claim)
        for command in errand.commands: ...
    """

    store: Store
    clock: Clock
    unfinished: Callable[[], Sequence[str]]  # the names of the studio's runs that were broken off
    per_day: int  # drafts that the schedule uses up in a day
    ahead: int  # days that drafts are to be ready before they are needed
    low: int  # days that approved drafts should last
    approve_after: timedelta | None = None  # after which a draft that nobody decided on is approved; None: never
    room: Callable[[], DiskSpace] | None = None  # the room on the disk; without it all goes on whatever there is
    more: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the commands of further jobs

    def of(self, claim: JobRun) -> JobPlan:
        """What is to be done for a slot.

        Raises:
            StoreError: the database cannot be used.
            DiskError: the disk is gone.
        """
        job = claim.slot.job
        if job in _FILLS and self.room is not None and (room := self.room()).full:
            return JobPlan(words=f"held back: only {room.free / 1e6:.0f} MB are free on the disk", held=True)
        if job.startswith(PUBLISH):
            return self._publish(claim, job.removeprefix(PUBLISH))
        known = {"make": self._make, "approve": self._approve, "reconcile": self._reconcile}
        if job in known:
            return known[job](claim)
        command = {**_FREE, **self.more}.get(job)
        return JobPlan(commands=(command,)) if command else JobPlan(words="no such job is known any more")

    def stock(self) -> DraftInventory:
        """How many drafts are ready."""
        with self.store.read() as unit:
            made = len(unit.drafts.list({DraftState.MADE}))
            approved = len(unit.drafts.list({DraftState.APPROVED}))
            waiting, begun = set[int](), set[int]()
            for post in unit.posts.list({PostState.WAITING}):
                waiting.add(post.draft_id)
                begun |= {post.draft_id} if post.tried_at else set()
        approved += len(waiting - begun)
        return DraftInventory(made=made, approved=approved, per_day=self.per_day, ahead=self.ahead, low=self.low)

    def _make(self, claim: JobRun) -> JobPlan:
        wanted = self.stock().wanted
        if not wanted:
            return JobPlan(words="enough drafts are ready")
        if claim.tries == 2 and self.unfinished():
            return JobPlan(commands=(("make", "--resume"),))
        # Each day's drafts have a theme of their own out of the season's words.
        days = [min(self.per_day, wanted - done) for done in range(0, wanted, self.per_day)]
        return JobPlan(commands=tuple(("make", "--count", str(count), "--season", "now") for count in days))

    def _approve(self, _claim: JobRun) -> JobPlan:
        if self.approve_after is None:
            return JobPlan(words="drafts are approved by you alone")
        old = self.clock() - self.approve_after
        with self.store.read() as unit:
            # What a backup brought back may have gone out after it was made: that is for the operator to say.
            doubted = unit.journal.last(RESTORE)
            made = [draft for draft in unit.drafts.list({DraftState.MADE}) if draft.made_at <= old]
        due = [draft.id for draft in made if doubted is None or draft.made_at > doubted]
        # One by one: a draft that cannot be approved must not keep the others from it.
        commands = tuple(("approve", str(draft_id)) for draft_id in sorted(due)[:_MOST_APPROVED])
        return JobPlan(commands=commands, words="" if commands else "no draft waited long enough")

    def _reconcile(self, _claim: JobRun) -> JobPlan:
        with self.store.read() as unit:
            unclear = unit.posts.list({PostState.UNKNOWN, PostState.SENDING}, limit=1)
        if not unclear:
            return JobPlan(words="every post's fate is known")
        return JobPlan(commands=(("publish", "--look-up", "--json"),))

    def _publish(self, claim: JobRun, channel: str) -> JobPlan:
        """One post on a channel: the next that waits there, else one of the oldest approved draft that is meant for it."""
        # What went out since this slot was first begun is its own; a slot before it may have been late.
        since = claim.started_at or claim.slot.due
        with self.store.read() as unit:
            paused = [pause for pause in unit.channels.paused() if pause.name == channel]
            posts = unit.posts.list({PostState.WAITING, PostState.SENDING, PostState.UNKNOWN})
            meant = [draft.id for draft in unit.drafts.list({DraftState.APPROVED}) if channel in draft.channels]
        # One of another hour that may be out holds nothing up.
        begun = [
            post
            for post in posts
            if post.channel == channel and (post.state is not PostState.UNKNOWN or (post.tried_at or since) >= since)
        ]
        if paused:
            return JobPlan(words=f"{channel} is paused: {paused[0].reason}")
        if not begun and not meant:
            return JobPlan(words="nothing is approved")
        # A draft whose post is there already is not made into posts again; the command goes on with what is there.
        chosen = begun[-1].draft_id if begun else meant[-1]
        return JobPlan(
            commands=(
                ("publish", str(chosen), "--channel", channel, "--once", "--since", since.strftime(_STAMP), "--json"),
            )
        )


def per_day(rules: Sequence[JobSchedule]) -> int:
    """How many drafts the channels use up in a day, at most: the same draft goes to several; at least 1."""
    weekly = [len(rule.at) * len(rule.days) for rule in rules if rule.job.startswith(PUBLISH)]
    return max(1, math.ceil(max(weekly, default=7) / 7))
