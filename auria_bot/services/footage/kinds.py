"""The kinds of a set's frames: labels that were given, and what is learnt from them for every frame.

In the set's folder, `labels.json` holds the labels, and `features.npz` what was measured of each frame, so that a frame
is looked at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.art.films.frame_kinds import FEATURES, accuracy, frame_features, learn, relative_features
from auria_bot.errors import InputError, InvalidTransition, NotFound, UsageError
from auria_bot.files import atomic_path, disk_errors, remove_strays, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from auria_bot.services.footage.library import Footage, FootageLibrary

__all__ = ["FrameKinds", "Kinds", "places"]

_KIND = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameKinds:
    """The kinds of every frame of a set, as they were learnt."""

    footage: Footage
    labels: Mapping[str, str]  # by file
    names: tuple[str, ...]  # the kinds
    shares: NDArray[np.float64]  # (frames, kinds): how likely each frame is of each kind
    accuracy: float | None  # of held-out labels, the mean over the kinds; see `frame_kinds.accuracy`

    def of(self, kind: str) -> list[int]:
        """The places of the frames of a kind, those first that are most certainly of it; labels are certain."""
        column = self.names.index(kind)
        found = [place for place in range(len(self.shares)) if self.kind(place) == kind]
        files = [frame.file for frame in self.footage.frames]
        return sorted(found, key=lambda place: (files[place] not in self.labels, -self.shares[place, column], place))

    def kind(self, place: int) -> str:
        """The kind of a frame: its label, else the likeliest."""
        label = self.labels.get(self.footage.frames[place].file)
        return label or self.names[int(self.shares[place].argmax())]

    def doubtful(self, count: int) -> list[int]:
        """The frames without a label whose two likeliest kinds are nearest: labels of these teach most."""
        ordered = self.shares.copy()
        ordered.sort(axis=1)
        margin = ordered[:, -1] - ordered[:, -2]
        open_ones = [at for at, frame in enumerate(self.footage.frames) if frame.file not in self.labels]
        return sorted(open_ones, key=lambda place: (margin[place], place))[:count]


class Kinds:
    """Labels frames of footage, and learns the kinds of the others.

    Usage::

        kinds.label("waves", "storm", ["12-40", "55"])
        found = kinds.learn("waves")
    """

    def __init__(self, library: FootageLibrary, models: Path) -> None:
        self._library, self._models = library, models

    def labels(self, name: str) -> dict[str, str]:
        """The labels of a set, by the frame's file.

        Raises:
            NotFound: there is no such set.
            InputError: the labels were damaged.
        """
        known = {frame.file for frame in self._library.get(name).frames}
        path = self._library.folder(name) / "labels.json"
        try:
            found = {str(file): str(kind) for file, kind in json.loads(path.read_text("utf-8"))["labels"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} cannot be read ({type(error).__name__}); delete it and label again") from None
        return {file: kind for file, kind in found.items() if file in known}

    def label(self, name: str, kind: str | None, frames: Sequence[str]) -> int:
        """Give frames a kind, or with None take their labels away; how many frames were named.

        Args:
            kind: small letters, digits and hyphens.
            frames: their numbers and ranges of numbers, as in "12" and "12-40".

        Raises:
            NotFound: there is no such set.
            InputError: the kind cannot be one, or a number names no frame.
            InvalidTransition: the set is being changed.
            DiskError: the labels cannot be written.
        """
        if kind is not None and not _KIND.fullmatch(kind):
            raise UsageError(f"{kind[:60]!r} cannot name a kind; use small letters, digits and -, as in calm")
        named = places(self._library.get(name), frames)
        with self._library.lock(name):
            footage, labels = self._library.get(name), self.labels(name)
            for place in named:
                file = footage.frames[place].file
                labels.pop(file, None)
                if kind is not None:
                    labels[file] = kind
            path = self._library.folder(name) / "labels.json"
            with disk_errors(path):
                write_json(path, {"labels": labels}, mode=None, pretty=True)
        return len(named)

    def learn(self, name: str, *, progress: Callable[[int, int], None] = lambda _, __: None) -> FrameKinds:
        """Learn the kinds of all frames of a set from its labels.

        Args:
            progress: called with (done, total) while frames are looked at.

        Raises:
            NotFound: there is no such set.
            InputError: there are labels of fewer than two kinds.
            PictureError, ModelError: a frame, or models/lite0, cannot be used.
        """
        footage, labels = self._library.get(name), self.labels(name)
        if len(set(labels.values())) < 2:
            raise InputError(
                f"footage {name!r} has labels of fewer than two kinds;"
                f" label some: auria footage label {name} KIND 12-40"
            )
        features = relative_features(self._features(footage, progress))
        marked = [place for place, frame in enumerate(footage.frames) if frame.file in labels]
        given = [labels[footage.frames[place].file] for place in marked]
        model = learn(features[marked], given)
        return FrameKinds(
            footage=footage,
            labels=labels,
            names=model.kinds,
            shares=model.probabilities(features),
            accuracy=accuracy(features[marked], given),
        )

    def copy(self, found: FrameKinds, target: Path, *, most: int | None) -> dict[str, int]:
        """Copy the frames into a folder for each kind, the most certain ones where not all; how many of each.

        Raises:
            InputError: there is such a folder already.
            DiskError: it cannot be written.
        """
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InputError(f"{target} is there already; name a new folder")
        frames, target = self._library.folder(found.footage.name) / "frames", Path(os.path.realpath(target))
        chosen = {kind: found.of(kind)[:most] for kind in found.names}
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            remove_strays(target.parent, "frames", old_only=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-frames-") as scratch:
                whole = Path(scratch) / target.name
                for kind, places in chosen.items():
                    (whole / kind).mkdir(parents=True)
                    for place in places:
                        file = found.footage.frames[place].file
                        shutil.copyfile(frames / file, whole / kind / file)
                if target.is_dir():
                    target.rmdir()
                whole.rename(target)
        return {kind: len(places) for kind, places in chosen.items()}

    def _features(self, footage: Footage, progress: Callable[[int, int], None]) -> NDArray[np.float32]:
        """The features of all frames; those that were not looked at yet are kept for the next time."""
        import numpy as np

        folder = self._library.folder(footage.name)
        path = folder / "features.npz"
        known: dict[str, NDArray[np.float16]] = {}
        try:
            with path.open("rb") as stored, np.load(stored, allow_pickle=False) as kept:
                if kept["features"].shape == (len(kept["frames"]), FEATURES):
                    known = dict(zip(kept["frames"].tolist(), kept["features"], strict=True))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            known = {}
        missing = [frame for frame in footage.frames if frame.sha256 not in known]
        if missing:
            files = [folder / "frames" / frame.file for frame in missing]
            fresh = frame_features(files, self._models, progress=lambda done: progress(done, len(files)))
            known |= {frame.sha256: row.astype(np.float16) for frame, row in zip(missing, fresh, strict=True)}
            self._keep(footage, known)
        return np.stack([known[frame.sha256] for frame in footage.frames]).astype(np.float32)

    def _keep(self, footage: Footage, known: Mapping[str, NDArray[np.float16]]) -> None:
        """Keep the features of a set's frames; not of one that was removed since, or that is just being changed."""
        import numpy as np

        path = self._library.folder(footage.name) / "features.npz"
        rows = np.stack([known[frame.sha256] for frame in footage.frames])
        with contextlib.suppress(InvalidTransition), self._library.lock(footage.name):
            if self._library.find(footage.name) is None:
                return
            with disk_errors(path.parent), atomic_path(path, mode=None) as scratch, scratch.open("wb") as file:
                np.savez(file, frames=np.array([frame.sha256 for frame in footage.frames]), features=rows)


def places(footage: Footage, frames: Sequence[str]) -> list[int]:
    """The places in the set of frames that are named by number or range.

    Raises:
        InputError: a text is neither, or names no frame of the set.
        NotFound: the set has no frames.
    """
    numbers = {int(frame.file.partition(".")[0]): place for place, frame in enumerate(footage.frames)}
    if not numbers:
        raise NotFound(f"footage {footage.name!r} has no frames; auria footage show {footage.name} says why")
    found: list[int] = []
    for text in frames:
        match = _RANGE.fullmatch(text)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        own = [place for number, place in numbers.items() if first <= number <= last]
        if not own:
            raise InputError(
                f"{text[:40]!r} names no frame of {footage.name}; give numbers and ranges of {min(numbers)} to"
                f" {max(numbers)}, as in 12-40"
            )
        found += own
    return sorted(set(found))
