"""The sketcher: components, untrained velocity and sampling."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.painter import SketcherGraph  # noqa: E402
from auria_bot.art.nets.sketcher import Sampler, Sketcher, SketcherConfig  # noqa: E402
from tests.unit.art.nets.test_matcher import texts  # noqa: E402

SMALL = SketcherConfig(components=20, width=16, hidden=16, blocks=1)


def cells(count):
    """Random smooth sketches."""
    rng = np.random.default_rng(0)
    return np.clip(
        rng.normal(0, 0.3, (count, 3, 1, 1))
        + np.linspace(-0.5, 0.5, 16)[None, None, :, None] * rng.normal(0, 1, (count, 1, 1, 1))
        + np.zeros((1, 1, 1, 16)),
        -1,
        1,
    ).astype(np.float32)


def test_components_round_trip():
    """A sketch survives the way to components and back when it lies in their span."""
    torch.manual_seed(0)
    net = Sketcher(SMALL)
    given = cells(80)
    net.fit(given)
    back = net.cells(net.components(torch.from_numpy(given)))
    assert np.abs(back.numpy() - given).max() < 0.02


def test_untrained_velocity_is_zero():
    """The last layer starts at zero, so that training starts from the mean."""
    net = Sketcher(SMALL)
    assert net(torch.randn(3, 20), torch.rand(3), texts(3)[0]).abs().max() == 0


def _filled():
    """A net whose every weight counts."""
    torch.manual_seed(1)
    net = Sketcher(SMALL)
    net.fit(cells(50))
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return net


def test_sampler():
    """Sampling gives sketches in range, which follow the sentence, and whose gradients reach the net."""
    net = _filled()
    noise, sentence = torch.randn(4, 20), texts(4)[0]
    made, other = Sampler(net, steps=2)(noise, sentence), Sampler(net, steps=2)(noise, -sentence)
    assert made.shape == (4, 3, 16, 16)
    assert made.abs().max() <= 1
    assert not torch.allclose(made, other, atol=1e-3)
    made.sum().backward()
    assert net.enter.weight.grad.abs().max() > 0


def test_guidance():
    """The exported graph leaves the sentence aside at 0, and goes beyond it above 1."""
    net, components, time = _filled(), torch.randn(4, 20), torch.full((1,), 0.5)
    sentence = texts(1)[0]
    with torch.no_grad():
        free, plain, beyond = (
            SketcherGraph(net, guidance=each)(components, time, sentence) for each in (0.0, 1.0, 2.0)
        )
        assert torch.allclose(free, SketcherGraph(net, guidance=0.0)(components, time, -sentence), atol=1e-5)
        assert torch.allclose(plain, net(components, time.expand(4), sentence.expand(4, -1)), atol=1e-5)
    assert torch.allclose(beyond - plain, plain - free, atol=1e-4)
    assert not torch.allclose(plain, free, atol=1e-3)
