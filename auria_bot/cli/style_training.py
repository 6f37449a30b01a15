"""The command `train style`, which trains a network for one painting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auria_bot.cli.app import app_context
from auria_bot.cli.models import print_trained
from auria_bot.cli.terminal.console import note
from auria_bot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["train_style"]


def train_style(
    model: str,
    painting: Path | None,
    content: Path | None,
    options: Mapping[str, Any],
    how: Mapping[str, Any],
    *,
    as_json: bool,
) -> None:
    """Train the network of a painting, or continue a stopped training, and say how the style is used.

    Args:
        model: "style".
        painting: the picture.
        content: the folder of photographs.
        options: name and style_weight, as `style_training.train_style` takes them.
        how: the options of the trainer.
        as_json: print JSON.

    Raises:
        UsageError: another model than "style" is named, or no painting.
    """
    from auria_bot.services.models import style_training

    if model != "style":
        raise UsageError(f"PAINTING, --content, --name and --style-weight belong to a style, not to the {model[:40]}")
    if painting is None:
        raise UsageError("name the picture of a painting: auria train style PAINTING")
    with app_context() as app:
        done = style_training.train_style(
            app.settings, painting, content=content, trainer=app.trainer(**how), **options
        )
    print_trained(done.model, done.trained, as_json=as_json, is_promoted=done.is_promoted)
    if done.is_promoted:
        note(f"to use it: auria make --style {done.style}, or auria restyle ID --style {done.style}")
