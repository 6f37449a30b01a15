"""Tests of auria_bot.art.training.film.plan."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from auria_bot.art.training.film.plan import StepMemory, plan, step_memory


def test_activations_grow_with_the_batch_and_weights_do_not() -> None:
    """Every further frame keeps as many bytes as the one before; checkpointing keeps fewer."""
    one, two, three = (step_memory(64, 64, batch) for batch in (1, 2, 3))
    assert one.weights == two.weights
    assert three.activations - two.activations == pytest.approx(two.activations - one.activations, rel=0.05)
    assert one.checkpointed < one.activations


def test_small_sizes_are_made_and_large_ones_counted() -> None:
    """What a step took is set beside what was counted for it."""
    asked = []

    def measured(width: int, height: int, batch: int) -> int:
        asked.append((width, height, batch))
        return 1_000_000_000

    small, large = plan([(64, 64), (1024, 1024)], batch=1, measured=measured, log=lambda _: None)
    assert asked == [(64, 64, 4)]
    assert small.measured == pytest.approx(1e9 / step_memory(64, 64, 4).total(mixed=False, checkpointing=False))
    assert large.measured is None
    assert large.activations > small.activations


def test_the_smallest_gpu_that_has_room_is_named() -> None:
    """With some memory to spare; none where the step is larger than all."""
    row = StepMemory(width=1, height=1, batch=1, weights=10**9, activations=20 * 10**9, checkpointed=200 * 10**9)
    assert row.gpu(mixed=False, checkpointing=False) == 32
    assert row.gpu(mixed=True, checkpointing=False) == 16
    assert row.gpu(mixed=False, checkpointing=True) is None
    assert row.to_json()["gpu_gb_mixed"] == 16
