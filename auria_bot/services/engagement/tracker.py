"""Measures the engagement of published posts at set ages, and each channel's followers once a day.

What is due is computed from the stored measurements, so nothing is planned ahead and a missed day is made up for
once. Each channel has a budget of calls and money for any 24 hours; a platform that throttles is skipped until the
time it names, at most a day; a channel that fails or is paused stops no other. The youngest posts come first, because
they change most.

A post that its platform no longer knows is marked as vanished, reported once, and not asked for again; its counts are
kept. If every post asked for is missing, the wrong account is the likelier cause, and nothing is marked. Counts are
dated by this machine's clock, which also decides what is due.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from auria_bot.domain.engagement import AGES, AUDIENCE_EVERY, is_due, next_due
from auria_bot.errors import AuriaError, NotFound, Throttled, Unauthorised
from auria_bot.redaction import redacted
from auria_bot.services.publishing.sending import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from auria_bot.domain.engagement import Audience, TrackedPost
    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["MeasurementResult", "MeasurementRound", "Tracker"]

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_TRACKED = AGES[-1] + timedelta(days=30)  # the last measurement of a post may be up to 30 days late
_DAY = timedelta(hours=24)
_TRIES = 3  # failures in a row before a channel is skipped for this round
_IMPLAUSIBLE = 3  # missing posts, with none found, that suggest the wrong account


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementResult:
    """The measurement of one channel, done or previewed."""

    channel: str
    posts: int = 0  # measured; of a preview: due
    calls: int = 0  # made to the platform, successful or not
    cost: float = 0.0  # US dollars, at the channel's price of a call
    followers: int | None = None  # as counted now
    left: int = 0  # posts that are due and were not measured
    next_at: datetime | None = None  # when the next measurement is due; may be in the past
    message: str = ""  # why something was not measured
    failed: bool = False  # whether the operator should look at it


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementRound:
    """The result of `Tracker.measure`."""

    results: tuple[MeasurementResult, ...]
    vanished: tuple[TrackedPost, ...]  # newly marked as vanished

    @property
    def problems(self) -> tuple[str, ...]:
        """What the operator should look at, with the channels' names."""
        return tuple(f"{result.channel}: {result.message}" for result in self.results if result.failed)


@dataclass(slots=True, kw_only=True)
class _ChannelRun:
    name: str
    due: list[TrackedPost]
    budget: int  # calls
    wants_audience: bool
    trusting: bool = False  # missing posts are marked even if none is found
    calls: int = 0
    measured: int = 0
    failures: int = 0  # in a row
    followers: int | None = None
    messages: list[str] = field(default_factory=list)
    failed: bool = False
    stopped: bool = False
    gone: list[TrackedPost] = field(default_factory=list)

    @property
    def is_implausible(self) -> bool:
        """Whether so many posts are missing, and none was found, that the account is probably wrong."""
        return len(self.gone) >= _IMPLAUSIBLE and not self.measured and not self.trusting

    def stop(self, message: str, *, failed: bool) -> None:
        self.messages.append(message)
        self.failed, self.stopped = self.failed or failed, True


