"""Enlarge pictures with Real-ESRGAN's compact network, four times a pass, in tiles so that memory stays bounded.

The network is defined in `auria_bot.art.nets.srvgg`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.checkpoint import verify
from auria_bot.art.pictures import open_picture, save_picture, to_array, to_picture
from auria_bot.art.runtime import Network, load
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["RealEsrgan"]

_FACTOR = 4  # of one pass
_MARGIN = 10  # pixels computed around a tile and discarded, so that tile borders do not show
LARGEST = 8192  # largest size that can be requested, in pixels


class RealEsrgan:
    """The enlarger that ships.

    A picture goes through the network until its short side has `last_pass` pixels; where a pass would overshoot, the
    picture is first reduced by area averaging, so that the network ends at that size. Beyond, it is interpolated
    (Lanczos); the brush strokes added later carry the finest detail.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        tile: int = 256  # pixels of a tile's side before enlarging; 256 keeps the network under 200 MB
        last_pass: int = 256  # pixels up to which the network is used; beyond, it turns blots into lines
        plain: float = 0.45  # share of plain interpolation blended into each pass, for the same reason
        runtime: str = "auto"  # see art.runtime
        precision: str = "f32"  # or "bf16": see art.runtime
        threads: int = 0  # 0: every core

    def __init__(self, config: Config, models: Path) -> None:
        self.config = config
        self._folder = models / "enlarger"
        self._sha256 = verify(self._folder)
        self._network: Network | None = None

    def models(self) -> Mapping[str, str]:
        """SHA-256 of the model."""
        return {"enlarger": self._sha256}

    def enlarge(self, source: Path, target: Path, *, size: int) -> None:
        """Write `source` as PNG with a short side of `size` pixels.

        Raises:
            PictureError: the source cannot be read.
            InputError: the size is out of range.
            DiskError: the target cannot be written.
        """
        if not 1 <= size <= LARGEST:
            raise InputError(f"a picture cannot be enlarged to {size} pixels; 1 to {LARGEST} are possible")
        picture = self.enlarged(open_picture(source), size)
        save_picture(picture, target, compress_level=1)

    def enlarged(self, picture: Image.Image, size: int) -> Image.Image:
        """An RGB picture with a short side of `size` pixels; larger pictures are reduced."""
        ratio = size / min(picture.size)
        goal = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
        aim = min(size, self.config.last_pass)
        while min(picture.size) < aim:
            if min(picture.size) * _FACTOR > aim * 1.5:
                before = aim / _FACTOR / min(picture.size)
                shape = (max(1, round(picture.width * before)), max(1, round(picture.height * before)))
                picture = picture.resize(shape, Image.Resampling.BOX if before <= 0.5 else Image.Resampling.LANCZOS)
            larger = to_picture(self._pass(to_array(picture)))
            picture = Image.blend(larger, picture.resize(larger.size, Image.Resampling.BICUBIC), self.config.plain)
        return picture if picture.size == goal else picture.resize(goal, Image.Resampling.LANCZOS)

    def _pass(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """(height, width, 3) to (4 height, 4 width, 3), in tiles."""
        if self._network is None:
            self._network = load(
                self._folder / "model.onnx",
                runtime=self.config.runtime,
                precision=self.config.precision,
                threads=self.config.threads,
            )
        height, width = picture.shape[:2]
        result = np.empty((height * _FACTOR, width * _FACTOR, 3), np.float32)
        padded = np.pad(picture, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode="edge")
        for top in range(0, height, self.config.tile):
            for left in range(0, width, self.config.tile):
                rows = min(self.config.tile, height - top)
                columns = min(self.config.tile, width - left)
                part = padded[top : top + rows + 2 * _MARGIN, left : left + columns + 2 * _MARGIN]
                batch = np.ascontiguousarray(part.transpose(2, 0, 1)[None])  # (1, 3, rows, columns)
                large = self._network.run({"picture": batch})["enlarged"][0].transpose(1, 2, 0)
                edge = _MARGIN * _FACTOR
                inner = large[edge : edge + rows * _FACTOR, edge : edge + columns * _FACTOR]
                result[top * _FACTOR : (top + rows) * _FACTOR, left * _FACTOR : (left + columns) * _FACTOR] = inner
        return result
