"""Tests of auria_bot.art.nets.stylegan2."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.stylegan2 import (  # noqa: E402 - after the check that torch is there
    Config,
    Discriminator,
    Generator,
    ModulatedConv,
    batch_spread,
)

TINY = Config(height=18, width=32, channels=(8, 8, 4), z=16, w=16, mapping_layers=2)


@pytest.fixture
def generator() -> Generator:
    """A small generator of frames that are no squares, with noise that counts."""
    torch.manual_seed(1)
    made = Generator(TINY)
    for layer in made.layers:
        torch.nn.init.constant_(layer.strength, 0.3)
    return made


@pytest.mark.parametrize(("height", "width"), [(16, 16), (18, 32), (9, 16), (27, 20)])
def test_frames_have_any_size(height: int, width: int) -> None:
    """Also one that doublings do not reach; the discriminator takes the same."""
    config = Config(height=height, width=width, channels=(8, 8, 4), z=16, w=16, mapping_layers=2)
    generator = Generator(config)
    frames = generator(generator.mapping(torch.randn(4, 16)))
    assert frames.shape == (4, 3, height, width)
    assert Discriminator(config)(frames).shape == (4,)


def test_modulation_equals_weights_scaled_for_each_frame() -> None:
    """Scaling inputs and outputs is the same as a convolution with weights of unit norm, made for each style."""
    torch.manual_seed(2)
    conv = ModulatedConv(5, 7, 3, 16)
    x, style = torch.randn(3, 5, 6, 8), torch.randn(3, 16)
    found = conv(x, style)
    for number in range(3):
        weight = conv.weight * conv.affine(style)[number][None, :, None, None]
        weight = weight / weight.square().sum((1, 2, 3), keepdim=True).sqrt()
        wanted = torch.nn.functional.conv2d(x[number : number + 1], weight, padding=1)
        assert torch.allclose(found[number : number + 1], wanted, atol=1e-4)


def test_variance_stays_one_whatever_the_style() -> None:
    """A style a hundred times as strong changes nothing in the scale of the outputs."""
    torch.manual_seed(3)
    conv = ModulatedConv(32, 32, 3, 16)
    x = torch.randn(4, 32, 16, 16)
    for strength in (1.0, 100.0):
        inner = conv(x, strength * torch.randn(4, 16)).detach()[:, :, 1:-1, 1:-1]
        assert float(inner.var()) == pytest.approx(1.0, abs=0.25)


def test_truncation_draws_styles_to_their_mean(generator: Generator) -> None:
    """Wholly at 0, half at 0.5, and only the coarse ones where that is wanted."""
    z = torch.randn(6, 16)
    plain = generator.mapping(z)
    for _ in range(40):
        generator.mapping.follow_mean(plain, keep=0.5)
    mean = generator.mapping.mean
    assert torch.allclose(mean, plain[:, 0].mean(0), atol=1e-4)
    assert torch.allclose(generator.mapping(z, truncation=0.0), mean.expand_as(plain), atol=1e-6)
    assert torch.allclose(generator.mapping(z, truncation=0.5), (plain + mean) / 2, atol=1e-5)
    coarse = generator.mapping(z, truncation=0.0, until=2)
    assert torch.equal(coarse[:, 2:], plain[:, 2:])


def test_only_the_direction_of_a_latent_vector_counts(generator: Generator) -> None:
    """A longer one gives the same style."""
    z = torch.randn(2, 16)
    assert torch.allclose(generator.mapping(z), generator.mapping(3 * z), atol=1e-4)


def test_the_same_noise_gives_the_same_frame(generator: Generator) -> None:
    """Noise of a seed is fixed; new noise, or another seed's, gives another frame."""
    styles = generator.mapping(torch.randn(1, 16))
    fixed = generator(styles, generator.noise(5))
    assert torch.equal(fixed, generator(styles, generator.noise(5)))
    assert not torch.allclose(fixed, generator(styles, generator.noise(6)))
    assert not torch.allclose(generator(styles), generator(styles))


def test_every_style_and_every_weight_counts(generator: Generator) -> None:
    """Each of the style vectors, and each weight, has a gradient."""
    styles = generator.mapping(torch.randn(2, 16))
    styles.retain_grad()
    generator(styles).square().sum().backward()
    assert (styles.grad.abs().sum((0, 2)) > 0).all()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in generator.parameters())


def test_the_spread_of_a_batch_is_seen() -> None:
    """Equal pictures have none; different ones have their mean standard deviation."""
    assert float(batch_spread(torch.ones(4, 2, 3, 5), 4)[:, -1].abs().max()) < 1e-3
    x = torch.randn(4, 200, 3, 5)
    spread = batch_spread(x, 4)
    assert spread.shape == (4, 201, 3, 5)
    assert float(spread[0, -1, 0, 0]) == pytest.approx(float((x.var(0, unbiased=False) + 1e-8).sqrt().mean()), rel=1e-4)
    assert batch_spread(torch.randn(3, 2, 3, 5), 4).shape == (3, 3, 3, 5)
