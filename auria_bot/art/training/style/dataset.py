"""Content pictures for the training of a style network: those of a folder, or of the archives in it."""

from __future__ import annotations

import contextlib
import json
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from auria_bot.art.pictures import decode_picture, open_picture
from auria_bot.errors import InputError, PictureError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ARCHIVES", "ContentPictures"]

ARCHIVES = ("flickr8k.zip", "pictures.zip")
"""The archives of the training data whose pictures are read."""

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}
_TRIED = 20  # pictures in a row that may be damaged
_DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, KeyError, ValueError, TypeError, RuntimeError)
_NOISE = 0.05  # largest standard deviation of the noise that is added to half of the crops, so that skies get strokes
_ZOOM = 1.6  # a crop shows at least this share's inverse of the picture's shorter side


class _Picture(NamedTuple):
    archive: str  # "" where the picture is a file of its own
    file: str  # path in the archive or in the folder


class ContentPictures:
    """Pictures that a style network learns to restyle.

    Usage::

        content = ContentPictures(folder)
        crop = content.crop(numpy.random.default_rng(1), side=128)
    """

    def __init__(self, folder: Path, *, split: str = "train", limit: int | None = None) -> None:
        """List the pictures: of the archives in the folder where there are any, else every picture beneath it.

        Args:
            folder: archives are those of `ARCHIVES`.
            split: of the archives' pictures, those of this split; other folders have none.
            limit: the first so many only.

        Raises:
            InputError: there is no picture, or an archive is damaged.
        """
        self._folder = folder
        self._archives: dict[str, zipfile.ZipFile] = {}
        self._pictures: list[_Picture] = []
        for name in ARCHIVES:
            if (folder / name).is_file():
                try:
                    self._archives[name] = zipfile.ZipFile(folder / name)
                    self._pictures += self._listed(name, split)
                except _DAMAGED as error:
                    raise InputError(f"{folder / name} is damaged, or no archive of pictures: {error}") from None
        if not self._archives:
            files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
            self._pictures = [_Picture("", path.relative_to(folder).as_posix()) for path in files]
        self._pictures = self._pictures[:limit]
        if not self._pictures:
            raise InputError(f"there is no picture in {folder}; name a folder of photographs with --content DIR")

    def __len__(self) -> int:
        return len(self._pictures)

    def _listed(self, archive: str, split: str) -> list[_Picture]:
        rows = [json.loads(line) for line in self._archives[archive].read("captions.jsonl").splitlines()]
        names = (str(row["file"]) for row in rows if {"val": "validation"}.get(row["split"], row["split"]) == split)
        return [_Picture(archive, name if "/" in name else f"images/{name}") for name in names]

    def picture(self, place: int) -> Image.Image:
        """A picture, as RGB.

        Raises:
            PictureError: it cannot be read.
        """
        found = self._pictures[place]
        if not found.archive:
            return open_picture(self._folder / found.file)
        try:
            content = self._archives[found.archive].read(found.file)
        except _DAMAGED as error:
            raise PictureError(f"{found.file}: cannot be read from {found.archive}: {error}") from None
        return decode_picture(content, name=found.file)

    def _readable(self, place: int) -> Image.Image:
        """A picture, or the next one that can be read: hours of training do not end at a damaged photograph.

        Raises:
            PictureError: many in a row cannot.
        """
        for step in range(min(len(self), _TRIED)):
            with contextlib.suppress(PictureError):
                return self.picture((place + step) % len(self))
        return self.picture(place)

    def crop(self, rng: np.random.Generator, *, side: int) -> NDArray[np.float32]:
        """A random square of a random picture: (side, side, 3) from 0 to 1, now and then mirrored or with noise."""
        picture = self._readable(int(rng.integers(len(self))))
        short = side * float(rng.uniform(1.0, max(1.0, min(_ZOOM, min(picture.size) / side * 1.2))))
        scale = short / min(picture.size)
        width, height = (max(side, round(edge * scale)) for edge in picture.size)
        left, top = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
        right, bottom = min(picture.width, (left + side) / scale), min(picture.height, (top + side) / scale)
        box = (left / scale, top / scale, right, bottom)
        square = picture.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
        values = np.asarray(square, np.float32) / np.float32(255)
        if rng.random() < 0.5:
            values = values[:, ::-1]
        if rng.random() < 0.5:
            values = values + rng.normal(0, rng.uniform(0, _NOISE), values.shape).astype(np.float32)
        return np.ascontiguousarray(values.clip(0, 1))
