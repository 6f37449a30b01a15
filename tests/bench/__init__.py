"""The benchmarks: one module each, `run()` measures on this machine and says whether the bar is met.

`python -m tests.bench [NAME ...]` (or `make bench NAME=...`) prints one line a benchmark and exits 1
when a bar is missed.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One benchmark's outcome."""

    name: str  # as `make bench NAME=` takes it
    figures: str  # what was measured
    bar: str  # what was asked
    passed: bool

    def line(self) -> str:
        """The one line that is printed."""
        return f"{self.name}  {self.figures}  (bar: {self.bar})  {'PASS' if self.passed else 'FAIL'}"
