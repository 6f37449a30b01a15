"""Readers of the gallery: fifty at a time, each asking for a page every sixth of a second, over thousands of artworks.

Every page is one that a visitor may ask for: three artworks of four, the rest listings and the page to browse by.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert

from auria_bot.domain.draft import DraftState
from auria_bot.domain.post import PostState
from auria_bot.store.schema import drafts, posts
from tests.applications import fake_application
from tests.factories import NOW, artwork

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application

__all__ = ["START", "Load", "fill", "load", "wait_for"]

MOODS = ("serene", "stormy", "wistful", "joyful", "still")
START = 60.0  # seconds that a busy machine may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was measured."""

    seconds: tuple[float, ...]  # of each page, sorted
    pages_per_second: float
    failures: int  # answers that were not 200
    largest: int  # bytes of a page as it is sent
    at_rest: float  # MB, after the first page
    after: float  # MB, after all pages

    def percentile(self, share: float) -> float:
        """Seconds within which that share of the pages arrived."""
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


def fill(application: Application, count: int) -> None:
    """Publish so many artworks, one a day; they have no picture files."""
    rows, sent = [], []
    for number in range(1, count + 1):
        made, at = artwork(number, mood=MOODS[number % len(MOODS)]), NOW - timedelta(hours=count - number)
        common = {
            "text": made.post_text,
            "alt_text": made.alt_text,
            "picture_sha256": f"{number:064x}",
            "signature": "",
        }
        rows.append(
            {
                **common,
                "id": number,
                "version": 1,
                "folder": f"run-{number}",
                "state": DraftState.SCHEDULED,
                "made_at": at,
                "reason": "",
                "channels": ["folder"],
                "artwork": made.to_json(),
                "mood": made.mood,
                "style": made.style.key,
                "fingerprint": made.fingerprint,
            }
        )
        sent.append(
            {
                **common,
                "draft_id": number,
                "channel": "folder",
                "state": PostState.SENT,
                "due": at,
                "picture": "",
                "key": str(number),
                "fencing": 1,
                "receipt_id": "1",
                "receipt_url": "",
                "receipt_at": at,
                "words": "",
            }
        )
    with application.store.begin() as unit:
        unit.drafts._connection.execute(insert(drafts), rows)
        unit.drafts._connection.execute(insert(posts), sent)


def load(root: Path, *, works: int, readers: int, rate: float, seconds: float) -> Load:
    """Serve so many works to so many readers, each asking for `rate` pages a second.

    Raises:
        RuntimeError: the server did not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    application = fake_application(root)
    fill(application, works)
    application.close()
    environment = {**os.environ, "AURIA_HOME": str(root), "AURIA_WEB__ADDRESS": f"127.0.0.1:{port}"}
    command = [sys.executable, "-m", "auria_bot", "web"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            asyncio.run(_read(port, ["/"], 1, 0.0, 1))
            at_rest = _memory(process.pid)
            begun = time.monotonic()
            found = asyncio.run(_read(port, _paths(works), readers, rate, max(1, int(seconds * rate))))
            took = time.monotonic() - begun
            after = _memory(process.pid)
        finally:
            process.terminate()
            process.wait(START)
    return Load(
        seconds=tuple(sorted(one[1] for one in found)),
        pages_per_second=len(found) / took,
        failures=sum(one[0] != 200 for one in found),
        largest=max(one[2] for one in found),
        at_rest=at_rest,
        after=after,
    )


def _paths(works: int) -> list[str]:
    chance = random.Random(1)
    pages = -(-works // 24)
    listings = ["/", "/browse", *(f"/moods/{mood}" for mood in MOODS), *(f"/page/{n}" for n in range(2, pages + 1))]
    found = [f"/artworks/{number}-stone-number-{number}" for number in range(1, works + 1)]
    return [chance.choice(found if chance.random() < 0.75 else listings) for _ in range(4000)]


async def _read(port: int, paths: list[str], readers: int, rate: float, each: int) -> list[tuple[int, float, int]]:
    """(status, seconds, bytes) of every page that the readers asked for, `each` pages a reader."""

    async def reader(number: int) -> list[tuple[int, float, int]]:
        stream, writer = await asyncio.open_connection("127.0.0.1", port)
        found = []
        pause = 1 / rate if rate else 0.0
        await asyncio.sleep(pause * number / readers)
        for turn in range(each):
            path, begun = paths[(number * each + turn) % len(paths)], time.perf_counter()
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n"
            writer.write(head.encode())
            answer = (await stream.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(answer.partition("content-length: ")[2].partition("\r\n")[0])
            await stream.readexactly(length)
            taken = time.perf_counter() - begun
            found.append((int(answer[9:12]), taken, length))
            await asyncio.sleep(max(0.0, pause - taken))
        writer.close()
        return found

    return [one for many in await asyncio.gather(*map(reader, range(readers))) for one in many]


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server that was started listens.

    Raises:
        RuntimeError: it ended, or took longer than START.
    """
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"auria web did not start: {process.poll()}")


def _memory(pid: int) -> float:
    """Resident size in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
