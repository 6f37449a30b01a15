"""An application of fakes in a folder of its own."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from auria_bot.testing import FakeChannel, FakeClock
from tests.applications import fake_application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test sets."""
    return FakeClock()


@pytest.fixture
def application(tmp_path: Path, clock: FakeClock) -> Iterator[Application]:
    """The application, closed after the test."""
    with closing(fake_application(tmp_path / "home", clock=clock)) as opened:
        yield opened


@pytest.fixture
def channel(application: Application, clock: FakeClock) -> FakeChannel:
    """The application's fake channel, by the same clock."""
    made = cast("FakeChannel", application.channels["fake"]())
    made.clock = clock
    return made
