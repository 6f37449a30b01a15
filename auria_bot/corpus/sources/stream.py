"""Read files of lines as a stream: plain, gzip or Zstandard, of any size in little memory.

Dumps contain all of Reddit, and poems are a few in a thousand. So a block of bytes is searched for a pattern first, and
only the lines around a match are returned.

The largest window of Arctic Shift's .zst files is 2 GiB, which the reader allows; only such a file takes that memory.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from auria_bot.errors import BackendMissing, InputError, NotFound

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["LONGEST_LINE", "Tally", "Tell", "lines", "zstandard"]

LONGEST_LINE = 8 << 20  # bytes: no record of Reddit's comes near; a longer line is counted as bad and skipped
_BLOCK = 1 << 20  # bytes read at a time
_SAMPLES = 20  # bad lines that are kept for the report
_SHOWN = 160  # characters of such a line

Tell: TypeAlias = "Callable[[int], None]"
"""Called regularly with the bytes of the file read so far."""


@dataclass(slots=True)
class Tally:
    """Counts of what was read; they grow as the stream is consumed."""

    lines: int = 0
    wanted: int = 0  # records of the wanted subreddits
    bad: int = 0
    bytes_read: int = 0  # of the file, packed or not
    samples: list[tuple[int, str, str]] = field(default_factory=list)  # (line number, reason, beginning)

    def note_bad(self, number: int, why: str, line: bytes) -> None:
        """Count a line that cannot be used, and keep the first few."""
        self.bad += 1
        if len(self.samples) < _SAMPLES:
            shown = line[:_SHOWN].decode("utf-8", errors="replace")
            self.samples.append(
                (number, why, "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown))
            )


def lines(
    path: Path, *, pattern: re.Pattern[bytes] | None = None, tally: Tally, tell: Tell | None = None, blank: bool = False
) -> Iterator[tuple[int, bytes]]:
    """(number from 1, line) of each line that matches.

    Args:
        path: .gz, .zst, or any other file for plain text.
        pattern: what a line must contain; every line matches if not given.
        tally: counts lines and faults.
        tell: called regularly with the bytes read.
        blank: without a pattern, return empty lines too.

    Raises:
        NotFound: there is no such file.
        InputError: the file does not have the format of its name, or is damaged.
        BackendMissing: a .zst file, and zstandard is not installed.
    """
    rest, skipping = b"", False  # the beginning of a line that continues; a line that is too long
    for block in _blocks(path, tally, tell):
        if skipping:
            _, newline, block = block.partition(b"\n")  # noqa: PLW2901 - what is left of it
            if not newline:
                continue
            skipping = False
        whole, newline, tail = block.rpartition(b"\n")
        if newline:
            yield from _worthy(rest + whole, pattern, tally, blank=blank)
            rest = tail
        else:
            rest += tail
        if len(rest) > LONGEST_LINE:
            tally.lines += 1
            tally.note_bad(tally.lines, f"longer than {LONGEST_LINE >> 20} MiB", rest)
            rest, skipping = b"", True
    if rest:
        yield from _worthy(rest, pattern, tally, blank=blank)


def _worthy(
    text: bytes, pattern: re.Pattern[bytes] | None, tally: Tally, *, blank: bool
) -> Iterator[tuple[int, bytes]]:
    """The lines of a run of whole lines that match."""
    first = tally.lines + 1
    tally.lines += text.count(b"\n") + 1
    if pattern is None:
        for offset, line in enumerate(text.split(b"\n")):
            if blank or line.strip():
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


def _blocks(path: Path, tally: Tally, tell: Tell | None) -> Iterator[bytes]:
    """The uncompressed bytes of a file, about a megabyte at a time."""
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
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{path} is damaged or not finished: {error}") from None
        except Exception as error:
            if type(error).__module__.startswith("zstandard") or type(error).__name__ == "ZstdError":
                raise InputError(f"{path} is damaged or not a {path.suffix} file: {error}") from None
            raise


def _unpacked(path: Path, file: IO[bytes]) -> Any:
    if path.suffix == ".gz":
        return gzip.GzipFile(fileobj=file, mode="rb")
    if path.suffix != ".zst":
        return file
    # Dumps may be several frames one after the other. A file that was cut off cannot be recognised by the format: its
    # last line is then a bad one.
    return (
        zstandard().ZstdDecompressor(max_window_size=2**31).stream_reader(file, read_across_frames=True, closefd=False)
    )


def zstandard() -> Any:
    """The package that reads and writes .zst files.

    Raises:
        BackendMissing: it is not installed.
    """
    try:
        import zstandard
    except ImportError:
        raise BackendMissing(".zst files need a package: pip install 'auria-bot[corpus]'") from None
    return zstandard
