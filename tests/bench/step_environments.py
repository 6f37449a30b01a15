"""The benchmark step-environments: see `tests.scenarios.step_environments`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.ray_cluster import REASON, has_ray
from tests.scenarios.step_environments import look

__all__ = ["run"]


def run() -> Result:
    """Measure."""
    bar = "both versions in one run; the GPU refused within 10 s"
    if not has_ray():
        return Result(name="step-environments", figures=REASON, bar=bar, passed=False)
    with tempfile.TemporaryDirectory(prefix="auria-env-") as name:
        found = look(Path(name))
    return Result(
        name="step-environments",
        figures=f"versions {', '.join(found.versions)} from {found.workers} environments; refused after"
        f" {found.seconds:.1f} s: {found.refusal}",
        bar=bar,
        passed=found.versions == ("1.0", "2.0", "1.0", "2.0") and "1 GPU" in found.refusal and found.seconds <= 10.0,
    )
