"""The model server on a Ray cluster of one machine: load rises and falls, a replica is killed, a version promoted."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.scenarios.caption_serve import another_version, free_port, pictures, registry
from tests.scenarios.ray_cluster import kill_process, ray_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Scaled", "has_serve", "measure", "served"]

_START = 180.0  # seconds that a busy machine may take
_FOLLOW = 90.0  # seconds after which waiting for a change is given up
_PROCESS = b"ray::ServeReplica:auria:captions"


@dataclass(kw_only=True)
class Scaled:
    """What happened; seconds."""

    answers: int = 0
    failures: list[str] = field(default_factory=list)
    rise: float = 0.0  # from the first heavy load to the most replicas
    replaced: float = 0.0  # from the kill of a replica to as many as before
    promoted: float = 0.0  # from a promotion until every answer was the new version's
    fall: float = 0.0  # from the end of the load to the fewest replicas
    versions: tuple[str, ...] = ()  # in the order of their first answer


@contextlib.contextmanager
def served(home: Path, address: str, *, most: int) -> Iterator[int]:
    """Run `auria serve --engine ray`; the port that it answers at.

    Raises:
        RuntimeError: it did not start.
    """
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = os.environ | {"AURIA_HOME": str(home), "AURIA_CAPTIONS__SERVER": f"127.0.0.1:{port}"}
    environment |= {"AURIA_EXECUTION__ADDRESS": address, "AURIA_CAPTIONS__DEADLINE": "60"}
    environment |= {"AURIA_CAPTIONS__REPLICAS__MOST": str(most), "AURIA_CAPTIONS__WAITING": "200"}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, "-m", "auria_bot", "serve", "--engine", "ray"]
    log = home / "serve.log"
    with log.open("w", encoding="utf-8") as file, subprocess.Popen(command, env=environment, stderr=file) as process:
        try:
            until = time.monotonic() + _START
            while _ask(port, "/readyz")[0] != 200:
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError(f"auria serve --engine ray did not start: {log.read_text('utf-8')[-2000:]}")
                time.sleep(0.2)
            yield port
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()


def has_serve() -> bool:
    """Whether Ray and what its Serve needs are installed."""
    return find_spec("ray") is not None and find_spec("grpc") is not None


def measure(home: Path, *, most: int = 3, clients: int = 8) -> Scaled:
    """Let the load rise to so many clients and fall again, with a killed replica and a promotion meanwhile."""
    done = Scaled()
    with ray_nodes((float(most),)) as nodes, served(home, nodes.address, most=most) as port, _Load(port) as load:
        load.clients(1)
        load.wait_for_answers(3)
        load.clients(clients)
        done.rise = _seconds_until(lambda: len(_replicas()) >= most)
        before = _replicas()
        kill_process(before[0])
        done.replaced = _seconds_until(lambda: len(_replicas()) >= most and before[0] not in _replicas())
        load.wait_for_answers(2 * clients)
        version = another_version(home)
        registry(home).promote("captioner", version)
        done.promoted = _seconds_until(lambda: set(load.last(4 * clients)) == {version})
        load.clients(0)
        done.fall = _seconds_until(lambda: len(_replicas()) <= 1)
        done.answers, done.failures, done.versions = load.answers, load.failures, tuple(dict.fromkeys(load.versions))
    return done


class _Load:
    """Clients that ask for captions, one after the other each."""

    def __init__(self, port: int) -> None:
        self._port, self._pictures, self._threads = port, pictures(4), list[threading.Thread]()
        self._wanted, self.versions, self.failures = 0, list[str](), list[str]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clients(0)

    @property
    def answers(self) -> int:
        """Captions so far."""
        return len(self.versions)

    def clients(self, count: int) -> None:
        """Have so many clients from now on; returns when those that are too many have ended."""
        self._wanted = count
        while len(self._threads) > count:
            self._threads.pop().join()
        while len(self._threads) < count:
            self._threads.append(threading.Thread(target=self._ask, args=(len(self._threads),), daemon=True))
            self._threads[-1].start()

    def wait_for_answers(self, count: int) -> None:
        """Wait for so many more captions."""
        enough = self.answers + count
        _seconds_until(lambda: self.answers >= enough)

    def last(self, count: int) -> list[str]:
        """The versions that made the last captions."""
        return self.versions[-count:]

    def _ask(self, number: int) -> None:
        while number < self._wanted:
            status, body = _ask(self._port, "/captions", self._pictures[self.answers % len(self._pictures)])
            if status == 200:
                self.versions.append(json.loads(body)["model"]["version"])
            else:
                self.failures.append(f"{status} {body[:200]!r}")


def _ask(port: int, path: str, content: bytes | None = None) -> tuple[int, bytes]:
    """Status and body; 0 and the reason where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    try:
        connection.request("POST" if content else "GET", path, body=content)
        with connection.getresponse() as answer:
            return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error).encode()
    finally:
        connection.close()


def _replicas() -> list[int]:
    """The processes of captions' replicas that have started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cmdline").read_bytes().startswith(_PROCESS):
                found.append(int(entry.name))
    return found


def _seconds_until(came: Callable[[], bool]) -> float:
    """How long it takes until something is so.

    Raises:
        RuntimeError: it takes too long.
    """
    begun = time.monotonic()
    while not came():
        if time.monotonic() - begun > _FOLLOW:
            raise RuntimeError(f"it did not come within {_FOLLOW:g} s")
        time.sleep(0.2)
    return time.monotonic() - begun
