"""Read the painter's training pictures from their archives: what each shows, its split, its own captions.

intel_scenes.zip and flowers_5.zip are sorted by scene already. Of pictures.zip only the subjects that a small painter
can paint from are used; rooms, vehicles, people's things and animals other than birds, butterflies and horses are left
out, and so is the moon, which fills the frame there.
"""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from auria_bot.corpus.language.words import word_set
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ARCHIVES", "Item", "items", "read", "scene_of"]

_SORTED = ("intel_scenes.zip", "flowers_5.zip")
_MIXED = "pictures.zip"
ARCHIVES = (*_SORTED, _MIXED)
"""The archives that are read."""

_SPLITS = {"train": 0, "val": 1, "validation": 1, "test": 2}
_SCENES = {  # of a subject
    name: name
    for name in word_set(
        "bird city flower house temple butterfly garden river sea boat field sky bridge mountain bamboo horse church "
        "road park swamp valley desert forest waterfall rain"
    )
} | {
    "clouds": "sky",
    "lake": "river",
    "snow": "snowfield",
    "landscape": "valley",
    "sunrise": "sky",
    "sunset": "sky",
    "sunshine": "sky",
    "autumn": "forest",
    "fog": "forest",
    "ice": "glacier",
    "night": "city",
}
_LABELS = {  # that are used; of other subjects all are
    "city": {"street", "buildings", "skyscrapers"},
    "house": {"house", "chalet", "shed"},
    "temple": {"temple", "monastery"},
    "garden": {"botanical garden", "garden"},
    "field": {"corn field", "hay", "rapeseed"},
    "sunrise": {"sunrise"},
    "bridge": {"bridge", "aqueduct", "steel arch bridge"},
    "park": {"park", "campus"},
    "ice": {"iceberg", "ice"},
    "night": {"night"},
}
_LIGHTS = {"sunrise": "sunset", "sunset": "sunset", "night": "night", "fog": "mist", "autumn": "autumn", "snow": "snow"}
_LIGHTS |= {"rain": "grey", "sunshine": "noon"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A picture of an archive."""

    archive: str
    file: str  # path inside the archive
    scene: str  # one of prompt_vocabulary.SCENES
    light: str  # a key of LIGHT_PHRASES where the archive says so; "" where the picture itself decides
    split: int  # 0 train, 1 validation, 2 test
    captions: tuple[str, ...]  # the archive's own


def scene_of(subject: str, label: str) -> str:
    """The scene of a subject and label of pictures.zip; "" where it is not used."""
    return _SCENES.get(subject, "") if label in _LABELS.get(subject, {label}) else ""


def items(data: Path, *, limit: int | None = None) -> list[Item]:
    """All pictures that are used, in a fixed order.

    Args:
        limit: only about so many of them, evenly spread.

    Raises:
        InputError: an archive is missing.
    """
    for name in ARCHIVES:
        if not (data / name).is_file():
            raise InputError(f"{data / name} is missing; give the folder of the training archives with --data DIR")
    listed = [item for name in _SORTED for item in _sorted(data / name)] + _mixed(data / _MIXED)
    return listed if limit is None else listed[:: max(1, len(listed) // limit)]


def _rows(path: Path) -> list[dict[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        return [json.loads(line) for line in archive.read("captions.jsonl").splitlines()]


def _sorted(path: Path) -> list[Item]:
    """One in 25 of the training pictures, by the hash of the file name, is set aside for validation."""
    return [
        Item(
            archive=path.name,
            file=f"images/{row['file']}",
            scene=row["label"],
            light="",
            split=_SPLITS[row["split"]] or int(sha256(row["file"].encode()).digest()[0] % 25 == 0),
            captions=tuple(row["captions"]),
        )
        for row in _rows(path)
    ]


def _mixed(path: Path) -> list[Item]:
    return [
        Item(
            archive=path.name,
            file=row["file"],
            scene=scene,
            light=_LIGHTS.get(row["subject"], ""),
            split=_SPLITS[row["split"]],
            captions=(row["caption"],),
        )
        for row in _rows(path)
        if (scene := scene_of(row["subject"], row["label"]))
    ]


def read(data: Path, chosen: Sequence[Item], *, side: int) -> Iterator[NDArray[np.float32]]:
    """The pictures (height, width, 3), RGB in [0, 1], their shorter side at most `side` pixels."""
    with ExitStack() as stack:
        names = {item.archive for item in chosen}
        archives = {name: stack.enter_context(zipfile.ZipFile(data / name)) for name in names}
        for item in chosen:
            picture = Image.open(io.BytesIO(archives[item.archive].read(item.file))).convert("RGB")
            scale = side / min(picture.size)
            if scale < 1.0:
                size = (max(side, round(picture.width * scale)), max(side, round(picture.height * scale)))
                picture = picture.resize(size, Image.Resampling.LANCZOS)
            yield np.asarray(picture, np.float32) / 255.0
