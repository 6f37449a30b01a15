"""The style bank: paintings as numbers, without any picture.

For each painting: stylisation vector, colours, a small palette, the measures of its brushwork, meaning of the title,
emotions, and whom to credit.
`style_import` reads folders of paintings, `style_indexing` makes a bank of them, `choice` chooses from it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from auria_bot.art.colour import ColourDistribution
from auria_bot.art.pictures import write_bytes
from auria_bot.art.stylists.hands import TYPICAL, HandMeasures
from auria_bot.art.stylists.style_import import cleaned, year_of
from auria_bot.domain.artwork import Style
from auria_bot.errors import ModelCorrupt, ModelMissing, UnknownName
from auria_bot.files import disk_errors, file_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["BankedPainting", "StyleBank"]

_VERSION = 1
_INDEX = "bank.json"
_TENSORS = {"vectors": (100,), "meanings": (384,), "means": (3,), "covariances": (3, 3), "marginals": (9, 33)}
_HANDS = "hands"  # (12,) HandMeasures; missing in banks of earlier versions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BankedPainting:
    """One painting of a bank."""

    key: str  # unique in the bank, e.g. "claude-monet-impression-sunrise"
    title: str
    artist: str
    year: str  # as the museum gives it; "" when unknown
    licence: str
    emotions: tuple[tuple[str, float], ...]  # WikiArt Emotions categories with their shares, summing to 1
    emotion_source: str  # "labelled" by people, or "inferred" from the nearest labelled paintings
    nature: float  # 0 to 1: whether the title is about nature rather than persons
    palette: tuple[tuple[str, float], ...]  # ("#rrggbb", share), the largest first
    vector: NDArray[np.float32] = field(repr=False)  # (100,) of the stylisation net
    meaning: NDArray[np.float32] = field(repr=False)  # (384,) unit vector of title and artist
    colours: ColourDistribution = field(repr=False)
    hand: HandMeasures = field(default=TYPICAL, repr=False)

    def row(self) -> dict[str, Any]:
        """The painting's entry in the index."""
        return {
            "key": self.key,
            "title": self.title,
            "artist": self.artist,
            "year": self.year,
            "licence": self.licence,
            "emotions": [[name, round(share, 3)] for name, share in self.emotions],
            "felt": self.emotion_source,
            "nature": round(self.nature, 3),
            "palette": [[colour, round(share, 3)] for colour, share in self.palette],
        }

    def style(self, *, mode: str, strength: float) -> Style:
        """The style of a picture after this painting."""
        credit = {"key": self.key, "title": self.title, "artist": self.artist, "year": self.year}
        return Style(**credit, mode=mode, strength=strength)


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleBank:
    """Paintings to choose from, in the order in which they were added."""

    paintings: tuple[BankedPainting, ...]

    def find(self, wanted: str) -> BankedPainting:
        """The painting with that key, else the first whose title or artist contains the words.

        Raises:
            UnknownName: there is none; the message names some of the bank.
        """
        query = " ".join(wanted.split()).casefold()
        for painting in self.paintings:
            if painting.key.casefold() == query:
                return painting
        for painting in self.paintings:
            if query and query in f"{painting.title} {painting.artist}".casefold():
                return painting
        raise UnknownName(
            f"no painting or artist like {wanted[:60]!r} in the style bank of {len(self.paintings)};"
            f" the nearest: {', '.join(self._nearest(query)) or 'none'}"
        )

    def matching(self, wanted: str) -> StyleBank:
        """The paintings of a name: the one with that key, all of an artist, or the first with such a title.

        An artist is named by whole words, as "monet" or "Claude Monet".

        Raises:
            UnknownName: there is none; the message names the three nearest keys, titles and artists.
        """
        query = " ".join(wanted.split()).casefold()
        words = set(_words(query))
        keyed = [painting for painting in self.paintings if painting.key.casefold() == query]
        theirs = [painting for painting in self.paintings if words and words <= set(_words(painting.artist))]
        return StyleBank(paintings=tuple(keyed or theirs or [self.find(wanted)]))

    def _nearest(self, query: str) -> list[str]:
        """The three names that are most like a query: keys, titles, artists and their last names."""
        names: dict[str, str] = {}
        for painting in self.paintings:
            names |= {painting.key.casefold(): painting.key, painting.title.casefold(): painting.title}
            names |= dict.fromkeys([painting.artist.casefold(), *_words(painting.artist)[-1:]], painting.artist)
        close = difflib.get_close_matches(query[:80], names, n=12, cutoff=0.3)
        return list(dict.fromkeys(names[name] for name in close))[:3]

    def without(self, keys: Iterable[str]) -> StyleBank:
        """The bank without the paintings of those keys.

        Raises:
            UnknownName: there is none of such a key.
        """
        unwanted = set(keys)
        if missing := sorted(unwanted - {painting.key for painting in self.paintings}):
            raise UnknownName(f"no painting with the key {missing[0][:60]!r}; auria styles list shows the keys")
        return StyleBank(paintings=tuple(each for each in self.paintings if each.key not in unwanted))

    def with_added(self, paintings: Iterable[BankedPainting]) -> StyleBank:
        """The bank with more paintings; one with an existing key replaces it."""
        rows = {painting.key: painting for painting in self.paintings}
        rows.update({painting.key: painting for painting in paintings})
        return StyleBank(paintings=tuple(rows.values()))

    @classmethod
    def change(cls, folder: Path, how: Callable[[StyleBank], StyleBank]) -> None:
        """Read the bank of a folder, an empty one where there is none, and write what becomes of it, one at a time.

        What `how` raises is raised, and leaves no folder where there was none.

        Raises:
            ModelCorrupt: the bank cannot be read.
            DiskError: it cannot be written.
        """
        if not folder.is_dir():
            how(cls.load_all([]))
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with file_lock(folder / ".lock"):
                how(cls.load_all([folder] if (folder / _INDEX).exists() else [])).save(folder)

    def save(self, folder: Path) -> None:
        """Write the bank; a reader sees the old bank or the new one.

        The numbers go into a file named by its content; then the index that names it replaces the old index.

        Raises:
            DiskError: the disk is full, read-only or not writable.
        """
        columns = {name: np.zeros((len(self.paintings), *shape), np.float16) for name, shape in _TENSORS.items()}
        for row, painting in enumerate(self.paintings):
            columns["vectors"][row] = painting.vector
            columns["meanings"][row] = painting.meaning
            columns["means"][row] = painting.colours.mean
            columns["covariances"][row] = painting.colours.covariance
            columns["marginals"][row] = painting.colours.marginals
        hands = [each.hand.values() for each in self.paintings]
        columns[_HANDS] = np.array(hands, np.float16).reshape(len(hands), len(TYPICAL.values()))
        data = save(columns)
        name = f"numbers-{hashlib.sha256(data).hexdigest()[:16]}.safetensors"
        write_bytes(folder / name, data)
        index = {"version": _VERSION, "numbers": name, "paintings": [painting.row() for painting in self.paintings]}
        write_bytes(folder / _INDEX, (json.dumps(index, ensure_ascii=False, indent=1) + "\n").encode())
        for old in folder.glob("numbers-*.safetensors"):
            if old.name != name:
                old.unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> StyleBank:
        """Read a bank.

        Raises:
            ModelMissing: there is none in the folder.
            ModelCorrupt: its files cannot be read or do not fit together.
        """
        try:
            index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
            numbers = load_file(folder / index["numbers"])
            return cls(paintings=tuple(_joined(index["paintings"], numbers)))
        except FileNotFoundError as error:
            raise ModelMissing(
                f"no style bank in {folder} ({error.filename} is missing); `auria styles add DIR` makes one"
            ) from None
        except (ValueError, KeyError, TypeError, OSError, SafetensorError) as error:
            raise ModelCorrupt(
                f"the style bank in {folder} cannot be read: {error}; remove it and add the paintings again"
            ) from None

    @classmethod
    def load_all(cls, folders: Sequence[Path]) -> StyleBank:
        """Several banks as one; a later bank's painting replaces an earlier one with the same key."""
        bank = cls(paintings=())
        for folder in folders:
            bank = bank.with_added(cls.load(folder).paintings)
        return bank


