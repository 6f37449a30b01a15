"""How a film model is trained: StyleGAN2's generator against the projected or the standard critic.

Every step draws its random numbers from its own number, so that a resumed training is the same training.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from auria_bot.art.checkpoint import read_json, save_weights, write_json
from auria_bot.art.nets.projected_critic import CriticConfig
from auria_bot.art.nets.stylegan2 import Config, Generator
from auria_bot.art.training.film.critics import Critic, Group, Projected, Standard
from auria_bot.art.training.film.export import load_generator
from auria_bot.art.training.film.losses import Palette, PathLength, WeightAverage, layout_distance
from auria_bot.art.training.loop import cooled
from auria_bot.art.training.painter.picture_losses import soft_clamp
from auria_bot.art.training.workers import ALONE, computes_bfloat16
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from auria_bot.art.nets.lite0 import Lite0
    from auria_bot.art.training.film.frames import FilmFrames
    from auria_bot.art.training.workers import Workers

__all__ = ["CRITICS", "FilmRecipe", "FilmSettings", "as_frames", "as_pixels"]

CRITICS: Final = ("projected", "standard")

_SHEET = (6, 8)  # rows and columns of the sheet of samples
_CALIBRATED = 256  # real frames by which features are normalised and colours are compared
_CRITIC_FIRST = 100  # updates of the critic alone, where it begins beside a generator that has learned before


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmSettings:
    """The settings of config/train/film.toml; see there.

    Raises:
        InputError: there is no such critic.
    """

    seed: int = 0
    steps: int = 1_000_000
    cool: int = 600
    batch: int = 16
    critic: str = "projected"  # one of CRITICS
    rate: float = 2e-3
    critic_rate: float = 1e-3
    r1_weight: float = 2e-4  # of the standard critic, times the pixels of a frame over the batch
    r1_every: int = 16
    augment_target: float = 0.6
    augment_pictures: int = 100_000
    mixing: float = 0.5
    path_every: int = 8
    path_weight: float = 2.0
    layout_weight: float = 0.5
    palette_weight: float = 3.0
    average: float = 10_000.0
    judged: int = 512
    checkpointing: bool = False  # compute the generator's layers again for their gradients: less memory, more time
    half: bool = True  # compute generator and Lite0 in bfloat16 where the device has it, not the critic's heads
    generator: Config = field(default_factory=lambda: Config(height=64, width=112, channels=(160, 160, 128, 96, 48)))
    projected: CriticConfig = field(default_factory=CriticConfig)

    def __post_init__(self) -> None:
        if self.critic not in CRITICS:
            raise InputError(f"no critic {str(self.critic)[:40]!r}; there are: {', '.join(CRITICS)}")


class FilmRecipe:
    """The recipe; see `loop.Recipe`.

    Args:
        folder: where the sheet of samples and the best average are written.
        lite0: whose features the projected critic judges; None: the published one.
        judge: figures of made frames (n, height, width, 3), of which "fd_lite0" decides which average is the best;
            None: every evaluation is the best.
        earlier: the folder of a film model of the same sizes whose weights the generator begins with; None: anew.

    Raises:
        InputError: the earlier model has other sizes.
        ModelMissing, ModelCorrupt: the earlier model cannot be read.
    """

    name = "film"

    def __init__(
        self,
        frames: FilmFrames,
        settings: FilmSettings,
        folder: Path,
        *,
        lite0: Lite0 | None = None,
        judge: Callable[[NDArray[np.uint8]], dict[str, float]] | None = None,
        workers: Workers = ALONE,
        earlier: Path | None = None,
    ) -> None:
        self._workers = workers
        settings = replace(settings, half=settings.half and computes_bfloat16(workers.device))
        self._frames, self._settings, self._folder, self._judge = frames, settings, folder, judge
        torch.manual_seed(settings.seed)
        self.net = Generator(settings.generator).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.net.checkpointing = settings.checkpointing
        self._critic_first = _CriticFirst(0 if earlier is None else _CRITIC_FIRST)
        if earlier is not None:
            begun = load_generator(earlier)
            if begun.config != settings.generator:
                raise InputError(f"the film model in {earlier} has other sizes than the one that is trained")
            self.net.load_state_dict(begun.state_dict())
        self._average = WeightAverage(self.net, half_life=settings.average)
        self._path_length = PathLength()
        self._net_optimizer = torch.optim.Adam(self.net.parameters(), lr=settings.rate, betas=(0.0, 0.99))
        self._palette = Palette()
        real = as_frames(frames.batch(np.random.default_rng((settings.seed, 0)), _CALIBRATED))
        self._palette.calibrate(real)
        self._critic: Critic = (
            Projected(settings, lite0, real) if settings.critic == "projected" else Standard(settings)
        )

    @property
    def average(self) -> Generator:
        """The weight average of the generator, which is what is exported."""
        net: Generator = self._average.net  # type: ignore[assignment]  # a copy of the generator
        return net

    def modules(self) -> dict[str, nn.Module]:
        """Generator, its average, the critic's, the usual path length and how a training began."""
        own = {"net": self.net, "average": self.average, "path_length": self._path_length, "first": self._critic_first}
        return own | self._critic.modules()

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Adam for generator and critic."""
        return {"net": self._net_optimizer, "critic": self._critic.optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """Update critic and generator once, and every so many steps the generator by its path length.

        A worker makes its share of the frames. What compares frames of a batch with each other sees all of them.
        """
        settings, group = self._settings, Group(workers=self._workers, count=self._settings.batch)
        own = group.share
        torch.manual_seed(settings.seed * 1_000_003 + number)
        rng = np.random.default_rng((settings.seed, 1, number))
        pace = cooled(number, total, cool=settings.cool)
        real = as_frames(self._frames.batch(rng, settings.batch)[own.rows])
        styles = self.net.mapping(torch.randn(settings.batch, settings.generator.z))
        self.net.mapping.follow_mean(styles)
        styles = self._mixed(styles)[own.rows]
        if self._workers.size > 1:
            self._workers.seed(settings.seed * 1_000_003 + number)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.half):
            made = soft_clamp(self.net(styles).float())
        verdict, figures = self._critic.step(real, made, number=number, rate=settings.critic_rate * pace, group=group)
        if number < int(self._critic_first.updates):
            return figures
        made_layouts, real_layouts = (group.whole(F.adaptive_avg_pool2d(frames, 8)) for frames in (made, real))
        apart = layout_distance(made_layouts) / layout_distance(real_layouts)
        palette = self._palette(made, group.whole)
        whole = settings.layout_weight * torch.relu(1.0 - apart) + settings.palette_weight * palette
        loss = verdict + whole / (own.weight or 1.0)  # its gradients sum up to the whole's; those of means are weighted
        group.update(self._net_optimizer, loss, settings.rate * pace)
        figures |= {"layouts": apart.item(), "palette": palette.item()}
        if number % settings.path_every == settings.path_every - 1:
            figures["path_length"] = self._regularise(settings.rate * pace)
        self._average.follow(self.net, settings.batch, seen=(number + 1) * settings.batch)
        return figures

    def _mixed(self, styles: Tensor) -> Tensor:
        """For a share of the frames, the styles of another from some layer on."""
        count, layers = styles.shape[:2]
        others = self.net.mapping(torch.randn(count, self._settings.generator.z))
        crossing = torch.randint(1, layers, (count,))
        crossing[torch.rand(count) >= self._settings.mixing] = layers
        return torch.where((torch.arange(layers) < crossing[:, None])[..., None], styles, others)

    def _regularise(self, rate: float) -> float:
        """One update by the path length of a few frames; the usual length."""
        settings = self._settings
        group = Group(workers=self._workers, count=max(2, settings.batch // 4))
        styles = self.net.mapping(torch.randn(group.count, settings.generator.z))[group.share.rows]
        penalty = self._path_length(self.net(styles), styles, group.whole)
        group.update(self._net_optimizer, settings.path_weight * settings.path_every * penalty, rate)
        return float(self._path_length.mean)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Write the sheet of samples, judge the average, and keep it where it is the best so far."""
        rows, columns = _SHEET
        made = self.samples(max(rows * columns, self._settings.judged if self._judge is not None else 0))
        cells = made[: rows * columns].reshape(rows, columns, *made.shape[1:])
        sheet = cells.transpose(0, 2, 1, 3, 4).reshape(rows * made.shape[1], columns * made.shape[2], 3)
        self._folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sheet).save(self._folder / "samples.png")
        figures = self._judge(made) if self._judge is not None else {}
        best = self._folder / "best.json"
        value = figures.get("fd_lite0", 0.0)
        if not best.is_file() or value <= read_json(best).get("fd_lite0", 0.0):
            save_weights(self._folder / "best.safetensors", self.average.state_dict())
            write_json(best, figures)
        return figures

    @torch.no_grad()
    def samples(self, count: int, *, seed: int = 5) -> NDArray[np.uint8]:
        """Frames of the average, always of the same latent vectors: (count, height, width, 3)."""
        chance = torch.Generator().manual_seed(seed)
        z = torch.randn(count, self._settings.generator.z, generator=chance)
        torch.manual_seed(seed)
        return np.concatenate([as_pixels(self.average(self.average.mapping(part))) for part in torch.split(z, 16)])


class _CriticFirst(nn.Module):
    """How many updates the critic makes alone: as the training was begun, however it is continued."""

    updates: Tensor

    def __init__(self, updates: int) -> None:
        super().__init__()
        self.register_buffer("updates", torch.tensor(float(updates)))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *how: Any) -> None:
        if f"{prefix}updates" in state_dict:  # earlier versions did not keep it
            super()._load_from_state_dict(state_dict, prefix, *how)


def as_frames(pixels: NDArray[np.uint8]) -> Tensor:
    """(n, height, width, 3) 8-bit to (n, 3, height, width), -1 to 1."""
    frames = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1.0
    return frames.contiguous(memory_format=torch.channels_last)


def as_pixels(frames: Tensor) -> NDArray[np.uint8]:
    """(n, 3, height, width), -1 to 1, to (n, height, width, 3) 8-bit."""
    scaled = (frames.clamp(-1.0, 1.0) * 127.5 + 127.5).round().byte()
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).numpy())
