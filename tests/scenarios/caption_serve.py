"""The model server beside the same captioner in process: one picture alone, eight at a time, a promotion under load."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from auria_bot.art.captioners.show_attend_tell import ShowAttendTell
from auria_bot.art.checkpoint import write_checksums
from auria_bot.art.pictures import decode_picture
from auria_bot.corpus.language.words import models_folder
from auria_bot.services.models.folder_registry import FolderRegistry
from auria_bot.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = [
    "Change",
    "Speed",
    "another_version",
    "change_under_load",
    "free_port",
    "measure",
    "pictures",
    "registry",
    "served",
]

_START = 60.0  # seconds that a busy machine may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What was measured; seconds, and pictures a second."""

    alone_inside: float  # median, in process
    alone_served: float
    rate_inside: float  # of as many threads as there are cores
    rate_served: float  # of the clients together
    slowest: float  # the 99th of a hundred answers
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened while another version was promoted and rolled back."""

    answers: int
    failures: int
    versions: tuple[str, ...]  # in the order of their first answer


def pictures(count: int) -> list[bytes]:
    """JPEG files of 640 x 480 pixels with a sky, a land, a disc and some noise."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        values = np.zeros((480, 640, 3))
        values[:240], values[240:] = rng.integers(90, 255, 3), rng.integers(0, 160, 3)
        y, x = np.mgrid[:480, :640]
        values[(x - rng.integers(100, 540)) ** 2 + (y - rng.integers(100, 380)) ** 2 < 70**2] = rng.integers(0, 255, 3)
        buffer = io.BytesIO()
        pixels = np.clip(values + rng.normal(0, 12, values.shape), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
        found.append(buffer.getvalue())
    return found


def another_version(home: Path) -> str:
    """Register a captioner that ranks its captions otherwise; its name."""
    folder = home / "trained"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(models_folder() / "captioner", folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"length_power": 0.5}), "utf-8")
    write_checksums(folder)
    return registry(home).register("captioner", folder, metrics={}, note="another length power").name


def registry(home: Path) -> FolderRegistry:
    """The versions of a home."""
    return FolderRegistry(Settings(home=home), clock=lambda: datetime.now(UTC))


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def served(home: Path, port: int = 0) -> Iterator[int]:
    """Run `auria serve` in a process of its own, at a free port unless one is given; the port.

    Raises:
        RuntimeError: it did not start.
    """
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    environment = {**os.environ, "AURIA_HOME": str(home), "AURIA_CAPTIONS__SERVER": f"127.0.0.1:{port}"}
    environment |= {"AURIA_CAPTIONS__DEADLINE": "60"}
    command = [sys.executable, "-m", "auria_bot", "serve"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + _START
            while _status(port) != 200:
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError(f"auria serve did not start: {process.poll()}")
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            process.wait(_START)


def _status(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START)
    try:
        connection.request("GET", "/readyz")
        with connection.getresponse() as answer:
            return answer.status
    except OSError:
        return 0
    finally:
        connection.close()


def _ask(port: int, content: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START)
    try:
        connection.request("POST", "/captions", body=content)
        with connection.getresponse() as answer:
            return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def measure(home: Path, *, count: int, clients: int, rounds: int = 3) -> Speed:
    """Caption so many pictures in each way, in turns, so that a busy machine disturbs both alike."""
    brought = pictures(16)
    captioner = ShowAttendTell(ShowAttendTell.Config(scenes=False, colours=False), models_folder())
    cores = len(os.sched_getaffinity(0))

    def inside(number: int) -> int:
        captioner.explain(decode_picture(brought[number % len(brought)]))
        return 200

    with served(home) as port:

        def asked(number: int) -> int:
            return _ask(port, brought[number % len(brought)])[0]

        alone: dict[str, list[float]] = {"inside": [], "served": []}
        rates: dict[str, list[float]] = {"inside": [], "served": []}
        times: list[float] = []
        failures = 0
        for _ in range(rounds):
            for name, work in (("inside", inside), ("served", asked)):
                taken, failed, _ = _timed(work, count, 1)
                alone[name] += taken
                failures += failed
            for name, work, threads in (("inside", inside, cores), ("served", asked, clients)):
                taken, failed, seconds = _timed(work, 2 * count, threads)
                rates[name].append(2 * count / seconds)
                failures += failed
                times += taken if name == "served" else []
    return Speed(
        alone_inside=median(alone["inside"]),
        alone_served=median(alone["served"]),
        rate_inside=max(rates["inside"]),
        rate_served=max(rates["served"]),
        slowest=sorted(times)[int(0.99 * (len(times) - 1))],
        failures=failures,
    )


def _timed(work: Callable[[int], int], count: int, threads: int) -> tuple[list[float], int, float]:
    """Seconds of each piece of work, how many failed, and the seconds of all."""

    def one(number: int) -> tuple[int, float]:
        begun = time.perf_counter()
        return work(number), time.perf_counter() - begun

    work(0)
    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(one, range(count)))
    return [seconds for _, seconds in found], sum(status != 200 for status, _ in found), time.perf_counter() - begun


def change_under_load(home: Path, *, clients: int, after: int) -> Change:
    """Ask without a pause while a newer version is promoted and rolled back; `after` answers are awaited of each."""
    brought, kept = pictures(4), registry(home)
    newer = another_version(home)
    answers: list[tuple[int, str]] = []
    stop = threading.Event()

    def client(port: int) -> None:
        number = 0
        while not stop.is_set():
            status, body = _ask(port, brought[number % len(brought)])
            answers.append((status, str(json.loads(body)["model"]["version"]) if status == 200 else ""))
            number += 1

    def until(version: str) -> None:
        end = time.monotonic() + _START
        while sum(one == version for _, one in answers[begun:]) < after and time.monotonic() < end:
            time.sleep(0.02)

    with served(home) as port:
        threads = [threading.Thread(target=client, args=(port,)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for step, version in ((lambda: None, "installed"), (lambda: kept.promote("captioner", newer), newer)):
            begun = len(answers)
            step()
            until(version)
        begun = len(answers)
        kept.rollback("captioner")
        until("installed")
        stop.set()
        for thread in threads:
            thread.join()
    order = list(dict.fromkeys(version for _, version in answers if version))
    return Change(answers=len(answers), failures=sum(status != 200 for status, _ in answers), versions=tuple(order))