class Tracker:
    """Measures posts and channels.

    Usage::

        done = tracker.measure()
        for post in done.vanished: ...
    """

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[str, Callable[[], Channel]],
        clock: Clock,
        calls: int = 400,
        dollars: float = 0.25,
        prices: Mapping[str, float] | None = None,
    ) -> None:
        """Set the collaborators.

        Args:
            channels: constructors of every channel, by the operator's name for it.
            calls: most calls to a channel in 24 hours.
            dollars: most US dollars that a channel's calls may cost in 24 hours.
            prices: US dollars per call, by the channel's name; 0 if it is not named.
        """
        self._store, self._channels, self._clock = store, channels, clock
        self._calls, self._dollars, self._prices = calls, dollars, dict(prices or {})
        self._throttled: dict[str, datetime] = {}  # until when each channel asked to wait
        self._unstored: dict[str, list[datetime]] = {}  # calls that stored no count, which the database cannot show

    def measure(
        self,
        channels: Collection[str] = (),
        *,
        vanished: bool = False,
        progress: Callable[[int, int, str], None] = lambda _done, _total, _name: None,
    ) -> MeasurementRound:
        """Measure everything that is due.

        With `vanished`, vanished posts are asked for again, and missing ones marked even if none is found. `progress`
        is called with the posts that were asked for, all that are due, and the channel.
        """
        runs = self._plan(channels, vanished=vanished)
        asked = [run for run in runs if not run.stopped]
        done, total = 0, sum(len(run.due) for run in asked)
        gone: list[TrackedPost] = []
        for run in asked:
            self._measure(run, lambda at, name: progress(at, total, name), begin=done)
            gone += self._mark_vanished(run)
            done += len(run.due)
        return MeasurementRound(results=tuple(self._result(run) for run in runs), vanished=tuple(gone))

    def preview(self, channels: Collection[str] = ()) -> tuple[MeasurementResult, ...]:
        """What `measure` would do now; nothing is written or asked of a platform."""
        made = []
        for run in self._plan(channels, vanished=False):
            wanted = 0 if run.stopped else len(run.due) + run.wants_audience
            run.calls = min(wanted, run.budget)
            run.measured = max(run.calls - run.wants_audience, 0)
            if run.calls < wanted:
                run.stop(self._spent(run.name), failed=False)
            made.append(self._result(run))
        return tuple(made)

    def _plan(self, channels: Collection[str], *, vanished: bool) -> list[_ChannelRun]:
        now = self._clock()
        names = [name for name in self._channels if not channels or name in channels]
        with self._store.read() as unit:
            tracked = unit.samples.tracked_posts(since=now - _TRACKED, channels=names, vanished=vanished)
            used, counted = unit.samples.call_counts(since=now - _DAY), unit.samples.audience_counted_at()
            paused = {pause.name for pause in unit.channels.paused()}
        due: dict[str, list[TrackedPost]] = {name: [] for name in names}
        for post in tracked:
            if post.vanished_at is not None or is_due(post.receipt.at, post.measured_at, now):
                due[post.channel].append(post)
        runs = []
        for name in names:
            last = counted.get(name)
            run = _ChannelRun(
                name=name,
                due=due[name],
                budget=self._budget(name, used.get(name, 0), now),
                wants_audience=last is None or last + AUDIENCE_EVERY <= now,
                trusting=vanished,
            )
            if name in paused:
                run.stop(f"it is paused; to resume it: auria channels resume {name}", failed=False)
            elif self._throttled.get(name, now) > now:
                run.stop(f"it asked to wait until {self._throttled[name]:%Y-%m-%d %H:%M} UTC", failed=False)
            runs.append(run)
        return runs

    def _budget(self, name: str, used: int, now: datetime) -> int:
        self._unstored[name] = [at for at in self._unstored.get(name, []) if at > now - _DAY]
        price = self._prices.get(name, 0.0)
        most = min(self._calls, int(self._dollars / price + 1e-9)) if price > 0 else self._calls
        return max(most - used - len(self._unstored[name]), 0)

    def _spent(self, name: str) -> str:
        price = self._prices.get(name, 0.0)
        money = f" and ${self._dollars:g}, at ${price:g} a call" if price else ""
        return f"the budget of {self._calls} calls{money} for 24 hours is used up; the rest follows later"

    def _measure(self, run: _ChannelRun, progress: Callable[[int, str], None], *, begin: int) -> None:
        """Measure a channel, as far as its budget and the platform allow; `begin` posts were asked for before."""
        progress(begin, run.name)
        try:
            channel = self._channels[run.name]()
        except AuriaError as error:
            run.stop(str(error), failed=True)
            return
        if run.wants_audience and (audience := self._audience(run, channel)) is not None:
            run.followers = audience.followers
            with self._store.begin() as unit:
                unit.samples.add_audience(run.name, replace(audience, at=self._clock()))
        for number, post in enumerate(run.due, start=begin):
            progress(number, run.name)
            if run.stopped or run.is_implausible:
                return
            try:
                counts = self._ask(run, f"post {post.post_id}", partial(channel.measure, post.receipt))
            except NotFound:
                run.gone.append(post)
                continue
            if counts is not None:
                run.measured += 1
                with self._store.begin() as unit:
                    unit.samples.add(post.post_id, replace(counts, at=self._clock()))

    def _audience(self, run: _ChannelRun, channel: Channel) -> Audience | None:
        try:
            return self._ask(run, "its followers", channel.audience)
        except NotFound as error:
            self._failed(run, "its followers", error)
            return None

    def _ask(self, run: _ChannelRun, what: str, call: Callable[[], Answer]) -> Answer | None:
        """Make one call if the budget allows; its errors only affect this channel."""
        if run.calls >= run.budget:
            run.stop(self._spent(run.name), failed=False)
            return None
        run.calls += 1
        self._unstored[run.name].append(self._clock())
        try:
            answer = call()
        except NotFound:
            raise
        except Throttled as error:
            until = self._throttled[run.name] = (now := self._clock()) + retry_after(error, now)
            run.stop(f"it asks to wait until {until:%Y-%m-%d %H:%M} UTC: {error}", failed=False)
        except Unauthorised as error:
            run.stop(f"the credentials are not accepted: {error}", failed=True)
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the others are measured
            self._failed(run, what, error)
        else:
            run.failures = 0
            self._unstored[run.name].pop()
            return answer
        return None

    def _failed(self, run: _ChannelRun, what: str, error: Exception) -> None:
        """Record a failed call; after _TRIES in a row the channel is skipped."""
        known = isinstance(error, AuriaError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        log.warning(
            "%s could not be counted: %s",
            what,
            message,
            exc_info=None if known else error,
            extra={"channel": run.name, "action": "measure"},
        )
        run.messages.append(f"{what} could not be counted: {message}")
        run.failures += 1
        run.failed = True
        if run.failures >= _TRIES:
            run.stop("the rest was skipped", failed=True)

    def _mark_vanished(self, run: _ChannelRun) -> Sequence[TrackedPost]:
        """Mark missing posts as vanished; return those that were not marked before."""
        if run.is_implausible:
            run.stop(
                f"none of {len(run.gone)} posts was found; is it still the same account? If they were deleted:"
                f" auria measure --channel {run.name} --vanished",
                failed=True,
            )
            return ()
        with self._store.begin() as unit:
            news = [post for post in run.gone if unit.samples.mark_vanished(post.post_id, at=self._clock())]
        for post in news:
            log.warning(
                "The post has vanished from %s",
                run.name,
                extra={"channel": run.name, "post": post.post_id, "action": "measure"},
            )
        return news

    def _result(self, run: _ChannelRun) -> MeasurementResult:
        now = self._clock()
        with self._store.read() as unit:
            tracked = unit.samples.tracked_posts(since=now - _TRACKED, channels=[run.name])
            counted = unit.samples.audience_counted_at().get(run.name)
        times = [next_due(post.receipt.at, post.measured_at, now) for post in tracked]
        times.append(counted + AUDIENCE_EVERY if counted else now)
        return MeasurementResult(
            channel=run.name,
            posts=run.measured,
            calls=run.calls,
            followers=run.followers,
            cost=run.calls * self._prices.get(run.name, 0.0),
            message=redacted("; ".join(run.messages)),
            failed=run.failed,
            left=max(len(run.due) - run.measured - len(run.gone), 0),
            next_at=min((time for time in times if time is not None), default=None),
        )
