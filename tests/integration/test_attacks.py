"""Every attack of the scenario is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios.attacks import CASES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", list(CASES))
def test_an_attack_reaches_nothing(name: str, tmp_path: Path):
    """It is refused, or has no effect."""
    assert not CASES[name](tmp_path)
