"""Counts what this process reaches for over the network, below every library: by the interpreter's own audit events."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["connections"]

_LISTENING: list[list[Any]] = []
_HOOKED: list[bool] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto"}:
        for heard in _LISTENING:
            heard.append(arguments[1] if event == "socket.connect" else arguments[0])


@contextlib.contextmanager
def connections() -> Iterator[list[Any]]:
    """The addresses that were connected to, or looked up, within the block; in every thread."""
    if not _HOOKED:
        sys.addaudithook(_hear)  # for good: an audit hook cannot be taken away
        _HOOKED.append(True)
    heard: list[Any] = []
    _LISTENING.append(heard)
    try:
        yield heard
    finally:
        _LISTENING.remove(heard)
