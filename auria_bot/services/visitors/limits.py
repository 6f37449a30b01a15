"""How many artworks visitors may ask for in a day, by address and in all.

Addresses are counted under a hash with a random salt that lasts for one day and is never written down, so nothing tells
afterwards who was there.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import Counter
from typing import TYPE_CHECKING

from auria_bot.errors import VisitorRefused

if TYPE_CHECKING:
    from datetime import date

    from auria_bot.domain.interfaces import Clock

__all__ = ["DailyLimits"]


class DailyLimits:
    """Counts what was asked for today, UTC. Safe for use by several threads."""

    def __init__(self, *, per_address: int, per_day: int, clock: Clock) -> None:
        self._per_address, self._per_day, self._clock = per_address, per_day, clock
        self._lock = threading.Lock()
        self._day: date | None = None
        self._salt = b""
        self._counts: Counter[bytes] = Counter()  # never more keys than `per_day`

    def take(self, address: str) -> None:
        """Count one artwork for an address, or what else counts as one visitor.

        Raises:
            VisitorRefused: the address, or all visitors together, had their share of today; it is not counted.
        """
        with self._lock:
            today = self._clock().date()
            if today != self._day:
                self._day, self._salt = today, secrets.token_bytes(16)
                self._counts.clear()
            if self._counts.total() >= self._per_day:
                raise VisitorRefused("the studio has made its share of today; come back tomorrow", reason="day")
            key = hashlib.sha256(self._salt + address.encode()).digest()[:12]
            if self._counts[key] >= self._per_address:
                raise VisitorRefused(
                    f"{self._per_address} artworks were asked for from here today; come back tomorrow", reason="address"
                )
            self._counts[key] += 1
