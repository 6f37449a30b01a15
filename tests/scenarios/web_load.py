"""Readers of the gallery: fifty at a time, each asking for a page every sixth of a second, over thousands of artworks.

Every page is one that a visitor may ask for: three artworks of four, the rest listings and the page to browse by. The
works have pictures, of which a reader loads a small copy with every tenth page; pictures are not counted as pages.
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

from PIL import Image, ImageFilter
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
_PICTURES = 8  # different ones
_STYLES = 400  # paintings that works are restyled after, as many as the style bank has
_SAMPLED, _AGAIN = 200, 10  # pages whose processor time is measured, and how often once they are kept
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
    server: float  # processor seconds of the server for a page, as it came under load
    readers: float  # the same of all readers together
    first: float  # processor seconds of the server for a page that is asked for the first time
    kept: float  # for one that it has kept

    def percentile(self, share: float) -> float:
        """Seconds within which that share of the pages arrived."""
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


def fill(application: Application, count: int) -> None:
    """Publish so many artworks, one an hour; a few pictures, linked many times, are their files."""
    rows, sent = [], []
    pictures = _pictures(application.settings.home / "sources")
    for number in range(1, count + 1):
        style = artwork(number % _STYLES).style
        made, at = (
            artwork(number, mood=MOODS[number % len(MOODS)], style=style),
            NOW - timedelta(hours=count - number),
        )
        common = {
            "text": made.post_text,
            "alt_text": made.alt_text,
            "picture_sha256": f"{number % len(pictures):064x}",
            "signature": "",
        }
        folder = application.settings.home / "pictures" / f"run-{number}"
        folder.mkdir(parents=True)
        os.link(pictures[number % len(pictures)], folder / "full.png")
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


def _pictures(folder: Path) -> list[Path]:
    """Picture files that weigh what paintings weigh."""
    folder.mkdir(parents=True)
    found = []
    for number in range(_PICTURES):
        noise = Image.effect_noise((1080, 1350), 60 + 10 * number).filter(ImageFilter.GaussianBlur(2.5))
        picture = Image.merge("RGB", (noise, noise.rotate(180), noise.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
        found.append(folder / f"{number}.png")
        picture.save(found[-1], compress_level=1)
    return found


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
            small = [_picture_of(number) for number in range(1, min(works, _PICTURES) + 1)]
            asyncio.run(_read(port, small, 1, 0.0, len(small)))  # makes the small copies
            begun, of_server, own = time.monotonic(), _processor(process.pid), time.process_time()
            found = asyncio.run(_read(port, _paths(works), readers, rate, max(1, int(seconds * rate)), works=works))
            took, own = time.monotonic() - begun, time.process_time() - own
            of_server, after = _processor(process.pid) - of_server, _memory(process.pid)
            first, kept = _costs(port, process.pid, works)
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
        server=of_server / len(found),
        readers=own / len(found),
        first=first,
        kept=kept,
    )


def _costs(port: int, server: int, works: int) -> tuple[float, float]:
    """The server's processor seconds for a page that it makes, and for one that it has kept."""
    fresh = list(dict.fromkeys(_paths(works, seed=2)))[:_SAMPLED]
    found = []
    for times in (1, _AGAIN):
        begun = _processor(server)
        asyncio.run(_read(port, fresh, 1, 0.0, times * len(fresh)))
        found.append((_processor(server) - begun) / (times * len(fresh)))
    return found[0], found[1]


def _picture_of(number: int) -> str:
    return f"/pictures/{number}/320.webp"


def _paths(works: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    pages = -(-works // 24)
    listings = ["/", "/browse", *(f"/moods/{mood}" for mood in MOODS), *(f"/page/{n}" for n in range(2, pages + 1))]
    found = [f"/artworks/{number}-stone-number-{number}" for number in range(1, works + 1)]
    return [chance.choice(found if chance.random() < 0.75 else listings) for _ in range(4000)]


async def _read(
    port: int, paths: list[str], readers: int, rate: float, each: int, *, works: int = 0
) -> list[tuple[int, float, int]]:
    """(status, seconds, bytes) of every page that the readers asked for, `each` pages a reader.

    With every tenth page of so many `works` a reader loads a picture, which must come whole.
    """

    async def reader(number: int) -> list[tuple[int, float, int]]:
        stream, writer = await asyncio.open_connection("127.0.0.1", port)
        found = []

        async def get(path: str) -> tuple[int, int]:
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n"
            writer.write(head.encode())
            answer = (await stream.readuntil(b"\r\n\r\n")).lower()
            length = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await stream.readexactly(length)
            return int(answer[9:12]), length

        pause = 1 / rate if rate else 0.0
        await asyncio.sleep(pause * number / readers)
        for turn in range(each):
            path, begun = paths[(number * each + turn) % len(paths)], time.perf_counter()
            status, length = await get(path)
            found.append((status, time.perf_counter() - begun, length))
            if works and turn % 10 == number % 10:
                await get(_picture_of(1 + (number * each + turn) % works))
            await asyncio.sleep(max(0.0, begun + pause - time.perf_counter()))
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


def _processor(pid: int) -> float:
    """Processor seconds of a process so far, to a hundredth."""
    values = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    """Resident size in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
