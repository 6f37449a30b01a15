"""Evaluate the exported painter against real pictures of the test split.

Every figure of the painter stands beside the same figure of real pictures, because the judges themselves err. The
painter paints test captions word for word (`AttnPainter.imagine`) and haiku through its own prompts, always the best of
the stated number of candidates.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.art.checkpoint import write_json
from auria_bot.art.evaluation.painter_judges import SceneClassifier, features, frechet, train_encoder
from auria_bot.art.minilm import MiniLM
from auria_bot.art.painters.attn import AttnPainter
from auria_bot.art.painters.prompt_vocabulary import SCENES
from auria_bot.art.training.loop import training_folder
from auria_bot.art.training.painter.dataset import prepare
from auria_bot.art.training.painter.lighting_augmentation import luminance
from auria_bot.domain.artwork import Haiku
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.evaluation.painter_judges import Encoder
    from auria_bot.art.training.painter.dataset import Scenes

__all__ = ["BARS", "control", "evaluate", "read_haiku", "variety", "verdict"]

BARS = {"scene": 0.9, "caption": 0.6, "control": 19, "variety": 0.5}  # shares of real pictures' figures; seeds of 20
_SEEDS = 20
_CONTROL = {  # name: (two prompts, the quantity that should be greater for the first)
    "noon brighter than night": ("sea at noon", "sea at night", "light"),
    "snow whiter than forest": ("forest in the snow", "green forest in daylight", "white"),
    "autumn warmer than sea": ("forest in autumn", "blue sea in daylight", "warmth"),
    "sunset warmer than sea": ("sea at sunset", "blue sea in daylight", "warmth"),
}


def evaluate(
    *,
    data: Path,
    model: Path,
    folder: Path | None = None,
    pictures: int = 1000,
    haiku: int = 100,
    candidates: int = 8,
    seeds: int = _SEEDS,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Compute every figure of the bar `painter`.

    Args:
        data: folder of the training archives and of haiku.jsonl.zst.
        model: the exported model's folder, `models/painter`.
        folder: where the training arrays and the judges are kept (built if missing); by default `training_folder`.
        pictures: how many test captions are painted.
        haiku: how many poems are painted.
        candidates: candidates of each painting.
        seeds: seeds of each control prompt.
        log: receives progress lines.
    """
    folder = folder or training_folder("painter")
    scenes = prepare(data, folder, log=log)
    classifier, encoder = SceneClassifier(scenes, folder), train_encoder(scenes, folder, log=log)
    painter = AttnPainter(AttnPainter.Config(candidates=candidates), models=model.parent)
    began = time.monotonic()
    figures: dict[str, Any] = {
        "candidates": candidates,
        **_captions(painter, scenes, classifier, encoder, pictures, candidates),
    }
    log(f"{figures['pictures']} captions painted in {time.monotonic() - began:.0f} s")
    figures |= _poems(painter, classifier, encoder, read_haiku(data, haiku), candidates)
    figures |= control(painter, seeds=seeds, candidates=candidates)
    figures |= variety(painter, scenes, candidates=candidates)
    return figures | {"passed": verdict(figures)}


def verdict(figures: dict[str, Any]) -> bool:
    """Whether every part of the bar is met."""
    return bool(
        figures["scene"] >= BARS["scene"] * figures["scene_real"]
        and figures["haiku_scene"] >= BARS["scene"] * figures["scene_real"]
        and figures["caption"] >= BARS["caption"] * figures["caption_real"]
        and figures["haiku_caption"] >= BARS["caption"] * figures["caption_real"]
        and min(figures["control"].values()) >= BARS["control"] / 20 * figures["control_seeds"]
        and figures["variety"] >= BARS["variety"] * figures["variety_real"]
    )


def _captions(
    painter: AttnPainter, scenes: Scenes, classifier: SceneClassifier, encoder: Encoder, pictures: int, candidates: int
) -> dict[str, Any]:
    """Scene accuracy, right caption among 100 different ones, and FD-lite0, on captions of test pictures."""
    rows, captions = _different(scenes, pictures)
    real = np.asarray(scenes.pictures[rows, 0])
    painted = np.stack(
        [
            painter.imagine(scenes.texts[caption], seed=number, count=candidates)[0].pixels
            for number, caption in enumerate(captions)
        ]
    )
    painted_features, real_features = features(painted), features(real)
    others = np.random.default_rng(4).permutation(scenes.rows(0, relit=False))[: len(rows)]
    sentences = scenes.sentences[captions].astype(np.float32)
    return {
        "pictures": len(rows),
        "scene": float((classifier(painted_features) == scenes.scene[rows]).mean()),
        "scene_real": float((classifier(real_features) == scenes.scene[rows]).mean()),
        "caption": encoder.right_of_100(painted, sentences),
        "caption_real": encoder.right_of_100(real, sentences),
        "fd_lite0": frechet(painted_features, real_features),
        "fd_lite0_real": frechet(features(np.asarray(scenes.pictures[np.sort(others), 0])), real_features),
    }


