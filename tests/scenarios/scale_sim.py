"""Many accounts on one database: each posts once a day, for a simulated time; the scheduler, its lease and the queue are the real ones, the clock is not.

Every account is a channel with a posting job of its own, at one of 96 quarter hours. When a job is claimed, the account's post of that day is queued,
claimed from the queue as a publisher does, and recorded as sent; nothing is sent to anybody. Measured are the seconds of a claim from the queue, those
of a look by the scheduler over all accounts, and what the database grows by.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from datetime import time as clock_time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import insert, text

from auria_bot.bootstrap.application import build
from auria_bot.domain.job_schedule import JobSchedule, instant
from auria_bot.domain.post import PostState, Receipt
from auria_bot.services.publishing.sending import AttemptLog
from auria_bot.services.schedule.job_scheduler import JobScheduler, LeaderElection
from auria_bot.services.schedule.jobs import JobOutcome, JobResult
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import DatabaseSettings
from auria_bot.store.engine import connect
from auria_bot.store.schema import drafts, posts
from auria_bot.testing import FakeClock
from tests.scenarios.publishing import _draft, _draft_row, _post_row, one_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.job_schedule import JobRun, Lease

__all__ = ["Simulated", "p99", "simulate"]

ZONE = ZoneInfo("Europe/Paris")
_QUARTERS = 96
_LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seconds:
    """How long something took: on the clock, and of this process's processor time."""

    wall: float
    processor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What a simulation came to."""

    posts: int  # that were recorded as sent
    wrong: list[str]
    claims: list[_Seconds]  # of each claim from the queue
    looks: list[_Seconds]  # of each look by the scheduler
    bytes: int  # that the database grew by
    seconds: float


def p99(values: Iterable[float]) -> float:
    """The value below which 99 of 100 lie."""
    ordered = sorted(values)
    return ordered[int(0.99 * (len(ordered) - 1))]


def simulate(url: str, home: Path, *, accounts: int, days: int, first: date = date(2026, 1, 1)) -> Simulated:
    """Let so many accounts post each day for so many days, on an empty PostgreSQL database."""
    begun, clock = time.monotonic(), FakeClock(instant(first, clock_time(0), ZONE) - timedelta(minutes=1))
    schedules = [_schedule(number) for number in range(accounts)]
    settings = Settings(home=home, database=DatabaseSettings(url=SecretStr(url)))
    done, claims, looks = Counter[tuple[str, str]](), list[_Seconds](), list[_Seconds]()
    with closing(build(settings, clock=clock)) as application:
        leader = LeaderElection(store=application.store, clock=clock, holder="scale", monotonic=lambda: 0.0)
        scheduler = JobScheduler(store=application.store, clock=clock, schedules=schedules, zone=ZONE)
        queue = _Queue(application, url, one_picture(home))
        before = _size(url)
        leader.heartbeat()
        scheduler.claim(_held(leader))  # the jobs' times count from here
        end = instant(first + timedelta(days=days), clock_time(0), ZONE)
        while (now := clock.now + timedelta(minutes=15)) < end:
            clock.now = now
            leader.heartbeat()
            start, processor = time.perf_counter(), time.process_time()
            runs = scheduler.claim(_held(leader))
            looks.append(_Seconds(wall=time.perf_counter() - start, processor=time.process_time() - processor))
            queue.add(runs, clock.now)
            for run in runs:
                claims.append(queue.publish(run, clock.now))
                scheduler.settle(run, JobResult(outcome=JobOutcome.DONE))
                done[run.slot.job, run.slot.name[:10]] += 1
        sent = sum(count for (_, state), count in queue.counts().items() if state is PostState.SENT)
        grown = _size(url) - before
        queue.close()
    wanted = {(one.job, (first + timedelta(days=day)).isoformat()) for one in schedules for day in range(days)}
    wrong = [f"{key}: {done[key]} times" for key in sorted({*wanted, *done}) if done[key] != (key in wanted)]
    return Simulated(posts=sent, wrong=wrong, claims=claims, looks=looks, bytes=grown, seconds=time.monotonic() - begun)


def _schedule(number: int) -> JobSchedule:
    at = clock_time(number % _QUARTERS // 4, number % 4 * 15)
    return JobSchedule(job=f"publish:account-{number:04d}", at=(at,))


class _Queue:
    """The posts of all accounts."""

    def __init__(self, application: Application, url: str, picture: Callable[[int], Path]) -> None:
        self._store, self._engine, self._number = application.store, connect(url), 0
        self._picture = picture
        self._log = AttemptLog(store=application.store, clock=application.clock, lease=_LEASE)

    def add(self, runs: Sequence[JobRun], now: datetime) -> None:
        """Queue the accounts' posts of the day."""
        if not runs:
            return
        made = [_draft(self._number + place, self._picture(0), _channel(run)) for place, run in enumerate(runs, 1)]
        self._number += len(made)
        with self._engine.begin() as connection:
            ids = connection.scalars(insert(drafts).returning(drafts.c.id), [_draft_row(draft) for draft in made]).all()
            rows = zip(sorted(ids), made, strict=True)
            connection.execute(
                insert(posts), [_post_row(key, draft, self._picture) | {"due": now} for key, draft in rows]
            )

    def publish(self, run: JobRun, now: datetime) -> _Seconds:
        """Claim the account's post of the day and record it as sent; how long the claim took."""
        start, processor = time.perf_counter(), time.process_time()
        with self._store.begin() as unit:
            (post,) = unit.posts.claim(now=now, lease=_LEASE, channels=[_channel(run)])
        took = _Seconds(wall=time.perf_counter() - start, processor=time.process_time() - processor)
        self._log.confirm_send(post, "")
        self._log.record_sent(post.moved(PostState.SENT, receipt=Receipt(id=post.key, url="", at=now)), more=False)
        return took

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def counts(self) -> dict[tuple[str, PostState], int]:
        """Posts by channel and state."""
        with self._store.begin() as unit:
            return unit.posts.count()


def _channel(run: JobRun) -> str:
    return run.slot.job.removeprefix("publish:")


def _held(leader: LeaderElection) -> Lease:
    lease = leader.lease
    if lease is None:
        raise RuntimeError("the lease was lost")
    return lease


def _size(url: str) -> int:
    """Bytes of the database, indices and all."""
    engine = connect(url)
    with engine.connect() as connection:
        found = int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    engine.dispose()
    return found
