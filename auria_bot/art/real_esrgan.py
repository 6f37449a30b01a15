"""Enlarge pictures with Real-ESRGAN's networks, four times a pass, in tiles so that memory stays bounded.

The networks are defined in `auria_bot.art.nets.real_esrgan`: Rrdbnet ("x4plus") and Srvgg ("fast").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from auria_bot.art.checkpoint import verify
from auria_bot.art.pictures import MOST_PIXELS, open_picture, save_picture, to_array, to_picture
from auria_bot.art.runtime import Network, Precision, RuntimeChoice, load
from auria_bot.errors import InputError, PictureError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["RealEsrgan"]

_FACTOR = 4  # of one pass
_MARGIN = 10  # pixels computed around a tile and discarded, so that tile borders do not show


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One of the networks."""

    folder: str  # in the models folder
    tile: int  # most pixels of a tile's side, so that the network stays under 200 MB
    border: int  # pixels repeated around the picture
    blended: bool  # whether plain interpolation is blended into each pass


_KINDS = {
    # Draws grass, foam and bark where the painting has blots; each pixel costs 30 times as much.
    "x4plus": _Kind(folder="enlarger-x4plus", tile=128, border=0, blended=False),
    # It turns blots into lines, which plain interpolation softens.
    "fast": _Kind(folder="enlarger", tile=256, border=_MARGIN, blended=True),
}
_LARGEST = 8192  # largest size that can be requested, in pixels


class RealEsrgan:
    """The enlarger that ships.

    A picture goes through the network until its short side has `last_pass` pixels; where a pass would overshoot, the
    picture is first reduced by area averaging, so that the network ends at that size. Beyond, it is interpolated
    (Lanczos); the brush strokes added later carry the finest detail.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        network: Literal["x4plus", "fast"] = "x4plus"  # fast also where there is no x4plus
        tile: int = 256  # most pixels of a tile's side before enlarging; x4plus takes at most 128
        last_pass: int = 256  # pixels up to which the network is used; beyond, it invents too much
        plain: float = 0.45  # share of plain interpolation blended into each pass of the fast network
        runtime: RuntimeChoice = "auto"  # see art.runtime
        precision: Precision = "f32"  # or "bf16": see art.runtime
        threads: int = 0  # 0: every core

    def __init__(self, config: Config, models: Path) -> None:
        if config.network not in _KINDS:
            raise UnknownName(f"no enlarging network named {config.network[:40]!r}; known: {', '.join(_KINDS)}")
        self.config = config
        self._kind = _KINDS[config.network]
        if not (models / self._kind.folder).is_dir():
            self._kind = _KINDS["fast"]
        self._folder = models / self._kind.folder
        self._sha256 = verify(self._folder)
        self._network: Network | None = None

    def models(self) -> Mapping[str, str]:
        """SHA-256 of the model."""
        return {self._kind.folder: self._sha256}

    def load(self) -> Network:
        """Load the network if it is not, which takes half a second.

        Raises:
            ModelCorrupt: its file is not an ONNX network.
        """
        if self._network is None:
            path, config = self._folder / "model.onnx", self.config
            self._network = load(path, runtime=config.runtime, precision=config.precision, threads=config.threads)
        return self._network

    def enlarge(self, source: Path, target: Path, *, size: int) -> None:
        """Write `source` as PNG with a short side of `size` pixels.

        Raises:
            PictureError: the source cannot be read, or is too narrow.
            InputError: the size is out of range.
            DiskError: the target cannot be written.
        """
        if not 1 <= size <= _LARGEST:
            raise InputError(f"a picture cannot be enlarged to {size} pixels; 1 to {_LARGEST} are possible")
        picture = self.enlarged(open_picture(source), size)
        save_picture(picture, target, compress_level=1)

    def enlarged(self, picture: Image.Image, size: int) -> Image.Image:
        """An RGB picture with a short side of `size` pixels; larger pictures are reduced.

        Raises:
            PictureError: it is so narrow that it would have more than MOST_PIXELS.
        """
        ratio = size / min(picture.size)
        goal = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
        if goal[0] * goal[1] > MOST_PIXELS:
            raise PictureError(
                f"a picture of {picture.width} x {picture.height} pixels is too narrow to be enlarged: it would have"
                f" {goal[0]} x {goal[1]}; at most {MOST_PIXELS:,} in all are possible"
            )
        aim = min(size, self.config.last_pass)
        while min(picture.size) < aim:
            if min(picture.size) * _FACTOR > aim * 1.5:
                before = aim / _FACTOR / min(picture.size)
                shape = (max(1, round(picture.width * before)), max(1, round(picture.height * before)))
                picture = picture.resize(shape, Image.Resampling.BOX if before <= 0.5 else Image.Resampling.LANCZOS)
            larger = to_picture(self._pass(to_array(picture)))
            plain = self.config.plain if self._kind.blended else 0.0
            picture = Image.blend(larger, picture.resize(larger.size, Image.Resampling.BICUBIC), plain)
        return picture if picture.size == goal else picture.resize(goal, Image.Resampling.LANCZOS)

    def _pass(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """(height, width, 3) to (4 height, 4 width, 3), in tiles."""
        network = self.load()
        height, width = picture.shape[:2]
        tile, border = min(self.config.tile, self._kind.tile), self._kind.border
        result = np.empty((height * _FACTOR, width * _FACTOR, 3), np.float32)
        padded = np.pad(picture, ((border, border), (border, border), (0, 0)), mode="edge")
        for top in range(0, height, tile):
            for left in range(0, width, tile):
                rows, columns = min(tile, height - top), min(tile, width - left)
                above, before = max(0, top + border - _MARGIN), max(0, left + border - _MARGIN)
                part = padded[above : top + border + rows + _MARGIN, before : left + border + columns + _MARGIN]
                batch = np.ascontiguousarray(part.transpose(2, 0, 1)[None])  # (1, 3, rows, columns)
                large = network.run({"picture": batch})["enlarged"][0].transpose(1, 2, 0)
                y, x = (top + border - above) * _FACTOR, (left + border - before) * _FACTOR
                inner = large[y : y + rows * _FACTOR, x : x + columns * _FACTOR]
                result[top * _FACTOR : (top + rows) * _FACTOR, left * _FACTOR : (left + columns) * _FACTOR] = inner
        return result
