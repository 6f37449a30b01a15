"""What a scheduled job has to do now, as commands of `auria`, and the result of a run.

The daemon runs each command in a process of its own, so that it stays small itself. Commands follow from the drafts and
posts there are, not from what was done before: a job that is started again makes what is missing and posts nothing
twice. A command never outlives the daemon that started it. It reports its result as a message; its error output goes
to a log file of the job.
"""

from __future__ import annotations

import logging
import math
import os
import re
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from auria_bot.domain.artwork import VISITOR
from auria_bot.domain.draft import DraftState
from auria_bot.domain.job_schedule import PUBLISH
from auria_bot.domain.post import PostState
from auria_bot.errors import DiskError
from auria_bot.execution.child_process import ChildProcess
from auria_bot.services.publishing.reconciliation import RESTORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.job_schedule import JobRun, JobSchedule
    from auria_bot.execution.child_process import ExitStatus
    from auria_bot.services.operations.maintenance import DiskSpace
    from auria_bot.store.unit_of_work import Store

__all__ = [
    "PROGRAM",
    "SUMMARY_LIMIT",
    "CommandReport",
    "DraftInventory",
    "JobOutcome",
    "JobPlan",
    "JobPlanner",
    "JobProcess",
    "JobResult",
    "per_day",
]


SUMMARY_LIMIT = 500
"""Characters that are kept of a job's summary."""

