"""The benchmark held-out-like: see `tests.scenarios.held_out_like`."""

from __future__ import annotations

from tests.bench import Result
from tests.scenarios.held_out_like import MOST_WRONG, data, measured, planted

__all__ = ["run"]


def run() -> Result:
    """Judge both thousands, and what must be caught."""
    bar = f"at most {MOST_WRONG:.1%} rejected wrongly, none of the rightly rejected let through"
    if not data().is_file():
        return Result(name="held-out-like", figures=f"not measured: no haiku in {data()}", bar=bar, passed=False)
    first, second = (measured(data(), which) for which in ("first", "second"))
    number, passed = planted(data())
    figures = "; ".join(
        f"{count} haiku, {len(wrong)} rejected wrongly ({len(wrong) / max(count, 1):.2%}), {len(missed)} let through"
        for count, wrong, missed in (first, second)
    )
    return Result(
        name="held-out-like",
        figures=f"{figures}; of {number} planted slurs and personal data {len(passed)} let through",
        bar=bar,
        passed=not passed
        and all(
            count == 1000 and len(wrong) <= MOST_WRONG * count and not missed
            for count, wrong, missed in (first, second)
        ),
    )
