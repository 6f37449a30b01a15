"""Shipped fakes: a second, small and quick implementation of every role, for tests of Auria and of what others add."""

from auria_bot.testing.channel import FakeChannel, FakeClock
from auria_bot.testing.makers import (
    FakeCaptioner,
    FakeEnlarger,
    FakeExporter,
    FakeMoodReader,
    FakePainter,
    FakePoet,
    FakeSafetyFilter,
    FakeStylist,
    FakeTextWriter,
)

__all__ = [
    "FakeCaptioner",
    "FakeChannel",
    "FakeClock",
    "FakeEnlarger",
    "FakeExporter",
    "FakeMoodReader",
    "FakePainter",
    "FakePoet",
    "FakeSafetyFilter",
    "FakeStylist",
    "FakeTextWriter",
]
