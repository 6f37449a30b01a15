"""The ranker: how much a painted candidate looks like a real picture, and like what the operator approves.

EfficientNet-Lite0's pooled features of a picture are projected onto a few directions, its traits: the components in
which pictures vary most, and last the direction that tells real pictures from the painter's own. Weights learned from
the operator's decisions can be added to those of the model (`domain.approval`). Uses models/ranker and models/lite0,
and no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load_file

from auria_bot.art import runtime
from auria_bot.art.checkpoint import read_json, verify
from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["SIDE", "Ranker", "RankerWeights", "at_side", "read_weights"]

SIDE = 64  # pixels a side at which rankers are trained


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerWeights:
    """The linear model."""

    mean: NDArray[np.float32]  # (d,) of the features
    basis: NDArray[np.float32]  # (traits, d): features less their mean to traits of unit variance
    weight: NDArray[np.float32]  # (traits,)
    bias: float

    def traits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features (n, d) to traits (n, traits)."""
        projected: NDArray[np.float32] = np.asarray((features - self.mean) @ self.basis.T, np.float32)
        return projected

    def logits(self, traits: NDArray[np.float32], learned: Sequence[float] = ()) -> NDArray[np.float32]:
        """(n,) above 0 for what looks rather real; `learned` weights of traits are added to the model's own."""
        weight = self.weight + np.asarray(learned, np.float32) if len(learned) == len(self.weight) else self.weight
        found: NDArray[np.float32] = traits @ weight + np.float32(self.bias)
        return found


class Ranker:
    """Judges candidates.

    Args:
        models: the folder with the trained models; models/ranker and models/lite0 are used.
        runtime_name: "auto", "openvino" or "onnxruntime".
        threads: threads to compute with; 0 for every core.

    Raises:
        ModelMissing: a model is missing.
        ModelCorrupt: its files do not match their checksums.
    """

    def __init__(self, models: Path, *, runtime_name: str = "auto", threads: int = 0) -> None:
        self.sha256 = verify(models / "ranker")
        self.weights = read_weights(models / "ranker" / "weights.safetensors")
        self._side = int(read_json(models / "ranker" / "config.json").get("side", SIDE))
        self._lite0 = runtime.load(models / "lite0" / "model.onnx", runtime=runtime_name, threads=threads)

    def traits(self, pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """The traits (n, traits) of square RGB pictures of any one size."""
        pixels = np.stack([at_side(picture, self._side) for picture in pictures]).astype(np.float32) / 255.0
        pooled = self._lite0.run({"pictures": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))})["pooled"]
        return self.weights.traits(pooled)


def at_side(picture: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """A square picture at side x side pixels."""
    if picture.shape[0] == side:
        return picture
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))


def read_weights(path: Path) -> RankerWeights:
    """Read the linear model.

    Raises:
        ModelCorrupt: the file is missing something or cannot be read.
    """
    try:
        stored: Mapping[str, NDArray[np.floating]] = load_file(path)
        arrays = {name: stored[name].astype(np.float32) for name in ("mean", "basis", "weight", "bias")}
    except (SafetensorError, OSError, KeyError) as error:
        raise ModelCorrupt(f"{path} cannot be read: {error}") from None
    return RankerWeights(
        mean=arrays["mean"], basis=arrays["basis"], weight=arrays["weight"], bias=float(arrays["bias"][0])
    )
