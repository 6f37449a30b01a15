"""A poem's film: its key frames are those that fit the poem's lines best, and its lines may be read aloud on the way.

The walk begins and ends at the frame that fits the poem as a whole, and passes those of its lines in their order. The
frames are chosen among the first of the seed's sheet, so that they have numbers like all others. A line is spoken while
its frame is met.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    from auria_bot.art.films.sound import Spoken
    from auria_bot.art.matcher import PictureMatcher
    from auria_bot.art.voice import Voice

__all__ = ["POOL", "PoemGuide", "Recitation", "line_times"]

POOL = 240
"""Frames of the sheet among which a poem's are chosen."""

_BEFORE, _BETWEEN, _AFTER = 0.8, 0.7, 1.2  # seconds of silence at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Recitation:
    """A poem read aloud in a film."""

    lines: tuple[Spoken, ...]
    voice: str  # its package
    voice_sha256: str

    @property
    def record(self) -> dict[str, Any]:
        """What decides about it, ready for JSON."""
        begins = [round(line.begin, 3) for line in self.lines]
        return {"voice": self.voice, "voice_sha256": self.voice_sha256, "spoken": begins}


class PoemGuide:
    """Finds the key frames of poems, and reads these aloud."""

    def __init__(self, *, matcher: Callable[[], PictureMatcher], voice: Callable[[], Voice]) -> None:
        self._matcher, self._voice = matcher, voice

    def keys(self, frames: NDArray[np.uint8], lines: Sequence[str], *, loop: bool) -> tuple[tuple[int, ...], str]:
        """The numbers, from 1, of the frames (n, height, width, 3) that a poem's film passes; the matcher's SHA-256.

        Raises:
            ModelMissing, ModelCorrupt: the matcher cannot be used.
        """
        from auria_bot.art.matcher import best_matches

        matcher = self._matcher()
        whole, *own = (number + 1 for number in best_matches(matcher.scores(frames, [", ".join(lines), *lines])))
        return (whole, *own) if loop else (whole, *own, whole), matcher.sha256

    def recitation(self, lines: Sequence[str], shares: NDArray[np.float64] | None, seconds: Fraction) -> Recitation:
        """The lines as they are read aloud in a film.

        Args:
            shares: of the film at which its key frames, the poem's own, are met; None: they are others, and the lines
                are spread over the film.
            seconds: the film's length.

        Raises:
            BackendMissing: the voice is not installed.
            InputError: the film is too short for them.
        """
        from auria_bot.art.films.sound import Spoken
        from auria_bot.art.voice import PACE, RATE

        voice = self._voice()
        reading = voice.read(lines, pace=PACE)
        parts = [reading.samples[round(begin * RATE) : round(end * RATE)] for begin, end in reading.spans]
        count = len(lines)
        met = shares[1 : 1 + count] if shares is not None else [(line + 1) / (count + 1) for line in range(count)]
        middles = [float(share) * float(seconds) for share in met]
        begins = line_times(middles, [len(part) / RATE for part in parts], float(seconds))
        spoken = tuple(Spoken(begin=begin, samples=part) for begin, part in zip(begins, parts, strict=True))
        return Recitation(lines=spoken, voice=voice.package, voice_sha256=voice.sha256)


def line_times(middles: Sequence[float], lengths: Sequence[float], seconds: float) -> list[float]:
    """When lines begin, each as near as can be to having its middle where it is wanted; in seconds.

    Raises:
        InputError: they do not fit.
    """
    needed = _BEFORE + sum(lengths) + _BETWEEN * (len(lengths) - 1) + _AFTER
    if needed > seconds:
        raise InputError(
            f"the poem takes {needed:.1f} s to be read, and the film {seconds:g} s; add --seconds {math.ceil(needed)}"
        )
    begins, free = [], _BEFORE
    for middle, length in zip(middles, lengths, strict=True):
        begins.append(max(middle - length / 2, free))
        free = begins[-1] + length + _BETWEEN
    end = seconds - _AFTER
    for number in reversed(range(len(begins))):
        begins[number] = min(begins[number], end - lengths[number])
        end = begins[number] - _BETWEEN
    return begins
