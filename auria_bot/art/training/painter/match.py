"""Train the matcher: InfoNCE between real pictures and their captions, on frozen EfficientNet-Lite0 features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.nets.matcher import TAPS, Matcher, MatcherConfig
from auria_bot.art.training.loop import load_matching
from auria_bot.art.training.painter.dataset import save_part
from auria_bot.art.training.workers import ALONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from auria_bot.art.training.painter.dataset import Scenes
    from auria_bot.art.training.workers import Workers

__all__ = ["Features", "MatchRecipe", "as_pixels", "channels_last", "features_of"]

_BATCH = 64
_RATE = 1e-3
_NOISE = 0.012
Net = TypeVar("Net", bound="nn.Module")
_PART = 2048  # pictures between two saves of the features


def as_pixels(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures (n, side, side, 3) of bytes to (n, 3, side, side) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 255.0


def channels_last(net: Net) -> Net:
    """The network with its weights laid out for pictures whose channels come last, which processors compute faster."""
    laid_out: Net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stubs
    return laid_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Lite0's features of the n whole training pictures."""

    pooled: NDArray[np.float16]  # (n, 352) for the matcher
    regions: NDArray[np.float16]  # (n, regions, 112) for the matcher
    last: NDArray[np.float16]  # (n, 1280) the mean of the last map


@torch.no_grad()
def features_of(scenes: Scenes, cache: Path, *, log: Callable[[str], None] = print) -> Features:
    """Compute the features once and keep them; a stopped computation continues where it was."""
    names = ("pooled", "regions", "last")
    if not all((cache / f"lite0-{name}.npy").exists() for name in names):
        parts = cache / "lite0"
        parts.mkdir(exist_ok=True)
        lite0, total = channels_last(Lite0.pretrained()), len(scenes.pictures)
        files: list[Path] = []
        for start in range(0, total, _PART):
            files.append(parts / f"{start:06d}.npz")
            if not files[-1].exists():
                end = min(start + _PART, total)
                made = [_features(lite0, scenes.pictures[at : min(at + 64, end), 0]) for at in range(start, end, 64)]
                columns = zip(names, zip(*made, strict=True), strict=True)
                save_part(files[-1], {name: np.concatenate(each) for name, each in columns})
                log(f"features {end}/{total}")
        for name in names:
            np.save(cache / f"lite0-{name}.npy", np.concatenate([np.load(file)[name] for file in files]))
        for file in files:
            file.unlink()
        parts.rmdir()
    return Features(**{name: np.load(cache / f"lite0-{name}.npy", mmap_mode="r") for name in names})


def _features(lite0: Lite0, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float16], ...]:
    taps = lite0.taps(as_pixels(pictures).contiguous(memory_format=torch.channels_last), (*TAPS, 32))
    last = F.relu6(lite0.head(taps[32])).mean(dim=(2, 3))
    return tuple(each.half().numpy() for each in (*Matcher.pool(taps), last))


class MatchRecipe:
    """The recipe of the matcher; see `loop.Recipe`."""

    name = "match"

    def __init__(
        self,
        scenes: Scenes,
        features: Features,
        config: MatcherConfig,
        *,
        share: NDArray[np.float64] | None = None,
        start: Mapping[str, Tensor] | None = None,
        seed: int = 0,
        batch: int = _BATCH,
        workers: Workers = ALONE,
    ) -> None:
        self._workers = workers
        self._scenes, self._features, self._seed, self._batch = scenes, features, seed, batch
        torch.manual_seed(seed)
        self.net = Matcher(config)
        load_matching(self.net, start or {})
        self._optimizer = torch.optim.AdamW(self.net.parameters(), lr=_RATE, weight_decay=0.05)
        self._share = scenes.weights() if share is None else share

    def modules(self) -> dict[str, nn.Module]:
        """The matcher."""
        return {"net": self.net}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """AdamW."""
        return {"net": self._optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """Make one update; every worker computes all of it, since each picture is compared with each caption."""
        self.net.train()
        rng = np.random.default_rng((self._seed, number))
        rows = rng.choice(len(self._share), self._batch, p=self._share)
        scores = self._scores(rows, rng)
        logits = self.net.logits(scores)
        target = torch.arange(len(rows))
        loss = F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
        rate = _RATE * min(1.0, max(0.03, 1.5 * (1.0 - number / total)))
        self._workers.update(self._optimizer, loss, rate=rate, weight=1 / self._workers.size)
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
        pooled, regions = (
            torch.from_numpy(np.stack([part[row] for row in rows]).astype(np.float32))
            for part in (self._features.pooled, self._features.regions)
        )
        captions = self._scenes.caption[rows, rng.integers(0, self._scenes.caption.shape[1], len(rows))]
        sentence, words, mask = (torch.from_numpy(each) for each in self._scenes.text_inputs(captions))
        if self.net.training:
            sentence = sentence + _NOISE * torch.from_numpy(rng.standard_normal(tuple(sentence.shape), np.float32))
        return self.net.scores(self.net.encode_pictures(pooled, regions), self.net.encode_texts(sentence, words), mask)
