"""Which training pictures show their scene: those that classifiers which have not seen them recognise.

Scene archives hold pictures of people, signs and details under the name of a place. A softmax regression on
EfficientNet-Lite0's features is trained on three quarters of the pictures and asked about the last quarter, four times;
pictures to which it gives their own scene hardly any probability are left out of training (not of validation or test).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from auria_bot.art.painters.prompt_vocabulary import SCENES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.training.painter.dataset import Scenes

__all__ = ["LEAST", "fit_linear", "kept", "own_probability"]

LEAST = 0.04  # probability of a picture's own scene below which it is left out
_FOLDS = 4
_STEPS, _BATCH = 300, 512


def kept(scenes: Scenes, last: NDArray[np.float16], cache: Path) -> NDArray[np.bool_]:
    """(n,) whether each picture may be trained on; computed once. Relit copies count by their own features too.

    Args:
        scenes: the pictures.
        last: (n, 1280) Lite0's features of them.
        cache: where the probabilities are kept.
    """
    file = cache / "own-probability.npy"
    if not file.exists():
        np.save(file, own_probability(np.asarray(last, np.float32), scenes.scene, scenes.split == 0))
    stated: NDArray[np.float32] = np.load(file)
    return (stated >= LEAST) | scenes.relit


def own_probability(
    features: NDArray[np.float32], labels: NDArray[np.int64], used: NDArray[np.bool_], *, seed: int = 0
) -> NDArray[np.float32]:
    """(n,) the probability of its own label for each row, by a regression trained on other rows.

    Args:
        features: (n, d).
        labels: (n,) indices into SCENES.
        used: (n,) rows that may be trained on; the others are judged by the first regression.
        seed: of the folds.
    """
    fold = np.random.default_rng(seed).integers(0, _FOLDS, len(labels))
    found = np.zeros(len(labels), np.float32)
    x = torch.from_numpy((features - features.mean(0)) / (features.std(0) + 1e-3))
    for number in range(_FOLDS):
        train = used & (fold != number)
        line = fit_linear(x[train], torch.from_numpy(labels[train]), classes=len(SCENES), seed=seed)
        asked = fold == number
        with torch.no_grad():
            share = line(x[asked]).softmax(1).numpy()
        found[asked] = share[np.arange(len(share)), labels[asked]]
    return found


def fit_linear(x: torch.Tensor, labels: torch.Tensor, *, classes: int, steps: int = _STEPS, seed: int = 0) -> nn.Linear:
    """A softmax regression on standardised features (n, d), trained with AdamW."""
    torch.manual_seed(seed)
    line = nn.Linear(x.shape[1], classes)
    optimizer = torch.optim.AdamW(line.parameters(), lr=3e-3, weight_decay=0.3)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        batch = torch.randint(len(x), (_BATCH,), generator=generator)
        loss = F.cross_entropy(line(x[batch]), labels[batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return line
