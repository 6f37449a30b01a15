"""Locate the shipped tables: beside the checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

from auria_bot.errors import ModelMissing

__all__ = ["models_folder", "table"]


def models_folder() -> Path:
    """The folder of the shipped models.

    Raises:
        ModelMissing: neither the installed package nor the checkout holds it.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "_data" / "models", package.parent / "models"):
        if folder.is_dir():
            return folder
    raise ModelMissing("the folder models/ is missing; reinstall auria-bot")


def table(*names: str) -> Path:
    """Find one shipped table by the parts of its path below models/.

    Raises:
        ModelMissing: there is no such file.
    """
    path = models_folder().joinpath(*names)
    if not path.is_file():
        raise ModelMissing(f"models/{'/'.join(names)} is missing; reinstall auria-bot")
    return path
