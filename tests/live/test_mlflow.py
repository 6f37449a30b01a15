"""The registry of models on a real MLflow server: the contract of tests/unit/services/models/test_versions, and the benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.services.models.mlflow import registry
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMlflow]:
    """One server for all tests of this module: it takes long to start."""
    with RealMlflow(tmp_path_factory.mktemp("mlflow")) as started:
        yield started


@pytest.fixture
def place(server: RealMlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty registry there: with names of its own."""
    monkeypatch.setattr(registry, "_PREFIX", f"{tmp_path.name}-")
    return Place(tmp_path=tmp_path, address=server.address)


def test_the_benchmark_passes():
    """Two processes that promote at once, and a server that goes away."""
    assert bench.run().passed
