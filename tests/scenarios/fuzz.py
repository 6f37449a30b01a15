"""Bar `fuzz`: on malformed bytes the readers of files neither crash, nor hang, nor exhaust the memory.

Hypothesis makes files of every kind the corpus is imported from: fragments of real shapes, damaged and mixed with chance, packed or not, read in
blocks of any size. Each is read to its end, and what comes out is judged. `python -m tests.scenarios.fuzz FOLDER` is the same as a target for atheris,
which is not a dependency: pip install atheris.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auria_bot.corpus.item import from_row, from_submission
from auria_bot.corpus.poem_extraction import read_poem
from auria_bot.corpus.quality_filter import judge as fault_of
from auria_bot.corpus.sources import stream
from auria_bot.corpus.sources.source_files import opened
from auria_bot.corpus.sources.stream import Tally
from auria_bot.errors import AuriaError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["BYTES", "KINDS", "SECONDS", "files", "judge", "read", "worst"]

FILES = 4000
SECONDS = 2.0  # that a file of a kilobyte may take, on a machine that does other work too
BYTES = 8 << 20  # of memory that such a file may take
KINDS = ("a.ndjson", "a.jsonl", "a.json", "a.csv", "a.txt", "a.jsonl.gz", "a.ndjson.zst")
_FRAGMENTS = (
    b'{"id": "a1", "subreddit": "haiku", "title": "a pond/a frog/a sound", "created_utc": 1500000000}',
    b'"subreddit": "haiku"',
    b"\n",
    b'{"kind": "Listing", "data": {"children": [{"kind": "t3", "data": {}}]}}',
    b"text,id\n",
    b'"',
    b"\x00",
    b"\xff\xfe",
    b"[" * 400,
    b"\r\n",
    b"an old silent pond\na frog jumps in\nsound\n\n",
    b'{"lines": ["a", "b", "c"]}',
    b"\xf0\x9f\x8c\xb8",
    "\u202e\u200b\u0301".encode() * 9,
    b"1e999",
    b'{"created_utc": 1e400, "id": [], "title": null}',
    b"/" * 300,
    b"a" * 700,
    b"-" * 90,
)


def files() -> SearchStrategy[tuple[str, bytes, int]]:
    """A name, its bytes, and the size of the blocks it is read in."""
    content = st.lists(st.one_of(st.sampled_from(_FRAGMENTS), st.binary(max_size=30)), max_size=12).map(b"".join)
    return st.tuples(st.sampled_from(KINDS), content, st.integers(1, 4096))


def read(folder: Path, name: str, content: bytes, block: int) -> int:
    """Read a file to its end and judge what is in it; how many texts there were."""
    path = folder / name
    if name.endswith(".gz") and block % 3:
        content = gzip.compress(content)
    if name.endswith(".zst") and block % 3:
        content = stream.zstandard().compress(content)
    path.write_bytes(content)
    tally, before = Tally(), stream._BLOCK
    stream._BLOCK = block
    try:
        with suppress(AuriaError):
            found = opened(path, subreddits=["haiku"] if block % 2 else (), mapping={}, tally=tally)
            for post in found.posts or ():
                from_submission(post)
            for row in found.rows or ():
                from_row(row, origin=name)
    finally:
        stream._BLOCK = before
    return tally.wanted


def judge(text: str) -> None:
    """Read a poem out of any text, and judge it.

    Raises:
        ValueError: what was called a poem has not three lines.
    """
    found = read_poem(text[: len(text) // 2], text[len(text) // 2 :])
    if found.lines:
        if len(found.lines) != 3 or not all(line.strip() for line in found.lines):
            raise ValueError(f"no three lines: {found.lines!r}")
        fault_of(found.lines)


def worst(count: int) -> tuple[float, int]:
    """Read so many files; the most seconds that one took, and the most bytes."""
    slowest, largest = 0.0, 0
    with tempfile.TemporaryDirectory(prefix="auria-fuzz-") as scratch:
        folder = Path(scratch)
        read(folder, "a.ndjson", _FRAGMENTS[0], 64)  # the tables of words are loaded once, whoever comes first

        @settings(
            max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
        @given(files())
        def one(file: tuple[str, bytes, int]) -> None:
            nonlocal slowest, largest
            tracemalloc.reset_peak()
            before, begun = tracemalloc.get_traced_memory()[0], time.process_time()
            read(folder, *file)
            judge(file[1].decode("utf-8", "replace"))
            slowest = max(slowest, time.process_time() - begun)
            largest = max(largest, tracemalloc.get_traced_memory()[1] - before)

        tracemalloc.start()
        try:
            one()
        finally:
            tracemalloc.stop()
    return slowest, largest


def _atheris() -> None:
    import atheris

    folder = Path(tempfile.mkdtemp(prefix="auria-fuzz-"))

    def one(data: bytes) -> None:
        given_ = atheris.FuzzedDataProvider(data)
        name, block = KINDS[given_.ConsumeIntInRange(0, len(KINDS) - 1)], given_.ConsumeIntInRange(1, 4096)
        content = given_.ConsumeBytes(4096)
        read(folder, name, content, block)
        judge(content.decode("utf-8", "replace"))

    atheris.instrument_all()
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    _atheris()
