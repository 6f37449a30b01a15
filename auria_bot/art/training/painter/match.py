"""Train the matcher: InfoNCE between real pictures and their captions, on frozen EfficientNet-Lite0 maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.nets.matcher import TAPS, Matcher, MatcherConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from auria_bot.art.training.painter.dataset import Scenes

__all__ = ["MatchRecipe", "as_pixels", "maps_of"]

_BATCH = 64
_RATE = 1e-3
_NOISE = 0.012


def as_pixels(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures (n, 64, 64, 3) of bytes to (n, 3, 64, 64) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 255.0


@torch.no_grad()
def maps_of(scenes: Scenes, cache: Path, *, log: Callable[[str], None] = print) -> dict[int, NDArray[np.float16]]:
    """Lite0's maps (2n, channels, h, w) of every picture (then of its closer crop), computed once and cached."""
    files = {stride: cache / f"lite0-{stride}.npy" for stride in TAPS}
    if not all(file.exists() for file in files.values()):
        lite0 = Lite0.pretrained()
        found: dict[int, list[NDArray[np.float16]]] = {stride: [] for stride in TAPS}
        for crop in range(2):
            for start in range(0, len(scenes.pictures), 64):
                taps = lite0.taps(as_pixels(np.asarray(scenes.pictures[start : start + 64, crop])), TAPS)
                for stride in TAPS:
                    found[stride].append(taps[stride].half().numpy())
        for stride, parts in found.items():
            np.save(files[stride], np.concatenate(parts))
        log("Lite0's maps of the training pictures computed")
    return {stride: np.load(file, mmap_mode="r") for stride, file in files.items()}


class MatchRecipe:
    """The recipe of the matcher; see `loop.Recipe`."""

    name = "match"

    def __init__(
        self,
        scenes: Scenes,
        maps: dict[int, NDArray[np.float16]],
        config: MatcherConfig,
        *,
        seed: int = 0,
        batch: int = _BATCH,
    ) -> None:
        self._scenes, self._maps, self._seed, self._batch = scenes, maps, seed, batch
        torch.manual_seed(seed)
        self.net = Matcher(config)
        self._optimizer = torch.optim.AdamW(self.net.parameters(), lr=_RATE, weight_decay=0.05)
        self._share = scenes.weights()

    def modules(self) -> dict[str, nn.Module]:
        """The matcher."""
        return {"net": self.net}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """AdamW."""
        return {"net": self._optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """Make one update."""
        self.net.train()
        rng = np.random.default_rng((self._seed, number))
        rows = rng.choice(len(self._share), self._batch, p=self._share)
        for group in self._optimizer.param_groups:
            group["lr"] = _RATE * min(1.0, max(0.03, 1.5 * (1.0 - number / total)))
        scores = self._scores(rows, rng)
        logits = self.net.logits(scores)
        target = torch.arange(len(rows))
        loss = F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """How often the right caption ranks first among 100 on validation pictures."""
        self.net.eval()
        rng = np.random.default_rng(self._seed)
        found = []
        for _ in range(6):
            rows = rng.permutation(self._scenes.rows(1, relit=False))[:100]
            found.append(float((self._scores(rows, rng).argmax(1) == torch.arange(len(rows))).float().mean()))
        return {"right_of_100": float(np.mean(found))}

    def _scores(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        scenes = self._scenes
        views = rows + len(scenes.pictures) * rng.integers(0, 2, len(rows))
        order = np.argsort(views)  # a memory map reads faster in order
        taps = {}
        for stride, maps in self._maps.items():
            part = np.empty((len(views), *maps.shape[1:]), np.float32)
            part[order] = maps[views[order]]
            if self.net.training and rng.random() < 0.5:
                part = part[..., ::-1].copy()
            taps[stride] = torch.from_numpy(part)
        captions = scenes.caption[rows, rng.integers(0, scenes.caption.shape[1], len(rows))]
        sentence = torch.from_numpy(scenes.sentences[captions].astype(np.float32))
        if self.net.training:
            sentence = sentence + _NOISE * torch.from_numpy(rng.standard_normal(tuple(sentence.shape), np.float32))
        words = torch.from_numpy(np.asarray(scenes.words[captions]).astype(np.float32))
        mask = torch.from_numpy(scenes.mask[captions].astype(np.float32))
        return self.net.scores(self.net.encode_pictures(taps), self.net.encode_texts(sentence, words), mask)
