"""The judges of painted pictures: a scene classifier, an independent text-image encoder, and a Frechet distance.

The classifier is a softmax regression on EfficientNet-Lite0's pooled features of real training pictures. The encoder is
a small convolutional network trained from scratch on real training pictures and their captions: it shares no weight and
no feature with what the painter was trained against, so a painter that only fools Lite0 does not fool it. Both are
trained in minutes, with fixed seeds, and kept beside the training arrays; neither uses the test split. All pictures are
judged at 64 x 64 pixels, so that painters of different sizes can be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auria_bot.art.checkpoint import load_weights, save_weights
from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.painters.prompt_vocabulary import SCENES
from auria_bot.art.training.painter.dataset import fit_linear, shrink
from auria_bot.art.training.painter.match import as_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.training.painter.dataset import Scenes

__all__ = ["SIDE", "Encoder", "SceneClassifier", "at_side", "features", "frechet", "train_encoder"]

SIDE = 64  # pixels a side at which pictures are judged
_BATCH = 128
_DIMENSIONS = 128


def at_side(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (n, side, side, 3) at 64 x 64."""
    if pictures.shape[1] == SIDE:
        return pictures
    return np.stack([shrink(picture.astype(np.float32) / 255.0, SIDE) for picture in pictures])


@torch.no_grad()
def features(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Lite0's pooled features (n, 1280) of pictures (n, 64, 64, 3)."""
    lite0 = Lite0.pretrained()
    parts = [
        lite0.grid(as_pixels(pictures[start : start + 64])).mean(dim=(2, 3)) for start in range(0, len(pictures), 64)
    ]
    return torch.cat(parts).numpy()


class SceneClassifier:
    """Classifies pictures into SCENES."""

    def __init__(self, scenes: Scenes, cache: Path, *, steps: int = 400) -> None:
        file = cache / "scene-classifier.safetensors"
        if file.exists():
            self._weights = load_weights(file)
            return
        rows = scenes.rows(0)
        x = torch.from_numpy(features(at_side(np.asarray(scenes.pictures[rows, 0]))))
        mean, size = x.mean(0), x.std(0) + 1e-3
        line = fit_linear((x - mean) / size, torch.from_numpy(scenes.scene[rows]), classes=len(SCENES), steps=steps)
        self._weights = {"mean": mean, "size": size, "weight": line.weight.detach(), "bias": line.bias.detach()}
        save_weights(file, self._weights)

    @torch.no_grad()
    def __call__(self, found: NDArray[np.float32], among: Sequence[str] = SCENES) -> NDArray[np.int64]:
        """Scenes (n,) as indices into SCENES, from Lite0's pooled features (n, 1280); only `among` are answered."""
        w = self._weights
        logits = F.linear((torch.from_numpy(found) - w["mean"]) / w["size"], w["weight"], w["bias"])
        logits[:, [number for number, name in enumerate(SCENES) if name not in among]] = -torch.inf
        return logits.argmax(1).numpy()


class Encoder(nn.Module):
    """Encodes pictures (five convolutions) and sentences (one layer) into one space."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs, stride in ((3, 24, 2), (24, 48, 2), (48, 96, 2), (96, 96, 1), (96, 160, 2)):
            layers += [
                nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            ]
        self.lite0 = nn.Sequential(*layers)
        self.picture = nn.Linear(320, _DIMENSIONS)
        self.sentence = nn.Linear(384, _DIMENSIONS)
        self.temperature = nn.Parameter(torch.tensor(2.3))

    def encode_pictures(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, 64, 64) in [0, 1] to vectors (n, 128) of unit length."""
        maps = self.lite0(pictures * 4.0 - 2.0)
        return F.normalize(self.picture(torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)), dim=1)

    def encode_sentences(self, sentences: Tensor) -> Tensor:
        """MiniLM's sentence vectors (n, 384) to vectors (n, 128) of unit length."""
        return F.normalize(self.sentence(sentences), dim=1)

    @torch.no_grad()
    def nearest(self, pictures: NDArray[np.uint8], sentences: NDArray[np.float32]) -> NDArray[np.int64]:
        """(n,) which of some sentences (m, 384) is nearest to each picture (n, 64, 64, 3)."""
        self.eval()
        vectors = self.encode_sentences(torch.from_numpy(sentences))
        parts = [self.encode_pictures(as_pixels(pictures[at : at + 100])) for at in range(0, len(pictures), 100)]
        return (torch.cat(parts) @ vectors.T).argmax(1).numpy()

    @torch.no_grad()
    def right_of_100(self, pictures: NDArray[np.uint8], sentences: NDArray[np.float32]) -> float:
        """How often a picture's own sentence is the nearest within its group of 100 (the last group may be smaller)."""
        self.eval()
        hits = [
            self.nearest(pictures[at : at + 100], sentences[at : at + 100]) == np.arange(len(pictures[at : at + 100]))
            for at in range(0, len(pictures), 100)
        ]
        return float(np.concatenate(hits).mean())


def train_encoder(scenes: Scenes, cache: Path, *, steps: int = 700, log: Callable[[str], None] = print) -> Encoder:
    """Train the encoder with InfoNCE on the training split, or read it from the cache."""
    torch.manual_seed(1)
    net = Encoder()
    file = cache / "encoder.safetensors"
    if file.exists():
        net.load_state_dict(load_weights(file))
        return net.eval()
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    share, target = scenes.weights(), torch.arange(_BATCH)
    place = np.cumsum(share > 0) - 1  # of a training picture among those that may be drawn
    small = np.stack([at_side(np.asarray(scenes.pictures[share > 0, crop])) for crop in range(2)], axis=1)
    for number in range(steps):
        rng = np.random.default_rng((11, number))
        rows = rng.choice(len(share), _BATCH, p=share)
        pictures = as_pixels(small[place[rows], rng.integers(0, 2, _BATCH)])
        pictures = pictures.flip(-1) if rng.random() < 0.5 else pictures
        captions = scenes.caption[rows, rng.integers(0, scenes.caption.shape[1], _BATCH)]
        sentence_vectors = net.encode_sentences(torch.from_numpy(scenes.sentences[captions].astype(np.float32)))
        logits = net.encode_pictures(pictures) @ sentence_vectors.T * net.temperature.exp()
        loss = F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, (number + 1) / 50, max(0.02, 1.6 * (1.0 - number / steps)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if number % 100 == 0:
            log(f"encoder {number}/{steps}  loss {float(loss.detach()):.3f}")
    save_weights(file, net.state_dict())
    return net.eval()


def frechet(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The Frechet distance between two sets of features (n, d): FD-lite0, not comparable with published FIDs.

    The trace of the square root of the product of covariances is the nuclear norm of a smaller n x n matrix.
    """
    a, b = one.astype(np.float64), other.astype(np.float64)
    centre_a, centre_b = a.mean(0), b.mean(0)
    a, b = (a - centre_a) / np.sqrt(len(a) - 1), (b - centre_b) / np.sqrt(len(b) - 1)
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()  # tr sqrt(A'A B'B) is the nuclear norm of A B'
    return float(((centre_a - centre_b) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2.0 * cross)
