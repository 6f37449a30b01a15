"""A training run that is stopped goes on as the same run."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.training import loop  # noqa: E402 - after the skip
from auria_bot.errors import InputError  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path


class Line:
    """Fits a straight line with Adam; batches are drawn by the step's number."""

    name = "line"

    def __init__(self, *, stop_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.net = torch.nn.Linear(1, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.05)
        self.stop_at = stop_at

    def modules(self) -> dict[str, torch.nn.Module]:
        return {"net": self.net}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"adam": self.optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        x = torch.randn(16, 1, generator=torch.Generator().manual_seed(number))
        loss = ((self.net(x) - (3 * x - 1)) ** 2).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if number + 1 == self.stop_at:
            # The handler is called, not the process signalled: a runtime loaded by an earlier test may have left a
            # signal stack behind that no longer exists, and the kernel would then end the tests.
            handler = signal.getsignal(signal.SIGTERM)
            assert callable(handler)
            handler(signal.SIGTERM, None)
        return {"loss": loss.item()}

    def evaluate(self) -> dict[str, float]:
        return {"slope": self.net.weight.item()}


def test_an_interrupted_run_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    """SIGTERM after 37 of 90 steps saves and stops; the resumed run has the same weights as one sitting."""
    whole = Line()
    loop.run(whole, tmp_path / "whole", steps=90, log=lambda _: None)
    halted = loop.run(Line(stop_at=37), tmp_path / "parts", steps=90, log=lambda _: None)
    assert (halted.step, halted.finished) == (37, False)
    resumed = Line()
    ended = loop.run(resumed, tmp_path / "parts", steps=90, log=lambda _: None)
    assert ended.finished
    assert torch.equal(resumed.net.weight, whole.net.weight)
    assert torch.equal(resumed.net.bias, whole.net.bias)
    assert abs(ended.metrics["slope"] - 3) < 1


def test_only_the_newest_checkpoint_is_kept_and_the_log_is_json(tmp_path: Path) -> None:
    """Old checkpoints go once a newer one stands; every log line is JSON with its step."""
    loop.run(Line(), tmp_path, steps=5, save_every=0.0, evaluate_every=2, log=lambda _: None)
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-00000005.safetensors"]
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4, 5]


def test_a_checkpoint_of_another_recipe_is_told(tmp_path: Path) -> None:
    """Not by a list of weights: what is wrong, and what can be done."""
    loop.run(Line(), tmp_path, steps=2, minutes=0, log=lambda _: None)
    other = Line()
    other.net = torch.nn.Linear(2, 1)
    with pytest.raises(InputError, match=f"the checkpoint in {tmp_path} was made with other sizes"):
        loop.restore(other, tmp_path)


def test_a_time_budget_ends_the_sitting(tmp_path: Path) -> None:
    """With no minutes left the run stops after one step and says it is not finished."""
    outcome = loop.run(Line(), tmp_path, steps=50, minutes=0.0, log=lambda _: None)
    assert outcome.step == 1
    assert not outcome.finished


def test_rate_is_constant_until_the_end():
    """The rate rises, stays, and falls over the last updates only; without an end in sight it does not fall."""
    assert loop.cooled(0, 10**6, cool=500) == 0.01
    assert loop.cooled(5000, 10**6, cool=500) == 1.0
    assert loop.cooled(750, 1000, cool=500) == 0.5
    assert loop.cooled(999, 1000, cool=500) == 0.05
