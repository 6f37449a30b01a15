"""The two critics that a film model can be trained against, each with its loss, its regularisation and its update.

The projected critic judges features of the frozen Lite0, and takes far less training. The standard one is StyleGAN2's
discriminator, from pixels, with lazy R1 and adaptive augmentation.

Sauer et al., "Projected GANs converge faster", 2021.
Karras et al., "Training generative adversarial networks with limited data", 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import nn

from auria_bot.art.nets.lite0 import Lite0
from auria_bot.art.nets.projected_critic import ProjectedCritic
from auria_bot.art.nets.stylegan2 import Discriminator
from auria_bot.art.training.film.augmentation import augment, diff_augment
from auria_bot.art.training.film.losses import (
    AugmentationChance,
    discriminator_loss,
    generator_loss,
    hinge_loss,
    r1_penalty,
)
from auria_bot.art.training.workers import ALONE

if TYPE_CHECKING:
    from torch import Tensor

    from auria_bot.art.training.film.recipe import FilmSettings
    from auria_bot.art.training.workers import Share, Workers

__all__ = ["Critic", "Group", "Projected", "Standard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Who trains together, and this worker's part of a batch."""

    workers: Workers = ALONE
    count: int  # frames of the whole batch

    @property
    def share(self) -> Share:
        """This worker's frames of the batch."""
        return self.workers.share(self.count)

    def whole(self, part: Tensor) -> Tensor:
        """Rows of this worker's frames, with those of the others in their places."""
        return self.workers.gathered(part, self.count)

    def update(self, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
        """One update by the gradient of a loss, a mean over the group's frames."""
        self.workers.update(optimizer, loss, rate=rate, weight=self.share.weight)


class Critic(Protocol):
    """What the generator is trained against."""

    optimizer: torch.optim.Optimizer

    def modules(self) -> dict[str, nn.Module]:
        """The modules whose state is saved, by name."""
        ...

    def step(
        self, real: Tensor, made: Tensor, *, number: int, rate: float, group: Group
    ) -> tuple[Tensor, dict[str, float]]:
        """Update the critic once; the generator's loss over the made frames, and figures.

        Args:
            real: (n, 3, height, width), -1 to 1.
            made: the same of made frames, with their graph.
            number: of the update, from 0.
            rate: of learning.
            group: who trains, and what these frames are of the whole batch.
        """
        ...


class Projected:
    """The projected critic with differentiable augmentation and the hinge loss.

    Args:
        lite0: whose features are judged; None: the published one.
        real: frames by which the features are normalised.
    """

    def __init__(self, settings: FilmSettings, lite0: Lite0 | None, real: Tensor) -> None:
        self._half = settings.half
        net, lite0 = ProjectedCritic(settings.projected), lite0 or Lite0.pretrained()
        self._net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._lite0 = lite0.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = _adam(self._net, settings)
        self._net.calibrate(self._lite0, real)

    def modules(self) -> dict[str, nn.Module]:
        """The heads, and what normalises the features."""
        return {"critic": self._net}

    def step(
        self, real: Tensor, made: Tensor, *, number: int, rate: float, group: Group
    ) -> tuple[Tensor, dict[str, float]]:
        """See `Critic`. The features of made frames are computed once and serve both updates."""
        del number
        with torch.autocast("cpu", torch.bfloat16, enabled=self._half):
            with torch.no_grad():
                real_features = self._net.features(self._lite0, diff_augment(real))
            made_features = self._net.features(self._lite0, diff_augment(made))
        real_features, made_features = ([one.float() for one in each] for each in (real_features, made_features))
        real_scores = self._net(real_features)
        made_scores = self._net([one.detach() for one in made_features])
        loss = hinge_loss(real_scores, made_scores)
        group.update(self.optimizer, loss, rate)
        self._net.requires_grad_(requires_grad=False)
        verdict = torch.stack([one.mean() for one in self._net(made_features)]).mean()
        self._net.requires_grad_(requires_grad=True)
        return -verdict, {"critic": loss.item(), "real": _mean(real_scores), "made": _mean(made_scores)}


class Standard:
    """StyleGAN2's discriminator with the logistic loss, lazy R1 and adaptive augmentation."""

    def __init__(self, settings: FilmSettings) -> None:
        frame = settings.generator
        self._every = settings.r1_every
        self._weight = settings.r1_weight * frame.height * frame.width / settings.batch
        self._net = Discriminator(frame).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._chance = AugmentationChance(target=settings.augment_target, pictures=settings.augment_pictures)
        self.optimizer = _adam(self._net, settings)

    def modules(self) -> dict[str, nn.Module]:
        """The discriminator, and the chance of augmentation."""
        return {"discriminator": self._net, "augmentation": self._chance}

    def step(
        self, real: Tensor, made: Tensor, *, number: int, rate: float, group: Group
    ) -> tuple[Tensor, dict[str, float]]:
        """See `Critic`. R1 is taken at the augmented frames: torch cannot derive the gradient of a warp again."""
        chance = float(self._chance.value)
        real, made = augment(real, chance), augment(made, chance)
        real_scores, made_scores = self._net(real), self._net(made.detach())
        loss = discriminator_loss(real_scores, made_scores)
        group.update(self.optimizer, loss, rate)
        self._chance.follow(group.whole(real_scores.detach()))
        figures = {
            "critic": loss.item(),
            "real": _mean([real_scores]),
            "made": _mean([made_scores]),
            "augmentation": float(self._chance.value),
        }
        if number % self._every == self._every - 1:
            penalty = r1_penalty(self._net, real, weight=self._weight)
            group.update(self.optimizer, self._every * penalty, rate)
            figures["r1"] = penalty.item()
        self._net.requires_grad_(requires_grad=False)
        verdict = generator_loss(self._net(made))
        self._net.requires_grad_(requires_grad=True)
        return verdict, figures


def _adam(net: nn.Module, settings: FilmSettings) -> torch.optim.Optimizer:
    return torch.optim.Adam(net.parameters(), lr=settings.critic_rate, betas=(0.0, 0.99))


def _mean(scores: list[Tensor]) -> float:
    return float(torch.stack([one.detach().mean() for one in scores]).mean())
