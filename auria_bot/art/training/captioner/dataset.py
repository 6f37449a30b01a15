"""The captioned pictures that the captioner is trained on: reading, tokenising, and features computed once.

Reads three archives (`flickr8k.zip`, `intel_scenes.zip`, `flowers_5.zip`: a captions.jsonl and an images/ folder each)
and keeps the features of a frozen EfficientNet-Lite0 in a memory-mapped file, so that training never runs the image
encoder again.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from PIL import Image

from auria_bot.art.captioners.vocabulary import Vocabulary, non_nature_words, tokenise
from auria_bot.art.checkpoint import read_json, write_json
from auria_bot.corpus.language.words import word_set
from auria_bot.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.runtime import Network

__all__ = [
    "ARCHIVES",
    "CELLS",
    "STEP",
    "Captioned",
    "FeatureStore",
    "build_vocabulary",
    "colourless",
    "count_words",
    "picture_view",
    "read_archive",
    "spread",
    "without_guesses",
]

ARCHIVES: Final = {"flickr": "flickr8k.zip", "scenes": "intel_scenes.zip", "flowers": "flowers_5.zip"}
Picture = TypeVar("Picture")
CELLS: Final = 49  # of the 7x7 grid
STEP: Final = 6.0 / 255.0  # quantisation step: features in [0, 6] are stored as bytes
_SIDE = 224  # pixels
_CHANNELS = 1280
_COLOURS = word_set(
    "blue grey gray green teal yellow orange golden pink purple red white black brown blue-green pale deep dark bright"
)
_GUESSES = re.compile(r" near the (?:mountain|glacier)$|^an? .+ and an? .+ under ")
_BATCH = 8  # pictures a run of the image encoder, the fastest per picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """A picture and its captions."""

    archive: str  # a key of ARCHIVES
    file: str  # below images/ in the archive
    captions: tuple[str, ...]
    split: str  # "train", "val" or "test"


def read_archive(data: Path, archive: str) -> list[Captioned]:
    """The captioned pictures of one archive, in its own order.

    Raises:
        NotFound: `data` does not contain the archive.
    """
    path = data / ARCHIVES[archive]
    if not path.is_file():
        raise NotFound(f"{path} is not there; give the folder that holds {', '.join(ARCHIVES.values())} with --data")
    with zipfile.ZipFile(path) as bundle:
        rows = [json.loads(line) for line in bundle.read("captions.jsonl").splitlines() if line.strip()]
    return [
        Captioned(archive=archive, file=row["file"], captions=_trusted(archive, row["captions"]), split=row["split"])
        for row in rows
    ]


def _trusted(archive: str, captions: Sequence[str]) -> tuple[str, ...]:
    """All captions by people; of templated ones those that mention nature only."""
    if archive == "flickr":
        return tuple(captions)
    return tuple(caption for caption in captions if not non_nature_words(caption)) or tuple(captions[:1])


def count_words(pictures: Sequence[Captioned]) -> Counter[str]:
    """How often each token occurs in the pictures' captions."""
    return Counter(token for picture in pictures for caption in picture.captions for token in tokenise(caption))


def build_vocabulary(pictures: Mapping[str, Sequence[Captioned]], minimum_count: int) -> Vocabulary:
    """Words used often enough by people, and words of the templated captions used at least 20 times."""
    words = {word for word, n in count_words(pictures["flickr"]).items() if n >= minimum_count}
    for archive in ("scenes", "flowers"):
        words |= {word for word, n in count_words(pictures.get(archive, ())).items() if n >= 20}
    return Vocabulary(words=tuple(sorted(words)))


