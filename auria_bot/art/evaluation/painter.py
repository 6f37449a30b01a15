"""Evaluate painters against real pictures of the test split, an earlier one beside the new one.

Every figure of a painter stands beside the same figure of real pictures, because the judges themselves err. The painter
paints captions word for word (`AttnPainter.imagine`) and haiku through its own prompts, always the best of the stated
number of candidates. Pictures are judged at 64 x 64 pixels, whatever the painter's size.

    python -m auria_bot.art.evaluation.painter --data DIR [--model DIR] [--earlier DIR] [--split validation|test]

The haiku are about nature; some of them name one of ten subjects, which should be recognised in the painting.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from auria_bot.art.checkpoint import write_json
from auria_bot.art.evaluation.painter_judges import SceneClassifier, at_side, features, frechet, train_encoder
from auria_bot.art.minilm import MiniLM
from auria_bot.art.painters.attn import AttnPainter
from auria_bot.art.painters.prompt_vocabulary import NOUNS, SCENES
from auria_bot.art.training.loop import training_folder
from auria_bot.art.training.painter.dataset import cache_of, prepare
from auria_bot.art.training.painter.lighting_augmentation import luminance
from auria_bot.domain.artwork import Haiku
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from auria_bot.art.evaluation.painter_judges import Encoder
    from auria_bot.art.painters.prompt import Prompt
    from auria_bot.art.training.painter.dataset import Scenes

__all__ = ["BARS", "SUBJECTS", "control", "evaluate", "naming", "read_haiku", "variety", "verdict"]

BARS = {"scene": 0.9, "caption": 0.6, "control": 19, "variety": 0.5, "subject": 0.85, "recognised": 0.75, "fd": 0.5}
"""Shares of real pictures' figures; seeds of 20; the share of the earlier painter's FD-lite0 above the real floor."""

_SPLITS = {"validation": 1, "test": 2}
_SEEDS = 20
_CANDIDATES = AttnPainter.Config().candidates
_OLD = 2  # of sources.ARCHIVES: those of the first painter
_FIRST = SCENES[:9]  # the scenes of the first painter
_CONTROL = {  # name: (two prompts, the quantity that should be greater for the first)
    "noon brighter than night": ("sea at noon", "sea at night", "light"),
    "snow whiter than forest": ("forest in the snow", "green forest in daylight", "white"),
    "autumn warmer than sea": ("forest in autumn", "blue sea in daylight", "warmth"),
    "sunset warmer than sea": ("sea at sunset", "blue sea in daylight", "warmth"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judges:
    """The pictures of one split, and who judges."""

    scenes: Scenes
    split: int  # 1 validation, 2 test
    classifier: SceneClassifier
    encoder: Encoder
    candidates: int  # of each painting

    def paint(self, painter: AttnPainter, asked: Sequence[Prompt | str]) -> NDArray[np.uint8]:
        """The best candidate for each prompt or text, (n, 64, 64, 3); only of prompts it is known what they show."""
        best = []
        for at, each in enumerate(asked):
            text, scene = (each, None) if isinstance(each, str) else (each.text, each.scene)
            best.append(painter.imagine(text, seed=at, count=self.candidates, scene=scene)[0].pixels)
        return at_side(np.stack(best))

    def real(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Some real pictures, (n, 64, 64, 3)."""
        return at_side(np.asarray(self.scenes.pictures[np.sort(rows), 0]))[np.argsort(np.argsort(rows))]


