"""The sheet of key frames that an operator chooses from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.files import check_target, scratch_folder

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.services.films.film_plan import FilmPlanner

__all__ = ["write_key_sheet"]


def write_key_sheet(planner: FilmPlanner, name: str, target: Path, *, seed: int, count: int, truncation: float) -> None:
    """Write a contact sheet of the first key frames of a seed as JPEG, each with its number.

    Raises:
        NotFound: there is no such model.
        ModelError: it cannot be used.
        DiskError: the sheet cannot be written.
    """
    from PIL import Image

    from auria_bot.art.exporters.contact_sheet import write_contact_sheet

    check_target(target)
    frames = planner.sheet(name, seed=seed, count=count, truncation=truncation)
    with scratch_folder() as scratch:
        shown = []
        for number, frame in enumerate(frames, start=1):
            path = scratch / f"{number}.png"
            Image.fromarray(frame).save(path)
            shown.append((path, str(number)))
        write_contact_sheet(f"{name}: key frames of seed {seed}", shown, target)
