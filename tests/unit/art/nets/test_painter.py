"""The painter: shapes, gradients and masked words."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.painter import (  # noqa: E402 - after the skip
    Discriminator,
    Painter,
    PainterConfig,
)
from auria_bot.art.training.loop import load_matching  # noqa: E402
from tests.unit.art.nets.test_matcher import (  # noqa: E402
    maps,
    texts,
)

TINY = PainterConfig(noise=8, grain=2, style=8, attention=4, widths=(8, 8, 8), last=4)


def test_painter_shapes_and_gradients():
    """A picture of 64 x 64 comes out, and every weight gets a gradient."""
    torch.manual_seed(2)
    net = Painter(TINY)
    out = net(torch.rand(3, 3, 16, 16), *texts(3), torch.randn(3, 8), torch.randn(3, net.grain_channels, 32, 32))
    assert out.shape == (3, 3, 64, 64)
    out.square().mean().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_other_sizes_and_residual_blocks():
    """At 96 pixels the same weights paint a larger picture, and added residual blocks change nothing at first."""
    torch.manual_seed(2)
    small, large = Painter(TINY).eval(), Painter(replace(TINY, size=96, residual=(1, 1))).eval()
    assert load_matching(large, small.state_dict()) == 2 * len(large.low_residual.state_dict())
    inputs = (torch.rand(2, 3, 16, 16), *texts(2), torch.randn(2, 8))
    grain = torch.randn(2, small.grain_channels, 48, 48)
    with torch.no_grad():
        plain, added = Painter(replace(TINY, size=96)).eval(), large(*inputs, grain)
        load_matching(plain, small.state_dict())
        assert added.shape == (2, 3, 96, 96)
        assert torch.allclose(added, plain(*inputs, grain), atol=1e-6)


def test_painter_ignores_masked_words():
    """What stands behind the mask changes nothing."""
    torch.manual_seed(3)
    net = Painter(TINY).eval()
    sketch, (sentence, words, mask) = torch.rand(2, 3, 16, 16), texts(2)
    noise, grain = torch.randn(2, 8), torch.randn(2, net.grain_channels, 32, 32)
    changed = words.clone()
    changed[:, 3:] = 9.0
    with torch.no_grad():
        assert torch.allclose(
            net(sketch, sentence, words, mask, noise, grain),
            net(sketch, sentence, changed, mask, noise, grain),
            atol=1e-5,
        )


def test_untrained_painter_keeps_the_sketch():
    """Before training the picture is about the sketch enlarged."""
    torch.manual_seed(4)
    net = Painter(TINY).eval()
    sketch = torch.rand(2, 3, 1, 1).expand(-1, -1, 16, 16) - 0.5
    with torch.no_grad():
        out = net(sketch, *texts(2), torch.randn(2, 8), torch.randn(2, net.grain_channels, 32, 32))
    assert (out.mean(dim=(2, 3)) - sketch.mean(dim=(2, 3))).abs().max() < 0.2


def test_discriminator():
    """Six heads give logits; the random projections are fixed, and the sentence matters."""
    torch.manual_seed(6)
    discriminator = Discriminator()
    discriminator.calibrate(maps(4))
    seen = discriminator.head_features(maps(2), torch.randn(2, 3, 64, 64))
    one, other = discriminator.head_logits(seen, texts(2)[0]), discriminator.head_logits(seen, texts(2)[0])
    assert len(one) == 6
    assert not torch.allclose(one[0], other[0])
    assert not any(name.startswith(("project", "mix")) for name, _ in discriminator.named_parameters())
    assert torch.equal(discriminator.project8, Discriminator().project8)
