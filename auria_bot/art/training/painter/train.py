"""Train the painter in stages and export it.

    python -m auria_bot.art.training.painter.train --data DIR [--stage sketch|match|paint|export] [--minutes N]
    [--folder DIR] [--out DIR] [--from DIR] [--mean-with DIR]

sketch: sentence to colour sketch. match: how well picture and text fit together. paint: sketch and words to picture.
export: the averages of all three as ONNX graphs and safetensors. Every stage resumes from its checkpoint under the
folder; without --stage all run in turn, and finished ones are skipped.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from auria_bot.art.checkpoint import load_model_weights, part_of
from auria_bot.art.nets.matcher import Matcher, MatcherConfig
from auria_bot.art.nets.painter import PainterConfig
from auria_bot.art.nets.sketcher import Sketcher, SketcherConfig
from auria_bot.art.training import loop
from auria_bot.art.training.painter.dataset import SIZE, cache_of, kept, prepare
from auria_bot.art.training.painter.export import export, restore_module
from auria_bot.art.training.painter.match import MatchRecipe, features_of
from auria_bot.art.training.painter.paint import PaintRecipe
from auria_bot.art.training.painter.sketch import SketchRecipe
from auria_bot.art.training.workers import ALONE
from auria_bot.errors import InputError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auria_bot.art.training.painter.dataset import Scenes
    from auria_bot.art.training.workers import Workers

__all__ = ["STAGES", "PainterSettings", "main", "train"]

STAGES = ("sketch", "match", "paint", "export")
_SHARES = {"sketch": 0.3, "match": 0.05, "paint": 0.65}  # of the minutes, when one run does all stages


@dataclass(frozen=True, slots=True, kw_only=True)
class PainterSettings:
    """The settings of config/train/painter.toml; see there."""

    seed: int = 0
    sketch_steps: int = 12000
    sketch_cool: int = 1500
    sketch_batch: int = 256
    match_steps: int = 450
    match_batch: int = 64
    paint_steps: int = 40000
    paint_cool: int = 2000
    paint_batch: int = 20
    sampled: float = 0.5
    sketcher: SketcherConfig = field(default_factory=SketcherConfig)
    painter: PainterConfig = field(default_factory=lambda: PainterConfig(size=SIZE, residual=(1, 1)))

    def steps(self, stage: str) -> int:
        """Updates of a stage."""
        return {"sketch": self.sketch_steps, "match": self.match_steps, "paint": self.paint_steps}[stage]


def train(
    *,
    data: Path,
    folder: Path,
    out: Path | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    stage: str | None = None,
    settings: PainterSettings | None = None,
    limit: int | None = None,
    earlier: Path | None = None,
    mean_with: Path | None = None,
    log: Callable[[str], None] = print,
    workers: Workers = ALONE,
) -> dict[str, Any]:
    """Train, or continue training, and export.

    Args:
        data: the folder with the archives of `sources.ARCHIVES`.
        folder: where arrays and checkpoints are kept.
        out: the model's folder, `models/painter`; None skips the export.
        minutes: wall-clock budget of this session, shared among the stages that run.
        steps: updates of each stage, instead of the settings'.
        stage: one of STAGES; None for all in turn.
        settings: the recipe; None for the defaults.
        limit: use only about so many pictures (for tests).
        earlier: a model's folder, with whose weights a stage without a checkpoint begins.
        mean_with: a model's folder; what is exported is the mean of its weights and the trained ones.
        workers: the processes that train together; each paints its share of a batch, and matches all of it.

    Returns:
        The last metrics of each stage, their names prefixed with the stage's; {} in a worker that is not the first.

    Raises:
        UnknownName: no such stage.
        InputError: the training archives are missing, or there are more workers than pictures in a batch.
        ModelMissing: the earlier model has no weights.
    """
    chosen = settings or PainterSettings()
    if steps is not None:
        chosen = replace(chosen, sketch_steps=steps, match_steps=steps, paint_steps=steps)
    _check(stage, workers, chosen)
    figures: dict[str, Any] = {}
    with workers.first():
        scenes = None if stage == "export" else prepare(data, folder, limit=limit, log=log)
    for name in STAGES if stage is None else (stage,):
        if scenes is not None and name != "export":
            log(f"stage {name}")
            budget = None if minutes is None else minutes * (_SHARES[name] if stage is None else 1.0)
            start = {} if earlier is None else load_model_weights(earlier)
            recipe = _recipe(name, scenes, folder, cache_of(folder, limit), chosen, start, log, workers)
            how: dict[str, Any] = {"minutes": budget, "evaluate_every": 200, "log": log, "workers": workers}
            outcome = loop.run(recipe, folder / name, steps=chosen.steps(name), **how)
            made = outcome.metrics | {"steps": outcome.step, "seconds": outcome.seconds}
        elif out is not None and workers.is_first:
            made = export(folder, out, sketcher=chosen.sketcher, painter=chosen.painter, mean_with=mean_with, log=log)
        else:
            made = {}
        figures |= {f"{name}_{key}": value for key, value in made.items()}
    return figures if workers.is_first else {}


def _check(stage: str | None, workers: Workers, settings: PainterSettings) -> None:
    if stage is not None and stage not in STAGES:
        raise UnknownName(f"no stage named {stage!r}; known: {', '.join(STAGES)}")
    most = min(settings.sketch_batch, round(settings.paint_batch * (1 - settings.sampled)))
    if workers.size > most:
        raise InputError(f"{workers.size} workers cannot share the painter's batches; at most {most} can")


def _recipe(
    name: str,
    scenes: Scenes,
    folder: Path,
    cache: Path,
    settings: PainterSettings,
    weights: Mapping[str, torch.Tensor],
    log: Callable[[str], None],
    workers: Workers,
) -> loop.Recipe:
    """The recipe of a stage; `cache` is the folder of the arrays, `weights` are those to begin with."""
    with workers.first():
        features = features_of(scenes, cache, log=log)
    usable = kept(scenes, features.last, cache)
    common: dict[str, Any] = {"share": scenes.weights(usable), "seed": settings.seed, "workers": workers}
    train = scenes.split == 0
    log(f"{int((usable & train).sum())} of {int(train.sum())} training pictures show their scene")
    if name == "sketch":
        return SketchRecipe(
            scenes,
            settings.sketcher,
            start=part_of(weights, "sketcher."),
            cool=settings.sketch_cool,
            batch=settings.sketch_batch,
            **common,
        )
    if name == "match":
        return MatchRecipe(
            scenes, features, MatcherConfig(), start=part_of(weights, "matcher."), batch=settings.match_batch, **common
        )
    sketcher, matcher = Sketcher(settings.sketcher), Matcher(MatcherConfig())
    if workers.is_first:
        restore_module(sketcher, folder / "sketch", "average")
        restore_module(matcher, folder / "match", "net")
    for net in (sketcher, matcher):  # the others may have no disk in common with the first
        net.load_state_dict(workers.spread(net.state_dict()))
    return PaintRecipe(
        scenes,
        SketchRecipe(scenes, settings.sketcher, start=sketcher.state_dict(), **common),
        matcher,
        settings.painter,
        folder=folder / "paint",
        start=part_of(weights, "painter."),
        cool=settings.paint_cool,
        sampled=settings.sampled,
        batch=settings.paint_batch,
        **common,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m auria_bot.art.training.painter.train", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("AURIA_DATA"), help="folder of the training archives"
    )
    parser.add_argument("--stage", choices=STAGES, help="one stage; all in turn without it")
    parser.add_argument("--minutes", type=float, help="wall-clock budget of this sitting")
    parser.add_argument("--steps", type=int, help="updates of each stage run, instead of the settings'")
    parser.add_argument("--config", type=Path, help="a TOML file like config/train/painter.toml")
    folder = loop.training_folder("painter")
    parser.add_argument("--folder", type=Path, default=folder, help="where arrays and checkpoints are kept")
    parser.add_argument("--out", type=Path, default=Path("models/painter"), help="the model's folder")
    begun = "a painter's folder whose weights a stage without a checkpoint starts from"
    parser.add_argument("--from", dest="earlier", type=Path, help=begun)
    mean = "a painter's folder: what is exported is the mean of its weights and the trained ones"
    parser.add_argument("--mean-with", type=Path, help=mean)
    parser.add_argument("--threads", type=int, default=1, help="threads torch may use")
    chosen = vars(parser.parse_args(arguments))
    if chosen["data"] is None:
        parser.error("give the folder of the training archives with --data DIR or AURIA_DATA")
    torch.set_num_threads(chosen.pop("threads"))
    torch.set_flush_denormal(True)
    settings = loop.read_settings(PainterSettings, chosen.pop("config"))
    train(**chosen, settings=settings, log=partial(print, flush=True))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
