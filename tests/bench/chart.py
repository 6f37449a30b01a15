"""The benchmark chart: see `tests.scenarios.chart`."""

from __future__ import annotations

import sys

from tests.bench import Result
from tests.scenarios.chart import problems, render, tools, value_sets

__all__ = ["run"]

BAR = "four sets of values render; lint, schemas and policies find nothing; every container non-root, with limits and probes"


def run() -> Result:
    """Render and check."""
    python = tools()
    if python is None:
        return Result(name="chart", figures="no .venv-chart: make .venv-chart/.installed", bar=BAR, passed=False)
    version, rendered = render(python, value_sets())
    wrong = [f"{name}: {one}" for name, done in rendered.items() for one in (*done.wrong, *problems(done.documents))]
    for one in wrong:
        print(f"  {one}", file=sys.stderr)
    kinds = sorted({document["kind"] for done in rendered.values() for document in done.documents})
    count = sum(len(done.documents) for done in rendered.values())
    figures = f"Helm {version}: {count} objects of {len(kinds)} kinds from {len(rendered)} sets of values, {len(wrong)} things wrong"
    return Result(name="chart", figures=figures, bar=BAR, passed=not wrong and len(rendered) == 4)
