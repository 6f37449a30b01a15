"""Train a network that restyles pictures after one painting, and export it.

The first steps see crops of 128 pixels; the last share of the steps sees fewer crops of 256 pixels, at which skies and
other large areas show.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from auria_bot.art.checkpoint import export_onnx, read_json, save_weights, write_checksums, write_json
from auria_bot.art.colour import ColourDistribution, from_lab, to_lab
from auria_bot.art.nets.style_net import ServedStyleNet, StyleNet, StyleNetConfig
from auria_bot.art.nets.vgg16 import load_vgg16
from auria_bot.art.pictures import open_picture, save_picture, to_array, to_picture
from auria_bot.art.stylists.style_bank import StyleBank
from auria_bot.art.stylists.style_indexing import StyleIndexer, infer_emotions
from auria_bot.art.training import loop
from auria_bot.art.training.style.dataset import ContentPictures
from auria_bot.art.training.style.losses import Losses, PerceptualLosses
from auria_bot.art.training.workers import ALONE, computes_bfloat16
from auria_bot.corpus.language.words import models_folder
from auria_bot.errors import InputError, PictureError
from auria_bot.files import readable_name, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from auria_bot.art.stylists.style_bank import BankedPainting
    from auria_bot.art.stylists.style_import import PaintingFile
    from auria_bot.art.training.workers import Workers

__all__ = ["StyleRecipe", "StyleSettings", "described", "export", "painting_tensor", "train"]

_EDGE = 0.02  # of a painting's sides, cut off: reproductions show the edge of the canvas
_NARROWEST = 32  # pixels of the painting's shorter side, at the scale at which strokes are learnt
_MOST_STRETCH = 2.5  # of a crop's colours
_SHARES = (0.7, 1.0)  # of the way to the painting's colours that a crop's colours are moved
_SAMPLES = 6  # pictures of the sample sheet
_SAMPLE_SIDE = 256  # pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleSettings:
    """The recipe."""

    seed: int = 0
    steps: int = 6000
    batch: int = 2  # crops of `side` pixels a step; of `large_side`, so many as have the same number of pixels
    side: int = 128
    large_side: int = 256
    large_share: float = 0.1  # of the steps, at the end
    rate: float = 2e-3
    cool_share: float = 0.3  # of the steps, at the end, in which the learning rate falls
    average: float = 0.99
    painting_side: int = 640  # pixels of the painting's longer side: its strokes are learnt at this scale
    style_weight: float = 2.0
    colour_weight: float = 0.5
    variation_weight: float = 0.05
    width: int = 16
    blocks: int = 5
    evaluate_every: int = 150  # steps between sample sheets
    bfloat16: bool = True  # for the features, where the device has it: half the time


class StyleRecipe:
    """What `loop.run` needs to train a style network."""

    name = "style"

    def __init__(
        self,
        *,
        settings: StyleSettings,
        painting: Image.Image,
        content: ContentPictures,
        samples: Path,
        workers: Workers = ALONE,
    ) -> None:
        """`samples` is the file of the sample sheet, which is written at each evaluation."""
        self._settings, self._content, self._samples = settings, content, samples
        self._workers, self._device = workers, workers.device
        torch.manual_seed(settings.seed)
        config = StyleNetConfig(width=settings.width, blocks=settings.blocks)
        self.net = StyleNet(config).to(self._device)
        self.average = loop.copy_average(self.net)
        self._optimiser = torch.optim.Adam(self.net.parameters(), lr=settings.rate)
        half = settings.bfloat16 and computes_bfloat16(self._device)
        vgg = load_vgg16().to(self._device, torch.bfloat16 if half else torch.float32)
        small = painting.copy()
        small.thumbnail((192, 192), Image.Resampling.BOX)
        self._colours = ColourDistribution.of(to_lab(np.asarray(small)), marginals=False)
        self._losses = PerceptualLosses(vgg, painting_tensor(painting, settings.painting_side).to(self._device))

    def modules(self) -> dict[str, torch.nn.Module]:
        """The net and its weight average."""
        return {"net": self.net, "average": self.average}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam over the net."""
        return {"net": self._optimiser}

    def step(self, number: int, total: int) -> dict[str, float]:
        """Make one update on crops that depend on the seed and the number only."""
        chosen = self._settings
        share = loop.cooled(number, total, cool=round(chosen.cool_share * total), warm=50)
        pictures = self._batch(number, is_large=number >= total * (1 - chosen.large_share))
        own = self._workers.share(len(pictures))
        pictures = pictures[own.rows]
        losses = self._losses.of(pictures, self.net(pictures))
        loss: Tensor = losses.content + chosen.style_weight * losses.style
        loss = loss + chosen.colour_weight * losses.colour + chosen.variation_weight * losses.variation
        self._workers.update(self._optimiser, loss, rate=chosen.rate * share, weight=own.weight, most=10.0)
        loop.update_average(self.average, self.net, decay=chosen.average, step=number)
        return _figures(losses)

    def _batch(self, number: int, *, is_large: bool) -> Tensor:
        chosen = self._settings
        side = chosen.large_side if is_large else chosen.side
        count = max(1, chosen.batch * chosen.side**2 // side**2)
        rng = np.random.default_rng((chosen.seed, number))
        return torch.stack([self._graded(self._content.crop(rng, side=side), rng) for _ in range(count)])

    def _graded(self, crop: NDArray[np.float32], rng: np.random.Generator) -> Tensor:
        """(3, height, width) in [0, 1]: a crop of the same form, its colours moved a random way to the painting's."""
        lab = to_lab(crop)
        share = float(rng.uniform(*_SHARES))
        matrix, offset = ColourDistribution.of(lab, marginals=False).transport_map(self._colours, share)
        stretch = max(1.0, float(np.linalg.norm(matrix, 2)) / _MOST_STRETCH)  # noise is not to become grain
        values = from_lab(((lab - lab.mean((0, 1))) / stretch + lab.mean((0, 1))) @ matrix + offset)
        values = values.astype(np.float32).transpose(2, 0, 1)
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self._device)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """The losses on fixed crops of 256 pixels, by the weight average; writes the sample sheet."""
        rng = np.random.default_rng(self._settings.seed)
        crops = [self._graded(self._content.crop(rng, side=_SAMPLE_SIDE), rng)[None] for _ in range(_SAMPLES)]
        sheet = Image.new("RGB", (_SAMPLE_SIDE * _SAMPLES, _SAMPLE_SIDE * 2))
        sums = dict.fromkeys(Losses._fields, 0.0)
        for place, picture in enumerate(crops):
            restyled = self.average(picture)
            for name, value in _figures(self._losses.of(picture, restyled)).items():
                sums[name] += value / len(crops)
            for row, values in enumerate((picture, restyled)):
                shown = to_picture(values[0].permute(1, 2, 0).cpu().numpy())
                sheet.paste(shown, (place * _SAMPLE_SIDE, row * _SAMPLE_SIDE))
        save_picture(sheet, self._samples)
        return {f"sample_{name}": value for name, value in sums.items()}


