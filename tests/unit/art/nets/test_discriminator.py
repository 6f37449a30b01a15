"""The discriminator: its heads, and what they depend on."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.discriminator import Discriminator  # noqa: E402
from tests.unit.art.nets.test_matcher import maps, texts  # noqa: E402


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
