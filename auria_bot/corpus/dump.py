"""Reads dumps of Reddit as a stream: NDJSON, plain, gzip or Zstandard, of any size in little memory.

Dumps hold all of Reddit, and poems are a few in a thousand. So lines are not decoded one by one: a block of bytes is searched for the
wanted subreddits' names, and only the lines around a find are decoded. Bad lines are counted and sampled, and stop nothing.
Knows files and lines; what a record means is in `submission`.

The largest window of Arctic Shift's .zst files is 2 GiB, which the reader allows; it takes that memory only for such a file.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from auria_bot.corpus.submission import read_record
from auria_bot.errors import BackendMissing, InputError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from auria_bot.corpus.submission import Submission

__all__ = ["LONGEST_LINE", "Tally", "submissions"]

LONGEST_LINE = 8 << 20  # bytes: no record of Reddit's comes near; a longer line is counted as bad and skipped
_BLOCK = 1 << 20  # bytes read at a time
_SAMPLES = 20  # bad lines that are kept for the report
_SHOWN = 160  # characters of such a line


@dataclass(slots=True)
class Tally:
    """What was met while reading; counted up as the stream goes on."""

    lines: int = 0
    wanted: int = 0  # submissions of the wanted subreddits
    bad: int = 0
    bytes_read: int = 0  # of the file, packed or not
    samples: list[tuple[int, str, str]] = field(default_factory=list)  # (line number, why, its beginning)

    def note_bad(self, number: int, why: str, line: bytes) -> None:
        """Count a line that could not be used, and keep the first few."""
        self.bad += 1
        if len(self.samples) < _SAMPLES:
            shown = line[:_SHOWN].decode("utf-8", errors="replace")
            self.samples.append(
                (number, why, "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown))
            )


def submissions(
    path: Path, *, subreddits: Sequence[str] = (), tally: Tally | None = None, tell: Callable[[int], None] | None = None
) -> Iterator[Submission]:
    """Read the submissions of a dump.

    Args:
        path: .ndjson, .jsonl or any plain text; .gz; .zst.
        subreddits: only of these, in any case; of all when empty.
        tally: counts what is met.
        tell: called now and then with the bytes of the file read so far.

    Raises:
        NotFound: there is no such file.
        InputError: the file is not what its name says, or is damaged.
        BackendMissing: a .zst file, and zstandard is not installed.
    """
    import json

    counted = tally if tally is not None else Tally()
    names = {name.removeprefix("r/").lower() for name in subreddits}
    pattern = _pattern(names)
    for number, line in _lines(path, pattern, counted, tell):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            counted.note_bad(number, "not JSON", line)
            continue
        if not isinstance(record, dict):
            counted.note_bad(number, "not an object", line)
            continue
        if names and str(record.get("subreddit")).lower() not in names:
            continue  # another subreddit's name stood elsewhere in the line
        try:
            found = read_record(record)
        except InputError as error:
            counted.note_bad(number, str(error), line)
            continue
        counted.wanted += 1
        yield found


def _pattern(names: set[str]) -> re.Pattern[bytes] | None:
    """What a line must hold to be worth decoding; None: every line is."""
    if not names:
        return None
    spelt = b"|".join(re.escape(name.encode()) for name in sorted(names))
    return re.compile(rb'"subreddit"\s*:\s*"(?:' + spelt + rb')"', re.IGNORECASE)


def _lines(
    path: Path, pattern: re.Pattern[bytes] | None, tally: Tally, tell: Callable[[int], None] | None
) -> Iterator[tuple[int, bytes]]:
    """(number from 1, line) of each line worth decoding."""
    rest, skipping = b"", False  # the beginning of a line that goes on in the next block; a line that is too long
    for block in _blocks(path, tally, tell):
        if skipping:
            _, newline, block = block.partition(b"\n")  # noqa: PLW2901 - what is left of it
            if not newline:
                continue
            skipping = False
        whole, newline, tail = block.rpartition(b"\n")
        if newline:
            yield from _worthy(rest + whole, pattern, tally)
            rest = tail
        else:
            rest += tail
        if len(rest) > LONGEST_LINE:
            tally.lines += 1
            tally.note_bad(tally.lines, f"longer than {LONGEST_LINE >> 20} MiB", rest)
            rest, skipping = b"", True
    if rest:
        yield from _worthy(rest, pattern, tally)


def _worthy(text: bytes, pattern: re.Pattern[bytes] | None, tally: Tally) -> Iterator[tuple[int, bytes]]:
    """The lines of a run of whole lines that match."""
    first = tally.lines + 1
    tally.lines += text.count(b"\n") + 1
    if pattern is None:
        for offset, line in enumerate(text.split(b"\n")):
            if line.strip():
                yield first + offset, line
        return
    at, counted, number = 0, 0, first
    while (hit := pattern.search(text, at)) is not None:
        start = text.rfind(b"\n", 0, hit.start()) + 1
        end = text.find(b"\n", hit.end())
        end = len(text) if end < 0 else end
        number += text.count(b"\n", counted, start)
        counted, at = start, end
        yield number, text[start:end]


def _blocks(path: Path, tally: Tally, tell: Callable[[int], None] | None) -> Iterator[bytes]:
    """The unpacked bytes of a file, about a megabyte at a time."""
    if not path.is_file():
        raise NotFound(f"no file {path}")
    with path.open("rb") as file:
        try:
            with _unpacked(path, file) as stream:
                while block := stream.read(_BLOCK):
                    tally.bytes_read = file.tell()
                    if tell is not None:
                        tell(tally.bytes_read)
                    yield block
        except (EOFError, gzip.BadGzipFile) as error:
            raise InputError(f"{path} is damaged or not finished: {error}") from None
        except Exception as error:
            if type(error).__module__.startswith("zstandard") or type(error).__name__ in {"ZstdError", "error"}:
                raise InputError(f"{path} is damaged or not a {path.suffix} file: {error}") from None
            raise


def _unpacked(path: Path, file: IO[bytes]) -> Any:
    if path.suffix == ".gz":
        return gzip.GzipFile(fileobj=file, mode="rb")
    if path.suffix != ".zst":
        return file
    try:
        import zstandard
    except ImportError:
        raise BackendMissing("reading .zst files needs a package: pip install 'auria-bot[corpus]'") from None
    # Dumps may be several frames one after the other. A file that was cut off is not told by the format: its last line is
    # then a bad one.
    return zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(file, read_across_frames=True, closefd=False)
