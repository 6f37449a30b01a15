"""How the painter is trained: real sketches and sampled ones, a critic behind a frozen eye, and the matching loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from auria_bot.art.nets.discriminator import Discriminator
from auria_bot.art.nets.lite0 import STRIDES, Lite0
from auria_bot.art.nets.painter import Painter, PainterConfig
from auria_bot.art.nets.sketcher import SKETCH_SIZE, Sampler, Sketcher
from auria_bot.art.training.ema import average_of, follow
from auria_bot.art.training.painter.match import as_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from auria_bot.art.nets.matcher import Matcher
    from auria_bot.art.training.painter.dataset import Scenes

__all__ = ["GUIDANCE", "PaintRecipe", "SketchBank", "paint_noise"]

_BATCH = 20
_RATE = 4e-4  # the painter's
_JUDGING = 2.0  # times that: the critic's
_AVERAGE = 0.998
_NOISE = 0.015
_MATCHING, _SKETCH, _LIKENESS, _RAINBOW = 0.5, 10.0, 2.5, 20.0  # weights of the painter's losses beside the critic's 1
GUIDANCE = 1.6  # of sampled sketches; with more, colours glare
_SHIFT = 4  # pixels by which real and painted pictures are moved before they are judged


def paint_noise(
    config: PainterConfig, grain_channels: int, rng: np.random.Generator, count: int
) -> tuple[Tensor, Tensor]:
    """The painter's two noise inputs for `count` pictures."""
    style = rng.standard_normal((count, config.noise), np.float32)
    grain = rng.standard_normal((count, grain_channels, 32, 32), np.float32)
    return torch.from_numpy(style), torch.from_numpy(grain)


class SketchBank:
    """Sketches sampled from the sketcher for training captions: the painter must also learn to paint from these."""

    def __init__(self, sketcher: Sketcher, scenes: Scenes, count: int, *, seed: int = 0) -> None:
        rng = np.random.default_rng((seed, 77))
        rows = rng.choice(len(scenes.scene), count, p=scenes.weights())
        self.captions: NDArray[np.int64] = scenes.caption[rows, rng.integers(0, scenes.caption.shape[1], count)]
        parts = []
        with torch.no_grad():
            for start in range(0, count, 128):
                sentence = torch.from_numpy(scenes.sentences[self.captions[start : start + 128]].astype(np.float32))
                noise = torch.from_numpy(rng.standard_normal((len(sentence), sketcher.config.components), np.float32))
                parts.append(Sampler(sketcher, guidance=GUIDANCE)(noise, sentence).half())
        self.cells = torch.cat(parts)  # (count, 3, 16, 16)


