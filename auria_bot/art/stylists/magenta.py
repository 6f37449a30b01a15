"""Restyle a picture after a painting: its colours by optimal transport; strokes one by one, or by a network.

Magenta's arbitrary stylisation paints good texture but distributes a painting's colours at random. So texture and
colours are made separately and combined in `auria_bot.art.stylists.composition`. A picture that is painted stroke by
stroke has the same strokes on every canvas, larger on a larger one and sharp.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", 2017.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.checkpoint import verify
from auria_bot.art.colour import ColourDistribution, to_lab
from auria_bot.art.pictures import (
    POST_SIZE,
    at_most,
    correct_exposure,
    crop,
    crop_size,
    open_picture,
    save_picture,
    to_array,
    to_picture,
)
from auria_bot.art.runtime import Network, Precision, RuntimeChoice, load
from auria_bot.art.stylists.choice import choose_medium, choose_painting
from auria_bot.art.stylists.composition import colour_share, combine, grade
from auria_bot.art.stylists.hands import hand_of
from auria_bot.art.stylists.media import STROKE_MODES, render
from auria_bot.art.stylists.style_bank import StyleBank
from auria_bot.art.stylists.style_networks import StyleNetworks
from auria_bot.domain.pipeline import MODES
from auria_bot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.minilm import MiniLM
    from auria_bot.art.stylists.oil_strokes import OnLayer
    from auria_bot.art.stylists.style_bank import BankedPainting
    from auria_bot.domain.artwork import Haiku, Style
    from auria_bot.domain.mood import Mood

__all__ = ["Magenta", "Photorealistic"]


_COLOUR_SIDE = 192  # pixels of the longer side at which colours are sampled


class Magenta:
    """The stylist that ships.

    Mode "oil" moves the colours and paints the picture anew with the hand that was measured of the painting, on a
    canvas of the size that is posted; "watercolour" and "ink" do so with water, and are chosen now and then where they
    suit; "painterly" restyles with the network's texture; "photorealistic" moves colours only. A style that has a
    network of its own is painted by that network, and under the strokes where those are asked for.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        banks: tuple[str, ...] = ()  # folders of the operator's own style banks, beside the one that ships
        work: int = 768  # pixels of the longer side at which a picture is composed; larger ones are enlarged afterwards
        canvas: int = POST_SIZE[0]  # pixels of the width of the 4:5 canvas that strokes are painted on
        network: int = 512  # pixels of the longer side at which a style's own network paints
        strokes: int = 448  # pixels of the longer side at which the network paints; fewer make broader strokes
        margin: int = 32  # pixels reflected around the picture and cut off again, because the network darkens borders
        leanings: dict[str, float] = field(default_factory=dict)  # factor on a painting's chance, by key
        runtime: RuntimeChoice = "auto"  # see art.runtime
        precision: Precision = "f32"  # or "bf16": see art.runtime
        threads: int = 0  # 0: every core

    mode = "oil"
    shows_layers = True

    def __init__(self, config: Config, models: Path, minilm: MiniLM | None = None) -> None:
        self.config = config
        self._net_folder = models / "stylist"
        self._sums = {"stylist": verify(self._net_folder), "styles": verify(models / "styles")}
        self._bank_folders = [models / "styles", *(Path(folder) for folder in config.banks)]
        self._loaded: dict[str, Network] = {}
        self.networks = StyleNetworks(models, side=config.network, runtime=config.runtime, threads=config.threads)
        self._minilm = minilm

    def load(self) -> None:
        """Read the style banks; else the first picture does."""
        _ = self.bank

    @cached_property
    def bank(self) -> StyleBank:
        """Every painting that can be chosen."""
        shipped, *own = self._bank_folders
        return StyleBank.load_all([shipped, *(folder for folder in own if folder.exists())])

    def models(self) -> Mapping[str, str]:
        """SHA-256 of the network, of the style bank, and of the styles' own networks that were used."""
        return {**self._sums, **self.networks.used()}

    def choose(
        self,
        *,
        mood: Mood,
        haiku: Haiku,
        picture: Path,
        seed: int,
        recent: Sequence[str] = (),
        wanted: str | None = None,
    ) -> Style:
        """Choose a painting for a mood, near in meaning to the poem and in colour to the picture.

        Where `wanted` names an artist, among that artist's paintings; where it names a style with its own network,
        that.

        Raises:
            UnknownName: `wanted` is not in the bank.
            PictureError: the picture cannot be read.
        """
        if wanted and (own := self.networks.find(wanted)):
            mode = "painterly" if self.mode == "oil" else self.mode
            return own.style(mode=mode, strength=mood.strength)
        bank = self.bank.matching(wanted) if wanted else self.bank
        if len(bank.paintings) == 1:
            (found,) = bank.paintings
        else:
            small = open_picture(picture)
            small.thumbnail((_COLOUR_SIDE, _COLOUR_SIDE), Image.Resampling.BOX)
            colours = ColourDistribution.of(to_lab(np.asarray(small)), marginals=False)
            meaning = self._encoder().encode([", ".join(haiku.lines)])[0]
            found = choose_painting(
                bank,
                mood=mood,
                meaning=meaning,
                colours=colours,
                seed=seed,
                recent=recent,
                weights=self.config.leanings,
            )
        mode = choose_medium(found, mood=mood, seed=seed) if self.mode == "oil" else self.mode
        return found.style(mode=mode, strength=mood.strength)

    def named(self, wanted: str, *, mode: str, strength: float) -> Style:
        """The style that a name means: with a network of its own, else the first as `StyleBank.matching`.

        Raises:
            UnknownName: there is none.
        """
        painting = self.networks.find(wanted) or self.bank.matching(wanted).paintings[0]
        return painting.style(mode=mode, strength=strength)

    def restyle(self, source: Path, target: Path, *, style: Style, seed: int, on_layer: OnLayer | None = None) -> None:
        """Write `source` in that style as PNG, of the same size; oil strokes on a canvas of 4:5, layer by layer.

        Raises:
            PictureError: the source cannot be read.
            UnknownName: the style is not in the bank.
            UsageError: the style's mode is not known.
            DiskError: the target cannot be written.
        """
        picture = open_picture(source)
        if style.mode in STROKE_MODES:
            size = (self.config.canvas, round(self.config.canvas * POST_SIZE[1] / POST_SIZE[0]))
            restyled = self.painted(picture, style, size=size, seed=seed, on_layer=on_layer)
        else:
            restyled = self.restyled(picture, style)
        save_picture(restyled, target, compress_level=1)

    def painted(
        self, picture: Image.Image, style: Style, *, size: tuple[int, int], seed: int, on_layer: OnLayer | None = None
    ) -> Image.Image:
        """The picture painted stroke by stroke at any size, as for a print: see `media.render`.

        The same picture, style and seed give the same strokes at every size of the same proportions, larger on a larger
        canvas and as sharp.

        Args:
            picture: the enlarged picture, as `restyle` takes it; cropped to the canvas's proportions.
            style: its mode is one of STROKE_MODES.
            size: (width, height) of the canvas in pixels.
            seed: the artwork's, as the style step derives it: `derive(artwork.seed, "strokes")`.
            on_layer: see `media.render`.

        Raises:
            UnknownName: the style is not in the bank.
        """
        painting, shown = self._painting(style.key), crop(picture, crop_size(picture.size, size))
        if style.key in self.networks.names():
            graded = self.networks.restyle(shown, style.key, strength=style.strength)
        else:
            graded = to_picture(grade(to_array(shown), painting.colours, colour_share(style.strength)))
        graded = correct_exposure(graded)
        hand = hand_of(painting.hand)
        if style.mode != "oil":
            hand = replace(hand, medium=style.mode)
        return render(graded, size=size, hand=hand, seed=seed, on_layer=on_layer)

    def restyled(self, picture: Image.Image, style: Style) -> Image.Image:
        """The picture in that style, same size, in a mode without strokes."""
        painting = self._painting(style.key)
        if style.mode == "photorealistic":
            return to_picture(grade(to_array(picture), painting.colours, colour_share(style.strength)))
        if style.mode != "painterly":
            raise UsageError(f"no style mode named {style.mode!r}; known: {', '.join(MODES)}")
        if style.key in self.networks.names():
            return self.networks.restyle(picture, style.key, strength=style.strength)
        size = at_most(picture.size, self.config.work, least=8)
        values = to_array(picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS))
        painted = to_picture(self._strokes(picture, painting.vector)).resize(size, Image.Resampling.BICUBIC)
        strokes = np.asarray(painted, np.uint8)
        result = to_picture(combine(values, strokes, painting.colours, style.strength, self._filter_strokes))
        return result if result.size == picture.size else result.resize(picture.size, Image.Resampling.LANCZOS)

    def texture(self, picture: Image.Image, key: str) -> Image.Image:
        """The arbitrary stylisation's own output after a painting, of the picture's size: colours at random.

        Raises:
            UnknownName: the style is not in the bank.
        """
        painted = to_picture(self._strokes(picture, self.bank.find(key).vector))
        return painted.resize(picture.size, Image.Resampling.BICUBIC)

    def _painting(self, key: str) -> BankedPainting:
        return self.networks.find(key) or self.bank.find(key)

    def _strokes(self, picture: Image.Image, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's output for a picture, (height, width, 3), its longer side at most `strokes` pixels."""
        width, height = at_most(picture.size, self.config.strokes, least=8)
        values = to_array(picture.resize((width, height), Image.Resampling.LANCZOS))
        margin = min(self.config.margin, height - 1, width - 1)
        down, right = margin + (-(height + 2 * margin)) % 4, margin + (-(width + 2 * margin)) % 4
        padded = np.pad(values, ((margin, down), (margin, right), (0, 0)), mode="symmetric")
        style = vector.reshape(1, 1, 1, 100)
        result = self._net("model").run({"picture": padded[None], "style": style})["restyled"][0]
        inner: NDArray[np.float32] = result[margin : margin + height, margin : margin + width]
        return inner

    def _filter_strokes(self, lab: NDArray[np.float32]) -> NDArray[np.float32]:
        """Grain to strokes, (height, width, 3) CIELAB."""
        batch = np.ascontiguousarray(lab.transpose(2, 0, 1)[None], np.float32)
        filtered: NDArray[np.float32] = self._net("brush").run({"lab": batch})["brushed"][0].transpose(1, 2, 0)
        return filtered

    def _net(self, name: str) -> Network:
        if name not in self._loaded:
            path, config = self._net_folder / f"{name}.onnx", self.config
            # The stroke filter computes pixel positions, for which bfloat16 is too coarse.
            precision = "f32" if name == "brush" else config.precision
            self._loaded[name] = load(path, runtime=config.runtime, precision=precision, threads=config.threads)
        return self._loaded[name]

    def _encoder(self) -> MiniLM:
        if self._minilm is None:
            from auria_bot.art.minilm import MiniLM

            self._minilm = MiniLM()
        return self._minilm


class Photorealistic(Magenta):
    """A stylist whose styles move colours only and keep every edge."""

    mode = "photorealistic"
