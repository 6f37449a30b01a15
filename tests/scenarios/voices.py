"""A voice that hums, for tests: quick, and in no need of a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art.voice import RATE, Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HummingVoice"]


class HummingVoice:
    """Hums every line for a second, with half a second of silence around it."""

    package, sha256 = "humming==1", "0" * 64

    def read(self, lines: Sequence[str], *, pace: float = 1.0) -> Reading:
        """Hum lines."""
        length, pause = round(RATE / pace), RATE // 2
        tone = (0.3 * np.sin(np.arange(length) * 220 * 2 * np.pi / RATE)).astype(np.float32)
        line = np.concatenate([tone, np.zeros(pause, np.float32)])
        samples = np.concatenate([np.zeros(pause, np.float32), np.tile(line, len(lines))])
        begins = [(pause + number * len(line)) / RATE for number in range(len(lines))]
        return Reading(samples=samples, spans=tuple((begin, begin + length / RATE) for begin in begins))
