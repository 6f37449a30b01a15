"""Training the network of one painting, which is then a style like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.art.stylists.style_import import read_file, slug
from auria_bot.art.stylists.style_networks import PREFIX
from auria_bot.errors import InputError
from auria_bot.services.models.catalogue import style_bank
from auria_bot.services.models.training import data_folder, imported
from auria_bot.services.models.versions import INSTALLED

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.services.models.trainer import TrainedModel, Trainer
    from auria_bot.settings.schema import Settings

__all__ = ["TrainedStyle", "train_style"]

_LONGEST = 48  # characters of a style's name


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedStyle:
    """The network of a painting that was trained."""

    style: str  # its name, as `--style` takes it
    trained: TrainedModel
    is_promoted: bool  # whether it can be used already

    @property
    def model(self) -> str:
        """The name of its model in the registry."""
        return f"{PREFIX}{self.style}"


def train_style(
    settings: Settings,
    painting: Path,
    *,
    name: str | None,
    content: Path | None,
    style_weight: float | None,
    trainer: Trainer,
) -> TrainedStyle:
    """Train the network of a painting, or continue a stopped training.

    The first version of a style is in service at once; a later one when it is promoted.

    Args:
        painting: a picture; a metadata.csv beside it describes it, see `style_import`.
        name: of the style; by default the painting's title.
        content: a folder of photographs; the folder of data by default.
        style_weight: of the strokes against the picture; the recipe's by default.

    Raises:
        NotFound: there is no such picture, or no such folder.
        InputError: the name is taken, or a training of that name was begun otherwise.
        BackendMissing: a package for training is not installed.
    """
    known = read_file(painting)
    style = _named(settings, name or known.title)
    recipe, where = (
        imported("auria_bot.art.training.style.train"),
        data_folder(content, settings, "train style PAINTING"),
    )
    chosen = {} if style_weight is None else {"style_weight": style_weight}
    given = {"painting": known, "name": style, "content": where, "settings": recipe.StyleSettings(**chosen)}
    model, registry = f"{PREFIX}{style}", trainer.registry
    is_first = registry.promoted(model) == INSTALLED and not (settings.installed_models / model).is_dir()
    trained = trainer.train(
        model,
        recipe.train,
        data=where,
        given=given,
        asked={"painting": painting.name, "style_weight": style_weight},
        trained_on=f"{painting.name} and {where.name}",
    )
    is_promoted = is_first and bool(trained.version)
    if is_promoted:
        registry.promote(model, trained.version)
    return TrainedStyle(style=style, trained=trained, is_promoted=is_promoted)


def _named(settings: Settings, name: str) -> str:
    """The name of a style as it is written in folders and on the command line."""
    style = slug(name, longest=_LONGEST)
    if style in {each.key for each in style_bank(settings).paintings}:
        raise InputError(f"a painting of the style bank has the key {style}; give another name with --name")
    return style
