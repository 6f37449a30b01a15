"""The memory that one training step of a film model takes, at several sizes of frames, before a GPU is rented.

What the step keeps for its gradients is counted on PyTorch's meta device, which computes shapes and no numbers, so that
the largest sizes can be counted on any machine. The critic is the projected one. At small sizes a step is also made,
in a process of its own whose memory is measured.

    python -m auria_bot.art.training.film.plan WIDTH HEIGHT BATCH

makes that step and prints the bytes that it took at most.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.autograd.graph import saved_tensors_hooks

from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.nets.projected_critic import ProjectedCritic
from auria_bot.art.nets.stylegan2 import Generator
from auria_bot.art.training.film.losses import hinge_loss
from auria_bot.art.training.film.train import settings_of_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

__all__ = ["SIZES", "StepMemory", "measure_step", "plan", "step_memory"]

SIZES: Final = ((256, 256), (512, 512), (1024, 1024), (1920, 1080))
"""Widths and heights for which a plan is made."""

_MADE = 4  # frames of a step that is made
_COPIES = 4  # of each trained weight: itself, its gradient, two averages of Adam
_MEASURED = 512 * 512  # pixels up to which a step is made
_GPUS = (8, 12, 16, 24, 32, 48, 80, 141)  # GB that are sold
_SPARE = 1.3  # of the counted bytes, for the runtime's work space and fragments


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMemory:
    """Bytes of one training step."""

    width: int
    height: int
    batch: int
    weights: int  # weights, gradients, Adam's averages, the weight average, Lite0
    activations: int  # kept for the gradients, in single precision
    checkpointed: int  # the same with gradient checkpointing in the generator
    measured: float | None = None  # bytes of a step that was made with few frames, over those counted for it

    def total(self, *, mixed: bool, checkpointing: bool) -> int:
        """Weights and activations; these take half in mixed precision."""
        kept = self.checkpointed if checkpointing else self.activations
        return self.weights + (kept // 2 if mixed else kept)

    def gpu(self, *, mixed: bool, checkpointing: bool) -> int | None:
        """The smallest memory of a GPU in GB in which the step has room; None where there is none."""
        needed = self.total(mixed=mixed, checkpointing=checkpointing) * _SPARE / 1e9
        return next((size for size in _GPUS if size >= needed), None)

    def to_json(self) -> dict[str, Any]:
        """All numbers."""
        return asdict(self) | {
            f"gpu_gb{'_mixed' if mixed else ''}{'_checkpointed' if less else ''}": self.gpu(
                mixed=mixed, checkpointing=less
            )
            for mixed in (False, True)
            for less in (False, True)
        }


def plan(
    sizes: Sequence[tuple[int, int]] = SIZES,
    *,
    batch: int | None = None,
    measured: Callable[[int, int, int], int | None] | None = None,
    log: Callable[[str], None] = print,
) -> list[StepMemory]:
    """The memory at each size (width, height).

    Args:
        batch: frames of a step; None: the recipe's.
        measured: makes a step of (width, height, batch) and returns its bytes; None: `measure_step`.
    """
    found = []
    for width, height in sizes:
        row = step_memory(width, height, batch or settings_of_size(height, width).batch)
        if width * height <= _MEASURED:
            log(f"making a step of {_MADE} frames of {width} x {height} pixels, to compare")
            taken = (measured or measure_step)(width, height, _MADE)
            counted = step_memory(width, height, _MADE).total(mixed=False, checkpointing=False)
            row = replace(row, measured=taken / counted if taken else None)
        found.append(row)
    return found


def step_memory(width: int, height: int, batch: int) -> StepMemory:
    """Count the bytes of a step."""
    settings = settings_of_size(height, width)
    generator, critic, lite0 = Generator(settings.generator), ProjectedCritic(settings.projected), Lite0()
    lite0.requires_grad_(requires_grad=False)
    weights = (_COPIES + 1) * _bytes(generator) + _COPIES * _bytes(critic) + _bytes(lite0)
    for net in (generator, critic, lite0):
        net.to("meta")
    whole = _Kept()
    levels = [whole.mark_before(layer) for layer in generator.layers[1::2]]
    with whole:
        _loss(generator, critic, lite0, torch.empty(batch, settings.generator.z, device="meta"))
    for mark in levels:
        mark.remove()
    generator.checkpointing = True
    less = _Kept()
    with less:
        _loss(generator, critic, lite0, torch.empty(batch, settings.generator.z, device="meta"))
    return StepMemory(
        width=width,
        height=height,
        batch=batch,
        weights=weights,
        activations=whole.total,
        checkpointed=less.total + whole.largest_part(),
    )


def measure_step(width: int, height: int, batch: int) -> int | None:
    """Make a step in a process of its own; the most memory that it took in bytes, None where that failed."""
    command = [sys.executable, "-m", "auria_bot.art.training.film.plan", *map(str, (width, height, batch))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this program
    return int(done.stdout.split()[-1]) if done.returncode == 0 and done.stdout.strip() else None


def _loss(generator: Generator, critic: ProjectedCritic, lite0: Lite0, z: Tensor) -> Tensor:
    """The losses of both updates, with all that they keep."""
    made = generator(generator.mapping(z))
    features = critic.features(lite0, made)
    with torch.no_grad():
        real = critic.features(lite0, made.detach())
    critic_loss = hinge_loss(critic(real), critic([one.detach() for one in features]))
    return critic_loss - torch.stack([one.mean() for one in critic(features)]).mean()


def _bytes(net: nn.Module) -> int:
    return sum(one.numel() * one.element_size() for one in net.parameters())


class _Kept(saved_tensors_hooks):
    """Counts the bytes of the tensors that are kept for gradients, each once, weights left out."""

    def __init__(self) -> None:
        self.total = 0
        self._marks: list[int] = []
        self._seen: dict[int, Tensor] = {}  # by storage, kept alive so that no number is used twice
        super().__init__(self._keep, lambda tensor: tensor)

    def mark_before(self, module: nn.Module) -> Any:
        """Begin a part whenever a module is run; the handle removes the mark."""
        return module.register_forward_pre_hook(lambda *_: self._marks.append(self.total))

    def largest_part(self) -> int:
        """The bytes of the largest part, the last being open towards what follows the generator."""
        ends = self._marks[1:]
        return max((end - begin for begin, end in zip(self._marks, ends, strict=False)), default=self.total)

    def _keep(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        key = storage._cdata  # noqa: SLF001 - storages of the meta device have no other identity
        if not isinstance(tensor, torch.nn.Parameter) and key not in self._seen:
            self._seen[key] = tensor
            self.total += storage.nbytes()
        return tensor


def main() -> int:
    """Make a step, and print the most memory that it took beyond that of the empty program."""
    width, height, batch = (int(text) for text in sys.argv[1:4])
    torch.set_num_threads(1)
    settings = settings_of_size(height, width)
    warm = torch.nn.Conv2d(3, 3, 3)(torch.randn(1, 3, 32, 32)).sum()
    warm.backward()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    generator, critic, lite0 = Generator(settings.generator), ProjectedCritic(settings.projected), Lite0()
    lite0.requires_grad_(requires_grad=False)
    optimizers = [torch.optim.Adam(net.parameters()) for net in (generator, critic)]
    noise = torch.randn(batch, settings.generator.z)
    _loss(generator, critic, lite0, noise).backward()  # type: ignore[no-untyped-call]
    for optimizer in optimizers:
        optimizer.step()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    sys.stdout.write(f"{(after - before) * unit}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
