"""Memory that is given back to the system."""

from __future__ import annotations

import contextlib
import ctypes

__all__ = ["return_memory"]


def return_memory() -> None:
    """Return freed memory to the system, where the C library is glibc, whose heap would keep it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
