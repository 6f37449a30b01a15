"""Measures what is out: each post on its timetable, and once a day how many follow each channel.

What is due follows from what was measured, so nothing is planned ahead and a day without a visit is made up for once.
Each channel has a budget of calls and of money for any 24 hours; a platform that asks to wait is left alone until
then; a channel that fails, or is paused, stops no other. The youngest posts come first, for they change most.

A post that its platform does not know any more is noted as vanished, told once, and not asked for again; its counts
stay. Where every post asked for is missing, that is more likely the wrong account than a clean sweep: nothing is
noted. Counts are dated by this machine's clock, which also tells what is due. Knows channels and the store as Protocols.
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

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from auria_bot.domain.engagement import Audience, TrackedPost
    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["MeasurementResult", "Round", "Tracker"]

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_WATCHED = AGES[-1] + timedelta(days=30)  # a post's last measurement may come so much too late
_DAY = timedelta(hours=24)
_PAUSE = timedelta(minutes=15)  # where a platform asks to wait and does not say how long
_TRIES = 3  # failures in a row before a channel is left alone for this round
_SWEEP = 3  # posts missing, and none found, before that is doubted


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementResult:
    """What was done on one channel, or would be."""

    channel: str
    posts: int = 0  # measured; of a preview: due
    calls: int = 0  # asked of the platform, answered or not
    cost: float = 0.0  # US dollars, at the channel's price of a call
    followers: int | None = None  # as counted now
    left: int = 0  # posts that are due and were not measured
    next_at: datetime | None = None  # when something is due next; maybe long ago
    message: str = ""  # why something was left
    failed: bool = False  # whether that is for the operator to look at


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one call of `Tracker.measure` came to."""

    visits: tuple[MeasurementResult, ...]
    vanished: tuple[TrackedPost, ...]  # noted as gone just now

    @property
    def problems(self) -> tuple[str, ...]:
        """What is for the operator to look at, with the channels' names."""
        return tuple(f"{visit.channel}: {visit.message}" for visit in self.visits if visit.failed)


