"""The network of one painting: shape, ground and size."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.style_net import ServedStyleNet, StyleNet, StyleNetConfig  # noqa: E402


def test_untrained_it_returns_the_pictures_colours_without_detail():
    """So its content is near the picture's from the first step on."""
    torch.manual_seed(0)
    picture = torch.linspace(0.2, 0.8, 3 * 32 * 40).reshape(1, 3, 32, 40)
    with torch.no_grad():
        restyled = StyleNet(StyleNetConfig(width=4, blocks=1))(picture)
    assert restyled.shape == picture.shape
    assert (restyled - picture).abs().max() < 0.1


def test_the_range_is_that_of_pictures():
    """Black and white are in range too, where the logarithm would have none."""
    net = StyleNet(StyleNetConfig(width=4, blocks=1))
    with torch.no_grad():
        restyled = net(torch.cat([torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)]))
    assert torch.isfinite(restyled).all()
    assert 0 <= restyled.min() <= restyled.max() <= 1


def test_the_default_has_about_400_thousand_parameters():
    """In half precision it takes less than a megabyte."""
    assert 390_000 < sum(each.numel() for each in StyleNet(StyleNetConfig()).parameters()) < 430_000


@pytest.mark.parametrize("size", [(12, 12), (36, 20)])
def test_the_served_form_is_the_same_function(size: tuple[int, int]):
    """Up to rounding, borders included."""
    torch.manual_seed(0)
    net = StyleNet(StyleNetConfig(width=8, blocks=1)).eval()
    torch.nn.init.normal_(net.colours.weight, std=0.1)
    picture = torch.rand(2, 3, *size)
    with torch.no_grad():
        assert (ServedStyleNet(net).eval()(picture) - net(picture)).abs().max() < 1e-5
