"""The model server as a process: the benchmark caption-serve in small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios.caption_serve import change_under_load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_a_version_is_changed_without_losing_a_request(tmp_path: Path) -> None:
    """While it is promoted and rolled back every picture gets its caption, by the one version or the other."""
    pytest.importorskip("uvicorn")
    found = change_under_load(tmp_path, clients=3, after=3)
    assert (found.failures, found.versions) == (0, ("installed", "v1"))
    assert found.answers >= 9
