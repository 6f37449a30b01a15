"""The features of perceptual losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.vgg16 import Vgg16, load_vgg16  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

LENGTH = 58_945_960  # bytes of the packaged file


def test_weights_are_read_from_their_places_in_the_file(tmp_path: Path):
    """A kernel lies there as (height, width, in, out), a bias as it is; what lies elsewhere is not read."""
    path = tmp_path / "weights.h5"
    content = np.memmap(path, np.uint8, mode="w+", shape=LENGTH)
    kernel = np.arange(3 * 3 * 3 * 64, dtype="<f4").reshape(3, 3, 3, 64)
    content[10992 : 10992 + kernel.nbytes] = np.frombuffer(kernel.tobytes(), np.uint8)
    content[30590720 : 30590720 + 4] = np.frombuffer(np.array([2.5], "<f4").tobytes(), np.uint8)
    content.flush()
    net = load_vgg16(path)
    assert np.array_equal(net.layers["1_1"].weight.numpy(), kernel.transpose(3, 2, 0, 1))
    assert net.layers["4_3"].bias[0] == 2.5
    assert not net.layers["2_1"].weight.any()
    assert not any(each.requires_grad for each in net.parameters())


def test_only_what_is_wanted_is_computed():
    """Layers come in their order, each block at half of the resolution before it."""
    with torch.no_grad():
        first, third = Vgg16()(torch.rand(2, 3, 32, 48), ("1_2", "3_1"))
    assert (first.shape, third.shape) == ((2, 64, 32, 48), (2, 256, 8, 12))
    assert first.min() >= 0
