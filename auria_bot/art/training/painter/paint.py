"""Train the painter: real and sampled sketches, a discriminator on frozen features, and losses of match and moments.

What is wrong with a picture painted from a sampled sketch may be the sketch's fault, so the sketcher goes on learning
here, slowly: through the painter, and by its own loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from auria_bot.art.nets.lite0 import STRIDES, Lite0
from auria_bot.art.nets.painter import Discriminator, Painter, PainterConfig
from auria_bot.art.nets.sketcher import SKETCH_SIZE, Sampler
from auria_bot.art.training.loop import cooled, copy_average, load_matching, update_average
from auria_bot.art.training.painter.match import as_pixels, channels_last
from auria_bot.art.training.painter.moments import Moments
from auria_bot.art.training.painter.picture_losses import SHIFT, augmented, chroma_noise, relative_distance, soft_clamp
from auria_bot.art.training.workers import ALONE, computes_bfloat16

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from auria_bot.art.nets.matcher import Matcher
    from auria_bot.art.nets.sketcher import Sketcher
    from auria_bot.art.training.painter.dataset import Scenes
    from auria_bot.art.training.painter.sketch import SketchRecipe
    from auria_bot.art.training.workers import Workers

__all__ = ["PaintRecipe"]

_BATCH = 20
_RATE = 4e-4  # the painter's
_DISCRIMINATOR_RATE = 2.0  # times that, the discriminator's
_SKETCHER_RATE = 0.05  # times that, the sketcher's
_HEAD_START = 60  # updates of the discriminator before the painter's first
_SKETCHER_WAITS = 350  # updates before the sketcher learns through the painter
_FLOW_BATCH = 128  # sketches of an update of the sketcher's own loss
_MEASURED = 4000  # real pictures by which the loss of moments chooses its directions, at most
_AVERAGE = 0.998
_NOISE = 0.015
# Weights of the painter's losses beside the discriminator's 1.
_MATCHING, _SKETCH, _LIKENESS, _CHROMA_NOISE, _MOMENTS, _FLOW = 0.5, 10.0, 2.5, 20.0, 4e-3, 1.0


def _paint_noise(net: Painter, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
    """The painter's two noise inputs for `count` pictures."""
    style = rng.standard_normal((count, net.config.noise), np.float32)
    half = net.config.size // 2
    grain = rng.standard_normal((count, net.grain_channels, half, half), np.float32)
    return torch.from_numpy(style), torch.from_numpy(grain)


