"""Train a film model on footage and export it.

    python -m auria_bot.art.training.film.train --footage DIR [--minutes N] [--steps N] [--size 112x64]
    [--folder DIR] [--out DIR] [--threads N] [--from MODEL]

A training resumes from its checkpoint under the folder, where it also keeps the frames, a sheet of samples and the
average of weights that was judged best. Its figures while it runs are over training frames, so that the frames held
out say something of the finished model.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from auria_bot.art.checkpoint import load_weights, read_json, write_json
from auria_bot.art.evaluation.film_figures import Lite0Features, layout_spread
from auria_bot.art.evaluation.painter_judges import frechet
from auria_bot.art.nets.projected_critic import CriticConfig
from auria_bot.art.training import loop
from auria_bot.art.training.film.export import export
from auria_bot.art.training.film.frames import FrameOptions, read_frames
from auria_bot.art.training.film.recipe import CRITICS, FilmRecipe, FilmSettings
from auria_bot.art.training.workers import ALONE
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.nets.lite0 import Lite0
    from auria_bot.art.training.film.frames import FilmFrames
    from auria_bot.art.training.workers import Workers

__all__ = ["main", "settings_of_size", "train"]

_CHANNELS = (160, 160, 128, 96, 48, 32, 24, 16, 16)  # of a start of 4 rows and every doubling
_START = 4  # rows at the first resolution, about
_CRITIC_AREA = 96 * 160  # pixels to which small frames are enlarged for Lite0 in training, about
_CRITIC_ENLARGED = 1.5  # times, at most
_CRITIC_SIDE = 512  # pixels to which large frames are made smaller for it


def settings_of_size(height: int, width: int, settings: FilmSettings | None = None) -> FilmSettings:
    """The recipe for frames of a size in pixels: as many doublings as lead to it from a start of some 4 rows."""
    doublings = max(1, round(np.log2(min(height, width) / _START)))
    if doublings >= len(_CHANNELS):
        raise InputError(f"no recipe for frames of {height} x {width} pixels; at most 1024 rows are known")
    factor = min(
        _CRITIC_ENLARGED, max(1.0, (_CRITIC_AREA / (height * width)) ** 0.5), _CRITIC_SIDE / max(height, width)
    )
    seen = [max(64, round(side * factor / 32) * 32) for side in (height, width)]
    chosen = settings or FilmSettings()
    generator = replace(chosen.generator, height=height, width=width, channels=_CHANNELS[: doublings + 1])
    return replace(chosen, generator=generator, projected=CriticConfig(height=seen[0], width=seen[1]))


def train(
    *,
    data: Path,
    folder: Path,
    out: Path | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    limit: int | None = None,
    lite0: Lite0 | None = None,
    settings: FilmSettings | None = None,
    options: FrameOptions | None = None,
    evaluate_every: int = 300,
    log: Callable[[str], None] = print,
    workers: Workers = ALONE,
    earlier: Path | None = None,
) -> dict[str, Any]:
    """Train, or continue training, and export the best average.

    Args:
        data: the folder of a set of footage, or of videos.
        folder: where frames, checkpoints, figures and samples are kept.
        out: the model's folder; None skips the export.
        minutes: wall-clock budget of this session.
        steps: updates in all, instead of the settings'.
        limit: use only the first so many frames of each clip, to try the code.
        lite0: whose features critic and figures are over; None: the published one.
        settings: the recipe; None for the defaults, of frames of 64 x 112 pixels.
        options: how frames are read; None: of the recipe's size.
        evaluate_every: updates between two sheets of samples.
        earlier: the folder of a film model whose weights a training without a checkpoint begins with.

    Returns:
        The figures of the last evaluation; {} in a worker that is not the first.

    Raises:
        InputError: the footage cannot be used, the training was begun with the other critic, the earlier model has
            other sizes, or there are more workers than frames in a batch.
        ModelMissing, ModelCorrupt: the earlier model cannot be read.
    """
    chosen = _checked(settings or FilmSettings(), limit, workers)
    options = options or FrameOptions(height=chosen.generator.height, width=chosen.generator.width)
    with workers.first():
        if workers.is_first:
            _keep_critic(folder, chosen.critic)
        frames = read_frames(data, options, folder / "frames", limit=limit, log=log)
    judge = _judge(frames, chosen.judged, lite0) if workers.is_first else None
    recipe = FilmRecipe(frames, chosen, folder, lite0=lite0, judge=judge, workers=workers, earlier=earlier)
    how: dict[str, Any] = {"minutes": minutes, "evaluate_every": evaluate_every, "log": log, "workers": workers}
    outcome = loop.run(recipe, folder, steps=steps or chosen.steps, **how)
    if not workers.is_first:
        return {}
    made = outcome.step * chosen.batch
    figures = outcome.metrics | {"steps": outcome.step, "pictures": made, "seconds": outcome.seconds}
    if out is not None:
        recipe.average.load_state_dict(load_weights(folder / "best.safetensors"))
        facts = {"frames": asdict(options), "footage": [clip.name for clip in frames.training]}
        export(recipe.average, out, facts={"trained": {"steps": outcome.step, "pictures": made}, **facts})
    return figures


def _checked(settings: FilmSettings, limit: int | None, workers: Workers) -> FilmSettings:
    """The settings, of a trial judged by as few frames as it trains on; more workers than frames are refused."""
    if workers.size > settings.batch:
        raise InputError(f"{workers.size} workers cannot share a batch of {settings.batch} frames; at most so many can")
    return settings if limit is None else replace(settings, judged=min(settings.judged, limit))


def _keep_critic(folder: Path, critic: str) -> None:
    """Note which critic a training has; one that was begun with the other cannot be continued."""
    noted = folder / "critic.json"
    if (folder / "latest.json").is_file():
        begun = read_json(noted)["critic"] if noted.is_file() else CRITICS[0]
        if begun != critic:
            raise InputError(
                f"the training in {folder} has the critic {begun!r} and cannot go on with {critic!r};"
                f" set critic = {begun!r}, or begin another with --folder DIR"
            )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(noted, {"critic": critic})


def _judge(frames: FilmFrames, count: int, lite0: Lite0 | None) -> Callable[[NDArray[np.uint8]], dict[str, float]]:
    """FD-lite0 and spread of layouts of made frames, over as many training frames."""
    measure = Lite0Features(lite0)
    real = frames.batch(np.random.default_rng(11), count)
    features, spread = measure(real), layout_spread(real)

    def judge(made: NDArray[np.uint8]) -> dict[str, float]:
        return {"fd_lite0": frechet(measure(made), features), "layout_spread": layout_spread(made) / spread}

    return judge


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m auria_bot.art.training.film.train", description=__doc__)
    parser.add_argument("--footage", type=Path, required=True, help="a set of footage, or a folder of videos")
    parser.add_argument("--size", default="112x64", help="width x height of the frames in pixels")
    parser.add_argument("--every", type=float, default=0.125, help="seconds between frames; of videos")
    parser.add_argument(
        "--cut-top", action="append", default=[], metavar="FILE=SHARE", help="leave out the top of a video, a label"
    )
    parser.add_argument("--minutes", type=float, help="wall-clock budget of this sitting")
    parser.add_argument("--steps", type=int, help="updates in all, instead of the settings'")
    parser.add_argument("--evaluate-every", type=int, default=300, help="updates between two sheets of samples")
    parser.add_argument("--config", type=Path, help="a TOML file like config/train/film.toml")
    folder = loop.training_folder("film")
    parser.add_argument("--folder", type=Path, default=folder, help="where frames and checkpoints are kept")
    parser.add_argument("--out", type=Path, help="the model's folder; without it nothing is exported")
    parser.add_argument("--from", dest="earlier", type=Path, help="a film model's folder whose weights it begins with")
    parser.add_argument("--threads", type=int, default=1, help="threads torch may use")
    chosen = vars(parser.parse_args(arguments))
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", chosen.pop("size"))
    if found is None:
        parser.error("--size must be WIDTHxHEIGHT in pixels, such as 112x64")
    torch.set_num_threads(chosen.pop("threads"))
    torch.set_flush_denormal(True)
    width, height = int(found[1]), int(found[2])
    cuts = tuple((name, float(share)) for name, _, share in (one.partition("=") for one in chosen.pop("cut_top")))
    settings = settings_of_size(height, width, loop.read_settings(FilmSettings, chosen.pop("config")))
    options = FrameOptions(height=height, width=width, every=chosen.pop("every"), cut_top=cuts)
    data = chosen.pop("footage")
    train(data=data, settings=settings, options=options, log=partial(print, flush=True), **chosen)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