def spread(pictures: list[Picture], most: int | None) -> list[Picture]:
    """At most `most` of the pictures, evenly spread over the archive's order (which is by label)."""
    if most is None or len(pictures) <= most:
        return pictures
    return [pictures[place * len(pictures) // most] for place in range(most)]


def without_guesses(picture: Captioned) -> Captioned:
    """The picture without captions that are uncertain guesses ("a valley near the mountain"), if others remain."""
    kept = tuple(caption for caption in picture.captions if not _GUESSES.search(caption))
    return replace(picture, captions=kept or picture.captions)


def colourless(picture: Captioned) -> Captioned | None:
    """The picture with captions that stay true when it is recoloured; None if there are none."""
    kept: list[str] = []
    for caption in without_guesses(picture).captions:
        tokens = [token for token in tokenise(caption) if token not in _COLOURS]
        text = re.sub(r"\ban (?=[^aeiou])", "a ", " ".join(tokens)).replace("sunflower flower", "sunflower in bloom")
        text = re.sub(r"\ba (?=[aeiou])", "an ", text)
        informative = len(tokens) > 2 and not {"background", "ground"} & set(tokens)
        if informative and not text.startswith("the ") and text not in kept:
            kept.append(text)
    return replace(picture, captions=tuple(kept)) if kept else None


class FeatureStore:
    """Features of pictures in several views, uint8 (pictures, views, 49, 1280), in a memory-mapped file.

    Views: 0 unchanged, 1 mirrored, 2 and up a random crop of at least 80 % of each side, odd ones mirrored.
    """

    def __init__(self, path: Path, pictures: int, views: int) -> None:
        self._path, self._shape = path, (pictures, views, CELLS, _CHANNELS)
        self._note = path.with_suffix(".json")

    def done(self) -> int:
        """How many pictures have been computed."""
        if not (self._path.is_file() and self._note.is_file()):
            return 0
        note: dict[str, Any] = read_json(self._note)
        return int(note["done"]) if note["shape"] == list(self._shape) else 0

    def open(self, mode: str = "r") -> NDArray[np.uint8]:
        """The features, memory-mapped; multiply by STEP for the image encoder's values."""
        options: Any = {"dtype": np.uint8, "mode": mode, "shape": self._shape}
        features: NDArray[np.uint8] = np.memmap(self._path, **options)
        return features

    def fill(
        self,
        data: Path,
        pictures: Sequence[Captioned],
        image_encoder: Network,
        log: Callable[[str], None],
        *,
        alter: Callable[[Image.Image, int], Image.Image] | None = None,
    ) -> None:
        """Compute the missing features; a killed run resumes. `alter` changes a picture, given its row, beforehand."""
        start = self.done()
        if start == len(pictures):
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        features = self.open("r+" if start and self._path.is_file() else "w+")
        chunk = 512
        for begin in range(start, len(pictures), chunk):
            end = min(begin + chunk, len(pictures))
            views = self._views(data, pictures[begin:end], begin, alter)
            flat = features[begin:end].reshape(-1, CELLS, _CHANNELS)
            for offset, batch in enumerate(_batches(views, _BATCH)):
                grid = image_encoder.run({"pictures": batch})["grid"]
                steps = np.rint(grid.reshape(-1, CELLS, _CHANNELS) / STEP)
                flat[offset * _BATCH : offset * _BATCH + len(batch)] = steps.astype(np.uint8)
            features[begin:end] = flat.reshape(end - begin, *self._shape[1:])
            features.flush()  # type: ignore[attr-defined]
            write_json(self._note, {"shape": list(self._shape), "done": end})
            log(f"features of {end} of {len(pictures)} pictures ({self._path.name})")

    def _views(
        self,
        data: Path,
        pictures: Sequence[Captioned],
        first: int,
        alter: Callable[[Image.Image, int], Image.Image] | None,
    ) -> Iterator[NDArray[np.float32]]:
        with ExitStack() as stack:
            bundles = {
                name: stack.enter_context(zipfile.ZipFile(data / ARCHIVES[name]))
                for name in {picture.archive for picture in pictures}
            }
            for number, picture in enumerate(pictures, start=first):
                with Image.open(io.BytesIO(bundles[picture.archive].read(f"images/{picture.file}"))) as image:
                    whole = image.convert("RGB")
                if alter is not None:
                    whole = alter(whole, number)
                for view in range(self._shape[1]):
                    yield picture_view(whole, view, np.random.default_rng((number, view)))


def picture_view(whole: Image.Image, view: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """One view of a picture, (3, 224, 224) in [0, 1]."""
    box = (0.0, 0.0, float(whole.width), float(whole.height))
    if view >= 2:
        width, height = whole.width * rng.uniform(0.8, 0.95), whole.height * rng.uniform(0.8, 0.95)
        left, top = rng.uniform(0, whole.width - width), rng.uniform(0, whole.height - height)
        box = (left, top, left + width, top + height)
    seen = whole.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, box=box)
    if view % 2:
        seen = seen.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(seen, dtype=np.float32).transpose(2, 0, 1) / np.float32(255)


def _batches(views: Iterator[NDArray[np.float32]], size: int) -> Iterator[NDArray[np.float32]]:
    while held := list(islice(views, size)):
        yield np.stack(held)
