"""The registry of models on a real MLflow server: the contract of tests/unit/services/models/test_versions, and the benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench import registry as bench
from tests.platforms.mlflow import RealMlflow, real_program
from tests.unit.services.models.test_versions import *  # noqa: F403 - its tests
from tests.unit.services.models.test_versions import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(real_program() is None, reason="MLflow is not installed: make .venv-mlflow/.installed"),
]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An empty registry on a server of its own."""
    (tmp_path / "server").mkdir()
    with RealMlflow(tmp_path / "server") as server:
        yield Place(tmp_path=tmp_path, address=server.address)


def test_the_benchmark_passes():
    """Two processes that promote at once, and a server that goes away."""
    assert bench.run().passed