def evaluate(
    *,
    data: Path,
    model: Path,
    earlier: Path | None = None,
    folder: Path | None = None,
    split: str = "test",
    pictures: int = 1000,
    each: int = 20,
    haiku: int = 100,
    candidates: int = _CANDIDATES,
    seeds: int = _SEEDS,
    log: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Compute every figure of the bars `painter` and `recognised`.

    Args:
        data: folder of the training archives and of haiku.jsonl.zst.
        model: the exported model's folder, `models/painter`.
        earlier: the folder of an earlier model, whose figures are given too.
        folder: where the training arrays and the judges are kept (built if missing); by default `training_folder`.
        split: "test" or "validation".
        pictures: how many captions of the first archives are painted.
        each: how many captions of each scene of pictures.zip are painted, at most.
        haiku: how many poems are painted, and how many of them for each scene word that is to be recognised, over ten.
        candidates: candidates of each painting.
        seeds: seeds of each control prompt.
        log: receives progress lines.
    """
    folder = folder or training_folder("painter")
    scenes = prepare(data, folder, log=log)
    cache = cache_of(folder)
    judges = _Judges(
        scenes=scenes,
        split=_SPLITS[split],
        classifier=SceneClassifier(scenes, cache),
        encoder=train_encoder(scenes, cache, log=log),
        candidates=candidates,
    )
    painters = {name: path for name, path in (("model", model), ("earlier", earlier)) if path is not None}
    made: dict[str, dict[str, Any]] = {}
    for name, path in painters.items():
        began = time.monotonic()
        painter = AttnPainter(AttnPainter.Config(candidates=candidates), models=path.parent, folder=path.name)
        found = _captions(painter, judges, pictures) | {"subjects": _subjects(painter, judges, each)}
        log(f"{path}: captions painted in {time.monotonic() - began:.0f} s")
        found |= _poems(painter, judges, read_haiku(data, haiku)) | _recognised(painter, judges, data, haiku // 5)
        found |= control(painter, seeds=seeds, candidates=candidates)
        found |= variety(painter, scenes, split=judges.split, candidates=candidates)
        made[name] = found
    figures: dict[str, Any] = {"candidates": candidates, "split": split, **made["model"]}
    if earlier is not None:
        figures["earlier"] = made["earlier"]
    return figures | {"passed": verdict(figures)}


def verdict(figures: dict[str, Any]) -> bool:
    """Whether every part of the bars is met."""
    before = figures.get("earlier")
    floor = figures["fd_lite0_real"]
    return bool(
        figures["scene"] >= BARS["scene"] * figures["scene_real"]
        and figures["haiku_scene"] >= BARS["scene"] * figures["scene_real"]
        and figures["caption"] >= BARS["caption"] * figures["caption_real"]
        and figures["haiku_caption"] >= BARS["caption"] * figures["caption_real"]
        and min(figures["control"].values()) >= BARS["control"] / 20 * figures["control_seeds"]
        and figures["variety"] >= BARS["variety"] * figures["variety_real"]
        and figures["recognised"] >= BARS["recognised"] * figures["recognised_real"]
        and all(each["found"] >= BARS["subject"] * each["found_real"] for each in figures["subjects"].values())
        and (before is None or figures["fd_lite0"] - floor <= BARS["fd"] * (before["fd_lite0"] - floor))
        and (before is None or figures["variety"] >= before["variety"])
    )


def _captions(painter: AttnPainter, judges: _Judges, pictures: int) -> dict[str, Any]:
    """Scene accuracy, right caption among 100 different ones, and FD-lite0, on captions of the first archives."""
    scenes, classifier, encoder = judges.scenes, judges.classifier, judges.encoder
    rows, captions = _different(scenes, pictures, split=judges.split)
    real, painted = judges.real(rows), judges.paint(painter, [scenes.texts[caption] for caption in captions])
    painted_features, real_features = features(painted), features(real)
    train = np.flatnonzero((scenes.split == 0) & ~scenes.relit & (scenes.archive < _OLD))
    others = np.random.default_rng(4).permutation(train)[: len(rows)]
    sentences = scenes.sentences[captions].astype(np.float32)
    return {
        "pictures": len(rows),
        "scene": float((classifier(painted_features, _FIRST) == scenes.scene[rows]).mean()),
        "scene_real": float((classifier(real_features, _FIRST) == scenes.scene[rows]).mean()),
        "caption": encoder.right_of_100(painted, sentences),
        "caption_real": encoder.right_of_100(real, sentences),
        "fd_lite0": frechet(painted_features, real_features),
        "fd_lite0_real": frechet(features(judges.real(others)), real_features),
    }


def _different(scenes: Scenes, count: int, *, split: int = 2) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pictures of the first archives and one given caption of each, in groups of 100 without a repeated caption."""
    rng = np.random.default_rng(2)
    usable = scenes.rows(split, relit=False)
    remaining = list(rng.permutation(usable[(scenes.archive[usable] < _OLD) & (scenes.own[usable] > 0)]))
    rows: list[int] = []
    captions: list[int] = []
    while remaining and len(rows) < count:
        group: dict[int, int] = {}
        rest = []
        for row in remaining:
            caption = int(scenes.caption[row, int(rng.integers(scenes.own[row]))])
            if len(group) < min(100, count - len(rows)) and caption not in group:
                group[caption] = int(row)
            else:
                rest.append(row)
        captions += list(group)
        rows += list(group.values())
        remaining = rest
    return np.array(rows), np.array(captions)


def _subjects(painter: AttnPainter, judges: _Judges, each: int) -> dict[str, dict[str, Any]]:
    """How often each scene of pictures.zip is found among all scenes, in painted captions and in real pictures."""
    scenes = judges.scenes
    found = {}
    for number, name in enumerate(SCENES):
        usable = scenes.rows(judges.split, relit=False)
        usable = usable[(scenes.archive[usable] >= _OLD) & (scenes.scene[usable] == number)]
        rows = np.random.default_rng(number).permutation(usable)[:each]
        if len(rows) == 0:
            continue
        painted = judges.paint(painter, [scenes.texts[scenes.caption[row, 0]] for row in rows])
        found[name] = {
            "pictures": len(rows),
            "found": float((judges.classifier(features(painted)) == number).mean()),
            "found_real": float((judges.classifier(features(judges.real(usable))) == number).mean()),
        }
    return found


def _poems(painter: AttnPainter, judges: _Judges, poems: Sequence[Haiku]) -> dict[str, Any]:
    """Scene accuracy and right poem among all, on haiku through the painter's own prompts."""
    prompts = [painter.prompt(poem, seed=number) for number, poem in enumerate(poems)]
    painted = judges.paint(painter, prompts)
    asked = np.array([SCENES.index(prompt.scene) for prompt in prompts])
    sentences = MiniLM().encode([prompt.text for prompt in prompts])
    return {
        "haiku": len(poems),
        "haiku_scene": float((judges.classifier(features(painted), painter.scenes) == asked).mean()),
        "haiku_caption": judges.encoder.right_of_100(painted, sentences),
    }


def _recognised(painter: AttnPainter, judges: _Judges, data: Path, each: int) -> dict[str, Any]:
    """How often the encoder names the subject of a haiku that names it, out of ten, and that of real pictures."""
    scenes = judges.scenes
    named = naming(read_haiku(data), each)
    poems = [poem for subject in SUBJECTS for poem in named[subject]]
    asked = np.array([number for number, subject in enumerate(SUBJECTS) for _ in named[subject]])
    painted = judges.paint(painter, [painter.prompt(poem, seed=at) for at, poem in enumerate(poems)])
    rng = np.random.default_rng(7)
    real_rows = []
    for subject in SUBJECTS:
        usable = scenes.rows(judges.split, relit=False)
        real_rows.append(rng.permutation(usable[scenes.scene[usable] == SCENES.index(subject)])[:each])
    truth = np.concatenate([np.full(len(rows), number) for number, rows in enumerate(real_rows)])
    words = MiniLM().encode([NOUNS[subject][0] for subject in SUBJECTS])
    return {
        "named": len(poems),
        "recognised": float((judges.encoder.nearest(painted, words) == asked).mean()),
        "recognised_real": float(
            (judges.encoder.nearest(judges.real(np.concatenate(real_rows)), words) == truth).mean()
        ),
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


def variety(painter: AttnPainter, scenes: Scenes, *, split: int = 2, candidates: int = 8) -> dict[str, float]:
    """Root mean square difference, on [-1, 1], of four seeds of one text, and of four real pictures of one scene."""
    rng = np.random.default_rng(3)
    painted, real = [], []
    for number, scene in enumerate(("sea", "mountain", "glacier", "forest", "rose")):
        text = f"{scene} in daylight: the day is long, nobody comes, {scene} by day"
        four = [painter.imagine(text, seed=100 * number + seed, count=candidates)[0].pixels for seed in range(4)]
        painted.append(at_side(np.stack(four)))
        usable = (scenes.scene == SCENES.index(scene)) & (scenes.split == split) & (scenes.archive < _OLD)
        rows = rng.permutation(np.flatnonzero(usable))[:40]
        whole = at_side(np.asarray(scenes.pictures[np.sort(rows), 0]))
        real += [whole[start : start + 4] for start in range(0, len(rows) - 1, 4)]
    return {
        "variety": float(np.mean([_apart(four) for four in painted])),
        "variety_real": float(np.mean([_apart(four) for four in real])),
    }


def _apart(four: NDArray[np.uint8]) -> float:
    """The mean over pairs of the root mean square difference, on [-1, 1]."""
    values = [picture.astype(np.float64) / 127.5 - 1.0 for picture in four]
    pairs = [np.sqrt(((a - b) ** 2).mean()) for index, a in enumerate(values) for b in values[index + 1 :]]
    return float(np.mean(pairs))


SUBJECTS: Final[dict[str, frozenset[str]]] = {
    scene: frozenset(words.split())
    for scene, words in {
        "sea": "sea ocean waves shore beach",
        "mountain": "mountain mountains peak peaks",
        "forest": "forest woods pines trees",
        "river": "river stream creek",
        "field": "field fields meadow",
        "city": "city street streets skyscrapers",
        "sky": "sky skies clouds",
        "bird": "bird birds sparrow robin",
        "butterfly": "butterfly butterflies",
        "flower": "flower flowers blossom blossoms",
    }.items()
}
"""The ten scenes of the bar `recognised`, each with the words that name it in a poem."""


def read_haiku(data: Path, count: int | None = None) -> list[Haiku]:
    """5-7-5 haiku about nature, evenly spread over the file; the painter was not trained on haiku.

    Args:
        data: the folder of haiku.jsonl.zst.
        count: how many; all by default, those that are not about nature too.

    Raises:
        InputError: the file is missing.
    """
    import zstandard

    file = data / "haiku.jsonl.zst"
    if not file.is_file():
        raise InputError(f"{file} is missing; give the folder of the training archives with --data DIR")
    with file.open("rb") as stream:
        text = zstandard.ZstdDecompressor().stream_reader(stream).read().decode()
    rows = [row for row in map(json.loads, text.splitlines()) if row["form"] == "575"]
    if count is not None:
        rows = [row for row in rows if row["nature"] >= 1]
        rows = rows[:: max(1, len(rows) // count)][:count]
    return [Haiku(lines=tuple(row["lines"]), syllables=(5, 7, 5)) for row in rows]


def naming(poems: Iterable[Haiku], each: int) -> dict[str, list[Haiku]]:
    """The first `each` poems that name one subject of SUBJECTS and no other, by subject."""
    found: dict[str, list[Haiku]] = {subject: [] for subject in SUBJECTS}
    for poem in poems:
        words = set(re.findall(r"[a-z']+", " ".join(poem.lines).lower()))
        named = [subject for subject, known in SUBJECTS.items() if words & known]
        if len(named) == 1 and len(found[named[0]]) < each:
            found[named[0]].append(poem)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate, write metrics.json beside the model, and return 0 if the bars are met."""
    parser = argparse.ArgumentParser(prog="python -m auria_bot.art.evaluation.painter", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("models/painter"))
    parser.add_argument("--earlier", type=Path, help="the folder of an earlier model, evaluated in the same run")
    parser.add_argument("--folder", type=Path, default=None, help="where the training arrays and the judges are kept")
    parser.add_argument("--split", choices=tuple(_SPLITS), default="test")
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--each", type=int, default=20, help="captions of each scene of pictures.zip, at most")
    parser.add_argument("--haiku", type=int, default=100)
    parser.add_argument("--candidates", type=int, default=_CANDIDATES)
    chosen = vars(parser.parse_args(arguments))
    log = partial(print, flush=True)
    figures = evaluate(**chosen, log=log)
    write_json(chosen["model"] / ("metrics.json" if chosen["split"] == "test" else "validation.json"), figures)
    log(json.dumps(figures, indent=1))
    return 0 if figures["passed"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
