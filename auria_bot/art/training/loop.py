"""The training loop: steps, checkpoints, resuming, a time budget, a log that TensorBoard reads too.

A run killed at any moment resumes from its last checkpoint as the same run, because recipes draw their batches from the
step's number.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import time
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import torch

from auria_bot.art.checkpoint import load_weights, part_of, read_json, save_weights, write_json
from auria_bot.art.training.event_log import EventLog
from auria_bot.art.training.figures_page import write_figures_page
from auria_bot.art.training.training_log import LOG
from auria_bot.art.training.workers import ALONE
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from auria_bot.art.training.workers import Workers

__all__ = [
    "Outcome",
    "Recipe",
    "cooled",
    "copy_average",
    "load_matching",
    "read_settings",
    "restore",
    "run",
    "training_folder",
    "update_average",
]

_LOG_EVERY = 15.0  # seconds between log lines
Net = TypeVar("Net", bound="nn.Module")
Settings = TypeVar("Settings")


class Recipe(Protocol):
    """What is trained, and how one step is made."""

    name: str

    def modules(self) -> dict[str, nn.Module]:
        """The modules whose state is saved, by name (weight averages included)."""
        ...

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimisers whose state is saved, by name."""
        ...

    def step(self, number: int, total: int) -> dict[str, float]:
        """Make update `number` of `total` (from 0); batches are drawn by an RNG seeded with the number."""
        ...

    def evaluate(self) -> dict[str, float]:
        """Measure on the validation split."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended."""

    step: int  # steps made in all, earlier sessions included
    total: int  # steps asked for
    seconds: float  # training time in all
    metrics: dict[str, float]  # of the last evaluation

    @property
    def finished(self) -> bool:
        """Whether all steps were made."""
        return self.step >= self.total


def run(
    recipe: Recipe,
    folder: Path,
    *,
    steps: int,
    minutes: float | None = None,
    save_every: float = 120.0,
    evaluate_every: int | None = None,
    log: Callable[[str], None] = print,
    workers: Workers = ALONE,
) -> Outcome:
    """Train until `steps` are made or `minutes` of this session have passed, whichever comes first.

    Of several workers the first restores, evaluates, logs and saves; the others take its state, and have no metrics.

    Args:
        recipe: what to train; its modules are changed in place.
        folder: of checkpoint, log.jsonl, training.html and TensorBoard's curves; a checkpoint is resumed.
        steps: updates of the whole run.
        minutes: wall-clock budget of this session; None for no limit.
        save_every: seconds between checkpoints.
        evaluate_every: steps between evaluations; None to evaluate only at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = restore(recipe, folder) if workers.is_first else {}
    if workers.size > 1:
        state = _spread(recipe, state, workers)
    number, spent = int(state.get("step", 0)), float(state.get("seconds", 0.0))
    metrics: dict[str, float] = dict(state.get("metrics", {}))
    stopping, curves = _StopOnSignal(), EventLog(folder / "tensorboard")
    began = last_save = last_log = time.monotonic()
    with stopping:
        stop = stopping.requested
        while number < steps and not stop:
            figures = recipe.step(number, steps)
            number += 1
            now = time.monotonic()
            is_over = minutes is not None and now - began > minutes * 60
            figures, stop = workers.agree(figures, stop=stopping.requested or is_over)
            if not workers.is_first:
                continue
            if evaluate_every and number % evaluate_every == 0 and number < steps:
                metrics = recipe.evaluate()
                _log_figures(folder, curves, log, number, steps, spent + now - began, metrics)
                now = time.monotonic()
            if now - last_log > _LOG_EVERY:
                _log_figures(folder, curves, log, number, steps, spent + now - began, figures)
                last_log = now
            if now - last_save > save_every:
                _save(recipe, folder, number, spent + now - began, metrics)
                last_save = time.monotonic()
        if workers.is_first:
            metrics = recipe.evaluate()
        total_seconds = spent + time.monotonic() - began
    if workers.is_first:
        _log_figures(folder, curves, log, number, steps, total_seconds, metrics)
        _save(recipe, folder, number, total_seconds, metrics)
    return Outcome(step=number, total=steps, seconds=total_seconds, metrics=metrics)


def restore(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Load the newest checkpoint of `folder` into the recipe; {} when there is none.

    Raises:
        InputError: it is of another recipe.
    """
    pointer = folder / "latest.json"
    if not pointer.exists():
        return {}
    state: dict[str, Any] = read_json(pointer)
    try:
        _load(recipe, load_weights(folder / state["file"]))
    except (RuntimeError, ValueError):  # torch lists every weight
        raise InputError(
            f"the checkpoint in {folder} was made with other sizes or by another version; finish it with that version, "
            "or move the folder away to begin anew"
        ) from None
    return state


def _spread(recipe: Recipe, state: dict[str, Any], workers: Workers) -> dict[str, Any]:
    """Give every worker the first one's modules, optimisers, step and seconds; what `restore` would have returned."""
    known = torch.tensor([float(state.get("step", 0)), float(state.get("seconds", 0.0))], dtype=torch.float64)
    sent = workers.spread(_tensors(recipe) | {"state": known})
    step, seconds = sent.pop("state").tolist()
    if not workers.is_first:
        _load(recipe, sent)
    return {**state, "step": int(step), "seconds": seconds}


