"""Limits how often somebody may call, by token buckets in bounded memory.

A bucket holds as many calls as are allowed in a period and fills up evenly; so a caller may use all of them at once,
and then one as often as the average allows.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Allowance", "RateLimit", "network_of"]

_PREFIX = 64  # bits of an IPv6 address that belong to one household


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
        now = self._seconds()
        with self._lock:
            left, then = self._buckets.pop(who, (float(self._calls), now))
            left = min(float(self._calls), left + (now - then) * self._rate)
            is_allowed = left >= 1.0
            if is_allowed:
                left -= 1.0
            self._buckets[who] = (left, now)
            while len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        return Allowance(
            limit=self._calls,
            remaining=int(left),
            reset=math.ceil((self._calls - left) / self._rate),
            wait=0 if is_allowed else max(1, math.ceil((1.0 - left) / self._rate)),
        )


def network_of(address: str) -> str:
    """What a limit counts as one caller: an IPv4 address, or the network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _PREFIX), strict=False))
    return str(found)
