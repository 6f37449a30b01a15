"""Tests of auria_bot.art.training.film.critics: the standard critic in a training of a few steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from auria_bot.art.nets.lite0 import Lite0  # noqa: E402 - after the check that torch is there
from auria_bot.art.training.film.critics import Group, Standard  # noqa: E402
from tests.unit.art.training.film.test_train import TINY, trained, weights  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

STANDARD = replace(TINY, critic="standard", cool=1, r1_every=2, augment_pictures=20, augment_target=-1.5, half=False)


GROUP = Group(count=4)


def frames(seed: int) -> Tensor:
    """A batch of random frames."""
    return 2 * torch.rand(4, 3, 16, 28, generator=torch.Generator().manual_seed(seed)) - 1


def test_a_resumed_training_keeps_the_chance_of_augmentation(tmp_path: Path) -> None:
    """Two updates and two more give discriminator, generator and chance of four at once."""
    lite0 = Lite0().eval().requires_grad_(requires_grad=False)
    straight = weights(trained(tmp_path, lite0, "straight", steps=4, settings=STANDARD))
    trained(tmp_path, lite0, "twice", steps=2, settings=replace(STANDARD))
    resumed = weights(trained(tmp_path, lite0, "twice", steps=4, settings=STANDARD))
    # Four batches of 4 pictures, of 20 from no augmentation to all: 0.8 of the way.
    assert float(straight["module.augmentation.value"]) == pytest.approx(0.8)
    different = [key for key in straight if not torch.allclose(straight[key], resumed[key], atol=1e-5)]
    assert not [key for key in different if not key.startswith("optimizer")]


def test_the_penalty_is_lazy() -> None:
    """Every second update has it, and it moves the discriminator."""
    torch.manual_seed(0)
    critic = Standard(STANDARD)
    real, made = frames(1), frames(2)
    assert "r1" not in critic.step(real, made, number=0, rate=1e-3, group=GROUP)[1]
    assert critic.step(real, made, number=1, rate=1e-3, group=GROUP)[1]["r1"] > 0


def test_the_discriminator_learns_and_the_generator_hears_of_it() -> None:
    """Real and made frames that differ are told apart; the verdict has a gradient for made frames and none for the net."""
    torch.manual_seed(0)
    critic = Standard(replace(STANDARD, augment_target=2.0))
    made = (frames(2) * 0.1).requires_grad_()
    first = critic.step(frames(1), made, number=0, rate=2e-3, group=GROUP)[1]["critic"]
    for number in range(1, 12):
        verdict, figures = critic.step(frames(number), made, number=number, rate=2e-3, group=GROUP)
    assert figures["critic"] < first
    critic.optimizer.zero_grad(set_to_none=True)
    verdict.backward()  # type: ignore[no-untyped-call]
    assert made.grad is not None
    assert float(made.grad.abs().sum()) > 0
    net = critic.modules()["discriminator"]
    assert all(one.grad is None for one in net.parameters())