def _load(recipe: Recipe, saved: Mapping[str, torch.Tensor]) -> None:
    for name, module in recipe.modules().items():
        module.load_state_dict(part_of(saved, f"module.{name}."))
    for name, optimizer in recipe.optimizers().items():
        template = optimizer.state_dict()
        slots: dict[int, dict[str, Any]] = {}
        for key, value in part_of(saved, f"optimizer.{name}.").items():
            index, field = key.split(".", 1)
            slots.setdefault(int(index), {})[field] = value
        optimizer.load_state_dict({"state": slots, "param_groups": template["param_groups"]})


def _tensors(recipe: Recipe) -> dict[str, torch.Tensor]:
    """The state of the modules and optimisers, by name."""
    tensors: dict[str, torch.Tensor] = {}
    for name, module in recipe.modules().items():
        tensors |= {f"module.{name}.{key}": value for key, value in module.state_dict().items()}
    for name, optimizer in recipe.optimizers().items():
        for index, slots in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{name}.{index}.{field}": torch.as_tensor(value) for field, value in slots.items()}
    return tensors


def _save(recipe: Recipe, folder: Path, number: int, seconds: float, metrics: dict[str, float]) -> None:
    """Write a checkpoint, point to it, then remove the previous one; write the page of figures anew."""
    file = f"checkpoint-{number:08d}.safetensors"
    save_weights(folder / file, _tensors(recipe))
    write_json(folder / "latest.json", {"file": file, "step": number, "seconds": seconds, "metrics": metrics})
    for old in folder.glob("checkpoint-*.safetensors"):
        if old.name != file:
            old.unlink(missing_ok=True)
    write_figures_page(folder)


def _log_figures(
    folder: Path,
    curves: EventLog,
    log: Callable[[str], None],
    number: int,
    steps: int,
    seconds: float,
    figures: dict[str, float],
) -> None:
    """Append to log.jsonl and the curves, and call `log`."""
    with (folder / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": number, "seconds": round(seconds, 1), **figures}) + "\n")
    curves.write(number, figures)
    shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    log(f"step {number}/{steps}  {seconds / 60:.1f} min  {shown}")


def read_settings(kind: type[Settings], path: Path | None) -> Settings:
    """Read a settings dataclass from a TOML file, in which other names are ignored; None gives the defaults."""
    given = tomllib.loads(path.read_text(encoding="utf-8")) if path is not None else {}
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # a dataclass
    return kind(**{name: value for name, value in given.items() if name in names})


def training_folder(model: str) -> Path:
    """The folder of a model's training data and checkpoints: under AURIA_HOME, else under ~/.local/share/auria."""
    return Path(os.environ.get("AURIA_HOME", Path.home() / ".local" / "share" / "auria")) / "train" / model


def cooled(number: int, total: int, *, cool: int, warm: int = 100, least: float = 0.05) -> float:
    """The share of the learning rate: rising, then constant, then falling over the last `cool` of `total` updates.

    A run with a total far away stays at the constant rate; it is finished at any time by naming a total that is `cool`
    updates away (Hägele et al. 2024, arXiv:2405.18392).
    """
    return min(1.0, (number + 1) / warm, max(least, (total - number) / max(1, cool)))


def load_matching(net: nn.Module, weights: Mapping[str, torch.Tensor]) -> int:
    """Load the weights whose name and shape fit; returns how many were left as they are."""
    own = net.state_dict()
    fitting = {
        name: value.to(own[name].dtype)
        for name, value in weights.items()
        if name in own and own[name].shape == value.shape
    }
    net.load_state_dict({**own, **fitting})
    return len(own) - len(fitting)


def copy_average(net: Net) -> Net:
    """A frozen copy of a network that `update_average` moves along."""
    return copy.deepcopy(net).eval().requires_grad_(requires_grad=False)


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, *, decay: float, step: int) -> None:
    """Move the average towards the network, faster in the first steps.

    Float buffers (batch norm's statistics) are averaged too, others copied.
    """
    keep = min(decay, (1.0 + step) / (10.0 + step))
    ours, theirs = list(average.state_dict().values()), list(net.state_dict().values())
    floats = [(mine, other) for mine, other in zip(ours, theirs, strict=True) if mine.is_floating_point()]
    torch._foreach_lerp_([mine for mine, _ in floats], [other for _, other in floats], 1.0 - keep)
    for mine, other in zip(ours, theirs, strict=True):
        if not mine.is_floating_point():
            mine.copy_(other)


class _StopOnSignal:
    """Turn SIGTERM and Ctrl-C into a request to stop after the current step; a second one stops at once."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        try:
            for name in (signal.SIGTERM, signal.SIGINT):
                self._before[name] = signal.signal(name, self._request)
        except ValueError:  # not in the main thread: the caller owns the signals
            self._before.clear()

    def __exit__(self, *_: object) -> None:
        for name, before in self._before.items():
            signal.signal(name, before)

    def _request(self, number: int, _: object) -> None:
        self.requested = True
        signal.signal(number, self._before.get(signal.Signals(number), signal.SIG_DFL))