@dataclass(slots=True, kw_only=True)
class _Errand:
    """A visit in the making."""

    name: str
    due: list[TrackedPost]
    budget: int  # calls
    wants_audience: bool
    believes: bool = False  # that posts are gone, even where none is found
    calls: int = 0
    measured: int = 0
    failures: int = 0  # in a row
    followers: int | None = None
    message: list[str] = field(default_factory=list)
    failed: bool = False
    stopped: bool = False
    gone: list[TrackedPost] = field(default_factory=list)

    @property
    def is_sweep(self) -> bool:
        """Whether so many posts are missing, and none was found, that it is hard to believe."""
        return len(self.gone) >= _SWEEP and not self.measured and not self.believes

    def stop(self, message: str, *, failed: bool) -> None:
        """Leave the rest for another time."""
        self.message.append(message)
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
        """Join the collaborators.

        Args:
            store: where posts and counts are kept.
            channels: each channel's name and how to construct it.
            clock: tells the time.
            calls: the most that a channel is asked in 24 hours.
            dollars: the most that a channel's calls may cost in 24 hours.
            prices: US dollars a call, by the channel's name; nought where it is not named.
        """
        self._store, self._channels, self._clock = store, channels, clock
        self._calls, self._dollars, self._prices = calls, dollars, dict(prices or {})
        self._closed: dict[str, datetime] = {}  # channels that asked to be left alone until then
        self._vain: dict[str, list[datetime]] = {}  # calls that left no row behind

    def measure(self, channels: Collection[str] = (), *, vanished: bool = False) -> Round:
        """Measure what is due.

        Args:
            channels: only these; all when empty.
            vanished: ask again for the posts that were noted as gone, and believe it where every post is.
        """
        errands = self._errands(channels, vanished=vanished)
        gone: list[TrackedPost] = []
        for errand in errands:
            if not errand.stopped:
                self._run(errand)
                gone += self._note_gone(errand)
        return Round(visits=tuple(self._told(errand) for errand in errands), vanished=tuple(gone))

    def preview(self, channels: Collection[str] = ()) -> tuple[MeasurementResult, ...]:
        """What `measure` would do now; nothing is written or asked of a platform."""
        made = []
        for errand in self._errands(channels, vanished=False):
            wanted = 0 if errand.stopped else len(errand.due) + errand.wants_audience
            errand.calls = min(wanted, errand.budget)
            errand.measured = max(errand.calls - errand.wants_audience, 0)
            if errand.calls < wanted:
                errand.stop(self._spent(errand.name), failed=False)
            made.append(self._told(errand))
        return tuple(made)

    def _errands(self, channels: Collection[str], *, vanished: bool) -> list[_Errand]:
        """What there is to do on each channel."""
        now = self._clock()
        names = [name for name in self._channels if not channels or name in channels]
        with self._store.read() as unit:
            watched = unit.samples.tracked_posts(since=now - _WATCHED, channels=names, vanished=vanished)
            used, counted = unit.samples.call_counts(since=now - _DAY), unit.samples.audience_counted_at()
            paused = {pause.name for pause in unit.channels.paused()}
        due: dict[str, list[TrackedPost]] = {name: [] for name in names}
        for post in watched:
            if post.vanished_at is not None or is_due(post.receipt.at, post.measured_at, now):
                due[post.channel].append(post)
        errands = []
        for name in names:
            last = counted.get(name)
            errand = _Errand(
                name=name,
                due=due[name],
                budget=self._budget(name, used.get(name, 0), now),
                wants_audience=last is None or last + AUDIENCE_EVERY <= now,
                believes=vanished,
            )
            if name in paused:
                errand.stop(f"it is paused; let it go on: auria channels resume {name}", failed=False)
            elif self._closed.get(name, now) > now:
                errand.stop(f"it asked to wait until {self._closed[name]:%Y-%m-%d %H:%M} UTC", failed=False)
            errands.append(errand)
        return errands

    def _budget(self, name: str, used: int, now: datetime) -> int:
        """How many calls a channel may still be asked."""
        self._vain[name] = [at for at in self._vain.get(name, []) if at > now - _DAY]
        price = self._prices.get(name, 0.0)
        most = min(self._calls, int(self._dollars / price + 1e-9)) if price > 0 else self._calls
        return max(most - used - len(self._vain[name]), 0)

    def _spent(self, name: str) -> str:
        price = self._prices.get(name, 0.0)
        money = f" and ${self._dollars:g}, at ${price:g} a call" if price else ""
        return f"the budget of {self._calls} calls{money} for 24 hours is used up; the rest follows later"

    def _run(self, errand: _Errand) -> None:
        """Do an errand, as far as budget and platform let."""
        try:
            channel = self._channels[errand.name]()
        except AuriaError as error:
            errand.stop(str(error), failed=True)
            return
        if errand.wants_audience and (audience := self._audience(errand, channel)) is not None:
            errand.followers = audience.followers
            with self._store.begin() as unit:
                unit.samples.add_audience(errand.name, replace(audience, at=self._clock()))
        for post in errand.due:
            if errand.stopped or errand.is_sweep:
                return
            try:
                counts = self._ask(errand, f"post {post.post_id}", partial(channel.measure, post.receipt))
            except NotFound:
                errand.gone.append(post)
                continue
            if counts is not None:
                errand.measured += 1
                with self._store.begin() as unit:
                    unit.samples.add(post.post_id, replace(counts, at=self._clock()))

    def _audience(self, errand: _Errand, channel: Channel) -> Audience | None:
        try:
            return self._ask(errand, "its followers", channel.audience)
        except NotFound as error:
            self._failed(errand, "its followers", error)
            return None

    def _ask(self, errand: _Errand, what: str, call: Callable[[], Answer]) -> Answer | None:
        """Make one call, if the budget allows; what it raises is the channel's own matter.

        Raises:
            NotFound: the platform does not know it.
        """
        if errand.calls >= errand.budget:
            errand.stop(self._spent(errand.name), failed=False)
            return None
        errand.calls += 1
        self._vain[errand.name].append(self._clock())
        try:
            answer = call()
        except NotFound:
            raise
        except Throttled as error:
            until = self._closed[errand.name] = error.until or self._clock() + _PAUSE
            errand.stop(f"it asks to wait until {until:%Y-%m-%d %H:%M} UTC: {error}", failed=False)
        except Unauthorised as error:
            errand.stop(f"the credentials are not accepted: {error}", failed=True)
        except Exception as error:  # noqa: BLE001 - whatever a channel raises, the others are measured
            self._failed(errand, what, error)
        else:
            errand.failures = 0
            self._vain[errand.name].pop()
            return answer
        return None

    def _failed(self, errand: _Errand, what: str, error: Exception) -> None:
        """A call that brought nothing; after some in a row the channel is left alone."""
        known = isinstance(error, AuriaError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        log.warning(
            "%s could not be counted: %s",
            what,
            message,
            exc_info=None if known else error,
            extra={"channel": errand.name, "action": "measure"},
        )
        errand.message.append(f"{what} could not be counted: {message}")
        errand.failures += 1
        errand.failed = True
        if errand.failures >= _TRIES:
            errand.stop("the rest was left for another time", failed=True)

    def _note_gone(self, errand: _Errand) -> Sequence[TrackedPost]:
        """Note which posts are gone, and give those for which that is news."""
        if errand.is_sweep:
            errand.stop(
                f"not one of {len(errand.gone)} posts was found; is it still the same account? If they were deleted:"
                f" auria measure --channel {errand.name} --vanished",
                failed=True,
            )
            return ()
        with self._store.begin() as unit:
            news = [post for post in errand.gone if unit.samples.mark_vanished(post.post_id, at=self._clock())]
        for post in news:
            log.warning(
                "The post has vanished from %s",
                errand.name,
                extra={"channel": errand.name, "post": post.post_id, "action": "measure"},
            )
        return news

    def _told(self, errand: _Errand) -> MeasurementResult:
        """The errand as it is told."""
        now = self._clock()
        with self._store.read() as unit:
            watched = unit.samples.tracked_posts(since=now - _WATCHED, channels=[errand.name])
            counted = unit.samples.audience_counted_at().get(errand.name)
        times = [next_due(post.receipt.at, post.measured_at, now) for post in watched]
        times.append(counted + AUDIENCE_EVERY if counted else now)
        return MeasurementResult(
            channel=errand.name,
            posts=errand.measured,
            calls=errand.calls,
            followers=errand.followers,
            cost=errand.calls * self._prices.get(errand.name, 0.0),
            message=redacted("; ".join(errand.message)),
            failed=errand.failed,
            left=max(len(errand.due) - errand.measured - len(errand.gone), 0),
            next_at=min((time for time in times if time is not None), default=None),
        )
