"""Tests of auria_bot.art.nets.ncnn_weights."""

from __future__ import annotations

import struct

import pytest
import torch
from torch import nn

from auria_bot.art.nets.ncnn_weights import load_ncnn
from auria_bot.art.nets.rrdbnet import Rrdbnet, RrdbnetConfig
from auria_bot.art.nets.srvgg import Srvgg, SrvggConfig
from auria_bot.errors import ModelCorrupt

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
