"""Read files of lines as a stream: plain or compressed, of any size in little memory.

Dumps contain all of Reddit, and poems are a few in a thousand. So a block of bytes is searched for a pattern first, and
only the lines around a match are returned.

The largest window of Arctic Shift's .zst files is 2 GiB, which the reader allows; only such a file takes that memory.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import json
import lzma
import re
import zlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from auria_bot.errors import BackendMissing, InputError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["LONGEST_LINE", "Tally", "Tell", "blocks", "decoded", "excerpt", "json_lines", "lines", "zstandard"]

LONGEST_LINE = 8 << 20  # bytes: no record of Reddit's comes near; a longer line is counted as bad and skipped
_BLOCK = 1 << 20  # bytes read at a time
_SAMPLES = 20  # bad lines that are kept for the report
_SHOWN = 160  # characters of such a line

_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
"""The first bytes of the compressed formats that are read."""
_REFUSED = {
    b"PK\x03\x04": "a ZIP archive; unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"%PDF": "a PDF document; save its text first",
    b"SQLite format 3\x00": "an SQLite database; export its rows first",
    b"\x04\x22\x4d\x18": "compressed with LZ4; unpack it first",
}
"""The first bytes of files that hold no lines, and what to say of them."""
_CLAIMED = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zst_blocks": "zstd blocks"}
_WIDE = {  # the longer first: UTF-32 begins as UTF-16 does
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_UTF8_SIGN = re.compile(rb"[\xc2\xc3][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}")  # accents, quotes and dashes in UTF-8
_MISPLACED = re.compile(  # a foreign capital within a word, or three foreign letters in a row
    r"[a-z][\u00c0-\u00d6\u00d8-\u00de\u0152\u0160\u0178\u017d]"
    r"|[\u00c0-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e]{3}"
)
_LARGEST_BLOCK = 1 << 28  # bytes of a block of a .zst_blocks file
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)  # magic numbers of Zstandard's skippable frames

Tell: TypeAlias = "Callable[[int], None]"
"""Called regularly with the bytes of the file read so far."""


@dataclass(slots=True)
class Tally:
    """Counts of what was read; they grow as the stream is consumed."""

    lines: int = 0
    wanted: int = 0  # records of the wanted subreddits
    bad: int = 0
    bytes_read: int = 0  # of the file, compressed or not
    recoded: int = 0  # lines that are not UTF-8 and were read as Windows-1252
    samples: list[tuple[int, str, str]] = field(default_factory=list)  # (line number, reason, beginning)

    def note_bad(self, number: int, why: str, line: bytes) -> None:
        """Count a line that cannot be used, and keep the first few."""
        self.bad += 1
        if len(self.samples) < _SAMPLES:
            shown = line[:_SHOWN].decode("utf-8", errors="replace")
            self.samples.append(
                (number, why, "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown))
            )


def excerpt(record: Any) -> bytes:
    """The beginning of a decoded record, to show; nothing of one that has too many levels to be written."""
    try:
        return json.dumps(record, default=str)[:400].encode()
    except (RecursionError, TypeError, ValueError):
        return b""


def lines(
    path: Path, *, pattern: re.Pattern[bytes] | None = None, tally: Tally, tell: Tell | None = None, blank: bool = False
) -> Iterator[tuple[int, bytes]]:
    """(number from 1, line) of each line that matches.

    Args:
        path: plain text or compressed (gzip, bzip2, xz, Zstandard), recognised by its first bytes.
        pattern: what a line must contain; every line matches if not given.
        tell: called regularly with the bytes read.
        blank: without a pattern, return empty lines too.

    Raises:
        NotFound: there is no such file.
        InputError: the file does not have the format of its name, or is damaged.
        BackendMissing: a .zst file, and zstandard is not installed.
    """
    rest, skipping = b"", False  # the beginning of a line that continues; a line that is too long
    for block in blocks(path, tally, tell):
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


def decoded(raw: bytes, number: int, tally: Tally) -> str | None:
    """Decode a line as UTF-8, else as Windows-1252, which is counted; None and a bad line if it is neither.

    What UTF-8 or another encoding would become as Windows-1252 is neither: a sign of UTF-8 in a damaged line, a
    foreign capital after a small letter, three foreign letters in a row, or mostly such letters.
    """
    if b"\0" in raw:
        tally.note_bad(number, "NUL bytes, as of UTF-16 without its mark: save the file as UTF-8", raw)
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        if (found := _windows_1252(raw)) is None:
            tally.note_bad(number, "neither UTF-8 nor Windows-1252: save the file as UTF-8", raw)
            return None
        text, tally.recoded = found, tally.recoded + 1
    return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}") if number == 1 else text


def _windows_1252(raw: bytes) -> str | None:
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        return None
    letters = [letter for letter in text if letter.isalpha()]
    foreign = sum(not letter.isascii() for letter in letters)
    if _UTF8_SIGN.search(raw) or _MISPLACED.search(text) or foreign * 2 > len(letters):
        return None
    return text


def json_lines(
    path: Path, *, pattern: re.Pattern[bytes] | None = None, tally: Tally, tell: Tell | None = None
) -> Iterator[tuple[int, Any]]:
    """(number, value) of each line of JSON that matches; another line is a bad one. Arguments and errors: `lines`."""
    for number, line in lines(path, pattern=pattern, tally=tally, tell=tell):
        text = decoded(line, number, tally)
        if text is None:
            continue
        try:
            yield number, json.loads(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
        except (ValueError, RecursionError):
            tally.note_bad(number, "not JSON", line)


def blocks(path: Path, tally: Tally, tell: Tell | None = None) -> Iterator[bytes]:
    """The uncompressed bytes of a file as UTF-8, about a megabyte at a time; its lines end with a line feed.

    Raises:
        NotFound, InputError, BackendMissing: as in `lines`.
    """
    if not path.is_file():
        raise NotFound(f"no file {path}")
    with path.open("rb") as file:
        kind = _compression(path, file)
        try:
            recoder, old_mac = None, False
            for number, raw in enumerate(_raw_blocks(kind, file)):
                tally.bytes_read = file.tell()
                if tell is not None:
                    tell(tally.bytes_read)
                if number == 0 and (wide := _wide(raw)):
                    recoder = codecs.getincrementaldecoder(wide)(errors="replace")
                block = raw if recoder is None else recoder.decode(raw).encode("utf-8", "replace")
                old_mac = old_mac if number else b"\r" in block and b"\n" not in block
                yield block.replace(b"\r", b"\n") if old_mac else block
            if kind == "zstd":
                _check_complete(file)
        except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
            raise InputError(f"{path} is damaged or not finished: {error}") from None
        except OSError as error:
            if kind == "bzip2" and error.errno is None:
                raise InputError(f"{path} is damaged or not finished: {error}") from None
            raise
        except Exception as error:
            if type(error).__module__.startswith("zstandard") or type(error).__name__ == "ZstdError":
                raise InputError(f"{path} is damaged or not a Zstandard file: {error}") from None
            raise


def _wide(head: bytes) -> str:
    """The encoding of letters of several bytes: by the byte order mark, else by NULs; "" for none."""
    marked = next((name for mark, name in _WIDE.items() if head.startswith(mark)), "")
    if marked or b"\0" not in head[:2]:
        return marked
    units = head[: 2 * (min(len(head), 256) // 2)]
    zeros = [units[at::2].count(0) for at in range(2)]  # of every other byte, from the first and from the second
    return next(
        (name for at, name in ((1, "utf-16-le"), (0, "utf-16-be")) if zeros[at] * 4 > len(units) and not zeros[1 - at]),
        "",
    )


def _compression(path: Path, file: IO[bytes]) -> str:
    """The compression of an open file by its first bytes, whatever its name; "" for none.

    Raises:
        InputError: it is of a kind that cannot be read.
    """
    head = file.read(16)
    file.seek(0)
    for magic, what in _REFUSED.items():
        if head.startswith(magic):
            raise InputError(f"{path} is {what}")
    if int.from_bytes(head[:4], "little") in _SKIPPABLE:  # as parallel compressors begin
        return "zstd"
    if head[8:12] == b"\x28\xb5\x2f\xfd":
        return "zstd blocks"
    found = next((kind for magic, kind in _PACKED.items() if head.startswith(magic)), "")
    if head and not found and (wanted := _CLAIMED.get(path.suffix.lower())):
        raise InputError(f"{path} is damaged or not a {path.suffix} file: it does not begin as {wanted} does")
    return found


def _raw_blocks(kind: str, file: IO[bytes]) -> Iterator[bytes]:
    if kind == "zstd blocks":
        yield from _zstd_blocks(file)
        return
    stream: Any = file
    if kind == "zstd":  # dumps may be several frames in a row
        reader = zstandard().ZstdDecompressor(max_window_size=2**31)
        stream = reader.stream_reader(file, read_across_frames=True, closefd=False)
    elif kind == "gzip":
        stream = gzip.GzipFile(fileobj=file, mode="rb")
    elif kind:
        stream = {"bzip2": bz2.BZ2File, "xz": lzma.LZMAFile}[kind](file)
    while block := stream.read(_BLOCK):
        yield block


def _zstd_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The blocks of a .zst_blocks file: each its compressed size and number of rows (both 32 bits), then a frame."""
    reader, end = zstandard().ZstdDecompressor(max_window_size=2**31), file.seek(0, 2)
    file.seek(0)
    while head := file.read(8):
        size = int.from_bytes(head[:4], "little")
        # What a damaged head claims is not read: the buffer would be made as large before the file's end is seen.
        if len(head) < 8 or size > min(_LARGEST_BLOCK, end - file.tell()):
            raise EOFError("a block is cut off")
        yield from reader.read_to_iter(file.read(size), write_size=_BLOCK)
        yield b"\n"


