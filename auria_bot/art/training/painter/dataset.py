"""The painter's training data: pictures, relit copies, captions and caption vectors, as arrays.

Reads the archives of `sources` and keeps the arrays under the training folder; nothing of them ships. The work is done
in parts, each kept when it is finished: a stopped preparation continues where it was.

Scene archives hold pictures of people, signs and details under the name of a place. A softmax regression on
EfficientNet-Lite0's features is trained on three quarters of the pictures and asked about the last quarter, four times;
pictures to which it gives their own scene hardly any probability are left out of training (not of validation or test).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from auria_bot.art.minilm import MiniLM
from auria_bot.art.painters.prompt_vocabulary import CLOSE_UPS, LEAFY, SCENES, SNOWY
from auria_bot.art.training.painter import sources
from auria_bot.art.training.painter.caption_synthesis import captions, light_of
from auria_bot.art.training.painter.lighting_augmentation import luminance, relight

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "CAPTIONS",
    "LEAST",
    "SIZE",
    "WORDS",
    "Scenes",
    "cache_of",
    "fit_linear",
    "kept",
    "own_probability",
    "prepare",
    "save_part",
    "shrink",
]

SIZE = 96  # pixels a side
CAPTIONS = 4  # of each picture
WORDS = 24  # word pieces kept of a caption
_READ = 128  # pixels of the shorter side from which the views are cut
_PICTURES, _TEXTS = 400, 4096  # of one part
_RELIT = {  # scene: chance of each light, for a daylight training picture
    "sea": {"night": 0.09, "moon": 0.14, "sunset": 0.08},
    "mountain": {"night": 0.09, "moon": 0.12, "sunset": 0.10, "autumn": 0.07, "snow": 0.09},
    "glacier": {"night": 0.08, "moon": 0.12, "sunset": 0.06},
    "forest": {"night": 0.09, "moon": 0.12, "sunset": 0.09, "autumn": 0.20, "snow": 0.16},
    "sky": {"night": 0.08, "moon": 0.12},
    "snowfield": {"night": 0.08, "moon": 0.12, "sunset": 0.08},
}
_RELIT_WIDE = {"night": 0.08, "moon": 0.10, "sunset": 0.08}  # other scenes
_SNOW, _AUTUMN = 0.1, 0.08  # of those in which they are seen
_RELIT_FLOWER = {"night": 0.06, "sunset": 0.06, "moon": 0.03}
_UNRELIT = frozenset({"bird", "butterfly", "horse", "rain"})
_PREFERRED = {"sea": 1.5, "mountain": 1.3, "forest": 1.4, "sky": 1.2, "river": 1.2, "field": 1.2}
# How much oftener than others a scene is drawn, because poems name it often.


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenes:
    """Pictures and captions as arrays; a picture's captions are rows of the caption arrays."""

    pictures: NDArray[np.uint8]  # (n, 2, 96, 96, 3) the whole picture and a closer crop
    scene: NDArray[np.int64]  # (n,) index into SCENES
    light: list[str]  # (n,) keys of prompt_vocabulary.LIGHT_PHRASES
    split: NDArray[np.int64]  # (n,) 0 train, 1 validation, 2 test
    relit: NDArray[np.bool_]  # (n,) whether the light is synthetic
    archive: NDArray[np.int64]  # (n,) index into sources.ARCHIVES
    caption: NDArray[np.int64]  # (n, 4) rows of the arrays below; those of the archive come first
    own: NDArray[np.int64]  # (n,) how many of them are the archive's
    texts: list[str]  # (m,)
    sentences: NDArray[np.float16]  # (m, 384) unit length
    words: NDArray[np.float16]  # (p, 384) the word pieces of all texts
    start: NDArray[np.int64]  # (m + 1,) where each text's word pieces begin

    def rows(self, split: int, *, relit: bool = True) -> NDArray[np.int64]:
        """Indices of a split's pictures, with or without relit ones."""
        return np.flatnonzero((self.split == split) & (relit | ~self.relit))

    def text_inputs(
        self, texts: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Sentences (n, 384), words (n, 24, 384) and their mask (n, 24) of some texts."""
        words = np.zeros((len(texts), WORDS, self.sentences.shape[1]), np.float32)
        mask = np.zeros((len(texts), WORDS), np.float32)
        for row, text in enumerate(texts):
            begin, end = int(self.start[text]), int(self.start[text + 1])
            words[row, : end - begin] = self.words[begin:end]
            mask[row, : end - begin] = 1.0
        return self.sentences[texts].astype(np.float32), words, mask

    def weights(self, kept: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """The probability of drawing each training picture; zero outside the training split.

        A scene is drawn with the square root of its number of pictures, so that those of few pictures are not lost.

        Args:
            kept: (n,) which pictures may be drawn; all by default.
        """
        lights = np.array(self.light)
        weight = np.where(~self.relit & (lights == "sunset"), 2.0, 1.0)
        weight = weight * np.where(~self.relit & (lights == "night"), 1.5, 1.0)
        weight = weight * np.where(self.relit, 1.7, 1.0)
        weight = weight * (self.split == 0) * (1.0 if kept is None else kept)
        total = np.bincount(self.scene, weight, minlength=len(SCENES))
        preferred = [_PREFERRED.get(name, 0.75 if name in CLOSE_UPS else 1.0) for name in SCENES]
        wanted = np.sqrt(total) * np.array(preferred)
        weight = weight * (wanted / np.maximum(total, 1e-9))[self.scene]
        share: NDArray[np.float64] = weight / weight.sum()
        return share


def prepare(data: Path, folder: Path, *, limit: int | None = None, log: Callable[[str], None] = print) -> Scenes:
    """Build the arrays, or load them if they exist.

    Args:
        data: the folder with the archives.
        folder: where the arrays are kept.
        limit: use only about so many pictures (for tests); a limited set has its own cache.

    Raises:
        InputError: an archive is missing.
    """
    cache = cache_of(folder, limit)
    if not (cache / "ready.json").exists():
        _build(data, cache, sources.items(data, limit=limit), log)
    facts = json.loads((cache / "ready.json").read_text())
    arrays: dict[str, Any] = {
        name: np.load(cache / f"{name}.npy", mmap_mode="r" if name in {"pictures", "words"} else None)
        for name in ("pictures", "scene", "split", "relit", "archive", "caption", "own", "sentences", "words", "start")
    }
    return Scenes(light=facts["light"], texts=facts["texts"], **arrays)


def cache_of(folder: Path, limit: int | None = None) -> Path:
    """The folder of the arrays under the training folder."""
    return folder / (f"scenes-{SIZE}" if limit is None else f"scenes-{SIZE}-{limit}")


def _build(data: Path, cache: Path, items: Sequence[sources.Item], log: Callable[[str], None]) -> None:
    parts = cache / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    files = []
    for start in range(0, len(items), _PICTURES):
        files.append(parts / f"pictures-{start:06d}.npz")
        if not files[-1].exists():
            save_part(files[-1], _views(data, items[start : start + _PICTURES]))
            log(f"pictures {min(start + _PICTURES, len(items))}/{len(items)}")
    made = [dict(np.load(file)) for file in files]
    joined = {name: np.concatenate([part[name] for part in made]) for name in made[0]}
    captioned = joined.pop("captions")
    texts, caption = np.unique(captioned, return_inverse=True)
    log(f"{len(captioned)} pictures, {int(joined['relit'].sum())} of them relit, {len(texts)} different captions")
    minilm, files = MiniLM(threads=1), []
    for start in range(0, len(texts), _TEXTS):
        files.append(parts / f"texts-{start:06d}.npz")
        if not files[-1].exists():
            some = [str(each) for each in texts[start : start + _TEXTS]]
            sentences, words, mask = minilm.both(some, limit=WORDS, batch=32)
            arrays = {
                "sentences": sentences.astype(np.float16),
                "words": words[mask > 0].astype(np.float16),
                "lengths": mask.sum(axis=1).astype(np.int64),
            }
            save_part(files[-1], arrays)
            log(f"caption vectors {min(start + _TEXTS, len(texts))}/{len(texts)}")
    vectors = [dict(np.load(file)) for file in files]
    lengths = np.concatenate([part["lengths"] for part in vectors])
    light = [str(each) for each in joined.pop("light")]
    joined |= {
        "caption": caption.reshape(captioned.shape),
        "sentences": np.concatenate([part["sentences"] for part in vectors]),
        "words": np.concatenate([part["words"] for part in vectors]),
        "start": np.concatenate([[0], np.cumsum(lengths)]),
    }
    for name, array in joined.items():
        np.save(cache / f"{name}.npy", array)
    (cache / "ready.json").write_text(json.dumps({"light": light, "texts": [str(each) for each in texts]}))
    for file in parts.iterdir():
        file.unlink()
    parts.rmdir()


def save_part(file: Path, arrays: dict[str, Any]) -> None:
    """Write a part under another name first, so that a stopped run leaves none half written."""
    unfinished = file.with_suffix(".unfinished.npz")
    np.savez(unfinished, **arrays)
    unfinished.replace(file)


def _views(data: Path, items: Sequence[sources.Item]) -> dict[str, Any]:
    """Pictures, relit copies and captions of some items, as arrays."""
    made: dict[str, list[Any]] = {
        name: [] for name in ("pictures", "scene", "light", "split", "relit", "archive", "own", "captions")
    }
    for item, picture in zip(items, sources.read(data, items, side=_READ), strict=True):
        rng = np.random.default_rng(int.from_bytes(sha256(item.file.encode()).digest()[:8], "little"))
        square = _middle(picture)
        light = item.light or light_of(square, item.scene)
        own = [item.captions[index] for index in rng.permutation(len(item.captions))[:2]]
        views = [(light, picture, own)]
        if item.split == 0 and float(luminance(square).mean()) > 0.25 and light not in {"night", "sunset"}:
            chances = _chances(item.scene)
            views += [(name, relight(square, name, rng), []) for name, share in chances.items() if rng.random() < share]
        for number, (name, view, given) in enumerate(views):
            small = [shrink(_middle(view)), shrink(_closer(view, rng))]
            made["pictures"].append(np.stack(small))
            made["scene"].append(SCENES.index(item.scene))
            made["light"].append(name)
            made["split"].append(item.split)
            made["relit"].append(number > 0)
            made["archive"].append(sources.ARCHIVES.index(item.archive))
            made["own"].append(len(given))
            written = captions((small[0] / 255).astype(np.float32), item.scene, name, rng, CAPTIONS)
            made["captions"].append((given + written)[:CAPTIONS])
    return {name: np.array(values) for name, values in made.items()}


def _chances(scene: str) -> dict[str, float]:
    """The chance of each light for a relit copy of a scene's picture."""
    if scene in _UNRELIT:
        return {}
    if scene in CLOSE_UPS:
        return _RELIT_FLOWER
    if scene in _RELIT:
        return _RELIT[scene]
    seen = ({"snow": _SNOW} if scene in SNOWY else {}) | ({"autumn": _AUTUMN} if scene in LEAFY else {})
    return _RELIT_WIDE | seen


def _middle(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The square in the middle."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def _closer(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A square of 0.8 to 0.95 of the shorter side, anywhere in the picture."""
    height, width = picture.shape[:2]
    side = round(min(height, width) * float(rng.uniform(0.8, 0.95)))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    return picture[top : top + side, left : left + side]


def shrink(picture: NDArray[np.float32], size: int = SIZE) -> NDArray[np.uint8]:
    """A square picture, RGB in [0, 1], at `size` x `size` bytes."""
    image = Image.fromarray(np.round(picture * 255).astype(np.uint8))
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))


