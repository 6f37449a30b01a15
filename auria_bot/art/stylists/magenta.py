"""Restyles a picture in a painting's manner: strokes by Magenta's arbitrary stylisation, colours by optimal transport.

The net paints strokes well, but scatters a painting's colours over the picture as it likes. So strokes and colours go
separate ways: the picture's own colours move toward the painting's (each place keeps being the lighter or the warmer
one), and the net's result lends its strokes and a part of its broad forms. Does not know poems; a painting is chosen in
`auria_bot.art.stylists.choice`.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.checkpoint import verify
from auria_bot.art.colour import Cloud, from_lab, to_lab
from auria_bot.art.pictures import open_picture, save_picture, to_array, to_picture
from auria_bot.art.runtime import Network, load
from auria_bot.art.style_bank import StyleBank
from auria_bot.art.stylists.choice import choose_painting
from auria_bot.art.stylists.photorealistic import grade
from auria_bot.domain.artwork import Style
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.minilm import MiniLM
    from auria_bot.domain.haiku import Haiku
    from auria_bot.domain.mood import Mood

__all__ = ["Magenta", "MagentaConfig", "Photorealistic", "colour_share", "compose"]

_STUDY_SIDE = 192  # pixels of the side at which colours are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class MagentaConfig:
    """How the stylist works."""

    banks: tuple[str, ...] = ()  # folders of the operator's own style banks, beside the one that ships
    work: int = 768  # pixels of the longer side at which strokes are painted; larger pictures get the strokes enlarged
    margin: int = 32  # pixels reflected around the picture and cut off again: the net darkens borders
    runtime: str = "auto"  # see art.runtime
    threads: int | None = None  # None: every core


def colour_share(strength: float) -> float:
    """How far colours move for a strength of 0 to 1; from 0.42 up, the distance to the painting halves at least."""
    return float(min(max(strength, 0.0), 1.0) ** 0.7)


def compose(
    picture: NDArray[np.float32], strokes: NDArray[np.float32], painting: Cloud, strength: float
) -> NDArray[np.float32]:
    """Join a picture's forms, a painting's colours and the net's strokes.

    Args:
        picture: (height, width, 3) sRGB from 0 to 1.
        strokes: the same size: what the net made of it.
        painting: the painting's colours.
        strength: 0 gives the picture back; 1 takes strokes and colours in full.

    Returns:
        The restyled picture; its colour cloud lies `colour_share(strength)` of the way from picture to painting.
    """
    own = to_lab(picture)
    matrix, offset = Cloud.of(_thumb(own)).toward(painting, colour_share(strength))
    own = own @ matrix + offset
    goal = Cloud.of(_thumb(own))
    net = to_lab(strokes)
    matrix, offset = Cloud.of(_thumb(net)).toward(goal, 1.0)
    net = net @ matrix + offset
    own_forms, net_forms = _forms(own), _forms(net)
    form, texture = 0.45 * strength, min(1.0, 1.4 * strength)
    mixed = own_forms + form * (net_forms - own_forms) + texture * (net - net_forms) + (1 - 0.75 * strength) * (own - own_forms)
    matrix, offset = Cloud.of(_thumb(mixed)).toward(goal, 1.0)
    return from_lab(mixed @ matrix + offset)


def _thumb(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every n-th pixel: enough to know a cloud."""
    step = max(1, min(lab.shape[:2]) // _STUDY_SIDE)
    return lab[step // 2 :: step, step // 2 :: step]


def _forms(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """The broad forms: what is left at a forty-eighth of the longer side."""
    height, width = lab.shape[:2]
    cell = max(1, max(height, width) // 48)
    size = (max(2, width // cell), max(2, height // cell))
    layers = []
    for channel in range(3):
        small = Image.fromarray(np.ascontiguousarray(lab[..., channel])).resize(size, Image.Resampling.BOX)
        layers.append(np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)))
    return np.stack(layers, axis=-1)


class Magenta:
    """The Stylist that ships: "painterly" restyling; a style of mode "photorealistic" moves colours only."""

    Config = MagentaConfig
    mode = "painterly"

    def __init__(self, config: MagentaConfig, models: Path, minilm: MiniLM | None = None) -> None:
        self.config = config
        self._net_folder = models / "stylist"
        self._sums = {"stylist": verify(self._net_folder), "styles": verify(models / "styles")}
        self._bank_folders = [models / "styles", *(Path(folder) for folder in config.banks)]
        self._bank: StyleBank | None = None
        self._network: Network | None = None
        self._minilm = minilm

    @property
    def bank(self) -> StyleBank:
        """Every painting that can be chosen."""
        if self._bank is None:
            self._bank = StyleBank.load_all([self._bank_folders[0], *(each for each in self._bank_folders[1:] if each.exists())])
        return self._bank

    def models(self) -> Mapping[str, str]:
        """Names and SHA-256 of the net and of the style bank."""
        return dict(self._sums)

    def choose(
        self, *, mood: Mood, haiku: Haiku, picture: Path, seed: int, recent: Sequence[str] = (), wanted: str | None = None
    ) -> Style:
        """Choose a painting for a mood, near in meaning to the poem and in colour to the picture.

        Raises:
            UnknownName: `wanted` is not in the bank.
            PictureError: the picture cannot be read.
        """
        if wanted:
            found = self.bank.find(wanted)
        else:
            small = open_picture(picture)
            small.thumbnail((_STUDY_SIDE, _STUDY_SIDE), Image.Resampling.BOX)
            cloud = Cloud.of(to_lab(np.asarray(small)))
            meaning = self._reader().encode([", ".join(haiku.lines)])[0]
            found = choose_painting(self.bank, mood=mood, meaning=meaning, cloud=cloud, seed=seed, recent=recent)
        return Style(
            key=found.key, title=found.title, artist=found.artist, year=found.year, mode=self.mode, strength=mood.strength
        )

    def restyle(self, source: Path, target: Path, *, style: Style, seed: int) -> None:  # noqa: ARG002 - nothing is drawn
        """Write `source` in that style as PNG, of the same size.

        Raises:
            PictureError: the source cannot be read.
            UnknownName: the style is not in the bank.
            InputError: the style's mode is not known.
            DiskError: the target cannot be written.
        """
        picture = open_picture(source)
        save_picture(self.restyled(picture, style), target, compress_level=1)

    def restyled(self, picture: Image.Image, style: Style) -> Image.Image:
        """The picture in that style, same size."""
        painting = self.bank.find(style.key)
        scale = min(1.0, self.config.work / max(picture.size))
        size = (max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))
        if style.mode == "photorealistic":
            return to_picture(grade(to_array(picture), painting.cloud, colour_share(style.strength)))
        if style.mode != "painterly":
            raise InputError(f"no style mode named {style.mode!r}; known: painterly, photorealistic")
        values = to_array(picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS))
        result = to_picture(compose(values, self._strokes(values, painting.vector), painting.cloud, style.strength))
        return result if result.size == picture.size else result.resize(picture.size, Image.Resampling.LANCZOS)

    def _strokes(self, picture: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the net makes of (height, width, 3), same shape."""
        if self._network is None:
            self._network = load(self._net_folder / "model.onnx", runtime=self.config.runtime, threads=self.config.threads)
        height, width = picture.shape[:2]
        margin = min(self.config.margin, height - 1, width - 1)
        down, right = margin + (-(height + 2 * margin)) % 4, margin + (-(width + 2 * margin)) % 4
        padded = np.pad(picture, ((margin, down), (margin, right), (0, 0)), mode="symmetric")
        style = vector.reshape(1, 1, 1, 100)
        result = self._network.run({"picture": padded[None], "style": style})["restyled"][0]
        return result[margin : margin + height, margin : margin + width]

    def _reader(self) -> MiniLM:
        if self._minilm is None:
            from auria_bot.art.minilm import MiniLM

            self._minilm = MiniLM()
        return self._minilm


class Photorealistic(Magenta):
    """A Stylist that moves colours and keeps every edge: its styles have the mode "photorealistic"."""

    mode = "photorealistic"
