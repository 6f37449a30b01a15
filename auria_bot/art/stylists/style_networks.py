"""Networks that restyle pictures after one painting each: the models whose folders are called style-NAME.

Such a folder holds the network and a style bank of one painting, whose key is NAME. These styles are used where their
name is asked for, and are never drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.checkpoint import verify
from auria_bot.art.pictures import at_most, to_array, to_picture
from auria_bot.art.runtime import load
from auria_bot.art.stylists.composition import colour_share, grade
from auria_bot.art.stylists.style_bank import StyleBank
from auria_bot.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.runtime import Network
    from auria_bot.art.stylists.style_bank import BankedPainting

__all__ = ["PREFIX", "StyleNetworks"]

PREFIX = "style-"
"""What the name of a style network's model begins with; the rest is the style's name."""

_MULTIPLE = 4  # of a network's sides, in pixels
_MARGIN = 16  # pixels reflected around a picture and cut off again, because borders lack neighbours


class StyleNetworks:
    """The style networks of a folder of models.

    Usage::

        networks = StyleNetworks(models)
        if painting := networks.find("starry-night"):
            restyled = networks.restyle(picture, painting.key, strength=0.7)
    """

    def __init__(self, models: Path, *, side: int = 512, runtime: str = "auto", threads: int = 0) -> None:
        """List the networks; each is loaded when it is first used.

        Args:
            side: pixels of the longer side at which a larger picture is restyled, so that memory is bounded.
        """
        self._folders = {
            path.name.removeprefix(PREFIX): path
            for path in sorted(models.glob(f"{PREFIX}*"))
            if (path / "model.onnx").is_file()
        }
        self._side, self._runtime, self._threads = side, runtime, threads
        self._paintings: dict[str, BankedPainting] = {}
        self._networks: dict[str, Network] = {}
        self._sums: dict[str, str] = {}

    def names(self) -> tuple[str, ...]:
        """The names of the styles."""
        return tuple(self._folders)

    def paintings(self) -> tuple[BankedPainting, ...]:
        """What is known of every network's painting, its key replaced by the style's name.

        Raises:
            ModelError: a folder cannot be read.
        """
        return tuple(self._painting(name) for name in self._folders)

    def find(self, wanted: str) -> BankedPainting | None:
        """The painting of the network with that name, whatever its case; None where there is none."""
        name = " ".join(wanted.split()).casefold()
        return self._painting(name) if name in self._folders else None

    def used(self) -> Mapping[str, str]:
        """SHA-256 of the networks that were used so far, by their models' names."""
        return dict(self._sums)

    def restyle(self, picture: Image.Image, name: str, *, strength: float) -> Image.Image:
        """The picture as the network paints it, RGB of the same size; the same bytes for the same picture.

        Args:
            picture: of any size.
            strength: 0 to 1: how far the colours move to the painting's before the network paints.

        Raises:
            UnknownName: there is no such network.
            ModelError: it cannot be read.
        """
        if name not in self._folders:
            raise UnknownName(f"no style network named {name[:60]!r}; known: {', '.join(self._folders) or 'none'}")
        given = picture.convert("RGB")
        size = at_most(given.size, self._side)
        values = to_array(given if given.size == size else given.resize(size, Image.Resampling.LANCZOS))
        graded = grade(values, self._painting(name).colours, colour_share(strength))
        result = to_picture(self._run(name, graded))
        return result if result.size == given.size else result.resize(given.size, Image.Resampling.LANCZOS)

    def _run(self, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's output for (height, width, 3) from 0 to 1, same shape and range."""
        height, width = values.shape[:2]
        below, right = (_MARGIN + (-edge) % _MULTIPLE for edge in (height, width))
        padded = np.pad(values, ((_MARGIN, below), (_MARGIN, right), (0, 0)), mode="symmetric")
        batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None])
        restyled = self._network(name).run({"picture": batch})["restyled"][0]
        inner = restyled[:, _MARGIN : _MARGIN + height, _MARGIN : _MARGIN + width]
        return np.ascontiguousarray(inner.transpose(1, 2, 0))

    def _painting(self, name: str) -> BankedPainting:
        if name not in self._paintings:
            (self._paintings[name],) = StyleBank.load(self._folders[name]).paintings
        return self._paintings[name]

    def _network(self, name: str) -> Network:
        if name not in self._networks:
            folder = self._folders[name]
            self._sums[folder.name] = verify(folder)
            self._networks[name] = load(folder / "model.onnx", runtime=self._runtime, threads=self._threads)
        return self._networks[name]