def _different(scenes: Scenes, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Test pictures and one given caption of each, in groups of 100 without a repeated caption."""
    rng = np.random.default_rng(2)
    remaining = list(rng.permutation(scenes.rows(2, relit=False)))
    rows: list[int] = []
    captions: list[int] = []
    while remaining and len(rows) < count:
        group: dict[int, int] = {}
        rest = []
        for row in remaining:
            caption = int(scenes.caption[row, int(rng.integers(2))])
            if len(group) < min(100, count - len(rows)) and caption not in group:
                group[caption] = int(row)
            else:
                rest.append(row)
        captions += list(group)
        rows += list(group.values())
        remaining = rest
    return np.array(rows), np.array(captions)


def _poems(
    painter: AttnPainter, classifier: SceneClassifier, encoder: Encoder, poems: Sequence[Haiku], candidates: int
) -> dict[str, Any]:
    """Scene accuracy and right poem among all, on haiku through the painter's own prompts."""
    prompts = [painter.prompt(poem, seed=number) for number, poem in enumerate(poems)]
    painted = np.stack(
        [painter.imagine(prompt.text, seed=number, count=candidates)[0].pixels for number, prompt in enumerate(prompts)]
    )
    asked = np.array([SCENES.index(prompt.scene) for prompt in prompts])
    sentences = MiniLM().encode([prompt.text for prompt in prompts])
    return {
        "haiku": len(poems),
        "haiku_scene": float((classifier(features(painted)) == asked).mean()),
        "haiku_caption": encoder.right_of_100(painted, sentences),
    }


def control(painter: AttnPainter, *, seeds: int = _SEEDS, candidates: int = 4) -> dict[str, Any]:
    """For how many of `seeds` each pair of prompts differs in light, whiteness or warmth as it should."""

    def level(text: str, seed: int, what: str) -> float:
        picture = painter.imagine(text, seed=seed, count=candidates)[0].pixels.astype(np.float32) / 255.0
        if what == "light":
            return float(luminance(picture).mean())
        if what == "warmth":
            return float((picture[..., 0] - picture[..., 2]).mean())
        return float(((picture.min(axis=2) > 0.65) & (picture.max(axis=2) - picture.min(axis=2) < 0.15)).mean())

    kept = {
        name: sum(level(more, seed, what) > level(less, seed, what) for seed in range(seeds))
        for name, (more, less, what) in _CONTROL.items()
    }
    return {"control": kept, "control_seeds": seeds}


def variety(painter: AttnPainter, scenes: Scenes, *, candidates: int = 8) -> dict[str, float]:
    """Root mean square difference, on [-1, 1], of four seeds of one text, and of four real pictures of one scene."""
    rng = np.random.default_rng(3)
    painted, real = [], []
    for number, scene in enumerate(("sea", "mountain", "glacier", "forest", "rose")):
        text = f"{scene} in daylight: the day is long, nobody comes, {scene} by day"
        painted.append(
            [painter.imagine(text, seed=100 * number + seed, count=candidates)[0].pixels for seed in range(4)]
        )
        rows = rng.permutation(np.flatnonzero((scenes.scene == SCENES.index(scene)) & (scenes.split == 2)))[:40]
        real += [
            list(np.asarray(scenes.pictures[np.sort(rows[start : start + 4]), 0])) for start in range(0, len(rows), 4)
        ]
    return {
        "variety": float(np.mean([_apart(four) for four in painted])),
        "variety_real": float(np.mean([_apart(four) for four in real])),
    }


def _apart(four: Sequence[NDArray[np.uint8]]) -> float:
    """The mean over pairs of the root mean square difference, on [-1, 1]."""
    values = [picture.astype(np.float64) / 127.5 - 1.0 for picture in four]
    pairs = [np.sqrt(((a - b) ** 2).mean()) for index, a in enumerate(values) for b in values[index + 1 :]]
    return float(np.mean(pairs))


def read_haiku(data: Path, count: int) -> list[Haiku]:
    """5-7-5 haiku about nature, evenly spread over the file; the painter was not trained on haiku.

    Raises:
        InputError: the file is missing.
    """
    import zstandard

    file = data / "haiku.jsonl.zst"
    if not file.is_file():
        raise InputError(f"{file} is missing; give the folder of the training archives with --data DIR")
    with file.open("rb") as stream:
        text = zstandard.ZstdDecompressor().stream_reader(stream).read().decode()
    rows = [row for row in map(json.loads, text.splitlines()) if row["form"] == "575" and row["nature"] >= 1]
    return [
        Haiku(lines=tuple(row["lines"]), syllables=(5, 7, 5)) for row in rows[:: max(1, len(rows) // count)][:count]
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate, write metrics.json beside the model, and return 0 if the bar is met."""
    parser = argparse.ArgumentParser(prog="python -m auria_bot.art.evaluation.painter", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("models/painter"))
    parser.add_argument("--folder", type=Path, default=None, help="where the training arrays and the judges are kept")
    parser.add_argument("--pictures", type=int, default=1000)
    chosen = parser.parse_args(arguments)

    def log(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    figures = evaluate(
        data=chosen.data,
        model=chosen.model,
        folder=chosen.folder,
        pictures=chosen.pictures,
        log=log,
    )
    write_json(chosen.model / "metrics.json", figures)
    log(json.dumps(figures, indent=1))
    return 0 if figures["passed"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
