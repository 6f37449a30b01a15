"""The rows of a training's `log.jsonl`, which `loop.run` writes and others read while it runs; needs no torch."""

from __future__ import annotations

import json
from dataclasses import dataclass

__all__ = ["LOG", "LogRow", "parse_row"]

LOG = "log.jsonl"
"""The log's name in the folder of a training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """The figures of a step."""

    step: int
    seconds: float  # of training, in all; 0 where the row does not say
    figures: dict[str, float]  # by name


def parse_row(line: str | bytes) -> LogRow | None:
    """A line of a log; None for one that a crash has cut, and for what is no row."""
    try:
        row = json.loads(line)
        step, seconds = int(row.pop("step")), float(row.pop("seconds", 0.0))
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    figures = {name: float(value) for name, value in row.items() if isinstance(value, int | float)}
    return LogRow(step=step, seconds=seconds, figures=figures)
