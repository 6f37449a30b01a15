"""Find the frames of a video that lie at a cut, or inside a dissolve between two shots."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

__all__ = ["ShotBoundaries"]

_REACH = 0.3  # seconds before and after a frame that are compared
_MEMORY = 1.0  # seconds of frames that are kept
_MOST = 400  # frames that are kept at most
_JUMP = 20.0  # mean difference of 255 between two frames that may be a cut
_SUDDEN = 4.0  # times the usual difference that a cut has at least
_APART = 25.0  # mean difference of 255 between the ends of a dissolve
_MIXED = 0.15  # of that difference: how far a frame of a dissolve is from a mixture of its ends


class ShotBoundaries:
    """Follows the frames of a video, and judges those of a moment ago.

    Usage::

        boundaries.add(frame.time, frame.thumbnail())
        if boundaries.can_judge(earlier):
            boundaries.is_cut(earlier)
    """

    def __init__(self) -> None:
        self._times: list[Fraction] = []
        self._frames: list[NDArray[np.float32]] = []
        self._jumps: list[float] = []  # from the frame before
        self._ended = False

    def add(self, time: Fraction, thumbnail: NDArray[np.float32]) -> None:
        """Take the next frame: its time in seconds, and a small picture (side, side, 3) of 0 to 255."""
        self._jumps.append(float(np.abs(thumbnail - self._frames[-1]).mean()) if self._frames else 0.0)
        self._times.append(time)
        self._frames.append(thumbnail)
        while len(self._times) > _MOST or (len(self._times) > 3 and self._times[1] < time - _MEMORY):
            for series in (self._times, self._frames, self._jumps):
                del series[0]

    def end(self) -> None:
        """Say that no frame follows."""
        self._ended = True

    def can_judge(self, time: Fraction) -> bool:
        """Whether enough of what follows a frame was seen."""
        return self._ended or (bool(self._times) and self._times[-1] > time + _REACH) or len(self._times) >= _MOST

    def is_cut(self, time: Fraction) -> bool:
        """Whether the frame of a time is the last before a cut, the first after it, or part of a dissolve."""
        if time not in self._times:
            return False
        place = self._times.index(time)
        return self._is_beside_cut(place) or self._is_mixture(place)

    def _is_beside_cut(self, place: int) -> bool:
        """Whether the difference to the frame before or after is large and sudden, for the time that lies between."""
        if len(self._times) < 4:
            return False
        gaps = [float(after - before) for before, after in itertools.pairwise(self._times)]  # as _jumps, from 1 on
        gap, usual = float(np.median(gaps)), float(np.median(self._jumps[1:]))
        for at in range(max(place, 1), min(place + 2, len(self._times))):
            slowness = max(gaps[at - 1] / max(gap, 1e-6), 1.0)
            if self._jumps[at] > _JUMP and self._jumps[at] > _SUDDEN * slowness * usual:
                return True
        return False

    def _is_mixture(self, place: int) -> bool:
        """Whether a frame is a mixture of one well before it and one well after it, which show different things."""
        time = self._times[place]
        before = next((at for at in range(place) if self._times[at] >= time - _REACH), place)
        after = next((at for at in range(place + 1, len(self._times)) if self._times[at] >= time + _REACH), None)
        after = len(self._times) - 1 if after is None else after
        if before >= place - 1 or after <= place + 1:
            return False
        if any(jump > _JUMP for jump in itertools.islice(self._jumps, before + 1, after + 1)):
            return False  # a cut: no mixture
        span = self._frames[after] - self._frames[before]
        apart = float(np.abs(span).mean())
        if apart < _APART:
            return False
        moved = self._frames[place] - self._frames[before]
        share = float((moved * span).sum() / (span * span).sum())
        if not 0.1 < share < 0.9:
            return False
        return float(np.abs(moved - share * span).mean()) < _MIXED * apart
