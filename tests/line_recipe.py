"""A recipe that fits a straight line, for trainings by several workers; needs torch."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import torch

from auria_bot.art.training import loop
from auria_bot.art.training.workers import ALONE, Workers
from auria_bot.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["LineRecipe", "train"]


class LineRecipe:
    """Fits a line by batches of five, which two workers cannot share evenly; `die_at` kills the second one once.

    A part of the loss is of the whole batch and no mean over its rows.
    """

    name = "line"

    def __init__(self, workers: Workers = ALONE, *, mark: Path | None = None, die_at: int = 0) -> None:
        torch.manual_seed(workers.rank)  # the first one's weights count
        self.net = torch.nn.Linear(1, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.05)
        self._workers, self._mark, self._die_at = workers, mark, die_at

    def modules(self) -> dict[str, torch.nn.Module]:
        """The line."""
        return {"net": self.net}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam."""
        return {"adam": self.optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """One update on this worker's share of a batch of five."""
        del total
        x = torch.randn(5, 1, generator=torch.Generator().manual_seed(number))
        own = self._workers.share(len(x))
        found = self.net(x[own.rows])
        spread = (self._workers.gathered(found, len(x)).var() - 9 * x.var()).abs()
        loss = ((found - (3 * x[own.rows] - 1)) ** 2).mean() + 0.01 * spread / own.weight
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self._workers.average(self.net.parameters(), own.weight)
        if self._workers.rank == 1 and self._mark and number == self._die_at and not self._mark.exists():
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        self.optimizer.step()
        return {"loss": loss.item()}

    def evaluate(self) -> dict[str, float]:
        """Slope and offset."""
        return {"slope": self.net.weight.item(), "offset": self.net.bias.item()}


def train(
    *,
    data: Path,
    folder: Path,
    out: Path,
    minutes: float | None = None,
    steps: int | None = None,
    limit: int | None = None,
    log: Callable[[str], None] = print,
    workers: Workers = ALONE,
) -> dict[str, Any]:
    """Train as a recipe does.

    Raises:
        NotFound: there is no folder of data.
    """
    if not data.is_dir():
        raise NotFound(f"{data} is not there")
    with workers.first():
        folder.mkdir(parents=True, exist_ok=True)
    recipe = LineRecipe(workers, mark=data / "died", die_at=limit or 0)
    done = loop.run(recipe, folder, steps=steps or 1, minutes=minutes, save_every=-1.0, log=log, workers=workers)
    if not workers.is_first:
        return {}
    out.mkdir(parents=True, exist_ok=True)
    return done.metrics | {"steps": done.step}