LEAST = 0.04  # probability of a picture's own scene below which it is left out
_FOLDS = 4
_STEPS, _BATCH = 300, 512


def kept(scenes: Scenes, last: NDArray[np.float16], cache: Path) -> NDArray[np.bool_]:
    """(n,) whether each picture may be trained on; computed once. Relit copies count by their own features too.

    Args:
        last: (n, 1280) Lite0's features of them.
        cache: where the probabilities are kept.
    """
    file = cache / "own-probability.npy"
    if not file.exists():
        np.save(file, own_probability(np.asarray(last, np.float32), scenes.scene, scenes.split == 0))
    stated: NDArray[np.float32] = np.load(file)
    return (stated >= LEAST) | scenes.relit


def own_probability(
    features: NDArray[np.float32], labels: NDArray[np.int64], used: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(n,) the probability of its own label for each row, by a regression trained on other rows.

    Args:
        features: (n, d).
        labels: (n,) indices into SCENES.
        used: (n,) rows that may be trained on; the others are judged by the first regression.
    """
    fold = np.random.default_rng(0).integers(0, _FOLDS, len(labels))
    found = np.zeros(len(labels), np.float32)
    x = torch.from_numpy((features - features.mean(0)) / (features.std(0) + 1e-3))
    for number in range(_FOLDS):
        train = used & (fold != number)
        line = fit_linear(x[train], torch.from_numpy(labels[train]), classes=len(SCENES))
        asked = fold == number
        with torch.no_grad():
            share = line(x[asked]).softmax(1).numpy()
        found[asked] = share[np.arange(len(share)), labels[asked]]
    return found


def fit_linear(x: torch.Tensor, labels: torch.Tensor, *, classes: int, steps: int = _STEPS) -> nn.Linear:
    """A softmax regression on standardised features (n, d), trained with AdamW."""
    torch.manual_seed(0)
    line = nn.Linear(x.shape[1], classes)
    optimizer = torch.optim.AdamW(line.parameters(), lr=3e-3, weight_decay=0.3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        batch = torch.randint(len(x), (_BATCH,), generator=generator)
        loss = F.cross_entropy(line(x[batch]), labels[batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return line
