"""A folder of links to folders, each replaced at once; where links cannot be made, a folder of copies."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["link_folders"]


def link_folders(folder: Path, wanted: Mapping[str, Path]) -> None:
    """Make a folder hold a link of each of these names to its target, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in wanted.items():
        _replace_link(folder / name, target.resolve())
    for link in folder.iterdir():
        if link.name not in wanted:
            _remove(link)


def _replace_link(link: Path, target: Path) -> None:
    """Make a link lead to a folder; where links cannot be made, copy the folder."""
    if link.is_symlink() and link.resolve() == target:
        return
    fresh = link.with_name(f".{link.name}.new")
    _remove(fresh)
    try:
        fresh.symlink_to(target, target_is_directory=True)
    except OSError:  # Windows, without the right to make links
        if (link / "SHA256SUMS").is_file() and _sums(link) == _sums(target):
            return
        shutil.copytree(target, fresh)
        _remove(link)
    fresh.replace(link)


def _sums(folder: Path) -> bytes:
    path = folder / "SHA256SUMS"
    return path.read_bytes() if path.is_file() else b""


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    elif path.is_dir():
        shutil.rmtree(path)
