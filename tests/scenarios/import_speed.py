"""Bar `import-speed`: a million synthetic dump records, 3 % of them haiku, packed as Zstandard; fast, in little memory, safe to kill.

Records have the shapes of real ones (their fields and the types and lengths of what stands in them, from the folder of data; a built-in
shape where that is missing), every value is invented. What is measured: records a second of processor time up to decoding and filter; the most
memory that the real command, `auria corpus import`, holds; and that an import which is killed half way and repeated leaves the same corpus
as one that was not. Processor time, since other work on the machine does not change it much.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.sources.stream import Tally
from auria_bot.corpus.sources.submission import submissions
from tests.factories import NOUNS
from tests.scenarios.records import folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BAR", "MEMORY", "imported", "kept", "killed", "lines", "shapes", "speed", "write"]

BAR = 60_000  # records a second of one core, decoding and filter
MEMORY = 300  # MB, the whole command
RECORDS = 1_000_000
SHARE = 0.03  # of the records that are haiku
_WORDS = (
    *NOUNS,
    *"evening morning winter rain light summer silence mother child under over beside again slowly open falling broken golden quiet empty early yellow".split(),  # noqa: SIM905
)
_SMALL = ("the", "a", "my", "on", "in", "of", "and", "with", "to", "by")
_SHAPE: dict[str, Any] = {
    "id": "1afwvv8",
    "name": "t3_1afwvv8",
    "subreddit": "nba",
    "title": "x" * 60,
    "selftext": "x" * 400,
    "author": "user_0001",
    "created_utc": 1706745600,
    "score": 1,
    "num_comments": 3,
    "over_18": False,
    "url": "https://example.invalid/" + "x" * 60,
    "permalink": "/r/nba/comments/1afwvv8/x/",
    "link_flair_richtext": [],
    "media": None,
    "edited": False,
    "subreddit_id": "t5_2qo4s",
    **{f"field_{number}": None for number in range(80)},
}


def shapes() -> list[dict[str, Any]]:
    """Records whose fields and types are real and whose values are not."""
    path = folder() / "pushshift_sample.ndjson"
    real = [json.loads(line) for line in path.read_bytes().splitlines()] if path.is_file() else [_SHAPE]
    chance = random.Random(3)
    return [_invented(record, chance) for record in real]


def _invented(value: Any, chance: random.Random) -> Any:
    """Another value of the same type and length."""
    if isinstance(value, dict):
        return {name: _invented(inner, chance) for name, inner in value.items()}
    if isinstance(value, list):
        return [_invented(inner, chance) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return type(value)(chance.randrange(1, 10 * int(abs(value)) + 2))
    text = ""
    while len(text) < len(value):
        text += chance.choice(_WORDS) + chance.choice((" ", " ", ", ", ". "))
    return text[: len(value)].strip()


def _haiku(chance: random.Random) -> str:
    """Three lines of common words; one in ten is seen again with another id, as on Reddit."""
    if chance.random() < 0.1:
        chance = random.Random(chance.randrange(500))
    return "/".join(
        " ".join(chance.choice(_SMALL if number % 2 == 0 else _WORDS) for number in range(size)) for size in (3, 5, 3)
    )


def lines(count: int) -> Iterator[bytes]:
    """So many records, a line each; a bad line now and then."""
    chance, made = random.Random(5), []
    for shape in shapes():
        for _ in range(6):
            text = json.dumps(
                {
                    **_invented(shape, chance),
                    "id": "@ID@",
                    "title": "@TITLE@",
                    "subreddit": "@SUB@",
                    "created_utc": 1_500_000_000,
                }
            )
            head, rest = text.encode().split(b'"@ID@"')
            made.append((head, rest))
    for number in range(count):
        head, rest = made[chance.randrange(len(made))]
        haiku = chance.random() < SHARE
        title = _haiku(chance) if haiku else f"{chance.choice(_WORDS)} {number}"
        rest = rest.replace(b"@TITLE@", title.encode()).replace(b"@SUB@", b"haiku" if haiku else b"AskReddit")
        yield b'%b"%b"%b\n' % (head, _base36(number), rest)
        if number % 50_000 == 49_999:
            yield b'{"subreddit": "haiku", "title": "cut of\n'


def _base36(number: int) -> bytes:
    digits = ""
    number += 46_656
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits.encode()


def write(path: Path, count: int) -> int:
    """A dump of so many records; how many bytes they are unpacked."""
    import zstandard

    size = 0
    with path.open("wb") as file, zstandard.ZstdCompressor(level=1, threads=2).stream_writer(file) as packed:
        block: list[bytes] = []
        for line in lines(count):
            block.append(line)
            size += len(line)
            if len(block) == 1000:
                packed.write(b"".join(block))
                block.clear()
        packed.write(b"".join(block))
    return size


def speed(path: Path) -> tuple[float, Tally]:
    """Records a second of processor time up to decoding and filter, and what was met."""
    tally = Tally()
    begun = time.process_time()
    for _ in submissions(path, subreddits=["haiku"], tally=tally):
        pass
    return tally.lines / (time.process_time() - begun), tally


# Runs a command and prints the most memory that it held, in KiB. A child counts what its parent held when it was forked, so
# the parent must be a small one.
_WEIGHED = (
    "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL);"
    " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(done.returncode)"
)


def _command(
    home: Path, path: Path, *, before: tuple[str, ...] = (), output: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    command = [
        *before,
        sys.executable,
        "-m",
        "auria_bot",
        "corpus",
        "import",
        str(path),
        "--subreddit",
        "haiku",
        "--json",
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    return subprocess.Popen(command, stdout=output, env={**kept, "AURIA_HOME": str(home)})


def imported(home: Path, path: Path) -> float:
    """Import a dump by the command line; the most memory it held, in MB.

    Raises:
        RuntimeError: the command failed.
    """
    child = _command(home, path, before=(sys.executable, "-c", _WEIGHED), output=subprocess.PIPE)
    told, _ = child.communicate()
    if child.returncode:
        raise RuntimeError(f"auria corpus import ended with {child.returncode}")
    return int(told) / 1024


def killed(home: Path, path: Path, verses: int) -> int:
    """Begin an import and kill it when about so many verses are there; how many are left."""
    child = _command(home, path)
    while child.poll() is None and kept(home)[0] < verses:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    return kept(home)[0]


def kept(home: Path) -> tuple[int, str]:
    """How many texts a home's corpus has, and a hash over everything but their numbers."""
    try:
        with sqlite3.connect(f"file:{home / 'auria.db'}?mode=ro", uri=True) as database:
            rows = database.execute(
                "SELECT digest, state, reason, lines, syllables, form, season, source, subreddit, external_id, created_at, score"
                " FROM verses ORDER BY digest"
            ).fetchall()
            rows += database.execute("SELECT key, digest, author FROM sightings ORDER BY key, digest").fetchall()
            count = database.execute("SELECT count(*) FROM verses").fetchone()[0]
    except sqlite3.OperationalError:
        return 0, ""  # it is not made yet
    return count, hashlib.sha256(repr(rows).encode()).hexdigest()
