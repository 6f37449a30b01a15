"""The same artworks made on this machine and on a cluster of two nodes: compared byte for byte, and timed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.domain.pipeline import ROLES
from auria_bot.settings.loading import load
from tests.scenarios.ray_cluster import ray_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Comparison", "command", "compare", "contents", "environment", "make", "with_fakes"]

SEED = 20261129


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of both."""

    made: int  # artworks that are the same
    differing: tuple[str, ...]  # names of files and words that differ
    local: float  # seconds of the run here
    cluster: float  # seconds of the run there


def compare(
    folder: Path, *, count: int, real: bool, cores: tuple[float, ...] = (1, 1), address: str = ""
) -> Comparison:
    """Make the artworks on both; local work is limited to as many cores as the cluster has.

    Args:
        cores: of each node of a new cluster.
        address: of a running one that is used instead.
    """
    allowed = sorted(os.sched_getaffinity(0))[: int(sum(cores))]
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, allowed)
    try:
        here = make(folder / "here", count=count, real=real)
        with contextlib.nullcontext() if address else ray_nodes(cores) as nodes:
            place = nodes.address if nodes else address
            there = make(folder / "there", count=count, real=real, AURIA_EXECUTION__ADDRESS=place)
    finally:
        os.sched_setaffinity(0, before)
    one, other = contents(folder / "here"), contents(folder / "there")
    differing = [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]
    made = sum(name.endswith("/draft") and one[name] == other.get(name) for name in one)
    return Comparison(made=made, differing=tuple(differing), local=here, cluster=there)


def make(home: Path, *, count: int, real: bool, **settings: str) -> float:
    """Make artworks in a new home by the command line; the seconds it took."""
    home.mkdir(parents=True)
    if not real:
        with_fakes(home, seconds=0.01)
    begun = time.monotonic()
    done = subprocess.run(
        command(count), env=environment(home, **settings), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"auria make ended with {done.returncode}: {done.stderr[-2000:]}")
    return time.monotonic() - begun


def with_fakes(home: Path, *, seconds: float) -> None:
    """Have a home's artworks made by fakes that take so long for each call."""
    text = "".join(f'[{role}]\nbackend = "fake"\noptions = {{ seconds = {seconds} }}\n' for role in ROLES)
    (home / "auria.toml").write_text(text, encoding="utf-8")


def command(count: int) -> list[str]:
    """`auria make` of so many artworks, the same ones every time."""
    return [sys.executable, "-m", "auria_bot", "make", "--count", str(count), "--seed", str(SEED)]


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a command on a home; on the cluster whose address is among the settings."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    found |= {"AURIA_HOME": str(home), **settings}
    return found | ({"AURIA_EXECUTION__ENGINE": "ray"} if settings else {})


def contents(home: Path) -> Mapping[str, object]:
    """The words and the pictures' bytes of every draft, by number and name."""
    found: dict[str, object] = {}
    with closing(build(load({"AURIA_HOME": str(home)}))) as application:
        for draft in application.review.drafts():
            number = draft.folder.rpartition("-")[2]
            artwork = draft.artwork.to_json()
            artwork.pop("seconds", None)
            found[f"{number}/draft"] = artwork
            for path in sorted((home / "pictures" / draft.folder).iterdir()):
                found[f"{number}/{path.name}"] = path.read_bytes()
    return found