def _figures(losses: Losses) -> dict[str, float]:
    return {name: value.item() for name, value in losses._asdict().items()}


def painting_tensor(painting: Image.Image, side: int) -> Tensor:
    """(1, 3, height, width) in [0, 1]: the painting without its edges, its longer side of so many pixels at most."""
    wide, high = (round(edge * _EDGE) for edge in painting.size)
    shown = painting.crop((wide, high, painting.width - wide, painting.height - high))
    shown.thumbnail((side, side), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.ascontiguousarray(to_array(shown).transpose(2, 0, 1)))[None]


def export(net: StyleNet, painting: BankedPainting, config: dict[str, object], out: Path) -> None:
    """Write config.json, weights.safetensors, model.onnx, the painting's style bank and SHA256SUMS into `out`."""
    net = net.cpu()
    save_weights(out / "weights.safetensors", net.state_dict(), half=True)
    axes = {0: "pictures", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of instance normalisation, which has no statistics that could be frozen
        export_onnx(
            ServedStyleNet(net),
            (torch.rand(1, 3, 64, 64),),
            out / "model.onnx",
            input_names=["picture"],
            output_names=["restyled"],
            dynamic_axes={"picture": axes, "restyled": axes},
        )
    StyleBank(paintings=(painting,)).save(out)
    write_json(out / "config.json", config)
    write_checksums(out)


def described(painting: PaintingFile, name: str) -> BankedPainting:
    """What a style bank keeps of a painting, under the name of the style; its moods are inferred where none are given.

    Raises:
        PictureError: it cannot be read, or scored too high for nudity.
    """
    indexed = replace(StyleIndexer().index(painting), key=name)
    references = StyleBank.load(models_folder() / "styles").paintings
    return infer_emotions((indexed,), references)[0]


def train(
    *,
    painting: PaintingFile,
    name: str,
    content: Path,
    folder: Path,
    out: Path,
    minutes: float | None = None,
    steps: int | None = None,
    limit: int | None = None,
    log: Callable[[str], None] = print,
    settings: StyleSettings | None = None,
    workers: Workers = ALONE,
) -> dict[str, float]:
    """Train, or continue training, and export the result.

    Args:
        content: a folder of photographs, see `ContentPictures`.
        folder: checkpoints, the log, and samples.png; an existing run is resumed.
        steps: updates of the whole run; the settings' by default.
        limit: use only the first so many photographs, to try the code.

    Returns:
        The losses on the sample crops, the steps made and the seconds they took; {} in a worker that is not the first.

    Raises:
        InputError: there is no content picture, or the run in the folder was begun with another painting or recipe.
        PictureError: the painting cannot be read, or is too narrow.
        BackendMissing: the package of the features is not installed.
    """
    chosen = settings or StyleSettings()
    picture, banked = open_picture(painting.path), described(painting, name)
    if min(painting_tensor(picture, chosen.painting_side).shape[2:]) < _NARROWEST:
        raise PictureError(f"{readable_name(painting.path)}: is too narrow for its strokes to be learnt")
    plan = {"painting_sha256": sha256_of(painting.path), "recipe": asdict(chosen)}
    with workers.first():
        _begin(folder, plan)
    recipe = StyleRecipe(
        settings=chosen,
        painting=picture,
        content=ContentPictures(content, limit=limit),
        samples=folder / "samples.png",
        workers=workers,
    )
    total, every = steps or chosen.steps, chosen.evaluate_every
    outcome = loop.run(recipe, folder, steps=total, minutes=minutes, evaluate_every=every, log=log, workers=workers)
    if not workers.is_first:
        return {}
    export(recipe.average, banked, {"width": chosen.width, "blocks": chosen.blocks, **plan}, out)
    return outcome.metrics | {"steps": outcome.step, "seconds": outcome.seconds}


def _begin(folder: Path, plan: dict[str, Any]) -> None:
    """Write down what a run is begun with.

    Raises:
        InputError: it was begun with something else.
    """
    path = folder / "plan.json"
    if path.is_file() and read_json(path) != plan:
        raise InputError(
            f"{folder} holds a training with another painting or recipe; delete the folder, or choose another --name"
        )
    write_json(path, plan)
