"""The painter: a colour sketch and words become a small picture, in stages with word attention between them.

After AttnGAN (Xu et al. 2018, arXiv:1711.10485): stages of growing size with word attention, and a matching loss like
its DAMSM (nets.matcher). Unlike it the network is fully convolutional: it starts from a sketch and noise instead of a
learned 4 x 4 grid, which gave every scene one fixed texture. Batch norm is modulated by a style made of noise and
sentence (StackGAN++, BigGAN).

`SketcherGraph` and `PainterGraph` are the exported ONNX graphs. The sampling loop is left to the caller: unrolled, it
would take eight times as long to load as to run.

The discriminator: tells painted pictures from real ones on frozen EfficientNet-Lite0 features, in training only.

After Projected GANs (Sauer et al. 2021, arXiv:2111.01007): feature maps of a frozen network pass fixed random 1 x 1
convolutions, are mixed from coarse to fine, and one small head judges each scale; one more head sees raw pixels. Every
logit has a part that asks whether the picture fits the sentence (Miyato and Koyama 2018, arXiv:1802.05637).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from auria_bot.art.nets.lite0 import STRIDES, TAP_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auria_bot.art.nets.matcher import Scorer
    from auria_bot.art.nets.sketcher import Sketcher

__all__ = [
    "PAINTER_INPUTS",
    "PAINTER_OUTPUTS",
    "SKETCHER_INPUTS",
    "SKETCHER_OUTPUTS",
    "Discriminator",
    "Painter",
    "PainterConfig",
    "PainterGraph",
    "SketcherGraph",
]

SKETCHER_INPUTS, SKETCHER_OUTPUTS = ("components", "time", "sentence"), ("velocity",)
PAINTER_INPUTS = ("components", "style_noise", "grain", "sentence", "words", "mask")
PAINTER_OUTPUTS = ("pictures", "scores", "sketches", "vectors")

_SENTENCE_GAIN = 8.0  # the components of MiniLM's vectors are near 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class PainterConfig:
    """The shape of a Painter."""

    size: int = 64  # pixels a side of the picture; a multiple of 32, at most 128
    noise: int = 96  # numbers of the style noise
    grain: int = 12  # channels of noise beside the sketch, where it enters
    style: int = 192
    attention: int = 64  # channels of attended words
    widths: tuple[int, int, int] = (144, 96, 48)  # channels at an eighth, a quarter and half of the size
    last: int = 12  # channels at the full size
    residual: tuple[int, int] = (0, 0)  # residual blocks added at an eighth and a quarter of the size
    sentence: int = 384
    word: int = 384


class _Styled(nn.Module):
    """3 x 3 convolution, learned noise, batch norm modulated by the style, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, style: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.grain = nn.Parameter(torch.zeros(1, outputs, 1, 1))
        self.norm = nn.BatchNorm2d(outputs, affine=False)
        self.style = nn.Linear(style, 2 * outputs)
        nn.init.normal_(self.style.weight, std=0.02)
        nn.init.zeros_(self.style.bias)

    def forward(self, x: Tensor, style: Tensor, grain: Tensor) -> Tensor:
        scale, shift = self.style(style)[:, :, None, None].chunk(2, dim=1)
        h = self.norm(self.convolution(x) + self.grain * grain)
        return F.leaky_relu(h * (1.0 + scale) + shift, 0.2)