class PaintRecipe:
    """The recipe of discriminator and painter; see `loop.Recipe`."""

    name = "paint"

    def __init__(
        self,
        scenes: Scenes,
        sketches: SketchRecipe,
        matcher: Matcher,
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
        self._scenes, self._folder, self._seed, self._batch = scenes, folder, seed, batch
        self._cool, self._half = cool, computes_bfloat16(workers.device)
        self._sampled = round(sampled * batch)
        torch.manual_seed(seed)
        self.net = Painter(config)
        load_matching(self.net, start or {})
        channels_last(self.net)
        self.average = copy_average(self.net)
        self.discriminator = Discriminator()
        self._sketches, self._sketcher = sketches, sketches.net
        self._sketcher_average = copy_average(self._sketcher)
        self._matcher = matcher.eval().requires_grad_(requires_grad=False)
        self._lite0 = channels_last(Lite0.pretrained())
        nets: list[dict[str, Any]] = [
            {"params": list(self.net.parameters())},
            {"params": list(self._sketcher.parameters()), "share": _SKETCHER_RATE},
        ]
        self._painter_optimizer = torch.optim.Adam(nets, lr=_RATE, betas=(0.0, 0.99))
        self._discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=_RATE, betas=(0.0, 0.99))
        self._share = scenes.weights() if share is None else share
        rows = np.random.default_rng(seed).choice(len(self._share), min(_MEASURED, 4 * len(self._share)), p=self._share)
        some = np.sort(rows[:64])
        with torch.no_grad():
            self.discriminator.calibrate(self._lite0.taps(as_pixels(np.asarray(scenes.pictures[some, 0]))))
        self._moments = Moments(self._lite0, as_pixels(np.asarray(scenes.pictures[np.sort(rows), 0])) * 2.0 - 1.0)

    def modules(self) -> dict[str, nn.Module]:
        """Painter and sketcher with their averages, the discriminator, and what is known of the moments."""
        return {
            "net": self.net,
            "average": self.average,
            "critic": self.discriminator,
            "sketcher": self._sketcher,
            "sketcher_average": self._sketcher_average,
            "moments": self._moments,
        }

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam for painter and sketcher, and for the discriminator."""
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
        if number < _SKETCHER_WAITS:
            batch = (batch[0], batch[1].detach(), *batch[2:])
        noise = _paint_noise(self.net, rng, self._batch)
        rows = self._rows()
        real, sketch, sentence, words, mask = (each[rows] for each in batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._half):
            painted = self.net(sketch, sentence, words, mask, *(each[rows] for each in noise))
        painted = painted.float()
        left, top, flip = (int(value) for value in rng.integers(0, (2 * SHIFT + 1, 2 * SHIFT + 1, 2)))
        painted_view, real_view = augmented(soft_clamp(painted), left, top, flip), augmented(real, left, top, flip)
        with torch.no_grad():
            real_taps = self._lite0.taps(real_view * 0.5 + 0.5)
        painted_taps = self._lite0.taps(painted_view * 0.5 + 0.5)

        whole = self._batch - self._sampled  # pictures with captions of their own, each of which gets the next one's
        others = torch.cat([batch[2][:whole].roll(1, 0), batch[2][whole:]])
        captions = sentence, others[rows]
        discriminator_loss = self._discriminator_loss(real_taps, real_view, painted_taps, painted_view, captions)
        self._workers.update(
            self._discriminator_optimizer, discriminator_loss, rate=_DISCRIMINATOR_RATE * rate, weight=1.0
        )

        loss, parts = self._painter_loss(number, batch, (painted, painted_view, painted_taps), (real_view, real_taps))
        self._workers.update(self._painter_optimizer, loss, rate=rate if number >= _HEAD_START else 0.0, weight=1.0)
        update_average(self.average, self.net, decay=_AVERAGE, step=number)
        update_average(self._sketcher_average, self._sketcher, decay=_AVERAGE, step=number)
        return {"critic": float(discriminator_loss.detach()), **parts}

    def _painter_loss(
        self,
        number: int,
        batch: tuple[Tensor, ...],
        painted: tuple[Tensor, Tensor, Mapping[int, Tensor]],
        real: tuple[Tensor, Mapping[int, Tensor]],
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss of painter and sketcher, and its parts.

        Args:
            number: of the update.
            batch: see `_draw`.
            painted: this worker's pictures, as they are shown to the discriminator, and Lite0's maps of that.
            real: the real ones as they are shown, and Lite0's maps.
        """
        rows, (pictures, painted_view, painted_taps), (real_view, real_taps) = self._rows(), painted, real
        sketch, sentence = batch[1][rows], batch[2][rows]
        self.discriminator.requires_grad_(requires_grad=False)
        features = self.discriminator.head_features(painted_taps, painted_view)
        logits = self.discriminator.head_logits(features, sentence)
        realism = torch.stack([self._part(logit, self._batch) for logit in logits]).mean()
        self.discriminator.requires_grad_(requires_grad=True)
        with torch.no_grad():  # the loss of real pictures; matching better than they do means cheating the matcher
            target_matching = self._match(real_taps, *batch[2:], count=self._batch - self._sampled)
        matching = self._match(painted_taps, *batch[2:])
        faithful = self._part((self._coarse(pictures) - sketch.detach()).abs(), self._batch)
        likeness = self._likeness_part(painted_taps, real_taps)
        excess = F.relu(chroma_noise(painted_view) - 1.1 * chroma_noise(real_view))
        rainbow = self._part(excess, self._batch)
        moments = self._moments_part(painted_view, real_view)
        whole = 1 / self._workers.size  # of what every worker computes alike
        flow = whole * self._sketches.loss(np.random.default_rng((self._seed, 9, number)), _FLOW_BATCH)
        loss = (
            _CHROMA_NOISE * rainbow
            - realism
            + _MATCHING * F.relu(matching - 0.9 * target_matching)
            + _SKETCH * faithful
            + _LIKENESS * likeness
            + _MOMENTS * moments
            + _FLOW * flow
        )
        return loss, {
            "verdict": float(realism.detach()),
            "matching": float(matching.detach()) * whole,
            "enough": float(target_matching) * whole,
            "faithful": float(faithful.detach()),
            "likeness": float(likeness.detach()),
            "rainbow": float(rainbow.detach()),
            "moments": float(moments.detach()),
            "flow": float(flow.detach()),
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
        painted = soft_clamp(self.average(sketch, sentence, words, mask, *_paint_noise(self.net, rng, len(rows))))
        taps, real_view = self._lite0.taps(painted * 0.5 + 0.5), self._lite0.taps(real * 0.5 + 0.5)
        if self._folder is not None and len(rows) >= 16:
            self._sheet(real, sketch, painted)
        scores = self._matcher.scores(
            self._matcher.encode_pictures(*self._matcher.pool(taps)), self._matcher.encode_texts(sentence, words), mask
        )
        return {"matching": float(self._matching(scores)), "likeness": float(relative_distance(taps, real_view))}

    def _sheet(self, real: Tensor, sketch: Tensor, painted: Tensor) -> None:
        """Save rows of real pictures, their sketches and paintings, then paintings of sampled sketches."""
        rows = [
            real[:16],
            F.interpolate(sketch[:16], size=real.shape[-2:], mode="nearest"),
            painted[:16],
            real[16:32],
            painted[16:32],
        ]
        rng = np.random.default_rng(6)
        sentence, words, mask = self._caption_inputs(self._captions(rng, 48))
        noise = _paint_noise(self.net, rng, 48)
        sketches = self._sample(sentence, rng, self._sketcher_average)
        made = soft_clamp(self.average(sketches, sentence, words, mask, *noise))
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
        if self._sampled:
            own = self._batch - self._sampled
            sampled_inputs = self._caption_inputs(self._captions(rng, self._sampled))
            sketch = torch.cat([sketch[:own], self._sample(sampled_inputs[0], rng, self._sketcher)])
            sentence, words, mask = (
                torch.cat([ours[:own], theirs])
                for ours, theirs in zip((sentence, words, mask), sampled_inputs, strict=True)
            )
        noise = torch.from_numpy(rng.standard_normal(tuple(sentence.shape), np.float32))
        return real, sketch, sentence + _NOISE * noise, words, mask

    def _captions(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Captions of pictures of the training split."""
        rows = rng.choice(len(self._share), count, p=self._share)
        return self._scenes.caption[rows, rng.integers(0, self._scenes.caption.shape[1], count)]

    @staticmethod
    def _sample(sentence: Tensor, rng: np.random.Generator, net: Sketcher) -> Tensor:
        """Sketches (n, 3, 16, 16) of sentences (n, 384)."""
        noise = torch.from_numpy(rng.standard_normal((len(sentence), net.config.components), np.float32))
        cells: Tensor = Sampler(net)(noise, sentence)
        return cells

    def _take(
        self, rows: NDArray[np.int64], crops: NDArray[np.int64], captions: NDArray[np.int64]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        chosen = [self._scenes.pictures[row, crop] for row, crop in zip(rows, crops, strict=True)]
        real = as_pixels(np.stack(chosen)) * 2.0 - 1.0
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

    def _moments_part(self, painted_view: Tensor, real_view: Tensor) -> Tensor:
        """What this worker's pictures from sampled sketches, or else all of them, add to the loss of moments."""
        own, sampled = (self._own(), self._sampled) if self._sampled else (0, self._batch)
        painted = self._moments.features(painted_view[own:])
        with torch.no_grad():
            real = self._workers.gathered(self._moments.features(real_view[: self._own()]), self._batch - self._sampled)
        self._moments.learn(self._workers.gathered(painted.detach(), sampled), real)
        return self._part(self._moments.loss(painted)[:, None], sampled)

    def _likeness_part(self, painted_taps: Mapping[int, Tensor], real_taps: Mapping[int, Tensor]) -> Tensor:
        """What this worker's pictures with captions of their own add to the relative distance of Lite0's maps."""
        own, whole = self._own(), self._batch - self._sampled
        parts = []
        for stride in STRIDES:
            painted, real = painted_taps[stride][:own], real_taps[stride][:own]
            usual = self._workers.gathered(real.abs().flatten(1).mean(1), whole).mean()
            parts.append(self._part((painted - real).abs(), whole) / usual)
        return torch.stack(parts).mean()
