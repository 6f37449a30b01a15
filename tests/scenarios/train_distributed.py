"""The poet trained by one worker and by two of whom one is killed: the same number of samples, the same loss within noise.

Noise is what the seed makes: the standard deviation of the validation loss of several trainings by one worker with
different seeds. The training by two, with the seed of the first, counts as the same where its loss lies within three of
them of their mean; a deviation counts as one per cent at least, because that of few trainings may be small by chance.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.art.training import loop
from auria_bot.art.training.poet.dataset import build
from auria_bot.art.training.poet.train import PoetRecipe, PoetSettings
from auria_bot.art.training.workers import ALONE, Workers
from auria_bot.services.models.distributed_training import DistributedTraining
from tests.scenarios.ray_cluster import kill_process

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Distributed", "measure", "train", "worker_pids"]

_SMALL = {"width": 64, "hidden": 96, "themed": 0, "batch": 64, "sampled": 200, "common": 300}
_DEVIATIONS, _LEAST = 3.0, 0.01  # of the mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Distributed:
    """What came of both."""

    alone: tuple[float, ...]  # validation losses a word of the trainings by one worker
    together: float  # of that by two
    steps: int  # of each
    kills: int
    restarts: int
    least: float  # the smallest step of a restart; 0 where the first checkpoint was not written yet

    @property
    def limit(self) -> float:
        """How far the loss may lie from the mean."""
        mean = statistics.fmean(self.alone)
        return _DEVIATIONS * max(_LEAST * mean, statistics.stdev(self.alone))

    @property
    def is_same(self) -> bool:
        """Whether the losses are the same within noise."""
        return abs(self.together - statistics.fmean(self.alone)) <= self.limit


def train(
    *,
    data: Path,
    folder: Path,
    out: Path,
    minutes: float | None = None,
    steps: int | None = None,
    limit: int | None = None,
    seed: int = 1,
    log: Callable[[str], None] = print,
    workers: Workers = ALONE,
) -> dict[str, Any]:
    """A recipe as `auria train` takes one: a small poet on the first haiku, without export."""
    del out
    settings = PoetSettings(**_SMALL, steps=steps or 1, warm_up=20, seed=seed)
    with workers.first():
        dataset = build(data, folder, least=3, most=2500, themed=0, limit=limit, log=log)
    outcome = loop.run(
        PoetRecipe(dataset, settings, workers),
        folder,
        steps=settings.steps,
        minutes=minutes,
        save_every=0.5,
        log=log,
        workers=workers,
    )
    return {"loss": math.log(outcome.metrics["perplexity"]), "steps": outcome.step} if workers.is_first else {}


def measure(data: Path, folder: Path, *, steps: int, poems: int, kills: int, seed: int) -> Distributed:
    """Train alone with three seeds, and together while workers are killed at random moments of the training."""
    begun = time.monotonic()
    alone = [
        train(data=data, folder=folder / f"alone-{each}", out=folder, steps=steps, limit=poems, seed=each, log=_quiet)
        for each in (1, 2, 3)
    ]
    seconds = (time.monotonic() - begun) / len(alone)
    told: list[str] = []
    together, over = folder / "together", threading.Event()
    killer = threading.Thread(target=_kill, args=(together, over, kills, seconds, random.Random(seed)), daemon=True)
    killer.start()
    found = DistributedTraining(size=2, log=told.append).train(
        "tests.scenarios.train_distributed",
        {"data": data},
        folder=together,
        out=folder / "model",
        minutes=None,
        steps=steps,
        limit=poems,
    )
    over.set()
    killer.join()
    restarts = [line for line in told if "begin again" in line]
    return Distributed(
        alone=tuple(each["loss"] for each in alone),
        together=found["loss"],
        steps=found["steps"],
        kills=kills,
        restarts=len(restarts),
        least=min((float(line.rpartition(" ")[2]) for line in restarts), default=0.0),
    )


def _kill(folder: Path, over: threading.Event, kills: int, seconds: float, rng: random.Random) -> None:
    """Kill a worker at random moments, each some time after a further checkpoint was written."""
    saved = 0
    for _ in range(kills):
        while not over.wait(0.02) and _step(folder) <= saved:
            pass
        if over.wait(rng.uniform(0.0, 0.5) * seconds):
            return
        saved = _step(folder)
        if pids := worker_pids():
            kill_process(rng.choice(pids))


def _step(folder: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(json.loads((folder / "latest.json").read_text(encoding="utf-8"))["step"])
    return 0


def worker_pids() -> list[int]:
    """The workers of this process's trainings."""
    import os

    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"training_worker" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return sorted(found)


def _quiet(_: str) -> None:
    """Say nothing."""
