"""A trained film model: latent vectors become style vectors, and these become frames, by ONNX and without torch.

The folder of a film model (`models/film-waves`, or one of the operator's) holds `config.json`, `mapping.onnx`,
`synthesis.onnx`, `card.md` and `SHA256SUMS`. `auria train film` writes it. Karras et al. 2020 (StyleGAN2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.runtime import load
from auria_bot.errors import InputError, ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FilmGenerator", "FilmShape"]

_BATCH = 8  # frames computed at once, which bounds the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmShape:
    """The sizes of a film model, the entry `film` of its config.json."""

    height: int  # pixels of a frame
    width: int
    z: int  # size of a latent vector
    w: int  # size of a style vector
    styles: int  # style vectors of a frame, from coarse to fine
    noise: tuple[tuple[int, int], ...]  # height and width of each layer's noise

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The sizes in a config.json.

        Raises:
            KeyError, TypeError, ValueError: they are incomplete.
        """
        numbers = {name: int(data[name]) for name in ("height", "width", "z", "w", "styles")}
        return cls(**numbers, noise=tuple((int(height), int(width)) for height, width in data["noise"]))


class FilmGenerator:
    """Makes frames.

    The same inputs give the same bytes on the same machine with the same number of threads.

    Args:
        threads: threads to compute with; 0 for every core.

    Raises:
        ModelMissing: a file is missing.
        ModelCorrupt: the files do not match their checksums, or are no film model.
    """

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        self.sha256 = verify(folder)
        try:
            self.shape = FilmShape.from_json(read_json(folder / "config.json")["film"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelCorrupt(f"{folder / 'config.json'} describes no film model: {error}") from None
        self._mapping, self._synthesis = (
            load(folder / f"{name}.onnx", threads=threads) for name in ("mapping", "synthesis")
        )

    def latents(self, seed: int, count: int) -> NDArray[np.float32]:
        """(count, z) latent vectors, always the same of a seed; the first of more are the same."""
        return np.random.default_rng(seed).standard_normal((count, self.shape.z), np.float32)

    def map(self, z: NDArray[np.float32], truncation: float = 1.0) -> NDArray[np.float32]:
        """The style vectors of latent vectors: (n, z) to (n, w).

        Args:
            z: normal random numbers; only their direction counts.
            truncation: 1 leaves the styles as they are, 0 makes each the mean one.
        """
        inputs = {"z": np.ascontiguousarray(z, np.float32), "truncation": np.full(1, truncation, np.float32)}
        found: NDArray[np.float32] = self._mapping.run(inputs)["w"]
        return found

    def noise(self, seed: int) -> list[NDArray[np.float32]]:
        """Noise for every layer, each (1, 1, height, width), always the same of a seed."""
        rng = np.random.default_rng(seed)
        return [rng.standard_normal((1, 1, *size), np.float32) for size in self.shape.noise]

    def frames(self, w: NDArray[np.float32], noise: int | Sequence[NDArray[np.float32]] = 0) -> NDArray[np.uint8]:
        """The frames of style vectors: (n, height, width, 3) in 8-bit sRGB.

        Args:
            w: (n, w) one style vector for all layers of a frame, or (n, styles, w) one for each layer.
            noise: a seed, or for every layer an array (1, 1, height, width), or (n, 1, height, width) with other
                noise for each frame; the sizes are those of `shape.noise`.

        Raises:
            InputError: an array has another shape.
        """
        shape = self.shape
        styles = np.repeat(w[:, None], shape.styles, axis=1) if w.ndim == 2 else w
        if styles.ndim != 3 or styles.shape[1:] != (shape.styles, shape.w):
            raise InputError(f"style vectors must be (n, {shape.w}) or (n, {shape.styles}, {shape.w}), not {w.shape}")
        arrays = self.noise(noise) if isinstance(noise, int) else list(noise)
        count = len(styles)
        for array, size in zip(arrays, shape.noise, strict=True):
            if array.shape not in {(1, 1, *size), (count, 1, *size)}:
                raise InputError(f"noise must be (1, 1, {size[0]}, {size[1]}) or one for each frame, not {array.shape}")
        made = [self._batch(styles, arrays, start) for start in range(0, count, _BATCH)]
        return np.concatenate(made) if made else np.zeros((0, shape.height, shape.width, 3), np.uint8)

    def _batch(
        self, styles: NDArray[np.float32], noise: Sequence[NDArray[np.float32]], start: int
    ) -> NDArray[np.uint8]:
        """Frames start to start + _BATCH."""
        inputs: dict[str, NDArray[Any]] = {"styles": np.ascontiguousarray(styles[start : start + _BATCH], np.float32)}
        for number, array in enumerate(noise):
            part = array if len(array) == 1 else array[start : start + _BATCH]
            inputs[f"noise{number}"] = np.ascontiguousarray(part, np.float32)
        made: NDArray[np.uint8] = self._synthesis.run(inputs)["frames"]
        return made
