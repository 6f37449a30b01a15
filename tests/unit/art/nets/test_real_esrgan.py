"""Tests of auria_bot.art.nets.real_esrgan."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from auria_bot.art.checkpoint import load_weights
from auria_bot.art.nets.kuwahara_filter import KuwaharaFilter
from auria_bot.art.nets.real_esrgan import Rrdbnet, RrdbnetConfig, Srvgg, SrvggConfig, load_ncnn
from auria_bot.art.runtime import RUNTIMES, load
from auria_bot.errors import ModelCorrupt


def test_a_picture_becomes_four_times_as_large() -> None:
    """In any shape."""
    net = Rrdbnet(RrdbnetConfig(channels=4, growth=3, blocks=2)).eval()
    with torch.no_grad():
        assert net(torch.rand(2, 3, 9, 7)).shape == (2, 3, 36, 28)


def test_the_published_size() -> None:
    """The default shape has the 16,697,987 parameters of x4plus."""
    assert sum(each.numel() for each in Rrdbnet(RrdbnetConfig()).parameters()) == 16_697_987


MODELS = Path(__file__).resolve().parents[4] / "models"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_exported_enlarger_is_the_torch_one(runtime: str) -> None:
    """Both runtimes agree with torch on the shipped weights within a thousandth."""
    net = Srvgg(SrvggConfig())
    net.load_state_dict(load_weights(MODELS / "enlarger" / "weights.safetensors"))
    picture = np.random.default_rng(0).random((1, 3, 12, 20), np.float32)
    with torch.no_grad():
        wanted = net(torch.from_numpy(picture)).numpy()
    found = load(MODELS / "enlarger" / "model.onnx", runtime=runtime, threads=1).run({"picture": picture})["enlarged"]
    assert np.abs(found - wanted).max() < 1e-3


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_exported_brush_is_the_torch_one(runtime: str) -> None:
    """Both runtimes agree with torch within a twentieth of a CIELAB unit on average."""
    lab = np.random.default_rng(0).normal(50, 20, (1, 3, 24, 30)).astype(np.float32)
    with torch.no_grad():
        wanted = KuwaharaFilter()(torch.from_numpy(lab)).numpy()
    found = load(MODELS / "stylist" / "brush.onnx", runtime=runtime, threads=1).run({"lab": lab})["brushed"]
    assert np.abs(found - wanted).mean() < 0.05


def test_the_brush_keeps_edges_and_flattens_grain() -> None:
    """A noisy step becomes two flat halves with the step where it was."""
    lab = torch.zeros(1, 3, 32, 32)
    lab[..., 16:] = 60
    noisy = lab + 2 * torch.randn(lab.shape, generator=torch.Generator().manual_seed(0))
    brushed = KuwaharaFilter()(noisy)
    assert brushed[..., :14].std() < 0.7 * noisy[..., :14].std()
    assert (brushed[..., 17:19].mean() - brushed[..., 13:15].mean()) > 50


def test_the_stylist_net_runs_at_any_size() -> None:
    """Both runtimes give the same restyled picture at a size that is not the package's."""
    rng = np.random.default_rng(0)
    feeds = {
        "picture": rng.random((1, 64, 88, 3), np.float32),
        "style": rng.normal(0, 0.3, (1, 1, 1, 100)).astype(np.float32),
    }
    results = [
        load(MODELS / "stylist" / "model.onnx", runtime=each, threads=1).run(feeds)["restyled"] for each in RUNTIMES
    ]
    assert results[0].shape == (1, 64, 88, 3)
    assert np.abs(results[0] - results[1]).max() < 1e-4


SMALL = SrvggConfig(channels=4, layers=1, scale=2)
DENSE = RrdbnetConfig(channels=4, growth=3, blocks=2)


def ncnn_bytes(net: nn.Module) -> bytes:
    """What ncnn would store of a net."""
    data = b""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            half = layer.weight.detach().numpy().astype("<f2").tobytes()
            data += struct.pack("<I", 0x01306B47) + half + b"\0" * (-len(half) % 4)
            data += layer.bias.detach().numpy().astype("<f4").tobytes()
        elif isinstance(layer, nn.PReLU):
            data += layer.weight.detach().numpy().astype("<f4").tobytes()
    return data


@pytest.mark.parametrize("make", [lambda: Srvgg(SMALL), lambda: Rrdbnet(DENSE)])
def test_ncnn_weights_are_read(make: object) -> None:
    """A net written as ncnn writes it computes the same when read back."""
    torch.manual_seed(0)
    net, other = make().eval(), make()
    picture = torch.rand(1, 3, 9, 7)
    with torch.no_grad():
        difference = net(picture) - load_ncnn(other, ncnn_bytes(net))(picture)
    assert difference.abs().max() < 2e-3


def test_other_files_are_refused() -> None:
    """Too short, too long, or with another tag."""
    data = ncnn_bytes(Srvgg(SMALL))
    for wrong in (data[:-8], data + b"\0\0\0\0", b"\0" * len(data), b""):
        with pytest.raises(ModelCorrupt):
            load_ncnn(Srvgg(SMALL), wrong)
