"""How fast this machine is right now: a fixed loop and a fixed matrix product, timed beside what a benchmark measures.

A bar in seconds holds for one machine on one quiet day. Benchmarks therefore state a time as a multiple of one of these
references, measured in the same run, before and after the work: on a slower or busier machine both grow alike.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOOP_TURNS", "MATRIX_SIDE", "Reference", "Stopwatch"]

LOOP_TURNS = 400_000
"""Turns of the interpreted loop; about 30 ms on a 2024 server core."""

MATRIX_SIDE = 768
"""Side of the square single-precision matrices that are multiplied; about 10 ms on two such cores."""


def _loop() -> None:
    total = 0
    for number in range(LOOP_TURNS):
        total ^= (total << 1) + number & 0xFFFF


def _matrix() -> None:
    import numpy as np

    matrix = np.linspace(-1.0, 1.0, MATRIX_SIDE**2, dtype=np.float32).reshape(MATRIX_SIDE, -1)
    for _ in range(3):
        matrix = matrix @ matrix / MATRIX_SIDE


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Median seconds of the two references over one benchmark."""

    loop: float  # for work that the interpreter does
    matrix: float  # for work that nets do

    def __str__(self) -> str:
        """The two in milliseconds, for a benchmark's figures."""
        return f"reference loop {self.loop * 1000:.1f} ms, matrix {self.matrix * 1000:.1f} ms"


class Stopwatch:
    """Takes the references several times in the course of a benchmark.

    Example:
        watch = Stopwatch()
        ...  # measure
        watch.sample()
        times = seconds / watch.reference.loop
    """

    def __init__(self) -> None:
        _loop()
        _matrix()  # loads numpy and warms it
        self._loops: list[float] = []
        self._matrices: list[float] = []
        self.sample()

    def sample(self, count: int = 5) -> None:
        """Time both `count` times."""
        self._loops += [_seconds(_loop) for _ in range(count)]
        self._matrices += [_seconds(_matrix) for _ in range(count)]

    @property
    def reference(self) -> Reference:
        """The medians so far."""
        return Reference(loop=statistics.median(self._loops), matrix=statistics.median(self._matrices))
