"""How fast this machine is right now: a fixed loop and a fixed matrix product, timed beside what a benchmark measures.

A bar in seconds holds for one machine on one quiet day. Benchmarks therefore divide a time by one of these references,
measured in the same run before and after the work, and state it in seconds of the reference machine, a quiet server of
2024 with two cores: on a slower or busier machine both grow alike.

`python -m tests.bench.reference` measures LOOP_SECONDS and MATRIX_SECONDS, and prints the line to put below. Run it on the
reference machine with nothing else running; it says how busy the machine was, and the figures of a busy one are worth nothing.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOOP_SECONDS", "LOOP_TURNS", "MATRIX_SECONDS", "MATRIX_SIDE", "Reference", "Stopwatch"]

LOOP_TURNS = 400_000
"""Turns of the interpreted loop."""

MATRIX_SIDE = 768
"""Side of the square single-precision matrices of which three products are computed."""

LOOP_SECONDS, MATRIX_SECONDS = 0.0276, 0.0157
"""What both take on the reference machine: see above for how they are measured."""

_SAMPLES = 60  # of each, when they are measured


def _loop() -> None:
    total = 0
    for number in range(LOOP_TURNS):
        total ^= (total << 1) + number & 0xFFFF


def _matrix() -> None:
    import numpy as np

    matrix = np.ones((MATRIX_SIDE, MATRIX_SIDE), dtype=np.float32)
    for _ in range(3):
        np.matmul(matrix, matrix).mean()


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    begun, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun, time.process_time() - spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Median seconds of the references over one benchmark."""

    loop: float  # wall time
    loop_processor: float  # processor time
    matrix: float  # wall time, on as many threads as numpy takes

    def interpreted(self, seconds: float) -> float:
        """What work of the interpreter that took so much processor time would take on the reference machine, in seconds."""
        return seconds * LOOP_SECONDS / self.loop_processor

    def computed(self, seconds: float) -> float:
        """What work of the nets that took so long would take on the reference machine, in seconds."""
        return seconds * MATRIX_SECONDS / self.matrix

    def __str__(self) -> str:
        """The references in milliseconds, for a benchmark's figures."""
        return f"reference loop {self.loop * 1000:.1f} ms, matrix {self.matrix * 1000:.1f} ms"


class Stopwatch:
    """Takes the references several times in the course of a benchmark.

    Example:
        watch = Stopwatch()
        ...  # measure
        watch.sample()
        seconds = watch.reference.interpreted(seconds)
    """

    def __init__(self) -> None:
        _loop()
        _matrix()  # loads numpy and warms it
        self._loops: list[tuple[float, float]] = []
        self._matrices: list[tuple[float, float]] = []
        self.sample()

    def sample(self, count: int = 5) -> None:
        """Time both `count` times."""
        self._loops += [_timed(_loop) for _ in range(count)]
        self._matrices += [_timed(_matrix) for _ in range(count)]

    @property
    def reference(self) -> Reference:
        """The medians so far."""
        return Reference(
            loop=statistics.median(wall for wall, _ in self._loops),
            loop_processor=statistics.median(processor for _, processor in self._loops),
            matrix=statistics.median(wall for wall, _ in self._matrices),
        )


def _measure() -> None:
    """Print the constants of this machine, and what speaks against them."""
    watch = Stopwatch()
    watch.sample(_SAMPLES)
    found = watch.reference
    print(f"LOOP_SECONDS, MATRIX_SECONDS = {found.loop_processor:.4f}, {found.matrix:.4f}")
    waited = found.loop / found.loop_processor - 1
    print(f"load {os.getloadavg()[0]:.2f}; the loop waited {waited:.1%} of its time for a core; quiet: both near 0")


if __name__ == "__main__":
    _measure()
