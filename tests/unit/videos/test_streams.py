"""Tests of auria_bot.videos.streams."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

from auria_bot.videos.streams import StreamClock


def container(flags: int, seconds: int | None) -> SimpleNamespace:
    """What a clock asks of a file of a format with these flags that states its length."""
    duration = None if seconds is None else seconds * 1_000_000
    return SimpleNamespace(format=SimpleNamespace(flags=flags), start_time=0, duration=duration)


def clock_times(flags: int, stamps: list[int | None], *, seconds: int | None = 100_000, slack: int = 0) -> list[int]:
    """What a clock makes of stamps of a second each."""
    clock = StreamClock(container(flags, seconds), slack=Fraction(slack))
    return [int(clock.time(None if stamp is None else Fraction(stamp), Fraction(1))) for stamp in stamps]


def test_a_clock_that_was_set_back_goes_on() -> None:
    """So does one of frames without a time; where a clock may be set anew, it leaps in neither direction."""
    assert clock_times(0, [7, 8, None, 2, 3, 9]) == [7, 8, 9, 10, 11, 17]
    assert clock_times(0, [0, 1, 90_000, 90_001]) == [0, 1, 90_000, 90_001]
    assert clock_times(0x200, [0, 1, 90_000, 90_001, 2, 7]) == [0, 1, 2, 3, 4, 9]


def test_a_stamp_past_the_stated_end_is_damaged() -> None:
    """So is one far ahead in a file that states no length."""
    for seconds in (100, None):
        assert clock_times(0, [0, 1, 90_000, 90_001], seconds=seconds) == [0, 1, 2, 3]


def test_what_comes_a_little_late_is_no_leap() -> None:
    """Within the slack; equal stamps neither."""
    assert clock_times(0, [5, 7, 6, 7, 7, 8, 1, 2], slack=2) == [5, 7, 6, 7, 7, 8, 9, 10]


def test_streams_of_a_file_leap_together() -> None:
    """The second stays as far from the first as the file states, whatever it had left over before the leap."""
    source, one = container(0x200, None), Fraction(1)
    picture = StreamClock(source)
    sound = StreamClock(source, beside=picture)
    assert [picture.time(Fraction(stamp), one) for stamp in (0, 1, 2, 500, 501)] == [0, 1, 2, 3, 4]
    assert [sound.time(Fraction(stamp), one) for stamp in (0, 1, 502, 503, 20)] == [0, 1, 5, 6, 7]
