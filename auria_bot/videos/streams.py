"""What PyAV's streams and frames state: which one is the film's picture, which way is up, and when each is due."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import Any

__all__ = ["StreamClock", "picture_stream", "scaler_matrix", "turn_of"]

_CLOCK_MAY_LEAP = 0x200  # FFmpeg's flag of formats such as MPEG-TS, whose clock may be set anew at any time
_LEAP = 10  # seconds that it leaps ahead at least
_HD = 720  # rows from which on a matrix that is not stated is that of BT.709


class StreamClock:
    """The times of a stream, which only grow: where its clock was set back, or leaps, what follows goes on at once.

    So it is where recordings were joined, or where a stamp was damaged. Ahead, only the clocks of formats such as
    MPEG-TS, which may be set anew, are taken to leap, and those of others past the end that the file states.

    Args:
        container: PyAV's, of the file.
        beside: the clock of the film's picture, for that of its sound. Where this leapt, the sound leaps as far, so
            that they stay as far apart as the file states; then a time may be before the last one.
        slack: seconds that a stamp may be before the last one and is no leap.
    """

    def __init__(self, container: Any, *, beside: StreamClock | None = None, slack: Fraction = Fraction(0)) -> None:
        stated = 0 if container.format.flags & _CLOCK_MAY_LEAP else container.duration or 0
        self._end = Fraction((container.start_time or 0) + stated, 1_000_000) if stated else Fraction(0)
        self._slack = slack
        self._beside = beside
        self.shift = Fraction(0)
        """Seconds that stamps are ahead of times, since the last leap."""
        self._last: Fraction | None = None

    def time(self, stamp: Fraction | None, step: Fraction) -> Fraction:
        """The time of what comes next, in seconds.

        Args:
            stamp: as the file states it; None where it does not.
            step: seconds from what came before, where the stamp is of no use.
        """
        following = Fraction(0) if self._last is None else self._last + step
        time = following if stamp is None else stamp - self.shift
        if stamp is not None and self._last is not None and self._leaps_to(time, self._last):
            self.shift = stamp - following
            if self._beside is not None and abs(self._beside.shift - self.shift) <= _LEAP:
                self.shift = self._beside.shift
            time = stamp - self.shift
        self._last = time
        return time

    def _leaps_to(self, time: Fraction, last: Fraction) -> bool:
        back = time < last - self._slack or (time == last and not self._slack)
        return back or (time > last + _LEAP and time + self.shift > self._end + _LEAP)


def picture_stream(container: Any) -> Any:
    """The first stream of moving pictures, which is no cover; None where there is none.

    An animated AVIF holds its first picture as a stream of its own, before that of all of them.
    """
    import av

    covers = int(av.stream.Disposition.attached_pic)
    streams = [one for one in container.streams.video if not int(one.disposition) & covers and _has_size(one)]
    return next((one for one in streams if one.frames != 1), streams[0] if streams else None)


def _has_size(stream: Any) -> bool:
    context = stream.codec_context
    return context is not None and min(context.width, context.height) > 0


def turn_of(frame: Any) -> tuple[int, int, int, int]:
    """The quarter turn and the mirroring (a, b, c, d) of a frame: shown at x' = ax + cy, y' = bx + dy, y downwards.

    It is asked once for a film, since a frame that was asked for its side data stays in memory.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return 1, 0, 0, 1
    a, b, _, c, d = struct.unpack_from("=5i", bytes(data))
    signs = [-1 if value < 0 else 1 for value in (a, b, c, d)]
    return (signs[0], 0, 0, signs[3]) if abs(a) + abs(d) >= abs(b) + abs(c) else (0, signs[1], signs[2], 0)


def scaler_matrix(stated: int, rows: int) -> int:
    """FFmpeg's scaler's number of the matrix that a frame states by another number, or of the usual one of its size."""
    return {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}.get(stated, 1 if rows >= _HD else 5)