class PaintRecipe:
    """One update of the critic and one of the painter; see `loop.Recipe`."""

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
        sampled: float = 0.25,
        seed: int = 0,
        batch: int = _BATCH,
    ) -> None:
        self._scenes, self._bank, self._folder, self._seed, self._batch = scenes, bank, folder, seed, batch
        self._sampled = round(sampled * batch) if bank is not None else 0
        torch.manual_seed(seed)
        self.net = Painter(config)
        self.average = average_of(self.net)
        self.critic = Discriminator()
        self._sketcher = sketcher.eval().requires_grad_(requires_grad=False)
        self._matcher = matcher.eval().requires_grad_(requires_grad=False)
        self._eye = Lite0.pretrained()
        self._painting = torch.optim.Adam(self.net.parameters(), lr=_RATE, betas=(0.0, 0.99))
        self._judging = torch.optim.Adam(self.critic.parameters(), lr=_RATE, betas=(0.0, 0.99))
        self._share = scenes.weights()
        with torch.no_grad():
            rows = np.random.default_rng(seed).choice(len(self._share), 64, p=self._share)
            self.critic.calibrate(self._eye.taps(as_pixels(np.asarray(scenes.pictures[np.sort(rows), 0]))))

    def modules(self) -> dict[str, nn.Module]:
        """The painter, its average and the critic."""
        return {"net": self.net, "average": self.average, "critic": self.critic}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam for either player."""
        return {"net": self._painting, "critic": self._judging}

    def step(self, number: int, total: int) -> dict[str, float]:
        """One update of either player; the painted pictures' maps are computed once for both."""
        self.net.train()
        rng = np.random.default_rng((self._seed, 1, number))
        rate = _RATE * min(1.0, (number + 1) / 100, max(0.15, 1.0 - 0.85 * (number / total - 0.6) / 0.4))
        real, sketch, sentence, words, mask = self._draw(rng)
        painted = self.net(
            sketch, sentence, words, mask, *paint_noise(self.net.config, self.net.grain_channels, rng, len(sketch))
        )
        left, top, flip = (int(value) for value in rng.integers(0, (2 * _SHIFT + 1, 2 * _SHIFT + 1, 2)))
        shown, known = _moved(_held(painted), left, top, flip), _moved(real, left, top, flip)
        with torch.no_grad():
            known_taps = self._eye.taps(known * 0.5 + 0.5)
        shown_taps = self._eye.taps(shown * 0.5 + 0.5)

        judging = self._judge(known_taps, known, shown_taps, shown, sentence)
        _update(self._judging, judging, _JUDGING * rate)

        self.critic.requires_grad_(requires_grad=False)
        verdict = torch.stack(
            [logit.mean() for logit in self.critic.judge(self.critic.look(shown_taps, shown), sentence)]
        ).mean()
        self.critic.requires_grad_(requires_grad=True)
        own = len(sketch) - self._sampled
        with torch.no_grad():  # real pictures' own loss: to match better than they do is to cheat the matcher
            enough = self._match({s: t[:own] for s, t in known_taps.items()}, sentence[:own], words[:own], mask[:own])
        matching = self._match(shown_taps, sentence, words, mask)
        faithful = (self._coarse(painted) - sketch).abs().mean()
        likeness = _likeness({s: t[:own] for s, t in shown_taps.items()}, {s: t[:own] for s, t in known_taps.items()})
        rainbow = F.relu(_colour_grain(shown) - 1.1 * _colour_grain(known)).mean()
        loss = (
            _RAINBOW * rainbow
            - verdict
            + _MATCHING * F.relu(matching - 0.9 * enough)
            + _SKETCH * faithful
            + _LIKENESS * likeness
        )
        _update(self._painting, loss, rate)
        follow(self.average, self.net, decay=_AVERAGE, step=number)
        return {
            "critic": float(judging.detach()),
            "verdict": float(verdict.detach()),
            "matching": float(matching.detach()),
            "enough": float(enough),
            "faithful": float(faithful.detach()),
            "likeness": float(likeness.detach()),
            "rainbow": float(rainbow.detach()),
        }

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Losses of the average on 96 validation pictures' sketches; writes a sheet of them when given a folder."""
        rng = np.random.default_rng(5)
        rows = self._scenes.rows(1)
        rows = rows[rng.permutation(len(rows))[:96]]
        real, sketch, sentence, words, mask = self._take(
            rows, np.zeros(len(rows), np.int64), self._scenes.caption[rows, 2]
        )
        painted = _held(
            self.average(
                sketch, sentence, words, mask, *paint_noise(self.net.config, self.net.grain_channels, rng, len(rows))
            )
        )
        taps, known = self._eye.taps(painted * 0.5 + 0.5), self._eye.taps(real * 0.5 + 0.5)
        if self._folder is not None and len(rows) >= 16:
            self._sheet(real, sketch, painted)
        return {"matching": float(self._match(taps, sentence, words, mask)), "likeness": float(_likeness(taps, known))}

    def _sheet(self, real: Tensor, sketch: Tensor, painted: Tensor) -> None:
        """Rows of real picture, its sketch and the painting, and paintings of sampled sketches below."""
        rows = [
            real[:16],
            F.interpolate(sketch[:16], scale_factor=4.0, mode="nearest"),
            painted[:16],
            real[16:32],
            painted[16:32],
        ]
        if self._bank is not None:
            captions = self._bank.captions[:48]
            sentence, words, mask = self._said(captions)
            noise = paint_noise(self.net.config, self.net.grain_channels, np.random.default_rng(6), 48)
            made = _held(self.average(self._bank.cells[:48].float(), sentence, words, mask, *noise))
            rows += [made[:16], made[16:32], made[32:]]
        sheet = torch.cat([torch.cat(list(row), dim=2) for row in rows if len(row) == 16], dim=1).clamp(-1.0, 1.0)
        pixels = ((sheet * 0.5 + 0.5) * 255).round().byte().permute(1, 2, 0).numpy()
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(self._folder / "sheet.png")

    def _draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """A batch; the last few sketches are sampled ones with their own captions, beside real pictures of no relation."""
        rows = rng.choice(len(self._share), self._batch, p=self._share)
        captions = self._scenes.caption[rows, rng.integers(0, self._scenes.caption.shape[1], self._batch)]
        real, sketch, sentence, words, mask = self._take(rows, rng.integers(0, 2, self._batch), captions)
        if rng.random() < 0.5:
            real, sketch = real.flip(-1), sketch.flip(-1)
        if self._bank is not None and self._sampled:
            taken = rng.integers(0, len(self._bank.captions), self._sampled)
            own = self._batch - self._sampled
            told = self._said(self._bank.captions[taken])
            sketch = torch.cat([sketch[:own], self._bank.cells[taken].float()])
            sentence, words, mask = (
                torch.cat([ours[:own], theirs]) for ours, theirs in zip((sentence, words, mask), told, strict=True)
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
        return (real, self._coarse(real).clamp(-1.0, 1.0), *self._said(captions))

    def _coarse(self, pictures: Tensor) -> Tensor:
        """The sketch of pictures (n, 3, 64, 64), as coarse as the sketcher draws."""
        return self._sketcher.coarse(F.avg_pool2d(pictures, pictures.shape[-1] // SKETCH_SIZE))

    def _said(self, captions: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """Sentence, words and mask of captions."""
        scenes = self._scenes
        arrays = (scenes.sentences[captions], scenes.words[captions], scenes.mask[captions])
        sentence, words, mask = (torch.from_numpy(np.asarray(array).astype(np.float32)) for array in arrays)
        return sentence, words, mask

    def _judge(
        self,
        known_taps: Mapping[int, Tensor],
        known: Tensor,
        shown_taps: Mapping[int, Tensor],
        shown: Tensor,
        sentence: Tensor,
    ) -> Tensor:
        """Hinge loss: real up, painted down, real with another picture's caption down."""
        own = len(known) - self._sampled  # only these real pictures have their own captions beside them
        taps = {stride: torch.cat([known_taps[stride], shown_taps[stride].detach()]) for stride in STRIDES}
        seen = self.critic.look(taps, torch.cat([known, shown.detach()]))
        count = len(known)
        true = self.critic.judge({name: x[:own] for name, x in seen.items()}, sentence[:own])
        false = self.critic.judge({name: x[count:] for name, x in seen.items()}, sentence)
        wrong = self.critic.judge({name: x[:own] for name, x in seen.items()}, sentence[:own].roll(1, 0))
        losses = [
            F.relu(1.0 - up).mean() + 0.5 * F.relu(1.0 + down).mean() + 0.5 * F.relu(1.0 + other).mean()
            for up, down, other in zip(true, false, wrong, strict=True)
        ]
        return torch.stack(losses).mean()

    def _match(self, taps: Mapping[int, Tensor], sentence: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        scores = self._matcher.pairs(self._matcher.see(taps), self._matcher.read(sentence, words), mask)
        logits = self._matcher.logits(scores)
        target = torch.arange(len(sentence))
        return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


def _held(pictures: Tensor) -> Tensor:
    """Clamp to [-1, 1] with a faint slope outside, so that overshooting can be unlearned."""
    inside = pictures.clamp(-1.0, 1.0)
    return inside + 0.05 * (pictures - inside)


def _moved(pictures: Tensor, left: int, top: int, flip: int) -> Tensor:
    """Shift by up to 4 pixels, the edge mirrored, and flip."""
    size = pictures.shape[-1]
    edged = F.pad(pictures, (_SHIFT, _SHIFT, _SHIFT, _SHIFT), mode="reflect")
    cut = edged[:, :, top : top + size, left : left + size]
    return cut.flip(-1) if flip else cut


def _colour_grain(pictures: Tensor) -> Tensor:
    """How strongly colour (not light) changes from pixel to pixel, (n,): little in photographs, much in a cheat."""
    colour = pictures - pictures.mean(dim=1, keepdim=True)
    fine = colour - F.avg_pool2d(colour, 5, stride=1, padding=2, count_include_pad=False)
    return fine.abs().mean(dim=(1, 2, 3))


def _likeness(shown: Mapping[int, Tensor], known: Mapping[int, Tensor]) -> Tensor:
    """Mean relative distance of Lite0's maps."""
    parts = [(shown[stride] - known[stride]).abs().mean() / known[stride].abs().mean() for stride in STRIDES]
    return torch.stack(parts).mean()


def _update(optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
