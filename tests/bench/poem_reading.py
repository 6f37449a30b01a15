"""The benchmark poem-reading: see `tests.scenarios.poem_reading`."""

from __future__ import annotations

from tests.bench import Result
from tests.scenarios.poem_reading import BAR, measured
from tests.scenarios.records import folder, labels

__all__ = ["run"]


def run() -> Result:
    """Read every labelled title."""
    bar = f"precision and recall at least {BAR}"
    if not (folder() / "pushshift_sample.ndjson").is_file():
        return Result(name="poem-reading", figures=f"not measured: no titles in {folder()}", bar=bar, passed=False)
    found = measured(folder())
    precision, recall = (min(each[place] for each in found.values()) for place in (0, 1))
    labelled = labels("poem_reading.json")
    figures = (
        f"{len(labelled['haiku'])} haiku and {len(labelled['not']) + len(labelled['elsewhere'])} other titles, {len(found)} separators:"
        f" precision {precision:.3f}, recall {recall:.3f} at worst"
    )
    return Result(name="poem-reading", figures=figures, bar=bar, passed=min(precision, recall) >= BAR)
