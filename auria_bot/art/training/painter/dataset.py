"""The painter's training data: pictures, relit copies, captions and caption vectors, as arrays.

Reads intel_scenes.zip and flowers_5.zip from the data folder and keeps the arrays under the training folder; nothing of
them ships. The archives' test pictures are the test split; of the rest, one in 25 by the hash of its file name, and
those the archive marks so, are the validation split.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from auria_bot.art.minilm import MiniLM
from auria_bot.art.painters.prompt_vocabulary import FLOWERS, SCENES
from auria_bot.art.training.painter.caption_synthesis import captions, light_of
from auria_bot.art.training.painter.lighting_augmentation import luminance, relight
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["CAPTIONS", "SIZE", "WORDS", "Scenes", "cache_of", "prepare"]

SIZE = 64  # pixels a side
CAPTIONS = 6  # of each picture
WORDS = 24  # word pieces kept of a caption
_ARCHIVES = ("intel_scenes.zip", "flowers_5.zip")
_RELIT = {  # scene: chance of each light, for a daylight training picture
    "sea": {"night": 0.09, "moon": 0.14, "sunset": 0.08},
    "mountain": {"night": 0.09, "moon": 0.12, "sunset": 0.10, "autumn": 0.07, "snow": 0.09},
    "glacier": {"night": 0.08, "moon": 0.12, "sunset": 0.06},
    "forest": {"night": 0.09, "moon": 0.12, "sunset": 0.09, "autumn": 0.20, "snow": 0.16},
}
_RELIT_FLOWER = {"night": 0.06, "sunset": 0.06, "moon": 0.03}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenes:
    """Pictures and captions as arrays; a picture's captions are rows of the caption arrays."""

    pictures: NDArray[np.uint8]  # (n, 2, 64, 64, 3) the whole picture and a closer crop
    scene: NDArray[np.int64]  # (n,) index into SCENES
    light: list[str]  # (n,) keys of prompt_vocabulary.LIGHT_PHRASES
    split: NDArray[np.int64]  # (n,) 0 train, 1 validation, 2 test
    relit: NDArray[np.bool_]  # (n,) whether the light is synthetic
    caption: NDArray[np.int64]  # (n, 6) rows of the arrays below; for real pictures the first two are from the data
    texts: list[str]  # (m,)
    sentences: NDArray[np.float16]  # (m, 384) unit length
    words: NDArray[np.float16]  # (m, 24, 384)
    mask: NDArray[np.float16]  # (m, 24)

    def rows(self, split: int, *, relit: bool = True) -> NDArray[np.int64]:
        """Indices of a split's pictures, with or without relit ones."""
        return np.flatnonzero((self.split == split) & (relit | ~self.relit))

    def weights(self) -> NDArray[np.float64]:
        """The probability of drawing each training picture; zero outside the training split."""
        names = np.array(SCENES)[self.scene]
        lights = np.array(self.light)
        weight = np.where(np.isin(names, sorted(FLOWERS)), 0.75, 1.0)
        weight = (
            weight
            * np.where(~self.relit & (lights == "sunset"), 2.0, 1.0)
            * np.where(~self.relit & (lights == "night"), 1.5, 1.0)
        )
        weight = weight * np.where(self.relit, 1.7, 1.0)
        weight = weight * (self.split == 0)
        share: NDArray[np.float64] = weight / weight.sum()
        return share


def prepare(data: Path, folder: Path, *, limit: int | None = None, log: Callable[[str], None] = print) -> Scenes:
    """Build the arrays, or load them if they exist.

    Args:
        data: the folder with the archives.
        folder: where the arrays are kept.
        limit: use only about so many pictures (for tests); a limited set has its own cache.
        log: receives progress lines.

    Raises:
        InputError: an archive is missing.
    """
    cache = cache_of(folder, limit)
    if not (cache / "ready.json").exists():
        for name in _ARCHIVES:
            if not (data / name).is_file():
                raise InputError(f"{data / name} is missing; give the folder of the training archives with --data DIR")
        _build(data, cache, limit, log)
    facts = json.loads((cache / "ready.json").read_text())
    arrays: dict[str, Any] = {
        name: np.load(cache / f"{name}.npy", mmap_mode="r" if name in {"pictures", "words"} else None)
        for name in ("pictures", "scene", "split", "relit", "caption", "sentences", "words", "mask")
    }
    return Scenes(light=facts["light"], texts=facts["texts"], **arrays)