class _Words(nn.Module):
    """Word attention: each place of a map attends to the words."""

    def __init__(self, channels: int, word: int, width: int) -> None:
        super().__init__()
        self.ask = nn.Conv2d(channels, width, 1)
        self.key = nn.Linear(word, width)
        self.value = nn.Linear(word, width)
        self.scale = width**-0.5

    def forward(self, x: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """`x` (n, c, h, w), `words` (n, L, word), `mask` (n, L); gives (n, width, h, w)."""
        count, _, height, width = x.shape
        ask = self.ask(x).flatten(2).transpose(1, 2)  # (n, hw, width)
        score = ask @ self.key(words).transpose(1, 2) * self.scale  # (n, hw, L)
        weight = (score + (mask[:, None] - 1.0) * 1e4).softmax(dim=-1)
        seen: Tensor = (weight @ self.value(words)).transpose(1, 2)  # (n, width, hw)
        return seen.reshape(count, -1, height, width)


class _Residual(nn.Module):
    """A styled block added to its input; it starts as nothing, so that a trained network can be given more of them."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.block = _Styled(channels, channels, style)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, style: Tensor, grain: Tensor) -> Tensor:
        moved: Tensor = x + self.gain * self.block(x, style, grain)
        return moved


class Painter(nn.Module):
    """Sketch, sentence, words and noise to a picture."""

    soften: Tensor

    def __init__(self, config: PainterConfig) -> None:
        super().__init__()
        self.config = config
        low, middle, high = config.widths
        style, width = config.style, config.attention
        self.style = nn.Sequential(
            nn.Linear(config.noise + config.sentence, style),
            nn.LeakyReLU(0.2),
            nn.Linear(style, style),
            nn.LeakyReLU(0.2),
        )
        self.enter = nn.Conv2d(12 + config.grain + 1, low, 3, padding=1)
        self.low = _Styled(low, low, style)
        self.low_residual = nn.ModuleList(_Residual(low, style) for _ in range(config.residual[0]))
        self.low_words = _Words(low, config.word, width)
        self.to_middle = nn.Conv2d(low + width, middle, 1)
        self.middle = nn.ModuleList([_Styled(middle + 3, middle, style), _Styled(middle, middle, style)])
        self.middle_residual = nn.ModuleList(_Residual(middle, style) for _ in range(config.residual[1]))
        self.middle_words = _Words(middle, config.word, width)
        self.to_high = nn.Conv2d(middle + width, high, 1)
        self.high = nn.ModuleList([_Styled(high + 3, high, style), _Styled(high, high, style)])
        self.enlarge = nn.Conv2d(high, 4 * config.last, 3, padding=1)
        self.leave = nn.Conv2d(config.last + 3, 3, 3, padding=1)
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("soften", (line[:, None] * line)[None, None].repeat(3, 1, 1, 1), persistent=False)
        nn.init.normal_(self.leave.weight, std=0.02)
        for index in range(4):  # the four places of a pixel shuffle start alike, to avoid a checkerboard
            self.enlarge.weight.data[index::4] = self.enlarge.weight.data[0::4]
        for layer in (self.leave, self.enlarge):
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(
        self, sketch: Tensor, sentence: Tensor, words: Tensor, mask: Tensor, noise: Tensor, grain: Tensor
    ) -> Tensor:
        """Paint.

        Args:
            sketch: (n, 3, 16, 16) in [-1, 1].
            sentence: (n, 384) of unit length.
            words: (n, L, 384) MiniLM's word-piece vectors.
            mask: (n, L), 1 where there is a word.
            noise: (n, 96) standard normal: the style.
            grain: (n, 12 + 5, size / 2, size / 2) standard normal: texture; the first channels feed the start, the rest
                one block each.

        Returns:
            (n, 3, size, size), about [-1, 1]; clamp before use.
        """
        style = self.style(torch.cat([noise, sentence * _SENTENCE_GAIN], dim=1))
        start, eighth = self.config.grain, self.config.size // 8
        quarter, half = 2 * eighth, 4 * eighth
        sketch = _resized(sketch, quarter)
        rows = torch.linspace(-1.0, 1.0, eighth, device=sketch.device)[None, None, :, None]
        height = rows.expand(sketch.shape[0], 1, eighth, eighth)
        low_grain = grain[:, :start, eighth:quarter, eighth:quarter]
        own_grain = grain[:, start : start + 1, :eighth, :eighth]
        h = self.enter(torch.cat([F.pixel_unshuffle(sketch, 2), low_grain, height], dim=1))  # (n, low, 1/8, 1/8)
        h = self.low(h, style, own_grain)
        for block in self.low_residual:
            h = block(h, style, own_grain)
        h = self.to_middle(torch.cat([h, self.low_words(h, words, mask)], dim=1))  # (n, middle, 1/8, 1/8)
        h = torch.cat([F.interpolate(h, scale_factor=2.0, mode="nearest"), sketch], dim=1)  # (n, ., 1/4, 1/4)
        for number, block in enumerate(self.middle):
            own_grain = grain[:, start + 1 + number : start + 2 + number, :quarter, :quarter]
            h = block(h, style, own_grain)
        for block in self.middle_residual:
            h = block(h, style, own_grain)
        h = self.to_high(torch.cat([h, self.middle_words(h, words, mask)], dim=1))  # (n, high, 1/4, 1/4)
        h = torch.cat([F.interpolate(h, scale_factor=2.0, mode="nearest"), _resized(sketch, half)], dim=1)
        for number, block in enumerate(self.high):  # (n, ., 1/2, 1/2)
            h = block(h, style, grain[:, start + 3 + number : start + 4 + number])
        ground = F.interpolate(sketch, scale_factor=4.0, mode="bicubic", align_corners=False)
        h = F.leaky_relu(F.pixel_shuffle(self.enlarge(h), 2), 0.2)  # (n, last, size, size)
        drawn = self.leave(torch.cat([h, ground], dim=1))
        # Remove the highest frequency: a pixel shuffle can paint single-pixel rainbows that fool the discriminator.
        picture: Tensor = F.conv2d(F.pad(drawn, (1, 1, 1, 1), mode="replicate"), self.soften, groups=3) + ground
        return picture

    @property
    def grain_channels(self) -> int:
        """Channels of the grain input, whose sides are half the picture's."""
        return self.config.grain + 5


def _resized(sketch: Tensor, side: int) -> Tensor:
    """A sketch (n, 3, s, s) at `side` cells."""
    if sketch.shape[-1] == side:
        return sketch
    return F.interpolate(sketch, size=(side, side), mode="bilinear", align_corners=False)


class SketcherGraph(nn.Module):
    """The guided velocity of n sketches of one text; exported as sketcher.onnx."""

    def __init__(self, sketcher: Sketcher, *, guidance: float) -> None:
        super().__init__()
        self.sketcher, self.guidance = sketcher, guidance

    def forward(self, components: Tensor, time: Tensor, sentence: Tensor) -> Tensor:
        """`components` (n, c), `time` (1,) in [0, 1], `sentence` (1, 384) of unit length; gives velocities (n, c)."""
        both = torch.cat([components, components])
        conditions = sentence.expand(components.shape[0], -1)
        conditions = torch.cat([conditions, torch.zeros_like(conditions)])
        guided, free = self.sketcher(both, time.expand(both.shape[0]), conditions).chunk(2)
        velocity: Tensor = free + self.guidance * (guided - free)
        return velocity


class PainterGraph(nn.Module):
    """n sketches of one text to n pictures and their scores; exported as model.onnx."""

    def __init__(self, sketcher: Sketcher, painter: Painter, scorer: Scorer) -> None:
        super().__init__()
        self.sketcher, self.painter, self.scorer = sketcher, painter, scorer

    def forward(
        self, components: Tensor, style_noise: Tensor, grain: Tensor, sentence: Tensor, words: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Paint.

        Args:
            components: (n, 128) of the sketches, as sampled.
            style_noise: (n, 96) standard normal.
            grain: (n, 17, size / 2, size / 2) standard normal.
            sentence: (1, 384) the text's vector, of unit length.
            words: (1, L, 384) its word pieces' vectors.
            mask: (1, L), 1 where there is a word piece.

        Returns:
            Pictures (n, 3, size, size) in [0, 1], their scores against the text (n,), the sketches (n, 3, 16, 16) in
            [-1, 1], and the pictures' vectors in the matcher's space (n, 160), of unit length.
        """
        count = components.shape[0]
        sketches = self.sketcher.cells(components)
        text = (sentence.expand(count, -1), words.expand(count, -1, -1), mask.expand(count, -1))
        pictures = (self.painter(sketches, *text, style_noise, grain) * 0.5 + 0.5).clamp(0.0, 1.0)
        scores, vectors = self.scorer(pictures, sentence, words, mask)
        return pictures, scores, sketches, vectors


_MIXED = {2: 24, 4: 40, 8: 48, 16: 48, 32: 48}  # channels after the random projection
_JUDGED = 64  # channels before a head's logit


class _Head(nn.Module):
    """Two convolutions, then a logit for each place: unconditional, plus how well the place fits the sentence."""

    def __init__(self, channels: Sequence[int], kernels: Sequence[int], sentence: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride=2 if kernel == 4 else 1, padding=(kernel - 1) // 2))
            for inputs, outputs, kernel in zip(channels, channels[1:], kernels, strict=False)
        )
        self.plain = spectral_norm(nn.Conv2d(channels[-1], 1, 1))
        self.told = spectral_norm(nn.Linear(sentence, channels[-1]))

    def features(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return x

    def forward(self, features: Tensor, sentence: Tensor) -> Tensor:
        """(n, places) logits."""
        fit = (features * self.told(sentence)[:, :, None, None]).mean(dim=1, keepdim=True) * 4.0
        logits: Tensor = (self.plain(features) + fit).flatten(1)
        return logits


class Discriminator(nn.Module):
    """Five heads on Lite0's maps and one on pixels."""

    def __init__(self, *, sentence: int = 384, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        for stride in STRIDES:
            given, mixed = TAP_CHANNELS[stride], _MIXED[stride]
            wide = torch.randn(mixed, given, 1, 1, generator=generator) * given**-0.5
            self.register_buffer(f"project{stride}", wide)
            self.register_buffer(f"size{stride}", torch.ones(()))
            if stride < 32:
                coarse = _MIXED[2 * stride]
                mix = torch.randn(mixed, coarse, 1, 1, generator=generator) * coarse**-0.5
                self.register_buffer(f"mix{stride}", mix)
        kernels = {2: (4, 4), 4: (4, 3), 8: (3, 3), 16: (3, 1), 32: (1, 1)}
        self.heads = nn.ModuleDict(
            {
                str(stride): _Head((_MIXED[stride], 40 if stride == 2 else _JUDGED, _JUDGED), kernels[stride], sentence)
                for stride in STRIDES
            }
        )
        self.heads["pixels"] = _Head((3, 24, 48), (4, 4), sentence)

    @torch.no_grad()
    def calibrate(self, taps: Mapping[int, Tensor]) -> None:
        """Measure the standard deviation of each map on real pictures, by which the maps are divided."""
        for stride in STRIDES:
            getattr(self, f"size{stride}").copy_(taps[stride].std())

    def mixed(self, taps: Mapping[int, Tensor]) -> dict[int, Tensor]:
        """Lite0's maps, projected and mixed from coarse to fine: {stride: (n, channels, side / stride, ...)}."""
        found: dict[int, Tensor] = {}
        for stride in reversed(STRIDES):
            here = F.conv2d(taps[stride] / getattr(self, f"size{stride}"), getattr(self, f"project{stride}"))
            if stride < 32:
                coarse = F.conv2d(found[2 * stride], getattr(self, f"mix{stride}"))
                here = (here + F.interpolate(coarse, scale_factor=2.0, mode="nearest")) * 0.7071
            found[stride] = here
        return found

    def head_features(self, taps: Mapping[int, Tensor], pictures: Tensor) -> dict[str, Tensor]:
        """Each head's features of pictures (n, 3, side, side) in [-1, 1] and of Lite0's maps of them."""
        mixed = self.mixed(taps)
        inputs = {str(stride): mixed[stride] for stride in STRIDES} | {"pixels": pictures}
        return {name: head.features(inputs[name]) for name, head in self.heads.items()}  # type: ignore[operator]

    def head_logits(self, features: Mapping[str, Tensor], sentence: Tensor) -> list[Tensor]:
        """Logits of every head, given the sentence (n, 384): positive for a real picture that fits the sentence."""
        return [head(features[name], sentence * _SENTENCE_GAIN) for name, head in self.heads.items()]