def _words(text: str) -> list[str]:
    """The words of a name in lower case, without accents."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", plain.casefold())


def _joined(rows: list[dict[str, Any]], numbers: dict[str, NDArray[Any]]) -> Iterable[BankedPainting]:
    columns = {}
    for name, shape in _TENSORS.items():
        columns[name] = numbers[name].astype(np.float64)
        if columns[name].shape != (len(rows), *shape) or not np.isfinite(columns[name]).all():
            raise ValueError(f"{name} has shape {columns[name].shape}, which does not fit {len(rows)} paintings")
    hands = numbers.get(_HANDS)
    if hands is not None and not (hands.shape == (len(rows), len(TYPICAL.values())) and np.isfinite(hands).all()):
        raise ValueError(f"{_HANDS} has shape {hands.shape}, which does not fit {len(rows)} paintings")
    for at, row in enumerate(rows):
        colours = ColourDistribution(
            mean=columns["means"][at], covariance=columns["covariances"][at], marginals=columns["marginals"][at]
        )
        yield BankedPainting(
            key=str(row["key"]),
            title=cleaned(str(row["title"])),  # banks made by earlier versions hold HTML entities and "1889.0"
            artist=cleaned(str(row["artist"])),
            year=year_of(str(row["year"])),
            licence=str(row["licence"]),
            emotions=tuple((str(name), float(share)) for name, share in row["emotions"]),
            emotion_source=str(row["felt"]),
            nature=float(row["nature"]),
            palette=tuple((str(colour), float(share)) for colour, share in row["palette"]),
            vector=columns["vectors"][at].astype(np.float32),
            meaning=columns["meanings"][at].astype(np.float32),
            colours=colours,
            hand=TYPICAL if hands is None else HandMeasures.of(hands[at]),
        )
