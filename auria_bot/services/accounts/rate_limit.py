"""Limits how often somebody may call, by token buckets in bounded memory.

A bucket holds as many calls as are allowed in a period and fills up evenly; so a caller may use all of them at once,
and then one as often as the average allows.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Allowance", "RateLimit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a caller may still do."""

    limit: int  # calls in a full bucket
    remaining: int  # calls that are possible at once
    reset: int  # seconds until the bucket is full
    wait: int  # seconds until the next call is possible; 0 if this one is allowed

    @property
    def is_allowed(self) -> bool:
        """Whether this call is allowed."""
        return not self.wait


class RateLimit:
    """Counts calls. Safe for use by several threads."""

    def __init__(
        self,
        *,
        calls: int,
        period: float = 60.0,
        seconds: Callable[[], float] = time.monotonic,
        most_remembered: int = 10_000,
    ) -> None:
        """Allow so many calls in a period of seconds.

        Args:
            calls: at least 1.
            period: seconds.
            seconds: gives seconds that only grow.
            most_remembered: callers; those that called longest ago are forgotten first, which fills their buckets.
        """
        self._calls, self._rate, self._seconds, self._most = calls, calls / period, seconds, most_remembered
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # calls left, and when that was

    def take(self, who: str) -> Allowance:
        """Count a call if it is allowed."""
        return self._answer(who, cost=1.0)

    def look(self, who: str) -> Allowance:
        """Whether a call would be allowed; none is counted."""
        return self._answer(who, cost=0.0)

    def _answer(self, who: str, *, cost: float) -> Allowance:
        now = self._seconds()
        with self._lock:
            left, then = self._buckets.pop(who, (float(self._calls), now))
            left = min(float(self._calls), left + (now - then) * self._rate)
            is_allowed = left >= 1.0
            if is_allowed:
                left -= cost
            self._buckets[who] = (left, now)
            while len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        return Allowance(
            limit=self._calls,
            remaining=int(left),
            reset=math.ceil((self._calls - left) / self._rate),
            wait=0 if is_allowed else max(1, math.ceil((1.0 - left) / self._rate)),
        )
