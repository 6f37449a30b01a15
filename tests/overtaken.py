"""A lock that is got too late: what somebody else does meanwhile, without threads and without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OvertakenLock"]


class OvertakenLock:
    """Stands for a lock, or for a function that makes one: the first time it is got, a change was made meanwhile."""

    def __init__(self, change: Callable[[], object]) -> None:
        """`change` is made once, and may take the lock itself."""
        self._change: Callable[[], object] | None = change

    def __call__(self, *_: object) -> Self:
        """The lock, where one is made of a path."""
        return self

    def __enter__(self) -> None:
        """Get it."""
        change, self._change = self._change, None
        if change is not None:
            change()

    def __exit__(self, *_: object) -> None:
        """Nobody waits for it."""
