"""Memory that is given back to the system."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from auria_bot.memory import return_memory

if TYPE_CHECKING:
    from collections.abc import Callable


def _missing(*_: object) -> None:
    raise OSError("no such library")


def test_the_heap_is_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and as far as it can be."""
    asked: list[int] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=asked.append))
    return_memory()
    assert asked == [0]


@pytest.mark.parametrize("library", [lambda _: SimpleNamespace(), _missing])
def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch, library: Callable[[object], object]) -> None:
    """Where the C library has no such function, or cannot be found, nothing happens."""
    monkeypatch.setattr(ctypes, "CDLL", library)
    return_memory()
