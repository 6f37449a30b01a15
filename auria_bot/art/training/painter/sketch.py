"""Train the sketcher: flow matching on 16 x 16 averages of the training pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from auria_bot.art.nets.sketcher import SKETCH_SIZE, Sketcher, SketcherConfig
from auria_bot.art.training.loop import cooled, copy_average, load_matching, update_average
from auria_bot.art.training.workers import ALONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from auria_bot.art.training.painter.dataset import Scenes
    from auria_bot.art.training.workers import Workers

__all__ = ["SketchRecipe", "cells_of"]

_BATCH = 256
_RATE = 1e-3
_AVERAGE = 0.9995
_DROPPED = 0.1  # share of sentences dropped, for guidance
_NOISE = 0.018  # on each component of a sentence vector, whose size is near 0.05


def cells_of(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures (n, side, side, 3) averaged to sketches (n, 3, 16, 16) in [-1, 1]."""
    count, size = len(pictures), pictures.shape[1] // SKETCH_SIZE
    grid = pictures.reshape(count, SKETCH_SIZE, size, SKETCH_SIZE, size, 3)
    mean = grid.mean(axis=(2, 4), dtype=np.float32) / 127.5 - 1.0
    return np.ascontiguousarray(mean.transpose(0, 3, 1, 2))


class SketchRecipe:
    """The recipe of the sketcher; see `loop.Recipe`."""

    name = "sketch"

    def __init__(
        self,
        scenes: Scenes,
        config: SketcherConfig,
        *,
        share: NDArray[np.float64] | None = None,
        start: Mapping[str, Tensor] | None = None,
        cool: int = 1,
        seed: int = 0,
        batch: int = _BATCH,
        workers: Workers = ALONE,
    ) -> None:
        self._workers = workers
        self._scenes, self._seed, self._batch, self._cool = scenes, seed, batch, cool
        torch.manual_seed(seed)
        self.net = Sketcher(config)
        cells = np.concatenate([cells_of(np.asarray(scenes.pictures[:, crop])) for crop in range(2)])  # (2n, 3, 16, 16)
        if load_matching(self.net, start or {}):  # without the components of an earlier model, find them
            train = np.tile(scenes.split == 0, 2)
            self.net.fit(np.concatenate([cells[train], cells[train][..., ::-1]]))
        with torch.no_grad():
            flips = np.concatenate([cells, cells[..., ::-1]])  # (4n, 3, 16, 16): crops, then flipped
            self._components = self.net.components(torch.from_numpy(flips.copy()))
        self.average = copy_average(self.net)
        self._optimizer = torch.optim.AdamW(self.net.parameters(), lr=_RATE, betas=(0.9, 0.99), weight_decay=0.01)
        self._share = scenes.weights() if share is None else share
        self._sentences = torch.from_numpy(np.asarray(scenes.sentences, np.float32))

    def modules(self) -> dict[str, nn.Module]:
        """The net and its average."""
        return {"net": self.net, "average": self.average}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """AdamW."""
        return {"net": self._optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """Make one update."""
        rng = np.random.default_rng((self._seed, number))
        rows = rng.choice(len(self._share), self._batch, p=self._share)
        target, sentence = self._draw(rows, rng)
        own = self._workers.share(len(rows))
        loss = self._loss(self.net, target, sentence, rng, own.rows)
        rate = _RATE * cooled(number, total, cool=self._cool)
        self._workers.update(self._optimizer, loss, rate=rate, weight=own.weight, most=1.0)
        update_average(self.average, self.net, decay=_AVERAGE, step=number)
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Velocity loss of the average on the validation split, with fixed draws."""
        rng = np.random.default_rng(self._seed)
        rows = np.tile(self._scenes.rows(1), 4)
        target, sentence = self._draw(rows, rng)
        return {"validation_loss": float(self._loss(self.average, target, sentence, rng))}

    def loss(self, rng: np.random.Generator, count: int) -> Tensor:
        """The net's velocity loss on `count` sketches, for a training of which it is a part."""
        target, sentence = self._draw(rng.choice(len(self._share), count, p=self._share), rng)
        return self._loss(self.net, target, sentence, rng)

    def _draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Components (n, components) and sentences (n, 384) of pictures, each with a random crop, flip and caption."""
        count = len(self._scenes.pictures)
        chosen = rows + count * rng.integers(0, 4, len(rows))
        captions = self._scenes.caption[rows, rng.integers(0, self._scenes.caption.shape[1], len(rows))]
        sentence = self._sentences[captions] + _NOISE * _normal(rng, (len(rows), self._sentences.shape[1]))
        return self._components[chosen], sentence * torch.from_numpy(rng.random((len(rows), 1)) >= _DROPPED)

    @staticmethod
    def _loss(
        net: Sketcher, target: Tensor, sentence: Tensor, rng: np.random.Generator, rows: slice = slice(None)
    ) -> Tensor:
        """The mean over some rows of a batch, for all of which random numbers are drawn."""
        noise = _normal(rng, tuple(target.shape))[rows]
        time = _normal(rng, (len(target),)).sigmoid()[rows]
        target, sentence = target[rows], sentence[rows]
        x = (1.0 - time[:, None]) * noise + time[:, None] * target
        error: Tensor = net(x, time, sentence.float()) - (target - noise)
        return error.square().mean()


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(rng.standard_normal(shape, np.float32))
