"""Trains Auria's painter in stages and exports it.

`python -m auria_bot.art.training.painter --data DIR [--stage sketch|match|paint|export] [--minutes N] [--folder DIR] [--out DIR]`

sketch: sentence to colour sketch. match: how well a picture and a text belong together. paint: sketch and words to picture. export:
the averages of all three as one ONNX graph and safetensors. Every stage resumes from its checkpoint under the folder; without
--stage all are run in turn, a stage that is finished passing at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from auria_bot.art.evaluation.painter import training_folder
from auria_bot.art.nets.matcher import Matcher, MatcherConfig
from auria_bot.art.nets.painter import PainterConfig
from auria_bot.art.nets.sketcher import SketcherConfig
from auria_bot.art.training import loop
from auria_bot.art.training.match import MatchRecipe, maps_of
from auria_bot.art.training.paint import PaintRecipe, SketchBank
from auria_bot.art.training.painter_export import export, restore_module
from auria_bot.art.training.scenes import Scenes, prepare
from auria_bot.art.training.sketch import SketchRecipe
from auria_bot.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["STAGES", "evaluate", "main", "train"]

STAGES = ("sketch", "match", "paint", "export")
STEPS: Mapping[str, int] = {"sketch": 2800, "match": 1200, "paint": 2400}  # of a full training; see config/train/painter.toml
_SHARES = {"sketch": 0.13, "match": 0.03, "paint": 0.84}  # of the minutes, when one run does all stages
_BANK = 6144  # sampled sketches the painter is trained with


def train(
    *, data: Path, folder: Path, out: Path | None = None, minutes: float | None = None, steps: Mapping[str, int] | int | None = None,
    stage: str | None = None, limit: int | None = None, seed: int = 0, log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train (or go on training) and export.

    Args:
        data: folder of intel_scenes.zip and flowers_5.zip.
        folder: where arrays and checkpoints are kept.
        out: the model's folder, `models/painter`; None leaves the export out.
        minutes: wall-clock budget of this sitting, shared among the stages that are run.
        steps: how many updates each stage has, by its name, or one number for all.
        stage: one of STAGES; None for all in turn.
        limit: use only about so many pictures (for tests).
        seed: of every random choice.
        log: receives a line now and then.

    Returns:
        The last figures of each stage that was run, by its name.

    Raises:
        UnknownName: no such stage.
        InputError: the training archives are missing.
    """
    if stage is not None and stage not in STAGES:
        raise UnknownName(f"no stage named {stage!r}; known: {', '.join(STAGES)}")
    wanted = dict(STEPS) | (dict.fromkeys(STEPS, steps) if isinstance(steps, int) else dict(steps or {}))
    scenes = prepare(data, folder, limit=limit, log=log)
    figures: dict[str, Any] = {}
    for name in STAGES if stage is None else (stage,):
        if name == "export":
            if out is not None:
                figures[name] = export(folder, out, sketcher=_sketcher_config(limit), log=log)
            continue
        budget = None if minutes is None else minutes * (_SHARES[name] if stage is None else 1.0)
        log(f"stage {name}")
        outcome = loop.run(
            _recipe(name, scenes, folder, limit, seed, log), folder / name, steps=wanted[name], minutes=budget, evaluate_every=200, log=log
        )
        figures[name] = outcome.metrics | {"step": outcome.step, "seconds": outcome.seconds}
    return figures


def evaluate(
    *, data: Path, model: Path, folder: Path | None = None, pictures: int = 1000, log: Callable[[str], None] = print
) -> dict[str, Any]:
    """Measure an exported painter on the test split; see `auria_bot.art.evaluation.painter.measure`."""
    from auria_bot.art.evaluation.painter import measure

    return measure(data=data, model=model, folder=folder or training_folder(), pictures=pictures, log=log)


def _recipe(name: str, scenes: Scenes, folder: Path, limit: int | None, seed: int, log: Callable[[str], None]) -> loop.Recipe:
    if name == "sketch":
        return SketchRecipe(scenes, _sketcher_config(limit), seed=seed, batch=256 if limit is None else 16)
    if name == "match":
        cache = folder / ("scenes" if limit is None else f"scenes-{limit}")
        return MatchRecipe(scenes, maps_of(scenes, cache, log=log), MatcherConfig(), seed=seed, batch=64 if limit is None else 16)
    sketch = SketchRecipe(scenes, _sketcher_config(limit), seed=seed)
    loop.restore(sketch, folder / "sketch")
    matcher = Matcher(MatcherConfig())
    restore_module(matcher, folder / "match", "net")
    bank = SketchBank(sketch.average, scenes, _BANK if limit is None else 16, seed=seed)
    return PaintRecipe(scenes, matcher, bank, PainterConfig(), folder=folder / "paint", seed=seed, batch=32 if limit is None else 8)


def _sketcher_config(limit: int | None) -> SketcherConfig:
    return SketcherConfig() if limit is None else SketcherConfig(components=24, width=32, hidden=32, blocks=1)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m auria_bot.art.training.painter", description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("AURIA_DATA"), help="folder of the training archives")
    parser.add_argument("--stage", choices=STAGES, help="one stage; all in turn without it")
    parser.add_argument("--minutes", type=float, help="wall-clock budget of this sitting")
    parser.add_argument("--steps", type=int, help="updates of each stage run, instead of config/train/painter.toml's")
    parser.add_argument("--folder", type=Path, help="where arrays and checkpoints are kept")
    parser.add_argument("--out", type=Path, default=Path("models/painter"), help="the model's folder")
    parser.add_argument("--threads", type=int, default=1, help="threads torch may use")
    chosen = parser.parse_args(arguments)
    if chosen.data is None:
        parser.error("give the folder of the training archives with --data DIR or AURIA_DATA")
    folder = chosen.folder or training_folder()
    torch.set_num_threads(chosen.threads)

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    train(data=Path(chosen.data), folder=folder, out=chosen.out, minutes=chosen.minutes, steps=chosen.steps, stage=chosen.stage, log=say)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
