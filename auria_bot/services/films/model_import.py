"""Import film models that were trained elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auria_bot.errors import InputError, NotFound, UsageError
from auria_bot.files import scratch_folder
from auria_bot.services.films.film_plan import PREFIX
from auria_bot.services.models import training

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from auria_bot.services.models.versions import ModelRegistry, ModelVersion

__all__ = ["import_model"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


def import_model(source: Path, name: str, *, known: Collection[str], registry: ModelRegistry) -> ModelVersion:
    """Convert a generator in the layout of stylegan2-ada, and put it in service under a new name.

    Args:
        source: its weights as safetensors.
        known: the names of the film models that there are.

    Raises:
        BackendMissing: a package for training is not installed.
        InputError: the name or the file cannot be used.
        NotFound: there is no such file.
        ModelMissing, ModelCorrupt: the file cannot be read.
        DiskError: the registry cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"a film model cannot be named {name[:60]!r}; use small letters, digits and hyphens, up to 48")
    if name in known:
        raise InputError(f"there is a film model {name!r} already; choose another name, or see auria film models")
    if not source.is_file():
        raise NotFound(f"there is no file {str(source)[:200]}; give the weights as safetensors")
    training.recipe("film")
    from auria_bot.art.training.film.published import convert

    with scratch_folder() as scratch:
        folder = scratch / f"{PREFIX}{name}"
        config = convert(source, folder)
        version = registry.register(folder.name, folder, metrics={}, note=f"imported, layout of {config.layout}")
    return registry.promote(version.model, version.name)
