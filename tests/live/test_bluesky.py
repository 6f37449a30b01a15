"""The Bluesky channel against a real PDS: every test of tests/unit/channels/test_bluesky.py, which runs them on a stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.platforms.bluesky import BlueskyPlatform, RealBlueskyPlatform, why_not_real
from tests.unit.channels.bluesky.test_channel import *  # noqa: F403 - its tests and their fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform() -> Iterator[BlueskyPlatform]:
    """A real server that the tests of this module share."""
    if reason := why_not_real():
        pytest.skip(reason)
    with RealBlueskyPlatform() as started:
        yield started
