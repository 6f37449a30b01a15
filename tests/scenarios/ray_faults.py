"""Artworks of light makers on a cluster whose workers and nodes are killed every few seconds, and the drivers in between.

A driver is lost in two ways, in turn and spread over the run: its process is killed, which the program replaces; or
`auria make` is, whose driver ends with it, and which `auria make --resume` continues.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from auria_bot.bootstrap.application import build
from auria_bot.domain.pipeline import STEPS
from auria_bot.settings.loading import load
from tests.scenarios.ray_cluster import children, kill_process
from tests.scenarios.ray_same import command, contents, environment, make, with_fakes

if TYPE_CHECKING:
    from tests.scenarios.ray_cluster import RayNodes

__all__ = ["Survived", "measure"]

_AWAY = 1.0  # seconds for which a lost node is away
_LONGEST = 1800.0  # seconds for a run to come so far
_LEAVE = 20.0  # seconds for workers to end after the last program
_EACH = 4  # of so many kills one is a node's


@dataclass(frozen=True, slots=True, kw_only=True)
class Survived:
    """What was killed, and what came of the artworks."""

    workers: int  # processes of workers that were killed
    nodes: int  # nodes that were lost
    drivers: int  # driver processes that were killed and replaced
    resumed: int  # programs that were killed and continued
    same: int  # artworks that are as an undisturbed run on this machine makes them
    lost: tuple[str, ...]  # files and words that are missing or differ
    twice: tuple[str, ...]  # drafts, runs and saved steps that are there more than once
    repeated: int  # steps that were begun again
    stayed: int  # workers that were still there at the end
    seconds: float  # of the disturbed run

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost, nothing is there twice, and nothing stayed."""
        return not self.lost and not self.twice and not self.stayed


def measure(
    folder: Path,
    nodes: RayNodes,
    *,
    count: int,
    kills: int,
    seconds: float = 0.1,
    pause: tuple[float, float] = (2.0, 4.0),
    seed: int = 20261129,
) -> Survived:
    """Make so many artworks here undisturbed, and on the cluster while it fails.

    Args:
        folder: a new folder.
        nodes: a cluster of more than one node.
        count: of artworks.
        kills: of driver processes, and as many of programs.
        seconds: that a fake takes for each call.
        pause: seconds between two kills of workers or nodes, from and to.
        seed: of what is killed when.

    Raises:
        RuntimeError: a program ended with an error, or comes no further.
    """
    make(folder / "here", count=count, real=False)
    run = _Run(folder / "there", nodes.address, count, seconds)
    chaos, begun = _Chaos(nodes, pause, random.Random(seed)), time.monotonic()
    with chaos:
        run.begin()
        for kill in range(1, 2 * kills + 1):
            run.wait(kill / (2 * kills + 1))
            if kill % 2:
                kill_process(run.driver())
            else:
                run.kill()
                run.begin()
        run.finish()
        taken = time.monotonic() - begun
    one, other, events = contents(folder / "here"), contents(run.home), run.events()
    done = Counter(f"{event['artwork']}/{event['step']}" for event in events if event["state"] == "done")
    return Survived(
        workers=chaos.workers,
        nodes=chaos.nodes,
        drivers=kills,
        resumed=kills,
        same=sum(name.endswith("/draft") and one[name] == other.get(name) for name in one),
        lost=tuple(name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)),
        twice=(*run.twice(), *(step for step, times in done.items() if times > 1)),
        repeated=sum(event["state"] == "started" for event in events)
        - sum(event["state"] in {"done", "reused"} for event in events),
        stayed=_stayed(nodes),
        seconds=taken,
    )


class _Run:
    """A run of `auria make` on the cluster, by one program after the other."""

    def __init__(self, home: Path, address: str, count: int, seconds: float) -> None:
        self.home, self._count = home, count
        self._environment = environment(home, AURIA_EXECUTION__ADDRESS=address)
        self._program: subprocess.Popen[bytes] | None = None
        home.mkdir()
        with_fakes(home, seconds=seconds)

    def begin(self) -> None:
        """Start a program: the first one makes the artworks, a later one resumes."""
        words = command(self._count) if self._program is None else [*command(0)[:4], "--resume"]
        with (self.home / "log").open("ab") as log:
            self._program = subprocess.Popen(words, env=self._environment, stdout=log, stderr=log)

    def wait(self, share: float) -> None:
        """Wait until so much of the run is done."""
        until = time.monotonic() + _LONGEST
        while sum(event["state"] == "done" for event in self.events()) < share * self._count * len(STEPS):
            if self._alive().poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"auria make came no further than {share:.2f}: {self._tail()}")
            time.sleep(0.2)

    def driver(self) -> int:
        """The process of the program's driver; one that was just lost is waited for."""
        while True:
            for pid in children(self._alive().pid):
                with contextlib.suppress(OSError):
                    if b"auria_bot.execution.ray" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        return pid
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill the program."""
        self._alive().kill()
        self._alive().wait()

    def finish(self) -> None:
        """Wait for its end."""
        if self._alive().wait(_LONGEST):
            raise RuntimeError(f"auria make ended with {self._alive().returncode}: {self._tail()}")

    def events(self) -> list[dict[str, Any]]:
        """What happened so far, in all runs."""
        found = []
        for path in [*self.home.glob("studio/*/events.jsonl"), *self.home.glob("studio/.events/*.jsonl")]:
            for line in path.read_bytes().splitlines():
                with contextlib.suppress(ValueError):  # torn by the kill
                    found.append(json.loads(line))
        return found

    def twice(self) -> list[str]:
        """Runs beside the first one, unfinished ones, and artworks with more than one draft."""
        found = [f"run {path.stem}" for path in sorted(self.home.glob("studio/.events/*.jsonl"))[1:]]
        found += [f"unfinished run {path.name}" for path in self.home.glob("studio/[!.]*")]
        with closing(build(load({"AURIA_HOME": str(self.home)}))) as application:
            drafts = Counter(draft.folder.rpartition("-")[2] for draft in application.review.drafts())
        return [*found, *(f"draft {number}" for number, times in drafts.items() if times > 1)]

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._program is None:
            raise RuntimeError("no program was begun")
        return self._program

    def _tail(self) -> str:
        return (self.home / "log").read_text("utf-8", "replace")[-2000:]


class _Chaos:
    """Kills workers and nodes until the end of the block."""

    def __init__(self, nodes: RayNodes, pause: tuple[float, float], rng: random.Random) -> None:
        self._cluster, self._pause, self._rng = nodes, pause, rng
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._kill, daemon=True)
        self.workers, self.nodes = 0, 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _kill(self) -> None:
        while not self._over.wait(self._rng.uniform(*self._pause)):
            if self.workers >= (_EACH - 1) * (self.nodes + 1):
                self._cluster.remove()
                self.nodes += 1
                time.sleep(_AWAY)
                self._cluster.add()
            elif found := sorted(self._cluster.pids()):
                kill_process(self._rng.choice(found))
                self.workers += 1


def _stayed(nodes: RayNodes) -> int:
    """The workers that have not ended after a while."""
    until = time.monotonic() + _LEAVE
    while nodes.pids() and time.monotonic() < until:
        time.sleep(0.2)
    return len(nodes.pids())