_TIMESTAMP = "%Y-%m-%dT%H:%M:%S.%f%z"
_APPROVE_LIMIT = 50  # drafts in one run
_WRITING_JOBS = ("make", "refresh", "backup", "retrain-poet", "retrain-captioner")  # the jobs that write much
_COMMANDS: dict[str, tuple[str, ...]] = {
    "measure": ("measure", "--json"),
    "refresh": ("corpus", "refresh", "--json"),
    "backup": ("db", "backup", "--scheduled", "--json"),
    "tidy": ("tidy", "--json"),
    "digest": ("notify", "digest"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """What a job has to do now."""

    commands: tuple[tuple[str, ...], ...] = ()  # the arguments of `auria`, one command after the other
    reason: str = ""  # why there is nothing to do
    postponed: bool = False  # there is something to do, but not now


class JobOutcome(StrEnum):
    """How the run of a job ended."""

    DONE = "done"
    FAILED = "failed"
    POSTPONED = "postponed"  # nothing was done; the job's next scheduled time does it


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """The result of one run of a job."""

    outcome: JobOutcome
    summary: str = ""  # a sentence for the operator

    @classmethod
    def printable(cls, outcome: JobOutcome, summary: str = "") -> JobResult:
        """A result whose summary is one printable line of at most SUMMARY_LIMIT characters; any database takes it."""
        lines = (" ".join(_printable(line).split()) for line in summary.splitlines())
        return cls(outcome=outcome, summary="; ".join(line for line in lines if line)[:SUMMARY_LIMIT])


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReport:
    """What a command reported to the daemon by `parent_watch.report` before it ended."""

    summary: str = ""
    error: str = ""

    @classmethod
    def from_messages(cls, messages: Sequence[Mapping[str, Any]]) -> CommandReport:
        """The last summary and the last error among a command's messages."""
        last: dict[str, Any] = {}
        for message in messages:
            last |= message
        return cls(summary=str(last.get("summary", "")), error=str(last.get("error", "")))


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInventory:
    """How many drafts are ready, and how many the schedule needs."""

    made: int  # waiting for review, without those that visitors offered
    approved: int  # approved and not yet published anywhere
    per_day: int
    ahead: int  # days for which drafts should be ready
    low: int  # days: with approved drafts for less, the inventory is low

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
    """Plans the runs of jobs.

    Usage::

        for command in planner.plan(run).commands: ...
    """

    store: Store
    clock: Clock
    unfinished: Callable[[], Sequence[str]]  # names of the studio's unfinished runs
    per_day: int  # drafts that the schedule uses up in a day
    ahead: int  # days that drafts are to be ready before they are needed
    low: int  # days that approved drafts should last
    approve_after: timedelta | None = None  # after which an undecided draft is approved; None: never
    disk_space: Callable[[], DiskSpace] | None = None  # the free space on the disk; without it no job is postponed
    more: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the commands of further jobs

    def plan(self, run: JobRun) -> JobPlan:
        """What a run has to do.

        Raises:
            StoreError: the database cannot be used.
            DiskError: the disk cannot be read.
        """
        job = run.slot.job
        if job in _WRITING_JOBS and self.disk_space is not None and (space := self.disk_space()).full:
            return JobPlan(reason=f"postponed: only {space.free / 1e6:.0f} MB are free on the disk", postponed=True)
        if job.startswith(PUBLISH):
            return self._publish(run, job.removeprefix(PUBLISH))
        planned = {"make": self._make, "approve": self._approve, "reconcile": self._reconcile}
        if job in planned:
            return planned[job](run)
        command = {**_COMMANDS, **self.more}.get(job)
        return JobPlan(commands=(command,)) if command else JobPlan(reason="there is no such job any more")

    def inventory(self) -> DraftInventory:
        """How many drafts are ready."""
        with self.store.read() as unit:
            made = sum(draft.artwork.origin != VISITOR for draft in unit.drafts.list({DraftState.MADE}))
            approved = len(unit.drafts.list({DraftState.APPROVED}))
            waiting, tried = set[int](), set[int]()
            for post in unit.posts.list({PostState.WAITING}):
                waiting.add(post.draft_id)
                tried |= {post.draft_id} if post.tried_at else set()
        approved += len(waiting - tried)
        return DraftInventory(made=made, approved=approved, per_day=self.per_day, ahead=self.ahead, low=self.low)

    def _make(self, run: JobRun) -> JobPlan:
        wanted = self.inventory().wanted
        if not wanted:
            return JobPlan(reason="enough drafts are ready")
        if run.tries == 2 and self.unfinished():
            return JobPlan(commands=(("make", "--resume"),))
        # A command for each day: its drafts share a theme from the season's words.
        days = [min(self.per_day, wanted - planned) for planned in range(0, wanted, self.per_day)]
        return JobPlan(commands=tuple(("make", "--count", str(count), "--season", "now") for count in days))

    def _approve(self, _run: JobRun) -> JobPlan:
        if self.approve_after is None:
            return JobPlan(reason="only you approve drafts; schedule.approve_after is not set")
        latest = self.clock() - self.approve_after
        with self.store.read() as unit:
            # Drafts restored from a backup may have been published after it was made: only the operator approves them.
            restored_at = unit.journal.last(RESTORE)
            waiting = [draft for draft in unit.drafts.list({DraftState.MADE}) if draft.made_at <= latest]
        made = [draft for draft in waiting if draft.artwork.origin != VISITOR]  # those only the operator approves
        due = [draft.id for draft in made if restored_at is None or draft.made_at > restored_at]
        # A command for each draft: one that cannot be approved does not keep the others from it.
        commands = tuple(("approve", str(draft_id)) for draft_id in sorted(due)[:_APPROVE_LIMIT])
        return JobPlan(commands=commands, reason="" if commands else "no draft waited long enough")

    def _reconcile(self, _run: JobRun) -> JobPlan:
        now, commands = self.clock(), list[tuple[str, ...]]()
        with self.store.read() as unit:
            unresolved = unit.posts.list({PostState.UNKNOWN, PostState.SENDING, PostState.WITHDRAWING}, limit=1)
            timed = [post for post in unit.posts.list({PostState.WAITING}) if post.timed_at and post.due <= now]
        if unresolved:
            commands.append(("publish", "--look-up", "--json"))
        commands += [("publish", str(post.draft_id), "--channel", post.channel, "--json") for post in reversed(timed)]
        if not commands:
            return JobPlan(reason="the outcome of every post is known")
        return JobPlan(commands=tuple(dict.fromkeys(commands)))

    def _publish(self, run: JobRun, channel: str) -> JobPlan:
        """Publish one post on a channel: the next that waits there, else the oldest approved draft meant for it."""
        # What was published since this run first started is its own; an earlier scheduled time may have been late.
        since = run.started_at or run.slot.due
        with self.store.read() as unit:
            paused = [pause for pause in unit.channels.paused() if pause.name == channel]
            # An earlier run's post of unknown outcome, or of a worker that died, delays nothing.
            posts = (*unit.posts.list({PostState.WAITING}), *unit.posts.under_way(since=since))
            approved = [draft.id for draft in unit.drafts.list({DraftState.APPROVED}) if channel in draft.channels]
        open_posts = [
            post for post in posts if post.channel == channel and (post.timed_at is None or post.due <= self.clock())
        ]
        if paused:
            return JobPlan(reason=f"{channel} is paused: {paused[0].reason}")
        if not open_posts and not approved:
            return JobPlan(reason="nothing is approved")
        # A draft that has posts is not made into posts again; the command continues those.
        draft_id = min(open_posts, key=lambda post: post.id).draft_id if open_posts else approved[-1]
        options = ("--channel", channel, "--once", "--since", since.strftime(_TIMESTAMP), "--json")
        return JobPlan(commands=(("publish", str(draft_id), *options),))


def per_day(schedules: Sequence[JobSchedule]) -> int:
    """How many drafts the channels use up in a day, at most: the same draft goes to several; at least 1."""
    weekly = [len(schedule.at) * len(schedule.days) for schedule in schedules if schedule.job.startswith(PUBLISH)]
    return max(1, math.ceil(max(weekly, default=7) / 7))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


PROGRAM = (sys.executable, "-P", "-m", "auria_bot")
"""The command `auria`, without its arguments; -P keeps the working directory out of what is imported."""

_logger = logging.getLogger(__name__)


class JobProcess:
    """Carries out a job's plan.

    Usage::

        process = JobProcess(run, plan, folder=home / "logs" / "jobs", deadline=3600)
        while (result := process.poll()) is None: ...
    """

    def __init__(
        self, run: JobRun, plan: JobPlan, *, folder: Path, deadline: float, program: Sequence[str] = PROGRAM
    ) -> None:
        """All commands together may take `deadline` seconds; the first call of `poll` starts the first."""
        self.run = run
        self._waiting, self._program = deque(plan.commands), tuple(program)
        self._log = folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', run.slot.job)}.log"
        self._until, self._deadline = time.monotonic() + deadline, deadline
        self._process: ChildProcess | None = None
        outcome = JobOutcome.POSTPONED if plan.postponed else JobOutcome.DONE
        self._result = JobResult.printable(outcome, plan.reason)
        self._count = len(plan.commands)

    def poll(self) -> JobResult | None:
        """Start the next command when the one before has ended; the result of all once none is left, else None."""
        if self._process is not None:
            status = self._process.poll()
            if status is None:
                return None
            if status.timed_out:
                self._waiting.clear()
            self._keep_result(self._process, status)
            self._process = None
        while self._waiting and self._process is None:
            try:
                self._process = self._start(self._waiting.popleft())
            except OSError as error:
                self._fail(str(DiskError(f"no process can be started: {error.strerror}")))
        return self._result if self._process is None else None

    def stop(self, *, patience: float = 0.0) -> None:
        """End the command that runs: SIGTERM and so many seconds to end in order, then SIGKILL."""
        if self._process is not None:
            self._process.stop(patience=patience)
            self._process = None

    def _start(self, command: Sequence[str]) -> ChildProcess:
        with _new_log(self._log) as log:
            remaining = self._until - time.monotonic()
            return ChildProcess([*self._program, *command], stderr=log, deadline=remaining)

    def _keep_result(self, process: ChildProcess, status: ExitStatus) -> None:
        """The last failure counts, else the last command."""
        try:
            report = CommandReport.from_messages(process.receive())
        except ValueError as error:
            report = CommandReport(error=f"the command's report cannot be read: {error}")
        if status.timed_out:
            self._fail(f"took longer than {self._deadline:g} s and was stopped")
        elif not status.ok:
            self._fail(report.error or f"{status}; see {self._log}")
        elif self._result.outcome is not JobOutcome.FAILED:
            last = f" (the last of {self._count})" if self._count > 1 and report.summary else ""
            self._result = JobResult.printable(JobOutcome.DONE, report.summary + last)

    def _fail(self, summary: str) -> None:
        self._result = JobResult.printable(JobOutcome.FAILED, summary)


def _new_log(path: Path) -> IO[bytes]:
    """A new log file; where none can be written, the work is done without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # a process that an earlier command left running keeps writing into the old file
        return path.open("xb")
    except OSError as error:
        _logger.warning("The log %s cannot be written: %s", path, error.strerror, extra={"action": "job"})
        return Path(os.devnull).open("wb")