def cache_of(folder: Path, limit: int | None = None) -> Path:
    """The folder of the arrays under the training folder."""
    return folder / ("scenes" if limit is None else f"scenes-{limit}")


def _build(data: Path, cache: Path, limit: int | None, log: Callable[[str], None]) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    pictures, scene, light, split, relit, captioned = [], [], [], [], [], []
    for file, row, whole in _read(data, limit):
        rng = np.random.default_rng(int.from_bytes(sha256(file.encode()).digest()[:8], "little"))
        label, part = row["label"], _split(file, row["split"])
        seen = light_of(whole, label)
        own_captions = [row["captions"][index] for index in rng.permutation(len(row["captions"]))[:2]]
        views = [(seen, whole, own_captions)]
        if part == 0 and float(luminance(whole).mean()) > 0.25 and seen not in {"night", "sunset"}:
            chances = _RELIT_FLOWER if label in FLOWERS else _RELIT[label]
            views += [
                (name, relight(whole, name, rng), []) for name, chance in chances.items() if rng.random() < chance
            ]
        for number, (name, view, own) in enumerate(views):
            small = [_shrink(view, (0.0, 0.0, 1.0)), _shrink(view, (*rng.uniform(0.0, 0.14, 2), 0.86))]
            pictures.append(np.stack(small))
            scene.append(SCENES.index(label))
            light.append(name)
            split.append(part)
            relit.append(number > 0)
            captioned.append(
                (own + captions((small[0] / 255).astype(np.float32), label, name, rng, CAPTIONS))[:CAPTIONS]
            )
    texts = sorted({text for each in captioned for text in each})
    log(f"{len(pictures)} pictures, {sum(relit)} of them relit, {len(texts)} different captions")
    index = {text: row for row, text in enumerate(texts)}
    sentences, words, mask = MiniLM(threads=1).both(texts, limit=WORDS, batch=32)
    arrays = {
        "pictures": np.stack(pictures),
        "scene": np.array(scene),
        "split": np.array(split),
        "relit": np.array(relit),
        "caption": np.array([[index[text] for text in each] for each in captioned]),
        "sentences": sentences.astype(np.float16),
        "words": words.astype(np.float16),
        "mask": mask.astype(np.float16),
    }
    for name, array in arrays.items():
        np.save(cache / f"{name}.npy", array)
    (cache / "ready.json").write_text(json.dumps({"light": light, "texts": texts}))
    log("caption vectors computed")


def _read(data: Path, limit: int | None) -> Iterator[tuple[str, dict[str, Any], NDArray[np.float32]]]:
    """File name, caption record and picture (96 px, float32 RGB in [0, 1]) of every picture."""
    for name in _ARCHIVES:
        with zipfile.ZipFile(data / name) as archive:
            rows = [json.loads(line) for line in archive.read("captions.jsonl").splitlines()]
            step = 1 if limit is None else max(1, 2 * len(rows) // limit)
            for row in rows[::step]:
                picture = Image.open(io.BytesIO(archive.read(f"images/{row['file']}"))).convert("RGB")
                side = min(picture.size)
                left, top = (picture.width - side) // 2, (picture.height - side) // 2
                square = picture.crop((left, top, left + side, top + side)).resize((96, 96), Image.Resampling.LANCZOS)
                yield row["file"], row, np.asarray(square, np.float32) / 255.0


def _split(file: str, own_captions: str) -> int:
    if own_captions == "test":
        return 2
    return 1 if own_captions == "val" or sha256(file.encode()).digest()[0] % 25 == 0 else 0


def _shrink(picture: NDArray[np.float32], box: tuple[float, float, float]) -> NDArray[np.uint8]:
    """A square of the picture (left, top, side as shares) at 64 x 64."""
    left, top, side = (round(value * picture.shape[0]) for value in box)
    image = Image.fromarray(np.round(picture * 255).astype(np.uint8)).crop((left, top, left + side, top + side))
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.LANCZOS))
