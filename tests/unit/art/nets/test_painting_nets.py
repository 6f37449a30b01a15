"""Sketcher, painter, matcher and critic: shapes, gradients and the rules they promise."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.discriminator import Discriminator  # noqa: E402
from auria_bot.art.nets.lite0 import STRIDES, TAP_CHANNELS  # noqa: E402
from auria_bot.art.nets.matcher import Matcher, MatcherConfig  # noqa: E402
from auria_bot.art.nets.painter import Painter, PainterConfig  # noqa: E402
from auria_bot.art.nets.sketcher import Sampler, Sketcher, SketcherConfig  # noqa: E402

SMALL = SketcherConfig(components=20, width=16, hidden=16, blocks=1)
TINY = PainterConfig(noise=8, grain=2, style=8, attention=4, widths=(8, 8, 8), last=4)


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


def maps(count):
    """Random maps of the shapes Lite0 gives for 64 x 64 pixels."""
    return {stride: torch.randn(count, TAP_CHANNELS[stride], 64 // stride, 64 // stride) for stride in STRIDES}


def texts(count, length=6):
    """Random sentences, words and masks."""
    mask = torch.zeros(count, length)
    mask[:, :3] = 1.0
    return torch.nn.functional.normalize(torch.randn(count, 384), dim=1), torch.randn(count, length, 384), mask


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


def test_sampler():
    """Sampling gives sketches in range, and without guidance costs the sentence nothing of its effect."""
    torch.manual_seed(1)
    net = Sketcher(SMALL)
    net.fit(cells(50))
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    noise, sentence = torch.randn(4, 20), texts(4)[0]
    with torch.no_grad():
        made = Sampler(net, steps=2, guidance=2.0)(noise, sentence)
        free = Sampler(net, steps=2, guidance=0.0)(noise, sentence)
        other = Sampler(net, steps=2, guidance=0.0)(noise, -sentence)
    assert made.shape == (4, 3, 16, 16)
    assert made.abs().max() <= 1
    assert torch.allclose(free, other, atol=1e-5)
    assert not torch.allclose(made, free, atol=1e-3)


def test_painter_shapes_and_gradients():
    """A picture of 64 x 64 comes out, and every weight gets a gradient."""
    torch.manual_seed(2)
    net = Painter(TINY)
    out = net(torch.rand(3, 3, 16, 16), *texts(3), torch.randn(3, 8), torch.randn(3, net.grain_channels, 32, 32))
    assert out.shape == (3, 3, 64, 64)
    out.square().mean().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


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


def test_matcher_scores():
    """Scores of all pairs, bounded, the words' part equal to the definition written out."""
    torch.manual_seed(5)
    net = Matcher(MatcherConfig(width=8, hidden=8)).eval()
    seen, (sentence, words, mask) = net.encode_pictures(maps(3)), texts(2)
    told = net.encode_texts(sentence, words)
    with torch.no_grad():
        scores = net.scores(seen, told, mask)
        region, word = seen[1][1], told[1][0, :3]
        weight = (region @ word.T * net.config.sharpness).softmax(dim=0)
        found = weight.T @ region
        parts = torch.nn.functional.cosine_similarity(found, word, dim=1).mean()
        whole = seen[0][1] @ told[0][0]
    assert scores.shape == (3, 2)
    assert scores.abs().max() <= 1.001
    assert torch.allclose(scores[1, 0], 0.6 * whole + 0.4 * parts, atol=1e-4)


def test_critic():
    """Six heads give logits; the random projections are fixed, and the sentence matters."""
    torch.manual_seed(6)
    critic = Discriminator()
    critic.calibrate(maps(4))
    seen = critic.head_features(maps(2), torch.randn(2, 3, 64, 64))
    one, other = critic.head_logits(seen, texts(2)[0]), critic.head_logits(seen, texts(2)[0])
    assert len(one) == 6
    assert not torch.allclose(one[0], other[0])
    assert not any(name.startswith(("project", "mix")) for name, _ in critic.named_parameters())
    assert torch.equal(critic.project8, Discriminator().project8)
