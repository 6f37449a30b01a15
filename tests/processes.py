"""The processes of this machine, as /proc lists them."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["children", "is_alive"]


def children(pid: int | None = None) -> list[int]:
    """The children of a process, by default this one; none where it is gone."""
    pid = pid or os.getpid()
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
