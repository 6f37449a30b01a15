"""Train the painter: real and sampled sketches, a discriminator on frozen features, and the matching loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from auria_bot.art.nets.lite0 import STRIDES, Lite0
from auria_bot.art.nets.painter import Discriminator, Painter, PainterConfig
from auria_bot.art.nets.sketcher import SKETCH_SIZE, Sampler, Sketcher
from auria_bot.art.training.loop import cooled, copy_average, load_matching, update_average
from auria_bot.art.training.painter.match import as_pixels, channels_last
from auria_bot.art.training.workers import ALONE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from auria_bot.art.nets.matcher import Matcher
    from auria_bot.art.training.painter.dataset import Scenes
    from auria_bot.art.training.workers import Workers

__all__ = ["GUIDANCE", "PaintRecipe", "SketchBank", "paint_noise"]

_BATCH = 20
_RATE = 4e-4  # the painter's
_DISCRIMINATOR_RATE = 2.0  # times that, the discriminator's
_HEAD_START = 60  # updates of the discriminator before the painter's first
_AVERAGE = 0.998
_NOISE = 0.015
_MATCHING, _SKETCH, _LIKENESS, _CHROMA_NOISE = (
    0.5,
    10.0,
    2.5,
    20.0,
)  # weights of the painter's losses beside the discriminator's 1
GUIDANCE = 1.6  # of sampled sketches; more makes glaring colours
_SHIFT = 6  # most pixels by which pictures are shifted before the discriminator


def paint_noise(
    config: PainterConfig, grain_channels: int, rng: np.random.Generator, count: int
) -> tuple[Tensor, Tensor]:
    """The painter's two noise inputs for `count` pictures."""
    style = rng.standard_normal((count, config.noise), np.float32)
    grain = rng.standard_normal((count, grain_channels, config.size // 2, config.size // 2), np.float32)
    return torch.from_numpy(style), torch.from_numpy(grain)


class SketchBank:
    """Sketches sampled from the sketcher for training captions, so that the painter learns to paint from them."""

    def __init__(
        self, sketcher: Sketcher, scenes: Scenes, count: int, *, share: NDArray[np.float64] | None = None, seed: int = 0
    ) -> None:
        rng = np.random.default_rng((seed, 77))
        rows = rng.choice(len(scenes.scene), count, p=scenes.weights() if share is None else share)
        self.captions: NDArray[np.int64] = scenes.caption[rows, rng.integers(0, scenes.caption.shape[1], count)]
        parts = []
        with torch.no_grad():
            for start in range(0, count, 128):
                sentence = torch.from_numpy(scenes.sentences[self.captions[start : start + 128]].astype(np.float32))
                noise = torch.from_numpy(rng.standard_normal((len(sentence), sketcher.config.components), np.float32))
                parts.append(Sampler(sketcher, guidance=GUIDANCE)(noise, sentence).half())
        self.cells = torch.cat(parts)  # (count, 3, 16, 16)


class PaintRecipe:
    """The recipe of discriminator and painter; see `loop.Recipe`."""

    name = "paint"

    def __init__(
        self,
        scenes: Scenes,
        sketcher: Sketcher,
        matcher: Matcher,
        bank: SketchBank | None,
        config: PainterConfig,
        *,
        folder: Path | None = None,
        share: NDArray[np.float64] | None = None,
        start: Mapping[str, Tensor] | None = None,
        cool: int = 1,
        sampled: float = 0.25,
        seed: int = 0,
        batch: int = _BATCH,
        workers: Workers = ALONE,
    ) -> None:
        self._workers = workers
        self._scenes, self._bank, self._folder, self._seed, self._batch = scenes, bank, folder, seed, batch
        self._cool = cool
        self._sampled = round(sampled * batch) if bank is not None else 0
        torch.manual_seed(seed)
        self.net = Painter(config)
        load_matching(self.net, start or {})
        channels_last(self.net)
        self.average = copy_average(self.net)
        self.discriminator = Discriminator()
        self._sketcher = sketcher.eval().requires_grad_(requires_grad=False)
        self._matcher = matcher.eval().requires_grad_(requires_grad=False)
        self._lite0 = channels_last(Lite0.pretrained())
        self._painter_optimizer = torch.optim.Adam(self.net.parameters(), lr=_RATE, betas=(0.0, 0.99))
        self._discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=_RATE, betas=(0.0, 0.99))
        self._share = scenes.weights() if share is None else share
        with torch.no_grad():
            rows = np.random.default_rng(seed).choice(len(self._share), 64, p=self._share)
            self.discriminator.calibrate(self._lite0.taps(as_pixels(np.asarray(scenes.pictures[np.sort(rows), 0]))))

    def modules(self) -> dict[str, nn.Module]:
        """The painter, its average and the discriminator."""
        return {"net": self.net, "average": self.average, "critic": self.discriminator}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam for painter and discriminator."""
        return {"net": self._painter_optimizer, "critic": self._discriminator_optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """Update discriminator and painter once; the painted pictures' maps are computed once for both.

        A worker paints its share of the batch. Losses are sums over that, divided by the size of the whole batch, so
        that the workers' gradients sum up to the whole's; the painter's normalisation sees the share alone.
        """
        self.net.train()
        rng = np.random.default_rng((self._seed, 1, number))
        rate = _RATE * cooled(number, total, cool=self._cool)
        batch = self._draw(rng)
        noise = paint_noise(self.net.config, self.net.grain_channels, rng, self._batch)
        rows = self._rows()
        real, sketch, sentence, words, mask = (each[rows] for each in batch)
        with torch.autocast("cpu", torch.bfloat16):
            painted = self.net(sketch, sentence, words, mask, *(each[rows] for each in noise))
        painted = painted.float()
        left, top, flip = (int(value) for value in rng.integers(0, (2 * _SHIFT + 1, 2 * _SHIFT + 1, 2)))
        painted_view, real_view = _augmented(_soft_clamp(painted), left, top, flip), _augmented(real, left, top, flip)
        with torch.no_grad():
            real_taps = self._lite0.taps(real_view * 0.5 + 0.5)
        painted_taps = self._lite0.taps(painted_view * 0.5 + 0.5)

        captions = sentence, self._others(batch[2])[rows]
        discriminator_loss = self._discriminator_loss(real_taps, real_view, painted_taps, painted_view, captions)
        self._workers.update(
            self._discriminator_optimizer, discriminator_loss, rate=_DISCRIMINATOR_RATE * rate, weight=1.0
        )

        self.discriminator.requires_grad_(requires_grad=False)
        features = self.discriminator.head_features(painted_taps, painted_view)
        logits = self.discriminator.head_logits(features, sentence)
        realism = torch.stack([self._part(logit, self._batch) for logit in logits]).mean()
        self.discriminator.requires_grad_(requires_grad=True)
        with torch.no_grad():  # the loss of real pictures; matching better than they do means cheating the matcher
            target_matching = self._match(real_taps, *batch[2:], count=self._batch - self._sampled)
        matching = self._match(painted_taps, *batch[2:])
        faithful = self._part((self._coarse(painted) - sketch).abs(), self._batch)
        likeness = self._likeness_part(painted_taps, real_taps)
        excess = F.relu(_chroma_noise(painted_view) - 1.1 * _chroma_noise(real_view))
        chroma_noise = self._part(excess, self._batch)
        loss = (
            _CHROMA_NOISE * chroma_noise
            - realism
            + _MATCHING * F.relu(matching - 0.9 * target_matching)
            + _SKETCH * faithful
            + _LIKENESS * likeness
        )
        self._workers.update(self._painter_optimizer, loss, rate=rate if number >= _HEAD_START else 0.0, weight=1.0)
        update_average(self.average, self.net, decay=_AVERAGE, step=number)
        whole = 1 / self._workers.size
        return {
            "critic": float(discriminator_loss.detach()),
            "verdict": float(realism.detach()),
            "matching": float(matching.detach()) * whole,
            "enough": float(target_matching) * whole,
            "faithful": float(faithful.detach()),
            "likeness": float(likeness.detach()),
            "rainbow": float(chroma_noise.detach()),
        }

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Losses of the average on 96 validation sketches; writes a sheet of them if there is a folder."""
        rng = np.random.default_rng(5)
        rows = self._scenes.rows(1)
        rows = rows[rng.permutation(len(rows))[:96]]
        real, sketch, sentence, words, mask = self._take(
            rows, np.zeros(len(rows), np.int64), self._scenes.caption[rows, 2]
        )
        painted = _soft_clamp(
            self.average(
                sketch, sentence, words, mask, *paint_noise(self.net.config, self.net.grain_channels, rng, len(rows))
            )
        )
        taps, real_view = self._lite0.taps(painted * 0.5 + 0.5), self._lite0.taps(real * 0.5 + 0.5)
        if self._folder is not None and len(rows) >= 16:
            self._sheet(real, sketch, painted)
        scores = self._matcher.scores(
            self._matcher.encode_pictures(*self._matcher.pool(taps)), self._matcher.encode_texts(sentence, words), mask
        )
        return {
            "matching": float(self._matching(scores)),
            "likeness": float(_likeness(taps, real_view)),
        }

    def _sheet(self, real: Tensor, sketch: Tensor, painted: Tensor) -> None:
        """Save rows of real pictures, their sketches and paintings, then paintings of sampled sketches."""
        rows = [
            real[:16],
            F.interpolate(sketch[:16], size=real.shape[-2:], mode="nearest"),
            painted[:16],
            real[16:32],
            painted[16:32],
        ]
        if self._bank is not None:
            captions = self._bank.captions[:48]
            sentence, words, mask = self._caption_inputs(captions)
            noise = paint_noise(self.net.config, self.net.grain_channels, np.random.default_rng(6), 48)
            made = _soft_clamp(self.average(self._bank.cells[:48].float(), sentence, words, mask, *noise))
            rows += [made[:16], made[16:32], made[32:]]
        sheet = torch.cat([torch.cat(list(row), dim=2) for row in rows if len(row) == 16], dim=1).clamp(-1.0, 1.0)
        pixels = ((sheet * 0.5 + 0.5) * 255).round().byte().permute(1, 2, 0).numpy()
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(self._folder / "sheet.png")

    def _draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """A batch; the last sketches are sampled ones with their own captions, beside unrelated real pictures."""
        rows = rng.choice(len(self._share), self._batch, p=self._share)
        captions = self._scenes.caption[rows, rng.integers(0, self._scenes.caption.shape[1], self._batch)]
        real, sketch, sentence, words, mask = self._take(rows, rng.integers(0, 2, self._batch), captions)
        if rng.random() < 0.5:
            real, sketch = real.flip(-1), sketch.flip(-1)
        if self._bank is not None and self._sampled:
            taken = rng.integers(0, len(self._bank.captions), self._sampled)
            own = self._batch - self._sampled
            sampled_inputs = self._caption_inputs(self._bank.captions[taken])
            sketch = torch.cat([sketch[:own], self._bank.cells[taken].float()])
            sentence, words, mask = (
                torch.cat([ours[:own], theirs])
                for ours, theirs in zip((sentence, words, mask), sampled_inputs, strict=True)
            )
        noise = torch.from_numpy(rng.standard_normal(tuple(sentence.shape), np.float32))
        return real, sketch, sentence + _NOISE * noise, words, mask

    def _take(
        self, rows: NDArray[np.int64], crops: NDArray[np.int64], captions: NDArray[np.int64]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        real = (
            as_pixels(np.stack([self._scenes.pictures[row, crop] for row, crop in zip(rows, crops, strict=True)])) * 2.0
            - 1.0
        )
        return (real, self._coarse(real).clamp(-1.0, 1.0), *self._caption_inputs(captions))

    def _coarse(self, pictures: Tensor) -> Tensor:
        """The sketch of pictures (n, 3, side, side), as coarse as the sketcher's."""
        return self._sketcher.coarse(F.avg_pool2d(pictures, pictures.shape[-1] // SKETCH_SIZE))

    def _caption_inputs(self, captions: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """Sentence, words and mask of captions."""
        sentence, words, mask = (torch.from_numpy(each) for each in self._scenes.text_inputs(captions))
        return sentence, words, mask

    def _rows(self) -> Tensor:
        """This worker's rows of a batch: its share of those with captions of their own, then of the sampled ones."""
        own, rows = self._batch - self._sampled, torch.arange(self._batch)
        return torch.cat([part[self._workers.rank :: self._workers.size] for part in (rows[:own], rows[own:])])

    def _own(self) -> int:
        """How many of this worker's rows have captions of their own; they come first."""
        return len(range(self._workers.rank, self._batch - self._sampled, self._workers.size))

    def _others(self, sentence: Tensor) -> Tensor:
        """For each picture with a caption of its own the next one's."""
        own = self._batch - self._sampled
        return torch.cat([sentence[:own].roll(1, 0), sentence[own:]])

    @staticmethod
    def _part(values: Tensor, count: int) -> Tensor:
        """What rows (n, ...) add to the mean over `count` rows; 0 for none."""
        return values.flatten(1).mean(1).sum() / count if values.ndim > 1 else values.sum() / count

    def _discriminator_loss(
        self,
        real_taps: Mapping[int, Tensor],
        real_view: Tensor,
        painted_taps: Mapping[int, Tensor],
        painted_view: Tensor,
        captions: tuple[Tensor, Tensor],
    ) -> Tensor:
        """Hinge loss: real up; painted, and real with another picture's caption, down."""
        own, whole = self._own(), self._batch - self._sampled  # only these real pictures have their own captions
        taps = {stride: torch.cat([real_taps[stride], painted_taps[stride].detach()]) for stride in STRIDES}
        features = self.discriminator.head_features(taps, torch.cat([real_view, painted_view.detach()]))
        count = len(real_view)
        sentence, others = captions
        true = self.discriminator.head_logits({name: x[:own] for name, x in features.items()}, sentence[:own])
        false = self.discriminator.head_logits({name: x[count:] for name, x in features.items()}, sentence)
        wrong = self.discriminator.head_logits({name: x[:own] for name, x in features.items()}, others[:own])
        losses = [
            self._part(F.relu(1.0 - up), whole)
            + 0.5 * self._part(F.relu(1.0 + down), self._batch)
            + 0.5 * self._part(F.relu(1.0 + other), whole)
            for up, down, other in zip(true, false, wrong, strict=True)
        ]
        return torch.stack(losses).mean()

    def _match(
        self, taps: Mapping[int, Tensor], sentence: Tensor, words: Tensor, mask: Tensor, *, count: int | None = None
    ) -> Tensor:
        """The matching loss of the whole batch, or of its first `count` rows; `taps` are of this worker's pictures."""
        pooled, regions = (self._whole(each)[:count] for each in self._matcher.pool(taps))
        sentence, words, mask = sentence[:count], words[:count], mask[:count]
        scores = self._matcher.scores(
            self._matcher.encode_pictures(pooled, regions), self._matcher.encode_texts(sentence, words), mask
        )
        return self._matching(scores)

    def _matching(self, scores: Tensor) -> Tensor:
        """The matching loss of scores (n, n) of pictures and texts."""
        logits, target = self._matcher.logits(scores), torch.arange(len(scores))
        return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))

    def _whole(self, part: Tensor) -> Tensor:
        """The rows of the whole batch, of which this worker has its share."""
        if self._workers.size == 1:
            return part
        whole, own = self._batch - self._sampled, self._own()
        first = self._workers.gathered(part[:own], whole)
        return torch.cat([first, self._workers.gathered(part[own:], self._sampled)]) if self._sampled else first

    def _likeness_part(self, painted_taps: Mapping[int, Tensor], real_taps: Mapping[int, Tensor]) -> Tensor:
        """What this worker's pictures with captions of their own add to the relative distance of Lite0's maps."""
        own, whole = self._own(), self._batch - self._sampled
        parts = []
        for stride in STRIDES:
            painted, real = painted_taps[stride][:own], real_taps[stride][:own]
            usual = self._workers.gathered(real.abs().flatten(1).mean(1), whole).mean()
            parts.append(self._part((painted - real).abs(), whole) / usual)
        return torch.stack(parts).mean()


def _soft_clamp(pictures: Tensor) -> Tensor:
    """Clamp to [-1, 1] with a small slope outside, so that overshooting has a gradient."""
    inside = pictures.clamp(-1.0, 1.0)
    return inside + 0.05 * (pictures - inside)


def _augmented(pictures: Tensor, left: int, top: int, flip: int) -> Tensor:
    """Shift by up to _SHIFT pixels with mirrored edges, and flip."""
    size = pictures.shape[-1]
    edged = F.pad(pictures, (_SHIFT, _SHIFT, _SHIFT, _SHIFT), mode="reflect")
    cut = edged[:, :, top : top + size, left : left + size]
    return cut.flip(-1) if flip else cut


def _chroma_noise(pictures: Tensor) -> Tensor:
    """(n,) how strongly colour, not lightness, changes from pixel to pixel: little in photographs."""
    colour = pictures - pictures.mean(dim=1, keepdim=True)
    fine = colour - F.avg_pool2d(colour, 5, stride=1, padding=2, count_include_pad=False)
    return fine.abs().mean(dim=(1, 2, 3))


def _likeness(painted_view: Mapping[int, Tensor], real_view: Mapping[int, Tensor]) -> Tensor:
    """Mean relative distance of Lite0's maps."""
    parts = [
        (painted_view[stride] - real_view[stride]).abs().mean() / real_view[stride].abs().mean() for stride in STRIDES
    ]
    return torch.stack(parts).mean()
