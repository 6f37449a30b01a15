"""Several processes that train one model: each computes a share of every step's batch, and all make the same update.

Gradients are averaged by one all-reduce after the backward pass, as DistributedDataParallel does, but weighted by what
each share holds: so a step of any number of workers is a step on the whole batch. Recipes call methods of their nets
other than forward, which DistributedDataParallel's wrapper does not see. Random masks differ from worker to worker.
Li et al. 2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", arXiv:2006.15704.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import distributed

from auria_bot.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["ALONE", "Share", "Workers", "computes_bfloat16", "join"]

# For the first one to prepare the data or evaluate; a lost one is noticed at once.
_TIMEOUT: Final = timedelta(hours=12)
_JOIN: Final = timedelta(minutes=10)  # for all to start
_CONNECT: Final = timedelta(seconds=20)


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for bfloat16; a processor that imitates them is many times slower than without.

    oneDNN says so of processors: on x86 those with AVX-512 have them.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return device.type != "cpu" or (supported is not None and bool(supported()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of a batch that one worker computes."""

    rows: slice
    weight: float  # of its gradient; those of all workers sum to 1, and that of a worker without a row of its own is 0


class Workers:
    """The group as seen by one of its processes; without arguments, a process that trains alone."""

    def __init__(self, *, rank: int = 0, size: int = 1, device: str = "") -> None:
        self.rank, self.size = rank, size
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._weight = 1.0  # of the gradient that was averaged last

    @property
    def is_first(self) -> bool:
        """Whether this process writes checkpoints, logs and the model."""
        return self.rank == 0

    @contextlib.contextmanager
    def first(self) -> Iterator[None]:
        """Let the first worker do the block before the others do, which then find its files where they share a disk."""
        if not self.is_first:
            self._wait()
        yield
        if self.is_first:
            self._wait()

    def share(self, count: int) -> Share:
        """This worker's part of `count` rows."""
        own = len(range(self.rank, count, self.size))
        return Share(rows=slice(self.rank, None, self.size) if own else slice(1), weight=own / count)

    def seed(self, number: int) -> None:
        """Seed torch, differently in each worker; the first one as if it were alone."""
        torch.manual_seed(number + self.rank)

    def average(self, parameters: Iterable[torch.nn.Parameter], weight: float) -> None:
        """Replace the gradients by the sum over all workers, each times its weight."""
        self._weight = weight
        if self.size == 1:
            return
        owned = [each for each in parameters if each.requires_grad]
        with torch.no_grad():
            given = [torch.zeros_like(each) if each.grad is None else each.grad for each in owned]
            flat = torch.cat([each.flatten() for each in given]) * weight
            distributed.all_reduce(flat)
            for each, part in zip(owned, torch.split(flat, [each.numel() for each in owned]), strict=True):
                each.grad = part.view_as(each).clone()

    def update(
        self,
        optimizer: torch.optim.Optimizer,
        loss: torch.Tensor,
        *,
        rate: float,
        weight: float,
        most: float | None = None,
    ) -> None:
        """Make one update by the gradients of every worker's loss.

        Args:
            loss: this worker's, a scalar.
            rate: the learning rate; a group of parameters with a `share` gets that share of it.
            weight: of this worker's gradients in the sum of all.
            most: the norm to which the sum is clipped; None: it is not.
        """
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("share", 1.0)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        owned = [each for group in optimizer.param_groups for each in group["params"]]
        self.average(owned, weight)
        if most is not None:
            torch.nn.utils.clip_grad_norm_(owned, most)
        optimizer.step()

    def gathered(self, part: torch.Tensor, count: int) -> torch.Tensor:
        """The `count` rows of which each worker has its share, in order; this worker's keep their graph.

        For losses that are no mean over rows: computed over all of them by every worker, their gradients sum up to
        that of the whole, as far as parameters come before this call.
        """
        if self.size == 1:
            return part
        sizes = [len(range(rank, count, self.size)) for rank in range(self.size)]
        sent = torch.zeros((max(sizes), *part.shape[1:]), dtype=part.dtype, device=part.device)
        sent[: len(part)] = part.detach()
        found = [torch.empty_like(sent) for _ in sizes]
        distributed.all_gather(found, sent)
        found[self.rank] = part
        rows = torch.cat([torch.arange(rank, count, self.size) for rank in range(self.size)])
        joined = torch.cat([each[:own] for each, own in zip(found, sizes, strict=True)])
        return joined[rows.argsort().to(part.device)]

    def agree(self, figures: Mapping[str, float], *, stop: bool) -> tuple[dict[str, float], bool]:
        """The weighted means of a step's figures, and whether any worker wants to stop."""
        if self.size == 1:
            return dict(figures), stop
        values = torch.tensor([*(value * self._weight for value in figures.values()), float(stop)], dtype=torch.float64)
        distributed.all_reduce(values)
        *means, stops = values.tolist()
        return dict(zip(figures, means, strict=True)), stops > 0

    def spread(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The first worker's tensors, in every worker."""
        if self.size == 1:
            return dict(tensors)
        sent = save_tensors({name: value.detach().cpu().contiguous() for name, value in tensors.items()})
        length = torch.tensor([len(sent)])
        distributed.broadcast(length, 0)
        content = torch.empty(int(length), dtype=torch.uint8)
        if self.is_first:
            content = torch.frombuffer(bytearray(sent), dtype=torch.uint8)
        distributed.broadcast(content, 0)
        return load_tensors(content.numpy().tobytes())

    def leave(self) -> None:
        """Leave the group."""
        if self.size > 1:
            distributed.destroy_process_group()

    def _wait(self) -> None:
        if self.size > 1:
            distributed.all_reduce(torch.zeros(1))


ALONE: Final = Workers()
"""A process that trains alone."""


def join(
    *, host: str, port: int, rank: int, size: int, place: int, threads: int, opened: Callable[[int], None]
) -> Workers:
    """Join a group: NCCL for tensors on GPUs where every worker has one of its own, gloo for all others.

    Args:
        host: the address at which the first worker is found.
        port: its port; 0 in the first worker, which takes a free one.
        rank: this worker's number, from 0.
        place: number of the GPU that is this worker's, where its machine has one for it.
        threads: of the processor, for this worker.
        opened: called in the first worker with its port.

    Raises:
        StepFailed: another process has joined as this worker.
    """
    torch.set_num_threads(threads)
    timeout = _CONNECT if rank else _JOIN
    store = distributed.TCPStore(  # type: ignore[attr-defined]  # torch does not list it
        host, port, size, is_master=rank == 0, timeout=timeout, wait_for_workers=False
    )
    store.set_timeout(_JOIN)
    if rank == 0:
        opened(store.port)
    if store.add(f"joined/{rank}", 1) > 1:
        raise StepFailed(f"worker {rank + 1} of {size} has joined before; its group has to begin again")
    store.set(f"gpu/{rank}", "1" if torch.cuda.device_count() > place else "0")
    all_have = all(store.get(f"gpu/{each}") == b"1" for each in range(size))
    if all_have:
        torch.cuda.set_device(place)
    backend = "cpu:gloo,cuda:nccl" if all_have else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_TIMEOUT)
    return Workers(rank=rank, size=size, device=f"cuda:{place}" if all_have else "cpu")
