"""The captioning net: teacher forcing, single steps and the exported halves are one and the same net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from auria_bot.art import runtime
from auria_bot.art.captioners.vocabulary import START
from auria_bot.art.checkpoint import export_onnx
from auria_bot.art.nets.show_attend_tell import Encode, ShowAttendTell, ShowAttendTellConfig, Step

if TYPE_CHECKING:
    from pathlib import Path

_LENGTHS = [5, 4, 3, 2, 2]


@pytest.fixture
def net() -> ShowAttendTell:
    """A tiny net in evaluation mode."""
    torch.manual_seed(0)
    sizes = ShowAttendTellConfig(words=30, features=8, annotation=6, embedding=5, hidden=7, attention=4)
    return ShowAttendTell(sizes).eval()


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Three pictures with five captions."""
    torch.manual_seed(1)
    tokens = torch.zeros(5, 6, dtype=torch.long)
    for row, length in enumerate(_LENGTHS):
        tokens[row, : length + 1] = torch.randint(2, 30, (length + 1,))
    tokens[:, 0] = START
    return torch.rand(3, 4, 8), torch.tensor([1, 0, 1, 2, 0]), tokens


def test_teacher_forcing_is_the_steps_in_a_row(
    net: ShowAttendTell, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> None:
    """Every word's log-probabilities, and the penalty, equal those of the exported halves run one by one."""
    grid, owners, tokens = batch
    told = net(grid, owners, tokens, _LENGTHS)
    annotations, keys, first_hidden, first_memory = Encode(net)(grid.view(3, 2, 2, 8))
    step = Step(net)
    state = {row: (first_hidden[o : o + 1], first_memory[o : o + 1]) for row, o in enumerate(owners)}
    looked = torch.zeros(5, 4)
    rows = iter(zip(torch.log_softmax(told.logits, 1), told.targets, strict=True))
    for time in range(_LENGTHS[0]):
        for row, length in enumerate(_LENGTHS):
            if length <= time:
                continue
            own = slice(owners[row], owners[row] + 1)
            scores, hidden, memory, weights = step(
                tokens[row, time : time + 1], annotations[own], keys[own], *state[row]
            )
            state[row] = hidden, memory
            looked[row] += weights[0].detach()
            expected, target = next(rows)
            torch.testing.assert_close(scores[0], expected)
            assert target == tokens[row, time + 1]
    assert next(rows, None) is None
    torch.testing.assert_close(told.penalty, (1 - looked).square().mean())


def test_attention_is_a_distribution_over_cells(net: ShowAttendTell) -> None:
    """Weights are not negative and sum to 1."""
    picture = net.encode(torch.rand(2, 4, 8))
    weights = net.advance(picture, torch.zeros(2, 28))[3]
    assert weights.shape == (2, 4)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(2))


def test_every_parameter_learns(net: ShowAttendTell, batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> None:
    """The loss reaches all parameters, with finite gradients."""
    told = net(*batch, _LENGTHS)
    (torch.nn.functional.cross_entropy(told.logits, told.targets) + told.penalty).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("name", runtime.RUNTIMES)
@pytest.mark.filterwarnings("ignore")
def test_exported_halves_run_alike(net: ShowAttendTell, tmp_path: Path, name: str) -> None:
    """ONNX gives torch's scores for any number of beams, whichever runtime runs it."""
    pytest.importorskip("onnxruntime" if name == "onnxruntime" else "openvino")
    grid = torch.rand(1, 2, 3, 8)
    encoded = Encode(net)(grid)
    export_onnx(
        Step(net),
        (torch.tensor([1, 1]), *encoded[:2], *(part.repeat(2, 1) for part in encoded[2:])),
        tmp_path / "s.onnx",
        input_names=("word", "annotations", "keys", "hidden", "memory"),
        output_names=("scores", "h", "c", "weights"),
        dynamic_axes={"word": {0: "b"}, "hidden": {0: "b"}, "memory": {0: "b"}, "scores": {0: "b"}},
        half=False,
    )
    words = torch.tensor([1, 7, 9])
    expected = Step(net)(words, *encoded[:2], *(part.repeat(3, 1) for part in encoded[2:]))
    values = (words, *encoded[:2], *(part.repeat(3, 1) for part in encoded[2:]))
    feeds = {
        n: v.detach().numpy() for n, v in zip(("word", "annotations", "keys", "hidden", "memory"), values, strict=True)
    }
    found = runtime.load(tmp_path / "s.onnx", runtime=name).run(feeds)["scores"]
    np.testing.assert_allclose(found, expected[0].detach().numpy(), atol=1e-5)
