"""What a training says of itself while it runs: the rows of its logs as they come, and whether it still runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auria_bot.art.training.training_log import LOG, parse_row
from auria_bot.errors import NotFound
from auria_bot.files import acquire_lock
from auria_bot.services.models.experiments import LOCK

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TrainingFigures", "TrainingWatch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFigures:
    """A row of a training's log."""

    part: str  # of the training, such as "sketch" of the painter; "" where there is one
    step: int
    seconds: float  # of training, in all
    figures: dict[str, float]  # by name

    def to_json(self) -> dict[str, Any]:
        """The row, ready for JSON."""
        return {"part": self.part, "step": self.step, "seconds": self.seconds, **self.figures}


class TrainingWatch:
    """Reads the logs of a model's trainings.

    Usage::

        watch = TrainingWatch(home, "poet")
        while watch.is_running():
            for row in watch.read(): ...
    """

    def __init__(self, home: Path, model: str) -> None:
        """Read from the beginning.

        Raises:
            NotFound: nothing of that name was ever trained here.
        """
        trained = home / "train"
        names = sorted(path.name for path in trained.iterdir() if path.is_dir()) if trained.is_dir() else []
        if model not in names:
            known = f"; trained here: {', '.join(names)}" if names else ""
            raise NotFound(f"no training of {model[:60]!r} in {trained}{known}", hint="auria train --help")
        self._folder = trained / model
        self._places: dict[Path, int] = {}  # bytes of a log that were read

    def is_running(self) -> bool:
        """Whether a training of the model runs, in whatever process."""
        return any(map(_is_locked, self._folder.rglob(LOCK)))

    def read(self) -> list[TrainingFigures]:
        """The rows that were written since the last call, in the order of each log."""
        found = []
        for log in sorted(self._folder.rglob(LOG)):
            place = self._places.get(log, 0)
            with log.open("rb") as file:
                file.seek(place)
                *lines, _ = file.read().split(b"\n")  # the last one is not whole yet
            self._places[log] = place + sum(len(line) + 1 for line in lines)
            part = "/".join(log.parent.relative_to(self._folder).parts)
            rows = [row for line in lines if (row := parse_row(line)) is not None]
            found += [
                TrainingFigures(part=part, step=row.step, seconds=row.seconds, figures=row.figures) for row in rows
            ]
        return found


def _is_locked(path: Path) -> bool:
    lock = acquire_lock(path, wait=0.0)
    if lock is not None:
        os.close(lock)
    return lock is None
