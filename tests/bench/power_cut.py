"""The benchmark power-cut: see `tests.scenarios.power_cut`."""

from __future__ import annotations

import sys

from tests.bench import Result
from tests.scenarios.power_cut import month

__all__ = ["run"]


def run(kills: int = 200) -> Result:
    """Cut the power so often, on each kind of database."""
    told, wrong = list[str](), list[str]()
    for name in ("SQLite", "PostgreSQL"):
        figures, faults = month(name, kills)
        told.append(f"{name}: {figures}")
        wrong += faults
    for words in wrong[:20]:
        print(f"  {words}", file=sys.stderr)
    figures = f"{'; '.join(told)}; {len(wrong)} wrong"
    return Result(
        name="power-cut",
        figures=figures,
        bar="no slot doubled or lost, half of them replaced at the most, database whole",
        passed=not wrong,
    )
