"""Failed attempts to sign in: each makes the next one wait, by name and by address, longer each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.errors import TooManyAttempts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FailedAttempts"]

_FREE_ATTEMPTS, _LONGEST_WAIT = 3, 900.0  # seconds
_MOST_DOUBLINGS = 20  # of a second; the longest wait is reached before
_MOST_REMEMBERED = 10_000  # names and addresses with failures


class FailedAttempts:
    """Remembers failures under keys, such as "address 10.0.0.1", as long as the process runs."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` gives seconds that only grow."""
        self._seconds = seconds
        self._failures: dict[str, tuple[int, float]] = {}  # by key: how many, and when the next attempt may come

    def check(self, keys: Sequence[str]) -> None:
        """Make sure that an attempt may be made.

        Raises:
            TooManyAttempts: one of the keys must wait.
        """
        now = self._seconds()
        wait = max(self._failures.get(key, (0, 0.0))[1] - now for key in keys)
        if wait > 0:
            raise TooManyAttempts(
                f"too many attempts failed; the next one is possible in {int(wait) + 1} s", seconds=int(wait) + 1
            )

    def count(self, keys: Sequence[str]) -> None:
        """Count a failure."""
        for key in keys:
            count = self._failures.pop(key, (0, 0.0))[0] + 1
            doublings = min(count - _FREE_ATTEMPTS, _MOST_DOUBLINGS)
            wait = min(_LONGEST_WAIT, 2.0**doublings) if doublings >= 0 else 0.0
            self._failures[key] = (count, self._seconds() + wait)
        while len(self._failures) > _MOST_REMEMBERED:
            self._failures.pop(next(iter(self._failures)))

    def forget(self, keys: Sequence[str]) -> None:
        """Forget what failed, after an attempt that did not."""
        for key in keys:
            self._failures.pop(key, None)
