"""The benchmark held-out-like: see `tests.scenarios.held_out_like`."""

from __future__ import annotations

from tests.bench import Result
from tests.scenarios.held_out_like import MOST_WRONG, data, measured

__all__ = ["run"]


def run() -> Result:
    """Judge the thousand."""
    bar = f"at most {MOST_WRONG:.1%} rejected wrongly, none of the rightly rejected let through"
    if not data().is_file():
        return Result(name="held-out-like", figures=f"not measured: no haiku in {data()}", bar=bar, passed=False)
    count, wrong, missed = measured(data())
    figures = (
        f"{count} haiku, {len(wrong)} rejected wrongly ({len(wrong) / max(count, 1):.2%}), {len(missed)} let through"
    )
    return Result(
        name="held-out-like",
        figures=figures,
        bar=bar,
        passed=count == 1000 and len(wrong) <= MOST_WRONG * count and not missed,
    )
