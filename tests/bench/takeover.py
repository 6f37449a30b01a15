"""The benchmark takeover: see `tests.scenarios.takeover`."""

from __future__ import annotations

from tests.bench import Result
from tests.scenarios.takeover import BAR, measured

__all__ = ["run"]


def run(kills: int = 100) -> Result:
    """Kill so many leaders."""
    figures, passed = measured(kills)
    return Result(name="takeover", figures=figures, bar=f"every slot once, under {BAR:g} s", passed=passed)
