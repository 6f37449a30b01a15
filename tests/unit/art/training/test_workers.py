"""The share of a worker, and a process that trains alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.training.workers import ALONE, Workers, computes_bfloat16  # noqa: E402 - after the skip

if TYPE_CHECKING:
    from torch import Tensor


@pytest.mark.parametrize(("count", "size"), [(7, 3), (4, 2), (1, 2), (2, 5)])
def test_shares_are_the_whole_batch_once(count: int, size: int):
    """Their weights sum to one; a worker without a row of its own computes one that weighs nothing."""
    shares = [Workers(rank=rank, size=size, device="cpu").share(count) for rank in range(size)]
    rows = list(range(count))
    assert sorted(row for share in shares if share.weight for row in rows[share.rows]) == rows
    assert sum(share.weight for share in shares) == pytest.approx(1.0)
    assert all(rows[share.rows] for share in shares)


def test_a_process_alone_changes_nothing():
    """Gradients, figures and tensors stay what they are, and it is the first."""
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.full((2,), 3.0)
    ALONE.average([parameter], 0.25)
    assert parameter.grad.tolist() == [3.0, 3.0]
    assert ALONE.agree({"loss": 2.0}, stop=True) == ({"loss": 2.0}, True)
    assert ALONE.spread({"a": parameter})["a"] is parameter
    with ALONE.first():
        assert ALONE.is_first
    ALONE.leave()


@pytest.mark.parametrize(("most", "left"), [(None, [-2.0, -3.0]), (2.5, [0.25, 0.0])])
def test_an_update_forgets_the_last_gradients_and_clips(most: float | None, left: list[float]):
    """The rate is set, older gradients are dropped, and the sum's norm is held to the limit."""
    parameter = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
    parameter.grad = torch.full((2,), 100.0)
    optimizer = torch.optim.SGD([parameter], lr=9.0)
    loss = (parameter * torch.tensor([6.0, 8.0])).sum()
    ALONE.update(optimizer, loss, rate=0.5, weight=1.0, most=most)
    assert parameter.tolist() == pytest.approx(left, abs=1e-5)


def test_workers_draw_different_masks():
    """The first one those of a process alone."""
    drawn = []
    for each in (ALONE, Workers(rank=0, size=2, device="cpu"), Workers(rank=1, size=2, device="cpu")):
        each.seed(5)
        drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[1] != drawn[2]


def test_gathered_rows_are_in_order(monkeypatch: pytest.MonkeyPatch):
    """Those of both workers, of which this one's keep their graph."""

    def all_gather(found: list[Tensor], sent: Tensor) -> None:
        assert sent[:, 0].tolist() == [0.0, 2.0, 4.0]
        found[0].copy_(sent)
        found[1].copy_(torch.tensor([[1.0], [3.0], [0.0]]))

    monkeypatch.setattr("torch.distributed.all_gather", all_gather)
    part = torch.tensor([[0.0], [2.0], [4.0]], requires_grad=True)
    whole = Workers(rank=0, size=2, device="cpu").gathered(part, 5)
    assert whole[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    torch.autograd.backward((whole**2).sum())
    assert part.grad is not None
    assert part.grad[:, 0].tolist() == [0.0, 4.0, 8.0]
    assert ALONE.gathered(part, 3) is part


@pytest.mark.parametrize(
    ("device", "library", "expected"),
    [("cpu", lambda: True, True), ("cpu", lambda: False, False), ("cpu", None, False), ("mps", None, True)],
)
def test_half_precision_only_where_the_device_has_it(monkeypatch: pytest.MonkeyPatch, device, library, expected):
    """Of processors oneDNN knows; a build of torch without it computes in single precision."""
    monkeypatch.setattr(
        torch.ops, "mkldnn", SimpleNamespace(_is_mkldnn_bf16_supported=library) if library else object()
    )
    assert computes_bfloat16(torch.device(device)) is expected