def _check_complete(file: IO[bytes]) -> None:
    """Walk through the frames of a Zstandard file: its reader does not notice a missing end (RFC 8878, section 3.1).

    Raises:
        EOFError: the last frame is cut off.
    """
    end, at = file.seek(0, 2), 0
    while at < end:
        file.seek(at)
        head = file.read(8)
        if int.from_bytes(head[:4], "little") in _SKIPPABLE:
            at += 8 + int.from_bytes(head[4:], "little")
        else:
            at = _frame_end(file, at, head[4] if len(head) > 4 else 0)
        if at > end:
            raise EOFError("the last frame is cut off")


def _frame_end(file: IO[bytes], at: int, descriptor: int) -> int:
    """Where a frame that begins at `at` ends, by the sizes of its blocks."""
    single, sizes = bool(descriptor & 0x20), (0, 2, 4, 8)[descriptor >> 6]
    at += 5 + (not single) + (0, 1, 2, 4)[descriptor & 3] + (sizes or single)
    last = False
    while not last:
        file.seek(at)
        header = file.read(3)
        if len(header) < 3:
            raise EOFError("the last frame is cut off")
        block = int.from_bytes(header, "little")
        last, repeated = bool(block & 1), block >> 1 & 3 == 1
        at += 3 + (1 if repeated else block >> 3)
    return at + (4 if descriptor & 4 else 0)


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
